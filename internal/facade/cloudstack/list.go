package cloudstack

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// scope turns what a list says about whose things it wants into the rows it may show to the caller. byID says that the
// command names things by id: then everything in the caller's reach is looked through, not only the own account's.
func (f *Facade) scope(ctx context.Context, in api.Scope, byID bool) (auth.Scope, error) {
	return f.Accounts.Scope(ctx, account.ListScope{
		Account: in.Account, Domain: in.DomainID, Recursive: in.Recursive, All: in.ListAll, ByID: byID,
	})
}

// scopeIn is scope for lists that also choose by project. Virga has no projects yet: nothing belongs to one, and an ID of a
// project names nothing.
func (f *Facade) scopeIn(ctx context.Context, in api.Scope, byID bool, p cs.InProject) (auth.Scope, error) {
	switch {
	case p.ProjectID != "" && p.ProjectID != allProjects:
		return auth.Scope{}, noProject(p.ProjectID)
	case p.ProjectID != "":
		return auth.Scope{}, nil // which shows nothing
	}
	return f.scope(ctx, in, byID)
}

// allProjects stands for every project in lists.
const allProjects = "-1"

// noProject refuses the ID of a project; "" is none.
func noProject[ID ~string](id ID) error {
	switch {
	case id == "":
		return nil
	case !uid.Valid(strings.ToLower(string(id))):
		return fault.Invalidf("projectid %q is not the ID of a project", id)
	}
	return fault.Missing(uid.Project(id))
}

// owners fills in whose the n things of a page are, with one query. at gives the account of the ith thing, and where its
// owner goes. A thing of no account ("") has no owner.
func (f *Facade) owners(ctx context.Context, n int, at func(i int) (uid.Account, *cs.Owner)) error {
	names, err := f.accountNames(ctx, n, func(i int) uid.Account { id, _ := at(i); return id })
	if err != nil {
		return err
	}
	for i := range n {
		id, owner := at(i)
		name := names[id]
		*owner = cs.Owner{Account: name.Account, DomainID: name.Domain, Domain: name.DomainName, DomainPath: name.DomainPath}
	}
	return nil
}

// ownersOrDomains is owners for things of which some belong to an account and some to a whole domain, which at gives where it gives
// no account.
func (f *Facade) ownersOrDomains(ctx context.Context, n int, at func(i int) (uid.Account, uid.Domain, *cs.Owner)) error {
	err := f.owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { id, _, owner := at(i); return id, owner })
	if err != nil {
		return err
	}
	l := look.In(f.DB.Read())
	domains := look.Related(ctx, l, n, func(i int) uid.Domain {
		if account, domain, _ := at(i); account == "" {
			return domain
		}
		return ""
	}, account.DomainsByID)
	for i := range n {
		if id, domain, owner := at(i); id == "" && domain != "" {
			d := domains[domain]
			*owner = cs.Owner{DomainID: domain, Domain: d.Name, DomainPath: d.Path}
		}
	}
	return l.Err
}

// accountNames looks up the names of the accounts of n things, each once.
func (f *Facade) accountNames(ctx context.Context, n int, at func(i int) uid.Account) (map[uid.Account]account.Name, error) {
	return account.Names(ctx, f.DB.Read(), look.Distinct(n, at))
}

// usernames looks up the names of the users of n things, each once.
func (f *Facade) usernames(ctx context.Context, n int, at func(i int) uid.User) (map[uid.User]string, error) {
	return account.Usernames(ctx, f.DB.Read(), look.Distinct(n, at))
}

// pending fills in which jobs are at work on the n things of a page, with one query. at gives the id of the ith thing, and
// where its job goes.
func (f *Facade) pending(ctx context.Context, n int, at func(i int) (subject string, job *cs.Pending)) error {
	subjects := look.Distinct(n, func(i int) string { id, _ := at(i); return id })
	jobs, err := op.OpenOn(ctx, f.DB.Read(), subjects)
	if err != nil || len(jobs) == 0 {
		return err
	}
	for i := range n {
		subject, job := at(i)
		if id := jobs[subject]; id != "" {
			job.JobID, job.JobStatus = id, new(cs.JobPending)
		}
	}
	return nil
}
