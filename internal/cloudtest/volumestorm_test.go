package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// disk is a volume before or after an operation on it.
type disk struct {
	state    volume.State
	attached bool
	gone     bool
	kept     bool  // in a snapshot of its machine, which goes, too
	gb       int64 // 0 for any
}

// volumeIn asks for the smallest volume of the sandbox.
func (s *stormy) volumeIn(t *testing.T) volume.CreateIn {
	t.Helper()
	zone, _ := s.sandbox(t)
	disks, _, err := s.Offerings.Disks(s.ctx, offering.Filter{Name: "Small"})
	must(t, err)
	return volume.CreateIn{Name: "storm", Zone: zone, Offering: disks[0].ID}
}

// haveVolume makes a volume, calmly, before the storm: one that the machine has, or that has been a machine's before, or neither.
func (s *stormy) haveVolume(t *testing.T, want disk) uid.Volume {
	t.Helper()
	stop, err := s.now.Engine.Start(s.ctx)
	must(t, err)
	defer stop()
	id, job, err := s.now.Volumes.Create(s.ctx, s.volumeIn(t))
	must(t, err)
	s.wait(t, job)
	if want.state == volume.Allocated {
		return id
	}
	job, err = s.now.Machines.Attach(s.ctx, id, s.vm, nil)
	must(t, err)
	s.wait(t, job)
	if !want.attached {
		job, err = s.now.Machines.Detach(s.ctx, id)
		must(t, err)
		s.wait(t, job)
	}
	return id
}

// volumeStorm is a storm in which a volume goes from one state to another, or stays as it was.
func volumeStorm(t *testing.T, machine compute.State, before, after disk, start func(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error)) {
	t.Helper()
	for name, url := range map[string]func(testing.TB) string{"sqlite": dbtest.SQLite, "postgres": dbtest.Unmade} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			optest.Storm(t, func(t *testing.T) optest.World {
				s := newStormy(t, url(t))
				var id uid.Volume
				if machine != "" {
					s.have(t, machine)
				}
				if before.state != "" {
					id = s.haveVolume(t, before)
				}
				if before.kept {
					s.keep(t, "kept")
				}
				look := func(want disk) func(t *testing.T) {
					return func(t *testing.T) {
						t.Helper()
						found, err := volume.ByID(s.ctx, s.DB.Read(), []uid.Volume{id})
						must(t, err)
						v := found[id]
						if v.Removed.IsZero() == want.gone || !want.gone && (v.State != want.state || (v.VM != "") != want.attached || want.gb != 0 && v.Size != want.gb*volume.GB) {
							t.Errorf("the volume is %s, of machine %q, removed %v; want %+v", v.State, v.VM, v.Removed, want)
						}
					}
				}
				if before.state == "" {
					before.gone = true
				}
				return optest.World{
					DB:      s.DB,
					Engine:  func(o op.Options) *op.Engine { s.now = s.Another(s.DB, s.World, o); return s.now.Engine },
					Start:   func(ctx context.Context) (op.ID, error) { return start(auth.With(ctx, auth.System()), s, &id) },
					There:   look(after),
					Nothing: look(before),
				}
			})
		})
	}
}

func TestStormVolumeCreate(t *testing.T) {
	t.Parallel()
	volumeStorm(t, "", disk{}, disk{state: volume.Allocated}, func(ctx context.Context, s *stormy, id *uid.Volume) (job op.ID, err error) {
		*id, job, err = s.now.Volumes.Create(ctx, s.small)
		return job, err
	})
}

func TestStormVolumeCreateAttached(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{}, disk{state: volume.Ready, attached: true},
		func(ctx context.Context, s *stormy, id *uid.Volume) (job op.ID, err error) {
			*id, job, err = s.now.Machines.CreateVolume(ctx, s.small, s.vm)
			return job, err
		})
}

func attach(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error) {
	return s.now.Machines.Attach(ctx, *id, s.vm, nil)
}

func detach(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error) {
	return s.now.Machines.Detach(ctx, *id)
}

func TestStormVolumeAttach(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{state: volume.Allocated}, disk{state: volume.Ready, attached: true}, attach)
}

func TestStormVolumeAttachToStopped(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Stopped, disk{state: volume.Ready}, disk{state: volume.Ready, attached: true}, attach)
}

func TestStormVolumeDetach(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{state: volume.Ready, attached: true}, disk{state: volume.Ready}, detach)
}

func TestStormVolumeDelete(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{state: volume.Ready}, disk{gone: true},
		func(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error) {
			return s.now.Volumes.Delete(ctx, *id)
		})
}

func TestStormDestroyWithVolume(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{state: volume.Ready, attached: true, kept: true}, disk{gone: true},
		func(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error) {
			return s.now.Machines.Destroy(ctx, s.vm, false, *id)
		})
}

func TestStormWipeWithVolume(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{state: volume.Ready, attached: true, kept: true}, disk{gone: true},
		func(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error) {
			return s.now.Machines.Destroy(ctx, s.vm, true, *id)
		})
}
