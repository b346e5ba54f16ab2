package front

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func serve(t *testing.T, h http.Handler, o ServeOptions) (address string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	listening, ended := make(chan net.Addr, 1), make(chan error, 1)
	o.Listening = func(a net.Addr) { listening <- a }
	go func() { ended <- Serve(ctx, h, o) }()
	select {
	case a := <-listening:
		return a.String(), func() error { cancel(); return <-ended }
	case err := <-ended:
		cancel()
		t.Fatal(err)
		return "", nil
	}
}

func TestServeMakesACertificateOnce(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "tls")
	var serials []string
	for range 2 {
		address, stop := serve(t, http.NotFoundHandler(), ServeOptions{Listen: "127.0.0.1:0", AutoTLSDir: dir, Clock: time.Now, Hosts: []string{"cloud.example"}})
		pem, err := os.ReadFile(filepath.Join(dir, "tls.crt"))
		if err != nil {
			t.Fatal(err)
		}
		pool := x509.NewCertPool()
		pool.AppendCertsFromPEM(pem)
		client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, ServerName: "cloud.example"}, ForceAttemptHTTP2: true}}
		resp, err := client.Get("https://" + address)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		serials = append(serials, resp.TLS.PeerCertificates[0].SerialNumber.String()+resp.Proto)
		client.CloseIdleConnections()
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
	if serials[0] != serials[1] || !strings.HasSuffix(serials[0], "HTTP/2.0") {
		t.Errorf("%v", serials)
	}
	if info, err := os.Stat(filepath.Join(dir, "tls.key")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v %v", info.Mode(), err)
	}
	// An expired one is replaced.
	later := time.Now().Add(validFor + time.Hour)
	if _, _, err := selfSigned(dir, nil, later); err != nil {
		t.Fatal(err)
	}
	if pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")); err != nil || !later.Before(pair.Leaf.NotAfter) {
		t.Errorf("not replaced: %v", err)
	}
}

// Neither a request that doesn't end, nor a connection on which nothing is ever said, nor one that is kept for more holds up
// the stop.
func TestServeStopsWithinASecond(t *testing.T) {
	t.Parallel()
	var quickest time.Duration
	for range 10 { // the quickest counts: other tests keep this machine busy
		if quickest = stopUnderConnections(t); quickest <= time.Second {
			return
		}
	}
	t.Errorf("it took %v", quickest)
}

func stopUnderConnections(t *testing.T) time.Duration {
	t.Helper()
	begun := make(chan struct{})
	h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-r.Context().Done() // until it is cut off
		}
	})
	address, stop := serve(t, h, ServeOptions{Listen: "127.0.0.1:0"})
	silent, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = silent.Close() }()
	kept, err := http.Get("http://" + address)
	if err != nil {
		t.Fatal(err)
	}
	_ = kept.Body.Close()
	go func() {
		if resp, err := http.Get("http://" + address + "/slow"); err == nil {
			_ = resp.Body.Close()
		}
	}()
	<-begun
	at := time.Now()
	if err := stop(); err != nil {
		t.Error(err)
	}
	return time.Since(at)
}

func TestServeRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]ServeOptions{
		"all addresses":       {Listen: ":8096", Loopback: true},
		"all, told":           {Listen: "0.0.0.0:8096", Loopback: true},
		"another address":     {Listen: "192.0.2.1:8096", Loopback: true},
		"a name":              {Listen: "cloud.example:8096", Loopback: true},
		"no port":             {Listen: "127.0.0.1:0", Loopback: true},
		"no address":          {Loopback: true},
		"half a certificate":  {Listen: "127.0.0.1:0", TLSCert: "x"},
		"no such certificate": {Listen: "127.0.0.1:0", TLSCert: "x", TLSKey: "y"},
	} {
		if err := Serve(t.Context(), nil, o); err == nil {
			t.Errorf("%s: served", name)
		}
	}
	l, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := Serve(t.Context(), nil, ServeOptions{Listener: l, Loopback: true}); err == nil {
		t.Error("a listener on all addresses is served")
	}
}
