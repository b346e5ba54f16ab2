package download

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

var home = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

func TestFetch(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	var ranges []string
	broken := true
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/file":
			ranges = append(ranges, r.Header.Get("Range"))
			w.Header().Set("Etag", `"one"`)
			if broken { // the connection breaks in the middle
				broken = false
				w.Header().Set("Content-Length", "1048576")
				_, _ = w.Write(content[:1<<18])
				panic(http.ErrAbortHandler)
			}
			http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(content))
		case "/endless":
			for range 100 {
				if _, err := w.Write(content[:1<<16]); err != nil {
					return
				}
			}
		case "/there":
			http.Redirect(w, r, "/file", http.StatusFound)
		case "/away":
			http.Redirect(w, r, "http://10.1.2.3/file", http.StatusFound)
		case "/other":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		case "/busy":
			w.WriteHeader(http.StatusServiceUnavailable)
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "file")
	c := New(home...)
	var done, total int64
	if err := c.Fetch(t.Context(), server.URL+"/file", path, 1<<20, func(d, of int64) { done, total = d, of }); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); !bytes.Equal(got, content) || done != 1<<20 || total != 1<<20 {
		t.Errorf("%d bytes came, of %d, told as %d of %d", len(got), len(content), done, total)
	}
	if len(ranges) != 2 || ranges[0] != "" || !strings.HasPrefix(ranges[1], "bytes=") {
		t.Errorf("asked for %q, want all and then the rest", ranges)
	}
	if err := c.Fetch(t.Context(), server.URL+"/there", path, 0, nil); err != nil {
		t.Error(err)
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
	for from, want := range map[string]fault.Kind{
		server.URL + "/none": fault.Conflict, server.URL + "/busy": fault.Unavailable, server.URL + "/away": fault.Conflict,
		server.URL + "/other": fault.Conflict, server.URL + "/round": fault.Conflict, server.URL + "/endless": fault.Conflict,
		"ftp://example.org/": fault.Conflict, "http://127.0.0.1:1/": fault.Unavailable, "": fault.Conflict,
	} {
		if err := c.Fetch(t.Context(), from, filepath.Join(t.TempDir(), "x"), 1<<20, nil); !fault.Is(err, want) {
			t.Errorf("%s gave %v, want %s", from, err, want)
		}
	}
	if err := c.Fetch(t.Context(), server.URL+"/file", path, 1000, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("a file that is too large gave %v", err)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	for address, wanted := range map[string]bool{
		"93.184.215.14:80": true, "[2606:2800:21f:cb07::1]:443": true,
		"127.0.0.1:80": false, "10.0.0.1:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false, "169.254.169.254:80": false,
		"100.64.0.1:80": false, "0.0.0.0:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false,
		"[::1]:80": false, "[fe80::1%eth0]:80": false, "[fd00::1]:80": false, "[::ffff:10.0.0.1]:80": false, "[64:ff9b::a00:1]:80": false,
		"[2002:a00:1::]:80": false, "[::]:80": false,
	} {
		if err := New().control(t.Context(), "tcp", address, nil); (err == nil) != wanted {
			t.Errorf("%s gave %v", address, err)
		}
	}
	if err := New(netip.MustParsePrefix("10.0.0.0/8")).control(t.Context(), "tcp", "10.0.0.1:80", nil); err != nil {
		t.Errorf("what is allowed gave %v", err)
	}
}
