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
)

func (w *world) take(account string, use Use) error {
	return w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		return Take(ctx, tx, w.accounts[account].ID, use)
	})
}

func (w *world) give(account string, use Use) error {
	return w.db.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		return Give(ctx, tx, w.accounts[account].ID, use)
	})
}

func (w *world) used(account string, kind Kind) int64 {
	w.t.Helper()
	id := w.accounts[account].ID
	all, err := Limits(context.Background(), w.db.Read(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return all[id][kind].Used
}

func TestLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		user, admin := w.accounts["auser"].ID, w.accounts["admin"].ID
		want(t, "take", w.take("auser", Use{VMs: 2, CPUs: 4, MemoryMB: 1024}), "")
		got, err := Limits(context.Background(), w.db.Read(), user, admin)
		if err != nil {
			t.Fatal(err)
		}
		diff := cmp.Diff(Counts{
			VMs: {2, 20}, CPUs: {4, 40}, MemoryMB: {1024, 40960}, Volumes: {0, 20}, PrimaryGB: {0, 200}, Networks: {0, 20},
			PublicIPs: {0, 20}, Templates: {0, 20}, SecondaryGB: {0, 400}, Snapshots: {0, 20}, Projects: {0, 10}, VPCs: {0, 20},
		}, got[user])
		if diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if got[admin][VMs].Maximum != Unlimited || len(got[admin]) != len(Kinds()) {
			t.Errorf("the root admin's: %+v", got[admin])
		}
		err = w.take("auser", Use{VMs: 1, CPUs: 37})
		want(t, "one core too many", err, fault.Limit)
		for _, part := range []string{"CPU cores", "cpu", "40", "4 are in use", "37 more"} {
			if err != nil && !strings.Contains(err.Error(), part) {
				t.Errorf("%q does not say %q", err, part)
			}
		}
		if n := w.used("auser", VMs); n != 2 {
			t.Errorf("a refused take counted: %d machines", n)
		}
		want(t, "up to the limit", w.take("auser", Use{VMs: 18}), "")
		want(t, "beyond", w.take("auser", Use{VMs: 1}), fault.Limit)
		want(t, "another account", w.take("auser2", Use{VMs: 1}), "")
		want(t, "no limit", w.take("admin", Use{VMs: 1000}), "")
		want(t, "give", w.give("auser", Use{VMs: 20, CPUs: 4}), "")
		want(t, "give more than taken", w.give("auser", Use{VMs: 1}), fault.Internal)
		want(t, "negative", w.take("auser", Use{VMs: -1}), fault.Internal)
		want(t, "unknown", w.take("auser", Use{"cows": 1}), fault.Internal)
		want(t, "nothing", w.take("auser", nil), "")
		if n := w.used("auser", VMs); n != 0 {
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
				switch err := w.take("auser", Use{Volumes: 1, VMs: 1, PrimaryGB: 5}); {
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
		if v, m, g := w.used("auser", Volumes), w.used("auser", VMs), w.used("auser", PrimaryGB); v != 20 || m != 20 || g != 100 {
			t.Errorf("counted %d volumes, %d machines, %d GB", v, m, g)
		}
	})
}
