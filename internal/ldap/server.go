package ldap

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Where directories listen if nobody says otherwise.
const (
	plainPort = 389
	tlsPort   = 636
)

// Filter says which servers to list. Zero fields do not restrict.
type Filter struct {
	ID       uid.LDAPServer
	Domain   *uid.Domain // "": the whole cloud's
	Hostname string
	Port     int
	Keyword  string // part of the hostname, in any case
	Offset   int
	Limit    int // 0: all
}

func rootOnly(ctx context.Context) error {
	if !auth.From(ctx).IsRoot() {
		return fault.Deniedf("only root admins may say which directories there are")
	}
	return nil
}

// Servers gives one page of the servers, and how many there are on all pages. Only root admins see them.
func (s *Service) Servers(ctx context.Context, f Filter) ([]Server, int, error) {
	if err := rootOnly(ctx); err != nil {
		return nil, 0, err
	}
	servers, total, err := listServers(ctx, s.db.Read(), f)
	if err != nil {
		return nil, 0, fmt.Errorf("list directories: %w", err)
	}
	return servers, total, nil
}

func checkServer(host string, port int) error {
	if host == "" || len(host) > 253 || strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._:", r)
	}) {
		return fault.Invalidf("hostname %q is neither a DNS name nor an IP address", host)
	}
	if port < 1 || port > 65535 {
		return fault.Invalidf("port %d is none: want one from 1 to 65535, 389 or 636 for instance", port)
	}
	return nil
}

// Add makes a directory's server known, for a domain or for the whole cloud (""), after it was asked: whoever searches it as the
// settings say must be let in.
func (s *Service) Add(ctx context.Context, host string, port int, domain uid.Domain) (uid.LDAPServer, error) {
	if err := rootOnly(ctx); err != nil {
		return "", err
	}
	if err := checkServer(host, port); err != nil {
		return "", err
	}
	line, err := s.line(ctx, domain)
	if err != nil {
		return "", err
	}
	d := s.layout(line...)
	d.Servers = []directory.Server{{Host: host, Port: port}}
	if err := try(ctx, d); err != nil {
		return "", err
	}
	server := Server{ID: uid.New[uid.LDAPServer](), Domain: domain, Hostname: host, Port: port}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if domain != "" {
			if _, err := account.AdminReaches(ctx, tx, domain); err != nil {
				return err
			}
		}
		server.Created = tx.Now
		if err := s.insert(ctx, tx, server); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(server.ID), "")
	})
	return server.ID, err
}

func try(ctx context.Context, d directory.Directory) error {
	conn, err := directory.Open(ctx, d)
	if err == nil {
		conn.Close()
	}
	return err
}

// line are the places whose settings count for a domain.
func (s *Service) line(ctx context.Context, domain uid.Domain) ([]setting.Place, error) {
	if domain == "" {
		return nil, nil
	}
	if _, err := account.AdminReaches(ctx, s.db.Read(), domain); err != nil {
		return nil, err
	}
	line, err := lineOf(ctx, s.db.Read(), domain)
	if err != nil {
		return nil, fmt.Errorf("find the domains above %s: %w", domain, err)
	}
	places := make([]setting.Place, len(line))
	for i, id := range line {
		places[i] = setting.InDomain(id)
	}
	return places, nil
}

func (s *Service) insert(ctx context.Context, tx db.Tx, server Server) error {
	err := insertServer(ctx, tx, server)
	switch {
	case db.IsUnique(err):
		return fault.Conflictf("the directory %s:%d is known there already", server.Hostname, server.Port)
	case err != nil:
		return fmt.Errorf("add directory %s: %w", server.Hostname, err)
	}
	return serverEvent(ctx, tx, event.LDAPServerAdd, server, "was added")
}

func serverEvent(ctx context.Context, tx db.Tx, kind event.Kind, s Server, deed string) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("the directory %s:%d %s", s.Hostname, s.Port, deed), ResourceID: string(s.ID),
	})
	return err
}

// Delete forgets a server: the one with an id, or of a domain ("": the whole cloud's) with a name, and a port unless it is 0.
func (s *Service) Delete(ctx context.Context, f Filter) (gone Server, err error) {
	if err := rootOnly(ctx); err != nil {
		return gone, err
	}
	if f.ID == "" && f.Hostname == "" {
		return gone, fault.Invalidf("name the directory: by its id, or by hostname, port and domainid")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		found, _, err := listServers(ctx, tx, f)
		switch {
		case err != nil:
			return fmt.Errorf("find a directory: %w", err)
		case len(found) == 0 && f.ID != "":
			return fault.Missing(f.ID)
		case len(found) == 0:
			return fault.NotFoundf("there is no directory %s there", f.Hostname)
		case len(found) > 1:
			return fault.Conflictf("there are %d directories on %s: name the port", len(found), f.Hostname)
		}
		gone = found[0]
		return s.forget(ctx, tx, gone)
	})
	return gone, err
}

func (s *Service) forget(ctx context.Context, tx db.Tx, server Server) error {
	if _, err := deleteServer(ctx, tx, server.ID); err != nil {
		return fmt.Errorf("forget directory %s: %w", server.ID, err)
	}
	return serverEvent(ctx, tx, event.LDAPServerDelete, server, "was forgotten")
}

// Context is the whole cloud's directory as ldapConfig has it: one server, and what the settings say.
type Context struct {
	Hostname       string
	Port           int // 0: 389, or 636 with TLS
	TLS            *bool
	SearchBase     string
	QueryFilter    string
	BindDN         string
	BindPassword   secret.String
	Truststore     string
	TruststorePass secret.String
}

// Context shows the cloud's first directory, and the zero Context where there is none. Passwords are not in it.
func (s *Service) Context(ctx context.Context) (c Context, err error) {
	servers, _, err := s.Servers(ctx, Filter{Domain: new(uid.Domain)})
	if err != nil || len(servers) == 0 {
		return c, err
	}
	tls := setting.LDAPSecurity.Of(s.settings)
	d := s.layout()
	secured := tls == string(directory.LDAPS) || tls == string(directory.Auto) && d.Truststore.Certificates != ""
	return Context{
		Hostname: servers[0].Hostname, Port: servers[0].Port, TLS: &secured, SearchBase: d.BaseDN, QueryFilter: d.Filter, BindDN: d.Bind,
	}, nil
}

// values are the settings that a context stands for; "" gives a setting its default back.
func (c Context) values() map[*setting.Setting]string {
	security := string(directory.Auto)
	if c.TLS != nil {
		security = map[bool]string{true: string(directory.LDAPS), false: string(directory.Plain)}[*c.TLS]
	}
	return map[*setting.Setting]string{
		setting.LDAPSecurity.Setting: security, setting.LDAPBaseDN.Setting: c.SearchBase, setting.LDAPQueryFilter.Setting: c.QueryFilter,
		setting.LDAPBindPrincipal.Setting: c.BindDN, setting.LDAPBindPassword.Setting: c.BindPassword.Reveal(),
		setting.LDAPTruststore.Setting: c.Truststore, setting.LDAPTruststorePassword.Setting: c.TruststorePass.Reveal(),
	}
}

// Configure makes a context the whole cloud's, in the place of the one that there is, after its server was asked.
func (s *Service) Configure(ctx context.Context, c Context) error {
	if err := rootOnly(ctx); err != nil {
		return err
	}
	if c.Port == 0 {
		c.Port = plainPort
		if c.TLS != nil && *c.TLS {
			c.Port = tlsPort
		}
	}
	if err := checkServer(c.Hostname, c.Port); err != nil {
		return err
	}
	d := s.layout()
	d.Servers = []directory.Server{{Host: c.Hostname, Port: c.Port}}
	d.Security, d.BaseDN, d.Filter, d.Bind, d.Password = directory.Auto, c.SearchBase, c.QueryFilter, c.BindDN, c.BindPassword
	d.Truststore = directory.Truststore{Certificates: c.Truststore, Password: c.TruststorePass}
	if c.TLS != nil {
		d.Security = directory.Security(c.values()[setting.LDAPSecurity.Setting])
	}
	if err := try(ctx, d); err != nil {
		return err
	}
	return s.replace(ctx, c.values(), Server{Hostname: c.Hostname, Port: c.Port})
}

// Clear forgets the whole cloud's directories, and what the settings say of them. Domains keep theirs.
func (s *Service) Clear(ctx context.Context) error {
	if err := rootOnly(ctx); err != nil {
		return err
	}
	values := Context{}.values()
	values[setting.LDAPSecurity.Setting] = ""
	return s.replace(ctx, values, Server{})
}

func (s *Service) replace(ctx context.Context, values map[*setting.Setting]string, by Server) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		old, err := serversOf(ctx, tx, []uid.Domain{""})
		if err != nil {
			return fmt.Errorf("find the cloud's directories: %w", err)
		}
		kept := false
		for _, server := range old[""] {
			if server.Hostname == by.Hostname && server.Port == by.Port {
				kept = true
			} else if err := s.forget(ctx, tx, server); err != nil {
				return err
			}
		}
		if by.Hostname != "" && !kept {
			by.ID, by.Created = uid.New[uid.LDAPServer](), tx.Now
			if err := s.insert(ctx, tx, by); err != nil {
				return err
			}
		}
		for of, value := range values {
			if err := s.settings.ChangeIn(ctx, tx, of.Name, setting.Place{}, value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.settings.Load(ctx)
}
