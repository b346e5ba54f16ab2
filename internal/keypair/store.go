package keypair

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type pairRow struct {
	bun.BaseModel `bun:"table:ssh_keypairs,alias:k"`
	Pair
}

func insert(ctx context.Context, tx db.Tx, p Pair) error {
	_, err := tx.NewInsert().Model(&pairRow{Pair: p}).Exec(ctx)
	return err
}

func remove(ctx context.Context, tx db.Tx, id uid.SSHKeyPair) error {
	_, err := tx.NewRaw("delete from ssh_keypairs where id = ?", id).Exec(ctx)
	return err
}

// nameOfTaken gives the name of an account's pair that has the name or the key of p, "" for none.
func nameOfTaken(ctx context.Context, tx db.Tx, p Pair) (string, error) {
	var names []string
	err := tx.NewSelect().Model((*pairRow)(nil)).Column("name").
		Where("k.account_id = ? and (k.name = ? or k.fingerprint = ?)", p.Account, p.Name, p.Fingerprint).Order("k.name").Limit(1).Scan(ctx, &names)
	if err != nil || len(names) == 0 {
		return "", err
	}
	return names[0], nil
}

// Find gives an account's key pair by its name.
func Find(ctx context.Context, q db.Tx, account uid.Account, name string) (Pair, error) {
	var row pairRow
	err := q.NewSelect().Model(&row).Where("k.account_id = ? and k.name = ?", account, name).Scan(ctx)
	if db.IsNone(err) {
		return Pair{}, fault.NotFoundf("the account has no SSH key pair called %q", name)
	}
	return row.Pair, err
}

// ByID gives key pairs by their ids, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.SSHKeyPair) (map[uid.SSHKeyPair]Pair, error) {
	out := map[uid.SSHKeyPair]Pair{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []pairRow
	err := q.NewSelect().Model(&rows).Where("k.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Pair
	}
	return out, err
}

// List gives a page of key pairs, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Pair, int, error) {
	var rows []pairRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "k").Order("k.id")
	db.Equal(q, "k.id", f.ID)
	db.Equal(q, "k.name", f.Name)
	db.Equal(q, "k.fingerprint", f.Fingerprint)
	db.Like(q, f.Keyword, "k.name", "k.fingerprint")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Pair, len(rows))
	for i, r := range rows {
		out[i] = r.Pair
	}
	return out, n, err
}

// RemoveAllOf removes the key pairs of an account that is deleted.
func RemoveAllOf(ctx context.Context, tx db.Tx, account uid.Account) error {
	_, err := tx.NewRaw("delete from ssh_keypairs where account_id = ?", account).Exec(ctx)
	return err
}
