package buckets_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/bus/bustest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/buckets"
	"github.com/virga-cloud/virga/internal/hypervisor/hypervisortest"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm"
	"github.com/virga-cloud/virga/internal/hypervisor/remote"
	"github.com/virga-cloud/virga/internal/outside/bucket"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
	"github.com/virga-cloud/virga/internal/outside/download"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

var (
	_ hypervisor.Driver      = (*buckets.Driver)(nil)
	_ hypervisor.Imager      = (*buckets.Driver)(nil)
	_ hypervisor.Snapshotter = (*buckets.Driver)(nil)
	_ hypervisor.Giver       = (*buckets.Driver)(nil)
	_ hypervisor.Taker       = (*buckets.Driver)(nil)
	_ hypervisor.Ejector     = (*buckets.Driver)(nil)
	_ hypervisor.Migrator    = (*buckets.Driver)(nil)
	_ hypervisor.Reacher     = (*buckets.Driver)(nil)
	_ hypervisor.Networker   = (*buckets.Driver)(nil)
)

// A host with a store that is a bucket is as good as one with a folder, and neither the bucket nor the host keeps what is not wanted.
func TestDriver(t *testing.T) {
	t.Parallel()
	hypervisortest.RunStores(t, func(t *testing.T) hypervisortest.Env {
		s := open(t)
		return hypervisortest.Env{
			Driver: s.driver, Hosts: []uid.Host{s.host}, Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool, Machines: 1, OthersWrite: true,
			Store: s.store, StoreURL: s.url, Endless: true, ImageURL: s.image, Sent: s.sent,
		}
	})
}

// What fails on its way leaves nothing: a bucket that does not answer, or that refuses, is an error that says which it is, and the call can be
// made again.
func TestTrouble(t *testing.T) {
	t.Parallel()
	s := open(t)
	image := hypervisor.Image{
		ImageRef: hypervisor.ImageRef{Template: uid.New[uid.Template](), Store: s.store, StoreURL: s.url}, URL: s.image, Format: "QCOW2",
	}
	for name, hit := range map[string]func(*http.Request) bool{
		"begins":  func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploads") },
		"a part":  func(r *http.Request) bool { return r.Method == http.MethodPut && r.URL.Query().Has("partNumber") },
		"the end": func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Query().Has("uploadId") },
		"record": func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".json")
		},
	} {
		s.s3.Fail(hit)
		_, err := s.driver.FetchImage(t.Context(), s.host, image)
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("%s: got %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "X-Amz") || strings.Contains(err.Error(), "Signature")) {
			t.Errorf("%s: the error opens the bucket: %v", name, err)
		}
		s.s3.Fail(nil)
		if name != "record" { // with what the host has made already, or without
			_, err = s.driver.FetchImage(t.Context(), s.host, image)
			s.must(err)
			s.nothingStaged()
		}
		s.must(s.driver.DropImage(t.Context(), s.host, image.ImageRef))
		s.empty()
	}
	_, err := s.driver.FetchImage(t.Context(), s.host, image)
	s.must(err)
	_, err = s.driver.FetchImage(t.Context(), s.host, image)
	s.must(err)
	if keys := s.s3.Keys(t); len(keys) != 2 {
		t.Errorf("of one image there is %v", keys)
	}
	s.nothingStaged()
	s.must(s.driver.DropImage(t.Context(), "", image.ImageRef)) // it needs no host
	s.empty()
}

// site is a host on this machine, behind a bus, and a bucket.
type site struct {
	t      *testing.T
	dir    string
	pool   string
	driver *buckets.Driver
	host   uid.Host
	store  uid.ImageStore
	url    string
	s3     *buckettest.Server
	image  string // where an empty image is to be had
	sent   []byte // it
}

func (s *site) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// noPorts are for machines without cards.
type noPorts struct{}

func (noPorts) Plug(context.Context, hypervisor.NIC) (kvm.Tap, error) {
	return kvm.Tap{}, errors.New("there are no ports")
}
func (noPorts) Unplug(context.Context, uid.NIC) error { return nil }

func open(t *testing.T) *site {
	t.Helper()
	for _, name := range []string{"qemu-system-x86_64", "qemu-img"} {
		if _, err := exec.LookPath(name); err != nil {
			if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), "qemu") {
				t.Fatalf("VIRGA_REQUIRE asks for qemu, but there is no %s", name)
			}
			t.Skipf("needs %s", name)
		}
	}
	dir, err := os.MkdirTemp("", "vb") // sockets are in it, whose paths are short
	s := &site{t: t, dir: dir, pool: filepath.Join(dir, "pool"), host: uid.New[uid.Host](), store: uid.New[uid.ImageStore](), s3: buckettest.New(t)}
	s.must(err)
	t.Cleanup(func() { s.must(os.RemoveAll(dir)) })
	s.must(errors.Join(os.Chmod(dir, 0o711), os.Mkdir(s.pool, 0o755), os.Mkdir(filepath.Join(dir, "web"), 0o755)))
	file := filepath.Join(dir, "web", "empty.qcow2")
	s.must(exec.CommandContext(t.Context(), "qemu-img", "create", "-q", "-f", "qcow2", file, "1M").Run())
	s.sent, err = os.ReadFile(file)
	s.must(err)
	web := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(file))))
	t.Cleanup(web.Close)
	s.image = web.URL + "/empty.qcow2"

	o := kvm.Options{
		Host: s.host, Dir: filepath.Join(dir, "h"), Ports: noPorts{}, Fetcher: download.New(netip.MustParsePrefix("127.0.0.0/8")),
		Carrier: bucket.NewCarrier(), Accelerator: "tcg",
	}
	if os.Getuid() == 0 {
		o.User = &kvm.User{UID: 65534, GID: 65534}
	}
	machines, err := kvm.Open(o)
	s.must(err)
	t.Cleanup(func() {
		guests, err := machines.Guests(context.WithoutCancel(t.Context()), s.host)
		for _, g := range guests {
			err = errors.Join(err, machines.Stop(context.WithoutCancel(t.Context()), s.host, g.VM, true))
		}
		s.must(errors.Join(err, machines.Close()))
	})
	s.must(machines.Recover(t.Context()))
	s.driver = buckets.New(remote.New(s.bus(machines)), func(context.Context, uid.ImageStore) (*bucket.Bucket, error) {
		return bucket.Open(bucket.Place{
			Endpoint: s.s3.Endpoint, Bucket: buckettest.Bucket, AccessKey: secret.New(buckettest.AccessKey), SecretKey: secret.New(buckettest.SecretKey),
			Tries: 1,
		})
	})
	s.url = hypervisor.BucketScheme + s.s3.Endpoint + "/" + buckettest.Bucket
	return s
}

// bus puts the host behind a bus, and gives the server's end.
func (s *site) bus(machines *kvm.Driver) *bus.Conn {
	key, err := bus.NewKey()
	s.must(err)
	public, err := key.Public()
	s.must(err)
	server, client := bustest.TLS(s.t)
	quiet := slog.New(slog.DiscardHandler)
	b, err := bus.Open(bus.Options{Listen: "127.0.0.1:0", TLS: server, Log: quiet, Admit: func(d bus.Dialed) (string, error) {
		if d.Key != public {
			return "", errors.New("unknown")
		}
		return string(s.host), nil
	}})
	s.must(err)
	s.t.Cleanup(b.Close)
	c, err := bus.Dial(bus.DialOptions{Server: b.Address().String(), TLS: client, Name: string(s.host), Key: key, Log: quiet})
	s.must(err)
	s.t.Cleanup(c.Close)
	s.must(remote.Serve(c, s.host, machines, quiet))
	return b.Conn()
}

// empty wants nothing in the bucket, and nothing on its way.
func (s *site) empty() {
	s.t.Helper()
	if keys := s.s3.Keys(s.t); len(keys) > 0 {
		s.t.Errorf("left in the bucket: %v", keys)
	}
	s.nothingStaged()
}

func (s *site) nothingStaged() {
	s.t.Helper()
	if left, _ := filepath.Glob(filepath.Join(s.dir, "h", "stages", "*", "*", "*")); len(left) > 0 {
		s.t.Errorf("left on the host: %v", left)
	}
}
