package saml

import (
	"context"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/outside/idp/idptest"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
)

// A document that can't be had, or not for a long time, keeps nobody waiting who knows the providers already, and is not asked for
// again by each of those who were waiting.
func TestMetadataOfASlowProvider(t *testing.T) {
	t.Parallel()
	var now, asked atomic.Int64
	now.Store(1_700_000_000)
	clock := func() time.Time { return time.Unix(now.Load(), 0) }
	provider := idptest.New(t, clock)
	arrived, stuck := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			_, _ = w.Write([]byte(provider.Document))
			return
		}
		close(arrived)
		<-stuck
		now.Add(10) // as long as anybody waits
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(server.Close)
	d, err := db.Open(t.Context(), dbtest.SQLite(t), db.Options{Clock: clock, NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
	if err != nil {
		t.Fatal(err)
	}
	settings := setting.New(d, nil)
	settings.SealWith(box)
	for name, value := range map[string]string{"saml2.enabled": "true", "saml2.idp.metadata.url": server.URL, "saml2.timeout": "60"} {
		if _, err := settings.Change(auth.With(context.Background(), auth.System()), name, setting.Place{}, value); err != nil {
			t.Fatal(err)
		}
	}
	s := New(Parts{DB: d, Box: box, Settings: settings})
	count := func() int {
		t.Helper()
		list, err := s.IDPs(t.Context())
		if err != nil {
			t.Error(err)
		}
		return len(list)
	}
	if n := count(); n != 1 {
		t.Fatalf("%d providers, want 1", n)
	}
	now.Add(3600)
	ended := make(chan int)
	go func() { list, _ := s.IDPs(context.WithoutCancel(t.Context())); ended <- len(list) }()
	<-arrived
	if n := count(); n != 1 { // while the other is waiting
		t.Errorf("%d providers while the document is asked for, want 1", n)
	}
	close(stuck)
	if n := <-ended; n != 1 {
		t.Errorf("%d providers after the document could not be had, want 1", n)
	}
	if count(); asked.Load() != 2 {
		t.Errorf("the document was asked for %d times, want 2: it can't be had now", asked.Load())
	}
}
