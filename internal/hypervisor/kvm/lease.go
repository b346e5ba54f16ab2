package kvm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qcow"
	"github.com/virga-cloud/virga/uid"
)

// signsDir is where hosts leave signs of life in a pool, each in a file of its own.
const signsDir = "hosts"

// looking is how long it may take to look into a pool for somebody else.
const looking = 5 * time.Second

// signs are how it stands with this host's signs of life, by the folders of pools.
type signs struct {
	mu sync.Mutex
	in map[string]*sign
}

// sign is how it stands with them in one pool.
type sign struct {
	last   time.Duration // when the last one that is in the storage was begun, since the kernel started
	device uint64        // of the file system that it is in
	busy   bool          // one is on its way
}

// sinceBoot also counts the time in which this host was suspended: its machines' leases run out in it.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // there is such a clock
	}
	return time.Duration(t.Nano())
}

// leave leaves a sign of life in a pool. It is another one each time, also after the host's own restart. It returns when it is in the
// storage, which may be never.
func (d *Driver) leave(dir string) error {
	began := sinceBoot()
	var at syscall.Stat_t
	if err := syscall.Stat(dir, &at); err != nil {
		return err
	}
	d.signs.mu.Lock()
	was := d.signs.in[dir]
	d.signs.mu.Unlock()
	if was != nil && was.device != 0 && was.device != at.Dev {
		return errors.New("another file system is mounted there")
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, signsDir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, signsDir, string(d.Host)), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %020d\n", strings.TrimSpace(string(boot)), began)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	d.signs.mu.Lock()
	defer d.signs.mu.Unlock()
	if s := d.signs.in[dir]; s != nil {
		s.last, s.device = max(s.last, began), at.Dev
	} else {
		d.signs.in[dir] = &sign{last: began, device: at.Dev}
	}
	return nil
}

// within does what may never return, and does not wait for it then.
func within(ctx context.Context, patience time.Duration, do func() error) error {
	done := make(chan error, 1)
	go func() { done <- do() }()
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case err := <-done:
		return err
	case <-wait.Done():
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("nothing came of it in %s", patience)
	}
}

// lease leaves a sign of life in all pools of a machine that is to have a lease, before it runs: who looks at an old one must not take
// the machine for ended.
func (d *Driver) lease(ctx context.Context, m hypervisor.Machine) error {
	for _, dir := range d.leasedIn(m) {
		if err := within(ctx, d.Lease/2, func() error { return d.leave(dir) }); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return fault.Conflictf("machine %s can't run here: host %s can leave no sign of life in %s: %v", m.VM, d.Host, dir, err)
		}
	}
	return nil
}

// leasedIn gives the pools in which a machine needs its host's signs of life.
func (d *Driver) leasedIn(m hypervisor.Machine) (dirs []string) {
	if !m.Leased {
		return nil
	}
	for _, a := range m.Disks {
		if dir, err := d.place(a.PoolURL); err == nil {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// keepLeases leaves signs of life for as long as the driver is there, and ends machines whose lease is out.
func (d *Driver) keepLeases() {
	tick := time.NewTicker(d.Lease / 6)
	defer tick.Stop()
	for {
		select {
		case <-d.life.Done():
			return
		case <-tick.C:
			d.renewLeases()
		}
	}
}

func (d *Driver) renewLeases() {
	needed := map[string][]*guest{}
	d.mu.Lock()
	for _, g := range d.guests {
		if g.runs() {
			for _, dir := range d.leasedIn(g.Machine) {
				needed[dir] = append(needed[dir], g)
			}
		}
	}
	d.mu.Unlock()
	now := sinceBoot()
	d.signs.mu.Lock()
	defer d.signs.mu.Unlock()
	for dir, s := range d.signs.in {
		if needed[dir] == nil && !s.busy {
			delete(d.signs.in, dir)
		}
	}
	for dir, guests := range needed {
		s := d.signs.in[dir]
		if s == nil { // it was found running: see Recover
			s = &sign{last: now}
			d.signs.in[dir] = s
		}
		if !s.busy {
			s.busy = true
			go d.renew(dir, s) // nobody waits for it: storage that is gone may hold it for ever
		}
		if now-s.last > d.Lease {
			for _, g := range guests {
				d.Log.Error("a machine is ended: its host can leave no sign of life in the pool of its disks, and it may be started elsewhere",
					"machine", g.vm, "pool", dir, "since", now-s.last)
				if err := g.Process.kill(); err != nil {
					d.Log.Error("it can't be ended", "machine", g.vm, "error", err)
				}
			}
		}
	}
}

func (d *Driver) renew(dir string, s *sign) {
	err := d.leave(dir)
	if err != nil {
		d.Log.Warn("no sign of life can be left", "pool", dir, "error", err)
	}
	d.signs.mu.Lock()
	defer d.signs.mu.Unlock()
	s.busy = false
}

// Sign implements [hypervisor.Witness].
func (d *Driver) Sign(ctx context.Context, on uid.Host, p hypervisor.PoolRef, of uid.Host) (sign string, err error) {
	if err := errors.Join(d.here(ctx, on), checkID(of)); err != nil {
		return "", err
	}
	dir, err := d.place(p.URL)
	if err != nil {
		return "", err
	}
	read := make(chan string, 1)
	err = within(ctx, looking, func() error {
		if _, err := os.Stat(dir); err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, signsDir, string(of)))
		read <- strings.TrimSpace(string(text))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		return "", unseen(ctx, on, dir, err)
	}
	return <-read, nil
}

// Held implements [hypervisor.Witness].
func (d *Driver) Held(ctx context.Context, on uid.Host, ref hypervisor.DiskRef) (bool, error) {
	if err := d.here(ctx, on); err != nil {
		return false, err
	}
	path, err := d.path(ref)
	if err != nil {
		return false, err
	}
	held := make(chan bool, 1)
	err = within(ctx, looking, func() error {
		used, err := qcow.InUse(path)
		held <- used
		return err
	})
	if err != nil {
		return false, unseen(ctx, on, path, err)
	}
	return <-held, nil
}

// unseen is the error of a look that failed.
func unseen(ctx context.Context, on uid.Host, path string, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return fault.Conflictf("host %s can't look at %s: %v", on, path, err)
}
