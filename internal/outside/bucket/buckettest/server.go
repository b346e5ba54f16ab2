// Package buckettest is a bucket of S3 for tests: a server in the test's process that keeps objects in memory, and takes nothing that is
// not signed with its keys, by AWS's rules and not by the code that signs.
package buckettest

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// The keys that a server takes, and its one bucket.
const (
	AccessKey = "the-access-key-of-the-test"
	SecretKey = "the-secret-key-of-the-test"
	Bucket    = "images"
	region    = "us-east-1"
)

// Server is a server with one bucket.
type Server struct {
	Endpoint string // host:port; it is asked by HTTP

	backend *s3mem.Backend
	s3      http.Handler

	mu       sync.Mutex
	down     bool
	fail     func(*http.Request) bool
	Requests []string // method, path and query names of those that were taken
}

// New starts a server, which ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return On(t, l)
}

// On is New for a server that listens where a test wants it.
func On(t testing.TB, l net.Listener) *Server {
	t.Helper()
	s := &Server{backend: s3mem.New()}
	if err := s.backend.CreateBucket(Bucket); err != nil {
		t.Fatal(err)
	}
	s.s3 = gofakes3.New(s.backend, gofakes3.WithLogger(gofakes3.DiscardLog()), gofakes3.WithAutoBucket(false)).Server()
	web := &httptest.Server{Listener: l, Config: &http.Server{Handler: s, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute}}
	web.Start()
	t.Cleanup(web.Close)
	s.Endpoint = l.Addr().String()
	return s
}

// Down has the server answer nothing well, or well again.
func (s *Server) Down(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// Fail has requests fail that a test chooses; nil for none.
func (s *Server) Fail(which func(*http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = which
}

// Keys are the objects that there are, and parts of what is on its way as "(key)".
func (s *Server) Keys(t testing.TB) []string {
	t.Helper()
	var keys []string
	prefix := gofakes3.Prefix{}
	list, err := s.backend.ListBucket(Bucket, &prefix, gofakes3.ListBucketPage{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range list.Contents {
		keys = append(keys, o.Key)
	}
	slices.Sort(keys)
	return keys
}

// ServeHTTP lets in what is signed.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	down := s.down || s.fail != nil && s.fail(r)
	s.mu.Unlock()
	if down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	err := signed(r, time.Now())
	if err == nil {
		err = same(r)
	}
	if err != nil {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = fmt.Fprintf(w, "<Error><Code>SignatureDoesNotMatch</Code><Message>%v</Message></Error>", err)
		return
	}
	s.mu.Lock()
	s.Requests = append(s.Requests, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	s.s3.ServeHTTP(w, r)
}

// signed tells whether a request is signed as AWS has it (Signature Version 4), in its headers or in its address.
func signed(r *http.Request, now time.Time) error {
	q := r.URL.Query()
	credential, headers, signature := q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature")
	at, payload := q.Get("X-Amz-Date"), "UNSIGNED-PAYLOAD"
	life := 15 * time.Minute
	if signature != "" {
		seconds, err := strconv.Atoi(q.Get("X-Amz-Expires"))
		if life = time.Duration(seconds) * time.Second; err != nil || life > 7*24*time.Hour {
			return errors.New("it has no end")
		}
		q.Del("X-Amz-Signature")
	} else {
		fields := map[string]string{}
		for f := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 "), ",") {
			key, value, _ := strings.Cut(strings.TrimSpace(f), "=")
			fields[key] = value
		}
		credential, headers, signature = fields["Credential"], fields["SignedHeaders"], fields["Signature"]
		at, payload = r.Header.Get("X-Amz-Date"), r.Header.Get("X-Amz-Content-Sha256")
	}
	scope, ours := strings.CutPrefix(credential, AccessKey+"/")
	when, err := time.Parse("20060102T150405Z", at)
	if !ours || err != nil || !slices.Contains(strings.Split(headers, ";"), "host") {
		return errors.New("it is not signed with the access key")
	}
	if now.Sub(when) > life || when.Sub(now) > 15*time.Minute || scope != when.Format("20060102")+"/"+region+"/s3/aws4_request" {
		return errors.New("it is not signed for now and here")
	}
	canonical := []string{r.Method, escaped(r.URL.Path), strings.ReplaceAll(q.Encode(), "+", "%20")}
	for name := range strings.SplitSeq(headers, ";") {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		canonical = append(canonical, name+":"+strings.TrimSpace(value))
	}
	canonical = append(canonical, "", headers, payload)
	sum := sha256.Sum256([]byte(strings.Join(canonical, "\n")))
	key := []byte("AWS4" + SecretKey)
	for word := range strings.SplitSeq(scope, "/") {
		key = mac(key, word)
	}
	want := hex.EncodeToString(mac(key, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hex.EncodeToString(sum[:])))
	if !hmac.Equal([]byte(want), []byte(signature)) {
		return errors.New("it is signed with another key, or was changed")
	}
	return nil
}

// same tells whether what is sent is what was signed, where that says so.
func same(r *http.Request) error {
	want := r.Header.Get("X-Amz-Content-Sha256")
	if len(want) != 2*sha256.Size {
		return nil
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	r.Body = io.NopCloser(bytes.NewReader(content))
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != want {
		return errors.New("what is sent is not what was signed")
	}
	return nil
}

func mac(key []byte, text string) []byte {
	m := hmac.New(sha256.New, key)
	_, _ = m.Write([]byte(text))
	return m.Sum(nil)
}

func escaped(path string) string {
	parts := strings.Split(path, "/")
	for i, p := range parts {
		parts[i] = strings.ReplaceAll(url.QueryEscape(p), "+", "%20")
	}
	return strings.Join(parts, "/")
}
