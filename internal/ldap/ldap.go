package ldap

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Server is one of a directory's servers.
type Server struct {
	ID       uid.LDAPServer `bun:",pk"`
	Domain   uid.Domain     `bun:"domain_id"` // whose users it knows; "": those of domains that have none
	Hostname string
	Port     int
	Created  time.Time
}

// Kind says what of a directory is linked; its text is the wire's.
type Kind string

// The kinds.
const (
	Group Kind = "GROUP"
	Unit  Kind = "OU"
)

// Link says that whoever is in a part of a directory belongs to a domain, where each has an account, or to one account of it.
type Link struct {
	Domain  uid.Domain  `bun:"domain_id,pk"`
	Account uid.Account `bun:"account_id,pk"` // "": the domain
	Kind    Kind
	Name    string           // the entry's
	Type    auth.AccountType `bun:"account_type"` // of accounts that are made
	Role    uid.Role         `bun:"role_id"`      // "": the default one of the type
	Created time.Time

	AccountName string `bun:",scanonly"`
}

func (l Link) place() directory.Place { return directory.Place{Unit: l.Kind == Unit, DN: l.Name} }

// Service is where directories are known. All methods may be called concurrently.
type Service struct {
	db       *db.DB
	accounts *account.Service
	settings *setting.Settings
	log      *slog.Logger
	guesses  *guesses
}

// New makes a service.
func New(d *db.DB, accounts *account.Service, settings *setting.Settings, log *slog.Logger) *Service {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Service{db: d, accounts: accounts, settings: settings, log: log, guesses: newGuesses(d.Now, settings)}
}

// reach is a directory as a domain knows it: with the servers of the domain, or of the nearest one above that has any, or of the whole
// cloud. own tells whether they are a domain's.
func (s *Service) reach(ctx context.Context, id uid.Domain) (d directory.Directory, own bool, err error) {
	line, err := lineOf(ctx, s.db.Read(), id)
	if err != nil {
		return d, false, fmt.Errorf("find the domains above %s: %w", id, err)
	}
	servers, err := serversOf(ctx, s.db.Read(), append(line, ""))
	if err != nil {
		return d, false, fmt.Errorf("find the directories of domain %s: %w", id, err)
	}
	places := make([]setting.Place, len(line))
	for i, above := range line {
		places[i] = setting.InDomain(above)
	}
	d = s.layout(places...)
	for _, at := range append(line, "") {
		for _, server := range servers[at] {
			d.Servers = append(d.Servers, directory.Server{Host: server.Hostname, Port: server.Port})
		}
		if len(d.Servers) > 0 {
			return d, at != "", nil
		}
	}
	return d, false, nil
}

// layout is what the settings say of a directory.
func (s *Service) layout(at ...setting.Place) directory.Directory {
	return directory.Directory{
		Security: directory.Security(setting.LDAPSecurity.Of(s.settings, at...)),
		Truststore: directory.Truststore{
			Certificates: setting.LDAPTruststore.Of(s.settings, at...), Password: setting.LDAPTruststorePassword.Of(s.settings, at...),
		},
		Timeout:     setting.LDAPReadTimeout.Of(s.settings, at...),
		Bind:        setting.LDAPBindPrincipal.Of(s.settings, at...),
		Password:    setting.LDAPBindPassword.Of(s.settings, at...),
		BaseDN:      setting.LDAPBaseDN.Of(s.settings, at...),
		PageSize:    int(setting.LDAPPageSize.Of(s.settings, at...)),
		Kind:        directory.Kind(setting.LDAPProvider.Of(s.settings, at...)),
		UserObject:  setting.LDAPUserObject.Of(s.settings, at...),
		Username:    setting.LDAPUsernameAttribute.Of(s.settings, at...),
		Email:       setting.LDAPEmailAttribute.Of(s.settings, at...),
		Firstname:   setting.LDAPFirstnameAttribute.Of(s.settings, at...),
		Lastname:    setting.LDAPLastnameAttribute.Of(s.settings, at...),
		MemberOf:    setting.LDAPMemberOfAttribute.Of(s.settings, at...),
		GroupObject: setting.LDAPGroupObject.Of(s.settings, at...),
		GroupMember: setting.LDAPGroupMember.Of(s.settings, at...),
		Nested:      setting.LDAPNestedGroups.Of(s.settings, at...),
		SearchGroup: setting.LDAPSearchGroup.Of(s.settings, at...),
		Filter:      setting.LDAPQueryFilter.Of(s.settings, at...),
	}
}

// browsed is a directory that the caller may look around in, as a domain knows it ("": the caller's, or for root admins the cloud as a
// whole), and the links of the domain. Who is no root admin sees only what is linked to the domain, or all of a directory that is a
// domain's: one that the whole cloud shares also has the users of others.
func (s *Service) browsed(ctx context.Context, id uid.Domain) (d directory.Directory, in uid.Domain, links []Link, err error) {
	c := auth.From(ctx)
	whole := id == "" && c.IsRoot()
	domain, err := account.AdminReaches(ctx, s.db.Read(), id)
	if err != nil {
		return d, "", nil, err
	}
	in = domain.ID
	d, own, err := s.reach(ctx, in)
	if err != nil || whole {
		return d, in, nil, err
	}
	if links, err = linksOf(ctx, s.db.Read(), in); err != nil {
		return d, in, nil, fmt.Errorf("find the links of domain %s: %w", in, err)
	}
	if !own && len(links) == 0 && !c.IsRoot() {
		return d, in, nil, fault.Deniedf("domain %s is linked to no directory and has none of its own: ask a root administrator", domain.Path)
	}
	return d, in, links, nil
}
