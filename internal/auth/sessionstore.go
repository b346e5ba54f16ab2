package auth

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type sessionRow struct {
	bun.BaseModel `bun:"table:sessions"`
	session
}

func insertSession(ctx context.Context, tx db.Tx, s session) error {
	_, err := tx.NewInsert().Model(&sessionRow{session: s}).Exec(ctx)
	return err
}

var sessionByID = db.Prepare("select * from sessions where id = ?")

func findSession(ctx context.Context, q db.Tx, id string) (session, error) {
	row, err := db.One[sessionRow](ctx, q, sessionByID, id)
	return row.session, err
}

func touchSession(ctx context.Context, tx db.Tx, id string, now time.Time) error {
	_, err := tx.NewRaw("update sessions set last_used = ? where id = ? and last_used < ?", now, id, now).Exec(ctx)
	return err
}

func deleteSession(ctx context.Context, tx db.Tx, id string) error {
	_, err := tx.NewRaw("delete from sessions where id = ?", id).Exec(ctx)
	return err
}

func deleteSessionsOf(ctx context.Context, tx db.Tx, user uid.User) error {
	_, err := tx.NewRaw("delete from sessions where user_id = ?", user).Exec(ctx)
	return err
}

func deleteIdleSessions(ctx context.Context, tx db.Tx, before time.Time) (int, error) {
	n, err := db.Changed(tx.NewRaw("delete from sessions where last_used <= ?", before).Exec(ctx))
	return int(n), err
}

func admitSession(ctx context.Context, tx db.Tx, id string, user uid.User) error {
	_, err := tx.NewRaw("update sessions set waiting = ? where id = ? and user_id = ?", false, id, user).Exec(ctx)
	return err
}

func deleteOtherSessionsOf(ctx context.Context, tx db.Tx, user uid.User, id string) error {
	_, err := tx.NewRaw("delete from sessions where user_id = ? and id <> ?", user, id).Exec(ctx)
	return err
}
