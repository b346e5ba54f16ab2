package compute

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// disc is the state of changing what is in a machine's CD drive.
type disc struct {
	VM  uid.VM       `json:"vm"`
	ISO uid.Template `json:"iso,omitempty"` // "" takes out what is there
	Was uid.Template `json:"was,omitempty"` // what was there
}

// AttachISO begins to put an ISO into a machine's CD drive, in the place of what is there.
func (s *Service) AttachISO(ctx context.Context, iso uid.Template, vm uid.VM) (op.ID, error) {
	job, _, err := s.changeCD.Start(ctx, Request(ctx, vm, "attachIso"), disc{VM: vm, ISO: iso})
	return job, err
}

// DetachISO begins to take the ISO out of a machine's CD drive.
func (s *Service) DetachISO(ctx context.Context, vm uid.VM) (op.ID, error) {
	job, _, err := s.changeCD.Start(ctx, Request(ctx, vm, "detachIso"), disc{VM: vm})
	return job, err
}

func (s *Service) changeCDPlan() *op.Plan[disc] {
	return op.New[disc]("vm.cd").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, d *disc) error {
			vm, name, err := s.insertable(ctx, tx, q.Caller.Reach(), d)
			if err != nil {
				return err
			}
			kind, doing, id := event.ISOAttach, "attaching", d.ISO
			if d.ISO == "" {
				kind, doing, id = event.ISODetach, "detaching", vm.ISO
			}
			q.Account, q.Domain = vm.Account, vm.Domain
			q.Event, err = event.Write(ctx, tx, event.Event{
				Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s ISO %s, virtual machine %s (%s)", doing, name, vm.Name, vm.ID),
				Account: vm.Account, Domain: vm.Domain, User: q.Caller.User, ResourceID: string(id),
			})
			return err
		}, nil).
		Tx("note", func(ctx context.Context, tx db.Tx, d *disc) error {
			vm, _, err := s.insertable(ctx, tx, auth.Scope{All: true}, d)
			if err != nil {
				return err
			}
			d.Was = vm.ISO
			return setISO(ctx, tx, vm.ID, d.ISO)
		}, func(ctx context.Context, tx db.Tx, d *disc) error { return setISO(ctx, tx, d.VM, d.Was) }).
		Do("change", func(ctx context.Context, d *disc) error { return s.putCD(ctx, d.VM, d.ISO) },
			func(ctx context.Context, d *disc) error { return s.putCD(ctx, d.VM, d.Was) })
}

// insertable gives a machine whose CD drive can be changed, and the name of the ISO that it is about. Operations on the machine that
// come before may have changed what the request has looked at.
func (s *Service) insertable(ctx context.Context, tx db.Tx, scope auth.Scope, d *disc) (vm VM, name string, err error) {
	if d.ISO != "" { // before anything is locked
		if err := tx.Rely(ctx, d.ISO); err != nil {
			return vm, "", err
		}
	}
	if vm, err = Locked(ctx, tx, scope, d.VM); err != nil {
		return vm, "", err
	}
	if vm.State != Running && vm.State != Stopped {
		return vm, "", fault.Conflictf("virtual machine %q is %s; its CD drive can be changed while it is Running or Stopped", vm.Name, vm.State)
	}
	if d.ISO == "" {
		if vm.ISO == "" {
			return vm, "", fault.Conflictf("virtual machine %q has no ISO in its CD drive", vm.Name)
		}
		known, err := image.ByID(ctx, tx, []uid.Template{vm.ISO})
		return vm, known[vm.ISO].Name, err
	}
	if scope.All && !auth.From(ctx).IsRoot() { // the caller could see it when asking
		ctx = auth.With(ctx, auth.System())
	}
	iso, err := image.Deployable(ctx, tx, d.ISO, vm.Zone)
	switch {
	case err != nil:
		return vm, "", err
	case !iso.IsISO():
		return vm, "", fault.Invalidf("%q is a template and no ISO", iso.Name)
	case vm.ISO == d.ISO:
		return vm, "", fault.Conflictf("ISO %q is in the CD drive of virtual machine %q already", iso.Name, vm.Name)
	}
	return vm, iso.Name, nil
}

// putCD tells the host of a machine that runs what is in its CD drive now. Others get it at their start.
func (s *Service) putCD(ctx context.Context, id uid.VM, iso uid.Template) error {
	vm, err := Find(ctx, s.db.Read(), id)
	if err != nil || vm.Host == "" {
		return err
	}
	driver, err := s.driver(vm)
	if err != nil {
		return again(err)
	}
	ejector, can := driver.(hypervisor.Ejector)
	if !can {
		return fault.Conflictf("virtual machine %q runs, and the CD drive of machines on %s can't be changed then; stop it first",
			vm.Name, vm.Hypervisor)
	}
	var cd *hypervisor.ImageRef
	if iso != "" {
		if cd, err = image.In(ctx, s.db.Read(), iso, vm.Zone); err != nil {
			return err
		}
	}
	return again(ejector.ChangeCD(ctx, vm.Host, vm.ID, cd))
}
