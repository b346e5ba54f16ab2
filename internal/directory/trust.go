package directory

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"io"
	"os"
	"strings"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// Truststore says which certificates a directory's is to be issued by.
type Truststore struct {
	// Certificates are PEM, whose lines can end in \n as two characters, or the path of a file: PEM, or PKCS #12 as Java's keytool makes
	// it; "": the system's.
	Certificates string
	Password     secret.String // of a PKCS #12 file
}

// trustSize is how many bytes a truststore has at most.
const trustSize = 1 << 20

func (t Truststore) config() (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.Certificates == "" {
		return config, nil
	}
	content := []byte(strings.ReplaceAll(t.Certificates, `\n`, "\n"))
	if !isPEM(content) {
		var err error
		if content, err = readFile(strings.TrimPrefix(t.Certificates, "file://")); err != nil {
			return nil, fault.New(fault.Unavailable, "the truststore of the directory can't be read: %v", err)
		}
	}
	config.RootCAs = x509.NewCertPool()
	if isPEM(content) {
		if !config.RootCAs.AppendCertsFromPEM(content) {
			return nil, fault.New(fault.Unavailable, "the truststore of the directory holds no certificate (ldap.truststore)")
		}
		return config, nil
	}
	if bytes.HasPrefix(content, jks) {
		return nil, fault.New(fault.Unavailable, "the truststore of the directory is in Java's older format, JKS: make PKCS #12 of it with "+
			"keytool -importkeystore -deststoretype PKCS12")
	}
	issuers, err := pkcs12.DecodeTrustStore(content, t.Password.Reveal())
	if err != nil {
		return nil, fault.New(fault.Unavailable,
			"the truststore of the directory is neither PEM nor PKCS #12, or ldap.truststore.password is not its password: %v", err)
	}
	for _, issuer := range issuers {
		config.RootCAs.AddCert(issuer)
	}
	return config, nil
}

// jks is what files of Java's older format begin with.
var jks = []byte{0xfe, 0xed, 0xfe, 0xed}

func isPEM(content []byte) bool {
	return bytes.Contains(content, []byte("-----BEGIN CERTIFICATE-----"))
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	return io.ReadAll(io.LimitReader(f, trustSize))
}
