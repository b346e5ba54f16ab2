// Package relocation takes volumes from one storage pool to another while nobody works with them. They go by way of a store of images, which
// hosts of both places reach, so that no host need reach both.
package relocation

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
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Parts are what a service works with.
type Parts struct {
	DB        *db.DB
	Engine    *op.Engine
	Settings  *setting.Settings // nil for the defaults
	Volumes   *volume.Service
	Snapshots *snapshot.Service
}

// Service moves volumes.
type Service struct {
	Parts

	placement *placement.Service
	move      *op.Runner[moving]
}

// New makes a service and registers its plan with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p, placement: placement.New(p.Settings)}
	s.move = op.Register(p.Engine, s.plan())
	return s
}

// moving is the state of taking a volume to another pool. There is room for it in both until the old disk is gone.
type moving struct {
	Volume     uid.Volume     `json:"volume"`
	From       uid.Pool       `json:"from"`
	To         uid.Pool       `json:"to"`
	Bytes      int64          `json:"bytes"`
	Hypervisor string         `json:"hypervisor"`
	Zone       uid.Zone       `json:"zone"`
	Copy       uid.Snapshot   `json:"copy"` // what the copy on its way is called in the store
	Store      uid.ImageStore `json:"store"`

	machine bool // for Accept only: it is asked for a machine
}

// Move begins to take a volume to a pool. No machine may run with it.
func (s *Service) Move(ctx context.Context, id uid.Volume, to uid.Pool) (op.ID, error) {
	key, err := s.Volumes.KeyOf(ctx, id)
	if err != nil {
		return "", err
	}
	return s.begin(ctx, op.Request{Thing: key, Command: "migrateVolume", SubjectKind: "Volume", SubjectID: string(id)}, moving{Volume: id, To: to})
}

// MoveRoot is Move for the root disk of a machine.
func (s *Service) MoveRoot(ctx context.Context, vm uid.VM, to uid.Pool) (op.ID, error) {
	roots, _, err := s.Volumes.List(ctx, volume.Filter{Scope: auth.From(ctx).Reach(), VM: vm, Type: volume.Root})
	if err == nil && len(roots) == 0 {
		err = fault.Missing(vm)
	}
	if err != nil {
		return "", err
	}
	id := roots[0].ID
	return s.begin(ctx, op.Request{
		Thing: volume.Key(id, vm), Command: "migrateVirtualMachine", SubjectKind: "VirtualMachine", SubjectID: string(vm),
	}, moving{Volume: id, To: to, machine: true})
}

func (s *Service) begin(ctx context.Context, q op.Request, m moving) (op.ID, error) {
	q.Caller, m.Copy = auth.From(ctx), uid.New[uid.Snapshot]()
	job, _, err := s.move.Start(ctx, q, m)
	return job, err
}

func (s *Service) plan() *op.Plan[moving] {
	return op.New[moving]("volume.migrate").Refuses().
		Accept(s.accept, func(ctx context.Context, tx db.Tx, m *moving) error {
			if err := pool.Release(ctx, tx, m.To, m.Bytes); err != nil {
				return err
			}
			return volume.Settle(ctx, tx, m.Volume, volume.Migrating, volume.Ready)
		}).
		Do("copy", func(ctx context.Context, m *moving) error { _, err := s.Snapshots.Copy(ctx, m.copied()); return err }, s.dropCopy).
		Do("make", s.make, func(ctx context.Context, m *moving) error { return s.Volumes.DropFrom(ctx, m.Volume, m.To) }).
		Tx("switch", func(ctx context.Context, tx db.Tx, m *moving) error {
			return volume.SetPlaced(ctx, tx, m.Volume, volume.Ready, m.To)
		}, nil).
		NoWayBack().
		Do("clear", s.dropCopy, nil).
		Do("drop", func(ctx context.Context, m *moving) error { return s.Volumes.DropFrom(ctx, m.Volume, m.From) }, nil).
		Tx("dropped", func(ctx context.Context, tx db.Tx, m *moving) error { return pool.Release(ctx, tx, m.From, m.Bytes) }, nil)
}

// accept looks whether the volume can be where it is to go, and takes the room there.
func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, m *moving) error {
	v, holder, err := s.Volumes.Work(ctx, tx, q, m.Volume, "moved to another storage pool")
	switch {
	case err != nil:
		return err
	case holder.Host != "":
		return fault.Conflictf("virtual machine %q runs with volume %q; stop it first, or move it with its disks to another host with "+
			"migrateVirtualMachineWithVolume", holder.Name, v.Name)
	case v.Pool == "":
		return fault.Conflictf("volume %q has no disk yet: that is made when a machine first starts with it", v.Name)
	case v.Pool == m.To:
		return fault.Invalidf("volume %q lies in that storage pool already", v.Name)
	}
	if err := holder.Unkept("one of its disks is moved to another storage pool"); err != nil {
		return err
	}
	m.From, m.Bytes, m.Zone = v.Pool, v.Size, v.Zone
	disk := placement.Disk{Bytes: v.Size}
	local, tags, err := volume.Wants(ctx, tx, v.ID)
	if err != nil {
		return err
	}
	disk.Local, disk.Tags = local, placement.Tags(tags)
	to, err := s.placement.Into(ctx, tx, v.Zone, m.To, disk)
	if err != nil {
		return err
	}
	if err := s.fits(ctx, tx, v, to, m); err != nil {
		return err
	}
	if m.Store, err = image.StoreFor(ctx, tx, v.Zone); err != nil {
		return err
	}
	if m.Store == "" {
		return fault.Conflictf("zone %s has no image store, by way of which volumes go from pool to pool: add one with addSecondaryStorage or "+
			"addImageStore first", v.Zone)
	}
	if err := volume.Settle(ctx, tx, v.ID, v.State, volume.Migrating); err != nil {
		return err
	}
	kind := event.VolumeMigrate
	if m.machine {
		kind = event.VMMigrate
	}
	return announce(ctx, tx, q, v, kind, fmt.Sprintf("to storage pool %s (%s)", to.Name, to.ID))
}

// fits refuses a pool that is the same place as the old one, and one that no host reaches which could then run the machine.
func (s *Service) fits(ctx context.Context, tx db.Tx, v volume.Volume, to pool.Pool, m *moving) (err error) {
	if _, m.Hypervisor, err = volume.Through(ctx, tx, v.Pool); err != nil {
		return err
	}
	old, err := pool.ByID(ctx, tx, []uid.Pool{v.Pool})
	if err != nil {
		return err
	}
	if from := old[v.Pool]; from.URL == to.URL && to.Scope != pool.HostOnly {
		return fault.Conflictf("volume %q can't be moved from storage pool %q to %q: both are the same place", v.Name, from.Name, to.Name)
	}
	reach := []uid.Pool{to.ID}
	others := map[uid.VM][]volume.Volume{}
	if v.VM != "" {
		if others, err = volume.Of(ctx, tx, []uid.VM{v.VM}); err != nil {
			return err
		}
	}
	for _, other := range others[v.VM] {
		if other.ID != v.ID && other.Pool != "" {
			reach = append(reach, other.Pool)
		}
	}
	met, err := volume.Meet(ctx, tx, m.Hypervisor, reach)
	switch {
	case err != nil, met:
		return err
	case len(reach) == 1:
		return fault.Conflictf("no %s host reaches storage pool %q", m.Hypervisor, to.Name)
	}
	return fault.Conflictf("no host reaches both storage pool %q and the other disks of the virtual machine that has volume %q: detach these "+
		"first", to.Name, v.Name)
}

// announce writes the Scheduled event and tells the engine whose it is.
func announce(ctx context.Context, tx db.Tx, q *op.Request, v volume.Volume, kind event.Kind, where string) (err error) {
	q.Account, q.Domain = v.Account, v.Domain
	about := string(v.ID)
	if kind == event.VMMigrate {
		about = string(v.VM)
	}
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("migrating volume %s (%s) %s", v.Name, v.ID, where),
		Account: v.Account, Domain: v.Domain, User: q.Caller.User, ResourceID: about,
	})
	return err
}

// copied is the copy on its way as snapshots are kept.
func (m *moving) copied() snapshot.Snapshot {
	return snapshot.Snapshot{ID: m.Copy, Volume: m.Volume, Zone: m.Zone, Store: m.Store, Hypervisor: m.Hypervisor}
}

func (s *Service) dropCopy(ctx context.Context, m *moving) error {
	return s.Snapshots.DropFrom(ctx, m.copied())
}

// make makes the new disk of the copy.
func (s *Service) make(ctx context.Context, m *moving) error {
	d, err := s.Volumes.Reach(ctx, volume.Volume{ID: m.Volume, Pool: m.To})
	if err != nil {
		return err
	}
	stores, err := image.StoresByID(ctx, s.DB.Read(), []uid.ImageStore{m.Store})
	if err != nil {
		return err
	}
	return volume.Again(d.Driver.MakeDisk(ctx, d.Host, hypervisor.Disk{
		DiskRef: d.Ref, Bytes: m.Bytes, Snapshot: m.Copy, Store: m.Store, StoreURL: stores[m.Store].URL,
	}))
}
