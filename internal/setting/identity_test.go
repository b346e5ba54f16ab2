package setting_test

import (
	"testing"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

func TestIdentity(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		s := setting.New(d, nil)
		for range 2 { // each start of a server does it
			if err := d.Write(t.Context(), setting.Found); err != nil {
				t.Fatal(err)
			}
		}
		first, err := s.Identity(t.Context())
		if err != nil || !uid.Valid(first) {
			t.Fatalf("%q, %v", first, err)
		}
		again, err := setting.New(d, nil).Identity(t.Context())
		if err != nil || again != first {
			t.Errorf("another server says %q, %v; want %s", again, err, first)
		}
		if err := s.Load(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, total, err := s.List(t.Context(), setting.Filter{Keyword: "identifier"}); err != nil || total != 0 {
			t.Errorf("the identity is a setting: %d, %v", total, err)
		}
	})
}
