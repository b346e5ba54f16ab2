package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// show makes the function that shows one thing by its id, out of those that find and show many; read is the database's
// reading side. The caller may see it: it is what the caller's own request has just made, or made
// before.
func show[ID interface {
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
