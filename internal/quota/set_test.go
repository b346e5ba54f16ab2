package quota

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

func (w *world) together(path string, kind limit.Kind) limit.Count {
	w.t.Helper()
	ctx, q := context.Background(), w.db.Read()
	if path == account.Root { // which has no row of its own
		count := limit.Count{Maximum: limit.Unlimited}
		if err := q.NewRaw("select sum("+string(kind)+"_used) from resource_counts").Scan(ctx, &count.Used); err != nil {
			w.t.Fatal(err)
		}
		return count
	}
	all, err := limit.OfDomains(ctx, q, w.domains[path].ID)
	if err != nil {
		w.t.Fatal(err)
	}
	return all[w.domains[path].ID][kind]
}

func (w *world) used(name string, kind limit.Kind) int64 {
	w.t.Helper()
	all, err := limit.OfAccounts(context.Background(), w.db.Read(), w.of[name])
	w.must(err)
	return all[w.of[name]][kind].Used
}

func (w *world) give(name string, use limit.Use) error {
	return w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error { return account.Give(ctx, tx, w.of[name], use) })
}

func (w *world) set(as string, of account.For, kind limit.Kind, most int64) error {
	_, err := SetLimit(w.as(as), w.db, w.accounts, LimitIn{Of: of, Kind: kind, Most: most})
	return err
}

func (w *world) limit(as, name, domain string, kind limit.Kind, most int64) error {
	return w.set(as, account.For{Account: name, Domain: w.domains[domain].ID}, kind, most)
}

// What an account takes counts for its domain and for all above it, each of which may refuse.
func TestDomainLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		want(t, "take", w.take("xuser", limit.Use{limit.VMs: 3, limit.CPUs: 5}), "")
		want(t, "take", w.take("auser", limit.Use{limit.VMs: 1}), "")
		want(t, "take", w.take("rootuser", limit.Use{limit.VMs: 2}), "")
		for path, n := range map[string]int64{"ROOT": 6, "ROOT/a": 4, "ROOT/a/x": 3, "ROOT/b": 0} {
			if got := w.together(path, limit.VMs).Used; got != n {
				t.Errorf("domain %s uses %d machines, want %d", path, got, n)
			}
		}
		want(t, "set the domain above", w.limit("admin", "", "ROOT/a", limit.VMs, 5), "")
		want(t, "up to it", w.take("auser2", limit.Use{limit.VMs: 1}), "")
		err := w.take("xuser", limit.Use{limit.VMs: 1})
		want(t, "beyond it", err, fault.Limit)
		if err != nil && err.Error() != "the limit of domain ROOT/a of virtual machines (user_vm) is 5: 5 are in use, 1 more were asked for" {
			t.Errorf("it says %q", err)
		}
		if n := w.used("xuser", limit.VMs); n != 3 {
			t.Errorf("the account counted what its domain refused: %d", n)
		}
		if n := w.together("ROOT/a/x", limit.VMs).Used; n != 3 {
			t.Errorf("the domain below counted what the one above refused: %d", n)
		}
		want(t, "another domain", w.take("buser", limit.Use{limit.VMs: 20}), "")
		want(t, "no limit", w.limit("admin", "", "ROOT/a", limit.VMs, limit.Unlimited), "")
		want(t, "now there is room", w.take("xuser", limit.Use{limit.VMs: 1}), "")
		want(t, "give", w.give("xuser", limit.Use{limit.VMs: 4, limit.CPUs: 5}), "")
		if n := w.together("ROOT/a", limit.VMs).Used; n != 2 {
			t.Errorf("after xuser gave all back ROOT/a uses %d", n)
		}
	})
}

// Limits that nobody has set are those of the settings, at once.
func TestLimitsFollowTheSettings(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		change := func(name, value string) {
			if _, err := w.settings.Change(w.system(), name, setting.Place{}, value); err != nil {
				t.Fatal(err)
			}
		}
		change("max.account.user.vms", "2")
		want(t, "beyond the setting", w.take("auser", limit.Use{limit.VMs: 3}), fault.Limit)
		want(t, "an own limit", w.limit("aadmin", "auser", "ROOT/a", limit.VMs, 3), "")
		want(t, "within the own limit", w.take("auser", limit.Use{limit.VMs: 3}), "")
		want(t, "others have the setting's", w.take("auser2", limit.Use{limit.VMs: 3}), fault.Limit)
		change("max.account.user.vms", "-1")
		want(t, "the setting sets none", w.take("auser2", limit.Use{limit.VMs: 30}), "")
		change("max.domain.user.vms", "33")
		want(t, "the domain's", w.take("auser2", limit.Use{limit.VMs: 1}), fault.Limit)
		want(t, "no domain's in ROOT", w.take("rootuser", limit.Use{limit.VMs: 100}), "")
		if c := w.together("ROOT/a", limit.VMs); c.Maximum != 33 || c.Used != 33 {
			t.Errorf("ROOT/a: %+v", c)
		}
	})
}

// Two accounts of one domain never come beyond its limit together, not by one.
func TestDomainLimitInParallel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		want(t, "limit", w.limit("admin", "", "ROOT/a", limit.Volumes, 25), "")
		var all sync.WaitGroup
		var taken atomic.Int64
		for i := range 600 {
			all.Go(func() {
				who := []string{"auser", "auser2", "xuser"}[i%3]
				switch err := w.take(who, limit.Use{limit.Volumes: 1, limit.PrimaryGB: 2}); {
				case err == nil:
					taken.Add(1)
					if i%5 == 0 {
						if err := w.give(who, limit.Use{limit.Volumes: 1, limit.PrimaryGB: 2}); err != nil {
							t.Error(err)
						}
						taken.Add(-1)
					}
				case !fault.Is(err, fault.Limit):
					t.Error(err)
				}
			})
		}
		all.Wait()
		if c := w.together("ROOT/a", limit.Volumes); c.Used != taken.Load() || c.Used > 25 {
			t.Errorf("%d taken, %d counted, of 25", taken.Load(), c.Used)
		}
	})
}

// Who may set whose limits.
func TestWhoSetsLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, c := range []struct {
			as, account, domain string
			most                int64
			kind                fault.Kind // "": allowed
		}{
			{"admin", "auser", "ROOT/a", 7, ""}, {"admin", "", "ROOT/a", 7, ""}, {"admin", "aadmin", "ROOT/a", 7, ""},
			{"aadmin", "auser", "ROOT/a", 7, ""}, {"aadmin", "xadmin", "ROOT/a/x", 7, ""}, {"aadmin", "", "ROOT/a/x", 7, ""},
			{"aadmin", "", "ROOT/a/x", 8, fault.Invalid}, // more than the domain above
			{"aadmin", "", "ROOT/a/x", limit.Unlimited, ""},
			{"aadmin", "aadmin", "ROOT/a", 7, fault.Denied}, {"aadmin", "", "ROOT/a", 7, fault.Denied},
			{"aadmin", "buser", "ROOT/b", 7, fault.Denied}, {"aadmin", "", "ROOT/b", 7, fault.Denied},
			{"aadmin", "abuser", "ROOT/ab", 7, fault.Denied}, {"aadmin", "admin", "ROOT", limit.Unlimited, fault.Denied},
			{"xadmin", "auser", "ROOT/a", 7, fault.Denied}, {"xadmin", "", "ROOT/a", 7, fault.Denied},
			{"ares", "aadmin", "ROOT/a", 7, fault.Denied},
			{"auser", "auser", "ROOT/a", 7, fault.Denied}, {"auser", "", "ROOT/a", 7, fault.Denied}, {"auser", "auser2", "ROOT/a", 7, fault.Denied},
			{"", "auser", "ROOT/a", 7, fault.Unauthenticated},
			{"admin", "admin", "ROOT", 7, fault.Invalid}, {"admin", "admin", "ROOT", limit.Unlimited, ""},
			{"admin", "", "ROOT", 7, fault.Invalid}, {"admin", "system", "ROOT", limit.Unlimited, fault.Denied},
			{"admin", "auser", "ROOT/a", -2, fault.Invalid}, {"admin", "nobody", "ROOT/a", 7, fault.NotFound},
		} {
			want(t, c.as+" for "+c.account+" in "+c.domain, w.limit(c.as, c.account, c.domain, limit.VMs, c.most), c.kind)
		}
		want(t, "nobody's limit", w.set("admin", account.For{}, limit.VMs, 1), fault.Invalid)
		want(t, "a project that there is not", w.set("admin", account.For{Project: uid.New[uid.Project]()}, limit.VMs, 1), fault.NotFound)
		want(t, "a project and an account", w.set("admin", account.For{Project: uid.New[uid.Project](), Account: "auser"}, limit.VMs, 1), fault.Invalid)
		w.must(w.db.Write(w.as("admin"), func(ctx context.Context, tx db.Tx) error {
			_, _, err := w.accounts.Close(ctx, tx, w.of["auser"])
			return err
		}))
		want(t, "an account that is being deleted", w.limit("admin", "auser", "ROOT/a", limit.VMs, 5), fault.Conflict)
	})
}
