package oidc

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/outside/openid"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Service keeps providers and lets users in. All methods may be called concurrently; none keeps anything of who signs in.
type Service struct {
	db       *db.DB
	box      *secret.Box
	settings *setting.Settings
	accounts *account.Service
	client   *openid.Client
}

// New makes a service.
func New(d *db.DB, box *secret.Box, settings *setting.Settings, accounts *account.Service) *Service {
	return &Service{db: d, box: box, settings: settings, accounts: accounts, client: openid.New(d.Now)}
}

func (s *Service) on() bool { return setting.OAuthEnabled.Of(s.settings) }

// patience is how long somebody may take to sign in at the provider.
const patience = 10 * time.Minute

// way is what is sealed in the cookie of a browser that was sent to a provider.
type way struct {
	openid.Way
	Provider uid.OAuthProvider
	Until    time.Time
}

// wayContext says what the sealed text is for, so that no other one opens as one.
const wayContext = "oidc.way"

// Beginning is where a browser is sent, and what it keeps until it comes back.
type Beginning struct {
	URL    string
	State  string
	Cookie secret.String
}

// Begin gives the page on which somebody signs in at a provider. It leaves nothing in the database: anybody may ask.
func (s *Service) Begin(ctx context.Context, provider string) (Beginning, error) {
	row, p, err := s.provider(ctx, provider)
	if err != nil {
		return Beginning{}, err
	}
	w := way{Provider: row.ID, Until: s.db.Now().Add(patience), Way: openid.Way{
		State: openid.NewVerifier(), Nonce: openid.NewVerifier(), Verifier: openid.NewVerifier(),
	}}
	url, err := s.client.AuthURL(ctx, p, w.Way)
	if err != nil {
		return Beginning{}, unreachable(err)
	}
	text, err := json.Marshal(w)
	if err != nil {
		return Beginning{}, err
	}
	return Beginning{URL: url, State: w.State, Cookie: secret.New(s.box.Seal(string(text), wayContext))}, nil
}

func unreachable(err error) error {
	return &fault.Error{Kind: fault.Unavailable, Text: "the provider can't be asked now", Detail: err.Error()}
}

// provider finds one by which users can come in.
func (s *Service) provider(ctx context.Context, name string) (providerRow, openid.Provider, error) {
	if !s.on() {
		return providerRow{}, openid.Provider{}, fault.Conflictf("nobody signs in by OAuth providers here: oauth2.enabled is false")
	}
	row, err := enabledProvider(ctx, s.db.Read(), strings.ToLower(name))
	switch {
	case db.IsNone(err):
		return row, openid.Provider{}, fault.NotFoundf("there is no OAuth provider %q by which users sign in", name)
	case err != nil:
		return row, openid.Provider{}, err
	}
	key, err := s.box.Open(row.Secret, secretContext(row.ID))
	return row, openid.Provider{
		Issuer: row.Issuer, GitHub: row.Name == github, ClientID: row.ClientID, Secret: key, Redirect: row.RedirectURI,
	}, err
}

// Return is with what a browser comes back.
type Return struct {
	Provider string
	Code     secret.String
	State    string
	Cookie   secret.String
}

// Email gives the address of who came back, as the provider has verified it. It may be asked again, until the code is used.
func (s *Service) Email(ctx context.Context, r Return) (string, error) {
	row, err := s.redeem(ctx, r)
	return row.Email, err
}

// redeem gives what a code stands for. The provider is asked once for each way in: what it said is kept for a while.
func (s *Service) redeem(ctx context.Context, r Return) (codeRow, error) {
	row, p, err := s.provider(ctx, r.Provider)
	if err != nil {
		return codeRow{}, err
	}
	w, err := s.open(r.Cookie)
	switch {
	case err != nil:
		return codeRow{}, denied("there is no way in that began in this browser: %v", err)
	case w.Provider != row.ID || !s.db.Now().Before(w.Until):
		return codeRow{}, denied("the way in began too long ago, or at another provider")
	case r.Code.IsEmpty() || !secret.New(w.State).Equal(secret.New(r.State)):
		return codeRow{}, denied("the state is not that of the way in that began in this browser")
	}
	code := codeRow{
		ID: digest(w.State), ProviderID: row.ID, Code: digest(r.Code.Reveal()), Expires: s.db.Now().Add(2 * patience),
	}
	if found, err := findCode(ctx, s.db.Read(), code.ID); !db.IsNone(err) {
		return found, same(found, code, err)
	}
	who, err := s.client.Identify(ctx, p, w.Way, r.Code.Reveal())
	if err != nil {
		return codeRow{}, denied("provider %s: %v", row.Name, err)
	}
	code.Subject, code.Email = who.Subject, who.Email
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return insertCode(ctx, tx, code) })
	if db.IsUnique(err) { // the same at the same moment, perhaps at another server
		found, err := findCode(ctx, s.db.Read(), code.ID)
		return found, same(found, code, err)
	}
	return code, err
}

// same refuses another code for the same way in, and one that was used.
func same(found, want codeRow, err error) error {
	switch {
	case err != nil:
		return err
	case found.Code != want.Code || found.ProviderID != want.ProviderID || found.Used:
		return denied("the code was used already, or the way in has another one")
	}
	return nil
}

func (s *Service) open(cookie secret.String) (w way, _ error) {
	text, err := s.box.Open(cookie.Reveal(), wayContext)
	if err != nil {
		return w, err
	}
	return w, json.Unmarshal([]byte(text.Reveal()), &w)
}

// Login is who wants in, having come back.
type Login struct {
	Return
	Email    string
	Domain   string // a path; "" where the user is the only one
	DomainID uid.Domain
}

// Entry gives the way in for who came back. It is good for once.
func (s *Service) Entry(ctx context.Context, in Login) (account.Entry, error) {
	code, err := s.redeem(ctx, in.Return)
	if err != nil {
		return account.Entry{}, err
	}
	if !strings.EqualFold(code.Email, in.Email) {
		return account.Entry{}, denied("the address is not that of who signed in at the provider")
	}
	return account.Entry{Source: auth.OAuth2, Prove: func(ctx context.Context, tx db.Tx) (uid.User, error) {
		good, err := useCode(ctx, tx, code.ID)
		switch {
		case err != nil:
			return "", fmt.Errorf("use up a code: %w", err)
		case !good:
			return "", denied("the code was used already")
		}
		where := domain{id: in.DomainID}
		if in.Domain != "" {
			where.path = account.DomainPath(in.Domain)
		}
		return recognize(ctx, tx, code, where)
	}}, nil
}

// recognize finds whose user somebody of a provider is: who came in before by what the provider calls it, which never changes, and
// who comes the first time by its address.
func recognize(ctx context.Context, tx db.Tx, code codeRow, in domain) (uid.User, error) {
	ids, err := known(ctx, tx, code.ProviderID, code.Subject, in)
	if err != nil {
		return "", fmt.Errorf("find who somebody of a provider is: %w", err)
	}
	if len(ids) == 0 {
		if ids, err = byEmail(ctx, tx, code.ProviderID, code.Email, in); err != nil {
			return "", fmt.Errorf("find a user by its address: %w", err)
		}
		if len(ids) == 1 {
			if err := insertIdentity(ctx, tx, code.ProviderID, code.Subject, ids[0]); err != nil {
				return "", fmt.Errorf("keep who user %s is: %w", ids[0], err)
			}
		}
	}
	switch len(ids) {
	case 0:
		return "", denied("no user of this address comes by OAuth providers")
	case 1:
		return ids[0], nil
	}
	return "", denied("several users have this address: name the domain")
}

// Authorize lets a user come in by OAuth providers, and by its password no more; or, the other way round, by its password only.
func (s *Service) Authorize(ctx context.Context, id uid.User, enable bool) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		to, text := auth.Native, "user %s comes in by its password"
		if enable {
			to, text = auth.OAuth2, "user %s comes in by OAuth providers"
		}
		u, err := s.accounts.Vouch(ctx, tx, id, func(u account.User) (auth.Source, error) {
			if u.Source != auth.Native && u.Source != auth.OAuth2 {
				return "", fault.Conflictf("user %s comes in by %s", u.Username, u.Source)
			}
			return to, nil
		})
		if err != nil {
			return err
		}
		if err := deleteIdentities(ctx, tx, id); err != nil {
			return fmt.Errorf("forget who user %s is: %w", id, err)
		}
		_, err = event.Write(ctx, tx, event.Event{
			Type: event.UserUpdate, Description: fmt.Sprintf(text, u.Username), Account: u.Account, Domain: u.Domain, ResourceID: string(id),
		})
		return err
	})
}

// Sweep forgets codes that are good for nothing any more.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Write(ctx, deleteCodes)
}

// denied is a way in that is none. Why is for the log.
func denied(why string, args ...any) error {
	return fault.New(fault.Unauthenticated, why, args...)
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
