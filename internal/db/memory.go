package db

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"sync"
)

// Memory remembers, by their ids, values of rows that hardly ever change: the names that a page of a list shows beside each of its
// items. It is as exact as a query: who changes such values says so with [Memory.Forget] in the transaction that does, which
// counts the version up, and who asks reads the versions first, once for each list (see [Remembering]). What is remembered
// under another version is not used.
type Memory[K ~string, V any] struct {
	name string
	read func(ctx context.Context, q Tx, ids []K) (map[K]V, error)
}

// memories are all there are.
var memories []interface {
	misremembers(ctx context.Context, d *DB) error
}

// Remember declares a memory in a package variable; read is the query for what is not remembered. Names are stored.
func Remember[K ~string, V any](name string, read func(ctx context.Context, q Tx, ids []K) (map[K]V, error)) *Memory[K, V] {
	m := &Memory[K, V]{name: name, read: read}
	memories = append(memories, m)
	return m
}

// mostRemembered is how many values of one kind are kept; beyond it all are forgotten, and gathered anew.
const mostRemembered = 200_000

// remembered is what a memory holds of one database.
type remembered[K ~string, V any] struct {
	mu      sync.RWMutex
	version int64
	values  map[K]V
}

// Find gives values by their ids: those of all ids that there are.
func (m *Memory[K, V]) Find(ctx context.Context, q Tx, ids []K) (map[K]V, error) {
	g, _ := ctx.Value(glancing{}).(*glance)
	if g == nil || q.hooks != nil || q.db == nil || len(ids) == 0 {
		return m.read(ctx, q, ids)
	}
	versions, err := g.versions(ctx, q)
	if err != nil {
		return nil, err
	}
	mind, version := m.in(q.db), versions[m.name]
	found, missing := mind.recall(version, ids)
	if len(missing) == 0 {
		return found, nil
	}
	read, err := m.read(ctx, q, missing)
	if err != nil {
		return nil, err
	}
	mind.keep(version, read)
	maps.Copy(found, read)
	return found, nil
}

// Forget says that values change with a transaction: whoever begins to ask after its commit, on whichever server, sees them anew.
func (m *Memory[K, V]) Forget(ctx context.Context, tx Tx) error {
	_, err := tx.NewRaw(`insert into versions (name, version) values (?, 1)
		on conflict (name) do update set version = versions.version + 1`, m.name).Exec(ctx)
	return err
}

func (m *Memory[K, V]) in(d *DB) *remembered[K, V] {
	known, ok := d.minds.Load(m)
	if !ok {
		known, _ = d.minds.LoadOrStore(m, &remembered[K, V]{values: map[K]V{}})
	}
	return known.(*remembered[K, V])
}

// recall gives the values that are remembered under a version, and the other ids.
func (r *remembered[K, V]) recall(version int64, ids []K) (found map[K]V, missing []K) {
	found = make(map[K]V, len(ids))
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.version != version {
		return found, ids
	}
	for _, id := range ids {
		if v, ok := r.values[id]; ok {
			found[id] = v
		} else {
			missing = append(missing, id)
		}
	}
	return found, missing
}

// keep remembers what was read after a version had been: it is that version's, or newer already, and then the next version's
// readers forget it.
func (r *remembered[K, V]) keep(version int64, values map[K]V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case version < r.version: // somebody has seen a newer one meanwhile
		return
	case version > r.version || len(r.values) > mostRemembered:
		r.version, r.values = version, make(map[K]V, len(values))
	}
	maps.Copy(r.values, values)
}

// Remembering gives a context in which memories may answer; with others they ask the database. It is for one list: what has changed
// before its first question is seen.
func Remembering(ctx context.Context) context.Context {
	return context.WithValue(ctx, glancing{}, &glance{})
}

type glancing struct{}

// glance is one look at the versions.
type glance struct {
	once sync.Once
	db   *DB
	seen map[string]int64
	err  error
}

var allVersions = Prepare("select name, version from versions")

func (g *glance) versions(ctx context.Context, q Tx) (map[string]int64, error) {
	g.once.Do(func() {
		var rows []struct {
			Name    string
			Version int64
		}
		g.db, g.err = q.db, q.Select(ctx, allVersions, &rows)
		g.seen = make(map[string]int64, len(rows))
		for _, r := range rows {
			g.seen[r.Name] = r.Version
		}
	})
	if g.err == nil && g.db != q.db {
		return nil, errors.New("one list asks two databases")
	}
	return g.seen, g.err
}

// Misremembered compares what is remembered with the database, for tests of who forgets to forget.
func (d *DB) Misremembered(ctx context.Context) error {
	for _, m := range memories {
		if err := m.misremembers(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory[K, V]) misremembers(ctx context.Context, d *DB) error {
	versions, err := (&glance{}).versions(ctx, d.Read())
	if err != nil {
		return err
	}
	mind := m.in(d)
	mind.mu.RLock()
	version, values := mind.version, maps.Clone(mind.values)
	mind.mu.RUnlock()
	if version != versions[m.name] || len(values) == 0 {
		return nil // nobody would use them
	}
	var ids []K
	for id := range values {
		ids = append(ids, id)
	}
	read, err := m.read(ctx, d.Read(), ids)
	if err != nil {
		return err
	}
	for id, v := range values {
		if now, ok := read[id]; ok && !reflect.DeepEqual(v, now) {
			return fmt.Errorf("%s of %s is remembered as %+v and is %+v: who changed it did not say so", m.name, id, v, now)
		}
	}
	return nil
}
