package account

import (
	"cmp"
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// BootstrapIn says what the first root admin is to be.
type BootstrapIn struct {
	Username string // "": admin
	Password secret.String
	// Hash is the password's, where it was begun earlier, since it takes long; nil: it is made when it is wanted.
	Hash func() (string, error)
	Keys bool // it shall have API keys
}

// Admin is the first root admin.
type Admin struct {
	User    uid.User // "" where the cloud was made earlier and has no such user any more
	Created bool     // by this call
	Keys    Keys     // where they were asked for: the ones it has, or new ones
}

// Bootstrap makes what a cloud begins with: the domain ROOT, the account "system" that owns what belongs to no tenant and
// that nobody can sign in to, and the root admin account "admin" with its user. A cloud that has them is left as it is, so
// every start may call this, on several servers at once.
func (s *Service) Bootstrap(ctx context.Context, in BootstrapIn) (Admin, error) {
	if in.Username == "" {
		in.Username = "admin"
	}
	system := auth.System()
	hash := ""
	if _, err := domainByID(ctx, s.db.Read(), system.Domain); db.IsNone(err) { // outside the transaction: it takes long
		if err := checkName("user", in.Username); err != nil {
			return Admin{}, err
		}
		if in.Hash == nil {
			in.Hash = func() (string, error) { return s.hasher.Hash(ctx, in.Password) }
		}
		if hash, err = in.Hash(); err != nil {
			return Admin{}, err
		}
	} else if err != nil {
		return Admin{}, fmt.Errorf("look for the domain ROOT: %w", err)
	}
	var admin Admin
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if err := setting.Found(ctx, tx); err != nil {
			return err
		}
		if admin, err = s.bootstrap(ctx, tx, in.Username, hash); err != nil || !in.Keys || admin.User == "" {
			return err
		}
		p, err := latestPair(ctx, tx, admin.User)
		switch {
		case db.IsNone(err) || err == nil && p.Name != "":
			admin.Keys, err = s.registerKeys(ctx, tx, admin.User)
		case err == nil:
			err = s.open(&p)
			admin.Keys = p.Keys
		}
		return err
	})
	return admin, err
}

func (s *Service) bootstrap(ctx context.Context, tx db.Tx, username, hash string) (Admin, error) {
	system := auth.System()
	root := Domain{ID: system.Domain, Name: Root, Path: Root, State: Active, Created: tx.Now}
	if made, err := insertDomainOnce(ctx, tx, root); err != nil {
		return Admin{}, fmt.Errorf("make the domain ROOT: %w", err)
	} else if !made {
		found, err := userByName(ctx, tx, username, Root)
		if db.IsNone(err) {
			err = nil
		}
		return Admin{User: found.ID}, err
	}
	ctx = auth.With(ctx, system)
	err := insertAccount(ctx, tx, Account{
		ID: system.Account, Domain: root.ID, Name: "system", Type: system.Type, Role: system.Role, State: Enabled, Created: tx.Now,
	})
	if err != nil {
		return Admin{}, fmt.Errorf("make the system account: %w", err)
	}
	if err := s.furnish(ctx, tx, system.Account, root.ID, auth.RootAdmin); err != nil {
		return Admin{}, err
	}
	err = insertUser(ctx, tx, User{
		ID: system.User, Account: system.Account, Domain: root.ID, Username: system.Username, State: Disabled, Created: tx.Now,
	}, "") // no password has the hash ""
	if err != nil {
		return Admin{}, fmt.Errorf("make the system user: %w", err)
	}
	_, user, err := s.create(ctx, tx, root, CreateAccountIn{Name: "admin", Type: system.Type, Role: system.Role, Username: username}, hash)
	return Admin{User: user.ID, Created: true}, err
}

// furnish gives a new account what every account has: its counts, and what other packages begin it with.
func (s *Service) furnish(ctx context.Context, tx db.Tx, id uid.Account, domain uid.Domain, t auth.AccountType) error {
	kind := limit.Tenant
	switch t {
	case auth.RootAdmin:
		kind = limit.Free
	case auth.Project:
		kind = limit.Project
	case auth.User, auth.DomainAdmin, auth.ResourceAdmin:
	}
	if err := limit.OpenAccount(ctx, tx, id, kind); err != nil {
		return fmt.Errorf("count for the new account: %w", err)
	}
	for _, give := range s.begin {
		if err := give(ctx, tx, Owner{Account: id, Domain: domain}); err != nil {
			return fmt.Errorf("begin the new account: %w", err)
		}
	}
	return nil
}

// create makes an account with all that it begins with, and its first user, unless that has no name.
func (s *Service) create(ctx context.Context, tx db.Tx, in Domain, what CreateAccountIn, hash string) (a Account, u User, err error) {
	a = Account{
		ID: cmp.Or(what.ID, uid.New[uid.Account]()), Domain: in.ID, Name: what.Name, Type: what.Type, Role: what.Role, State: Enabled,
		NetworkDomain: what.NetworkDomain, Details: what.Details, Created: tx.Now, DomainName: in.Name, DomainPath: in.Path,
	}
	if err := insertAccount(ctx, tx, a); err != nil {
		return a, u, taken(err, "account", a.Name, in.Path)
	}
	if err := s.furnish(ctx, tx, a.ID, a.Domain, a.Type); err != nil {
		return a, u, err
	}
	err = accountEvent(ctx, tx, event.AccountCreate, a, fmt.Sprintf("account %s was made in domain %s", a.Name, in.Path))
	if err != nil || what.Username == "" {
		return a, u, err
	}
	u = User{
		ID: cmp.Or(what.User, uid.New[uid.User]()), Account: a.ID, Domain: in.ID, Username: what.Username, Source: cmp.Or(what.Source, auth.Native),
		Firstname: what.Firstname, Lastname: what.Lastname, Email: what.Email, Timezone: what.Timezone, State: Enabled, Created: tx.Now,
		AccountName: a.Name, AccountType: a.Type, AccountRole: a.Role, AccountState: a.State, DomainName: in.Name, DomainPath: in.Path,
	}
	if err := insertUser(ctx, tx, u, hash); err != nil {
		return a, u, taken(err, "user", u.Username, in.Path)
	}
	return a, u, userEvent(ctx, tx, event.UserCreate, u, fmt.Sprintf("user %s was made in account %s", u.Username, a.Name))
}
