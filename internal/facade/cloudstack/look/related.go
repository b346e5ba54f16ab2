package look

import (
	"context"
	"sync"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// Look asks for the things that a page's items name, one query for each kind, and remembers the first failure. Q is what
// the services' look-ups ask through.
type Look[Q any] struct {
	Err error // the first failure

	q  Q
	mu sync.Mutex
}

// In begins to ask; q is the database's reading side.
func In[Q any](q Q) *Look[Q] { return &Look[Q]{q: q} }

// Together looks for several kinds at the same time: for lists whose items name so many that one after the other takes long.
func (l *Look[Q]) Together(ask ...func() error) {
	l.fail(db.Together(ask...))
}

// fail remembers the first failure.
func (l *Look[Q]) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.Err == nil {
		l.Err = err
	}
}

func (l *Look[Q]) failed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Err != nil
}

// Related gives what n things name, by id: at gives the id that the ith thing names, "" for none. After a failure it asks
// nothing any more, so that callers look at Err once, at the end.
func Related[ID ~string, V, Q any](
	ctx context.Context, l *Look[Q], n int, at func(i int) ID, find func(context.Context, Q, []ID) (map[ID]V, error),
) map[ID]V {
	return RelatedTo(ctx, l, Distinct(n, at), find)
}

// RelatedTo is Related for ids that are known already.
func RelatedTo[ID ~string, V, Q any](
	ctx context.Context, l *Look[Q], ids []ID, find func(context.Context, Q, []ID) (map[ID]V, error),
) map[ID]V {
	if len(ids) == 0 || l.failed() {
		return nil
	}
	found, err := find(ctx, l.q, ids)
	l.fail(err)
	return found
}

// IDs makes one list of the parameters id and ids, which don't go together.
func IDs[ID ~string](one ID, many []ID) ([]ID, error) {
	switch {
	case one == "":
		return many, nil
	case len(many) > 0:
		return nil, fault.Invalidf("id and ids were both given; use one of them")
	}
	return []ID{one}, nil
}

// Texts are ids as they stand in filters that serve several kinds of things.
func Texts[ID ~string](ids []ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, string(id))
	}
	return out
}
