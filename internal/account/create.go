package account

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// CreateDomainIn says what domain to make.
type CreateDomainIn struct {
	Name          string
	Parent        uid.Domain // "": the caller's
	NetworkDomain string
}

// CreateDomain makes a domain in one that the caller, who must be an admin, reaches.
func (s *Service) CreateDomain(ctx context.Context, in CreateDomainIn) (Domain, error) {
	if err := checkName("domain", in.Name); err != nil {
		return Domain{}, err
	}
	if strings.Contains(in.Name, "/") || strings.EqualFold(in.Name, Root) {
		return Domain{}, fault.Invalidf("a domain can't be named %q: names have no slash, and ROOT is the domain above all", in.Name)
	}
	var d Domain
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		parent, err := adminReaches(ctx, tx, in.Parent)
		if err != nil {
			return err
		}
		d = Domain{
			ID: uid.New[uid.Domain](), Parent: parent.ID, Name: in.Name, Path: parent.Path + "/" + in.Name, Level: parent.Level + 1,
			State: Active, NetworkDomain: in.NetworkDomain, Created: tx.Now, ParentName: parent.Name,
		}
		if err := insertDomain(ctx, tx, d); err != nil {
			return taken(err, "domain", d.Name, parent.Path)
		}
		_, err = event.Write(ctx, tx, event.Event{
			Type: event.DomainCreate, Description: "domain " + d.Path + " was made", ResourceID: string(d.ID),
		})
		return err
	})
	return d, err
}

// CreateAccountIn says what account to make, and its first user.
type CreateAccountIn struct {
	Name          string     // "": the username
	Domain        uid.Domain // "": the caller's
	Type          auth.AccountType
	Role          uid.Role // "": the default one of the type; otherwise the type is the role's
	NetworkDomain string
	Username      string
	Password      secret.String
	Firstname     string
	Lastname      string
	Email         string
	Timezone      string
}

// CreateAccount makes an account and its first user in a domain that the caller, who must be an admin, reaches. Nobody makes
// an account that may do more than the own one, and root admins are made in ROOT only. A role says what type the account is of.
func (s *Service) CreateAccount(ctx context.Context, in CreateAccountIn) (Account, User, error) {
	if in.Name == "" {
		in.Name = in.Username
	}
	var a Account
	var u User
	check := func(tx db.Tx) (Domain, error) {
		d, err := adminReaches(ctx, tx, in.Domain)
		if err != nil {
			return d, err
		}
		in.Type, in.Role, err = s.roleFor(ctx, tx, d, in.Type, in.Role)
		return d, err
	}
	if _, err := check(s.db.Read()); err != nil { // before the hash, which costs
		return a, u, err
	}
	if err := checkName("account", in.Name); err != nil {
		return a, u, err
	}
	if err := checkName("user", in.Username); err != nil {
		return a, u, err
	}
	hash, err := s.hasher.Hash(ctx, in.Password)
	if err != nil {
		return a, u, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		d, err := check(tx)
		if err == nil {
			a, u, err = s.create(ctx, tx, d, in, hash)
		}
		return err
	})
	return a, u, err
}

// checkName refuses names that nobody could read, type or tell apart.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fault.Invalidf("the %s has no name", what)
	case utf8.RuneCountInString(name) > 255:
		return fault.Invalidf("the %s's name is longer than 255 characters", what)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) || strings.TrimSpace(name) != name:
		return fault.Invalidf("%q is no name for a %s: it holds characters that can't be seen, or begins or ends with a space", name, what)
	}
	return nil
}

func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// taken words what went wrong when a named row was inserted.
func taken(err error, what, name, path string) error {
	if db.IsUnique(err) {
		return fault.Conflictf("there is a %s named %q in domain %s already", what, name, path)
	}
	return fmt.Errorf("make %s %q: %w", what, name, err)
}
