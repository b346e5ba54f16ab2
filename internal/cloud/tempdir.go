package cloud

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	tempPrefix = "virga-mem-"
	// starting is far longer than a process takes from making its database's lock file to locking it.
	starting = 10 * time.Second
)

// TempDir makes a folder for a cloud that is to vanish with its process, in memory where the machine has a file system
// there, and gives what removes it. What killed processes left goes: nothing else would free that memory.
func TempDir() (dir string, remove func(), err error) {
	bases := []string{"/dev/shm", os.TempDir()}
	for _, base := range bases {
		if dir, err = os.MkdirTemp(base, tempPrefix); err == nil {
			break
		}
	}
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for the data: %w", err)
	}
	if info, err := os.Stat(dir); err == nil {
		for _, base := range bases {
			sweepTemp(base, info.ModTime().Add(-starting)) // by the kernel's clock, which dates the others, too
		}
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

// sweepTemp removes older folders of TempDir whose processes are gone: the kernel has dropped their locks.
func sweepTemp(base string, before time.Time) {
	locks, err := filepath.Glob(filepath.Join(base, tempPrefix+"*", "virga.db.lock"))
	if err != nil {
		return // a base that reads as a bad pattern
	}
	for _, lock := range locks {
		f, err := os.OpenFile(lock, os.O_RDWR, 0)
		if err != nil {
			continue // another user's
		}
		info, err := f.Stat()
		if err == nil && info.ModTime().Before(before) && syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(filepath.Dir(lock))
		}
		_ = f.Close()
	}
}
