package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Named names an account: by its ID, or by its name and domain ("": the caller's).
type Named struct {
	ID     uid.Account
	Name   string
	Domain uid.Domain
}

// Changeable finds an account that the caller in ctx wants to change: it is in reach, may do no more than the caller's, and is not
// being deleted. Nobody else changes it until the transaction's end.
func (s *Service) Changeable(ctx context.Context, tx db.Tx, n Named) (Account, error) {
	a, err := s.target(ctx, tx, n)
	if err == nil && a.Closing {
		err = fault.Conflictf("account %q is being deleted", a.Name)
	}
	return a, err
}

// target is Changeable for accounts that may be on their way out.
func (s *Service) target(ctx context.Context, tx db.Tx, n Named) (Account, error) {
	a, err := s.look(ctx, tx, n)
	if err != nil {
		return a, err
	}
	if err := Hold(ctx, tx, a.ID); err != nil {
		return a, fmt.Errorf("lock account %s: %w", a.ID, err)
	}
	return s.look(ctx, tx, Named{ID: a.ID})
}

// look is target without keeping others from changing the account.
func (s *Service) look(ctx context.Context, q db.Tx, n Named) (a Account, err error) {
	c := auth.From(ctx)
	switch {
	case c.IsNobody():
		return a, errNobody()
	case n.ID != "" && n.Name != "":
		return a, fault.Invalidf("id and account were both given; use one of them")
	case n.ID == "" && n.Name == "":
		return a, fault.Invalidf("name the account: by its id, or by account and domainid")
	case n.ID == "":
		a, err = ReachAccount(ctx, q, n.Name, n.Domain)
	default:
		if a, err = accountInScope(ctx, q, c.Reach(), n.ID); a.Type == auth.Project {
			return Account{}, fault.Missing(n.ID)
		}
	}
	switch {
	case err == nil && a.ID == auth.System().Account && n.ID == "":
		return a, fault.Deniedf("the account %q is the cloud's own, which nobody changes", a.Name)
	case db.IsNone(err) || err == nil && a.ID == auth.System().Account:
		return a, fault.Missing(n.ID)
	case err != nil:
		return a, err
	}
	covered, err := s.covers(ctx, q, a.Type, a.Role)
	if err == nil && (c.Type == auth.User || !covered) {
		err = fault.Deniedf("you may not change account %q, which may do what yours may not", a.Name)
	}
	return a, err
}

// notOwn refuses what would lock the caller out.
func notOwn(ctx context.Context, a uid.Account, deed string) error {
	if auth.From(ctx).Account == a {
		return fault.Deniedf("nobody may %s the own account: have another administrator do it", deed)
	}
	return nil
}

// targetUser finds a user that the caller wants to change: the own one, or one in reach whose account may not do more than the
// caller's. Who may change a user is that user.
func (s *Service) targetUser(ctx context.Context, q db.Tx, id uid.User) (User, error) {
	c := auth.From(ctx)
	u, err := userInScope(ctx, q, c.Reach(), id)
	switch {
	case c.IsNobody():
		return u, errNobody()
	case db.IsNone(err) || err == nil && u.ID == auth.System().User:
		return u, fault.Missing(id)
	case err != nil:
		return u, fmt.Errorf("find user %s: %w", id, err)
	case u.ID == c.User:
		return u, nil
	}
	covered, err := s.covers(ctx, q, u.AccountType, u.AccountRole)
	if err == nil && (c.Type == auth.User || !covered) {
		err = fault.Deniedf("you may not change user %s or handle its API keys", u.Username)
	}
	return u, err
}

// targetOther is targetUser for what nobody may do to the own user. The user's account stays until the transaction's end.
func (s *Service) targetOther(ctx context.Context, tx db.Tx, id uid.User, deed string) (User, error) {
	if auth.From(ctx).User == id {
		return User{}, fault.Deniedf("nobody may %s the own user: have another administrator do it", deed)
	}
	u, err := s.targetUser(ctx, tx, id)
	if err != nil {
		return u, err
	}
	if err := Stays(ctx, tx, u.Account); err != nil {
		return u, err
	}
	if err := Hold(ctx, tx, u.Account); err != nil { // whose state depends on its users'
		return u, fmt.Errorf("lock account %s: %w", u.Account, err)
	}
	return s.targetUser(ctx, tx, id)
}

// Stays keeps an account from being removed until the transaction's end, and refuses one that is on its way out. Whoever makes something
// for an account that is not counted against its limits calls it; what is counted is refused by the count.
func Stays(ctx context.Context, tx db.Tx, id uid.Account) error {
	if err := tx.Rely(ctx, id); err != nil {
		return err
	}
	closing, err := isClosing(ctx, tx, id)
	switch {
	case db.IsNone(err):
		return fault.Missing(id)
	case err != nil:
		return fmt.Errorf("look whether account %s stays: %w", id, err)
	case closing:
		return errClosing()
	}
	return nil
}

func errClosing() error { return fault.Conflictf("the account is being deleted") }
