package account

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// FactorState is how far a user is with a second factor; its text is stored.
type FactorState string

// The states. A pending factor asks nobody for a code yet: the first right one makes it a factor.
const (
	NoFactor      FactorState = ""
	PendingFactor FactorState = "pending"
	HasFactor     FactorState = "on"
)

// TOTP is the provider of codes that change with the time (RFC 6238): six digits, SHA-1, a new one every thirty seconds, as all
// authenticator apps have it.
const TOTP = "totp"

// FactorProviders are what gives second factors.
func FactorProviders() []string { return []string{TOTP} }

// secretSize is how many bytes a secret has.
const secretSize = 20

// AsksFactor tells whether a user has to give a second factor when it signs in with a password. One that must and has none sets it
// up then.
func (s *Service) AsksFactor(u User) bool {
	place := setting.InDomain(u.Domain)
	return setting.TwoFactorEnabled.Of(s.settings, place) &&
		(u.Factor == HasFactor || u.FactorMandated || setting.TwoFactorMandated.Of(s.settings, place))
}

// FactorIssuer is under which name apps show the user's codes.
func (s *Service) FactorIssuer(u User) string {
	return setting.TwoFactorIssuer.Of(s.settings, setting.InDomain(u.Domain))
}

// SetUpFactor begins to give the own user a second factor, and gives the secret that its app is told: this once. It is asked for as
// soon as [Service.GiveFactor] was called with a code of it.
func (s *Service) SetUpFactor(ctx context.Context, id uid.User, provider string) (User, secret.String, error) {
	none := secret.String{}
	c := auth.From(ctx)
	switch {
	case c.IsNobody():
		return User{}, none, errNobody()
	case id != "" && id != c.User:
		return User{}, none, fault.Deniedf("only user %s sets up its second factor: leave out userid for the own", id)
	case c.User == auth.System().User:
		return User{}, none, fault.Deniedf("the house itself has no second factor: sign in as a user")
	}
	plain := make([]byte, secretSize)
	_, _ = rand.Read(plain) // never fails
	key := secret.New(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(plain))
	var u User
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		f, err := s.lockFactor(ctx, tx, c.User)
		if err != nil {
			return err
		}
		u = f.User
		place := setting.InDomain(u.Domain)
		if provider == "" {
			provider = setting.TwoFactorProvider.Of(s.settings, place)
		}
		switch {
		case !setting.TwoFactorEnabled.Of(s.settings, place):
			return fault.Conflictf("there are no second factors in this domain: enable.user.2fa is false")
		case provider != TOTP:
			return fault.Invalidf("provider %q gives no second factors; want %s", provider, TOTP)
		case u.Factor == HasFactor:
			return fault.Conflictf("user %s has a second factor already; switch it off first, with a code of it", u.Username)
		}
		u.Factor, u.FactorProvider = PendingFactor, provider
		if err := putFactor(ctx, tx, u, s.box.Seal(key.Reveal(), factorContext(u.ID)), 0); err != nil {
			return fmt.Errorf("keep the second factor of user %s: %w", u.ID, err)
		}
		return userEvent(ctx, tx, event.UserUpdate, u, fmt.Sprintf("user %s sets up a second factor", u.Username))
	})
	if err != nil {
		key = none
	}
	return u, key, err
}

// GiveFactor takes the code of the caller's second factor: the session in ctx may do all that its user may from then on. A wrong one
// counts as a wrong password does, and who is locked out after too many is refused with the right one, too. A code is good for
// once.
func (s *Service) GiveFactor(ctx context.Context, code secret.String) error {
	c, session := auth.From(ctx), auth.SessionOf(ctx)
	if c.IsNobody() {
		return errNobody()
	}
	return s.withCode(ctx, c.User, code, func(ctx context.Context, tx db.Tx, u User) error {
		text := fmt.Sprintf("user %s gave the second factor", u.Username)
		if u.Factor == PendingFactor {
			// Whoever else is signed in as this user was not asked for it.
			if err := s.sessions.CloseOthersOf(ctx, tx, u.ID, session.Cookie); err != nil {
				return fmt.Errorf("end the other sessions of user %s: %w", u.ID, err)
			}
			text = fmt.Sprintf("user %s has a second factor", u.Username)
		}
		if err := setFactor(ctx, tx, u.ID, HasFactor); err != nil {
			return fmt.Errorf("keep the second factor of user %s: %w", u.ID, err)
		}
		if err := s.sessions.AdmitIn(ctx, tx, session.Cookie, u.ID); err != nil {
			return fmt.Errorf("admit a session of user %s: %w", u.ID, err)
		}
		return userEvent(ctx, tx, event.UserUpdate, u, text)
	})
}

// DropFactor takes a user's second factor away: the own one with a code of it, that of another user whoever may change that user. Who
// has not given the own one can't take anybody's.
func (s *Service) DropFactor(ctx context.Context, id uid.User, code secret.String) (u User, err error) {
	c := auth.From(ctx)
	if c.IsNobody() {
		return u, errNobody()
	}
	if id == "" || id == c.User {
		return s.dropOwn(ctx, c.User, code)
	}
	switch {
	case auth.SessionOf(ctx).Waiting:
		return u, fault.Deniedf("give your own second factor first")
	case !code.IsEmpty():
		return u, fault.Invalidf("codefor2fa is for the own second factor: leave it out")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if u, err = s.targetOther(ctx, tx, id, "drop the second factor of"); err != nil {
			return err
		}
		if u.Factor == NoFactor {
			return errNoFactor(u)
		}
		return s.drop(ctx, tx, u)
	})
	return u, err
}

func (s *Service) dropOwn(ctx context.Context, id uid.User, code secret.String) (u User, err error) {
	if code.IsEmpty() {
		// Without a code only what nobody is asked for.
		err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			f, err := s.lockFactor(ctx, tx, id)
			switch u = f.User; {
			case err != nil:
				return err
			case u.Factor == NoFactor:
				return errNoFactor(u)
			case u.Factor == HasFactor:
				return fault.Deniedf("to switch off the own second factor, give a code of it as codefor2fa, or ask an administrator")
			}
			return s.drop(ctx, tx, u)
		})
		return u, err
	}
	err = s.withCode(ctx, id, code, func(ctx context.Context, tx db.Tx, of User) error {
		u = of
		return s.drop(ctx, tx, u)
	})
	return u, err
}

func (s *Service) drop(ctx context.Context, tx db.Tx, u User) error {
	u.Factor, u.FactorProvider = NoFactor, ""
	if err := putFactor(ctx, tx, u, "", 0); err != nil {
		return fmt.Errorf("drop the second factor of user %s: %w", u.ID, err)
	}
	return userEvent(ctx, tx, event.UserUpdate, u, fmt.Sprintf("user %s has no second factor any more", u.Username))
}

// withCode does something with a user that has given the right code, in the transaction that uses the code up.
func (s *Service) withCode(ctx context.Context, id uid.User, code secret.String, do func(context.Context, db.Tx, User) error) error {
	right := false
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		right = false
		f, err := s.lockFactor(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case f.Factor == NoFactor:
			return errNoFactor(f.User)
		}
		key, err := s.box.Open(f.FactorSecret, factorContext(id))
		if err != nil {
			return err
		}
		step, fits := auth.CodeStep(key, code, tx.Now)
		if right = fits && step > f.FactorStep && !f.LockedUntil.After(tx.Now); !right {
			return s.countFailure(ctx, tx, id)
		}
		if err := useStep(ctx, tx, id, step); err != nil {
			return fmt.Errorf("use up a code of user %s: %w", id, err)
		}
		return do(ctx, tx, f.User)
	})
	if err == nil && !right {
		err = fault.Deniedf("this is not the present code of the second factor, it was used already, or wrong ones were given too often: " +
			"then wait a while")
	}
	return err
}

func errNoFactor(u User) error {
	return fault.Conflictf("user %s has no second factor: setupUserTwoFactorAuthentication begins one", u.Username)
}

// factorContext binds a sealed secret to its column and user.
func factorContext(id uid.User) string { return "users.factor_secret/" + string(id) }

func (s *Service) lockFactor(ctx context.Context, tx db.Tx, id uid.User) (userRow, error) {
	if err := lockUser(ctx, tx, id); err != nil {
		return userRow{}, fmt.Errorf("lock user %s: %w", id, err)
	}
	f, err := userFactor(ctx, tx, id)
	if db.IsNone(err) {
		return f, errNobody()
	}
	return f, err
}
