// Package sim is a simulated data centre: hosts that exist only as rows, and machines and disks on them that take the time
// and fail the way a test or a drill tells them to. It is [hypervisor.Driver]'s reference: strict where real hosts are
// dangerous, so that a machine started twice or a disk shared by two is an error and not a corruption found later.
//
// Its world is a SQLite file of its own, apart from the control plane's memory and database. Several processes may have the
// same file open, and killing one of them kills no guest.
package sim

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Options say how long things take in a world. The zero value is a world where everything is done at once.
type Options struct {
	Boot   time.Duration // from a start to the answer; the machine counts as running from the beginning
	Stop   time.Duration // from the wish to the end of the machine
	Reboot time.Duration
	Copy   time.Duration // of a template into a new disk, which is there at the end

	// Wait waits for a duration or until the context is done, whose error it then returns; nil waits in real time.
	Wait func(context.Context, time.Duration) error
	// Now is the time by which leases run out; nil is a clock that stands still.
	Now func() time.Time
}

// World is a simulated data centre. It is a [hypervisor.Driver], [hypervisor.Enroller], [hypervisor.Watcher], [hypervisor.Networker],
// [hypervisor.Scripter] and all that running machines can be asked for, for any number of goroutines.
type World struct {
	store   *store
	options Options
	temp    string // folder to remove at Close, "" for none

	doubles  atomic.Int64
	lockless atomic.Bool

	mu   sync.Mutex
	says map[uid.Router]hypervisor.RouterReport // what went on in routers, by [World.Happened]

	coming map[uid.Template]hypervisor.Fetched // by [World.Coming]
}

// Open opens the world in a file, which is made if it is not there. With path "" the world is private and vanishes at Close.
// The options are this process's: another one may have opened the same file with others.
func Open(path string, o Options) (*World, error) {
	w := &World{options: o}
	if w.options.Wait == nil {
		w.options.Wait = wait
	}
	if w.options.Now == nil {
		w.options.Now = func() time.Time { return time.Unix(1, 0) }
	}
	if path == "" {
		var err error
		if w.temp, err = os.MkdirTemp("", "virga-sim-"); err != nil {
			return nil, err
		}
		path = filepath.Join(w.temp, "world.db")
	}
	var err error
	if w.store, err = openStore(path); err != nil {
		w.removeTemp()
		return nil, err
	}
	return w, nil
}

// Close lets go of the file after the calls that are under way; later ones fail. It may be called again.
func (w *World) Close() error {
	err := w.store.close()
	w.removeTemp()
	return err
}

// CopyTo writes the world as it is into a new file.
func (w *World) CopyTo(ctx context.Context, path string) error {
	conn, err := w.store.pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	return conn.Raw(func(driver any) error {
		content, err := driver.(interface{ Serialize() ([]byte, error) }).Serialize()
		if err != nil {
			return err
		}
		return os.WriteFile(path, content, 0o600)
	})
}

// Recover has nothing to find again: the world never stopped.
func (w *World) Recover(ctx context.Context) error { return ctx.Err() }

func (w *World) removeTemp() {
	if w.temp != "" {
		_ = os.RemoveAll(w.temp) // what stays behind is in the system's folder for such things
	}
}

func (w *World) pause(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	return w.options.Wait(ctx, d)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
