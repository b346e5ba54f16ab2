package quota

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Holder is whose a limit is: an account's or a project's, or a domain's.
type Holder struct {
	Account uid.Account
	Domain  uid.Domain // the account's, or the one that has the limit
}

// HoldersIn says whose limits to list: those of a named account, of a domain (with Recursive: and those below it), of all accounts in
// reach, or the own account's.
type HoldersIn struct {
	Account       string
	Domain        uid.Domain
	Project       uid.Project
	EachProject   bool // those of all projects in reach
	Recursive     bool
	All           bool
	Offset, Limit int // in holders; Limit 0: all
}

// Holders gives whose limits a list shows, and how many there are on all pages. What is out of the caller's reach is fault.Denied.
func Holders(ctx context.Context, q db.Tx, s *account.Service, in HoldersIn) ([]Holder, int, error) {
	c := auth.From(ctx)
	switch {
	case c.IsNobody():
		return nil, 0, fault.New(fault.Unauthenticated, "unable to verify user credentials")
	case in.Project != "":
		h, err := projectHolder(ctx, q, account.For{Account: in.Account, Project: in.Project})
		return []Holder{h}, 1, err
	case in.EachProject:
		return accountHolders(ctx, s, in, account.AccountFilter{Scope: c.InProjects(), Projects: true})
	case in.Account != "":
		a, err := account.ReachAccount(ctx, q, in.Account, in.Domain)
		return []Holder{{Account: a.ID, Domain: a.Domain}}, 1, err
	case in.Domain != "":
		return domainHolders(ctx, q, s, in)
	case in.All:
		return accountHolders(ctx, s, in, account.AccountFilter{Scope: c.Reach()})
	}
	return []Holder{{Account: c.Account, Domain: c.Domain}}, 1, nil
}

func accountHolders(ctx context.Context, s *account.Service, in HoldersIn, f account.AccountFilter) ([]Holder, int, error) {
	f.Offset, f.Limit = in.Offset, in.Limit
	accounts, total, err := s.Accounts(ctx, f)
	holders := make([]Holder, len(accounts))
	for i, a := range accounts {
		holders[i] = Holder{Account: a.ID, Domain: a.Domain}
	}
	return holders, total, err
}

func domainHolders(ctx context.Context, q db.Tx, s *account.Service, in HoldersIn) ([]Holder, int, error) {
	d, err := account.ReachDomain(ctx, q, in.Domain)
	if err != nil || !in.Recursive || auth.From(ctx).Type == auth.User {
		return []Holder{{Domain: d.ID}}, 1, err
	}
	domains, total, err := s.Domains(ctx, account.DomainFilter{Scope: auth.Scope{Under: d.Path}, Offset: in.Offset, Limit: in.Limit})
	holders := make([]Holder, len(domains))
	for i, d := range domains {
		holders[i] = Holder{Domain: d.ID}
	}
	return holders, total, err
}

// HolderOf gives the account or the project, or the domain, that an admin names, if the admin reaches it.
func HolderOf(ctx context.Context, q db.Tx, in account.For) (Holder, error) {
	if in.Project != "" && auth.From(ctx).Type != auth.User {
		return projectHolder(ctx, q, in)
	}
	d, err := account.AdminReaches(ctx, q, in.Domain)
	if err != nil || in.Account == "" {
		return Holder{Domain: d.ID}, err
	}
	a, err := account.ReachAccount(ctx, q, in.Account, in.Domain)
	return Holder{Account: a.ID, Domain: a.Domain}, err
}

// CountsOf gives the counts of accounts and domains, in the order of the holders.
func CountsOf(ctx context.Context, q db.Tx, holders []Holder) ([]limit.Counts, error) {
	var accounts []uid.Account
	var domains []uid.Domain
	for _, h := range holders {
		if h.Account != "" {
			accounts = append(accounts, h.Account)
		} else {
			domains = append(domains, h.Domain)
		}
	}
	ofAccounts, err := limit.OfAccounts(ctx, q, accounts...)
	if err != nil {
		return nil, err
	}
	ofDomains, err := limit.OfDomains(ctx, q, domains...)
	out := make([]limit.Counts, len(holders))
	for i, h := range holders {
		if out[i] = ofAccounts[h.Account]; h.Account == "" {
			out[i] = ofDomains[h.Domain]
		}
		if out[i] == nil { // of ROOT
			out[i] = limit.Without(nil)
		}
	}
	return out, err
}

func projectHolder(ctx context.Context, q db.Tx, in account.For) (Holder, error) {
	if in.Account != "" {
		return Holder{}, errBoth()
	}
	a, err := account.ProjectInScope(ctx, q, auth.From(ctx).Reach(), in.Project)
	return Holder{Account: a.ID, Domain: a.Domain}, err
}

func errBoth() error { return fault.Invalidf("account and projectid were both given; use one of them") }
