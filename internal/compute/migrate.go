package compute

import (
	"cmp"
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/uid"
)

// migration is the state of moving a machine that runs. Its row says that it is where it comes from until it has arrived; meanwhile it
// has room on both hosts.
type migration struct {
	VM   uid.VM   `json:"vm"`
	From uid.Host `json:"from,omitempty"`
	To   uid.Host `json:"to,omitempty"`
	Wish uid.Host `json:"wish,omitempty"` // where an admin wants it; "" for wherever there is room
	// Guarded is the version of the rules of cards that the new host must have before it comes; 0 without security groups.
	Guarded int64 `json:"guarded,omitempty"`
}

// Migrate begins to move a running machine to a host or, with "", to one that placement chooses. The machine goes on running. Its disks
// stay where they are, so both hosts must reach them.
func (s *Service) Migrate(ctx context.Context, id uid.VM, to uid.Host) (op.ID, error) {
	job, _, err := s.migrate.Start(ctx, request(ctx, id, "migrateVirtualMachine"), migration{VM: id, Wish: to})
	return job, err
}

func (s *Service) migratePlan() *op.Plan[migration] {
	return op.New[migration]("vm.migrate").Refuses().
		Accept(s.beginMove, func(ctx context.Context, tx db.Tx, m *migration) error { return setState(ctx, tx, m.VM, Running) }).
		Tx("place", s.placeMove, s.unplaceMove).
		Wait("guards", s.expected).
		Do("move", s.move, s.bringBack).
		Tx("finish", s.arrived, nil)
}

func (s *Service) beginMove(ctx context.Context, tx db.Tx, q *op.Request, m *migration) error {
	vm, err := findLocked(ctx, tx, q.Caller.Reach(), m.VM)
	if err != nil {
		return err
	}
	if err := vm.may(Migrating); err != nil {
		return err
	}
	driver, err := s.driver(vm)
	if err != nil {
		return err
	}
	if _, ok := driver.(hypervisor.Migrator); !ok {
		return fault.Conflictf("virtual machine %q can't be moved: hosts of hypervisor %s can't do that", vm.Name, vm.Hypervisor)
	}
	if m.Wish == vm.Host {
		return fault.Invalidf("virtual machine %q runs on that host already", vm.Name)
	}
	if err := (wish{Host: m.Wish}).check(ctx, tx, vm.Zone); err != nil {
		return err
	}
	m.From = vm.Host
	if err := announce(ctx, tx, q, vm, event.VMMigrate, "migrating"); err != nil {
		return err
	}
	return setState(ctx, tx, vm.ID, Migrating)
}

// placeMove takes room for the machine on another host.
func (s *Service) placeMove(ctx context.Context, tx db.Tx, m *migration) error {
	vm, err := knowLocked(ctx, tx, m.VM)
	if err != nil {
		return err
	}
	want, _ := vm.want(wish{Host: m.Wish})
	want.Prefer, want.Avoid, want.Addresses, want.Disks = "", m.From, nil, nil
	if slices.ContainsFunc(vm.cards, func(c card) bool { return c.PerPod }) { // it keeps its address, which is its pod's
		h, err := host.Find(ctx, tx, m.From)
		if err != nil {
			return err
		}
		want.Pod = h.Pod
	}
	p, err := s.placement.Find(ctx, tx, want)
	if err != nil {
		return err
	}
	m.To, m.Guarded = p.Host, 0
	if err := setDestination(ctx, tx, vm.ID, p.Host); err != nil {
		return err
	}
	if slices.ContainsFunc(vm.cards, func(c card) bool { return c.Grouped }) {
		m.Guarded, err = secgroup.Place(ctx, tx, p.Host)
	}
	return err
}

// expected tells whether the new host knows the rules of the machine's cards.
func (s *Service) expected(ctx context.Context, q db.Tx, m *migration) (bool, error) {
	if m.Guarded == 0 {
		return true, nil
	}
	return s.groups.Guarded(ctx, q, m.To, m.Guarded)
}

func (s *Service) unplaceMove(ctx context.Context, tx db.Tx, m *migration) error {
	vm, err := findLocked(ctx, tx, auth.Scope{All: true}, m.VM)
	if err != nil {
		return err
	}
	if err := host.Release(ctx, tx, m.To, vm.need()); err != nil {
		return err
	}
	return setDestination(ctx, tx, vm.ID, "")
}

// moving gives what a step needs: the machine as it is told, and who moves it.
func (s *Service) moving(ctx context.Context, m *migration) (hypervisor.Machine, mover, error) {
	vm, driver, err := s.knowDriven(ctx, m.VM)
	if err != nil {
		return hypervisor.Machine{}, nil, err
	}
	by, ok := driver.(mover)
	if !ok {
		return hypervisor.Machine{}, nil, fault.Conflictf("hosts of hypervisor %s can't move machines", vm.Hypervisor)
	}
	told, err := s.tell(vm)
	return told, by, err
}

type mover interface {
	hypervisor.Driver
	hypervisor.Migrator
}

// move has the new host await the machine, and the old one send it. When an answer is lost, the new host knows whether it has come.
func (s *Service) move(ctx context.Context, m *migration) error {
	told, by, err := s.moving(ctx, m)
	if err != nil {
		return err
	}
	at, err := by.Receive(ctx, m.To, told, nil)
	if err != nil {
		return again(err)
	}
	failure := by.Send(ctx, m.From, m.VM, at)
	if failure == nil || ctx.Err() != nil {
		return failure
	}
	there, err := runsOn(ctx, by, m.To, m.VM)
	switch {
	case err != nil:
		return op.Retry(failure) // nobody knows
	case there:
		return nil
	}
	return again(failure)
}

// bringBack is move's undo: the machine runs where it came from, and is not awaited elsewhere. That it is awaited at its old host first
// makes sure that no sending is on its way any more, which would have had its turn.
func (s *Service) bringBack(ctx context.Context, m *migration) error {
	told, by, err := s.moving(ctx, m)
	if err != nil {
		return err
	}
	at, refused := by.Receive(ctx, m.From, told, nil)
	if refused != nil && !fault.Is(refused, fault.Conflict) {
		return again(refused)
	}
	home, err := runsOn(ctx, by, m.From, m.VM)
	switch {
	case err != nil:
		return again(err)
	case home: // as it was started, which need not be what is told of it today
	case refused != nil: // what is there has ended by itself, and runs nowhere
		if there, err := runsOn(ctx, by, m.To, m.VM); there || err != nil {
			return again(cmp.Or(err, refused))
		}
		if err := by.Stop(ctx, m.From, m.VM, true); err != nil {
			return again(err)
		}
	default:
		err = by.Send(ctx, m.To, m.VM, at)
		if fault.Is(err, fault.Conflict) { // it has ended by itself, and runs nowhere
			err = by.Stop(ctx, m.From, m.VM, true)
		}
		if err != nil {
			return again(err)
		}
	}
	return again(by.Stop(ctx, m.To, m.VM, true))
}

// runsOn asks a host whether a machine runs there.
func runsOn(ctx context.Context, driver hypervisor.Driver, on uid.Host, id uid.VM) (bool, error) {
	guests, err := driver.Guests(ctx, on)
	return slices.Contains(guests, hypervisor.Guest{VM: id, Running: true}), err
}

// arrived records where the machine is now, and gives back its room where it was.
func (s *Service) arrived(ctx context.Context, tx db.Tx, m *migration) error {
	vm, err := findLocked(ctx, tx, auth.Scope{All: true}, m.VM)
	if err != nil {
		return err
	}
	if err := host.Release(ctx, tx, m.From, vm.need()); err != nil {
		return err
	}
	return setArrived(ctx, tx, vm.ID)
}
