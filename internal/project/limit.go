package project

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// SetLimit sets how much of a kind a project may have; limit.Unlimited for no limit. It is for admins of the project's domain and above.
func (s *Service) SetLimit(ctx context.Context, id uid.Project, kind limit.Kind, most int64) (account.Holder, error) {
	if most < limit.Unlimited {
		return account.Holder{}, fault.Invalidf("max %d is no limit: want -1 for none, or a number from 0 on", most)
	}
	c := auth.From(ctx)
	var h account.Holder
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		a, err := account.ProjectInScope(ctx, tx, c.Reach(), id)
		switch {
		case err != nil:
			return err
		case c.Type == auth.User:
			return fault.Deniedf("only admins may set limits")
		case a.Closing:
			return fault.Conflictf("project %q is being deleted", a.Name)
		}
		h = account.Holder{Account: a.ID, Domain: a.Domain}
		if err := limit.SetMost(ctx, tx, a.ID, kind, most); err != nil {
			return fmt.Errorf("set a limit of project %s: %w", id, err)
		}
		text := fmt.Sprintf("the limit of %s of project %s is %d now", kind.Name(), a.Name, most)
		return announce(ctx, tx, announcement{a, event.LimitUpdate, text})
	})
	return h, err
}

// CountsOf gives what projects use and may use, in one query.
func CountsOf(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]limit.Counts, error) {
	return limit.OfAccounts(ctx, q, ids...)
}
