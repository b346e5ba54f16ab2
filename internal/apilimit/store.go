package apilimit

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type windowRow struct {
	bun.BaseModel `bun:"table:api_windows,alias:w"`
	Account       uid.Account `bun:"account_id,pk"` // "" for all, in which only resets counts
	Began         int64
	Taken         int64
	Resets        int64
}

// take takes at most a block of what is left for an account in a window. In a window that is over, by another server's clock,
// there is nothing left.
func take(ctx context.Context, tx db.Tx, account uid.Account, p plan) (int64, error) {
	_, err := tx.NewRaw(`insert into api_windows (account_id, began, taken, resets) values (?, ?, 0, 0)
		on conflict (account_id) do update set began = excluded.began, taken = 0 where api_windows.began < excluded.began`,
		account, p.window).Exec(ctx)
	if err != nil {
		return 0, err
	}
	var row windowRow
	if err := tx.Lock(tx.NewSelect().Model(&row).Where("account_id = ?", account)).Scan(ctx); err != nil {
		return 0, err
	}
	n := min(p.block, p.shared-row.Taken)
	if row.Began != p.window || n <= 0 {
		return 0, nil
	}
	_, err = tx.NewRaw("update api_windows set taken = taken + ? where account_id = ?", n, account).Exec(ctx)
	return n, err
}

// takenOf is how much was taken in a window by all servers.
func takenOf(ctx context.Context, q db.Tx, account uid.Account, window int64) (int64, error) {
	var row windowRow
	err := q.NewSelect().Model(&row).Where("account_id = ? and began = ?", account, window).Scan(ctx)
	if db.IsNone(err) {
		err = nil
	}
	return row.Taken, err
}

func reset(ctx context.Context, tx db.Tx, account uid.Account) error {
	if account == "" {
		if _, err := tx.NewRaw("update api_windows set taken = 0").Exec(ctx); err != nil {
			return err
		}
	}
	_, err := tx.NewRaw(`insert into api_windows (account_id, began, taken, resets) values (?, 0, 0, 1)
		on conflict (account_id) do update set taken = 0, resets = api_windows.resets + 1`, account).Exec(ctx)
	return err
}

func readResets(ctx context.Context, q db.Tx) (map[uid.Account]int64, error) {
	var rows []windowRow
	err := q.NewSelect().Model(&rows).Column("account_id", "resets").Where("resets > 0").Scan(ctx)
	out := make(map[uid.Account]int64, len(rows))
	for _, r := range rows {
		out[r.Account] = r.Resets
	}
	return out, err
}
