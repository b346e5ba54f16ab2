package vrouter

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/uid"
)

// Config says where routers are, and by what they are served.
type Config struct {
	Fabric   *vnet.Fabric
	State    string   // the folder for what must be known after a restart
	Spaces   string   // begins the names of the routers' network namespaces on this host
	Metadata []string // the program that answers guests: it calls [metadata.Child]
	User     uint32   // whose processes services are: a user who may do nothing
	Log      *slog.Logger
}

// Routers are the virtual routers of a host. Its methods may be called by many goroutines at once; those for one router take
// turns.
type Routers struct {
	Config

	run string // the folder for what services read, who are nobody: others can go through the folders above it

	mu      sync.Mutex
	routers map[uid.Router]*router
}

// router is one of them.
type router struct {
	*Routers

	id  uid.Router
	dir string

	mu    sync.Mutex
	doc   hypervisor.Router // applied last; its version is 0 where none is
	known map[string]string // what goes wrong with its parts, by name
}

// Open takes up the routers of a host where they were left. None is touched: that is [Routers.Recover].
func Open(c Config) (*Routers, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	r := &Routers{Config: c, run: c.State, routers: map[uid.Router]*router{}}
	if err := folder(c.State); err != nil {
		return nil, err
	}
	if !open(c.State) {
		r.run = filepath.Join(volatile, strings.Trim(c.Spaces, "-"))
		if err := errors.Join(folder(volatile), folder(r.run)); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(c.State)
	if err != nil {
		return nil, fmt.Errorf("routers: %w", err)
	}
	for _, e := range entries {
		id, err := uid.Parse[uid.Router](e.Name())
		if err != nil {
			continue
		}
		one := r.router(id)
		if err := vnet.Read(one.file("router.json"), &one.doc); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return r, nil
}

// volatile is where services have their files when others can't go through the folders above the state's. It need not
// outlive the machine: all is written again, and addresses are reserved, not leased out.
const volatile = "/run/virga"

// open tells whether others can go through a folder and all above it.
func open(path string) bool {
	for above := filepath.Clean(path); above != filepath.Dir(above); above = filepath.Dir(above) {
		if info, err := os.Stat(above); err != nil || info.Mode()&0o001 == 0 {
			return false
		}
	}
	return true
}

// folder makes a folder that others may go through and not look into.
func folder(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return fmt.Errorf("folder for routers: %w", err)
	}
	return os.Chmod(path, 0o711) //nolint:gosec // services that are nobody's have their files in it
}

// router gives the place of a router among the others.
func (r *Routers) router(id uid.Router) *router {
	r.mu.Lock()
	defer r.mu.Unlock()
	one := r.routers[id]
	if one == nil {
		one = &router{Routers: r, id: id, dir: filepath.Join(r.State, string(id)), known: map[string]string{}}
		r.routers[id] = one
	}
	return one
}

// take gives a router when it is the caller's turn; its mu is locked. While somebody waited, it may have ended: then it is another.
func (r *Routers) take(id uid.Router) *router {
	for {
		one := r.router(id)
		one.mu.Lock()
		if r.router(id) == one {
			return one
		}
		one.mu.Unlock()
	}
}

func (r *router) file(name string) string { return filepath.Join(r.dir, name) }

// shared is a file that services read.
func (r *router) shared(name string) string { return filepath.Join(r.run, string(r.id), name) }

// space is the name of a router's network namespace.
func (r *Routers) space(id uid.Router) string { return r.Spaces + string(id) }

// ApplyRouter makes a router what its document says.
func (r *Routers) ApplyRouter(ctx context.Context, doc hypervisor.Router) error {
	if !uid.Valid(string(doc.ID)) {
		return fault.Invalidf("a router's id %q is none", doc.ID)
	}
	if _, err := read(doc); err != nil { // what is wrong is wrong whatever has been applied
		return err
	}
	one := r.take(doc.ID)
	defer one.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if doc.Version <= one.doc.Version {
		return nil
	}
	doc, err := doc.Over(one.doc)
	if err != nil {
		return err
	}
	if err := one.converge(ctx, doc); err != nil {
		return fmt.Errorf("router %s: %w", doc.Name, err)
	}
	if err := vnet.Write(one.file("router.json"), doc); err != nil {
		return err
	}
	one.doc = doc
	return nil
}

// DropRouter ends a router and leaves nothing of it.
func (r *Routers) DropRouter(ctx context.Context, id uid.Router) error {
	if !uid.Valid(string(id)) {
		return fault.Invalidf("a router's id %q is none", id)
	}
	one := r.take(id)
	defer one.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := one.end(ctx); err != nil {
		return fmt.Errorf("end router %s: %w", id, err)
	}
	one.doc, one.known = hypervisor.Router{}, map[string]string{}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.routers, id)
	return nil
}

// Recover puts in order what should run, after a restart of this process or of the machine, and whenever something may have
// ended. What runs as it should is not touched.
func (r *Routers) Recover(ctx context.Context) error {
	var errs []error
	for _, one := range r.all() {
		one.mu.Lock()
		if one.doc.Version > 0 {
			if err := one.converge(ctx, one.doc); err != nil {
				errs = append(errs, fmt.Errorf("router %s: %w", one.doc.Name, err))
			}
		}
		one.mu.Unlock()
	}
	return errors.Join(errs...)
}

// Sweep ends all routers of this host but some, known or not.
func (r *Routers) Sweep(ctx context.Context, keep []uid.Router) error {
	names, err := vnet.SpaceNames(r.Spaces)
	if err != nil {
		return err
	}
	var there []uid.Router
	for _, name := range names {
		if id, err := uid.Parse[uid.Router](strings.TrimPrefix(name, r.Spaces)); err == nil {
			there = append(there, id)
		}
	}
	for _, one := range r.all() {
		there = append(there, one.id)
	}
	slices.Sort(there)
	var errs []error
	for _, id := range slices.Compact(there) {
		if !slices.Contains(keep, id) {
			errs = append(errs, r.DropRouter(ctx, id))
		}
	}
	if r.run != r.State && len(keep) == 0 {
		_, _ = os.Remove(r.run), os.Remove(volatile) // where nothing is in them
	}
	return errors.Join(errs...)
}

// Routers lists the routers, by ascending id.
func (r *Routers) Routers(ctx context.Context) ([]hypervisor.RouterReport, error) {
	var reports []hypervisor.RouterReport
	for _, one := range r.all() {
		one.mu.Lock()
		report, err := one.report(ctx)
		one.mu.Unlock()
		if err != nil {
			return nil, fmt.Errorf("router %s: %w", one.id, err)
		}
		if report.Version > 0 {
			reports = append(reports, report)
		}
	}
	return reports, nil
}

func (r *Routers) all() []*router {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make([]*router, 0, len(r.routers))
	for _, one := range r.routers {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *router) int { return strings.Compare(string(a.id), string(b.id)) })
	return all
}
