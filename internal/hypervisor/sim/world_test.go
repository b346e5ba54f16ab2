package sim

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/hypervisortest"
	"github.com/virga-cloud/virga/uid"
)

var (
	_ hypervisor.Driver   = (*World)(nil)
	_ hypervisor.Enroller = (*World)(nil)
	_ hypervisor.Scripter = (*World)(nil)
	_ hypervisor.Watcher  = (*World)(nil)
	_ hypervisor.Storer   = (*World)(nil)

	_ hypervisor.CardPlugger  = (*World)(nil)
	_ hypervisor.Ejector      = (*World)(nil)
	_ hypervisor.Resizer      = (*World)(nil)
	_ hypervisor.Snapshotter  = (*World)(nil)
	_ hypervisor.Checkpointer = (*World)(nil)
	_ hypervisor.Migrator     = (*World)(nil)
	_ hypervisor.Screener     = (*World)(nil)
	_ hypervisor.Meter        = (*World)(nil)
	_ hypervisor.Gauge        = (*World)(nil)
	_ hypervisor.Networker    = (*World)(nil)
)

func TestDriver(t *testing.T) {
	t.Parallel()
	hypervisortest.Run(t, func(t *testing.T) hypervisortest.Env {
		path := filepath.Join(t.TempDir(), "world.db")
		w := open(t, path, Options{})
		return hypervisortest.Env{
			Driver: w, Hosts: enroll(t, w, 2), Pool: uid.New[uid.Pool](), OtherPoolURL: "nfs://10.0.0.1/other", Cards: true, Template: uid.New[uid.Template](), TemplateBytes: 1 << 30,
			Reopen: func(t *testing.T) hypervisor.Driver {
				ok(t, w.Close())
				return open(t, path, Options{})
			},
		}
	})
}

// Two worlds on one file stand for two server processes.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a world?#.db") // a name that must be escaped
	one, two := open(t, path, Options{}), open(t, path, Options{})
	hosts := enroll(t, one, 2)
	d, m := machine()
	ok(t, one.MakeDisk(t.Context(), hosts[0], d))
	ok(t, one.Start(t.Context(), hosts[0], m))

	fails(t, two.Start(t.Context(), hosts[1], m), fault.Conflict)
	ok(t, two.Start(t.Context(), hosts[0], m))
	guests, err := two.Guests(t.Context(), hosts[0])
	ok(t, err)
	if want := []hypervisor.Guest{{VM: m.VM, Running: true}}; !slices.Equal(guests, want) {
		t.Errorf("the other server sees %v, want %v", guests, want)
	}
	ok(t, two.Stop(t.Context(), hosts[0], m.VM, false))
	ok(t, one.Start(t.Context(), hosts[1], m))
}

func TestInspect(t *testing.T) {
	t.Parallel()
	w := open(t, "", Options{})
	host := enroll(t, w, 1)[0]
	d, m := machine()
	m.UserData = []byte("#!/bin/sh\n")
	ok(t, w.MakeDisk(t.Context(), host, d))
	ok(t, w.Start(t.Context(), host, m))
	ok(t, w.Halt(t.Context(), m.VM))

	i, err := w.Inspect(t.Context())
	ok(t, err)
	if at := i.Guests[m.VM]; len(i.Guests) != 1 || at != (Location{Host: host}) {
		t.Errorf("guests %v, want one on %s that does not run", i.Guests, host)
	}
	if !slices.Equal(i.Disks, []hypervisor.Disk{d}) {
		t.Errorf("disks %+v, want %+v", i.Disks, d)
	}
	got, err := w.Machine(t.Context(), m.VM)
	ok(t, err)
	if got.Name != m.Name || string(got.UserData) != string(m.UserData) || len(got.Disks) != 1 {
		t.Errorf("the guest was started as %+v, want %+v", got, m)
	}
	none := uid.New[uid.VM]()
	_, err = w.Machine(t.Context(), none)
	fails(t, err, fault.NotFound)
	fails(t, w.Halt(t.Context(), none), fault.NotFound)
}

// A guest that shut itself down may be started anywhere, and holds on to no disk that it is started without.
func TestStartAfterHalt(t *testing.T) {
	t.Parallel()
	w := open(t, "", Options{})
	hosts := enroll(t, w, 2)
	d, m := machine()
	ok(t, w.MakeDisk(t.Context(), hosts[0], d))
	ok(t, w.Start(t.Context(), hosts[0], m))
	ok(t, w.Halt(t.Context(), m.VM))
	fails(t, w.Reboot(t.Context(), hosts[0], m.VM), fault.Conflict)

	m.Disks = nil
	ok(t, w.Start(t.Context(), hosts[1], m))
	ok(t, w.DropDisk(t.Context(), hosts[0], d.DiskRef))
	guests, err := w.Guests(t.Context(), hosts[0])
	ok(t, err)
	if len(guests) != 0 {
		t.Errorf("the first host still has %v", guests)
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	private := open(t, "", Options{})
	ok(t, private.Close())
	ok(t, private.Close())
	if left, _ := filepath.Glob(filepath.Join(private.temp, "*")); len(left) != 0 {
		t.Errorf("a private world left %v behind", left)
	}
	_, m := machine()
	fails(t, private.Start(t.Context(), uid.New[uid.Host](), m), fault.Unavailable)

	dir := t.TempDir()
	path := filepath.Join(dir, "world.db")
	w := open(t, path, Options{})
	ok(t, w.store.write(t.Context(), func(t *tx) error { _, err := t.exec("pragma user_version = 8"); return err }))
	ok(t, w.Close())
	if _, err := Open(path, Options{}); err == nil || !strings.Contains(err.Error(), "version 8") {
		t.Errorf("a world of version 8 opened with %v, want a refusal", err)
	}
	// The last connection takes the log along, so no other file says that none was left open.
	if files, _ := filepath.Glob(filepath.Join(dir, "*")); !slices.Equal(files, []string{path}) {
		t.Errorf("a closed world's files are %v, want %v", files, path)
	}

	// Servers that start together make one world.
	path = filepath.Join(t.TempDir(), "world.db")
	opened := make(chan error)
	for range 8 {
		go func() {
			w, err := Open(path, Options{})
			if err == nil {
				err = w.Close()
			}
			opened <- err
		}()
	}
	for range 8 {
		if err := <-opened; err != nil {
			t.Error(err)
		}
	}
}

func open(t testing.TB, path string, o Options) *World {
	t.Helper()
	w, err := Open(path, o)
	ok(t, err)
	t.Cleanup(func() { ok(t, w.Close()) })
	return w
}

// enroll makes n hosts known, each in a zone, pod and cluster of its own.
func enroll(t testing.TB, w *World, n int) []uid.Host {
	t.Helper()
	var all []Enrolment
	var hosts []uid.Host
	for range n {
		hosts = append(hosts, uid.New[uid.Host]())
		all = append(all, Enrolment{hosts[len(hosts)-1], hypervisor.Capacity{
			Zone: uid.New[uid.Zone](), Pod: uid.New[uid.Pod](), Cluster: uid.New[uid.Cluster](), MemoryMB: 1 << 17}})
	}
	ok(t, w.EnrollAll(t.Context(), all))
	return hosts
}

// machine describes a new machine and its disk.
func machine() (hypervisor.Disk, hypervisor.Machine) {
	ref := hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: "0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5d", PoolURL: "nfs://10.0.0.1/primary"}
	template := uid.Template("0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5e")
	m := hypervisor.Machine{
		VM: uid.New[uid.VM](), Name: "i-2-3-VM", CPUs: 1, CPUSpeedMHz: 500, MemoryMB: 512,
		Disks: []hypervisor.Attachment{{DiskRef: ref}},
		NICs:  []hypervisor.NIC{{ID: uid.New[uid.NIC](), MAC: "02:00:5e:00:53:01", IP: "10.1.1.7", VLAN: 100}},
	}
	return hypervisor.Disk{DiskRef: ref, Bytes: 8 << 30, Template: template, TemplateBytes: 2 << 30}, m
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func fails(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Fatalf("got error %v, want one of kind %q", err, kind)
	}
}
