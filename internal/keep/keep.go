// Package keep runs keepers: what must stay true, looked after again and again. A keeper is level-triggered: each round
// reads the world and mends what it finds, so a round that is missed or broken off does no harm, nor do two at the same time.
// Among several servers one begins a keeper's rounds, as long as it has the lease in the keeper's row, where its status stands
// for operators to see. Nothing watches the lease while a round runs: one that outlasts it may overlap with the next holder's.
package keep

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// Keeper is one thing that is looked after.
type Keeper struct {
	Name   string
	Period time.Duration
	// Every is how often a round is due, for keepers where that can change; Period is then how soon a change is noticed.
	Every func() time.Duration
	// Round reads the world and mends it. Its context ends when the server stops. Another server's round may run meanwhile.
	Round func(ctx context.Context) error
}

// Status is how a keeper does.
type Status struct {
	Name       string
	Holder     string
	LeaseUntil time.Time
	LastRun    time.Time `bun:",nullzero"`
	LastTook   int64     // microseconds
	LastError  string
	Runs       int64
}

// Keepers runs some keepers.
type Keepers struct {
	db      *db.DB
	server  string
	log     *slog.Logger
	keepers []Keeper
	resting map[string]bool
}

// New makes a set of keepers for a server, whose name the leases carry.
func New(d *db.DB, server string, log *slog.Logger, keepers ...Keeper) *Keepers {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Keepers{db: d, server: server, log: log, keepers: keepers, resting: map[string]bool{}}
}

// Rest leaves some keepers to who calls [Keepers.Round], before Start: they begin no rounds by themselves. It is for tests that look at what
// one round does, or at what was before it.
func (k *Keepers) Rest(names ...string) error {
	for _, name := range names {
		if !slices.ContainsFunc(k.keepers, func(one Keeper) bool { return one.Name == name }) {
			return fmt.Errorf("there is no keeper called %q", name)
		}
		k.resting[name] = true
	}
	return nil
}

// Start runs every keeper that does not rest in the background, until the function that it gives is called, which waits for running rounds.
func (k *Keepers) Start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for _, one := range k.keepers {
		if !k.resting[one.Name] {
			all.Go(func() { k.run(ctx, one) })
		}
	}
	return func() {
		cancel()
		all.Wait()
	}
}

func (k *Keepers) run(ctx context.Context, one Keeper) {
	t := time.NewTicker(one.Period)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			if due, err := k.due(ctx, one); err == nil && !due {
				continue
			}
			if err := k.Round(ctx, one.Name); err != nil && ctx.Err() == nil {
				k.log.Error("a keeper's round failed", "keeper", one.Name, "error", err)
			}
		}
	}
}

// due tells whether it is time for a round, whichever server ran the last one. One that can't be asked for is due: its round
// will say what is wrong.
func (k *Keepers) due(ctx context.Context, one Keeper) (bool, error) {
	if one.Every == nil {
		return true, nil
	}
	last, err := k.lastRun(ctx, one.Name)
	// Half a look's time early rather than late, or a round that is due with each look would be left out every other time.
	return err == nil && !k.db.Now().Before(last.Add(one.Every()-one.Period/2)), err
}

// Round runs one round of a keeper now, if no other server holds it, and records how it went.
func (k *Keepers) Round(ctx context.Context, name string) error {
	for _, one := range k.keepers {
		if one.Name != name {
			continue
		}
		// The lease outlasts a round's usual time; a round that takes longer may meet another server's, which does no harm.
		held, err := k.hold(ctx, name, max(3*one.Period, 30*time.Second))
		if err != nil || !held {
			return err
		}
		began := k.db.Now()
		err = safely(ctx, one)
		return k.record(context.WithoutCancel(ctx), name, began, k.db.Now().Sub(began), err)
	}
	return fmt.Errorf("there is no keeper called %q", name)
}

func safely(ctx context.Context, one Keeper) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return one.Round(ctx)
}
