package op

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

// register writes this process's row. With take it takes over at once what earlier processes of the same name left: they
// are dead, for a name is used once at a time; without, a living one of that name is left alone. Leases are told in the
// database's time where several servers share one.
func (e *Engine) register(ctx context.Context, id string, take bool) error {
	return e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now, err := leaseNow(ctx, tx)
		if err != nil {
			return err
		}
		var same []struct {
			ID         string
			LeaseUntil time.Time
		}
		if err := tx.NewRaw("select id, lease_until from servers where name = ?", e.name).Scan(ctx, &same); err != nil {
			return err
		}
		for _, old := range same {
			if !take && old.LeaseUntil.After(now) {
				return fmt.Errorf("another server that is called %q is at work: names must be different", e.name)
			}
			if err := release(ctx, tx, old.ID); err != nil {
				return err
			}
		}
		_, err = tx.NewRaw("insert into servers (id, name, started, lease_until) values (?, ?, ?, ?)",
			id, e.name, now, now.Add(e.lease)).Exec(ctx)
		return err
	})
}

// beat renews the lease and frees the operations of servers whose lease has run out. It tells whether this server was
// itself taken for dead.
func (e *Engine) beat(ctx context.Context, self string) (alive bool, err error) {
	err = e.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		now, err := leaseNow(ctx, tx)
		if err != nil {
			return err
		}
		n, err := db.Changed(tx.NewRaw("update servers set lease_until = ? where id = ?", now.Add(e.lease), self).Exec(ctx))
		if err != nil {
			return err
		}
		alive = n == 1
		var dead []string
		if err := tx.NewRaw("select id from servers where lease_until < ?", now).Scan(ctx, &dead); err != nil {
			return err
		}
		for _, id := range dead {
			e.log.Warn("another server is dead, its operations are free", "server", id)
			if err := release(ctx, tx, id); err != nil {
				return err
			}
		}
		return releaseOrphans(ctx, tx)
	})
	return alive, err
}

// releaseOrphans frees operations whose owner has no row any more: it was released while it was still accepting them.
func releaseOrphans(ctx context.Context, tx db.Tx) error {
	_, err := tx.NewRaw(`update operations set owner = '', run_at = ? where finished is null and owner <> ''
		and owner not in (select id from servers)`, tx.Now).Exec(ctx)
	return err
}

// idle gives a server's operations of which nothing was recorded since a time.
func idle(ctx context.Context, q db.Tx, server string, since time.Time) (ids []ID, err error) {
	err = q.NewRaw("select id from operations where owner = ? and finished is null and updated < ?", server, since).Scan(ctx, &ids)
	return ids, err
}

// giveBack ends a server's ownership of some operations.
func giveBack(ctx context.Context, tx db.Tx, server string, ids []ID) error {
	_, err := tx.NewRaw("update operations set owner = '', run_at = ? where owner = ? and finished is null and id in (?)",
		tx.Now, server, bun.List(ids)).Exec(ctx)
	return err
}

// release ends a server's ownership of everything.
func release(ctx context.Context, tx db.Tx, server string) error {
	// The row goes first: its lock decides between two servers that both found it dead.
	n, err := db.Changed(tx.NewRaw("delete from servers where id = ?", server).Exec(ctx))
	if err != nil || n == 0 {
		return err
	}
	_, err = tx.NewRaw("update operations set owner = '', run_at = ? where owner = ? and finished is null", tx.Now, server).Exec(ctx)
	return err
}

func leaseNow(ctx context.Context, tx db.Tx) (time.Time, error) {
	if !tx.Postgres {
		return tx.Now, nil
	}
	var now time.Time
	if err := tx.NewRaw("select now()").Scan(ctx, &now); err != nil {
		return now, fmt.Errorf("ask the database for the time: %w", err)
	}
	return now.UTC(), nil
}
