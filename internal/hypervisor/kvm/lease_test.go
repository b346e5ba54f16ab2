package kvm

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/pulse"
	"github.com/virga-cloud/virga/uid"
)

// eventually waits until something is so.
func (s *site) eventually(what string, is func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for !is() {
		select {
		case <-again.C:
		case <-ctx.Done():
			s.t.Fatalf("it is never so that %s", what)
		}
	}
}

// A host that loses its storage ends its machines, and they can run elsewhere; one that loses its agent keeps them, and they can't; and
// a QEMU that hangs keeps nobody from being found.
func TestLease(t *testing.T) {
	t.Parallel()
	s := newSite(t, 2)
	s.lease = 10 * time.Second // a busy machine has kept the agent from its work for more than two
	s.reopen()
	s.must(s.Recover(t.Context()))
	one, two := s.ids[0], s.ids[1]
	m, disk := s.tiny()
	m.Leased = true
	local, own := s.tiny()
	local.Disks[0].PoolURL, own.PoolURL = "file://"+s.other, "file://"+s.other
	s.must(s.MakeDisk(t.Context(), one, disk))
	s.must(s.MakeDisk(t.Context(), one, own))
	s.must(s.Start(t.Context(), one, m))
	s.must(s.Start(t.Context(), one, local))
	in := hypervisor.PoolRef{Pool: disk.Pool, URL: disk.PoolURL}
	sign := func() string {
		t.Helper()
		text, err := s.Sign(t.Context(), two, in, one)
		s.must(err)
		return text
	}
	runs := func(vm uid.VM) bool {
		t.Helper()
		guests, err := s.Guests(t.Context(), one)
		s.must(err)
		for _, g := range guests {
			if g.VM == vm {
				return g.Running
			}
		}
		return false
	}
	first := sign()
	s.eventually("there is another sign", func() bool { return sign() != first })

	// The storage takes no signs any more.
	signs := filepath.Join(s.pool, pulse.Dir)
	// In one step, as hosts that find no folder there make one.
	s.must(os.WriteFile(signs+".away", nil, 0o600))
	swap := func() {
		s.must(unix.Renameat2(unix.AT_FDCWD, signs, unix.AT_FDCWD, signs+".away", unix.RENAME_EXCHANGE))
	}
	swap()
	s.eventually("the machine is ended", func() bool { return !runs(m.VM) })
	if !runs(local.VM) {
		t.Error("a machine without a lease was ended, too")
	}
	if held, err := s.Held(t.Context(), two, disk.DiskRef); err != nil || held {
		t.Errorf("its disk is held: %v, %v", held, err)
	}
	if err := s.Start(t.Context(), one, m); !fault.Is(err, fault.Conflict) {
		t.Errorf("it starts without a sign: %v", err)
	}
	swap()
	s.must(os.Remove(signs + ".away"))
	s.must(s.Start(t.Context(), two, m))
	s.must(s.Stop(t.Context(), two, m.VM, true))

	// The agent is gone.
	s.must(s.Start(t.Context(), one, m))
	s.must(s.hosts[one].Close())
	last := sign()
	if held, err := s.Held(t.Context(), two, disk.DiskRef); err != nil || !held {
		t.Errorf("without its agent its disk is held: %v, %v", held, err)
	}
	if err := s.Start(t.Context(), two, m); !fault.Is(err, fault.Conflict) {
		t.Errorf("there are two of it: %v", err)
	}

	// The agent is back, and finds a QEMU that hangs.
	g, err := s.hosts[two].load(m.VM)
	if err != nil || g != nil {
		t.Fatalf("host two knows it as %v, %v", g, err)
	}
	g, err = s.hosts[one].load(local.VM)
	s.must(err)
	s.must(syscall.Kill(g.Process.PID, syscall.SIGSTOP))
	s.must(s.hosts[two].Close())
	s.open()
	s.hosts[one].finding = 300 * time.Millisecond
	s.must(s.Recover(t.Context()))
	if !runs(m.VM) || !runs(local.VM) {
		t.Error("not all machines are found again")
	}
	s.eventually("there are signs again", func() bool { return sign() != last })
	muted := func() bool { return s.hosts[one].found(t.Context(), local.VM).muted }
	if !muted() {
		t.Error("a QEMU that hangs answered")
	}
	s.must(syscall.Kill(g.Process.PID, syscall.SIGCONT))
	s.eventually("it is asked again", func() bool { return !muted() })
	if _, err := s.hosts[one].Screen(t.Context(), one, local.VM); err != nil {
		t.Errorf("what it shows: %v", err)
	}
}
