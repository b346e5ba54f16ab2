package cloud

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/virga-cloud/virga/internal/account"
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

// beginning is the folder, in the cloud's, that holds its files as they were when it began.
const beginning = "beginning"

// OpenSandbox opens a sandbox, made if it is not there, and begins its work.
func OpenSandbox(ctx context.Context, in SandboxIn) (*Sandbox, error) {
	s := &Sandbox{in: in}
	fresh := false
	if in.Database == "" {
		_, err := os.Stat(filepath.Join(in.Dir, DatabaseFile))
		fresh = errors.Is(err, fs.ErrNotExist)
		s.resetter = s.reset
	} else {
		s.resetter = func(context.Context) error {
			return fault.Conflictf("this sandbox is on PostgreSQL, which others may share: only one in a folder of its own is put back")
		}
	}
	cl, err := s.open(ctx, false)
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

// open opens the cloud; migrated says that its tables are this program's.
func (s *Sandbox) open(ctx context.Context, migrated bool) (*Cloud, error) {
	c := s.in.Config
	c.Reset = s.resetter
	c.DBOptions.SkipMigrations = migrated
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

// keep copies the cloud's files as they are now.
func (s *Sandbox) keep(ctx context.Context, cl *Cloud) error {
	to := filepath.Join(s.in.Dir, beginning)
	if err := os.RemoveAll(to); err != nil {
		return err
	}
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if err := cl.DB.CopyTo(ctx, filepath.Join(to, DatabaseFile)); err != nil {
		return err
	}
	return cl.World.CopyTo(ctx, filepath.Join(to, filepath.Base(s.in.World)))
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
	from := filepath.Join(s.in.Dir, beginning)
	if _, err := os.Stat(filepath.Join(from, DatabaseFile)); err != nil {
		return fault.Conflictf("the beginning of this sandbox was not kept: stop it, remove its data folder, and start it again")
	}
	ctx = context.WithoutCancel(ctx) // half of it is no use
	s.doors.Store(nil)
	if old := s.now.Swap(nil); old != nil {
		old.Close()
	}
	for file, name := range map[string]string{filepath.Join(s.in.Dir, DatabaseFile): DatabaseFile, s.in.World: filepath.Base(s.in.World)} {
		if err := put(filepath.Join(from, name), file); err != nil {
			return fmt.Errorf("put the sandbox back: %w", err)
		}
	}
	cl, err := s.open(ctx, true)
	if err != nil {
		return err
	}
	if err := s.serve(ctx, cl); err != nil {
		cl.Close()
		return err
	}
	return nil
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
