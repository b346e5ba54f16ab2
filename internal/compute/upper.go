package compute

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// What packages above have plans on machines with.

// Request is what all operations on a machine have in common: they take turns.
func Request(ctx context.Context, id uid.VM, command string) op.Request {
	return request(ctx, id, command)
}

// Locked gives a machine within a scope and keeps others from changing it until the transaction's end.
func Locked(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (VM, error) {
	return findLocked(ctx, tx, scope, id)
}

// Find gives a machine, also a removed one. The caller checks who may see it.
func Find(ctx context.Context, q db.Tx, id uid.VM) (VM, error) { return find(ctx, q, id) }

// Announce writes the Scheduled event of an operation on a machine and tells the engine whose it is.
func Announce(ctx context.Context, tx db.Tx, q *op.Request, vm VM, kind event.Kind, doing string) error {
	return announce(ctx, tx, q, vm, kind, doing)
}

// Routed gives the revisions of a machine's networks by which their routers know what it is told.
func Routed(ctx context.Context, tx db.Tx, id uid.VM) (map[uid.Network]int64, error) {
	vm, err := knowLocked(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	var routed map[uid.Network]int64
	for _, c := range vm.cards {
		if c.Routed && !c.PerPod { // where it starts the next time its pod's router is asked
			if routed == nil {
				routed = map[uid.Network]int64{}
			}
			routed[c.Network] = c.Revision
		}
	}
	return routed, nil
}
