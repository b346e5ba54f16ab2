package filelock_test

import (
	"errors"
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
	copied, err := filelock.Copied(one) // as a program has it that is being started
	if err != nil {
		t.Fatal(err)
	}
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
