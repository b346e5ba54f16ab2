package kvm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/filelock"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/load"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/pulse"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qcow"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/turn"
	"github.com/virga-cloud/virga/uid"
)

// Options are what a driver works with. Host, Dir and Ports are needed.
type Options struct {
	Host    uid.Host // whose machines these are
	Dir     string   // what the driver keeps; its path is short, since sockets are in it
	Ports   Ports
	Fetcher Fetcher // brings images; without one there are none from elsewhere
	Carrier Carrier // carries what is in buckets; without one stores are folders

	// Accelerator is "kvm" or "tcg"; "" finds out which by booting a guest.
	Accelerator string
	// User is who QEMU runs as; nil is whoever runs this process. Folders above Dir and above pools must let that user through.
	User *User
	// Patience is how long a guest that was asked to shut itself down is waited for; 0 is a minute.
	Patience time.Duration
	// Lease is how long machines with one run on without this host's signs of life; 0 is [hypervisor.Lease].
	Lease time.Duration
	// Listen is this host's address, at which machines arrive from other hosts; without it none do.
	Listen string
	// Roots are the folders that pools and stores of images may be in; none means any.
	Roots []string

	Log *slog.Logger // nil for none
}

// User is an unprivileged user of this host.
type User struct {
	UID, GID uint32
	Groups   []uint32 // others that it is in: the one that may use /dev/kvm
}

const (
	patience = time.Minute
	// maxDir leaves a socket's path room: 108 bytes are all that there is.
	maxDir = 108 - len("/guests/0192f0c1-2b6e-7c3a-9d41-5f0e8a7b6c5d/run/serial.sock") - 1
)

// Driver is a [hypervisor.Driver] for one host.
type Driver struct {
	Options
	qemu  string
	image qcow.Tool
	lock  *filelock.Lock // on Dir: two drivers would both think that the machines are theirs
	turns turn.Turns[string]

	coming sync.Map // [hypervisor.Fetched] by template, of those that are being fetched
	pulse  *pulse.Pulse
	gauge  *load.Gauge

	mu      sync.Mutex
	guests  map[uid.VM]*guest
	tending sync.WaitGroup
	stop    context.CancelFunc
	finding time.Duration
	life    context.Context // ends with the driver

	accel  sync.Mutex
	proven string // the accelerator, once it is known
}

// Open takes up a folder. [Driver.Recover] must be called before anything else.
func Open(o Options) (_ *Driver, err error) {
	d := &Driver{Options: o, guests: map[uid.VM]*guest{}, pulse: pulse.New(string(o.Host)), finding: finding}
	if len(o.Dir) > maxDir {
		return nil, fmt.Errorf("the folder's path %q is longer than %d bytes, and sockets in it would not work", o.Dir, maxDir)
	}
	if d.gauge, err = load.New(); err != nil {
		return nil, err
	}
	if d.Patience == 0 {
		d.Patience = patience
	}
	if d.Lease == 0 {
		d.Lease = hypervisor.Lease
	}
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.qemu, err = exec.LookPath("qemu-system-x86_64"); err != nil {
		return nil, fmt.Errorf("machines need QEMU (Debian: qemu-system-x86): %w", err)
	}
	if d.image.Path, err = exec.LookPath("qemu-img"); err != nil {
		return nil, fmt.Errorf("disks need qemu-img (Debian: qemu-utils): %w", err)
	}
	if err := d.folder(d.Dir, d.guestsDir()); err != nil {
		return nil, err
	}
	d.lock, err = filelock.Take(filepath.Join(d.Dir, "lock"))
	if errors.Is(err, filelock.ErrHeld) {
		return nil, fmt.Errorf("another agent has %s: %w", d.Dir, err)
	}
	if err != nil {
		return nil, err
	}
	d.life, d.stop = context.WithCancel(context.Background())
	d.tending.Go(d.tend)
	d.tending.Go(d.keepLeases)
	return d, nil
}

// Close lets go of the machines, which run on. It may be called again.
func (d *Driver) Close() error {
	d.stop()
	d.mu.Lock()
	all := slices.Collect(maps.Values(d.guests))
	clear(d.guests)
	d.mu.Unlock()
	for _, g := range all {
		if g.mon != nil { // nobody was there to speak with
			g.mon.Close()
		}
	}
	d.tending.Wait()
	return d.lock.Close()
}

// here tells whether a call may go on: in time, and for this host.
func (d *Driver) here(ctx context.Context, host uid.Host) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case host != d.Host:
		return fault.Unavailablef("host %s does not answer: this is host %s", host, d.Host)
	case d.life.Err() != nil:
		return fault.Unavailablef("host %s does not answer: its agent ends", host)
	}
	return nil
}

// turn is here, and then waits until nobody else does something with a thing. What it gives ends the turn.
func (d *Driver) turn(ctx context.Context, host uid.Host, thing string) (func(), error) {
	if err := d.here(ctx, host); err != nil {
		return nil, err
	}
	return d.turns.Take(ctx, thing)
}

// Guests implements [hypervisor.Driver].
func (d *Driver) Guests(ctx context.Context, host uid.Host) ([]hypervisor.Guest, error) {
	if err := d.here(ctx, host); err != nil {
		return nil, err
	}
	d.mu.Lock()
	guests := slices.Collect(maps.Values(d.guests))
	d.mu.Unlock()
	var all []hypervisor.Guest
	for _, g := range guests {
		arriving := d.arrives(ctx, g)
		all = append(all, hypervisor.Guest{VM: g.vm, Running: g.runs() && !arriving, Arriving: g.runs() && arriving})
	}
	slices.SortFunc(all, func(a, b hypervisor.Guest) int { return cmp.Compare(a.VM, b.VM) })
	return all, nil
}

// found gives a machine that this host has, nil for none.
func (d *Driver) found(ctx context.Context, vm uid.VM) *guest {
	d.mu.Lock()
	g := d.guests[vm]
	d.mu.Unlock()
	if g != nil {
		d.arrives(ctx, g)
	}
	return g
}

// running is found for a machine that must run here.
func (d *Driver) running(ctx context.Context, vm uid.VM) (*guest, error) {
	if g := d.found(ctx, vm); g != nil && g.runs() && !g.Arriving {
		return g, nil
	}
	return nil, fault.Conflictf("machine %s does not run on host %s", vm, d.Host)
}

func (d *Driver) guestsDir() string { return filepath.Join(d.Dir, "guests") }

// folder makes folders that QEMU's user can go through, but not list.
func (d *Driver) folder(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o711); err != nil { //nolint:gosec // QEMU runs as another user
			return err
		}
		if d.User == nil {
			continue
		}
		for at := dir; at == dir || strings.HasPrefix(at, filepath.Join(d.Dir, stagesDir)); at = filepath.Dir(at) {
			if err := os.Chmod(at, 0o711); err != nil { //nolint:gosec // whatever the umask is
				return err
			}
		}
	}
	return nil
}

// give makes a file QEMU's own.
func (d *Driver) give(path string) error {
	if d.User == nil {
		return nil
	}
	return os.Chown(path, int(d.User.UID), int(d.User.GID))
}

// show lets QEMU read a file, and nothing more.
func (d *Driver) show(path string) error {
	if d.User != nil {
		if err := os.Chown(path, -1, int(d.User.GID)); err != nil {
			return err
		}
	}
	return os.Chmod(path, 0o440) //nolint:gosec // for the group that QEMU has
}
