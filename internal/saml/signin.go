package saml

import (
	"bytes"
	"compress/flate"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/beevik/etree"
	"github.com/crewjam/saml"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/outside/idp"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Service lets users in by identity providers. All methods may be called concurrently.
type Service struct {
	db       *db.DB
	box      *secret.Box
	settings *setting.Settings
	accounts *account.Service
	sessions *auth.Sessions

	asking sync.Mutex // for the providers' document
	mu     sync.Mutex // of known
	known  providers
	keyMu  sync.Mutex // of pair
	pair   *keyPair
}

// Parts are what a service works with. All of them are required.
type Parts struct {
	DB       *db.DB
	Box      *secret.Box // seals the key
	Settings *setting.Settings
	Accounts *account.Service
	Sessions *auth.Sessions
}

// New makes a service.
func New(p Parts) *Service {
	return &Service{db: p.DB, box: p.Box, settings: p.Settings, accounts: p.Accounts, sessions: p.Sessions}
}

const (
	// patience is how long somebody may take to sign in at the provider.
	patience = 10 * time.Minute
	// shortly is how long a browser may take that has signed in and is sent on to fetch its session.
	shortly = time.Minute
)

// way is what is sealed in the cookie of a browser that was sent to a provider.
type way struct {
	Request string
	IDP     string
	Domain  string // a path, "" for any
	Until   time.Time
}

// wayContext says what the sealed text is for, so that no other one opens as one.
const wayContext = "saml.way"

// Begin gives the page on which somebody signs in at a provider, and what the browser keeps until it comes back. It leaves nothing in
// the database: anybody may ask.
func (s *Service) Begin(ctx context.Context, provider, domain string) (page string, cookie secret.String, err error) {
	p, err := s.provider(ctx, provider)
	if err != nil {
		return "", cookie, err
	}
	now := s.db.Now()
	w := way{Request: newID(), IDP: p.ID, Until: now.Add(patience)}
	if domain != "" {
		w.Domain = account.DomainPath(domain)
	}
	format := string(saml.UnspecifiedNameIDFormat)
	request := saml.AuthnRequest{
		ID: w.Request, Version: "2.0", IssueInstant: now, Destination: p.SignIn, ProtocolBinding: saml.HTTPPostBinding,
		AssertionConsumerServiceURL: setting.SAMLConsumerURL.Of(s.settings), Issuer: s.issuer(),
		NameIDPolicy: &saml.NameIDPolicy{Format: &format},
	}
	if force := setting.SAMLForceAuthn.Of(s.settings); force {
		request.ForceAuthn = &force
	}
	if page, err = s.redirect(ctx, p.SignIn, "SAMLRequest", request.Element()); err != nil {
		return "", cookie, err
	}
	text, err := json.Marshal(w)
	return page, secret.New(s.box.Seal(string(text), wayContext)), err
}

func (s *Service) issuer() *saml.Issuer {
	return &saml.Issuer{Value: setting.SAMLEntity.Of(s.settings)}
}

// redirect gives the URL with a signed message.
func (s *Service) redirect(ctx context.Context, to, kind string, message *etree.Element) (string, error) {
	doc := etree.NewDocument()
	doc.SetRoot(message)
	var packed bytes.Buffer
	pack, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return "", err
	}
	if _, err := doc.WriteTo(pack); err != nil {
		return "", err
	}
	if err := pack.Close(); err != nil {
		return "", err
	}
	signer, method, err := s.signer(ctx)
	if err != nil {
		return "", err
	}
	query := kind + "=" + url.QueryEscape(base64.StdEncoding.EncodeToString(packed.Bytes())) + "&SigAlg=" + url.QueryEscape(method)
	signature, err := signer.SignString(query)
	if err != nil {
		return "", err
	}
	query += "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature))
	if strings.Contains(to, "?") {
		return to + "&" + query, nil
	}
	return to + "?" + query, nil
}

// Receive takes the answer of a provider, which any site can have a browser bring, and gives a ticket. It opens a session for the
// browser that was sent to the provider and no other: see [Service.Entry].
func (s *Service) Receive(ctx context.Context, encoded string) (ticket secret.String, err error) {
	m, err := idp.Read(encoded)
	if err != nil {
		return ticket, denied("%v", err)
	}
	p, err := s.provider(ctx, orNobody(m.Issuer()))
	if fault.Is(err, fault.NotFound) {
		return ticket, denied("the answer is of no provider that is known")
	} else if err != nil {
		return ticket, err
	}
	b, err := s.rules(p).Believe(m)
	if err != nil {
		return ticket, denied("provider %s: %v", p.ID, err)
	}
	ticket = secret.New(newID())
	return ticket, s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		fresh, err := useUp(ctx, tx, digest("assertion", p.ID, b.ID), b.Until.Add(patience))
		switch {
		case err != nil:
			return fmt.Errorf("use up an assertion: %w", err)
		case !fresh:
			return denied("provider %s: the assertion was used already", p.ID)
		}
		return insertTicket(ctx, tx, ticketRow{
			ID: digest(ticket.Reveal()), Request: b.Request, IDP: p.ID, Username: b.Username, NameID: b.NameID,
			NameFormat: b.NameFormat, SessionIndex: b.Index, Expires: tx.Now.Add(shortly),
		})
	})
}

// orNobody keeps a message without an issuer from meaning the usual one.
func orNobody(issuer string) string {
	if issuer == "" {
		return "-"
	}
	return issuer
}

func (s *Service) rules(p idp.Provider) idp.Rules {
	return idp.Rules{
		Certificates: p.Certificates, Now: s.db.Now(), SHA1: setting.SAMLAllowSHA1.Of(s.settings),
		IDP: p.ID, Audience: setting.SAMLEntity.Of(s.settings), Consumer: setting.SAMLConsumerURL.Of(s.settings),
		Signed: setting.SAMLSigned.Of(s.settings), Attribute: setting.SAMLUserAttribute.Of(s.settings), Skew: setting.SAMLSkew.Of(s.settings),
	}
}

// Entry gives the way in for a browser that has a ticket and the cookie with which it was sent away. Both are good for once.
func (s *Service) Entry(_ context.Context, ticket string, cookie secret.String) (account.Entry, error) {
	text, err := s.box.Open(cookie.Reveal(), wayContext)
	if err != nil {
		return account.Entry{}, denied("there is no way in that began in this browser: %v", err)
	}
	var w way
	if err := json.Unmarshal([]byte(text.Reveal()), &w); err != nil {
		return account.Entry{}, err
	}
	if !s.db.Now().Before(w.Until) {
		return account.Entry{}, denied("the way in began too long ago")
	}
	var row ticketRow
	return account.Entry{
		Source: auth.SAML2,
		Prove: func(ctx context.Context, tx db.Tx) (id uid.User, err error) {
			row, err = takeTicket(ctx, tx, digest(ticket))
			switch {
			case db.IsNone(err):
				return "", denied("there is no such ticket, or not any more")
			case err != nil:
				return "", fmt.Errorf("take a ticket: %w", err)
			case row.Request != w.Request || row.IDP != w.IDP:
				return "", denied("the answer is not to the request of this browser")
			}
			fresh, err := useUp(ctx, tx, digest("request", w.Request), w.Until.Add(patience))
			switch {
			case err != nil:
				return "", fmt.Errorf("use up a request: %w", err)
			case !fresh:
				return "", denied("the request was answered already")
			}
			id, err = authorized(ctx, tx, row.IDP, row.Username, w.Domain)
			if db.IsNone(err) {
				return "", denied("no user %q comes in by provider %s", row.Username, row.IDP)
			}
			return id, err
		},
		Note: func(ctx context.Context, tx db.Tx, session string) error {
			return insertSession(ctx, tx, sessionRow{
				SessionID: session, IDP: row.IDP, NameID: row.NameID, NameFormat: row.NameFormat, SessionIndex: row.SessionIndex,
			})
		},
	}, nil
}

// Home is where browsers are sent when they are done.
func (s *Service) Home() string { return setting.SAMLRedirectURL.Of(s.settings) }

// Sweep forgets what is good for nothing any more.
func (s *Service) Sweep(ctx context.Context) error { return s.db.Write(ctx, expire) }

// denied is a way in that is none. Why is for the log.
func denied(why string, args ...any) error {
	return fault.New(fault.Unauthenticated, why, args...)
}

// newID makes an ID as XML has them: the first character is no digit.
func newID() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b) // never fails
	return "_" + hex.EncodeToString(b)
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}
