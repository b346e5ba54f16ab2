package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// root is the root disk of the machine.
func (s *stormy) root(t *testing.T) volume.Volume {
	t.Helper()
	of, err := volume.Of(s.ctx, s.DB.Read(), []uid.VM{s.vm})
	must(t, err)
	return of[s.vm][0]
}

// haveSnapshot takes a snapshot of the root disk, calmly, before the storm.
func (s *stormy) haveSnapshot(t *testing.T) uid.Snapshot {
	t.Helper()
	stop, err := s.now.Engine.Start(s.ctx)
	must(t, err)
	defer stop()
	id, job, err := s.now.Snapshots.Create(s.ctx, snapshot.CreateIn{Volume: s.root(t).ID})
	must(t, err)
	s.wait(t, job)
	return id
}

// snapshotStorm is a storm in which a snapshot comes to a state, or stays in one; Destroyed for one that is not there.
func snapshotStorm(t *testing.T, machine compute.State, before, after snapshot.State,
	start func(ctx context.Context, s *stormy, id *uid.Snapshot) (op.ID, error),
) {
	t.Helper()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		s.have(t, machine)
		var id uid.Snapshot
		if before == snapshot.BackedUp {
			id = s.haveSnapshot(t)
		}
		look := func(want snapshot.State) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				found, err := snapshot.ByID(s.ctx, s.DB.Read(), []uid.Snapshot{id})
				must(t, err)
				if n, known := found[id]; known && n.State != want || !known && want != snapshot.Destroyed {
					t.Errorf("the snapshot is %+v; want %s", n, want)
				}
				if v := s.root(t); v.State != volume.Ready {
					t.Errorf("its volume is %s", v.State)
				}
			}
		}
		w.Start = func(ctx context.Context) (op.ID, error) { return start(auth.With(ctx, auth.System()), s, &id) }
		w.There, w.Nothing = look(after), look(before)
	})
}

func TestStormSnapshotCreate(t *testing.T) {
	t.Parallel()
	snapshotStorm(t, compute.Running, snapshot.Destroyed, snapshot.BackedUp,
		func(ctx context.Context, s *stormy, id *uid.Snapshot) (job op.ID, err error) {
			of, err := volume.Of(ctx, s.DB.Read(), []uid.VM{s.vm})
			if err == nil {
				*id, job, err = s.now.Snapshots.Create(ctx, snapshot.CreateIn{Volume: of[s.vm][0].ID})
			}
			return job, err
		})
}

func TestStormSnapshotDelete(t *testing.T) {
	t.Parallel()
	snapshotStorm(t, compute.Running, snapshot.BackedUp, snapshot.Destroyed,
		func(ctx context.Context, s *stormy, id *uid.Snapshot) (op.ID, error) {
			return s.now.Snapshots.Delete(ctx, *id, "")
		})
}

func TestStormSnapshotRevert(t *testing.T) {
	t.Parallel()
	snapshotStorm(t, compute.Stopped, snapshot.BackedUp, snapshot.BackedUp,
		func(ctx context.Context, s *stormy, id *uid.Snapshot) (op.ID, error) {
			return s.now.Snapshots.Revert(ctx, *id)
		})
}

func TestStormCreateTemplate(t *testing.T) {
	t.Parallel()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		s.have(t, compute.Stopped)
		var id uid.Template
		w.Start = func(ctx context.Context) (job op.ID, err error) {
			id, job, err = s.now.Snapshots.MakeTemplate(auth.With(ctx, auth.System()), snapshot.TemplateIn{
				Template: image.Template{Name: "made"}, Volume: s.root(t).ID,
			})
			return job, err
		}
		look := func(state image.State, images int) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				s.stands(t, id, state, images)
				if v := s.root(t); v.State != volume.Ready {
					t.Errorf("its volume is %s", v.State)
				}
			}
		}
		w.There, w.Nothing = look(image.Ready, 1), look("", 0)
	})
}

func TestStormVolumeResize(t *testing.T) {
	t.Parallel()
	volumeStorm(t, compute.Running, disk{state: volume.Ready, attached: true, gb: 5}, disk{state: volume.Ready, attached: true, gb: 20},
		func(ctx context.Context, s *stormy, id *uid.Volume) (op.ID, error) {
			disks, _, err := s.Offerings.Disks(ctx, offering.Filter{Name: "Medium"})
			if err != nil {
				return "", err
			}
			return s.now.Volumes.Resize(ctx, *id, volume.ResizeIn{Offering: disks[0].ID})
		})
}

func TestStormCD(t *testing.T) {
	t.Parallel()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		s.have(t, compute.Running)
		isos, _, err := s.Images.Templates(s.ctx, image.Filter{Which: image.Featured, ISOs: true})
		must(t, err)
		look := func(want uid.Template) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				found, err := compute.ByID(s.ctx, s.DB.Read(), []uid.VM{s.vm})
				must(t, err)
				guest, err := s.World.Machine(s.ctx, s.vm)
				must(t, err)
				if found[s.vm].ISO != want || (guest.CD != nil) != (want != "") || want != "" && guest.CD.Template != want {
					t.Errorf("the machine has ISO %q in its drive, its host %+v; want %q", found[s.vm].ISO, guest.CD, want)
				}
			}
		}
		w.Start = func(ctx context.Context) (op.ID, error) {
			return s.now.Machines.AttachISO(auth.With(ctx, auth.System()), isos[0].ID, s.vm)
		}
		w.There, w.Nothing = look(isos[0].ID), look("")
	})
}
