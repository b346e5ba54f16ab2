package cloudtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Who somebody is says what the provider calls it, which never changes; its address counts the first time only, and nobody gives itself
// the address of another.
func TestWhoSomebodyOfAProviderIs(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, whoSomebodyOfAProviderIs)
}

func whoSomebodyOfAProviderIs(t *testing.T, url string) {
	w := newWithOIDC(t, url)
	come := func(who string, more ...string) page {
		b := newBrowser(t, w.URL)
		return b.call("oauthlogin", with(w.back(b, who), more...))
	}
	decode[cs.LoginOut](t, come("ada"), "")
	w.p.claims = map[string]any{"email": "ada@new.example.org"} // her address is another one now
	if out := decode[cs.LoginOut](t, come("ada", "email", "ada@new.example.org"), ""); out.Username != "ada" {
		t.Errorf("%+v", out)
	}
	w.p.claims = map[string]any{"email": "ada@example.org"} // and the old one is somebody else's
	refusedTo(t, "an address that was another's", come("mallory", "email", "ada@example.org"))
	w.p.claims = nil
	_, err := w.Client.Call(t.Context(), "authorizeSamlSso", api.Params{"userid": string(w.users["ada"]), "enable": "true"})
	if err == nil {
		t.Error("who comes by OAuth providers comes by SAML, too")
	}

	by, _ := w.Tenant(t, "blue", "mallory", auth.User)
	mallory := string(itemsOf(t, w.Cloud, cs.ListUsers, cs.ListUsersIn{Username: "mallory", Scope: api.Scope{ListAll: true}})[0].ID)
	w.do("authorizeOauthSso", api.Params{"userid": mallory, "enable": "true"})
	for _, name := range []string{"email", "username"} {
		_, err := by.Call(t.Context(), "updateUser", api.Params{"id": mallory, name: "bob@example.org"})
		if err == nil || !strings.Contains(err.Error(), "have an administrator change them") {
			t.Errorf("who comes by a provider gives itself another %s: %v", name, err)
		}
	}
	_, err = by.Call(t.Context(), "authorizeOauthSso", api.Params{"userid": mallory, "enable": "false"})
	if err == nil {
		t.Error("a user says by what it comes in")
	}

	w.do("updateUser", api.Params{"id": mallory, "email": "bob@example.org"})
	refusedTo(t, "one of two with this address", come("bob"))
	if out := decode[cs.LoginOut](t, come("bob", "domain", "/red/"), ""); out.Username != "bob" {
		t.Errorf("%+v", out)
	}
	if out := decode[cs.LoginOut](t, come("bob"), ""); out.Username != "bob" { // who was recognized before is
		t.Errorf("%+v", out)
	}
	w.do("authorizeOauthSso", api.Params{"userid": string(w.users["bob"]), "enable": "false"})
	w.do("authorizeOauthSso", api.Params{"userid": mallory, "enable": "false"})
	refusedTo(t, "who comes by its password again", come("bob"))
	b := newBrowser(t, w.URL)
	decode[cs.LoginOut](t, b.call("login", api.Params{"username": "bob", "password": cloudtest.Password, "domain": "red"}), "")
	if who := b.signedInAs(); who != "bob" {
		t.Errorf("signed in as %q", who)
	}
	w.do("authorizeOauthSso", api.Params{"userid": string(w.users["bob"]), "enable": "true"})
	if b.signedInAs() != "" {
		t.Error("a session outlives what it began by")
	}
}

// A session by a provider is as one by a password: it waits for the second factor, and addresses at which much fails are sent away.
func TestSessionsByProvidersAreAsOthers(t *testing.T) {
	t.Parallel()
	w := newWithOIDC(t, dbtest.SQLite(t))
	w.set("enable.user.2fa", "true")
	w.set("mandate.user.2fa", "true")
	b := newBrowser(t, w.URL)
	out := decode[cs.LoginOut](t, b.call("oauthlogin", w.back(b, "ada")), "")
	if out.TwoFactor != "true" || out.TwoFactorVerified != "false" {
		t.Errorf("%+v", out)
	}
	if p := b.call("listCapabilities", nil); p.status != 511 {
		t.Errorf("%d %s", p.status, p.body)
	}
	w.set("mandate.user.2fa", "false")
	in := w.back(b, "ada")
	w.Clock.Stand() // a guess is forgiven every three seconds
	for range 19 {
		refusedTo(t, "a guess", b.call("oauthlogin", with(in, "secretcode", "guess")))
	}
	b.call("verifyOAuthCodeAndGetUser", with(in, "secretcode", "guess"))
	if p := b.call("oauthlogin", in); p.status != http.StatusTooManyRequests {
		t.Errorf("after many guesses: %d %s", p.status, p.body)
	}
	w.Clock.Forward(time.Minute)
	decode[cs.LoginOut](t, b.call("oauthlogin", in), "")
	w.do("updateOauthProvider", api.Params{"id": w.providerID(), "enabled": "false"})
	if p := b.call("startOauthLogin", api.Params{"provider": "acme"}); p.status != 431 || !strings.Contains(p.body, "there is no OAuth provider") {
		t.Errorf("%d %s", p.status, p.body)
	}
	w.do("deleteOauthProvider", api.Params{"id": w.providerID()})
	w.set("oauth2.enabled", "false")
	if p := b.call("startOauthLogin", api.Params{"provider": "acme"}); p.status != 431 || !strings.Contains(p.body, "oauth2.enabled is false") {
		t.Errorf("%d %s", p.status, p.body)
	}
}

func (w *withOIDC) providerID() string {
	return firstID(w.t, w.Client, "listOauthProvider")
}

// Hole 7 (2026-61397): what one request learns of somebody stays in it. Each of many at the same time comes in as who it is.
func TestHole7OAuthTokensDoNotLeakAcrossRequests(t *testing.T) {
	t.Parallel()
	w := newWithOIDC(t, dbtest.SQLite(t))
	for i := range 8 {
		name := fmt.Sprintf("user%d", i)
		w.user("red", name, name+"@example.org")
		w.do("authorizeOauthSso", api.Params{"userid": string(w.users[name]), "enable": "true"})
	}
	var all sync.WaitGroup
	for i := range 8 {
		name := fmt.Sprintf("user%d", i)
		all.Go(func() {
			for range 3 {
				b := newBrowser(t, w.URL)
				in := w.back(b, name)
				if who := decode[cs.OAuthEmail](t, b.call("verifyOAuthCodeAndGetUser", in), "oauthemail"); who.Email != name+"@example.org" {
					t.Errorf("%s is taken for %s", name, who.Email)
				}
				if out := decode[cs.LoginOut](t, b.call("oauthlogin", in), ""); out.Username != name {
					t.Errorf("%s came in as %s", name, out.Username)
				}
			}
		})
	}
	all.Wait()

	b := newBrowser(t, w.URL) // and of one code used many times at once, one is good
	in := w.back(b, "ada")
	good := make(chan bool, 8)
	for range 8 {
		all.Go(func() { good <- b.call("oauthlogin", in).status == http.StatusOK })
	}
	all.Wait()
	close(good)
	n := 0
	for ok := range good {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("a code was good %d times", n)
	}
}

// Hole 8 (2026-59655): nobody reads the client secret, signed in or not, wherever it might stand.
func TestHole8ClientSecretsAreNeverShown(t *testing.T) {
	t.Parallel()
	w := newWithOIDC(t, dbtest.SQLite(t))
	var said strings.Builder
	b := newBrowser(t, w.URL)
	note := func(p page) { fmt.Fprintln(&said, p.status, p.body, p.location) }
	for _, name := range []string{"", "acme"} {
		note(b.call("listOauthProvider", api.Params{"provider": name}))
		note(newBrowser(t, w.URL).get(w.URL + "/client/api?command=listOauthProvider&provider=" + name))
	}
	user, _ := w.Tenant(t, "green", "user", auth.User)
	admin, _ := w.Tenant(t, "green", "admin", auth.DomainAdmin)
	for _, by := range []*api.Client{w.Client, user, admin} {
		for command, params := range map[string]api.Params{
			"listOauthProvider": nil, "listEvents": {"listall": "true"},
			"registerOauthProvider": {"provider": "acme", "description": "x", "clientid": clientID, "secretkey": clientSecret, "redirecturi": backTo,
				"details[0].issuer": w.p.URL},
			"updateOauthProvider": {"id": w.providerID(), "secretkey": clientSecret, "description": "again"},
		} {
			raw, err := by.Call(t.Context(), command, params)
			fmt.Fprintln(&said, string(raw), err)
		}
	}
	w.p.secret = "other" // the provider repeats what it was sent
	in := w.back(b, "ada")
	note(b.call("verifyOAuthCodeAndGetUser", in))
	w.p.secret = clientSecret
	in = w.back(b, "ada")
	note(b.call("oauthlogin", in))
	for _, hidden := range []string{clientSecret, in["secretcode"]} {
		if strings.Contains(said.String(), hidden) {
			t.Errorf("an answer tells a secret:\n%s", said.String())
		}
		notInDatabase(t, w.Cloud, hidden)
	}
	if !strings.Contains(said.String(), `"clientid":"`+clientID) || !strings.Contains(said.String(), "is not available for user") {
		t.Error(said.String())
	}
}

// GitHub speaks no OpenID Connect: a site of it is asked in its own way.
func TestSignInByGitHub(t *testing.T) {
	t.Parallel()
	w := newWithOIDC(t, dbtest.SQLite(t))
	w.do("registerOauthProvider", api.Params{
		"provider": "github", "description": "GitHub", "clientid": clientID, "secretkey": clientSecret, "redirecturi": backTo, "details[0].issuer": w.p.URL,
	})
	come := func() page {
		b := newBrowser(t, w.URL)
		start := decode[cs.OAuthStart](t, b.call("startOauthLogin", api.Params{"provider": "github"}), "oauthlogin")
		code, state := w.p.signIn(start.URL, "ada")
		return b.call("oauthlogin", api.Params{"provider": "github", "secretcode": code, "state": state, "email": "ada@example.org"})
	}
	for _, mails := range [][]map[string]any{
		nil,
		{{"email": "ada@example.org", "primary": true, "verified": false}},
		{{"email": "ada@example.org", "primary": false, "verified": true}, {"email": "x@example.org", "primary": true, "verified": true}},
	} {
		w.p.mails = mails
		refusedTo(t, fmt.Sprint(mails), come())
	}
	w.p.mails = []map[string]any{{"email": "ada@example.org", "primary": true, "verified": true}}
	if out := decode[cs.LoginOut](t, come(), ""); out.Username != "ada" {
		t.Errorf("%+v", out)
	}
}

// What can't be a provider is refused, and leaves nothing.
func TestProvidersAreChecked(t *testing.T) {
	t.Parallel()
	w := newWithOIDC(t, dbtest.SQLite(t))
	right := api.Params{"provider": "other", "description": "x", "clientid": "c", "secretkey": "s", "redirecturi": backTo,
		"details[0].issuer": "https://login.example.org/realm"}
	for what, wrong := range map[string]api.Params{
		"have no issuer":         with(right, "details[0].issuer", ""),
		"not encrypted":          with(right, "details[0].issuer", "http://login.example.org"),
		"is no URL":              with(right, "details[0].issuer", "ftp://login.example.org"),
		"a user or a password":   with(right, "details[0].issuer", "https://a:b@login.example.org"),
		"goes on after its path": with(right, "details[0].issuer", "https://login.example.org?a=b"),
		"is no name":             with(right, "provider", "no name"),
		"two issuers":            with(right, "details[1].issuer", "https://two.example.org"),
		"already":                with(right, "provider", "ACME"),
		"\"x\" is no URL":        with(right, "redirecturi", "x"),
		"max allowed length 32":  with(right, "provider", strings.Repeat("x", 33)),
	} {
		if what == "have no issuer" {
			what = "give its issuer URL"
		}
		_, err := w.Client.Call(t.Context(), "registerOauthProvider", wrong)
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
	}
	w.do("registerOauthProvider", with(right, "provider", "google", "details[0].issuer", ""))
	for _, p := range itemsOf(t, w.Cloud, cs.ListOAuthProvider, cs.ListOAuthProviderIn{Provider: "google"}) {
		if p.Issuer != "https://accounts.google.com" || p.SecretKey != "" {
			t.Errorf("%+v", p)
		}
	}
	w.do("registerOauthProvider", with(right, "provider", "gone", "details[0].issuer", "http://127.0.0.1:1/"))
	b := newBrowser(t, w.URL)
	if p := b.call("startOauthLogin", api.Params{"provider": "gone"}); p.status != 534 || strings.Contains(p.body, "127.0.0.1") {
		t.Errorf("%d %s", p.status, p.body)
	}
}
