// Package pulse leaves a host's signs of life in folders that other hosts see, too, and knows since when it could not.
package pulse

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
)

// Dir is where hosts leave signs of life in a folder, each in a file of its own.
const Dir = "hosts"

// Pulse is a host's signs of life, by the folders that they are left in. Its methods may be called concurrently.
type Pulse struct {
	name string
	mu   sync.Mutex
	in   map[string]*sign
}

// sign is how it stands with them in one folder.
type sign struct {
	last   time.Duration // when the last one that is in the storage was begun, since the kernel started
	device uint64        // of the file system that it is in
	busy   bool          // one is on its way
}

// New makes the pulse of a host, whose signs are in files of this name.
func New(name string) *Pulse { return &Pulse{name: name, in: map[string]*sign{}} }

// now also counts the time in which the host was suspended: leases run out in it.
func now() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 0 // there is such a clock
	}
	return time.Duration(t.Nano())
}

// Leave leaves a sign of life in a folder. It is another one each time, also after the host's own restart. It returns when it is in the
// storage, which may be never.
func (p *Pulse) Leave(dir string) error {
	began := now()
	var at syscall.Stat_t
	if err := syscall.Stat(dir, &at); err != nil {
		return err
	}
	p.mu.Lock()
	was := p.in[dir]
	moved := was != nil && was.device != 0 && was.device != at.Dev
	p.mu.Unlock()
	if moved {
		return errors.New("another file system is mounted there")
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(dir, Dir), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(filepath.Join(dir, Dir, p.name), os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %020d\n", strings.TrimSpace(string(boot)), began)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.in[dir]
	if s == nil {
		s = &sign{}
		p.in[dir] = s
	}
	s.last, s.device = max(s.last, began), at.Dev
	return nil
}

// Renew begins to leave signs in these folders, and forgets others. It waits for none: storage that is gone may hold one for ever. It
// gives for how long there has been none in each.
func (p *Pulse) Renew(dirs map[string]bool, failed func(dir string, err error)) map[string]time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	for dir, s := range p.in {
		if !dirs[dir] && !s.busy {
			delete(p.in, dir)
		}
	}
	silent := make(map[string]time.Duration, len(dirs))
	for dir := range dirs {
		s := p.in[dir]
		if s == nil { // machines were found running there
			s = &sign{last: now()}
			p.in[dir] = s
		}
		silent[dir] = now() - s.last
		if !s.busy {
			s.busy = true
			go p.renew(dir, s, failed)
		}
	}
	return silent
}

func (p *Pulse) renew(dir string, s *sign, failed func(dir string, err error)) {
	if err := p.Leave(dir); err != nil {
		failed(dir, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s.busy = false
}

// Read is what a host has last left in a folder; "" for nothing so far.
func Read(dir, name string) (string, error) {
	if _, err := os.Stat(dir); err != nil {
		return "", err
	}
	text, err := os.ReadFile(filepath.Join(dir, Dir, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	return strings.TrimSpace(string(text)), err
}

// Within does what may never return, and does not wait for it then.
func Within[T any](ctx context.Context, patience time.Duration, do func() (T, error)) (none T, _ error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	wait, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case r := <-done:
		return r.value, r.err
	case <-wait.Done():
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		return none, fmt.Errorf("nothing came of it in %s", patience)
	}
}
