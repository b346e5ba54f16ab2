package account

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// UserChange says what to change of a user. Zero fields leave things as they are.
type UserChange struct {
	Username  string
	Firstname string
	Lastname  string
	Email     string
	Timezone  *string
	Password  secret.String
	Current   secret.String // the caller's present password: nobody changes the own one without
	Keys      Keys          // only root admins choose them
	Factor    *bool         // whether it must have a second factor; nobody says so of the own user
	KeyAccess *KeyAccess    // only root admins say it
}

var noTime time.Time

// keyLength is what a chosen key has at least: fewer characters could be guessed.
const keyLength = 16

// UpdateUser changes the own user, or one that the caller may change. A new password ends the user's sessions.
func (s *Service) UpdateUser(ctx context.Context, id uid.User, c UserChange) error {
	u, err := s.targetUser(ctx, s.db.Read(), id) // before the hash, which costs
	if err != nil {
		return err
	}
	if err := c.check(ctx, u); err != nil {
		return err
	}
	hash, known := "", ""
	if !c.Password.IsEmpty() {
		if isOwn(ctx, id) {
			if known, err = s.confirm(ctx, id, c.Current); err != nil {
				return err
			}
		}
		if hash, err = s.hasher.Hash(ctx, c.Password); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		err := s.ChangeUser(ctx, tx, id, c)
		if err == nil && hash != "" {
			err = s.changePassword(ctx, tx, u, known, hash)
		}
		return err
	})
}

// ChangeUser is UpdateUser in a transaction, for all but the password.
func (s *Service) ChangeUser(ctx context.Context, tx db.Tx, id uid.User, c UserChange) error {
	u, err := s.targetUser(ctx, tx, id)
	if err != nil {
		return err
	}
	if err := Stays(ctx, tx, u.Account); err != nil {
		return err
	}
	if err := lockUser(ctx, tx, id); err != nil {
		return fmt.Errorf("lock user %s: %w", id, err)
	}
	if u, err = s.targetUser(ctx, tx, id); err == nil {
		err = c.check(ctx, u)
	}
	if err != nil {
		return err
	}
	if err := s.apply(ctx, tx, u, c); err != nil {
		return err
	}
	return userEvent(ctx, tx, event.UserUpdate, u, c.text(u))
}

func (c UserChange) check(ctx context.Context, u User) error {
	if c.Username != "" {
		if err := checkName("user", c.Username); err != nil {
			return err
		}
	}
	if c.Timezone != nil {
		if err := checkTimezone(*c.Timezone); err != nil {
			return err
		}
	}
	if err := checkPerson(c.Firstname, c.Lastname, c.Email, ""); err != nil {
		return err
	}
	own := isOwn(ctx, u.ID)
	switch {
	case c.Factor != nil && own:
		return fault.Deniedf("nobody says of the own user whether it must have a second factor: leave out mandate2fa")
	case own && u.Source != auth.Native && (c.Username != "" && c.Username != u.Username || c.Email != "" && c.Email != u.Email):
		return fault.Deniedf("by your name and e-mail address you are known to who vouches for you (%s): have an administrator change them", u.Source)
	case u.Source != auth.Native && !c.Password.IsEmpty():
		return fault.Conflictf("user %s has no password here: %s knows it", u.Username, u.Source)
	case u.Source == auth.LDAP && c.Username != "" && c.Username != u.Username:
		return fault.Conflictf("user %s is called so by its directory, which would not know it by another name", u.Username)
	case !c.Current.IsEmpty() && (c.Password.IsEmpty() || !own):
		return fault.Invalidf("currentpassword is for changing the own password: leave it out")
	case !c.Password.IsEmpty() && own && c.Current.IsEmpty():
		return fault.Invalidf("to change the own password, give the present one as currentpassword")
	}
	if c.KeyAccess != nil && !auth.From(ctx).IsRoot() {
		return errKeyAccess()
	}
	return c.checkKeys(ctx)
}

func (c UserChange) checkKeys(ctx context.Context) error {
	if c.Keys.APIKey == "" && c.Keys.Secret.IsEmpty() {
		return nil
	}
	bad := func(key string) bool {
		return len(key) < keyLength || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' })
	}
	switch {
	case !auth.From(ctx).IsRoot():
		return fault.Deniedf("only root admins may choose keys: leave out userapikey and usersecretkey, and use registerUserKeys")
	case bad(c.Keys.APIKey) || bad(c.Keys.Secret.Reveal()):
		return fault.Invalidf("userapikey and usersecretkey go together, and each wants at least %d characters of ASCII without spaces", keyLength)
	}
	return nil
}

// text says what of a user was changed, and nothing that is secret.
func (c UserChange) text(u User) string {
	text := fmt.Sprintf("user %s was changed", u.Username)
	if c.Username != "" && c.Username != u.Username {
		text = fmt.Sprintf("user %s is called %s now", u.Username, c.Username)
	}
	if !c.Password.IsEmpty() {
		text += "; it has a new password"
	}
	if c.Keys.APIKey != "" {
		text += "; it has new API keys"
	}
	if c.Factor != nil {
		text += map[bool]string{true: "; it must have a second factor", false: "; it need not have a second factor"}[*c.Factor]
	}
	return text
}

func (s *Service) apply(ctx context.Context, tx db.Tx, u User, c UserChange) error {
	was := u
	u.Username, u.Firstname = cmp.Or(c.Username, u.Username), cmp.Or(c.Firstname, u.Firstname)
	u.Lastname, u.Email = cmp.Or(c.Lastname, u.Lastname), cmp.Or(c.Email, u.Email)
	if c.Timezone != nil {
		u.Timezone = *c.Timezone
	}
	if c.KeyAccess != nil {
		u.KeyAccess = *c.KeyAccess
	}
	if u != was {
		if err := saveUser(ctx, tx, u); err != nil {
			return taken(err, "user", u.Username, u.DomainPath)
		}
	}
	if err := s.mandate(ctx, tx, u, c.Factor); err != nil {
		return err
	}
	if c.Keys.APIKey == "" {
		return nil
	}
	if err := s.roles.MayHandle(ctx, ""); err != nil {
		return err
	}
	_, err := s.putKeys(ctx, tx, u.ID, c.Keys)
	if db.IsUnique(err) {
		return fault.Conflictf("that userapikey is in use already")
	}
	return err
}

// mandate says whether a user must have a second factor. Who has not given one signs in again.
func (s *Service) mandate(ctx context.Context, tx db.Tx, u User, must *bool) error {
	if must == nil {
		return nil
	}
	if err := mandateFactor(ctx, tx, u.ID, *must); err != nil {
		return fmt.Errorf("want a second factor of user %s: %w", u.ID, err)
	}
	if !*must || u.Factor == HasFactor {
		return nil
	}
	return s.EndSessions(ctx, tx, u.ID)
}

// changePassword stores the hash of a new password; known is the hash of the one that was confirmed, "" for none.
func (s *Service) changePassword(ctx context.Context, tx db.Tx, u User, known, hash string) error {
	changed, err := putPassword(ctx, tx, u.ID, known, hash)
	switch {
	case err != nil:
		return fmt.Errorf("change the password of user %s: %w", u.ID, err)
	case !changed:
		return fault.Conflictf("the password was changed at the same moment: try again")
	}
	return s.EndSessions(ctx, tx, u.ID)
}

// confirm wants the caller's present password, and gives its hash. A wrong one counts as one of a login does, and who is locked out
// after too many is refused with the right one, too: who has found somebody's session open has no more guesses than others.
func (s *Service) confirm(ctx context.Context, id uid.User, password secret.String) (string, error) {
	known, err := passwordOf(ctx, s.db.Read(), id)
	if err != nil {
		return "", fmt.Errorf("find the password of user %s: %w", id, err)
	}
	right, _, err := s.hasher.Verify(ctx, known, password)
	if err != nil {
		return "", err
	}
	admitted := false
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		admitted = false
		_, until, err := lockFailures(ctx, tx, id)
		if err != nil {
			return err
		}
		if right && !until.After(tx.Now) {
			admitted = true
			return nil
		}
		return s.countFailure(ctx, tx, id)
	})
	if err == nil && !admitted {
		err = fault.Deniedf("currentpassword is not your password, or was given wrong too often: then wait a while")
	}
	return known, err
}
