package compute

import (
	"context"
	"errors"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/inquest"
	"github.com/virga-cloud/virga/internal/migration"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// migrating is the state of moving a machine that runs. Its row says that it is where it comes from until it has arrived; meanwhile it
// has room on both hosts.
type migrating struct {
	VM   uid.VM   `json:"vm"`
	From uid.Host `json:"from,omitempty"`
	To   uid.Host `json:"to,omitempty"`
	Wish uid.Host `json:"wish,omitempty"` // where an admin wants it; "" for wherever there is room
	// Stay has all disks stay where they are, so that it goes only where they are reached.
	Stay bool `json:"stay,omitempty"`
	// Pools are where an admin wants some of the disks.
	Pools map[uid.Volume]uid.Pool `json:"pools,omitempty"`
	// Copies are the disks that don't stay. Their volumes are in the old pools until the machine has arrived; there is room for them in both.
	Copies []migration.Copy `json:"copies,omitempty"`
	// Guarded is the version of the rules of cards that the new host must have before it comes; 0 without security groups.
	Guarded int64 `json:"guarded,omitempty"`
}

// Migrate begins to move a running machine to a host or, with "", to one that placement chooses. The machine goes on running. Its disks
// stay where they are if the new host reaches them; the others are copied to where it does.
func (s *Service) Migrate(ctx context.Context, id uid.VM, to uid.Host) (op.ID, error) {
	job, _, err := s.migrate.Start(ctx, Request(ctx, id, "migrateVirtualMachine"), migrating{VM: id, Wish: to})
	return job, err
}

// MigrateWith is Migrate with some of the disks to pools that are named. The new host reaches them, or it is another one.
func (s *Service) MigrateWith(ctx context.Context, id uid.VM, to uid.Host, pools map[uid.Volume]uid.Pool) (op.ID, error) {
	job, _, err := s.migrate.Start(ctx, Request(ctx, id, "migrateVirtualMachineWithVolume"), migrating{VM: id, Wish: to, Pools: pools})
	return job, err
}

// Vacate is Migrate to any host that reaches the machine's disks: to copy these may take hours, which nobody has asked for who only wants
// a host to be free.
func (s *Service) Vacate(ctx context.Context, id uid.VM) (op.ID, error) {
	job, _, err := s.migrate.Start(ctx, Request(ctx, id, "migrateVirtualMachine"), migrating{VM: id, Stay: true})
	return job, err
}

func (s *Service) migratePlan() *op.Plan[migrating] {
	return op.New[migrating]("vm.migrate").Refuses().
		Accept(s.beginMove, func(ctx context.Context, tx db.Tx, m *migrating) error { return setState(ctx, tx, m.VM, Running) }).
		Tx("place", s.placeMove, s.unplaceMove).
		Wait("guards", s.expected).
		Do("disks", s.makeCopies, s.drops(migration.New)).
		Do("move", s.move, s.bringBack).
		Tx("finish", s.arrived, nil).
		NoWayBack().
		Do("drop", s.drops(migration.Old), nil).
		Tx("dropped", func(ctx context.Context, tx db.Tx, m *migrating) error {
			return migration.Release(ctx, tx, m.Copies, migration.Old)
		}, nil)
}

func (s *Service) drops(on migration.Side) func(context.Context, *migrating) error {
	return func(ctx context.Context, m *migrating) error { return migration.Drop(ctx, s.volumes, m.Copies, on) }
}

func (s *Service) beginMove(ctx context.Context, tx db.Tx, q *op.Request, m *migrating) error {
	vm, err := Locked(ctx, tx, q.Caller.Reach(), m.VM)
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
	if err := hasDisks(ctx, tx, vm, m.Pools); err != nil {
		return err
	}
	m.From = vm.Host
	if err := Announce(ctx, tx, q, vm, event.VMMigrate, "migrating"); err != nil {
		return err
	}
	return setState(ctx, tx, vm.ID, Migrating)
}

// placeMove takes room for the machine on another host.
func (s *Service) placeMove(ctx context.Context, tx db.Tx, m *migrating) error {
	vm, err := knowLocked(ctx, tx, m.VM)
	if err != nil {
		return err
	}
	want, disks, moving, err := vm.wantMove(ctx, tx, *m)
	if err != nil {
		return err
	}
	p, err := s.placement.FindMove(ctx, tx, want, moving, !m.Stay)
	if err != nil {
		return err
	}
	m.To, m.Guarded, m.Copies = p.Host, 0, nil
	for i, to := range p.Pools {
		if to != "" {
			m.Copies = append(m.Copies, migration.Copy{Volume: disks[i].ID, From: disks[i].Pool, To: to, Bytes: disks[i].Size})
		}
	}
	if err := copyable(ctx, tx, vm, m.Copies); err != nil {
		return err
	}
	if err := setDestination(ctx, tx, vm.ID, p.Host); err != nil {
		return err
	}
	if slices.ContainsFunc(vm.cards, func(c card) bool { return c.Grouped }) {
		m.Guarded, err = secgroup.Place(ctx, tx, p.Host)
	}
	return err
}

// expected tells whether the new host knows the rules of the machine's cards.
func (s *Service) expected(ctx context.Context, q db.Tx, m *migrating) (bool, error) {
	if m.Guarded == 0 {
		return true, nil
	}
	return s.groups.Guarded(ctx, q, m.To, m.Guarded)
}

func (s *Service) unplaceMove(ctx context.Context, tx db.Tx, m *migrating) error {
	if there, err := inquest.RunsOn(ctx, tx, m.From); err != nil {
		return err
	} else if there == m.To {
		return s.arrived(ctx, tx, m)
	}
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, m.VM)
	if err != nil {
		return err
	}
	if err := host.Release(ctx, tx, m.To, vm.need()); err != nil {
		return err
	}
	if err := migration.Release(ctx, tx, m.Copies, migration.New); err != nil {
		return err
	}
	return setDestination(ctx, tx, vm.ID, "")
}

// moving gives the move as hosts are told of it, and the machine as it will be.
func (s *Service) moving(ctx context.Context, m *migrating) (mv migration.Move, there known, err error) {
	here, driver, err := s.knowDriven(ctx, m.VM)
	if err != nil {
		return mv, there, err
	}
	by, ok := driver.(migration.Driver)
	if !ok {
		return mv, there, fault.Conflictf("hosts of hypervisor %s can't move machines", here.Hypervisor)
	}
	if there, err = here.with(ctx, s.db.Read(), m.Copies); err != nil {
		return mv, there, err
	}
	mv = migration.Move{By: by, From: m.From, To: m.To}
	mv.Down = func(ctx context.Context, on uid.Host) bool { return inquest.Down(ctx, s.db, on) }
	mv.Ended = func(ctx context.Context, on uid.Host) (bool, error) { return inquest.Ended(ctx, s.db, on, m.VM) }
	for _, c := range m.Copies {
		mv.Copied = append(mv.Copied, c.Volume)
	}
	if mv.Here, err = s.tell(ctx, here); err != nil {
		return mv, there, err
	}
	mv.There, err = s.tell(ctx, there)
	return mv, there, err
}

func (s *Service) move(ctx context.Context, m *migrating) error {
	mv, _, err := s.moving(ctx, m)
	if err != nil {
		return err
	}
	return mv.Go(ctx)
}

func (s *Service) bringBack(ctx context.Context, m *migrating) error {
	mv, _, err := s.moving(ctx, m)
	if err != nil {
		return err
	}
	err = mv.Back(ctx)
	if !errors.Is(err, migration.ErrThere) {
		return err
	}
	if len(m.Copies) > 0 { // its old disks can't be dropped, nor will they do
		return op.Retry(fault.Unavailablef("the machine has come to its new host, and the old one does not answer"))
	}
	return inquest.Found(ctx, s.db, m.From, m.VM, m.To)
}

// arrived records where the machine is now, and gives back its room where it was.
func (s *Service) arrived(ctx context.Context, tx db.Tx, m *migrating) error {
	vm, err := Locked(ctx, tx, auth.Scope{All: true}, m.VM)
	if err != nil {
		return err
	}
	if err := host.Release(ctx, tx, m.From, vm.need()); err != nil {
		return err
	}
	for _, c := range m.Copies {
		if err := volume.SetPlaced(ctx, tx, c.Volume, volume.Ready, c.To); err != nil {
			return err
		}
	}
	return setArrived(ctx, tx, vm.ID)
}
