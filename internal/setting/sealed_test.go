package setting_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
)

// What is secret is read by whoever is handed it, and stands nowhere: not in the table, an answer, an event or an error.
func TestSealed(t *testing.T) {
	t.Parallel()
	const canary = " c4n4ry "
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		if err != nil {
			t.Fatal(err)
		}
		s := fresh(d)
		if _, err := s.Change(root(), "ldap.bind.password", setting.Place{}, canary); err == nil {
			t.Error("a secret was kept without a box")
		}
		s.SealWith(box)
		shown, err := s.Change(root(), "ldap.bind.password", setting.Place{}, canary)
		if err != nil || shown.Value != setting.Hidden || shown.Default != "" {
			t.Fatalf("shown %+v, %v", shown, err)
		}
		if got := setting.LDAPBindPassword.Of(s); got.Reveal() != canary {
			t.Error("it is not what was given")
		}
		listed, _, err := s.List(t.Context(), setting.Filter{Name: "ldap.bind.password"})
		if err != nil || len(listed) != 1 || listed[0].Value != setting.Hidden {
			t.Errorf("listed %+v, %v", listed, err)
		}
		for _, bad := range []string{setting.Hidden, canary + strings.Repeat("x", 1024)} {
			if _, err := s.Change(root(), "ldap.bind.password", setting.Place{}, bad); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "c4n4ry") {
				t.Errorf("a bad value: %v", err)
			}
		}
		for _, look := range []string{"select value from settings where name = 'ldap.bind.password'", "select description from events"} {
			var found []string
			if err := d.Read().NewRaw(look).Scan(t.Context(), &found); err != nil {
				t.Fatal(err)
			}
			if text := strings.Join(found, "\n"); text == "" || strings.Contains(text, "c4n4ry") {
				t.Errorf("%s: %q", look, text)
			}
		}
		stranger := fresh(d) // a server without the key file leaves it out
		if err := stranger.Load(t.Context()); err != nil || !setting.LDAPBindPassword.Of(stranger).IsEmpty() {
			t.Errorf("without a box: %v", err)
		}
		if shown, err := s.Change(root(), "ldap.bind.password", setting.Place{}, ""); err != nil || shown.Value != "" {
			t.Errorf("set back: %+v, %v", shown, err)
		}
	})
}
