package account

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Login signs a user in by password, which is compared here or by who keeps it. The domain is a path ("ROOT/a", "/a/", "a"), "" for
// ROOT, or an id. Whatever is wrong, the name, the password, too many failures, a user, account or domain that may not act, is
// fault.Unauthenticated in the same words and takes the same time.
func (s *Service) Login(ctx context.Context, username string, password secret.String, domain string) (auth.Caller, User, error) {
	u, err := userByName(ctx, s.db.Read(), username, domain)
	if db.IsNone(err) {
		// Its failures are counted too, on the system's user: a write that is left out can be measured.
		u, err = userRow{User: User{ID: auth.System().User}}, nil
	}
	if err != nil {
		return auth.Caller{}, User{}, fmt.Errorf("find user %q: %w", username, err)
	}
	right, stale, err := s.hasher.Verify(ctx, u.Password, password)
	if err != nil {
		return auth.Caller{}, User{}, err
	}
	word, err := s.ask(ctx, u, Attempt{Username: username, Password: password}, domain, right)
	if err != nil {
		return auth.Caller{}, User{}, fmt.Errorf("ask about user %q: %w", username, err)
	}
	if word.Silent {
		u = userRow{User: User{ID: auth.System().User}} // or a directory that is away would lock all its users out
	}
	hash := u.Password
	var admitted bool
	if stale {
		if hash, err = s.hasher.Hash(ctx, password); err != nil {
			return auth.Caller{}, User{}, err
		}
	}
	if word.Right || word.Settle != nil {
		u, admitted, err = s.settleOutside(ctx, u, word)
	} else {
		admitted, err = s.settle(ctx, u, right && u.Source == auth.Native, hash)
	}
	switch {
	case err != nil:
		return auth.Caller{}, User{}, fmt.Errorf("sign in user %q: %w", username, err)
	case !admitted:
		return auth.Caller{}, User{}, fault.New(fault.Unauthenticated, "failed to authenticate user, check if username/password are correct")
	}
	return u.caller(), u.User, nil
}

// settle decides about a login whose password was compared. A try counts here and not when its password was compared, and
// who is locked out by now is refused with the right password too: however many guesses are under way at the same time,
// no more than the allowed ones tell anything about the password.
func (s *Service) settle(ctx context.Context, u userRow, right bool, hash string) (admitted bool, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		admitted, err = s.settleIn(ctx, tx, u, right, hash)
		return err
	})
	return admitted, err
}

func (s *Service) settleIn(ctx context.Context, tx db.Tx, u userRow, right bool, hash string) (admitted bool, err error) {
	if right {
		if admitted, err = admit(ctx, tx, u.User, u.Password, hash, !s.AsksFactor(u.User)); err != nil {
			return false, err
		}
	}
	if !admitted {
		return false, s.countFailure(ctx, tx, u.ID)
	}
	_, err = event.Write(auth.With(ctx, u.caller()), tx, event.Event{
		Type: event.UserLogin, Description: "user " + u.Username + " logged in", ResourceID: string(u.ID),
	})
	return true, err
}

func (s *Service) countFailure(ctx context.Context, tx db.Tx, id uid.User) error {
	failures, until, err := lockFailures(ctx, tx, id)
	if err != nil {
		return err
	}
	if !until.After(tx.Now) {
		failures++
		attempts := int(setting.LoginAttempts.Of(s.settings))
		if attempts > 0 && failures%attempts == 0 {
			until = tx.Now.Add(auth.LockTime(setting.LoginLock.Of(s.settings), setting.LongestLock.Of(s.settings), failures/attempts))
		}
	}
	return putFailures(ctx, tx, id, failures, until)
}

// Logout ends a session and records who left. That there is no such session is no error.
func (s *Service) Logout(ctx context.Context, cookie secret.String) error {
	id, err := s.sessions.Find(ctx, cookie, secret.String{})
	if fault.Is(err, fault.Unauthenticated) {
		return nil
	} else if err != nil {
		return err
	}
	c, _, err := s.ByUser(ctx, id)
	if err != nil && !fault.Is(err, fault.Unauthenticated) {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := s.sessions.CloseIn(ctx, tx, cookie); err != nil || c.IsNobody() {
			return err
		}
		_, err := event.Write(auth.With(ctx, c), tx, event.Event{
			Type: event.UserLogout, Description: "user " + c.Username + " logged out", ResourceID: string(id),
		})
		return err
	})
}

// DomainPath reads a path as clients write it: with slashes around it, with ROOT in front or without.
func DomainPath(s string) string {
	s = strings.Trim(s, "/")
	switch first, rest, _ := strings.Cut(s, "/"); {
	case strings.EqualFold(first, Root) && rest != "":
		return Root + "/" + rest
	case s == "" || strings.EqualFold(first, Root):
		return Root
	default:
		return Root + "/" + s
	}
}
