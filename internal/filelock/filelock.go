// Package filelock keeps what stands in a file or a folder from being used by two processes, or twice by one.
package filelock

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"syscall"
)

// ErrHeld is what somebody else has.
var ErrHeld = errors.New("it is locked")

// Lock is held until it is closed, or its process ends.
type Lock struct {
	file *os.File
	once sync.Once
	err  error
}

// Take takes the lock that a file stands for, which is made where it is not there. Where another one has it, it is [ErrHeld] at once.
func Take(path string) (*Lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		_ = f.Close()
	}
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return nil, fmt.Errorf("%s: %w", path, ErrHeld)
	case err != nil:
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &Lock{file: f}, nil
}

// Close lets go. It may be called again. To close the file would not do: a program that is being started at this moment has it open,
// too, until it has become that program.
func (l *Lock) Close() error {
	l.once.Do(func() { l.err = errors.Join(syscall.Flock(int(l.file.Fd()), syscall.LOCK_UN), l.file.Close()) })
	return l.err
}
