package ldap

import (
	"context"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/ldap"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that knows directories.
type Translator struct {
	DB   *db.DB
	LDAP *ldap.Service
	// Account shows an account.
	Account func(ctx context.Context, id uid.Account) (cs.Account, error)
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleCreate(m, cs.AddLDAPConfiguration, t.add, look.Show(t.DB.Read, ldap.ServersByID, shown))
	api.HandleCall(m, cs.DeleteLDAPConfiguration, t.delete)
	api.HandleList(m, cs.ListLDAPConfigurations, t.list)
	api.HandleCall(m, cs.LDAPConfig, t.config)
	api.HandleCall(m, cs.LDAPRemove, t.remove)
	api.HandleList(m, cs.ListLDAPUsers, t.listUsers)
	api.HandleList(m, cs.SearchLDAP, t.search)
	api.HandleList(m, cs.ImportLDAPUsers, t.importUsers)
	api.HandleCreate(m, cs.LDAPCreateAccount, t.createAccount, t.Account)
	api.HandleCall(m, cs.LinkDomainToLDAP, t.linkDomain)
	api.HandleCall(m, cs.LinkAccountToLDAP, t.linkAccount)
	api.HandleCall(m, cs.UnlinkDomainFromLDAP, t.unlink)
}

func (t Translator) add(ctx context.Context, in cs.AddLDAPConfigurationIn) (uid.LDAPServer, error) {
	return t.LDAP.Add(ctx, in.Hostname, in.Port, in.DomainID)
}

func (t Translator) delete(ctx context.Context, in cs.DeleteLDAPConfigurationIn) (cs.LDAPConfiguration, error) {
	f := ldap.Filter{ID: in.ID}
	if in.ID == "" {
		f = ldap.Filter{Hostname: in.Hostname, Port: in.Port, Domain: &in.DomainID}
	}
	gone, err := t.LDAP.Delete(ctx, f)
	return serverOut(gone), err
}

func (t Translator) list(ctx context.Context, in cs.ListLDAPConfigurationsIn) (api.Page[cs.LDAPConfiguration], error) {
	f := ldap.Filter{ID: in.ID, Hostname: in.Hostname, Port: in.Port, Keyword: in.Keyword}
	if in.ID == "" && (in.DomainID != "" || !in.ListAll) {
		f.Domain = &in.DomainID
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	servers, total, err := t.LDAP.Servers(ctx, f)
	return look.Page(servers, total, serverOut), err
}

func shown(_ context.Context, servers []ldap.Server) ([]cs.LDAPConfiguration, error) {
	out := make([]cs.LDAPConfiguration, len(servers))
	for i, s := range servers {
		out[i] = serverOut(s)
	}
	return out, nil
}

func serverOut(s ldap.Server) cs.LDAPConfiguration {
	return cs.LDAPConfiguration{ID: s.ID, Hostname: s.Hostname, Port: s.Port, DomainID: s.Domain}
}

func (t Translator) config(ctx context.Context, in cs.LDAPConfigIn) (cs.LDAPContext, error) {
	if !in.ListAll {
		if in.Hostname == "" {
			return cs.LDAPContext{}, fault.Invalidf("hostname is missing: name the directory's server, or ask with listall=true for what is set")
		}
		err := t.LDAP.Configure(ctx, ldap.Context{
			Hostname: in.Hostname, Port: in.Port, TLS: in.SSL, SearchBase: in.SearchBase, QueryFilter: in.QueryFilter, BindDN: in.BindDN,
			BindPassword: secret.New(in.BindPassword), Truststore: in.Truststore, TruststorePass: secret.New(in.TruststorePassword),
		})
		if err != nil {
			return cs.LDAPContext{}, err
		}
	}
	c, err := t.LDAP.Context(ctx)
	if err != nil || c.Hostname == "" {
		return cs.LDAPContext{}, err
	}
	return cs.LDAPContext{
		Hostname: c.Hostname, Port: strconv.Itoa(c.Port), SSL: strconv.FormatBool(*c.TLS), SearchBase: c.SearchBase, QueryFilter: c.QueryFilter,
		BindDN: c.BindDN,
	}, nil
}

func (t Translator) remove(ctx context.Context, _ api.None) (cs.LDAPContext, error) {
	return cs.LDAPContext{}, t.LDAP.Clear(ctx)
}

func (t Translator) listUsers(ctx context.Context, in cs.ListLDAPUsersIn) (api.Page[cs.LDAPUser], error) {
	which := ldap.Which(in.UserFilter)
	if which == "" && in.ListType == "new" {
		which = ldap.Nowhere
	}
	return t.people(ctx, ldap.PeopleFilter{Domain: in.DomainID, Word: in.Keyword, Which: which}, in.Paging)
}

func (t Translator) search(ctx context.Context, in cs.SearchLDAPIn) (api.Page[cs.LDAPUser], error) {
	word := in.Query
	if in.Keyword != "" && in.Keyword != in.Query {
		return api.Page[cs.LDAPUser]{}, fault.Invalidf("query and keyword were both given, and differ; use query")
	}
	return t.people(ctx, ldap.PeopleFilter{Word: word}, in.Paging)
}

func (t Translator) people(ctx context.Context, f ldap.PeopleFilter, p api.Paging) (api.Page[cs.LDAPUser], error) {
	f.Offset, f.Limit = look.Window(p)
	people, total, err := t.LDAP.People(ctx, f)
	return look.Page(people, total, personOut), err
}

func personOut(p ldap.Person) cs.LDAPUser {
	return cs.LDAPUser{
		Username: p.Username, FirstName: p.Firstname, LastName: p.Lastname, Email: p.Email, Principal: p.DN, Domain: p.Unit, Source: string(p.Source),
	}
}

// ofType reads what accounts may do, where that is said.
func ofType(accountType *int) (t auth.AccountType, typed bool) {
	if accountType == nil {
		return t, false
	}
	return auth.AccountType(*accountType), true
}

func (t Translator) importUsers(ctx context.Context, in cs.ImportLDAPUsersIn) (api.Page[cs.LDAPUser], error) {
	kind, typed := ofType(in.AccountType)
	people, err := t.LDAP.Import(ctx, ldap.Import{
		Enrolment: ldap.Enrolment{
			Domain: in.DomainID, Account: in.Account, Type: kind, Typed: typed, Role: in.RoleID, Details: in.Details, Timezone: in.Timezone,
		},
		Group: in.Group, Word: in.Keyword, Disable: in.Gone == "disable",
	})
	if err != nil {
		return api.Page[cs.LDAPUser]{}, err
	}
	total := len(people)
	offset, limit := look.Window(in.Paging)
	people = people[min(offset, total):]
	if limit > 0 {
		people = people[:min(limit, len(people))]
	}
	return look.Page(people, total, personOut), nil
}

func (t Translator) createAccount(ctx context.Context, in cs.LDAPCreateAccountIn) (uid.Account, error) {
	kind, typed := ofType(in.AccountType)
	return t.LDAP.CreateAccount(ctx, in.Username, ldap.Enrolment{
		Domain: in.DomainID, Account: in.Account, Type: kind, Typed: typed, Role: in.RoleID, NetworkDomain: in.NetworkDomain, Details: in.Details,
		Timezone: in.Timezone, AccountID: in.AccountID, UserID: in.UserID,
	})
}

func (t Translator) linkDomain(ctx context.Context, in cs.LinkDomainToLDAPIn) (cs.LDAPLink, error) {
	name := in.LDAPDomain
	if name == "" {
		name = in.Name
	}
	l, admin, err := t.LDAP.Link(ctx, ldap.LinkIn{
		Domain: in.DomainID, Kind: ldap.Kind(in.Type), Name: name, Type: auth.AccountType(in.AccountType), Typed: true, Admin: in.Admin,
	})
	out := linkOut(l)
	out.AccountID = admin
	return out, err
}

func (t Translator) linkAccount(ctx context.Context, in cs.LinkAccountToLDAPIn) (cs.LDAPLink, error) {
	kind, typed := ofType(in.AccountType)
	what := ldap.Group
	if in.Type != "" {
		what = ldap.Kind(in.Type)
	}
	l, _, err := t.LDAP.Link(ctx, ldap.LinkIn{
		Domain: in.DomainID, Account: in.Account, Kind: what, Name: in.LDAPDomain, Type: kind, Typed: typed, Role: in.RoleID, Admin: in.Admin,
	})
	return linkOut(l), err
}

func linkOut(l ldap.Link) cs.LDAPLink {
	return cs.LDAPLink{
		DomainID: l.Domain, Type: string(l.Kind), LDAPDomain: l.Name, Name: l.AccountName, AccountType: int(l.Type), AccountID: l.Account,
	}
}

func (t Translator) unlink(ctx context.Context, in cs.UnlinkDomainFromLDAPIn) (api.Success, error) {
	err := t.LDAP.Unlink(ctx, in.DomainID, in.Account)
	return api.Success{Success: err == nil}, err
}
