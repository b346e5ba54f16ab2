package quota

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Recount counts anew what an account (or, with none, each account in a domain and below it) has of some kinds, none for all, sums it
// up for the domains, and gives the counts of the account or the domain. Who allocates at the same time waits for it or comes after
// it: nothing is counted twice or forgotten. The caller of this function knows that its own caller may ask for it. An event says what was
// counted wrongly, or who has asked though nothing was.
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
		var wrong []string
		for _, a := range accounts {
			mended, err := recount(ctx, tx, a, kinds)
			if err != nil {
				return fmt.Errorf("count what account %s has: %w", a, err)
			}
			wrong = append(wrong, mended...)
		}
		if err := tell(ctx, tx, of, wrong); err != nil {
			return err
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

// recount tells what was counted wrongly.
func recount(ctx context.Context, tx db.Tx, id uid.Account, kinds []limit.Kind) (wrong []string, err error) {
	if err := limit.HoldAccount(ctx, tx, id); err != nil {
		return nil, err
	}
	before, err := limit.OfAccounts(ctx, tx, id)
	if err != nil {
		return nil, err
	}
	use := make(limit.Use, len(kinds))
	for _, k := range kinds {
		n, err := countOf(ctx, tx, id, k)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		if was := before[id][k].Used; was != n {
			wrong = append(wrong, fmt.Sprintf("%s of account %s: %d, not %d", k.Name(), id, n, was))
		}
		use[k] = n
	}
	return wrong, limit.SetUsed(ctx, tx, id, use)
}

// toldAtMost bounds the mistakes that one event names.
const toldAtMost = 10

func tell(ctx context.Context, tx db.Tx, of Holder, wrong []string) error {
	said := "nothing was counted wrongly"
	switch c := auth.From(ctx); {
	case len(wrong) > toldAtMost:
		said = fmt.Sprintf("%s, and %d more", strings.Join(wrong[:toldAtMost], "; "), len(wrong)-toldAtMost)
	case len(wrong) > 0:
		said = strings.Join(wrong, "; ")
	case c.IsNobody() || c.User == auth.System().User: // nobody has asked
		return nil
	}
	e := event.Event{Type: event.CountUpdate, ResourceID: string(of.Domain)}
	if of.Account != "" {
		e.Account, e.Domain, e.ResourceID = of.Account, of.Domain, string(of.Account)
	}
	e.Description = "counted anew what there is: " + said
	_, err := event.Write(ctx, tx, e)
	return err
}
