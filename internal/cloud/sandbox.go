package cloud

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// SandboxIn says what sandbox to run.
type SandboxIn struct {
	Config
	Admin  account.BootstrapIn
	Seed   *SeedIn      // nil: it begins as a new cloud does, without a zone
	Opened func() error // is called once its files are this process's, before anything is made; nil for nothing
}

// Sandbox is a cloud on one machine that can be put back to its beginning while it runs. Whoever uses it keeps their keys.
type Sandbox struct {
	in       SandboxIn
	admin    account.Admin
	resets   sync.Mutex
	now      atomic.Pointer[Cloud] // nil while it is put back
	doors    atomic.Pointer[sandboxDoors]
	resetter func(ctx context.Context) error
}

// sandboxDoors are the handlers of one life of the cloud.
type sandboxDoors struct{ api, integration http.Handler }

const (
	// beginning is the folder, in the cloud's, that holds its files as they were when it began.
	beginning = "beginning"
	// resetting is the file, in the cloud's folder, that is there from the first thing that a reset does until its files are back: a
	// process that ends in between leaves it, and the next one goes on.
	resetting = "resetting"
)

// OpenSandbox opens a sandbox, made if it is not there, and begins its work.
func OpenSandbox(ctx context.Context, in SandboxIn) (*Sandbox, error) {
	s := &Sandbox{in: in}
	fresh := false
	switch {
	case in.World == "":
		s.resetter = func(context.Context) error {
			return fault.Conflictf("this sandbox has real machines, which can't be put back to what they were")
		}
	case in.Database == "":
		if _, err := os.Stat(s.path(resetting)); err == nil {
			if err := s.putBack(); err != nil {
				return nil, err
			}
		}
		_, err := os.Stat(s.path(DatabaseFile))
		fresh = errors.Is(err, fs.ErrNotExist)
		s.resetter = s.reset
	default:
		s.resetter = func(context.Context) error {
			return fault.Conflictf("this sandbox is on PostgreSQL, which others may share: only one in a folder of its own is put back")
		}
	}
	cl, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	if in.Opened != nil {
		err = in.Opened()
	}
	if err == nil {
		err = s.begin(ctx, cl, fresh)
	}
	if err != nil {
		cl.Close()
		return nil, err
	}
	return s, nil
}

func (s *Sandbox) path(names ...string) string {
	return filepath.Join(append([]string{s.in.Dir}, names...)...)
}

func (s *Sandbox) open(ctx context.Context) (*Cloud, error) {
	c := s.in.Config
	c.Reset = s.resetter
	return Open(ctx, c)
}

// begin makes what a sandbox begins with, keeps it where it was made by this, and lets the cloud work.
func (s *Sandbox) begin(ctx context.Context, cl *Cloud, keep bool) (err error) {
	if err := cl.SeedDefaults(ctx); err != nil {
		return fmt.Errorf("make the offerings: %w", err)
	}
	if s.admin, err = cl.Accounts.Bootstrap(ctx, s.in.Admin); err != nil {
		return fmt.Errorf("make the administrator: %w", err)
	}
	if s.in.Seed != nil {
		if err := cl.Seed(ctx, *s.in.Seed); err != nil {
			return fmt.Errorf("make the sandbox: %w", err)
		}
	}
	if keep {
		if err := s.keep(ctx, cl); err != nil {
			return fmt.Errorf("keep the sandbox's beginning: %w", err)
		}
	}
	return s.serve(ctx, cl)
}

func (s *Sandbox) serve(ctx context.Context, cl *Cloud) error {
	if err := cl.Start(ctx); err != nil {
		return err
	}
	s.now.Store(cl)
	s.doors.Store(&sandboxDoors{cl.Handler(), cl.Integration()})
	return nil
}

// keep copies the cloud's files as they are now: all of them, or none.
func (s *Sandbox) keep(ctx context.Context, cl *Cloud) error {
	half, whole := s.path(beginning+".new"), s.path(beginning)
	for _, old := range []string{half, whole} {
		if err := os.RemoveAll(old); err != nil {
			return err
		}
	}
	if err := os.Mkdir(half, 0o700); err != nil {
		return err
	}
	if err := cl.DB.CopyTo(ctx, filepath.Join(half, DatabaseFile)); err != nil {
		return err
	}
	if err := cl.World.CopyTo(ctx, filepath.Join(half, filepath.Base(s.in.World))); err != nil {
		return err
	}
	return os.Rename(half, whole)
}

// Admin is the first root admin.
func (s *Sandbox) Admin() account.Admin { return s.admin }

// Cloud is the cloud as it is now, nil while it is put back.
func (s *Sandbox) Cloud() *Cloud { return s.now.Load() }

// Handler serves the APIs of the cloud as it is at each request.
func (s *Sandbox) Handler() http.Handler {
	return s.through(func(d *sandboxDoors) http.Handler { return d.api })
}

// Integration is Handler for the port that asks nobody who calls.
func (s *Sandbox) Integration() http.Handler {
	return s.through(func(d *sandboxDoors) http.Handler { return d.integration })
}

// Present gives the certificate that was uploaded for a name, nil where none was.
func (s *Sandbox) Present(name string) *tls.Certificate {
	if cl := s.now.Load(); cl != nil {
		return cl.Present(name)
	}
	return nil
}

func (s *Sandbox) through(door func(*sandboxDoors) http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		d := s.doors.Load()
		if d == nil {
			w.Header().Set("Retry-After", "1")
			http.Error(w, "the sandbox is being put back to its beginning", http.StatusServiceUnavailable)
			return
		}
		door(d).ServeHTTP(w, r)
	})
}

// Reset puts the sandbox back to its beginning: everything that was made since is gone, jobs that are under way too.
func (s *Sandbox) Reset(ctx context.Context) error { return s.resetter(ctx) }

func (s *Sandbox) reset(ctx context.Context) error {
	s.resets.Lock()
	defer s.resets.Unlock()
	if _, err := os.Stat(s.path(beginning, DatabaseFile)); err != nil {
		return fault.Conflictf("the beginning of this sandbox was not kept: stop it, remove its data folder, and start it again")
	}
	old := s.now.Load()
	if old == nil {
		return fault.Unavailablef("the sandbox is closed")
	}
	if err := os.WriteFile(s.path(resetting), nil, 0o600); err != nil {
		return fmt.Errorf("put the sandbox back: %w", err)
	}
	ctx = context.WithoutCancel(ctx) // half of it is no use
	s.doors.Store(nil)
	s.now.Store(nil)
	old.Close()
	err := s.putBack()
	var cl *Cloud
	if err == nil {
		cl, err = s.open(ctx)
	}
	if err == nil {
		if err = s.serve(ctx, cl); err != nil {
			cl.Close()
		}
	}
	if err != nil && s.in.Log != nil { // nobody can ask for another reset: what can be done is to start anew, which goes on
		s.in.Log.Error("the sandbox could not be put back to its beginning; start it anew", "error", err)
	}
	return err
}

// putBack puts the files of the beginning in their places, while nobody has them open. It may be done again.
func (s *Sandbox) putBack() error {
	held, err := db.Hold(s.path(DatabaseFile))
	if err != nil {
		return err
	}
	defer func() { _ = held.Close() }()
	for _, file := range []string{s.in.World, s.path(DatabaseFile)} {
		if err := put(s.path(beginning, filepath.Base(file)), file); err != nil {
			return fmt.Errorf("put the sandbox back: %w", err)
		}
	}
	return os.Remove(s.path(resetting))
}

// put replaces a database file that nobody has open.
func put(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	for _, beside := range []string{"-wal", "-shm"} { // there are none after a proper end
		if err := os.Remove(to + beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.WriteFile(to+".new", content, 0o600); err != nil { //nolint:gosec // the operator names the folder
		return err
	}
	return os.Rename(to+".new", to)
}

// Close ends it.
func (s *Sandbox) Close() {
	s.resets.Lock()
	defer s.resets.Unlock()
	s.doors.Store(nil)
	if cl := s.now.Swap(nil); cl != nil {
		cl.Close()
	}
}
