package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Part is an uploaded certificate: one with a private key, or a part of the chain that leads from it to its root.
type Part struct {
	Suffix   string // the certificate is for names below it, in lower case
	Name     string // "" of the one with the key
	Position int64  // in the chain, where the root has the lowest
	PEM      string `bun:"pem"`
	Sealed   string `bun:"private_key"`
	Created  time.Time
}

// Service keeps certificates. All methods may be called concurrently.
type Service struct {
	db     *db.DB
	box    *secret.Box
	log    *slog.Logger
	upload *op.Runner[upload]
	now    atomic.Pointer[map[string]*tls.Certificate] // what is presented, by suffix

	loading sync.Mutex // one at a time, so that no old reading comes after a new one
	parts   []Part     // as they were read last
}

// New makes a service, which presents nothing until it is loaded.
func New(d *db.DB, e *op.Engine, box *secret.Box, log *slog.Logger) *Service {
	s := &Service{db: d, box: box, log: log}
	s.upload = op.Register(e, op.New[upload]("certificate.upload").NoWayBack().Accept(s.accept, nil))
	return s
}

// In is what is uploaded. With a key it is the certificate that is presented, in the place of the one that there is, and may have the
// rest of its chain behind it; without one it is a part of the chain.
type In struct {
	Suffix   string
	Name     string
	Position int
	PEM      string
	Key      secret.String
}

// upload is the state of an operation, all of which is done when it is accepted: what is uploaded is in no operation's row.
type upload struct {
	Suffix string `json:"suffix"`

	in In
}

var suffixes = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// Upload keeps a certificate, once it is known to be good. Only root admins may.
func (s *Service) Upload(ctx context.Context, in In) (op.ID, error) {
	if !auth.From(ctx).IsRoot() {
		return "", fault.Deniedf("only root admins upload certificates")
	}
	in.PEM, in.Key = unescaped(in.PEM), secret.New(unescaped(in.Key.Reveal()))
	in.Suffix = strings.TrimPrefix(strings.TrimPrefix(strings.ToLower(strings.TrimSpace(in.Suffix)), "*"), ".")
	switch {
	case len(in.Suffix) > 253 || !suffixes.MatchString(in.Suffix):
		return "", fault.Invalidf("domainsuffix %q is no DNS domain: want one like example.org", in.Suffix)
	case in.Key.IsEmpty() && (in.Name == "" || in.Position < 1):
		return "", fault.Invalidf("a certificate without privatekey is a part of a chain: give its name, and with id its place, the root's being 1")
	case !in.Key.IsEmpty() && in.Name != "":
		return "", fault.Invalidf("name %q is for parts of a chain: leave it out, or leave out privatekey", in.Name)
	}
	job, _, err := s.upload.Start(ctx, op.Request{
		Thing: op.On("certificate", uid.New[uid.Op]()), Fresh: true, Caller: auth.From(ctx), Command: "uploadCustomCertificate",
	}, upload{Suffix: in.Suffix, in: in})
	if err != nil {
		return "", err
	}
	return job, s.Load(ctx)
}

// unescaped takes the encoding away that CloudStack's clients give texts of several lines besides that of the request.
func unescaped(text string) string {
	if plain, err := url.PathUnescape(text); err == nil && !strings.Contains(text, "\n") {
		return plain
	}
	return text
}

func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, u *upload) (err error) {
	in := u.in
	own, err := parse(in.PEM)
	if err != nil {
		return err
	}
	parts, err := partsOf(ctx, tx, in.Suffix)
	if err != nil {
		return fmt.Errorf("find the chain for %s: %w", in.Suffix, err)
	}
	p := Part{Suffix: in.Suffix, Name: in.Name, Position: int64(in.Position), PEM: in.PEM, Created: tx.Now}
	what := "part " + in.Name + " of the chain"
	if in.Key.IsEmpty() {
		for _, c := range own {
			if !c.IsCA {
				return fault.Invalidf("certificate %s is no authority's, and so no part of a chain: give its privatekey, too, to have it presented",
					c.Subject)
			}
			if err := lasts(c, tx.Now); err != nil {
				return err
			}
		}
	} else {
		what = "certificate"
		if err := check(own, in, parts, tx.Now); err != nil {
			return err
		}
		p.Sealed = s.box.Seal(in.Key.Reveal(), sealedAs(in.Suffix))
	}
	if err := put(ctx, tx, p); err != nil {
		return fmt.Errorf("keep the certificate for %s: %w", in.Suffix, err)
	}
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.CertificateAdd, State: event.Scheduled, Description: fmt.Sprintf("uploading the %s for %s", what, in.Suffix),
	})
	return err
}

func sealedAs(suffix string) string { return "certificates.private_key/" + suffix }

// parse reads certificates one after the other.
func parse(text string) (out []*x509.Certificate, err error) {
	rest := []byte(text)
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return nil, fault.Invalidf("certificate has a %s in it: want certificates only, in PEM", block.Type)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fault.Invalidf("certificate can't be read: %v", err)
		}
		out = append(out, c)
	}
	if len(out) == 0 || strings.TrimSpace(string(rest)) != "" {
		return nil, fault.Invalidf("certificate is not in PEM: it begins with -----BEGIN CERTIFICATE-----")
	}
	return out, nil
}

func lasts(c *x509.Certificate, now time.Time) error {
	if now.Before(c.NotBefore) || now.After(c.NotAfter) {
		return fault.Invalidf("certificate %s is good from %s to %s, and not now", c.Subject, c.NotBefore.Format(time.DateOnly),
			c.NotAfter.Format(time.DateOnly))
	}
	return nil
}

// check refuses a certificate that clients would refuse: with another's key, for other names, out of time, or without its chain.
func check(own []*x509.Certificate, in In, parts []Part, now time.Time) error {
	leaf := own[0]
	if err := lasts(leaf, now); err != nil {
		return err
	}
	if _, err := tls.X509KeyPair([]byte(in.PEM), []byte(in.Key.Reveal())); err != nil {
		return fault.Invalidf("privatekey is not the key of the certificate, or is not in PEM without a password")
	}
	if !slices.ContainsFunc(leaf.DNSNames, func(name string) bool { return below(strings.ToLower(name), in.Suffix) }) {
		return fault.Invalidf("the certificate is for %s: for no name in domainsuffix %s", strings.Join(leaf.DNSNames, ", "), in.Suffix)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool() // a machine without any
	}
	between := x509.NewCertPool()
	add := func(c *x509.Certificate) {
		if c.CheckSignatureFrom(c) == nil || c == leaf && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil {
			roots.AddCert(c)
		} else {
			between.AddCert(c)
		}
	}
	for _, p := range parts {
		chain, err := parse(p.PEM)
		if err != nil {
			return err
		}
		for _, c := range chain {
			add(c)
		}
	}
	for _, c := range own {
		add(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, CurrentTime: now}); err != nil {
		return fault.Invalidf("the certificate's chain does not hold: %v; upload what is missing of it first, without a privatekey: %s, "+
			"or what leads from there to the root", err, leaf.Issuer)
	}
	return nil
}

// Load reads the certificates anew, in the order in which they are presented. One that can't be read is left out, and logged.
func (s *Service) Load(ctx context.Context) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	all, err := everything(ctx, s.db.Read())
	if err != nil {
		return fmt.Errorf("load certificates: %w", err)
	}
	if slices.Equal(all, s.parts) {
		return nil
	}
	fresh := map[string]*tls.Certificate{}
	for _, p := range all {
		if p.Name != "" {
			continue
		}
		c, err := s.presented(p, all)
		if err != nil {
			s.log.Warn("a certificate that can't be presented", "suffix", p.Suffix, "error", err)
			continue
		}
		fresh[p.Suffix] = c
	}
	s.now.Store(&fresh)
	s.parts = all
	return nil
}

// presented puts a certificate, its key and its chain together, the chain from the certificate on.
func (s *Service) presented(p Part, all []Part) (*tls.Certificate, error) {
	key, err := s.box.Open(p.Sealed, sealedAs(p.Suffix))
	if err != nil {
		return nil, err
	}
	text := []string{p.PEM}
	for _, part := range slices.Backward(all) { // they are in order of their position, the root's being the lowest
		if part.Name != "" && part.Suffix == p.Suffix {
			text = append(text, part.PEM)
		}
	}
	c, err := tls.X509KeyPair([]byte(strings.Join(text, "\n")), []byte(key.Reveal()))
	if err != nil {
		return nil, errors.New("certificate and key don't go together")
	}
	return &c, nil
}

// Present gives the certificate for who asks for a name, that of the longest suffix; nil where none was uploaded for it.
func (s *Service) Present(name string) *tls.Certificate {
	known := s.now.Load()
	if known == nil {
		return nil
	}
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	for suffix := name; suffix != ""; _, suffix, _ = strings.Cut(suffix, ".") {
		if c := (*known)[suffix]; c != nil && c.Leaf.VerifyHostname(name) == nil {
			return c
		}
	}
	return nil
}

func below(name, suffix string) bool { return name == suffix || strings.HasSuffix(name, "."+suffix) }

// Start loads the certificates and goes on doing so every so often, in the background, until the function that it gives is called.
func (s *Service) Start(ctx context.Context, every time.Duration) (stop func(), err error) {
	return db.Follow(ctx, every, s.Load, func(err error) { s.log.Error("can't load the certificates", "error", err) })
}
