// Package inquest keeps what operations ask about hosts that have died under their hands. What such a host was to undo can't be undone there; it
// need not be, once it is proven that the machine has ended. The operation asks, and package failover, which watches silent hosts, answers: by what
// it has seen since, and to this operation alone.
package inquest

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Inquest is the question whether a machine that an operation had in hand has ended on a host.
type Inquest struct {
	Operation op.ID    `bun:"operation_id,pk"`
	Host      uid.Host `bun:"host_id,pk"`
	VM        uid.VM   `bun:"vm_id"`
	Asked     time.Time
	Proven    time.Time `bun:",nullzero"` // when it was; zero: not yet
	RunsOn    uid.Host  `bun:",nullzero"` // where it was found running instead
}

// Ended tells whether it is proven that a machine, which the operation in ctx has in hand, runs on a host no more. It asks, if the host is
// known not to answer, so that the operation may ask again later.
func Ended(ctx context.Context, d *db.DB, on uid.Host, vm uid.VM) (bool, error) {
	job := op.Of(ctx)
	if job == "" {
		return false, nil
	}
	i, found, err := find(ctx, d.Read(), job, on)
	if err != nil || found {
		return found && !i.Proven.IsZero(), err
	}
	h, err := host.Find(ctx, d.Read(), on)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	if err != nil || h.State != host.Alert && h.State != host.Down {
		return false, err
	}
	return false, d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return ask(ctx, tx, Inquest{Operation: job, Host: on, VM: vm, Asked: tx.Now})
	})
}

// OrEnded takes for done what an undo wants of a host that does not answer, once it is proven that the machine has ended there. Until then it
// is worth another try.
func OrEnded(ctx context.Context, d *db.DB, on uid.Host, vm uid.VM, err error) error {
	if !fault.Is(err, fault.Unavailable) {
		return err
	}
	ended, unknown := Ended(ctx, d, on, vm)
	switch {
	case unknown != nil:
		return unknown
	case ended:
		return nil
	}
	return op.Retry(err)
}

// UnlessDown makes a host that does not answer worth another try, unless it has been silent for so long that it counts as down: there may be
// other hosts.
func UnlessDown(ctx context.Context, d *db.DB, on uid.Host, err error) error {
	if !fault.Is(err, fault.Unavailable) || Down(ctx, d, on) {
		return err
	}
	return op.Retry(err)
}

// Down tells whether a host has been silent for so long that it counts as down.
func Down(ctx context.Context, d *db.DB, on uid.Host) bool {
	h, err := host.Find(ctx, d.Read(), on)
	return err == nil && h.State == host.Down
}

// Found notes that a machine, which the operation in ctx has in hand, runs on another host than the one that does not answer.
func Found(ctx context.Context, d *db.DB, on uid.Host, vm uid.VM, there uid.Host) error {
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		i := Inquest{Operation: op.Of(ctx), Host: on, VM: vm, Asked: tx.Now}
		if err := ask(ctx, tx, i); err != nil {
			return err
		}
		return setRunsOn(ctx, tx, i, there)
	})
}

// RunsOn is where the operation in ctx has found that its machine runs; "" where it has not.
func RunsOn(ctx context.Context, tx db.Tx, on uid.Host) (uid.Host, error) {
	i, _, err := find(ctx, tx, op.Of(ctx), on)
	return i.RunsOn, err
}
