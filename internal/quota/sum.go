package quota

import (
	"context"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Together gives the counts of a domain: those of its own row or, of ROOT, the sums of all accounts, without limits.
func Together(ctx context.Context, q db.Tx, id uid.Domain) (limit.Counts, error) {
	all, err := limit.OfDomains(ctx, q, id)
	if err != nil || all[id] != nil {
		return all[id], err
	}
	root := []account.Domain{{ID: id}}
	if err := Totals(ctx, q, root); err != nil {
		return nil, err
	}
	return limit.Without(root[0].Totals), nil
}

// Totals fills in what the accounts of domains, and of those below them, use together: what is counted for them or, of ROOT, the sums.
func Totals(ctx context.Context, q db.Tx, domains []account.Domain) error {
	ids := make([]uid.Domain, len(domains))
	for i, d := range domains {
		ids[i] = d.ID
	}
	counted, err := limit.OfDomains(ctx, q, ids...)
	if err != nil {
		return err
	}
	ids = slices.DeleteFunc(ids, func(id uid.Domain) bool { return counted[id] != nil })
	summed, err := totals(ctx, q, ids)
	if err != nil {
		return fmt.Errorf("sum up what the domains use: %w", err)
	}
	for i := range domains {
		d := &domains[i]
		if d.Totals = summed[d.ID]; counted[d.ID] != nil {
			d.Totals = limit.Use{}
			for kind, c := range counted[d.ID] {
				d.Totals[kind] = c.Used
			}
		}
	}
	return nil
}

// Below gives the accounts in a domain and below it, removed ones too.
func Below(ctx context.Context, q db.Tx, id uid.Domain) ([]uid.Account, error) {
	found, err := accountsEverBelow(ctx, q, id)
	if err != nil {
		return nil, fmt.Errorf("find the accounts below domain %s: %w", id, err)
	}
	return found, nil
}

// SumUp makes the counts of a domain, and of all domains above and below it, the sums of their accounts'.
func SumUp(ctx context.Context, tx db.Tx, id uid.Domain) error {
	family, err := family(ctx, tx, id)
	if err != nil {
		return fmt.Errorf("find the domains around %s: %w", id, err)
	}
	for _, d := range family {
		// Held first: the accounts and their counts must be as new as the lock.
		err := limit.HoldDomain(ctx, tx, d)
		var accounts []uid.Account
		if err == nil {
			accounts, err = accountsEverBelow(ctx, tx, d)
		}
		if err == nil {
			err = limit.SumUp(ctx, tx, d, accounts)
		}
		if err != nil {
			return fmt.Errorf("sum up what the accounts of domain %s have: %w", d, err)
		}
	}
	return nil
}
