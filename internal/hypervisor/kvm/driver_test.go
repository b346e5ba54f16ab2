package kvm

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/hypervisortest"
	"github.com/virga-cloud/virga/uid"
)

var (
	_ hypervisor.Driver = (*Driver)(nil)
	_ hypervisor.Storer = (*Driver)(nil)
)

func TestDriver(t *testing.T) {
	t.Parallel()
	hypervisortest.Run(t, func(t *testing.T) hypervisortest.Env {
		s := newSite(t, 2)
		template := uid.New[uid.Template]()
		s.put(template, 2<<20)
		return hypervisortest.Env{
			Driver: s, Hosts: s.ids, Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool, Machines: 4,
			Template: template, TemplateBytes: 2 << 20, Store: s.store, StoreURL: "file://" + s.images, ImageURL: s.image(),
			Reopen: func(t *testing.T) hypervisor.Driver { s.reopen(); return s },
		}
	})
}

// site is some hosts on this machine, and the storage that they share.
type site struct {
	t      testing.TB
	dir    string
	pool   string
	images string
	store  uid.ImageStore
	ids    []uid.Host
	hosts  map[uid.Host]*Driver

	mu   sync.Mutex
	seen map[uid.VM]bool // machines that were started
}

// newSite makes hosts whose folders have short paths: there are sockets in them.
func newSite(t testing.TB, hosts int) *site {
	t.Helper()
	needs(t, "qemu-system-x86_64", "qemu-img")
	dir, err := os.MkdirTemp("", "vk")
	s := &site{t: t, dir: dir, pool: filepath.Join(dir, "pool"), images: filepath.Join(dir, "store"), store: uid.New[uid.ImageStore](),
		hosts: map[uid.Host]*Driver{}, seen: map[uid.VM]bool{}}
	s.must(err)
	s.must(errors.Join(os.Chmod(dir, 0o711), os.Mkdir(s.pool, 0o755), os.MkdirAll(filepath.Join(s.images, imagesDir), 0o755)))
	for range hosts {
		s.ids = append(s.ids, uid.New[uid.Host]())
	}
	slices.Sort(s.ids)
	s.open()
	t.Cleanup(s.close)
	return s
}

func (s *site) open() {
	s.t.Helper()
	for i, id := range s.ids {
		d, err := Open(s.options(i, id))
		s.must(err)
		s.hosts[id] = d
	}
}

func (s *site) options(i int, id uid.Host) Options {
	o := Options{
		Host: id, Dir: filepath.Join(s.dir, "h"+string(rune('0'+i))), Ports: noPorts{}, Accelerator: "tcg", Patience: 300 * time.Millisecond,
		Listen: "127.0.0.1",
	}
	if os.Getuid() == 0 { // machines run as somebody who may do nothing
		o.User = &User{UID: 65534, GID: 65534}
	}
	return o
}

func (s *site) reopen() {
	s.t.Helper()
	for _, d := range s.hosts {
		s.must(d.Close())
	}
	s.open()
}

// close ends what the test has left running, and looks that nothing stays.
func (s *site) close() {
	ctx := context.WithoutCancel(s.t.Context())
	for id, d := range s.hosts {
		guests, err := d.Guests(ctx, id)
		s.must(err)
		for _, g := range guests {
			s.must(d.Stop(ctx, id, g.VM, true))
		}
		left, err := os.ReadDir(d.guestsDir())
		if err != nil || len(left) > 0 {
			s.t.Errorf("host %s keeps %v, %v", id, left, err)
		}
		s.must(d.Close())
	}
	if left, err := exec.Command("pgrep", "-af", "qemu-system.*"+s.dir).Output(); err == nil {
		s.t.Errorf("processes are left: %s", left)
	}
	c := controls()
	for vm := range s.seen {
		if c.cpu != "" && exists(filepath.Join(c.cpu, string(vm))) || c.memory != "" && exists(filepath.Join(c.memory, string(vm))) {
			s.t.Errorf("the group of machine %s is left", vm)
		}
	}
	s.must(os.RemoveAll(s.dir))
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// put puts an empty template into the store.
func (s *site) put(id uid.Template, bytes int64) {
	s.t.Helper()
	for _, d := range s.hosts {
		s.must(d.image.Create(s.t.Context(), filepath.Join(s.images, imagesDir, string(id)+".qcow2"), bytes, ""))
		return
	}
}

// image is the URL of an image that anybody may have.
func (s *site) image() string {
	s.t.Helper()
	path := filepath.Join(s.dir, "tiny.qcow2")
	s.must(s.hosts[s.ids[0]].image.Create(s.t.Context(), path, 1<<20, ""))
	server := httptest.NewServer(http.FileServer(http.Dir(s.dir)))
	s.t.Cleanup(server.Close)
	return server.URL + "/tiny.qcow2"
}

// needs skips a test where a program is missing, unless VIRGA_REQUIRE asks for it.
func needs(t testing.TB, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err == nil {
			continue
		}
		if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "qemu") {
			t.Fatalf("VIRGA_REQUIRE asks for qemu, but there is no %s", name)
		}
		t.Skipf("needs %s", name)
	}
}

// noPorts is for machines without cards.
type noPorts struct{}

func (noPorts) Plug(_ context.Context, n hypervisor.NIC) (Tap, error) {
	return Tap{}, fault.Conflictf("no port for card %s here", n.ID)
}

func (noPorts) Unplug(context.Context, uid.NIC) error { return nil }

// A site is one driver for all of its hosts.

func (s *site) at(host uid.Host) (*Driver, error) {
	if d := s.hosts[host]; d != nil {
		return d, nil
	}
	return nil, fault.Unavailablef("host %s does not answer", host)
}

// on calls one host; a context that is over comes before a host that is not there.
func on(ctx context.Context, s *site, host uid.Host, call func(*Driver) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d, err := s.at(host)
	if err != nil {
		return err
	}
	return call(d)
}

func (s *site) Probe(ctx context.Context, host uid.Host) (r hypervisor.Report, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Probe(ctx, host); return err })
	return r, err
}

func (s *site) Guests(ctx context.Context, host uid.Host) (g []hypervisor.Guest, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { g, err = d.Guests(ctx, host); return err })
	return g, err
}

func (s *site) MakeDisk(ctx context.Context, host uid.Host, disk hypervisor.Disk) error {
	return on(ctx, s, host, func(d *Driver) error { return d.MakeDisk(ctx, host, disk) })
}

func (s *site) DropDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.DropDisk(ctx, host, ref) })
}

func (s *site) Start(ctx context.Context, host uid.Host, m hypervisor.Machine) error {
	s.mu.Lock()
	s.seen[m.VM] = true
	s.mu.Unlock()
	return on(ctx, s, host, func(d *Driver) error { return d.Start(ctx, host, m) })
}

func (s *site) Stop(ctx context.Context, host uid.Host, vm uid.VM, force bool) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Stop(ctx, host, vm, force) })
}

func (s *site) Reboot(ctx context.Context, host uid.Host, vm uid.VM) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Reboot(ctx, host, vm) })
}

func (s *site) Recover(ctx context.Context) error {
	for id := range s.hosts {
		if err := on(ctx, s, id, func(d *Driver) error { return d.Recover(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) Pool(ctx context.Context, host uid.Host, p hypervisor.PoolRef) (r hypervisor.PoolReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Pool(ctx, host, p); return err })
	return r, err
}
