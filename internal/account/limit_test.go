package account

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
)

func (w *world) take(account string, use limit.Use) error {
	return w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		return Take(ctx, tx, w.accounts[account].ID, use)
	})
}

func (w *world) give(account string, use limit.Use) error {
	return w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		return Give(ctx, tx, w.accounts[account].ID, use)
	})
}

func (w *world) used(account string, kind limit.Kind) int64 {
	w.t.Helper()
	id := w.accounts[account].ID
	all, err := limit.OfAccounts(context.Background(), w.db.Read(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return all[id][kind].Used
}

func TestLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		user, admin := w.accounts["auser"].ID, w.accounts["admin"].ID
		want(t, "take", w.take("auser", limit.Use{limit.VMs: 2, limit.CPUs: 4, limit.MemoryMB: 1024}), "")
		got, err := limit.OfAccounts(context.Background(), w.db.Read(), user, admin)
		if err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(limit.Counts{
			limit.VMs: {Used: 2, Maximum: 20}, limit.CPUs: {Used: 4, Maximum: 40}, limit.MemoryMB: {Used: 1024, Maximum: 40960}, limit.Volumes: {Used: 0, Maximum: 20}, limit.PrimaryGB: {Used: 0, Maximum: 200}, limit.Networks: {Used: 0, Maximum: 20},
			limit.PublicIPs: {Used: 0, Maximum: 20}, limit.Templates: {Used: 0, Maximum: 20}, limit.SecondaryGB: {Used: 0, Maximum: 400}, limit.Snapshots: {Used: 0, Maximum: 20}, limit.Projects: {Used: 0, Maximum: 10}, limit.VPCs: {Used: 0, Maximum: 20},
		}, got[user])
		if diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if got[admin][limit.VMs].Maximum != limit.Unlimited || len(got[admin]) != len(limit.Kinds()) {
			t.Errorf("the root admin's: %+v", got[admin])
		}
		err = w.take("auser", limit.Use{limit.VMs: 1, limit.CPUs: 37})
		want(t, "one core too many", err, fault.Limit)
		for _, part := range []string{"CPU cores", "cpu", "40", "4 are in use", "37 more"} {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if n := w.used("auser", limit.VMs); n != 2 {
			t.Errorf("a refused take counted: %d machines", n)
		}
		want(t, "up to the limit", w.take("auser", limit.Use{limit.VMs: 18}), "")
		want(t, "beyond", w.take("auser", limit.Use{limit.VMs: 1}), fault.Limit)
		want(t, "another account", w.take("auser2", limit.Use{limit.VMs: 1}), "")
		want(t, "no limit", w.take("admin", limit.Use{limit.VMs: 1000}), "")
		want(t, "give", w.give("auser", limit.Use{limit.VMs: 20, limit.CPUs: 4}), "")
		want(t, "give more than taken", w.give("auser", limit.Use{limit.VMs: 1}), fault.Internal)
		want(t, "negative", w.take("auser", limit.Use{limit.VMs: -1}), fault.Internal)
		want(t, "unknown", w.take("auser", limit.Use{"cows": 1}), fault.Internal)
		want(t, "nothing", w.take("auser", nil), "")
		if n := w.used("auser", limit.VMs); n != 0 {
			t.Errorf("after all was given back: %d", n)
		}
	})
}

// A thousand takes at once never come beyond a limit, not by one.
func TestTakeInParallel(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var all sync.WaitGroup
		var taken, refused atomic.Int64
		for range 1000 {
			all.Go(func() {
				switch err := w.take("auser", limit.Use{limit.Volumes: 1, limit.VMs: 1, limit.PrimaryGB: 5}); {
				case err == nil:
					taken.Add(1)
				case fault.Is(err, fault.Limit):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if taken.Load() != 20 || refused.Load() != 980 {
			t.Errorf("taken %d, refused %d; want 20 and 980", taken.Load(), refused.Load())
		}
		if v, m, g := w.used("auser", limit.Volumes), w.used("auser", limit.VMs), w.used("auser", limit.PrimaryGB); v != 20 || m != 20 || g != 100 {
			t.Errorf("counted %d volumes, %d machines, %d GB", v, m, g)
		}
	})
}
