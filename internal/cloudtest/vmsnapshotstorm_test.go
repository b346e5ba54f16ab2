package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/uid"
)

// keep takes a snapshot of the machine, calmly, before the storm.
func (s *stormy) keep(t *testing.T, name string) uid.VMSnapshot {
	t.Helper()
	stop, err := s.now.Engine.Start(s.ctx)
	must(t, err)
	defer stop()
	id, job, err := s.now.Kept.Create(s.ctx, vmsnapshot.CreateIn{VM: s.vm, Name: name, Memory: true})
	must(t, err)
	s.wait(t, job)
	return id
}

// keptStorm is a storm in which a running machine has two snapshots, or the first of them only, and has come from one of them.
func keptStorm(t *testing.T, before, after string, start func(ctx context.Context, s *stormy, first uid.VMSnapshot) (op.ID, error)) {
	t.Helper()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		s.have(t, compute.Running)
		first := s.keep(t, "first")
		if before != "first*" {
			s.keep(t, "second")
		}
		look := func(want string) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				has, err := vmsnapshot.Of(s.ctx, s.DB.Read(), s.vm)
				must(t, err)
				got := ""
				for _, n := range has {
					got += n.DisplayName + map[bool]string{true: "*"}[n.Current]
				}
				if got != want {
					t.Errorf("the machine has snapshots %q; want %q", got, want)
				}
				if vm := s.vmNow(t); vm.State != compute.Running {
					t.Errorf("the machine is %s", vm.State)
				}
			}
		}
		w.Start = func(ctx context.Context) (op.ID, error) { return start(auth.With(ctx, auth.System()), s, first) }
		w.There, w.Nothing = look(after), look(before)
	})
}

func TestStormVMSnapshotCreate(t *testing.T) {
	t.Parallel()
	keptStorm(t, "first*", "firstsecond*", func(ctx context.Context, s *stormy, _ uid.VMSnapshot) (op.ID, error) {
		_, job, err := s.now.Kept.Create(ctx, vmsnapshot.CreateIn{VM: s.vm, Name: "second", Memory: true})
		return job, err
	})
}

func TestStormVMSnapshotRevert(t *testing.T) {
	t.Parallel()
	keptStorm(t, "firstsecond*", "first*second", func(ctx context.Context, s *stormy, first uid.VMSnapshot) (op.ID, error) {
		return s.now.Kept.Revert(ctx, first)
	})
}

func TestStormVMSnapshotDelete(t *testing.T) {
	t.Parallel()
	keptStorm(t, "first*", "", func(ctx context.Context, s *stormy, first uid.VMSnapshot) (op.ID, error) {
		return s.now.Kept.Delete(ctx, first)
	})
}
