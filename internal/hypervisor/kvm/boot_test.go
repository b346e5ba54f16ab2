package kvm

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// booting is how long a guest may take on a machine that has other things to do.
const booting = 2 * time.Minute

// tiny gives a machine that boots the tiny guest.
func (s *site) tiny() (hypervisor.Machine, hypervisor.Disk) {
	s.t.Helper()
	d := hypervisor.Disk{
		DiskRef: hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool},
		Bytes:   64 << 20, Template: s.template, TemplateBytes: 32 << 20, Store: s.store, StoreURL: "file://" + s.images,
	}
	m := hypervisor.Machine{
		VM: uid.New[uid.VM](), Name: "i-2-3-VM", CPUs: 1, CPUSpeedMHz: 500, MemoryMB: 96, Disks: []hypervisor.Attachment{{DiskRef: d.DiskRef}},
	}
	return m, d
}

// serial waits until a machine has written something on its serial port.
func (s *site) serial(host uid.Host, vm uid.VM, wanted string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), booting)
	defer cancel()
	path := filepath.Join(s.hosts[host].dirOf(vm), serialFile)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		content, _ := os.ReadFile(path)
		if bytes.Contains(content, []byte(wanted)) {
			return string(content)
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			s.t.Fatalf("the machine has not said %q but:\n%s", wanted, strings.ToValidUTF8(string(content), "?"))
		}
	}
}

func TestBoot(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	s.hosts[s.ids[0]].Patience = booting
	m, d := s.tiny()
	host := s.ids[0]
	s.must(s.MakeDisk(t.Context(), host, d))
	s.must(s.Start(t.Context(), host, m))
	t.Log(s.serial(host, m.VM, "TINY-READY"))
	s.must(s.Stop(t.Context(), host, m.VM, false))
}
