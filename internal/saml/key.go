package saml

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"time"

	dsig "github.com/russellhaering/goxmldsig"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/outside/idp"
	"github.com/virga-cloud/virga/internal/setting"
)

// keyPair is what this cloud signs its messages with.
type keyPair struct {
	key         *rsa.PrivateKey
	certificate []byte // DER
}

const (
	theKey     = "sp"
	keyContext = "saml_keys.key/" + theKey
	// keyLife is how long the certificate lasts. Nobody renews it, and providers trust the key and no authority.
	keyLife = 20 * 365 * 24 * time.Hour
)

// keys gives the key pair, which is made when it is first asked for, by whichever server.
func (s *Service) keys(ctx context.Context) (*keyPair, error) {
	s.keyMu.Lock()
	defer s.keyMu.Unlock()
	if s.pair != nil {
		return s.pair, nil
	}
	row, err := findKey(ctx, s.db.Read())
	if db.IsNone(err) {
		row, err = s.makeKey(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("find the key for SAML: %w", err)
	}
	text, err := s.box.Open(row.Key, keyContext)
	if err != nil {
		return nil, err
	}
	der, err := base64.StdEncoding.DecodeString(text.Reveal())
	if err != nil {
		return nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, err
	}
	p := &keyPair{}
	var ok bool
	if p.key, ok = key.(*rsa.PrivateKey); !ok {
		return nil, errors.New("the key is no RSA key")
	}
	p.certificate, err = base64.StdEncoding.DecodeString(row.Certificate)
	if err == nil {
		s.pair = p
	}
	return p, err
}

// makeKey makes the key, and gives the one that is there then: perhaps another server's.
func (s *Service) makeKey(ctx context.Context) (row keyRow, err error) {
	key, err := rsa.GenerateKey(rand.Reader, idp.LeastKey)
	if err != nil {
		return row, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return row, err
	}
	now := s.db.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Virga SAML"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(keyLife), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return row, err
	}
	e := base64.StdEncoding
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		return putKeyOnce(ctx, tx, keyRow{
			ID: theKey, Key: s.box.Seal(e.EncodeToString(private), keyContext), Certificate: e.EncodeToString(public), Created: tx.Now,
		})
	})
	if err != nil {
		return row, err
	}
	return findKey(ctx, s.db.Read())
}

// signer signs with the method of the setting.
func (s *Service) signer(ctx context.Context) (*dsig.SigningContext, string, error) {
	k, err := s.keys(ctx)
	if err != nil {
		return nil, "", err
	}
	method := map[string]string{
		"SHA256": dsig.RSASHA256SignatureMethod, "SHA384": dsig.RSASHA384SignatureMethod, "SHA512": dsig.RSASHA512SignatureMethod,
	}[setting.SAMLSignWith.Of(s.settings)]
	c, err := dsig.NewSigningContext(k.key, [][]byte{k.certificate})
	if err != nil {
		return nil, "", err
	}
	return c, method, c.SetSignatureMethod(method)
}
