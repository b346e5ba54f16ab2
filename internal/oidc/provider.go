package oidc

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/outside/fetch"
	"github.com/virga-cloud/virga/internal/outside/openid"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Provider is who may vouch for users.
type Provider struct {
	ID          uid.OAuthProvider `bun:",pk"`
	Name        string            // "google", "github", or the operators' choice
	Description string
	ClientID    string
	RedirectURI string
	Issuer      string
	Enabled     bool
	Created     time.Time
}

// The providers that are known by their names.
const (
	google = "google"
	github = "github"
)

var issuers = map[string]string{google: "https://accounts.google.com", github: openid.GitHubSite}

// Registration says how a provider is asked. In an update what is empty stays.
type Registration struct {
	Name        string
	Description string
	ClientID    string
	Secret      secret.String
	RedirectURI string
	Issuer      string // "": what the name stands for
	Enabled     *bool
}

var names = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,31}$`)

func (p Provider) check() error {
	switch {
	case !names.MatchString(p.Name):
		return fault.Invalidf("provider %q is no name: want at most 32 small letters, digits, dots and hyphens", p.Name)
	case p.ClientID == "" || len(p.ClientID) > 255:
		return fault.Invalidf("clientid has to be the ID that the provider knows this cloud by")
	case p.Issuer == "":
		return fault.Invalidf("the provider %q is not known by its name: give its issuer URL as details[0].issuer", p.Name)
	}
	if err := fetch.Check(p.Issuer); err != nil {
		return err
	}
	if strings.ContainsAny(p.Issuer, "?#") {
		return fault.Invalidf("the issuer %q goes on after its path", p.Issuer)
	}
	return fetch.Check(p.RedirectURI)
}

// Register makes a provider known, which is enabled.
func (s *Service) Register(ctx context.Context, in Registration) (uid.OAuthProvider, error) {
	p := Provider{
		ID: uid.New[uid.OAuthProvider](), Name: strings.ToLower(in.Name), Description: in.Description, ClientID: in.ClientID,
		RedirectURI: in.RedirectURI, Issuer: in.Issuer, Enabled: true,
	}
	if p.Issuer == "" {
		p.Issuer = issuers[p.Name]
	}
	if in.Secret.IsEmpty() {
		return "", fault.Invalidf("secretkey has to be what the provider knows this cloud by besides clientid")
	}
	if err := p.check(); err != nil {
		return "", err
	}
	return p.ID, s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p.Created = tx.Now
		err := insertProvider(ctx, tx, p, s.box.Seal(in.Secret.Reveal(), secretContext(p.ID)))
		if db.IsUnique(err) {
			return fault.Conflictf("there is a provider %q already: change it with updateOauthProvider", p.Name)
		}
		if err != nil {
			return fmt.Errorf("register provider %s: %w", p.Name, err)
		}
		return providerEvent(ctx, tx, event.OAuthRegister, p, "registered")
	})
}

// Update changes what is given.
func (s *Service) Update(ctx context.Context, id uid.OAuthProvider, in Registration) (p Provider, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		row, err := lockProvider(ctx, tx, id)
		if err != nil {
			return missing(err, id)
		}
		set(&row.Description, in.Description)
		set(&row.ClientID, in.ClientID)
		set(&row.RedirectURI, in.RedirectURI)
		if in.Enabled != nil {
			row.Enabled = *in.Enabled
		}
		if !in.Secret.IsEmpty() {
			row.Secret = s.box.Seal(in.Secret.Reveal(), secretContext(id))
		}
		p = row.Provider
		if err := p.check(); err != nil {
			return err
		}
		if err := saveProvider(ctx, tx, row); err != nil {
			return fmt.Errorf("change provider %s: %w", id, err)
		}
		return providerEvent(ctx, tx, event.OAuthUpdate, p, "changed")
	})
	return p, err
}

func set(to *string, from string) {
	if from != "" {
		*to = from
	}
}

// Delete forgets a provider and who is who there. The users stay: for who shall come in by another provider, say nothing else.
func (s *Service) Delete(ctx context.Context, id uid.OAuthProvider) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		row, err := lockProvider(ctx, tx, id)
		if err != nil {
			return missing(err, id)
		}
		if err := deleteProvider(ctx, tx, id); err != nil {
			return fmt.Errorf("delete provider %s: %w", id, err)
		}
		return providerEvent(ctx, tx, event.OAuthDelete, row.Provider, "deleted")
	})
}

// Filter says which providers a list shows. Zero fields don't restrict.
type Filter struct {
	ID      uid.OAuthProvider
	Name    string
	Keyword string
	Offset  int
	Limit   int // 0: all
}

// Providers gives a page of providers, and how many there are in all: to root admins all, to everybody else those by which one can
// sign in now.
func (s *Service) Providers(ctx context.Context, f Filter) ([]Provider, int, error) {
	f.Name = strings.ToLower(f.Name)
	root := auth.From(ctx).IsRoot()
	if !root && !s.on() {
		return nil, 0, nil
	}
	rows, total, err := listProviders(ctx, s.db.Read(), f, !root)
	return slices.Collect(func(yield func(Provider) bool) {
		for _, r := range rows {
			if !yield(r.Provider) {
				return
			}
		}
	}), total, err
}

func missing(err error, id uid.OAuthProvider) error {
	if db.IsNone(err) {
		return fault.Missing(id)
	}
	return err
}

// secretContext binds a sealed secret to its column and provider.
func secretContext(id uid.OAuthProvider) string { return "oauth_providers.secret/" + string(id) }

func providerEvent(ctx context.Context, tx db.Tx, kind event.Kind, p Provider, did string) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("OAuth provider %s was %s", p.Name, did), ResourceID: string(p.ID),
	})
	return err
}
