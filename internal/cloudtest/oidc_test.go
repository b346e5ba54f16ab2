package cloudtest_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// withOIDC is a cloud whose users ada and bob come in by a provider; eve does not.
type withOIDC struct {
	*cloudtest.Cloud
	t     *testing.T
	p     *provider
	other string // another server
	users map[string]uid.User
}

func newWithOIDC(t *testing.T, url string) *withOIDC {
	t.Helper()
	w := &withOIDC{Cloud: cloudtest.New(t, url, cloudtest.Options{NoSeed: true}), t: t, users: map[string]uid.User{}}
	w.p = newProvider(t, w.Clock.Now)
	w.set("oauth2.enabled", "true")
	for _, name := range []string{"ada", "bob", "eve"} {
		w.user("red", name, name+"@example.org")
		if name != "eve" {
			w.do("authorizeOauthSso", api.Params{"userid": string(w.users[name]), "enable": "true"})
		}
	}
	w.do("registerOauthProvider", api.Params{
		"provider": "acme", "description": "Acme", "clientid": clientID, "secretkey": clientSecret, "redirecturi": backTo, "details[0].issuer": w.p.URL,
	})
	w.other = second(t, w.Cloud)
	return w
}

func (w *withOIDC) do(command string, params api.Params) {
	w.t.Helper()
	_, err := w.Client.Call(w.t.Context(), command, params)
	must(w.t, err)
}

func (w *withOIDC) set(name, value string) {
	w.t.Helper()
	w.do("updateConfiguration", api.Params{"name": name, "value": value})
}

func (w *withOIDC) user(domain, name, email string) {
	w.t.Helper()
	_, a := w.Tenant(w.t, domain, name, auth.User)
	found := itemsOf(w.t, w.Cloud, cs.ListUsers, cs.ListUsersIn{Username: name, Scope: api.Scope{DomainID: a.Domain}})
	w.users[name] = found[0].ID
	w.do("updateUser", api.Params{"id": string(found[0].ID), "email": email})
}

// shut disables a user at once: the command is a job.
func (w *withOIDC) shut(name string) error {
	return w.DB.Write(auth.With(w.t.Context(), auth.System()), func(ctx context.Context, tx db.Tx) error {
		_, err := w.Accounts.ShutUser(ctx, tx, w.users[name])
		return err
	})
}

// back sends a browser to the provider, where somebody signs in, and gives with what it comes back.
func (w *withOIDC) back(b *browser, who string) api.Params {
	w.t.Helper()
	start := decode[cs.OAuthStart](w.t, b.call("startOauthLogin", api.Params{"provider": "acme"}), "oauthlogin")
	code, state := w.p.signIn(start.URL, who)
	if state != start.State {
		w.t.Fatalf("state %q, and in the URL %q", start.State, state)
	}
	return api.Params{"provider": "acme", "secretcode": code, "state": state, "email": who + "@example.org"}
}

// refusedTo wants a way in to be none, in the words in which all are none.
func refusedTo(t *testing.T, what string, p page) {
	t.Helper()
	if p.status != 531 || !strings.Contains(p.body, "failed to authenticate user: start again") {
		t.Errorf("%s: %d %s", what, p.status, p.body)
	}
}

func TestSignInByOpenIDConnect(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := newWithOIDC(t, url)
		b := newBrowser(t, w.URL)
		listed := decode[[]cs.OAuthProvider](t, b.call("listOauthProvider", nil), "oauthprovider")
		if len(listed) != 1 || listed[0].Provider != "acme" || listed[0].ClientID != clientID || !listed[0].Enabled {
			t.Fatalf("who has not signed in is shown %+v", listed)
		}
		in := w.back(b, "ada")
		elsewhere := &browser{t, b.client, w.other} // cookies know no ports: the same browser at another server
		if who := decode[cs.OAuthEmail](t, elsewhere.call("verifyOAuthCodeAndGetUser", in), "oauthemail"); who.Email != "ada@example.org" {
			t.Errorf("%+v", who)
		}
		decode[cs.OAuthEmail](t, b.call("verifyOAuthCodeAndGetUser", in), "oauthemail") // and once more
		login := decode[cs.LoginOut](t, b.call("oauthlogin", with(in, "email", "Ada@Example.org", "domain", "red")), "")
		if login.Username != "ada" || login.UserID != w.users["ada"] || login.SessionKey == "" || login.TwoFactorVerified != "true" {
			t.Errorf("%+v", login)
		}
		if who := b.signedInAs(); who != "ada" {
			t.Errorf("signed in as %q", who)
		}
		if w.p.asked != 1 {
			t.Errorf("the provider was asked %d times for one way in", w.p.asked)
		}
		refusedTo(t, "the code once more", b.call("oauthlogin", in))
		refusedTo(t, "the code once more, at the other server", elsewhere.call("oauthlogin", in))

		b = newBrowser(t, w.other)
		in = w.back(b, "bob")
		decode[cs.LoginOut](t, b.call("oauthlogin", in), "") // at once, and without a domain
		if who := b.signedInAs(); who != "bob" {
			t.Errorf("signed in as %q", who)
		}
		var records int
		must(t, w.DB.Read().NewRaw("select count(*) from audit_inbox where command = 'oauthlogin' and username <> ''").Scan(t.Context(), &records))
		if records > 2 {
			t.Errorf("%d records of two sign-ins", records)
		}
		w.Clock.Forward(time.Hour)
		must(t, w.OIDC.Sweep(t.Context()))
		var left int
		must(t, w.DB.Read().NewRaw("select count(*) from oauth_codes").Scan(t.Context(), &left))
		if left != 0 {
			t.Errorf("%d codes are left", left)
		}
	})
}

// Each of these is a token, or a way back, that must let nobody in.
func TestWhatOpenIDConnectRefuses(t *testing.T) {
	t.Parallel()
	w := newWithOIDC(t, dbtest.SQLite(t))
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&w.p.key.PublicKey)})
	hs := func(key []byte) func(*provider, []byte) string {
		return func(_ *provider, claims []byte) string {
			e := base64.RawURLEncoding
			text := e.EncodeToString([]byte(`{"alg":"HS256","kid":"one"}`)) + "." + e.EncodeToString(claims)
			mac := hmac.New(sha256.New, key)
			mac.Write([]byte(text))
			return text + "." + e.EncodeToString(mac.Sum(nil))
		}
	}
	now := w.Clock.Now().Unix()
	for name, lie := range map[string]func(*provider){
		"a token of another sign-in":           func(p *provider) { p.claims = map[string]any{"nonce": "other"} },
		"a token without a nonce":              func(p *provider) { p.claims = map[string]any{"nonce": nil} },
		"a token for another client":           func(p *provider) { p.claims = map[string]any{"aud": "other"} },
		"a token for two, given to the other":  func(p *provider) { p.claims = map[string]any{"aud": []string{clientID, "other"}, "azp": "other"} },
		"a token for two, given to nobody":     func(p *provider) { p.claims = map[string]any{"aud": []string{clientID, "other"}} },
		"a token of another issuer":            func(p *provider) { p.claims = map[string]any{"iss": "https://other.example.org"} },
		"a token that has expired":             func(p *provider) { p.claims = map[string]any{"exp": now - 60} },
		"a token without an end":               func(p *provider) { p.claims = map[string]any{"exp": nil} },
		"a token of the future":                func(p *provider) { p.claims = map[string]any{"iat": now + 3600} },
		"a token that is not good yet":         func(p *provider) { p.claims = map[string]any{"nbf": now + 3600} },
		"a token for another access token":     func(p *provider) { p.claims = map[string]any{"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"} },
		"a token of nobody":                    func(p *provider) { p.claims = map[string]any{"sub": ""} },
		"an address that is not verified":      func(p *provider) { p.claims = map[string]any{"email_verified": false} },
		"an address that says nothing of that": func(p *provider) { p.claims = map[string]any{"email_verified": nil} },
		"no address":                           func(p *provider) { p.claims = map[string]any{"email": nil} },
		"an address of another user": func(p *provider) {
			p.claims = map[string]any{"email": nil}
			p.userIn = func(_ *provider, claims map[string]any) {
				claims["sub"], claims["email"], claims["email_verified"] = "sub-of-bob", "ada@example.org", true
			}
		},
		"a token that nobody signed": func(p *provider) {
			p.sign = func(_ *provider, c []byte) string { return byHand(`{"alg":"none"}`, c, nil) }
		},
		"a token without a signature": func(p *provider) {
			p.sign = func(_ *provider, c []byte) string { return byHand(`{"alg":"RS256","kid":"one"}`, c, nil) }
		},
		"a token signed with the public key":    func(p *provider) { p.sign = hs(public) },
		"a token signed with the client secret": func(p *provider) { p.sign = hs([]byte(clientSecret)) },
		"a token signed by somebody else": func(p *provider) {
			p.sign = func(_ *provider, c []byte) string { return jws(jose.RS256, stranger, c) }
		},
		"no token":                   func(p *provider) { p.sign = func(*provider, []byte) string { return "" } },
		"another secret":             func(p *provider) { p.secret = "other" },
		"an answer that is no token": func(p *provider) { p.sign = func(*provider, []byte) string { return "<html>" } },
	} {
		honest := struct {
			sign   func(*provider, []byte) string
			secret string
		}{w.p.sign, w.p.secret}
		lie(w.p)
		b := newBrowser(t, w.URL)
		in := w.back(b, "ada")
		refusedTo(t, name, b.call("verifyOAuthCodeAndGetUser", in))
		refusedTo(t, name, b.call("oauthlogin", in))
		if b.call("listCapabilities", nil).status != http.StatusUnauthorized {
			t.Errorf("%s: signed in", name)
		}
		w.p.claims, w.p.userIn, w.p.sign, w.p.secret = nil, nil, honest.sign, honest.secret
		w.Clock.Forward(time.Minute) // which forgives failures
		now = w.Clock.Now().Unix()
	}
	for name, bend := range map[string]func(b *browser, in api.Params) (*browser, api.Params){
		"a state of nobody": func(b *browser, in api.Params) (*browser, api.Params) { return b, with(in, "state", "guess") },
		"no state":          func(b *browser, in api.Params) (*browser, api.Params) { return b, with(in, "state", "") },
		"no code":           func(b *browser, in api.Params) (*browser, api.Params) { return b, with(in, "secretcode", "") },
		"another code":      func(b *browser, in api.Params) (*browser, api.Params) { return b, with(in, "secretcode", "guess") },
		"another user":      func(b *browser, in api.Params) (*browser, api.Params) { return b, with(in, "email", "bob@example.org") },
		"another domain":    func(b *browser, in api.Params) (*browser, api.Params) { return b, with(in, "domain", "blue") },
		"a domain of nobody": func(b *browser, in api.Params) (*browser, api.Params) {
			return b, with(in, "domainId", string(uid.New[uid.Domain]()))
		},
		"another browser": func(_ *browser, in api.Params) (*browser, api.Params) { return newBrowser(t, w.URL), in },
		"another browser on its own way in": func(_ *browser, in api.Params) (*browser, api.Params) {
			victim := newBrowser(t, w.URL)
			w.back(victim, "bob")
			return victim, in
		},
		"somebody else's code with the own state": func(_ *browser, in api.Params) (*browser, api.Params) {
			victim := newBrowser(t, w.URL)
			own := w.back(victim, "bob")
			return victim, with(in, "state", own["state"])
		},
		"too late": func(b *browser, in api.Params) (*browser, api.Params) {
			w.Clock.Forward(11 * time.Minute)
			return b, in
		},
		"who comes by password": func(b *browser, _ api.Params) (*browser, api.Params) { return b, w.back(b, "eve") },
		"a disabled user": func(b *browser, in api.Params) (*browser, api.Params) {
			must(t, w.shut("ada"))
			return b, in
		},
	} {
		b := newBrowser(t, w.URL)
		b, in := bend(b, w.back(b, "ada"))
		refusedTo(t, name, b.call("oauthlogin", in))
		w.do("enableUser", api.Params{"id": string(w.users["ada"])})
		w.Clock.Forward(time.Minute)
	}
	b := newBrowser(t, w.URL)
	decode[cs.LoginOut](t, b.call("oauthlogin", w.back(b, "ada")), "") // the honest way is open all the time
	if p := newBrowser(t, w.URL).call("login", api.Params{"username": "ada", "password": cloudtest.Password, "domain": "red"}); p.status != 531 {
		t.Errorf("who comes by a provider comes by password, too: %d %s", p.status, p.body)
	}
	if p := b.get(w.URL + "/client/api?command=oauthlogin&provider=acme"); p.status != http.StatusUnauthorized {
		t.Errorf("a link signs in: %d %s", p.status, p.body)
	}
}
