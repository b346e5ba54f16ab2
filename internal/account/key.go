package account

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Keys are what a program signs its requests with.
type Keys struct {
	APIKey string
	Secret secret.String
}

// RegisterKeys gives a user a new plain pair of keys; the plain pair that it had stops working with the same commit. Everybody may do
// this for the own user, admins for users in reach whose account's role has nothing that theirs has not: who has a user's keys is that
// user.
func (s *Service) RegisterKeys(ctx context.Context, id uid.User) (Keys, error) {
	p, err := s.AddKeys(ctx, KeysIn{User: id})
	return p.Keys, err
}

// Keys gives a user's plain pair, or where there is none the latest, to those who may register it; fault.NotFound where there are none.
func (s *Service) Keys(ctx context.Context, id uid.User) (Keys, error) {
	p, err := s.LatestKeys(ctx, id)
	return p.Keys, err
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
	pairs, _, err := listPairs(ctx, q, PairFilter{Scope: auth.Scope{All: true}, User: u.ID, APIKey: apiKey}, nil)
	switch {
	case err != nil:
		return User{}, secret.String{}, fmt.Errorf("find the keys of user %s: %w", u.ID, err)
	case len(pairs) == 0:
		return User{}, secret.String{}, fault.NotFoundf("no user has that API key")
	}
	if err := s.roles.MayHandle(ctx, pairs[0].Rules); err != nil {
		return User{}, secret.String{}, err
	}
	u.APIKey = apiKey
	err = s.open(&pairs[0])
	return u, pairs[0].Keys.Secret, err
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
	p, err := latestPair(ctx, q, id)
	if db.IsNone(err) {
		return identity, "", nil
	} else if err == nil {
		err = s.open(&p)
	}
	if err != nil {
		return "", "", err
	}
	return identity, auth.SignText(identity, p.Keys.Secret), nil
}

// MaySign tells whether keys of a user may sign requests: what is said of the user, or else of its account, or else of all.
func (s *Service) MaySign(u User) bool {
	for _, said := range []KeyAccess{u.KeyAccess, u.AccountKeyAccess} {
		if said != KeysInherit {
			return said == KeysEnabled
		}
	}
	return setting.KeyAccess.Of(s.settings, setting.InDomain(u.Domain))
}

func errKeyAccess() error {
	return fault.Deniedf("only root admins say whose keys may sign: leave out apikeyaccess")
}

// registerKeys is RegisterKeys without asking who wants it.
func (s *Service) registerKeys(ctx context.Context, tx db.Tx, id uid.User) (Keys, error) {
	p, err := s.putKeys(ctx, tx, id, Keys{APIKey: newKey(), Secret: secret.New(newKey())})
	return p.Keys, err
}

// putKeys gives a user a plain pair in the place of the one that it has.
func (s *Service) putKeys(ctx context.Context, tx db.Tx, id uid.User, keys Keys) (KeyPair, error) {
	p := s.sealed(KeyPair{ID: uid.New[uid.KeyPair](), User: id, Created: tx.Now, Keys: keys})
	if err := putPlain(ctx, tx, p); err != nil {
		return KeyPair{}, fmt.Errorf("register API keys of user %s: %w", id, err)
	}
	return p, nil
}

func (s *Service) sealed(p KeyPair) KeyPair {
	p.APIKey, p.Sealed = p.Keys.APIKey, s.box.Seal(p.Keys.Secret.Reveal(), keyContext(p.User))
	return p
}

// open fills in the keys of a pair as it was stored.
func (s *Service) open(p *KeyPair) error {
	key, err := s.box.Open(p.Sealed, keyContext(p.User))
	if err != nil {
		return fmt.Errorf("open the secret of API keys %s: %w", p.ID, err)
	}
	p.Keys = Keys{APIKey: p.APIKey, Secret: key}
	return nil
}

// keyContext binds a sealed secret to its column and user.
func keyContext(id uid.User) string { return "api_keys.secret/" + string(id) }

// newKey makes a key of 86 characters that need no encoding in a URL, as long as CloudStack's.
func newKey() string {
	b := make([]byte, 64)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// KeyPair is a pair of keys that a user signs requests with.
type KeyPair struct {
	ID          uid.KeyPair `bun:",pk"`
	APIKey      string      `bun:"api_key"`
	User        uid.User    `bun:"user_id"`
	Sealed      string      `bun:"secret"`
	Name        string      // unique among the user's; "" for the plain pair
	Description string
	Rules       string    // as package role packs them; "" for all that the user may
	Starts      time.Time `bun:",nullzero"`
	Ends        time.Time `bun:",nullzero"`
	Created     time.Time

	Keys Keys `bun:"-"`

	Username    string           `bun:",scanonly"`
	Account     uid.Account      `bun:"account_id,scanonly"`
	AccountName string           `bun:",scanonly"`
	AccountType auth.AccountType `bun:",scanonly"`
	AccountRole uid.Role         `bun:",scanonly"`
	Domain      uid.Domain       `bun:"domain_id,scanonly"`
	DomainName  string           `bun:",scanonly"`
	DomainPath  string           `bun:",scanonly"`
}
