package op

import "context"

type jobKey struct{}

// Of gives the operation whose step, or undo, runs in ctx; "" for none.
func Of(ctx context.Context) ID {
	id, _ := ctx.Value(jobKey{}).(ID)
	return id
}
