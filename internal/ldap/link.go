package ldap

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// LinkIn says what to link.
type LinkIn struct {
	Domain  uid.Domain
	Account string // "": the domain itself
	Kind    Kind
	Name    string // of the directory's entry
	Type    auth.AccountType
	Role    uid.Role // "": the default one of the type
	Typed   bool
	Admin   string // of the directory: becomes an admin of the domain; "": nobody does
}

// Link links a domain, or an account of it that is made where there is none, to a group or a unit of its directory: whoever is in it can
// sign in to the domain from now on. Only root admins link domains. It gives the link, and the admin's account.
func (s *Service) Link(ctx context.Context, in LinkIn) (l Link, admin uid.Account, err error) {
	d, err := s.linkable(ctx, in)
	if err != nil {
		return l, "", err
	}
	var person directory.Person
	if err := func() error {
		conn, err := directory.Open(ctx, d)
		if err != nil {
			return err
		}
		defer conn.Close()
		if person, err = look(conn, &in); err != nil {
			return err
		}
		return nil
	}(); err != nil {
		return l, "", err
	}
	l = Link{Domain: in.Domain, Kind: in.Kind, Name: in.Name, Type: in.Type, Role: in.Role}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		domain, err := account.AdminReaches(ctx, tx, in.Domain)
		if err != nil {
			return err
		}
		if in.Account != "" {
			if err := s.accountFor(ctx, tx, in, &l); err != nil {
				return err
			}
		}
		if err := s.keep(ctx, tx, l, domain.Path); err != nil || in.Admin == "" {
			return err
		}
		admin, err = s.makeAdmin(ctx, tx, person, in)
		return err
	})
	return l, admin, err
}

// linkable checks what is to be linked as far as the directory need not be asked.
func (s *Service) linkable(ctx context.Context, in LinkIn) (d directory.Directory, err error) {
	domain, err := account.AdminReaches(ctx, s.db.Read(), in.Domain)
	if err != nil {
		return d, err
	}
	root := auth.From(ctx).IsRoot()
	if err := said(in.Typed || in.Account == "", in.Role); err != nil {
		return d, err
	}
	switch {
	case in.Account == "" && !root:
		return d, fault.Deniedf("only root admins link domains to directories")
	case in.Kind != Group && in.Kind != Unit:
		return d, fault.Invalidf("type %q can't be linked; want %s or %s", in.Kind, Group, Unit)
	case !directory.IsDN(in.Name):
		return d, fault.Invalidf("%q names no entry of a directory: want a distinguished name, "+
			"cn=staff,ou=groups,dc=example,dc=org for instance", in.Name)
	case in.Type != auth.User && in.Type != auth.DomainAdmin && in.Role == "":
		return d, fault.Invalidf("accounts of type %d are made for nobody from outside; want 0 for users or 2 for domain admins", in.Type)
	}
	d, own, err := s.reach(ctx, domain.ID)
	if err == nil && !own && !root {
		err = fault.Deniedf("domain %s has no directory of its own: ask a root administrator to link its accounts", domain.Path)
	}
	return d, err
}

// look asks the directory for the entry, whose name is spelt as there from then on, and for who becomes an admin.
func look(conn *directory.Conn, in *LinkIn) (p directory.Person, err error) {
	place := directory.Place{DN: in.Name}
	if in.Kind == Group {
		dn, found, err := conn.Group(in.Name)
		switch {
		case err != nil:
			return p, err
		case !found:
			return p, fault.NotFoundf("the directory has no group %s", in.Name)
		}
		place.DN, in.Name = dn, dn
	} else {
		dn, found, err := conn.Unit(in.Name)
		switch {
		case err != nil:
			return p, err
		case !found:
			return p, fault.NotFoundf("the directory has no unit %s below its base", in.Name)
		}
		place, in.Name = directory.Place{Unit: true, DN: dn}, dn
	}
	if in.Admin == "" {
		return p, nil
	}
	p, found, err := conn.Find(in.Admin, place)
	switch {
	case err != nil:
		return p, err
	case !found || p.Disabled:
		return p, fault.NotFoundf("the directory has no user %q in %s who may sign in", in.Admin, in.Name)
	}
	return p, nil
}

// accountFor finds the account to link, or makes one without users.
func (s *Service) accountFor(ctx context.Context, tx db.Tx, in LinkIn, l *Link) error {
	a, err := s.accounts.Changeable(ctx, tx, account.Named{Name: in.Account, Domain: in.Domain})
	if fault.Is(err, fault.NotFound) {
		a, _, err = s.accounts.MakeAccount(ctx, tx, account.CreateAccountIn{
			Name: in.Account, Domain: in.Domain, Type: in.Type, Role: in.Role, Typed: in.Typed,
		})
	}
	l.Account, l.AccountName, l.Type, l.Role = a.ID, a.Name, a.Type, a.Role
	return err
}

func (s *Service) keep(ctx context.Context, tx db.Tx, l Link, path string) error {
	l.Created = tx.Now
	err := putLink(ctx, tx, l)
	switch {
	case db.IsUnique(err):
		return fault.Conflictf("%s is linked to domain %s, or to another of its accounts, already", l.Name, path)
	case err != nil:
		return fmt.Errorf("link domain %s: %w", l.Domain, err)
	}
	what := "domain " + path
	if l.Account != "" {
		what = "account " + l.AccountName + " of " + what
	}
	return linkEvent(ctx, tx, event.LDAPLink, l.Domain, fmt.Sprintf("%s was linked to %s", what, l.Name))
}

func linkEvent(ctx context.Context, tx db.Tx, kind event.Kind, domain uid.Domain, text string) error {
	_, err := event.Write(ctx, tx, event.Event{Type: kind, Description: text, ResourceID: string(domain)})
	return err
}

// makeAdmin makes an admin's account of the domain for somebody; where that person has one it stays what it is.
func (s *Service) makeAdmin(ctx context.Context, tx db.Tx, p directory.Person, in LinkIn) (uid.Account, error) {
	_, err := account.UserNamed(ctx, tx, in.Domain, p.Username)
	if err == nil || !db.IsNone(err) {
		return "", err
	}
	a, _, err := s.makeAccount(ctx, tx, p, Enrolment{Domain: in.Domain, Type: auth.DomainAdmin})
	return a.ID, err
}

// Unlink ends the link of a domain, or of an account of it, where one is named. Whoever has come by it stays a user.
func (s *Service) Unlink(ctx context.Context, domain uid.Domain, of string) error {
	if !auth.From(ctx).IsRoot() {
		return fault.Deniedf("only root admins link domains to directories")
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		d, err := account.AdminReaches(ctx, tx, domain)
		if err != nil {
			return err
		}
		what := "domain " + d.Path
		var a account.Account
		if of != "" {
			if a, err = s.accounts.Changeable(ctx, tx, account.Named{Name: of, Domain: d.ID}); err != nil {
				return err
			}
			what = "account " + a.Name + " of " + what
		}
		there, err := deleteLink(ctx, tx, d.ID, a.ID)
		switch {
		case err != nil:
			return fmt.Errorf("unlink %s: %w", what, err)
		case !there:
			return fault.Conflictf("%s is linked to no directory", what)
		}
		return linkEvent(ctx, tx, event.LDAPUnlink, d.ID, what+" was unlinked")
	})
}
