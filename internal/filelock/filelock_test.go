package filelock_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/virga-cloud/virga/internal/filelock"
)

func TestTake(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	one, err := filelock.Take(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := filelock.Take(path); !errors.Is(err, filelock.ErrHeld) {
		t.Errorf("taken twice: %v", err)
	}
	copied := copyOf(t, path) // as a program has that is being started
	for range 2 {
		if err := one.Close(); err != nil {
			t.Error(err)
		}
	}
	again, err := filelock.Take(path)
	if err != nil {
		t.Fatalf("after it was let go: %v", err)
	}
	if err := errors.Join(again.Close(), syscall.Close(copied)); err != nil {
		t.Error(err)
	}
	if _, err := filelock.Take(filepath.Join(path, "no folder")); err == nil || errors.Is(err, filelock.ErrHeld) {
		t.Errorf("in a file: %v", err)
	}
}

// copyOf gives another descriptor of the file that this process has open under a path.
func copyOf(t *testing.T, path string) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc")
	}
	for _, e := range entries {
		link := filepath.Join("/proc/self/fd", e.Name())
		if to, err := os.Readlink(link); err != nil || to != path {
			continue
		}
		var fd int
		for _, c := range e.Name() {
			fd = 10*fd + int(c-'0')
		}
		copied, err := syscall.Dup(fd)
		if err != nil {
			t.Fatal(err)
		}
		return copied
	}
	t.Fatalf("%s is not open", path)
	return -1
}
