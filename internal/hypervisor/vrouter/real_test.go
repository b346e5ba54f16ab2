package vrouter_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
	"github.com/virga-cloud/virga/uid"
)

// ports hands machines their taps.
type ports struct{ *vnet.Fabric }

func (p ports) Plug(ctx context.Context, nic hypervisor.NIC) (kvm.Tap, error) {
	tap, err := p.Fabric.Plug(ctx, nic)
	return kvm.Tap(tap), err
}

// TestRealGuest boots a machine under QEMU in a router's network: it gets its address, its user data and its password, and is
// reached from outside by a port forward and a balancer.
func TestRealGuest(t *testing.T) {
	t.Parallel()
	image, err := os.ReadFile(tinyimagetest.Path(t))
	must(t, err)
	s := newSite(t, "haproxy", "qemu-system-x86_64")
	dir := openToOthers(t)
	d, err := kvm.Open(kvm.Options{Host: s.config.Host, Dir: filepath.Join(dir, "m"), Ports: ports{s.fabric}})
	must(t, err)
	t.Cleanup(func() { must(t, d.Close()) })
	must(t, d.Recover(t.Context()))
	g := guest(11)
	g.Password, g.UserData = secret.New("s3cret"), []byte("#!/bin/sh\necho user data ran as $(hostname)\n")
	doc := s.doc(g)
	doc.Uplink[0].Balancers = []hypervisor.Balancer{{ID: uid.New[uid.Rule](), Protocol: "tcp", Port: 80, Guest: 80, Guests: []string{g.IP}}}
	doc.Uplink[0].Forwards = []hypervisor.Forward{{Protocol: "tcp", From: 8080, To: 8080, GuestIP: g.IP, Guest: 80}}
	doc.Uplink[0].Ingress = []hypervisor.Match{{Protocol: "tcp", From: 80, To: 8080}}
	s.apply(doc)

	disk := hypervisor.Disk{
		DiskRef: hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: uid.New[uid.Pool](), PoolURL: "file://" + filepath.Join(dir, "pool")},
		Bytes:   64 << 20, Template: uid.New[uid.Template](), TemplateBytes: 32 << 20, Store: uid.New[uid.ImageStore](), StoreURL: "file://" + dir,
	}
	must(t, os.Mkdir(filepath.Join(dir, "pool"), 0o700))
	must(t, os.Mkdir(filepath.Join(dir, "images"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "images", string(disk.Template)+".qcow2"), image, 0o600))
	must(t, d.MakeDisk(t.Context(), s.config.Host, disk))
	must(t, d.Start(t.Context(), s.config.Host, hypervisor.Machine{
		VM: g.VM, Name: "i-2-3-VM", CPUs: 1, CPUSpeedMHz: 500, MemoryMB: 96, Disks: []hypervisor.Attachment{{DiskRef: disk.DiskRef}},
		NICs: []hypervisor.NIC{{ID: g.NIC, Network: s.network, MAC: g.MAC, IP: g.IP, IP6: g.IP6, VLAN: 100, Mbps: 200}},
	}))
	t.Cleanup(func() { must(t, d.Stop(context.Background(), s.config.Host, g.VM, true)) })
	said := ""
	within(5*time.Minute, func() bool {
		files, err := filepath.Glob(filepath.Join(dir, "m", "guests", "*", "serial.log"))
		must(t, err)
		if len(files) == 1 {
			text, _ := os.ReadFile(files[0])
			said = string(text)
		}
		return strings.Contains(said, "TINY-READY")
	})
	for _, want := range []string{
		"ip=10.1.1.11 router=10.1.1.1", "instance-id=i-11", "TINY-PASSWORD set", "user data ran as vm11", "TINY-READY",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the machine has not said %q but:\n%s", want, said)
		}
	}
	for _, port := range []string{"8080", "80"} {
		got := ""
		hello := func() bool { // a balancer looks every two seconds whether its guests answer
			_, got = s.fetch(s.world, "http://198.51.100.10:"+port+"/")
			return got == "hello from vm11 10.1.1.11\n"
		}
		if !s.soon(hello) {
			t.Errorf("from outside the machine's port %s says %q", port, got)
		}
	}
	reports, err := s.routers.Routers(t.Context())
	must(t, err)
	if !slices.Equal(reports[0].Saved, []uid.NIC{g.NIC}) {
		t.Errorf("passwords are saved by %v", reports[0].Saved)
	}
	if got := s.ask(s.space(), "send_my_password"); strings.Contains(got, "s3cret") {
		t.Error("the password is still told")
	}
}
