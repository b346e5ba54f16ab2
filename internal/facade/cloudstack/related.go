package cloudstack

import (
	"context"
	"sync"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// look asks for the things that a page's items name, one query for each kind, and remembers the first failure. Q is what
// the services' look-ups ask through.
type look[Q any] struct {
	q   Q
	mu  sync.Mutex
	err error
}

// lookIn begins to ask; q is the database's reading side.
func lookIn[Q any](q Q) *look[Q] { return &look[Q]{q: q} }

// together looks for several kinds at the same time: for lists whose items name so many that one after the other takes long.
func (l *look[Q]) together(ask ...func() error) {
	l.fail(db.Together(ask...))
}

// fail remembers the first failure.
func (l *look[Q]) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

func (l *look[Q]) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err != nil
}

// related gives what n things name, by id: at gives the id that the ith thing names, "" for none. After a failure it asks
// nothing any more, so that callers look at l.err once, at the end.
func related[ID ~string, V, Q any](
	ctx context.Context, l *look[Q], n int, at func(i int) ID, find func(context.Context, Q, []ID) (map[ID]V, error),
) map[ID]V {
	return relatedTo(ctx, l, distinct(n, at), find)
}

// relatedTo is related for ids that are known already.
func relatedTo[ID ~string, V, Q any](
	ctx context.Context, l *look[Q], ids []ID, find func(context.Context, Q, []ID) (map[ID]V, error),
) map[ID]V {
	if len(ids) == 0 || l.failed() {
		return nil
	}
	found, err := find(ctx, l.q, ids)
	l.fail(err)
	return found
}

// idsOf makes one list of the parameters id and ids, which don't go together.
func idsOf[ID ~string](one ID, many []ID) ([]ID, error) {
	switch {
	case one == "":
		return many, nil
	case len(many) > 0:
		return nil, fault.Invalidf("id and ids were both given; use one of them")
	}
	return []ID{one}, nil
}

// texts are ids as they stand in filters that serve several kinds of things.
func texts[ID ~string](ids []ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
