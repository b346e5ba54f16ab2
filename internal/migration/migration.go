// Package migration moves a machine that runs from one host to another, and back: two calls, one for each host, of which each may fail, or
// be answered while nobody listens. Who runs where is asked of the hosts.
package migration

import (
	"cmp"
	"context"
	"errors"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Driver is one whose hosts can move machines.
type Driver interface {
	hypervisor.Driver
	hypervisor.Migrator
}

// Move is a machine's way to another host.
type Move struct {
	By       Driver
	From, To uid.Host
	Here     hypervisor.Machine // as its old host is told of it
	There    hypervisor.Machine // as its new host is: with copied disks in other pools
	Copied   []uid.Volume       // whose disks are on both sides

	Down  func(ctx context.Context, on uid.Host) bool          // whether a host counts as down
	Ended func(ctx context.Context, on uid.Host) (bool, error) // whether it is proven that the machine has ended there
}

// ErrThere tells that a machine runs on its new host and can't be brought back from there: the old one does not answer.
var ErrThere = errors.New("it runs on the new host, and the old one does not answer")

// Go has the new host await the machine, and the old one send it. When an answer is lost, the new host knows whether it has come.
func (m Move) Go(ctx context.Context) error {
	at, err := m.By.Receive(ctx, m.To, m.There, m.Copied)
	if err != nil {
		return m.again(ctx, err)
	}
	failure := m.By.Send(ctx, m.From, m.Here.VM, at)
	if failure == nil || ctx.Err() != nil {
		return failure
	}
	there, err := hypervisor.Runs(ctx, m.By, m.To, m.Here.VM)
	switch {
	case err != nil && !m.Down(ctx, m.To):
		return op.Retry(failure) // nobody knows
	case there:
		return nil
	}
	return m.again(ctx, failure)
}

// again makes a host that does not answer worth another try, unless it counts as down: who turns back finds out what became of the machine.
func (m Move) again(ctx context.Context, err error) error {
	if fault.Is(err, fault.Unavailable) && !m.Down(ctx, m.From) && !m.Down(ctx, m.To) {
		return op.Retry(err)
	}
	return err
}

// Back undoes Go: the machine runs where it came from, and is not awaited elsewhere. That it is awaited at its old host first makes sure
// that no sending is on its way any more, which would have had its turn. What it has written meanwhile comes back with it.
func (m Move) Back(ctx context.Context) error {
	vm := m.Here.VM
	at, refused := m.By.Receive(ctx, m.From, m.Here, m.Copied)
	if fault.Is(refused, fault.Unavailable) {
		return m.bury(ctx, refused)
	}
	if refused != nil && !fault.Is(refused, fault.Conflict) {
		return volume.Again(refused)
	}
	home, err := hypervisor.Runs(ctx, m.By, m.From, vm)
	switch {
	case err != nil:
		return volume.Again(err)
	case home: // as it was started, which need not be what is told of it today
	case refused != nil: // what is there has ended by itself, and runs nowhere
		if there, err := hypervisor.Runs(ctx, m.By, m.To, vm); there || err != nil {
			return volume.Again(cmp.Or(err, refused))
		}
		if err := m.By.Stop(ctx, m.From, vm, true); err != nil {
			return volume.Again(err)
		}
	default:
		err = m.By.Send(ctx, m.To, vm, at)
		if fault.Is(err, fault.Unavailable) {
			if err := m.ended(ctx, m.To, err); err != nil {
				return err
			}
			return volume.Again(m.By.Stop(ctx, m.From, vm, true))
		}
		if fault.Is(err, fault.Conflict) { // it has ended by itself, and runs nowhere
			err = m.By.Stop(ctx, m.From, vm, true)
		}
		if err != nil {
			return volume.Again(err)
		}
	}
	err = m.By.Stop(ctx, m.To, vm, true)
	if fault.Is(err, fault.Unavailable) && m.Down(ctx, m.To) {
		return nil // it may be awaited there still, and nobody sends it any more: that ends when the host is back
	}
	return volume.Again(err)
}

// bury undoes Go where the old host does not answer. The machine has ended, or runs on the new host, or nobody can tell yet.
func (m Move) bury(ctx context.Context, cause error) error {
	there, err := hypervisor.Runs(ctx, m.By, m.To, m.Here.VM)
	switch {
	case fault.Is(err, fault.Unavailable): // it may have come there before both fell silent
		if err := m.ended(ctx, m.To, err); err != nil {
			return err
		}
		return m.ended(ctx, m.From, cause)
	case err != nil:
		return err
	case there && m.Down(ctx, m.From):
		return ErrThere
	case there:
		return op.Retry(cause)
	}
	if err := m.ended(ctx, m.From, cause); err != nil {
		return err
	}
	return volume.Again(m.By.Stop(ctx, m.To, m.Here.VM, true))
}

// ended is nil once it is proven that the machine has ended on a host.
func (m Move) ended(ctx context.Context, on uid.Host, cause error) error {
	ended, err := m.Ended(ctx, on)
	switch {
	case err != nil:
		return err
	case !ended:
		return op.Retry(cause)
	}
	return nil
}
