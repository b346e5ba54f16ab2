package quota

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/limit"
)

// What a domain has together is the sum of its accounts' and of those below it.
func TestDomainTotals(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		want(t, "take", w.take("auser", limit.Use{limit.VMs: 3, limit.Volumes: 1}), "")
		want(t, "take", w.take("xuser", limit.Use{limit.VMs: 2}), "")
		want(t, "take", w.take("abuser", limit.Use{limit.VMs: 7}), "")
		domains := []account.Domain{w.domains["ROOT"], w.domains["ROOT/a"], w.domains["ROOT/a/x"]}
		if err := Totals(context.Background(), w.db.Read(), domains); err != nil {
			t.Fatal(err)
		}
		for i, n := range []int64{12, 5, 2} {
			if got := domains[i].Totals; got[limit.VMs] != n {
				t.Errorf("%s uses %v", domains[i].Path, got)
			}
			counts, err := Together(context.Background(), w.db.Read(), domains[i].ID)
			if err != nil || counts[limit.VMs].Used != n {
				t.Errorf("%s counts %v, %v", domains[i].Path, counts, err)
			}
		}
	})
}

// Whose limits a caller may list.
func TestWhoListsLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		list := func(as string, in HoldersIn) ([]Holder, int, error) {
			return Holders(w.as(as), w.db.Read(), w.accounts, in)
		}
		below := HoldersIn{Domain: w.domains["ROOT/a"].ID, Recursive: true}
		for as, can := range map[string]bool{"admin": true, "aadmin": true, "auser": true, "buser": false, "xadmin": false} {
			if _, _, err := list(as, below); (err == nil) != can {
				t.Errorf("%s lists ROOT/a: %v", as, err)
			}
		}
		got, total, err := list("aadmin", HoldersIn{All: true})
		if err != nil || total != 6 || len(got) != 6 {
			t.Errorf("aadmin sees %d accounts: %v", total, err)
		}
		if got, _, err := list("auser", HoldersIn{All: true}); err != nil || len(got) != 1 || got[0].Account != w.of["auser"] {
			t.Errorf("auser sees %v: %v", got, err)
		}
		if _, _, err := list("", HoldersIn{All: true}); err == nil {
			t.Error("nobody sees something")
		}
	})
}
