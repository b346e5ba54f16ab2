package keypair_test

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/secret"
)

// key is a public key that is always the same for a letter.
func key(t *testing.T, letter string) string {
	t.Helper()
	public, err := ssh.NewPublicKey(ed25519.NewKeyFromSeed([]byte(strings.Repeat(letter, 32))).Public())
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(public)))
}

func TestKeyPairs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		accounts := newAccounts(d)
		_, err := accounts.Bootstrap(t.Context(), account.BootstrapIn{Password: secret.New("password")})
		must(t, err)
		root := auth.With(t.Context(), auth.System())
		as := func(name string) context.Context {
			_, u, err := accounts.CreateAccount(root, account.CreateAccountIn{
				Name: name, Username: name, Password: secret.New("password"), Domain: auth.System().Domain,
			})
			must(t, err)
			caller, _, err := accounts.ByUser(root, u.ID)
			must(t, err)
			return auth.With(t.Context(), caller)
		}
		ann, bob := as("ann"), as("bob")
		s := keypair.New(d, accounts)

		p, err := s.Register(ann, keypair.In{Name: "laptop"}, key(t, "a")+" ann@home\n")
		must(t, err)
		if p.PublicKey != key(t, "a")+" ann@home" || len(p.Fingerprint) != 47 || strings.Count(p.Fingerprint, ":") != 15 {
			t.Errorf("%+v", p)
		}
		_, err = s.Register(bob, keypair.In{Name: "laptop"}, base64.StdEncoding.EncodeToString([]byte(key(t, "a"))))
		must(t, err) // another account's may have the same name, and the same key
		_, err = s.Register(ann, keypair.In{Name: "laptop"}, key(t, "b"))
		refused(t, err, fault.Conflict, `called "laptop" already`)
		_, err = s.Register(ann, keypair.In{Name: "desk"}, key(t, "a"))
		refused(t, err, fault.Conflict, `this key already, as "laptop"`)
		_, err = s.Register(bob, keypair.In{Name: "x", Owner: account.For{Account: "ann"}}, key(t, "c"))
		refused(t, err, fault.Denied, "not yours")

		made, private, err := s.Create(ann, keypair.In{Name: "made"})
		must(t, err)
		signer, err := ssh.ParsePrivateKey([]byte(private.Reveal()))
		must(t, err)
		if ssh.FingerprintLegacyMD5(signer.PublicKey()) != made.Fingerprint || !strings.HasPrefix(private.Reveal(), "-----BEGIN RSA PRIVATE KEY-----\n") {
			t.Errorf("the private key is not %s's", made.Fingerprint)
		}

		own := auth.Scope{Account: p.Account}
		for _, c := range []struct {
			f    keypair.Filter
			want int
		}{
			{keypair.Filter{Scope: own}, 2}, {keypair.Filter{}, 0}, {keypair.Filter{Scope: auth.Scope{All: true}, Name: "laptop"}, 2},
			{keypair.Filter{Scope: own, Fingerprint: p.Fingerprint}, 1}, {keypair.Filter{Scope: own, ID: made.ID}, 1},
			{keypair.Filter{Scope: own, Keyword: "LAP"}, 1}, {keypair.Filter{Scope: own, Limit: 1}, 2},
		} {
			if _, n, err := s.List(ann, c.f); err != nil || n != c.want {
				t.Errorf("%+v: %d, %v", c.f, n, err)
			}
		}
		found, err := keypair.Find(ann, d.Read(), p.Account, "laptop")
		if must(t, err); found.ID != p.ID {
			t.Errorf("%+v", found)
		}
		refused(t, s.Delete(bob, keypair.In{Name: "made"}), fault.NotFound, `no SSH key pair called "made"`)
		must(t, s.Delete(root, keypair.In{Name: "made", Owner: account.For{Account: "ann", Domain: auth.System().Domain}}))
		_, err = keypair.Find(ann, d.Read(), p.Account, "made")
		refused(t, err, fault.NotFound, "made")
	})
}

func TestWhatIsNoPublicKey(t *testing.T) {
	t.Parallel()
	s := keypair.New(nil, nil)
	for given, says := range map[string]string{
		"":               "no SSH public key",
		"ssh-rsa AAAA":   "no SSH public key",
		"hello there":    "no SSH public key",
		key(t, "a")[:40]: "no SSH public key",
		"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----": "private key",
		`command="reboot" ` + key(t, "a"):                                      "without options",
		key(t, "a") + "\n" + key(t, "b"):                                       "further lines",
	} {
		_, err := s.Register(t.Context(), keypair.In{Name: "x"}, given)
		refused(t, err, fault.Invalid, says)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, kind fault.Kind, says string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s that says %q", err, kind, says)
	}
}

func newAccounts(d *db.DB) *account.Service {
	return account.New(account.Parts{DB: d, Hasher: auth.NewHasher(auth.TestCost())})
}
