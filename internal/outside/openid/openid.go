package openid

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/virga-cloud/virga/internal/outside/fetch"
	"github.com/virga-cloud/virga/internal/secret"
)

// Provider is whom to ask, and as which client of it.
type Provider struct {
	Issuer   string // the URL that the provider goes by; the site's for GitHub
	GitHub   bool
	ClientID string
	Secret   secret.String
	Redirect string // where it sends browsers back to
}

// Way is what one way in is bound to: the page that came back is of the browser that left (State), the token is of this way in
// (Nonce), and who has the code alone has nothing (Verifier).
type Way struct{ State, Nonce, Verifier string }

// NewVerifier makes a verifier (PKCE).
func NewVerifier() string { return oauth2.GenerateVerifier() }

// Identity is who somebody is for the provider. The address is one that the provider has verified.
type Identity struct{ Subject, Email string }

// Client asks providers.
type Client struct {
	now   func() time.Time
	mu    sync.Mutex
	known map[string]known // by issuer
}

type known struct {
	provider *oidc.Provider
	err      error
	until    time.Time
}

// How long it is believed what a provider says of itself, and that it can't be asked.
const (
	believed = time.Hour
	avoided  = 10 * time.Second
)

// New makes a client.
func New(now func() time.Time) *Client { return &Client{now: now, known: map[string]known{}} }

// algorithms are those by which tokens may be signed: with a key that only the provider has.
var algorithms = []string{
	oidc.RS256, oidc.RS384, oidc.RS512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.EdDSA,
}

// AuthURL gives the page of the provider on which somebody signs in.
func (c *Client) AuthURL(ctx context.Context, p Provider, w Way) (string, error) {
	config, _, err := c.config(ctx, p)
	if err != nil {
		return "", err
	}
	return config.AuthCodeURL(w.State, oidc.Nonce(w.Nonce), oauth2.S256ChallengeOption(w.Verifier)), nil
}

// Identify gives who the provider has given a code to. Whatever is wrong with the code or with what the provider says is an error.
func (c *Client) Identify(ctx context.Context, p Provider, w Way, code string) (Identity, error) {
	config, provider, err := c.config(ctx, p)
	if err != nil {
		return Identity{}, err
	}
	ctx = oidc.ClientContext(ctx, fetch.Client(p.Issuer)) // which is oauth2's, too
	token, err := config.Exchange(ctx, code, oauth2.VerifierOption(w.Verifier))
	if err != nil {
		return Identity{}, fmt.Errorf("exchange the code: %w", withoutSecrets(err))
	}
	if p.GitHub {
		return gitHubUser(ctx, p, config.Client(ctx, token))
	}
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, errors.New("the provider gave no ID token")
	}
	id, err := provider.Verifier(&oidc.Config{ClientID: p.ClientID, SupportedSigningAlgs: algorithms, Now: c.now}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, err
	}
	return c.subject(ctx, p, provider, id, token, w)
}

// subject checks what the library leaves to its users.
func (c *Client) subject(ctx context.Context, p Provider, provider *oidc.Provider, id *oidc.IDToken, token *oauth2.Token, w Way,
) (who Identity, _ error) {
	var claims struct {
		Party string `json:"azp"`
		mail
	}
	err := id.Claims(&claims)
	switch {
	case err != nil:
		return who, fmt.Errorf("read the ID token: %w", err)
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(w.Nonce)) != 1:
		return who, errors.New("the ID token is of another sign-in: its nonce is not the one that was sent")
	case (len(id.Audience) > 1 || claims.Party != "") && claims.Party != p.ClientID:
		return who, fmt.Errorf("the ID token was given to %q", claims.Party)
	case id.IssuedAt.After(c.now().Add(skew)):
		return who, errors.New("the ID token is of the future")
	case id.Subject == "" || len(id.Subject) > 255:
		return who, errors.New("the ID token says of nobody what it says")
	case id.AccessTokenHash != "":
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return who, err
		}
	}
	if claims.Email == "" && provider.UserInfoEndpoint() != "" {
		info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return who, fmt.Errorf("ask for the user's address: %w", withoutSecrets(err))
		}
		if info.Subject != id.Subject {
			return who, errors.New("the provider told about another user")
		}
		if err := info.Claims(&claims.mail); err != nil {
			return who, err
		}
	}
	if claims.Email == "" || len(claims.Email) > 255 || !claims.verified() {
		return who, errors.New("the provider tells no e-mail address of the user that it has verified")
	}
	return Identity{Subject: id.Subject, Email: claims.Email}, nil
}

// skew is how much clocks may differ.
const skew = time.Minute

// mail is what a provider says about an address. Some say true as a text.
type mail struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"`
}

func (m mail) verified() bool { return m.Verified == true || m.Verified == "true" }

func (c *Client) config(ctx context.Context, p Provider) (*oauth2.Config, *oidc.Provider, error) {
	config := &oauth2.Config{ClientID: p.ClientID, ClientSecret: p.Secret.Reveal(), RedirectURL: p.Redirect}
	if p.GitHub {
		site := strings.TrimSuffix(p.Issuer, "/")
		config.Endpoint = oauth2.Endpoint{AuthURL: site + "/login/oauth/authorize", TokenURL: site + "/login/oauth/access_token"}
		config.Scopes = []string{"user:email"}
		return config, nil, nil
	}
	provider, err := c.discover(ctx, p.Issuer)
	if err != nil {
		return nil, nil, fmt.Errorf("ask %s about itself: %w", p.Issuer, err)
	}
	config.Endpoint, config.Scopes = provider.Endpoint(), []string{oidc.ScopeOpenID, "email"}
	return config, provider, fetch.Check(config.Endpoint.AuthURL)
}

// discover asks a provider about itself. One that does not answer is left alone for a while.
func (c *Client) discover(ctx context.Context, issuer string) (*oidc.Provider, error) {
	c.mu.Lock()
	k, ok := c.known[issuer]
	c.mu.Unlock()
	if ok && c.now().Before(k.until) {
		return k.provider, k.err
	}
	k = known{until: c.now().Add(believed)}
	k.provider, k.err = oidc.NewProvider(oidc.ClientContext(ctx, fetch.Client(issuer)), issuer)
	if k.err != nil {
		k.until = c.now().Add(avoided)
	}
	if ctx.Err() == nil { // or it says nothing about the provider
		c.mu.Lock()
		c.known[issuer] = k
		c.mu.Unlock()
	}
	return k.provider, k.err
}

// withoutSecrets leaves out of an error what a provider has answered: it may repeat what it was sent.
func withoutSecrets(err error) error {
	if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok {
		status := ""
		if refused.Response != nil {
			status = refused.Response.Status
		}
		return fmt.Errorf("the provider refused: %s %s", status, refused.ErrorCode)
	}
	return err
}
