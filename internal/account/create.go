package account

import (
	"cmp"
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// CreateAccountIn says what account to make, and its first user.
type CreateAccountIn struct {
	ID            uid.Account // "": a new one; only root admins choose it
	Name          string      // "": the username
	Domain        uid.Domain  // "": the caller's
	Type          auth.AccountType
	Role          uid.Role // "": the default one of the type; otherwise the type is the role's
	Typed         bool     // the type was said, so that a role must be of it
	NetworkDomain string
	Details       map[string]string
	User          uid.User // the first user's id, as ID
	Username      string
	Password      secret.String
	Firstname     string
	Lastname      string
	Email         string
	Timezone      string
	Source        auth.Source // "": native; for MakeAccount only
}

func (in CreateAccountIn) check() error {
	if err := checkName("account", in.Name); err != nil {
		return err
	}
	if err := checkName("user", in.Username); err != nil {
		return err
	}
	if err := checkNetworkDomain(in.NetworkDomain); err != nil {
		return err
	}
	return checkPerson(in.Firstname, in.Lastname, in.Email, in.Timezone)
}

// CreateAccount makes an account and its first user in a domain that the caller, who must be an admin, reaches. Nobody makes
// an account that may do more than the own one, and root admins are made in ROOT only. A role says what type the account is of.
func (s *Service) CreateAccount(ctx context.Context, in CreateAccountIn) (Account, User, error) {
	in.Name = cmp.Or(in.Name, in.Username)
	var a Account
	var u User
	if _, err := s.resolve(ctx, s.db.Read(), &in); err != nil { // before the hash, which costs
		return a, u, err
	}
	if err := in.check(); err != nil {
		return a, u, err
	}
	hash, err := s.hasher.Hash(ctx, in.Password)
	if err != nil {
		return a, u, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		d, err := s.resolve(ctx, tx, &in)
		if err == nil {
			a, u, err = s.create(ctx, tx, d, in, hash)
		}
		if err != nil {
			return err
		}
		return once.Record(ctx, tx, string(a.ID), "")
	})
	return a, u, err
}

// MakeAccount makes an account as CreateAccount does, whose first user has no password here: another source vouches for it. Without a
// username it has no user yet.
func (s *Service) MakeAccount(ctx context.Context, tx db.Tx, in CreateAccountIn) (a Account, u User, err error) {
	in.Name = cmp.Or(in.Name, in.Username)
	if in.Username == "" {
		err = checkName("account", in.Name)
	} else {
		err = in.check()
	}
	if err != nil {
		return a, u, err
	}
	d, err := s.resolve(ctx, tx, &in)
	if err != nil {
		return a, u, err
	}
	return s.create(ctx, tx, d, in, "")
}

// resolve finds where an account is to be made, fills in its type and role, and refuses what the caller may not make.
func (s *Service) resolve(ctx context.Context, tx db.Tx, in *CreateAccountIn) (Domain, error) {
	if err := tx.Rely(ctx, tree); err != nil {
		return Domain{}, err
	}
	d, err := AdminReaches(ctx, tx, in.Domain)
	if err != nil {
		return d, err
	}
	t, id, err := s.roleFor(ctx, tx, d, in.Type, in.Role)
	switch {
	case err != nil:
		return d, err
	case in.Typed && t != in.Type:
		return d, fault.Invalidf("the role is for accounts of type %d, not %d; one of the two is enough", t, in.Type)
	}
	in.Type, in.Role = t, id
	if err := chosen(ctx, tx, "accountid", "accounts", in.ID); err != nil {
		return d, err
	}
	return d, chosen(ctx, tx, "userid", "users", in.User)
}

// taken words what went wrong when a named row was inserted.
func taken(err error, what, name, path string) error {
	if db.IsUnique(err) {
		return fault.Conflictf("there is a %s named %q in domain %s already", what, name, path)
	}
	return fmt.Errorf("make %s %q: %w", what, name, err)
}
