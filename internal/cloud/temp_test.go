package cloud_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/cloud"
)

// What killed processes left goes; what belongs to a living one, or to somebody else, stays.
func TestTempDirSweeps(t *testing.T) {
	base := t.TempDir()
	t.Setenv("TMPDIR", base)
	folder := func(name string, age time.Duration) *os.File {
		t.Helper()
		dir := filepath.Join(base, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(filepath.Join(dir, "virga.db.lock"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = f.Close() })
		at := time.Now().Add(-age)
		if err := os.Chtimes(f.Name(), at, at); err != nil {
			t.Fatal(err)
		}
		return f
	}
	folder("virga-mem-dead", time.Hour)
	folder("virga-mem-starting", 0)
	folder("virga-postgres-other", time.Hour)
	alive := folder("virga-mem-alive", time.Hour)
	if err := syscall.Flock(int(alive.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	dir, remove, err := cloud.TempDir()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"virga-mem-dead": false, "virga-mem-starting": true, "virga-postgres-other": true, "virga-mem-alive": true,
	} {
		if _, err := os.Stat(filepath.Join(base, name)); (err == nil) != want {
			t.Errorf("%s: %v, want it to be there: %v", name, err, want)
		}
	}
	remove()
	if _, err := os.Stat(dir); err == nil {
		t.Errorf("%s is still there", dir)
	}
}
