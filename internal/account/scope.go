package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// ListScope is what a list command says about whose things it wants to see.
type ListScope struct {
	Account   string     // an account's name
	Domain    uid.Domain // where that account is ("": the caller's domain), or the domain whose things to list
	Recursive bool       // and those of the domains below it
	All       bool       // everything the caller may see
	ByID      bool       // ids were given, so everything in reach is looked through
	// Project has what belongs to one project, or with EachProject to those in reach; without it projects' things are listed by ID only.
	Project     uid.Project
	EachProject bool
}

// Scope turns what a list command says into the rows that it may show to the caller in ctx. Without a word everybody, an
// admin too, sees the own account's. What belongs to projects is shown only where it is asked for, by ID or by project. A named
// account or domain must be in the caller's reach (fault.Denied); an ordinary user's reach is the own account, also when the own
// domain is named.
func (s *Service) Scope(ctx context.Context, in ListScope) (auth.Scope, error) {
	c := auth.From(ctx)
	switch {
	case c.IsNobody():
		return auth.Scope{}, errNobody()
	case in.Project != "" || in.EachProject:
		return projectScope(ctx, s.db.Read(), in)
	case in.Account != "":
		a, err := ReachAccount(ctx, s.db.Read(), in.Account, in.Domain)
		if err != nil {
			return auth.Scope{}, err
		}
		return auth.Scope{Account: a.ID}, nil
	case in.Domain != "":
		d, err := ReachDomain(ctx, s.db.Read(), in.Domain)
		switch {
		case err != nil:
			return auth.Scope{}, err
		case c.Type == auth.User:
			return in.sparing(c, c.Reach()), nil
		case in.Recursive:
			return in.sparing(c, auth.Scope{Under: d.Path}), nil
		}
		return in.sparing(c, auth.Scope{Domain: d.ID}), nil
	case in.All || in.ByID:
		return in.sparing(c, c.Reach()), nil
	}
	return auth.Scope{Account: c.Account}, nil
}

// Owner is who a new thing belongs to.
type Owner struct {
	Account uid.Account
	Domain  uid.Domain
}

// sparing leaves out what belongs to projects, unless it is named by ID.
func (in ListScope) sparing(c auth.Caller, s auth.Scope) auth.Scope {
	if in.ByID {
		return s
	}
	return c.Without(s)
}

// For says for whom something is made: an account, by its name in a domain ("": the caller's), or a project, or with neither the caller's
// account.
type For struct {
	Account string
	Domain  uid.Domain
	Project uid.Project
}

// Owner decides who owns what the caller in ctx creates: the caller's account, or the named one, or a project, that the caller reaches.
// An account that may do more than the caller's is fault.Denied, one that is not enabled, and a project that is not active, is
// fault.Conflict.
func (s *Service) Owner(ctx context.Context, tx db.Tx, whose For) (Owner, error) {
	c := auth.From(ctx)
	switch {
	case c.IsNobody():
		return Owner{}, errNobody()
	case whose == For{}:
		return Owner{Account: c.Account, Domain: c.Domain}, nil
	case whose.Project != "":
		return ownerInProject(ctx, tx, whose)
	case whose.Account == "":
		return Owner{}, fault.Invalidf("a domain alone owns nothing: name the account too")
	}
	a, err := ReachAccount(ctx, tx, whose.Account, whose.Domain)
	if err != nil {
		return Owner{}, err
	}
	covered, err := s.covers(wholly(ctx), tx, a.Type, a.Role)
	switch {
	case err != nil:
		return Owner{}, err
	case !covered:
		return Owner{}, fault.Deniedf("account %q may do more than yours: you may not create things for it", whose.Account)
	case a.State != Enabled:
		return Owner{}, fault.Conflictf("account %q is %s", whose.Account, a.State)
	}
	return Owner{Account: a.ID, Domain: a.Domain}, nil
}

// ReachAccount finds an account by name. Who may not see it does not learn whether it exists.
func ReachAccount(ctx context.Context, q db.Tx, name string, domain uid.Domain) (Account, error) {
	c := auth.From(ctx)
	if domain == "" {
		domain = c.Domain
	}
	d, err := ReachDomain(ctx, q, domain)
	if err != nil {
		return Account{}, err
	}
	a, err := accountByName(ctx, q, domain, name)
	switch {
	case c.Type == auth.User && (db.IsNone(err) || err == nil && a.ID != c.Account):
		return Account{}, fault.Deniedf("account %q is not yours", name)
	case db.IsNone(err):
		return Account{}, fault.NotFoundf("there is no account %q in domain %s", name, d.Path)
	case err != nil:
		return Account{}, fmt.Errorf("find account %q: %w", name, err)
	}
	return a, nil
}

// ReachDomain finds a domain. Who may not see it does not learn whether it exists.
func ReachDomain(ctx context.Context, q db.Tx, id uid.Domain) (Domain, error) {
	c := auth.From(ctx)
	d, err := domainByID(ctx, q, id)
	switch {
	case db.IsNone(err) && c.IsRoot():
		return Domain{}, fault.NotFoundf("there is no domain with id %s", id)
	case err != nil && !db.IsNone(err):
		return Domain{}, fmt.Errorf("find domain %s: %w", id, err)
	case err != nil || !sees(c, d):
		return Domain{}, fault.Deniedf("the domain with id %s is not in your reach", id)
	}
	return d, nil
}

// AdminReaches finds the domain ("": the caller's) in which the caller wants to make something that only admins make.
func AdminReaches(ctx context.Context, q db.Tx, id uid.Domain) (Domain, error) {
	c := auth.From(ctx)
	switch {
	case c.IsNobody():
		return Domain{}, errNobody()
	case c.Type == auth.User:
		return Domain{}, fault.Deniedf("only admins may do this")
	case id == "":
		id = c.Domain
	}
	return ReachDomain(ctx, q, id)
}

func sees(c auth.Caller, d Domain) bool {
	switch c.Type {
	case auth.RootAdmin:
		return true
	case auth.User:
		return d.ID == c.Domain
	default:
		return d.ID == c.Domain || strings.HasPrefix(d.Path, c.DomainPath+"/")
	}
}

func errNobody() error { return fault.New(fault.Unauthenticated, "unable to verify user credentials") }
