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
		a, _, err := Of(ctx, q, account)
		switch {
		case err != nil:
			return err
		case a.Closing:
			return errClosing()
		}
		all, err := limit.OfAccounts(ctx, q, account)
		if err != nil {
			return err
		}
		if a.Type == auth.Project {
			return use.Refusal(all[account], "the project's limit")
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
