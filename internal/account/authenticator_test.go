package account

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
)

// asked is an authenticator that remembers what it was asked.
type asked struct {
	attempts []Attempt
	word     Word
}

func (a *asked) Ask(_ context.Context, in Attempt) (Word, error) {
	a.attempts = append(a.attempts, in)
	return a.word, nil
}

// Who has its password here is nobody else's business: but a login of it that fails takes the same way as one of a name that nobody has,
// with neither its name nor what was given for its password.
func TestOthersAreAskedAboutNobody(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		o := &asked{}
		w.AskOutside(auth.LDAP, o)
		ask := func(name, password string) Attempt {
			o.attempts = nil
			want(t, name+" with "+password, w.login(name, password, "a/x"), fault.Unauthenticated)
			if len(o.attempts) != 1 {
				t.Fatalf("%s with %q: asked %d times, want once", name, password, len(o.attempts))
			}
			return o.attempts[0]
		}
		want(t, "the right password", w.login("xuser", "pw-xuser", "a/x"), "")
		if len(o.attempts) != 0 {
			t.Errorf("asked about a login that went well: %+v", o.attempts)
		}
		if a := ask("nobody", "guess"); a.Username != "nobody" || a.Password.Reveal() != "guess" || a.Known.ID != "" {
			t.Errorf("asked about a name that nobody has here: %+v", a)
		}
		decoy := func(what string, a Attempt) {
			if a.Username == "xuser" || len(a.Username) < 20 || a.Password.Reveal() == "guess" || a.Password.IsEmpty() || a.Known.ID != "" {
				t.Errorf("%s: asked about %+v", what, a)
			}
		}
		decoy("a wrong password", ask("xuser", "guess"))
		w.write("update users set source = 'ldap' where id = ?", w.users["xuser"].ID)
		if a := ask("xuser", "guess"); a.Username != "xuser" || a.Password.Reveal() != "guess" || a.Known.ID != w.users["xuser"].ID {
			t.Errorf("asked about a user of its own: %+v", a)
		}
		w.write("update users set locked_until = ? where id = ?", w.clock().AddDate(1, 0, 0), w.users["xuser"].ID)
		decoy("a user who is locked out", ask("xuser", "guess"))
		w.write("update users set locked_until = null, source = 'saml2' where id = ?", w.users["xuser"].ID)
		decoy("a user of somebody else", ask("xuser", "guess"))

		// Whoever can't be asked has said nothing of its users, but of others the failures count as ever.
		o.word = Word{Silent: true}
		failures := func(source string) int {
			w.write("update users set failures = 0, source = ? where id = ?", source, w.users["xuser"].ID)
			ask("xuser", "guess")
			u, err := userFactor(context.Background(), w.db.Read(), w.users["xuser"].ID)
			want(t, "find xuser", err, "")
			return u.Failures
		}
		if a, b, c := failures("ldap"), failures("native"), failures("saml2"); a != 0 || b != 1 || c != 1 {
			t.Errorf("failures while nobody can be asked: %d, %d, %d; want 0, 1, 1", a, b, c)
		}
	})
}
