package agent

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// Authority signs what servers show to agents. All servers of a cloud have the same; agents keep its certificate.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	now  time.Time
}

// A certificate is good from a while ago, for clocks that are late, and for longer than anybody wants to renew it.
const (
	early    = 24 * time.Hour
	lifetime = 30 * 365 * 24 * time.Hour
)

const sealedAs = "agent_authority.private_key/1"

// Authority gives who signs. The first server that asks makes it.
func (s *Service) Authority(ctx context.Context) (*Authority, error) {
	row, err := findAuthority(ctx, s.db.Read())
	if err != nil {
		return nil, err
	}
	if row == nil {
		if row, err = s.newAuthority(ctx); err != nil {
			return nil, fmt.Errorf("make the authority for agents: %w", err)
		}
	}
	key, err := s.box.Open(row.PrivateKey, sealedAs)
	if err != nil {
		return nil, err
	}
	a := &Authority{now: s.db.Now()}
	if a.key, err = x509.ParseECPrivateKey([]byte(key.Reveal())); err != nil {
		return nil, fmt.Errorf("read the key of the authority for agents: %w", err)
	}
	block, _ := pem.Decode([]byte(row.Certificate))
	if block == nil {
		return nil, errors.New("the certificate of the authority for agents is no PEM")
	}
	a.cert, err = x509.ParseCertificate(block.Bytes)
	return a, err
}

func (s *Service) newAuthority(ctx context.Context) (row *authorityRow, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	now := s.db.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Virga agents"}, NotBefore: now.Add(-early), NotAfter: now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign,
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		err := putAuthority(ctx, tx, authorityRow{
			ID: 1, Certificate: inPEM(cert), PrivateKey: s.box.Seal(string(der), sealedAs), Created: tx.Now,
		})
		if err == nil {
			row, err = findAuthority(ctx, tx) // another server's, where that was faster
		}
		return err
	})
	return row, err
}

// PEM is its certificate, as agents keep it.
func (a *Authority) PEM() string { return inPEM(a.cert.Raw) }

// DER is its certificate.
func (a *Authority) DER() []byte { return a.cert.Raw }

// Server makes a certificate for one server, under a name, and what it serves with. Its key is nowhere else.
func (a *Authority) Server(name string) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, NotBefore: a.now.Add(-early),
		NotAfter: a.cert.NotAfter, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, fmt.Errorf("sign this server's certificate for agents: %w", err)
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS13, Certificates: []tls.Certificate{{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}},
	}, nil
}

func inPEM(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

func serial() *big.Int {
	raw := make([]byte, 16)
	_, _ = rand.Read(raw) // never fails
	return new(big.Int).SetBytes(raw)
}
