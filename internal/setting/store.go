package setting

import (
	"context"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
)

// row is what was changed.
type row struct {
	bun.BaseModel `bun:"table:settings,alias:s"`
	Name          string
	Scope         Scope
	ScopeID       string
	Value         string
	Updated       time.Time
}

var allRows = db.Prepare("select name, scope, scope_id, value, updated from settings where name <> '" + identity +
	"' order by name, scope, scope_id")

func readAll(ctx context.Context, q db.Tx) ([]row, error) {
	rows := []row{}
	err := q.Select(ctx, allRows, &rows)
	return rows, err
}

// put gives a setting a value in a place.
func put(ctx context.Context, tx db.Tx, name string, at Place, value string) error {
	_, err := tx.NewRaw(`insert into settings (name, scope, scope_id, value, updated) values (?, ?, ?, ?, ?)
		on conflict (name, scope, scope_id) do update set value = excluded.value, updated = excluded.updated`,
		name, at.Scope, at.ID, value, tx.Now).Exec(ctx)
	return err
}

// putOnce stores what must not be stored a second time.
func putOnce(ctx context.Context, tx db.Tx, name, value string) error {
	_, err := tx.NewRaw(`insert into settings (name, value, updated) values (?, ?, ?) on conflict (name, scope, scope_id) do nothing`,
		name, value, tx.Now).Exec(ctx)
	return err
}

func readIdentity(ctx context.Context, q db.Tx) (string, error) {
	var row row
	err := q.NewSelect().Model(&row).Column("value").Where("name = ? and scope = ''", identity).Scan(ctx)
	return row.Value, err
}

// drop takes a setting's value in a place away.
func drop(ctx context.Context, tx db.Tx, name string, at Place) error {
	_, err := tx.NewRaw("delete from settings where name = ? and scope = ? and scope_id = ?", name, at.Scope, at.ID).Exec(ctx)
	return err
}

// dropPlace takes all values of a place away.
func dropPlace(ctx context.Context, tx db.Tx, at Place) error {
	_, err := tx.NewRaw("delete from settings where scope = ? and scope_id = ?", at.Scope, at.ID).Exec(ctx)
	return err
}
