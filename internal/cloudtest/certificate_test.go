package cloudtest_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/certificate"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/secret"
)

// issued is a certificate with its key.
type issued struct {
	x         *x509.Certificate
	key       crypto.Signer
	pem, priv string
}

// sign makes a certificate for a name, by an authority or, where it is nil, by itself. A name without dots is an authority's.
func sign(t *testing.T, now time.Time, by *issued, name string) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	want := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: name}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if strings.Contains(name, ".") {
		want.DNSNames, want.ExtKeyUsage = []string{name}, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	} else {
		want.IsCA, want.KeyUsage = true, x509.KeyUsageCertSign
	}
	parent, signer := want, crypto.Signer(key)
	if by != nil {
		parent, signer = by.x, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, want, parent, key.Public(), signer)
	must(t, err)
	out := &issued{key: key, pem: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))}
	out.x, err = x509.ParseCertificate(der)
	must(t, err)
	der, err = x509.MarshalPKCS8PrivateKey(key)
	must(t, err)
	out.priv = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	return out
}

func TestStormCertificateUpload(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, _ physnet.Network) (op.ID, error) {
			leaf := sign(t, s.DB.Now(), nil, "cloud.example.org")
			return s.now.Certificates.Upload(ctx, certificate.In{Suffix: "example.org", PEM: leaf.pem, Key: secret.New(leaf.priv)})
		},
		count: "select count(*) from certificates where suffix <> ?", there: 1,
	})
}

// A certificate that is uploaded is the one that HTTPS presents from then on, with its chain, here and on other servers; what clients
// would refuse is refused at once; and the key is nowhere to be seen.
func TestCertificates(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	now := c.DB.Now()
	root := sign(t, now, nil, "root")
	middle := sign(t, now, root, "middle")
	leaf := sign(t, now, middle, "*.example.org")
	alone := sign(t, now, nil, "api.example.net")
	old := sign(t, now.Add(-48*time.Hour), nil, "old.example.org")
	upload := func(says string, params ...string) {
		t.Helper()
		raw, err := c.Client.Call(t.Context(), "uploadCustomCertificate", with(nil, params...))
		if says == "" && (err != nil || !strings.Contains(string(raw), "is kept")) || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s %v; want …%s…", raw, err, says)
		}
	}
	good := []string{"domainsuffix", "*.Example.org", "certificate", leaf.pem, "privatekey", leaf.priv}
	upload("upload what is missing", good...)
	upload("give its name", "domainsuffix", "example.org", "certificate", root.pem)
	upload("", "domainsuffix", "example.org", "certificate", root.pem, "name", "root", "id", "1")
	upload("CN=middle", good...)
	upload("no authority's", "domainsuffix", "example.org", "certificate", leaf.pem, "name", "leaf", "id", "2")
	upload("", "domainsuffix", "example.org", "certificate", middle.pem, "name", "middle", "id", "2")
	for says, params := range map[string][]string{
		"not the key":         with2(good, "privatekey", alone.priv),
		"or is not in PEM":    with2(good, "privatekey", "x"),
		"not in PEM: it":      with2(good, "certificate", "x"),
		"certificates only":   with2(good, "certificate", leaf.priv),
		"can't be read":       with2(good, "certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
		"for no name in":      with2(good, "domainsuffix", "example.com"),
		"is no DNS domain":    with2(good, "domainsuffix", "a b"),
		"for parts of a chai": append([]string{"name", "x"}, good...),
		"and not now":         {"domainsuffix", "example.org", "certificate", old.pem, "privatekey", old.priv},
	} {
		upload(says, params...)
	}
	if c.Certificates.Present("api.example.org") != nil {
		t.Error("what was refused is presented")
	}
	upload("", with2(with2(good, "certificate", url.PathEscape(leaf.pem)), "privatekey", url.PathEscape(leaf.priv))...)
	upload("", "domainsuffix", "example.net", "certificate", alone.pem, "privatekey", alone.priv)

	other := c.Another(c.DB, c.World, op.Options{Name: "other"})
	must(t, other.Certificates.Load(t.Context()))
	for server, present := range map[string]func(string) *tls.Certificate{"this": c.Present, "other": other.Present} {
		serving, ended := make(chan net.Addr, 1), make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			ended <- front.Serve(ctx, c.Handler(), front.ServeOptions{
				Listen: "127.0.0.1:0", AutoTLSDir: t.TempDir(), Clock: time.Now, Present: present, Listening: func(a net.Addr) { serving <- a },
			})
		}()
		address := (<-serving).String()
		for name, want := range map[string]string{
			"api.example.org": "*.example.org", "API.example.net": "api.example.net", "example.org": "Virga", "a.b.example.org": "Virga", "localhost": "Virga", "": "Virga",
		} {
			roots := x509.NewCertPool()
			roots.AddCert(root.x)
			roots.AddCert(alone.x)
			conn, err := tls.Dial("tcp", address, &tls.Config{
				ServerName: name, RootCAs: roots, InsecureSkipVerify: want == "Virga", Time: func() time.Time { return now },
			})
			if err != nil {
				t.Errorf("%s, %s: %v", server, name, err)
				continue
			}
			if got := conn.ConnectionState().PeerCertificates[0].Subject.CommonName; got != want {
				t.Errorf("%s presents %s to who asks for %q, want %s", server, got, name, want)
			}
			_ = conn.Close()
		}
		cancel()
		must(t, <-ended)
	}
	var rows []string
	must(t, c.DB.Read().NewRaw("select pem || private_key from certificates").Scan(t.Context(), &rows))
	if secretPart := strings.Split(leaf.priv, "\n")[1]; len(rows) != 4 || strings.Contains(strings.Join(rows, ""), secretPart) {
		t.Errorf("%d rows, or the key stands in one", len(rows))
	}
	stranger, _ := c.Tenant(t, "", "stranger", auth.User)
	if _, err := stranger.Call(t.Context(), "uploadCustomCertificate", api.Params{"domainsuffix": "a", "certificate": "b"}); err == nil {
		t.Error("a user uploads certificates")
	}
}

// with2 are parameters of which one is another.
func with2(params []string, name, value string) []string {
	out := append([]string{}, params...)
	for i := 0; i < len(out); i += 2 {
		if out[i] == name {
			out[i+1] = value
		}
	}
	return out
}
