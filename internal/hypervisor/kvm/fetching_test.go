package kvm

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// How far an image has come can be asked for while it comes, and not any more when it is there.
func TestFetching(t *testing.T) {
	t.Parallel()
	s := newSite(t, 1)
	content := make([]byte, 8<<20)
	_, err := rand.Read(content)
	s.must(err)
	seen := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, _ = w.Write(content[:6<<20])
		select {
		case <-seen:
		case <-r.Context().Done():
		}
		_, _ = w.Write(content[6<<20:])
	}))
	defer server.Close()
	ref := hypervisor.ImageRef{Template: uid.New[uid.Template](), Store: s.store, StoreURL: "file://" + s.images}
	done := make(chan error, 1)
	go func() {
		_, err := s.FetchImage(t.Context(), s.ids[0], hypervisor.Image{ImageRef: ref, URL: server.URL + "/raw", Format: "RAW"})
		done <- err
	}()
	for range time.Tick(10 * time.Millisecond) {
		come, err := s.Fetching(t.Context(), s.ids[0], ref)
		s.must(err)
		if come.Bytes > 0 {
			if come.Bytes < 4<<20 || come.Bytes > 6<<20 || come.Of != 8<<20 {
				t.Errorf("%+v has come of 8 MB", come)
			}
			break
		}
		if len(done) > 0 {
			t.Fatalf("it has ended: %v", <-done)
		}
	}
	close(seen)
	s.must(<-done)
	if come, err := s.Fetching(t.Context(), s.ids[0], ref); err != nil || come != (hypervisor.Fetched{}) {
		t.Errorf("of what is there %+v has come, %v", come, err)
	}
}
