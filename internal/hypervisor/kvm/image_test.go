package kvm

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

func TestImages(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	web := filepath.Join(s.dir, "web")
	s.must(os.Mkdir(web, 0o755))
	secret := filepath.Join(s.dir, "secret")
	s.must(os.WriteFile(secret, bytes.Repeat([]byte("secret!\n"), 64), 0o644))
	img := func(args ...string) {
		t.Helper()
		cmd := exec.Command("qemu-img", args...)
		cmd.Dir = web
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("qemu-img %v: %v: %s", args, err, out)
		}
	}
	img("create", "-f", "qcow2", "good", "2M")
	img("create", "-f", "qcow2", "-F", "raw", "-b", secret, "layer")
	img("create", "-f", "qcow2", "-o", "data_file="+secret+",data_file_raw=on", "elsewhere", "512")
	img("create", "-f", "raw", "raw", "1M")
	img("create", "-f", "vpc", "vhd", "4M")
	img("convert", "-f", "raw", "-O", "vmdk", "raw", "vmdk")
	img("create", "-f", "qcow2", "large", "1T")
	s.must(os.WriteFile(filepath.Join(web, "list"), []byte("# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType=\"monolithicFlat\"\nRW 1 FLAT \""+secret+"\" 0\n"), 0o644))
	good, err := os.ReadFile(filepath.Join(web, "good"))
	s.must(err)
	sum := sha256.Sum256(good)
	server := httptest.NewServer(http.FileServer(http.Dir(web)))
	defer server.Close()

	for _, c := range []struct {
		file, format, checksum string
		wants                  string // "" for an image
	}{
		{"good", "QCOW2", "{SHA-256}" + hex.EncodeToString(sum[:]), ""},
		{"good", "qcow2", strings.ToUpper(hex.EncodeToString(sum[:])), ""},
		{"good", "QCOW2", "{MD5}" + hex.EncodeToString(sum[:16]), "the checksum is"},
		{"good", "QCOW2", "{CRC}12", "no known kind"},
		{"layer", "QCOW2", "", "a layer on another file"},
		{"elsewhere", "QCOW2", "", "data in another file"},
		{"list", "VMDK", "", "a list of other files"},
		{"large", "QCOW2", "", "are allowed"},
		{"raw", "QCOW2", "", "qemu-img info"},
		{"good", "OVA", "", "format OVA"},
		{"none", "QCOW2", "", "404"},
		{"raw", "RAW", "", ""},
		{"layer", "RAW", "", ""}, // it is what it is: bytes, and no layer on anything
		{"vhd", "VHD", "", ""},
		{"vmdk", "VMDK", "", ""},
		{"good", "ISO", "", ""},
	} {
		ref := hypervisor.ImageRef{Template: uid.New[uid.Template](), Store: s.store, StoreURL: "file://" + s.images}
		r, err := s.FetchImage(t.Context(), s.ids[0], hypervisor.Image{
			ImageRef: ref, URL: server.URL + "/" + c.file, Format: c.format, Checksum: c.checksum, MostBytes: 1 << 30,
		})
		s.sends(filepath.Join(web, c.file), hypervisor.Sent{Format: c.format, Checksum: c.checksum, MostBytes: 1 << 30}, c.wants)
		switch {
		case c.wants == "" && (err != nil || r.Bytes <= 0):
			t.Errorf("%s as %s is %+v, %v", c.file, c.format, r, err)
		case c.wants != "" && (!fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), c.wants)):
			t.Errorf("%s as %s is %v, want a conflict with %q", c.file, c.format, err, c.wants)
		}
		if left, _ := filepath.Glob(filepath.Join(s.images, imagesDir, string(ref.Template)+"*")); c.wants != "" && len(left) > 0 {
			t.Errorf("%s as %s left %v", c.file, c.format, left)
		}
		if c.wants == "" && c.format != "ISO" { // it can be used
			d := hypervisor.Disk{
				DiskRef: hypervisor.DiskRef{Volume: uid.New[uid.Volume](), Pool: uid.New[uid.Pool](), PoolURL: "file://" + s.pool},
				Bytes:   8 << 20, Template: ref.Template, TemplateBytes: r.Bytes, Store: ref.Store, StoreURL: ref.StoreURL,
			}
			s.must(s.MakeDisk(t.Context(), s.ids[0], d))
			d.Volume, d.Bytes = uid.New[uid.Volume](), r.Bytes/2
			if err := s.MakeDisk(t.Context(), s.ids[0], d); !fault.Is(err, fault.Conflict) {
				t.Errorf("a disk that is smaller than its template is %v", err)
			}
		}
	}
}

// sends wants what is in a file to be taken as an image and as what a volume is made from, or to be refused and not to be left.
func (s *site) sends(path string, as hypervisor.Sent, wants string) {
	s.t.Helper()
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	s.must(err)
	for _, at := range []hypervisor.Stored{{Template: uid.New[uid.Template]()}, {Snapshot: uid.New[uid.Snapshot]()}} {
		at.Store, at.StoreURL = s.store, "file://"+s.images
		wants := wants
		if as.Format == "ISO" && at.Snapshot != "" {
			wants = "of a CD"
		}
		for offset := 0; offset == 0 || offset < len(content); offset += hypervisor.MostPiece {
			piece := content[offset:min(offset+hypervisor.MostPiece, len(content))]
			s.must(s.WriteStored(s.t.Context(), s.ids[0], at, int64(offset), piece))
		}
		as.Bytes = int64(len(content))
		r, err := s.TakeStored(s.t.Context(), s.ids[0], at, as)
		left, _ := filepath.Glob(filepath.Join(s.images, "*", sentName(at)+"*"))
		switch {
		case wants == "" && (err != nil || r.Bytes <= 0 || r.StoredBytes <= 0 || len(left) == 0):
			s.t.Errorf("%s sent as %+v is %+v, %v: %v", path, as, r, err, left)
		case wants != "" && (!fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), wants) || len(left) > 0):
			s.t.Errorf("%s sent as %+v is %v, want a conflict with %q, and left %v", path, as, err, wants, left)
		}
	}
}

func sentName(at hypervisor.Stored) string { return string(at.Template) + string(at.Snapshot) }

func TestPlaces(t *testing.T) {
	t.Parallel()
	d := &Driver{Options: Options{Roots: []string{"/srv/virga"}}}
	for url, want := range map[string]string{
		"file:///srv/virga/pool": "/srv/virga/pool", "file:///srv/virga": "/srv/virga", "sharedmountpoint://host/srv/virga/a": "/srv/virga/a",
		"file:///srv/virga/../../etc": "", "file:///etc": "", "nfs://server/srv/virga": "", "file://srv": "", "": "", "file:///srv/virgas": "",
	} {
		if got, err := d.place(url); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is at %q, %v; want %q", url, got, err, want)
		}
	}
	if err := checkID(uid.VM("../../../etc/passwd")); err == nil {
		t.Error("a path is no id")
	}
}

// Whatever /dev/kvm promises, guests run on what has been seen to work; it is looked at once.
func TestAccelerator(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	d := s.hosts[s.ids[0]]
	d.Accelerator = ""
	first, err := d.accelerator(t.Context())
	s.must(err)
	if first != "kvm" && first != "tcg" {
		t.Errorf("guests run on %q", first)
	}
	content, err := os.ReadFile(filepath.Join(d.Dir, "accelerator"))
	s.must(err)
	before, _, _ := strings.Cut(string(content), "\n")
	other := map[string]string{"kvm": "tcg", "tcg": "kvm"}[first]
	s.must(os.WriteFile(filepath.Join(d.Dir, "accelerator"), []byte(before+"\n"+other), 0o600))
	d.proven = ""
	if again, err := d.accelerator(t.Context()); err != nil || again != other {
		t.Errorf("what was written down is %q, but guests run on %q, %v", other, again, err)
	}
	d.proven = ""
	s.must(os.WriteFile(filepath.Join(d.Dir, "accelerator"), []byte("another boot\n"+other), 0o600))
	if again, err := d.accelerator(t.Context()); err != nil || again != first {
		t.Errorf("after another start guests run on %q, %v; want %q", again, err, first)
	}
}
