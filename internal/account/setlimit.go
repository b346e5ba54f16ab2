package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Holder is whose a limit is: an account's, or a domain's.
type Holder struct {
	Account uid.Account
	Domain  uid.Domain // the account's, or the one that has the limit
}

// SetLimit sets how much of a kind an account, or the accounts of a domain together, may have; Unlimited for no limit.
// Nothing is taken away from who has more already. It is for admins, and not for their own account and domain; a domain gets no more
// than the one above it has.
func (s *Service) SetLimit(ctx context.Context, in For, kind limit.Kind, most int64) (h Holder, err error) {
	if most < limit.Unlimited {
		return h, fault.Invalidf("max %d is no limit: want -1 for none, or a number from 0 on", most)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if in.Account != "" {
			return s.limitAccount(ctx, tx, in, &h, kind, most)
		}
		return s.limitDomain(ctx, tx, in.Domain, &h, kind, most)
	})
	return h, err
}

func (s *Service) limitAccount(ctx context.Context, tx db.Tx, in For, h *Holder, kind limit.Kind, most int64) error {
	a, err := s.Changeable(ctx, tx, Named{Name: in.Account, Domain: in.Domain})
	switch c := auth.From(ctx); {
	case err != nil:
		return err
	case a.ID == c.Account && !c.IsRoot():
		return fault.Deniedf("the limits of your own account are set by who is above you")
	case a.Type == auth.RootAdmin && most != limit.Unlimited:
		return fault.Invalidf("accounts of root admins, as %q is, have no limits: want -1, not %d", a.Name, most)
	}
	*h = Holder{Account: a.ID, Domain: a.Domain}
	if err := limit.SetMost(ctx, tx, a.ID, kind, most); err != nil {
		return fmt.Errorf("set a limit of account %s: %w", a.ID, err)
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.LimitUpdate, Account: a.ID, Domain: a.Domain, ResourceID: string(a.ID),
		Description: fmt.Sprintf("the limit of %s of account %s is %d now", kind.Name(), a.Name, most),
	})
	return err
}

func (s *Service) limitDomain(ctx context.Context, tx db.Tx, id uid.Domain, h *Holder, kind limit.Kind, most int64) error {
	if id == "" {
		return fault.Invalidf("whose limit is meant: name an account, a domainid, or both for an account of another domain")
	}
	c := auth.From(ctx)
	d, err := AdminReaches(ctx, tx, id)
	switch {
	case err != nil:
		return err
	case d.Parent == "":
		return fault.Invalidf("the domain ROOT has no limits")
	case d.ID == c.Domain && !c.IsRoot():
		return fault.Deniedf("the limits of your own domain are set by who is above it")
	}
	parents, err := limit.OfDomains(ctx, tx, d.Parent)
	if err != nil {
		return err
	}
	if above, has := parents[d.Parent][kind]; has && above.Maximum != limit.Unlimited && most > above.Maximum {
		return fault.Invalidf("the domain above %s has the limit %d of %s: want no more than that, not %d",
			d.Path, above.Maximum, kind.Name(), most)
	}
	*h = Holder{Domain: d.ID}
	if err := limit.SetMost(ctx, tx, d.ID, kind, most); err != nil {
		return fmt.Errorf("set a limit of domain %s: %w", d.ID, err)
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.LimitUpdate, ResourceID: string(d.ID),
		Description: fmt.Sprintf("the limit of %s of domain %s is %d now", kind.Name(), d.Path, most),
	})
	return err
}
