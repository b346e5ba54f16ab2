package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Keys are what a program signs its requests with.
type Keys struct {
	APIKey string
	Secret secret.String
}

// RegisterKeys gives a user new keys; those it had die. Everybody may do this for the own user, admins for users in reach
// whose account's role has nothing that theirs has not: who has a user's keys is that user.
func (s *Service) RegisterKeys(ctx context.Context, id uid.User) (Keys, error) {
	var keys Keys
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		u, err := s.targetUser(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := Stays(ctx, tx, u.Account); err != nil {
			return err
		}
		if keys, err = s.registerKeys(ctx, tx, id); err != nil {
			return err
		}
		_, err = event.Write(ctx, tx, event.Event{
			Type: event.UserRegisterKey, Description: "user " + u.Username + " got new API keys",
			Account: u.Account, Domain: u.Domain, ResourceID: string(id),
		})
		return err
	})
	return keys, err
}

// Keys gives a user's keys to those who may register them; fault.NotFound where there are none.
func (s *Service) Keys(ctx context.Context, id uid.User) (Keys, error) {
	q := s.db.Read()
	u, err := s.targetUser(ctx, q, id)
	if err != nil {
		return Keys{}, err
	}
	keys, err := s.keysOf(ctx, q, id)
	if db.IsNone(err) {
		return Keys{}, fault.NotFoundf("user %s has no API keys", u.Username)
	}
	return keys, err
}

// UserOfKey gives the user that signs with a key, and the key's secret. It is for root admins, to whom it shows users, too, that
// may not act at the moment.
func (s *Service) UserOfKey(ctx context.Context, apiKey string) (User, secret.String, error) {
	if !auth.From(ctx).IsRoot() {
		return User{}, secret.String{}, fault.Deniedf("only root admins may look for the user of a key")
	}
	q := s.db.Read()
	u, err := anyUserByKey(ctx, q, apiKey)
	if db.IsNone(err) {
		return User{}, secret.String{}, fault.NotFoundf("no user has that API key")
	} else if err != nil {
		return User{}, secret.String{}, fmt.Errorf("find the user of a key: %w", err)
	}
	if u, err = s.targetUser(ctx, q, u.ID); err != nil {
		return User{}, secret.String{}, err
	}
	keys, err := s.keysOf(ctx, q, u.ID)
	return u, keys.Secret, err
}

// CloudIdentity gives what tells this cloud from all others, and its signature (HMAC-SHA1 in base64) under a user's secret key, ""
// where the user has no keys. It is for those who may handle the keys.
func (s *Service) CloudIdentity(ctx context.Context, id uid.User) (identity, signature string, err error) {
	q := s.db.Read()
	if _, err := s.targetUser(ctx, q, id); err != nil {
		return "", "", err
	}
	if identity, err = s.settings.Identity(ctx); err != nil {
		return "", "", err
	}
	keys, err := s.keysOf(ctx, q, id)
	if db.IsNone(err) {
		return identity, "", nil
	} else if err != nil {
		return "", "", err
	}
	return identity, auth.SignText(identity, keys.Secret), nil
}

// registerKeys is RegisterKeys without asking who wants it.
func (s *Service) registerKeys(ctx context.Context, tx db.Tx, id uid.User) (Keys, error) {
	keys := Keys{APIKey: newKey(), Secret: secret.New(newKey())}
	if err := putKeys(ctx, tx, id, keys.APIKey, s.box.Seal(keys.Secret.Reveal(), keyContext(id))); err != nil {
		return Keys{}, fmt.Errorf("register API keys of user %s: %w", id, err)
	}
	return keys, nil
}

func (s *Service) keysOf(ctx context.Context, q db.Tx, id uid.User) (Keys, error) {
	apiKey, sealed, err := findKeys(ctx, q, id)
	if err != nil {
		return Keys{}, fmt.Errorf("find API keys of user %s: %w", id, err)
	}
	key, err := s.box.Open(sealed, keyContext(id))
	return Keys{APIKey: apiKey, Secret: key}, err
}

// keyContext binds a sealed secret to its column and user.
func keyContext(id uid.User) string { return "api_keys.secret/" + string(id) }

// newKey makes a key of 86 characters that need no encoding in a URL, as long as CloudStack's.
func newKey() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}
