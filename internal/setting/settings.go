package setting

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
)

// Poll is how soon a change that one server made is known to the others. The table is small, since it has only what was
// changed, so each time all of it is read: nothing then depends on the servers' clocks.
const Poll = 2 * time.Second

// Exists tells whether there is a thing of some scope.
type Exists func(ctx context.Context, q db.Tx, id string) (bool, error)

// Settings are the settings of a cloud, as one server knows them. All methods may be called concurrently, but for Know.
type Settings struct {
	db      *db.DB
	box     *secret.Box // seals what is secret
	log     *slog.Logger
	initial map[*Setting]any
	things  map[Scope]Exists
	around  Around
	above   sync.Map // of a domain's id: the places of those above it. A domain never moves.

	values  atomic.Pointer[values]
	loading sync.Mutex // one at a time, so that no old reading comes after a new one
	rows    []row      // as they were read last
}

// values are what was changed.
type values struct {
	in      map[where]any
	domains map[*Setting]bool // that some domain has a value of its own for
}

type where struct {
	setting *Setting
	place   Place
}

// New makes the settings of the cloud in d. They have their defaults until they are loaded.
func New(d *db.DB, log *slog.Logger, initially ...Initial) *Settings {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	s := &Settings{db: d, log: log, initial: map[*Setting]any{}, things: map[Scope]Exists{}}
	for _, i := range initially {
		s.initial[i.setting] = i.value
	}
	s.values.Store(&values{})
	return s
}

// Know says how to find out whether there is a thing of that scope, before it is given a value of its own. It is called before
// the settings are used.
func (s *Settings) Know(scope Scope, exists Exists) { s.things[scope] = exists }

func (s *Settings) value(of *Setting, places []Place) any {
	if s == nil {
		return of.fallback
	}
	known := s.values.Load()
	for _, p := range places {
		if v, ok := known.in[where{of, p}]; ok {
			return v
		}
		if p.Scope != OfDomain || !known.domains[of] {
			continue
		}
		for _, p := range s.aboveDomain(p) {
			if v, ok := known.in[where{of, p}]; ok {
				return v
			}
		}
	}
	if v, ok := known.in[where{setting: of}]; ok {
		return v
	}
	return s.initially(of)
}

// initially is the value where nobody changed it.
func (s *Settings) initially(of *Setting) any {
	if v, ok := s.initial[of]; ok {
		return v
	}
	return of.fallback
}

// Load reads what was changed. A value that this build can't read (a newer one wrote it) is left out, and logged.
func (s *Settings) Load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	rows, err := readAll(ctx, s.db.Read())
	if err != nil {
		return fmt.Errorf("load settings: %w", err)
	}
	if s.rows != nil && slices.Equal(rows, s.rows) {
		return nil
	}
	fresh := values{map[where]any{}, map[*Setting]bool{}}
	for _, r := range rows {
		of := all[r.Name]
		if of == nil {
			s.log.Warn("a setting that this build does not know", "setting", r.Name)
			continue
		}
		v, err := s.readRow(of, r)
		if err != nil {
			s.log.Warn("a setting's value that this build can't read", "setting", r.Name, "error", err)
			continue
		}
		fresh.in[where{of, Place{r.Scope, r.ScopeID}}] = v
		if r.Scope == OfDomain {
			fresh.domains[of] = true
		}
	}
	s.values.Store(&fresh)
	s.rows = rows
	return nil
}

// Start loads the settings and goes on doing so every so often, in the background, until the function that it gives is called.
func (s *Settings) Start(ctx context.Context, every time.Duration) (stop func(), err error) {
	return db.Follow(ctx, every, s.Load, func(err error) { s.log.Error("can't load the settings", "error", err) })
}
