package qcow

import (
	"context"
	"errors"
	"os"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Where QEMU puts its locks in a file (block/file-posix.c): from 100 on what a process does with it, from 200 on what it lets
// others do. Ours stands behind both.
const (
	usedFrom = 100
	usedLen  = 200
	oursAt   = 400
)

// InUse tells whether any process has an image open, here or on another host that has the storage too.
func InUse(path string) (bool, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }()
	l := syscall.Flock_t{Type: syscall.F_WRLCK, Start: usedFrom, Len: usedLen}
	if err := syscall.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &l); err != nil {
		return false, err
	}
	return l.Type != syscall.F_UNLCK, nil
}

// Held are files on which nobody else has a turn.
type Held []*os.File

// Hold waits for a turn at files that are there: whoever is about to give one to a machine, or take one away, has it meanwhile. It is
// let go when this process ends, at the latest.
func Hold(ctx context.Context, paths ...string) (h Held, err error) {
	defer func() {
		if err != nil {
			h.Release()
		}
	}()
	paths = slices.Compact(slices.Sorted(slices.Values(paths))) // all in one order, so that no two wait for each other
	for _, path := range paths {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return h, err
		}
		h = append(h, f)
		if err := hold(ctx, f); err != nil {
			return h, err
		}
	}
	return h, nil
}

// Release ends the turn.
func (h Held) Release() {
	for _, f := range h {
		_ = f.Close()
	}
}

func hold(ctx context.Context, f *os.File) error {
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		l := syscall.Flock_t{Type: syscall.F_WRLCK, Start: oursAt, Len: 1}
		err := syscall.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &l)
		if err == nil || !errors.Is(err, syscall.EAGAIN) && !errors.Is(err, syscall.EACCES) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-again.C:
		}
	}
}
