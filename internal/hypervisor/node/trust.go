package node

import (
	"crypto/tls"
	"crypto/x509"
	"errors"

	"github.com/virga-cloud/virga/api/agent"
)

// trustOnce believes a server whose certificate was signed by who has this fingerprint: nothing else is known of it yet.
func trustOnce(fingerprint string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS13, ServerName: agent.ServerName,
		InsecureSkipVerify: true, //nolint:gosec // it is verified below, and by more than a name
		VerifyConnection: func(c tls.ConnectionState) error {
			for _, cert := range c.PeerCertificates {
				if agent.Fingerprint(cert.Raw) != fingerprint {
					continue
				}
				roots := x509.NewCertPool()
				roots.AddCert(cert)
				_, err := c.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: roots, DNSName: agent.ServerName})
				return err
			}
			return errStranger
		},
	}
}

var errStranger = errors.New("it is no server of the cloud that the token is from")

// trust believes the servers that an authority has signed.
func trust(ca string) (*tls.Config, error) {
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(ca)) {
		return nil, errors.New("the certificate of the cloud's authority can't be read")
	}
	return &tls.Config{MinVersion: tls.VersionTLS13, ServerName: agent.ServerName, RootCAs: roots}, nil
}
