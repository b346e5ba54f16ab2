package account

import (
	"context"
	"fmt"
	"sync"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Take counts what is being allocated for an account against its limits, and those of the domains that it is in, in the transaction
// that allocates. It fails with fault.Limit, naming the kind, the limit and what was asked; the failure may come as late as at
// the commit ([db.Tx.Must]). That happens at the transaction's end ([db.Statement.Hot]).
func Take(ctx context.Context, tx db.Tx, account uid.Account, use limit.Use) error {
	err := limit.Take(ctx, tx, account, use, func(ctx context.Context, q db.Tx) error {
		if closing, err := isClosing(ctx, q, account); err == nil && closing {
			return errClosing()
		}
		all, err := limit.OfAccounts(ctx, q, account)
		if err != nil {
			return err
		}
		return use.Refusal(all[account], "the account's limit")
	})
	if err != nil {
		return err
	}
	domains, err := domainsAbove(ctx, tx, account)
	for _, id := range domains {
		if err != nil {
			break
		}
		err = limit.Take(ctx, tx, id, use, func(ctx context.Context, q db.Tx) error {
			all, err := limit.OfDomains(ctx, q, id)
			if err != nil {
				return err
			}
			d, err := domainByID(ctx, q, id)
			if err != nil {
				return fmt.Errorf("find domain %s: %w", id, err)
			}
			return use.Refusal(all[id], "the limit of domain "+d.Path)
		})
	}
	return err
}

// Give takes back what [Take] counted, in the transaction that frees. Giving more than was taken is a defect and an error.
func Give(ctx context.Context, tx db.Tx, account uid.Account, use limit.Use) error {
	if err := limit.Give(ctx, tx, account, use); err != nil {
		return err
	}
	domains, err := domainsAbove(ctx, tx, account)
	for _, id := range domains {
		if err == nil {
			err = limit.Give(ctx, tx, id, use)
		}
	}
	return err
}

// chains are the domains above accounts that were asked for once. An account stays in its domain, and a domain where it is.
var chains sync.Map // of uid.Account, []uid.Domain

// domainsAbove gives the domains that an account is in, but for ROOT, which has no limits, from the top: the order in which their
// rows are changed.
func domainsAbove(ctx context.Context, q db.Tx, account uid.Account) ([]uid.Domain, error) {
	if known, ok := chains.Load(account); ok {
		return known.([]uid.Domain), nil
	}
	if account == auth.System().Account {
		return nil, nil
	}
	var found []uid.Domain
	if err := q.Select(ctx, above, &found, account); err != nil {
		return nil, fmt.Errorf("find the domains of account %s: %w", account, err)
	}
	chains.Store(account, found)
	return found, nil
}

// Together gives the counts of a domain: those of its own row or, of ROOT, the sums of all accounts, without limits.
func Together(ctx context.Context, q db.Tx, id uid.Domain) (limit.Counts, error) {
	all, err := limit.OfDomains(ctx, q, id)
	if err != nil || all[id] != nil {
		return all[id], err
	}
	root := []Domain{{ID: id}}
	if err := Totals(ctx, q, root); err != nil {
		return nil, err
	}
	return Unlimited(root[0].Totals), nil
}

// Unlimited are counts of what has no limits.
func Unlimited(use limit.Use) limit.Counts {
	counts := limit.Counts{}
	for _, k := range limit.Kinds() {
		counts[k] = limit.Count{Used: use[k], Maximum: limit.Unlimited}
	}
	return counts
}

// Totals fills in what the accounts of domains, and of those below them, use together.
func Totals(ctx context.Context, q db.Tx, domains []Domain) error {
	ids := make([]uid.Domain, len(domains))
	for i, d := range domains {
		ids[i] = d.ID
	}
	totals, err := totals(ctx, q, ids)
	if err != nil {
		return fmt.Errorf("sum up what the domains use: %w", err)
	}
	for i := range domains {
		domains[i].Totals = totals[domains[i].ID]
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
