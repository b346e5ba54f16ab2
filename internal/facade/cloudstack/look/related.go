package look

import (
	"context"
	"runtime"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// Look asks for the things that a page's items name, one query for each kind, and remembers the first failure. Q is what
// the services' look-ups ask through.
type Look[Q any] struct {
	Err error // the first failure

	q Q
}

// In begins to ask; q is the database's reading side.
func In[Q any](q Q) *Look[Q] { return &Look[Q]{q: q} }

// InParts shows the items of a page in as many parts as there are processors, at the same time: for lists whose items name so much
// that the page takes long. A small page is one part.
func InParts[From, To any](all []From, show func(part []From) ([]To, error)) ([]To, error) {
	const least = 100 // in a part: its queries have costs of their own
	n := min(runtime.GOMAXPROCS(0), len(all)/least)
	if n < 2 {
		return show(all)
	}
	parts, ask := make([][]To, n), make([]func() error, n)
	for i := range n {
		ask[i] = func() (err error) {
			parts[i], err = show(all[i*len(all)/n : (i+1)*len(all)/n])
			return err
		}
	}
	if err := db.Together(ask...); err != nil {
		return nil, err
	}
	return slices.Concat(parts...), nil
}

// fail remembers the first failure.
func (l *Look[Q]) fail(err error) {
	if l.Err == nil {
		l.Err = err
	}
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
	if len(ids) == 0 || l.Err != nil {
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
