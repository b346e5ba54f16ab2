package quota

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Recount counts anew what an account (or, with none, each account in a domain and below it) has of some kinds, none for all, sums it
// up for the domains, and gives the counts of the account or the domain. Who allocates at the same time waits for it or comes after
// it: nothing is counted twice or forgotten. The caller of this function knows that its own caller may ask for it.
func Recount(ctx context.Context, d *db.DB, of Holder, kinds ...limit.Kind) (counts limit.Counts, err error) {
	if len(kinds) == 0 {
		kinds = limit.Kinds()
	}
	err = d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		accounts := []uid.Account{of.Account}
		if of.Account == "" {
			if accounts, err = Below(ctx, tx, of.Domain); err != nil {
				return err
			}
		}
		for _, a := range accounts {
			if err := recount(ctx, tx, a, kinds); err != nil {
				return fmt.Errorf("count what account %s has: %w", a, err)
			}
		}
		if err := SumUp(ctx, tx, of.Domain); err != nil {
			return err
		}
		if of.Account == "" {
			counts, err = Together(ctx, tx, of.Domain)
			return err
		}
		all, err := limit.OfAccounts(ctx, tx, of.Account)
		counts = all[of.Account]
		return err
	})
	return counts, err
}

func recount(ctx context.Context, tx db.Tx, id uid.Account, kinds []limit.Kind) error {
	if err := limit.HoldAccount(ctx, tx, id); err != nil {
		return err
	}
	use := make(limit.Use, len(kinds))
	for _, k := range kinds {
		n, err := countOf(ctx, tx, id, k)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		use[k] = n
	}
	return limit.SetUsed(ctx, tx, id, use)
}
