package look

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Window gives the rows of a page as services want them: how many to skip, and how many to show at most, 0 for all.
func Window(p api.Paging) (offset, limit int) {
	offset, limit = p.Window()
	return offset, max(limit, 0)
}

// Page translates a service's page, item by item.
func Page[From, To any](items []From, total int, translate func(From) To) api.Page[To] {
	page := api.Page[To]{Count: total, Items: make([]To, len(items))}
	for i, item := range items {
		page.Items[i] = translate(item)
	}
	return page
}

// Distinct gives the ids of n things, each once and without "".
func Distinct[ID ~string](n int, at func(i int) ID) []ID {
	seen := make(map[ID]bool, n)
	var ids []ID
	for i := range n {
		if id := at(i); id != "" && !seen[id] {
			seen[id] = true
			ids = append(ids, id)
		}
	}
	return ids
}

// Show makes the function that shows one thing by its id, out of those that find and show many; read is the database's
// reading side. The caller may see it: it is what the caller's own request has just made, or made
// before.
func Show[ID interface {
	~string
	uid.Typed
}, V, Out, Q any](read func() Q, find func(context.Context, Q, []ID) (map[ID]V, error), out func(context.Context, []V) ([]Out, error),
) func(context.Context, ID) (Out, error) {
	return func(ctx context.Context, id ID) (none Out, err error) {
		found, err := find(ctx, read(), []ID{id})
		if err != nil {
			return none, err
		}
		v, ok := found[id]
		if !ok {
			return none, fault.Missing(id)
		}
		shown, err := out(ctx, []V{v})
		if err != nil {
			return none, err
		}
		return shown[0], nil
	}
}

// Subject makes the function that shows what a job was about, out of the one that shows the thing of an id.
func Subject[ID ~string, Out any](show func(context.Context, ID) (Out, error)) func(context.Context, string) (Out, error) {
	return func(ctx context.Context, id string) (Out, error) { return show(ctx, ID(id)) }
}

// Cut gives a page of a list that is all there.
func Cut[T any](all []T, p api.Paging) api.Page[T] {
	page := api.Page[T]{Count: len(all)}
	offset, limit := Window(p)
	if offset = min(offset, len(all)); limit == 0 {
		limit = len(all)
	}
	page.Items = all[offset:min(offset+limit, len(all))]
	return page
}

// Succeeded is the outcome of jobs that leave nothing to show.
func Succeeded(context.Context, string) (api.Success, error) { return api.Success{Success: true}, nil }

// Alone is the refusal of a parameter that goes with no other one but one.
func Alone(name, with string) error {
	return fault.Invalidf("%s goes together with nothing but %s: change the rest in a request of its own", name, with)
}

// Figures tells whether details ask for what is used and what may be, too.
func Figures(details []string) (yes bool, err error) {
	for _, d := range details {
		switch strings.ToLower(strings.TrimSpace(d)) {
		case "all", "resource":
			yes = true
		case "min":
		default:
			return false, fault.Invalidf("details holds %q: it can be any of all, resource and min", d)
		}
	}
	return yes || len(details) == 0, nil
}
