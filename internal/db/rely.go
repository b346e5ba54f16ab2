package db

import (
	"context"
	"fmt"
)

// The locks are PostgreSQL's advisory ones: they live in its memory, so that thousands may rely on one template at the same time
// and write nothing, where row locks of several transactions would be written into the row (a multixact).
var (
	relying  = PrepareEach("", "select pg_advisory_xact_lock_shared(hashtextextended(?, 0))")
	retiring = PrepareEach("", "select pg_advisory_xact_lock(hashtextextended(?, 0))")
)

// Rely keeps a thing from being removed before the transaction's end, if who removes it calls [Tx.Retire] first. It is called
// before the thing is looked at, and costs no journey. Others may rely on it at the same time. Outside a transaction, and on
// SQLite, whose writer is alone anyway, it does nothing.
func (tx Tx) Rely(ctx context.Context, id fmt.Stringer) error { return tx.hold(ctx, relying, id) }

// Retire waits for the end of all transactions that rely on a thing, and keeps others from relying on it until this one's end.
// It is called before anything is looked at or locked: what is counted afterwards is all there is.
func (tx Tx) Retire(ctx context.Context, id fmt.Stringer) error { return tx.hold(ctx, retiring, id) }

func (tx Tx) hold(ctx context.Context, s *Statement, id fmt.Stringer) error {
	if tx.pg == nil {
		return nil
	}
	return tx.Later(ctx, s, id.String())
}
