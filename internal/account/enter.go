package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Entry is a way in for which somebody else vouches.
type Entry struct {
	Source auth.Source // of the users that it is for
	// Prove looks at what was shown, uses it up, and gives whose it is, in the transaction that opens the session.
	Prove func(ctx context.Context, tx db.Tx) (uid.User, error)
	// Note keeps what belongs to the session, by [auth.SessionID]; nil for nothing.
	Note func(ctx context.Context, tx db.Tx, session string) error
}

// Entered is who has come in, and the session. A waiting one is good for nothing until the second factor was given.
type Entered struct {
	Caller      auth.Caller
	User        User
	Cookie, Key secret.String
	Waiting     bool
}

// Enter opens a session without a password. Who may not act, or has another source, is fault.Unauthenticated. Wrong passwords that
// somebody else has tried keep nobody out here.
func (s *Service) Enter(ctx context.Context, in Entry) (e Entered, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		id, err := in.Prove(ctx, tx)
		if err != nil {
			return err
		}
		e.User, err = actingUser(ctx, tx, id)
		switch {
		case db.IsNone(err) || err == nil && e.User.Source != in.Source:
			return errNobody()
		case err != nil:
			return fmt.Errorf("find user %s: %w", id, err)
		}
		e.Caller, e.Waiting = e.User.caller(), s.AsksFactor(e.User)
		if e.Cookie, e.Key, err = s.sessions.OpenIn(ctx, tx, id, e.Waiting); err != nil {
			return fmt.Errorf("open a session of user %s: %w", id, err)
		}
		if in.Note != nil {
			if err := in.Note(ctx, tx, auth.SessionID(e.Cookie)); err != nil {
				return err
			}
		}
		_, err = event.Write(auth.With(ctx, e.Caller), tx, event.Event{
			Type: event.UserLogin, Description: "user " + e.User.Username + " logged in", ResourceID: string(id),
		})
		return err
	})
	return e, err
}

// Vouch says who vouches for a user from now on, which may not be the own one, and signs it out. It writes no event.
func (s *Service) Vouch(ctx context.Context, tx db.Tx, id uid.User, change func(User) (auth.Source, error)) (User, error) {
	u, err := s.targetOther(ctx, tx, id, "change who vouches for")
	if err != nil {
		return u, err
	}
	to, err := change(u)
	if err != nil || to == u.Source {
		return u, err
	}
	if err := setSource(ctx, tx, id, to); err != nil {
		return u, fmt.Errorf("change who vouches for user %s: %w", id, err)
	}
	u.Source = to
	return u, s.EndSessions(ctx, tx, id)
}

// UserInReach finds a user that the caller may see; any other is missing.
func (s *Service) UserInReach(ctx context.Context, id uid.User) (User, error) {
	u, err := userInScope(ctx, s.db.Read(), auth.From(ctx).Reach(), id)
	if db.IsNone(err) || err == nil && id == auth.System().User {
		return User{}, fault.Missing(id)
	}
	return u, err
}
