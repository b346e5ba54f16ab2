package compute

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Finding is what was found of a machine that nobody had asked for: it has ended on the host where it should run, or is on a host where
// it should not be.
type Finding struct {
	VM      uid.VM
	Host    uid.Host
	Version int64  // of the machine's row, read before it was looked for: what has changed since is no longer found
	Why     string // "host h1 is back without it"
	Answers bool   // the host is there, to let go of what is left of the machine
}

// settling is the state of making a machine's row and its host agree.
type settling struct {
	VM    uid.VM   `json:"vm"`
	Host  uid.Host `json:"host"`
	Clear bool     `json:"clear,omitempty"` // the host is to let go of it
	Ended bool     `json:"ended,omitempty"` // it should have run there

	in Finding // for Accept only
}

// Ended is told, in the transaction in which it is recorded, of each machine that has ended without anybody's having stopped it.
type Ended func(ctx context.Context, tx db.Tx, vm VM) error

// EndedTo says who is told.
func (s *Service) EndedTo(e Ended) { s.ended = e }

// Settle begins to make a machine and its host agree. One that has ended is Stopped, and has no room on the host any more. One that is
// where it should not be is ended there. It is fault.Conflict when the machine is not any more what was found.
func (s *Service) Settle(ctx context.Context, f Finding) (op.ID, error) {
	job, _, err := s.settle.Start(ctx, Request(ctx, f.VM, "stopVirtualMachine"), settling{VM: f.VM, Host: f.Host, Clear: f.Answers, in: f})
	return job, err
}

func (s *Service) settlePlan() *op.Plan[settling] {
	return op.New[settling]("vm.settle").Refuses().
		Accept(s.beginSettle, nil).
		Do("clear", s.dismiss, nil).
		Tx("stopped", s.settled, nil)
}

func (s *Service) beginSettle(ctx context.Context, tx db.Tx, q *op.Request, j *settling) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil {
		return err
	}
	j.Ended = vm.Host == j.Host
	switch {
	case vm.Version != j.in.Version, j.Ended && vm.State != Running, vm.ToHost == j.Host:
		return fault.Conflictf("virtual machine %q has changed since it was looked for: it is %s", vm.Name, vm.State)
	case !j.Ended && !j.Clear:
		return fault.Conflictf("virtual machine %q has nothing to do with that host", vm.Name)
	}
	what := "has ended"
	if !j.Ended {
		what = "is where it should not be, and is ended there"
	}
	q.Account, q.Domain = vm.Account, vm.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.VMStop, Level: event.Warn, State: event.Scheduled, Account: vm.Account, Domain: vm.Domain, ResourceID: string(vm.ID),
		Description: fmt.Sprintf("virtual machine %s (%s) %s: %s", vm.Name, vm.ID, what, j.in.Why),
	})
	return err
}

// dismiss has the host let go of what is left of the machine.
func (s *Service) dismiss(ctx context.Context, j *settling) error {
	if !j.Clear {
		return nil
	}
	driver, err := s.driven(ctx, j.VM)
	if err != nil {
		return err
	}
	return again(driver.Stop(ctx, j.Host, j.VM, true))
}

func (s *Service) settled(ctx context.Context, tx db.Tx, j *settling) error {
	if !j.Ended {
		return nil
	}
	if err := s.stopped(ctx, tx, &job{VM: j.VM}, Stopped); err != nil {
		return err
	}
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, j.VM)
	if err != nil || s.ended == nil {
		return err
	}
	return s.ended(ctx, tx, vm)
}
