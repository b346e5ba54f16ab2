package quota

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
)

// LimitIn says how much of a kind an account or a project, or the accounts of a domain together, may have; limit.Unlimited for no limit.
type LimitIn struct {
	Of   account.For
	Kind limit.Kind
	Most int64
}

// SetLimit sets a limit. Nothing is taken away from who has more already. It is for admins, and not for their own account and domain; a
// domain gets no more than the one above it has.
func SetLimit(ctx context.Context, d *db.DB, s *account.Service, in LimitIn) (h Holder, err error) {
	switch {
	case in.Most < limit.Unlimited:
		return h, fault.Invalidf("max %d is no limit: want -1 for none, or a number from 0 on", in.Most)
	case in.Of.Project != "" && in.Of.Account != "":
		return h, errBoth()
	}
	err = d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		switch {
		case in.Of.Project != "":
			h, err = limitProject(ctx, tx, in)
		case in.Of.Account != "":
			h, err = limitAccount(ctx, tx, s, in)
		default:
			h, err = limitDomain(ctx, tx, in)
		}
		return err
	})
	return h, err
}

func limitProject(ctx context.Context, tx db.Tx, in LimitIn) (h Holder, err error) {
	c := auth.From(ctx)
	a, err := account.ProjectInScope(ctx, tx, c.Reach(), in.Of.Project)
	switch {
	case err != nil:
		return h, err
	case c.Type == auth.User:
		return h, fault.Deniedf("only admins may set limits")
	case a.Closing:
		return h, fault.Conflictf("project %q is being deleted", a.Name)
	}
	return setFor(ctx, tx, a, "project", in)
}

func limitAccount(ctx context.Context, tx db.Tx, s *account.Service, in LimitIn) (h Holder, err error) {
	a, err := s.Changeable(ctx, tx, account.Named{Name: in.Of.Account, Domain: in.Of.Domain})
	switch c := auth.From(ctx); {
	case err != nil:
		return h, err
	case a.ID == c.Account && !c.IsRoot():
		return h, fault.Deniedf("the limits of your own account are set by who is above you")
	case a.Type == auth.RootAdmin && in.Most != limit.Unlimited:
		return h, fault.Invalidf("accounts of root admins, as %q is, have no limits: want -1, not %d", a.Name, in.Most)
	}
	return setFor(ctx, tx, a, "account", in)
}

// setFor sets a limit of an account, or of a project's.
func setFor(ctx context.Context, tx db.Tx, a account.Account, what string, in LimitIn) (Holder, error) {
	h := Holder{Account: a.ID, Domain: a.Domain}
	if err := limit.SetMost(ctx, tx, a.ID, in.Kind, in.Most); err != nil {
		return h, fmt.Errorf("set a limit of %s %s: %w", what, a.ID, err)
	}
	_, err := event.Write(ctx, tx, event.Event{
		Type: event.LimitUpdate, Account: a.ID, Domain: a.Domain, ResourceID: string(a.ID),
		Description: fmt.Sprintf("the limit of %s of %s %s is %d now", in.Kind.Name(), what, a.Name, in.Most),
	})
	return h, err
}

func limitDomain(ctx context.Context, tx db.Tx, in LimitIn) (h Holder, err error) {
	if in.Of.Domain == "" {
		return h, fault.Invalidf("whose limit is meant: name an account, a domainid, or both for an account of another domain")
	}
	c := auth.From(ctx)
	d, err := account.AdminReaches(ctx, tx, in.Of.Domain)
	switch {
	case err != nil:
		return h, err
	case d.Parent == "":
		return h, fault.Invalidf("the domain ROOT has no limits")
	case d.ID == c.Domain && !c.IsRoot():
		return h, fault.Deniedf("the limits of your own domain are set by who is above it")
	}
	parents, err := limit.OfDomains(ctx, tx, d.Parent)
	if err != nil {
		return h, err
	}
	if above, has := parents[d.Parent][in.Kind]; has && above.Maximum != limit.Unlimited && in.Most > above.Maximum {
		return h, fault.Invalidf("the domain above %s has the limit %d of %s: want no more than that, not %d",
			d.Path, above.Maximum, in.Kind.Name(), in.Most)
	}
	if err := limit.SetMost(ctx, tx, d.ID, in.Kind, in.Most); err != nil {
		return h, fmt.Errorf("set a limit of domain %s: %w", d.ID, err)
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.LimitUpdate, ResourceID: string(d.ID),
		Description: fmt.Sprintf("the limit of %s of domain %s is %d now", in.Kind.Name(), d.Path, in.Most),
	})
	return Holder{Domain: d.ID}, err
}
