package owned

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Lists look up, for lists of things that somebody owns, whose they are and who works on them.
type Lists struct {
	db       *db.DB
	accounts *account.Service
}

// New makes them.
func New(d *db.DB, accounts *account.Service) Lists { return Lists{db: d, accounts: accounts} }

// Scope turns what a list says about whose things it wants into the rows it may show to the caller. byID says that the
// command names things by id: then everything in the caller's reach is looked through, not only the own account's.
func (l Lists) Scope(ctx context.Context, in api.Scope, byID bool) (auth.Scope, error) {
	return l.accounts.Scope(ctx, account.ListScope{
		Account: in.Account, Domain: in.DomainID, Recursive: in.Recursive, All: in.ListAll, ByID: byID,
	})
}

// ScopeIn is [Lists.Scope] for lists that also choose by project.
func (l Lists) ScopeIn(ctx context.Context, in api.Scope, byID bool, p cs.InProject) (auth.Scope, error) {
	id, each, err := Project(p)
	if err != nil {
		return auth.Scope{}, err
	}
	return l.accounts.Scope(ctx, account.ListScope{
		Account: in.Account, Domain: in.DomainID, Recursive: in.Recursive, All: in.ListAll, ByID: byID, Project: id, EachProject: each,
	})
}

// allProjects stands for every project in lists.
const allProjects = "-1"

// Project reads which project a list is about, or that it is about each that there is to see.
func Project(p cs.InProject) (id uid.Project, each bool, err error) {
	text := strings.ToLower(p.ProjectID)
	switch {
	case text == allProjects:
		return "", true, nil
	case text != "" && !uid.Valid(text):
		return "", false, fault.Invalidf("projectid %q is neither the ID of a project nor -1, which stands for all", p.ProjectID)
	}
	return uid.Project(text), false, nil
}

// Owners fills in whose the n things of a page are, with one query. at gives the account of the ith thing, and where its
// owner goes. A thing of no account ("") has no owner.
func (l Lists) Owners(ctx context.Context, n int, at func(i int) (uid.Account, *cs.Owner)) error {
	names, err := l.AccountNames(ctx, n, func(i int) uid.Account { id, _ := at(i); return id })
	if err != nil {
		return err
	}
	for i := range n {
		id, owner := at(i)
		*owner = wire.Owner(id, names[id])
	}
	return nil
}

// OwnersOrDomains is [Lists.Owners] for things of which some belong to an account and some to a whole domain, which at gives where it gives
// no account.
func (l Lists) OwnersOrDomains(ctx context.Context, n int, at func(i int) (uid.Account, uid.Domain, *cs.Owner)) error {
	err := l.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { id, _, owner := at(i); return id, owner })
	if err != nil {
		return err
	}
	about := look.In(l.db.Read())
	domains := look.Related(ctx, about, n, func(i int) uid.Domain {
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
	return about.Err
}

// AccountNames looks up the names of the accounts of n things, each once.
func (l Lists) AccountNames(ctx context.Context, n int, at func(i int) uid.Account) (map[uid.Account]account.Name, error) {
	return account.Names(ctx, l.db.Read(), look.Distinct(n, at))
}

// Usernames looks up the names of the users of n things, each once.
func (l Lists) Usernames(ctx context.Context, n int, at func(i int) uid.User) (map[uid.User]string, error) {
	return account.Usernames(ctx, l.db.Read(), look.Distinct(n, at))
}

// Pending fills in which jobs are at work on the n things of a page, with one query. at gives the id of the ith thing, and
// where its job goes.
func (l Lists) Pending(ctx context.Context, n int, at func(i int) (subject string, job *cs.Pending)) error {
	subjects := look.Distinct(n, func(i int) string { id, _ := at(i); return id })
	jobs, err := op.OpenOn(ctx, l.db.Read(), subjects)
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

// Tagged fills in the tags of the n things of a page, with one query. at gives the id of the ith thing, whose it is and where its
// tags go.
func Tagged[K ~string](ctx context.Context, l Lists, t tag.Type, n int, at func(i int) (K, cs.Owner, *[]cs.Tag)) error {
	tags, err := tag.Of(ctx, l.db.Read(), t, look.Distinct(n, func(i int) K { id, _, _ := at(i); return id }))
	if err != nil || len(tags) == 0 {
		return err
	}
	for i := range n {
		id, owner, to := at(i)
		*to = wire.Tags(tags[id], owner)
	}
	return nil
}
