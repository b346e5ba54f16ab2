package kvm

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/hypervisortest"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/internal/outside/download"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
	"github.com/virga-cloud/virga/uid"
)

var (
	_ hypervisor.Driver = (*Driver)(nil)
	_ hypervisor.Storer = (*Driver)(nil)

	_ hypervisor.Imager       = (*Driver)(nil)
	_ hypervisor.Follower     = (*Driver)(nil)
	_ hypervisor.Plugger      = (*Driver)(nil)
	_ hypervisor.CardPlugger  = (*Driver)(nil)
	_ hypervisor.Ejector      = (*Driver)(nil)
	_ hypervisor.Resizer      = (*Driver)(nil)
	_ hypervisor.Snapshotter  = (*Driver)(nil)
	_ hypervisor.Checkpointer = (*Driver)(nil)
	_ hypervisor.Migrator     = (*Driver)(nil)
	_ hypervisor.Screener     = (*Driver)(nil)
	_ hypervisor.Meter        = (*Driver)(nil)
	_ hypervisor.Gauge        = (*Driver)(nil)
	_ hypervisor.Witness      = (*Driver)(nil)
	_ hypervisor.Giver        = (*Driver)(nil)
	_ hypervisor.Taker        = (*Driver)(nil)
	_ hypervisor.Carrier      = (*Driver)(nil)
)

func TestDriver(t *testing.T) {
	t.Parallel()
	hypervisortest.Run(t, func(t *testing.T) hypervisortest.Env {
		s := newSite(t, 2)
		url := s.image()
		sent, err := os.ReadFile(filepath.Join(s.dir, "tiny.qcow2"))
		s.must(err)
		return hypervisortest.Env{
			Driver: s, Hosts: s.ids, Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool, OtherPoolURL: "file://" + s.other, Machines: 4,
			OthersWrite: true,
			Template:    s.template, TemplateBytes: 32 << 20, Store: s.store, StoreURL: "file://" + s.images, ImageURL: url, Sent: sent,
			Boot:   func(_ *testing.T, host uid.Host, vm uid.VM) { s.serial(host, vm, "TINY-READY") },
			Cards:  os.Getuid() == 0,
			Reopen: func(t *testing.T) hypervisor.Driver { s.reopen(); return s },
		}
	})
}

// site is some hosts on this machine, and the storage that they share.
type site struct {
	t      testing.TB
	dir    string
	pool   string
	other  string // another pool
	images string
	store  uid.ImageStore
	ports  *ports
	ids    []uid.Host
	hosts  map[uid.Host]*Driver

	template uid.Template // the tiny guest's
	lease    time.Duration

	mu   sync.Mutex
	seen map[uid.VM]bool // machines that were started
}

// newSite makes hosts whose folders have short paths: there are sockets in them.
func newSite(t testing.TB, hosts int) *site {
	t.Helper()
	needs(t, "qemu-system-x86_64", "qemu-img")
	dir, err := os.MkdirTemp("", "vk")
	s := &site{t: t, dir: dir, pool: filepath.Join(dir, "pool"), other: filepath.Join(dir, "other"), images: filepath.Join(dir, "store"), store: uid.New[uid.ImageStore](),
		hosts: map[uid.Host]*Driver{}, seen: map[uid.VM]bool{}}
	s.must(err)
	t.Cleanup(s.clear)
	s.must(errors.Join(os.Chmod(dir, 0o711), os.Mkdir(s.pool, 0o755), os.Mkdir(s.other, 0o755), os.MkdirAll(filepath.Join(s.images, imagesDir), 0o755)))
	for range hosts {
		s.ids = append(s.ids, uid.New[uid.Host]())
	}
	slices.Sort(s.ids)
	s.ports = newPorts(t)
	s.open()
	t.Cleanup(s.close)
	s.template = uid.New[uid.Template]()
	s.must(file.Copy(t.Context(), tinyimagetest.Path(t), filepath.Join(s.images, imagesDir, string(s.template)+".qcow2")))
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
		Host: id, Dir: filepath.Join(s.dir, "h"+string(rune('0'+i))), Ports: hostPorts{s.ports, id}, Fetcher: download.New(netip.MustParsePrefix("127.0.0.0/8")), Accelerator: "tcg", Patience: 300 * time.Millisecond,
		Listen: "127.0.0.1", Lease: s.lease,
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
	if left := s.processes(); len(left) > 0 {
		s.t.Errorf("processes are left: %v", left)
	}
	c := controls()
	for vm := range s.seen {
		if c.cpu != "" && file.Exists(filepath.Join(c.cpu, string(vm))) || c.memory != "" && file.Exists(filepath.Join(c.memory, string(vm))) {
			s.t.Errorf("the group of machine %s is left", vm)
		}
	}
}

// clear ends by force what a test that has failed has left, whether its drivers are open or not.
func (s *site) clear() {
	for _, pid := range s.processes() {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil && !errors.Is(err, syscall.ESRCH) { // it was about to end
			s.t.Errorf("end process %d: %v", pid, err)
		}
	}
	if err := os.RemoveAll(s.dir); err != nil {
		s.t.Error(err)
	}
}

// processes are the guests of these hosts.
func (s *site) processes() (pids []int) {
	said, err := exec.Command("pgrep", "-f", "qemu-system.*"+s.dir).Output()
	if err != nil {
		return nil // there are none
	}
	for line := range strings.FieldsSeq(string(said)) {
		pid, err := strconv.Atoi(line)
		s.must(err)
		pids = append(pids, pid)
	}
	return pids
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
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
