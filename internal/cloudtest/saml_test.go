package cloudtest_test

import (
	"encoding/xml"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/crewjam/saml"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/outside/idp/idptest"
	"github.com/virga-cloud/virga/uid"
)

// withSAML is a cloud whose users ada and bob come in by an identity provider; eve does not.
type withSAML struct {
	*withOIDC
	p        *idptest.IDP
	consumer string
	metadata string // the cloud's
}

func newWithSAML(t *testing.T, url string) *withSAML {
	t.Helper()
	w := &withSAML{withOIDC: &withOIDC{Cloud: cloudtest.New(t, url, cloudtest.Options{NoSeed: true}), t: t, users: map[string]uid.User{}}}
	w.p = idptest.New(t, w.Clock.Now)
	w.consumer = w.URL + "/client/api?command=samlSso"
	w.set("saml2.enabled", "true")
	w.set("saml2.idp.metadata.url", w.p.Entity())
	w.set("saml2.sp.sso.url", w.consumer)
	w.set("saml2.sp.slo.url", w.URL+"/client/api?command=samlSlo")
	w.set("saml2.redirect.url", "/signed-in")
	for _, name := range []string{"ada", "bob", "eve"} {
		w.user("red", name, name+"@example.org")
		if name != "eve" {
			w.do("authorizeSamlSso", api.Params{"userid": string(w.users[name]), "enable": "true", "entityid": w.p.Entity()})
		}
	}
	b := newBrowser(t, w.URL)
	w.metadata = decode[cs.SPMetadata](t, b.call("getSPMetadata", nil), "spmetadata").Metadata
	return w
}

// leave sends a browser to the provider and gives the ID of the request that it brings.
func (w *withSAML) leave(b *browser, more string) string {
	w.t.Helper()
	p := b.get(b.cloud + "/client/api?command=samlSso&idpid=" + w.p.Entity() + more)
	if p.status != http.StatusSeeOther {
		w.t.Fatalf("%d %s", p.status, p.body)
	}
	var request saml.AuthnRequest
	w.p.Take(w.t, p.location, "SAMLRequest", w.metadata, &request)
	if request.AssertionConsumerServiceURL != w.consumer || request.Issuer.Value != "virga" || !strings.HasPrefix(p.location, w.p.URL+"/sso?tenant=1&") {
		w.t.Errorf("%+v", request)
	}
	return request.ID
}

func (w *withSAML) truth(request, username string) idptest.Answer {
	return w.p.Truth(request, username, w.consumer, "virga")
}

// bring brings an answer and goes on to where that leads, inside the cloud.
func (b *browser) bring(answer string, more api.Params) page {
	b.t.Helper()
	p := b.post(b.cloud+"/client/api?command=samlSso&response=json", with(more, "SAMLResponse", answer))
	if p.status == http.StatusSeeOther {
		p = b.get(b.cloud + p.location + "&response=json")
	}
	return p
}

func (w *withSAML) signIn(b *browser, username, more string) {
	w.t.Helper()
	p := b.bring(w.truth(w.leave(b, more), username).Encode(w.t), nil)
	if p.status != http.StatusSeeOther || p.location != "/signed-in" {
		w.t.Fatalf("%d %q %s", p.status, p.location, p.body)
	}
}

func TestSignInBySAML(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := newWithSAML(t, url)
		other := second(t, w.Cloud)
		b := newBrowser(t, w.URL)
		idps := decode[[]cs.IDP](t, b.call("listIdps", nil), "idp")
		if len(idps) != 1 || idps[0].ID != w.p.Entity() || idps[0].OrgName != "Acme Ltd" || idps[0].OrgURL != "https://acme.example.org" {
			t.Errorf("%+v", idps)
		}
		w.signIn(b, "ada", "")
		if who := b.signedInAs(); who != "ada" {
			t.Errorf("signed in as %q", who)
		}
		elsewhere := &browser{t, b.client, other}
		if who := elsewhere.signedInAs(); who != "ada" {
			t.Errorf("at the other server signed in as %q", who)
		}

		// Sent away by one server, back at the other, which knows the same key.
		b = newBrowser(t, other)
		again := decode[cs.SPMetadata](t, b.call("getSPMetadata", nil), "spmetadata").Metadata
		if again != w.metadata {
			t.Errorf("two servers have two keys:\n%s\n%s", w.metadata, again)
		}
		answer := w.truth(w.leave(b, "&domain=red"), "bob").Encode(t)
		back := &browser{t, b.client, w.URL}
		if p := back.bring(answer, nil); p.location != "/signed-in" {
			t.Errorf("%d %s", p.status, p.body)
		}
		refusedTo(t, "an assertion that was used, at the other server", b.bring(answer, nil))

		// And out again, here and there.
		p := back.get(w.URL + "/client/api?command=samlSlo")
		var request saml.LogoutRequest
		w.p.Take(t, p.location, "SAMLRequest", w.metadata, &request)
		if request.NameID.Value != "persistent-bob" || request.SessionIndex.Value != "s1" || back.signedInAs() != "" {
			t.Errorf("%+v", request)
		}
		if p := back.post(w.URL+"/client/api?command=samlSlo", api.Params{"SAMLResponse": "whatever"}); p.location != "/signed-in" {
			t.Errorf("%d %s", p.status, p.location)
		}
		if p := back.get(w.URL + "/client/api?command=samlSlo"); p.location != "/signed-in" {
			t.Errorf("%d %s", p.status, p.location)
		}
		w.Clock.Forward(time.Hour)
		must(t, w.SAML.Sweep(t.Context()))
		var left int
		must(t, w.DB.Read().NewRaw("select (select count(*) from saml_used) + (select count(*) from saml_tickets)").Scan(t.Context(), &left))
		if left != 0 {
			t.Errorf("%d rows are left", left)
		}
	})
}

func TestProvidersSignUsersOut(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, providersSignUsersOut)
}

func providersSignUsersOut(t *testing.T, url string) {
	w := newWithSAML(t, url)
	ada, bob := newBrowser(t, w.URL), newBrowser(t, w.URL)
	w.signIn(ada, "ada", "")
	w.signIn(bob, "bob", "")
	here := w.URL + "/client/api?command=samlSlo"
	ask := func(request string) page {
		return newBrowser(t, w.URL).post(here+"&response=json", api.Params{"SAMLRequest": request, "RelayState": "https://evil.example.org"})
	}
	request := w.p.Logout(t, "persistent-ada", here)
	refusedTo(t, "for another place", ask(w.p.Logout(t, "persistent-ada", w.URL+"/elsewhere")))
	refusedTo(t, "no request", ask("PHg+"))
	if ada.signedInAs() != "ada" {
		t.Error("signed out by what was refused")
	}
	p := ask(request)
	var answer saml.LogoutResponse
	w.p.Take(t, p.location, "SAMLResponse", w.metadata, &answer)
	if ada.signedInAs() != "" || bob.signedInAs() != "bob" || answer.Status.StatusCode.Value != saml.StatusSuccess {
		t.Errorf("%+v", answer)
	}
	refusedTo(t, "a request that was used", ask(request))
}

func TestWhoComesInBySAML(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, whoComesInBySAML)
}

func whoComesInBySAML(t *testing.T, url string) {
	w := newWithSAML(t, url)
	come := func(username, more string) (*browser, page) {
		b := newBrowser(t, w.URL)
		return b, b.bring(w.truth(w.leave(b, more), username).Encode(t), nil)
	}
	refused := func(what, username, more string) {
		t.Helper()
		b, p := come(username, more)
		refusedTo(t, what, p)
		if b.call("listCapabilities", nil).status != http.StatusUnauthorized {
			t.Errorf("%s: signed in", what)
		}
	}
	refused("who comes by password", "eve", "")
	refused("nobody", "nobody", "")
	refused("a name in another case", "ADA", "")
	refused("another domain", "ada", "&domain=blue")
	must(t, w.shut("ada"))
	refused("a disabled user", "ada", "")
	w.do("enableUser", api.Params{"id": string(w.users["ada"])})
	w.do("lockUser", api.Params{"id": string(w.users["ada"])})
	refused("a locked user", "ada", "")
	w.do("enableUser", api.Params{"id": string(w.users["ada"])})
	if p := newBrowser(t, w.URL).call("login", api.Params{"username": "ada", "password": cloudtest.Password, "domain": "red"}); p.status != 531 {
		t.Errorf("by password, too: %d %s", p.status, p.body)
	}
	w.Clock.Forward(time.Minute)

	// The same person in two domains: the one who was authorized first, until she says otherwise.
	admin, _ := w.Tenant(t, "blue", "boss", auth.DomainAdmin)
	by, a := w.Tenant(t, "blue", "ada2", auth.User)
	other := itemsOf(t, w.Cloud, cs.ListUsers, cs.ListUsersIn{Username: "ada2", Scope: api.Scope{ListAll: true}})[0]
	w.do("updateUser", api.Params{"id": string(other.ID), "username": "ada"})
	for who, refuses := range map[*api.Client]bool{by: true, admin: false} {
		_, err := who.Call(t.Context(), "authorizeSamlSso", api.Params{"userid": string(other.ID), "enable": "true"})
		if (err != nil) != refuses {
			t.Errorf("authorized: %v", err)
		}
	}
	if _, err := admin.Call(t.Context(), "authorizeSamlSso", api.Params{"userid": string(w.users["ada"]), "enable": "false"}); err == nil {
		t.Error("an admin of another domain says who comes in")
	}
	listed, err := api.Fetch(t.Context(), admin, cs.ListSAMLAuthorization, cs.ListSAMLAuthorizationIn{})
	must(t, err)
	if len(listed.Items) != 1 || listed.Items[0].UserID != other.ID || !listed.Items[0].Status || listed.Items[0].IDP != w.p.Entity() {
		t.Errorf("%+v", listed)
	}
	b, _ := come("ada", "")
	switched := decode[cs.SAMLAccounts](t, b.call("listAndSwitchSamlAccount", nil), "")
	if len(switched.Accounts) != 2 || switched.Accounts[0].UserID != w.users["ada"] || switched.Accounts[1].DomainPath != "ROOT/blue" {
		t.Errorf("%+v", switched)
	}
	for what, params := range map[string]api.Params{
		"another person":       {"userid": string(w.users["bob"]), "domainid": string(switched.Accounts[0].DomainID)},
		"another domain":       {"userid": string(other.ID), "domainid": string(switched.Accounts[0].DomainID)},
		"a user and no domain": {"userid": string(other.ID)},
	} {
		if p := b.call("listAndSwitchSamlAccount", params); p.status != 431 {
			t.Errorf("%s: %d %s", what, p.status, p.body)
		}
	}
	to := api.Params{"userid": string(other.ID), "domainid": string(a.Domain)}
	if p := b.get(w.URL + "/client/api?command=listAndSwitchSamlAccount&userid=" + to["userid"] + "&domainid=" + to["domainid"]); p.status != 401 {
		t.Errorf("a link switches: %d %s", p.status, p.body)
	}
	if p := newBrowser(t, w.URL).call("listAndSwitchSamlAccount", to); p.status != 401 {
		t.Errorf("nobody switches: %d %s", p.status, p.body)
	}
	decode[cs.SAMLAccounts](t, b.call("listAndSwitchSamlAccount", to), "")
	if out := decode[[]cs.Account](t, b.call("listAccounts", nil), "account"); len(out) != 1 || out[0].ID != a.ID {
		t.Errorf("%+v", out)
	}
	b, _ = come("ada", "&domain=blue")
	w.do("authorizeSamlSso", api.Params{"userid": string(other.ID), "enable": "false"})
	if b.call("listCapabilities", nil).status != http.StatusUnauthorized {
		t.Error("a session outlives what it began by")
	}
	refused("who may no more", "ada", "&domain=blue")

	// The second factor is asked for, too.
	w.set("enable.user.2fa", "true")
	w.set("mandate.user.2fa", "true")
	if b, _ := come("ada", ""); b.call("listCapabilities", nil).status != 511 {
		t.Error("no second factor was asked for")
	}
}

// Hole 4 (2026-68745): a provider without a certificate vouches for nobody, wherever its metadata are from.
func TestHole4SAMLProviderWithoutCertificate(t *testing.T) {
	t.Parallel()
	w := newWithSAML(t, dbtest.SQLite(t))
	for what, document := range map[string]string{
		"no certificate":      w.p.Metadata(""),
		"an empty one":        w.p.Metadata(" "),
		"one that is none":    w.p.Metadata("AAAA"),
		"one for other uses":  strings.Replace(w.p.Document, `use="signing"`, `use="encryption"`, 1),
		"metadata too old":    strings.Replace(w.p.Document, "entityID=", `validUntil="2001-01-01T00:00:00Z" entityID=`, 1),
		"a script as address": strings.ReplaceAll(w.p.Document, w.p.URL+"/sso", "javascript:alert(1)//"),
		"no encryption":       strings.ReplaceAll(w.p.Document, w.p.URL+"/sso", "http://idp.example.org/"),
		"a document type":     `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>` + w.p.Document,
		"no metadata":         "<html/>",
	} {
		file := filepath.Join(t.TempDir(), "metadata.xml")
		must(t, os.WriteFile(file, []byte(document), 0o600))
		w.set("saml2.idp.metadata.url", file)
		b := newBrowser(t, w.URL)
		p := b.call("listIdps", nil)
		if strings.Contains(p.body, w.p.Entity()) || strings.Contains(p.body, "root:") || strings.Contains(p.body, file) {
			t.Errorf("%s: %s", what, p.body)
		}
		if p := b.get(w.URL + "/client/api?command=samlSso&idpid=" + w.p.Entity()); p.status == http.StatusSeeOther {
			t.Errorf("%s: sent to %s", what, p.location)
		}
		refusedOrAway(t, what, b.bring(w.truth("_x", "ada").Encode(t), nil))
		w.Clock.Forward(time.Minute)
	}
	file := filepath.Join(t.TempDir(), "metadata.xml") // many at once, in a file
	must(t, os.WriteFile(file, []byte(`<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata"><!-- all --><EntitiesDescriptor>`+
		w.p.Document+`</EntitiesDescriptor></EntitiesDescriptor>`), 0o600))
	w.set("saml2.idp.metadata.url", file)
	w.signIn(newBrowser(t, w.URL), "ada", "")
	w.set("saml2.enabled", "false")
	if p := newBrowser(t, w.URL).bring(w.truth("_x", "ada").Encode(t), nil); p.status != 431 || !strings.Contains(p.body, "saml2.enabled is false") {
		t.Errorf("%d %s", p.status, p.body)
	}
}

// refusedOrAway wants a way in to be none: refused, or nobody can say now.
func refusedOrAway(t *testing.T, what string, p page) {
	t.Helper()
	if p.status != 534 {
		refusedTo(t, what, p)
	}
}

// The key with which the cloud signs is nowhere to be read.
func TestTheSAMLKeyStaysSecret(t *testing.T) {
	t.Parallel()
	w := newWithSAML(t, dbtest.SQLite(t))
	var sealed string
	must(t, w.DB.Read().NewRaw("select key from saml_keys").Scan(t.Context(), &sealed))
	key := w.Reveal(t, sealed, "saml_keys.key/sp")
	if len(key) < 1000 {
		t.Fatalf("a key of %d characters", len(key))
	}
	notInDatabase(t, w.Cloud, key[200:260])
	var sp saml.EntityDescriptor
	must(t, xml.Unmarshal([]byte(w.metadata), &sp))
	if strings.Contains(w.metadata, key[200:260]) || sp.EntityID != "virga" || len(sp.SPSSODescriptors) != 1 ||
		sp.SPSSODescriptors[0].AssertionConsumerServices[0].Location != w.consumer || sp.SPSSODescriptors[0].SingleLogoutServices[0].Binding != saml.HTTPPostBinding {
		t.Errorf("%s", w.metadata)
	}
}

// What a provider says is good in the browser that was sent there, once, and leads nowhere but home.
func TestHole3SAMLWaysBackThatLeadNowhere(t *testing.T) {
	t.Parallel()
	w := newWithSAML(t, dbtest.SQLite(t))
	b := newBrowser(t, w.URL)
	request := w.leave(b, "")
	answer := w.truth(request, "ada").Encode(t)
	stranger := newBrowser(t, w.URL)
	p := stranger.post(w.consumer+"&response=json", api.Params{"SAMLResponse": answer, "RelayState": "https://evil.example.org/"})
	if p.status != http.StatusSeeOther || !strings.HasPrefix(p.location, "/client/api?command=samlSso&ticket=") {
		t.Fatalf("%d %q %s", p.status, p.location, p.body)
	}
	refusedTo(t, "a browser that was not sent there", stranger.get(w.URL+p.location+"&response=json"))
	victim := newBrowser(t, w.URL) // who is on the own way in just now
	w.leave(victim, "")
	refusedTo(t, "a browser that was sent there for itself", victim.get(w.URL+p.location+"&response=json"))
	refusedTo(t, "a ticket of nobody", b.get(w.URL+"/client/api?command=samlSso&response=json&ticket=guess"))
	if p := b.get(w.URL + p.location); p.status != http.StatusSeeOther || p.location != "/signed-in" {
		t.Errorf("the browser that was sent there: %d %q %s", p.status, p.location, p.body)
	}
	if b.signedInAs() != "ada" || victim.signedInAs() != "" {
		t.Errorf("signed in as %q and %q", b.signedInAs(), victim.signedInAs())
	}
	refusedTo(t, "the ticket once more", b.get(w.URL+p.location+"&response=json"))
	refusedTo(t, "the assertion once more", b.bring(answer, nil))
	w.Clock.Forward(time.Minute)

	// Two answers to one request: the second is good for nothing, though its assertion is another one.
	b = newBrowser(t, w.URL)
	request = w.leave(b, "")
	jar := *b
	first, then := w.truth(request, "ada").Encode(t), w.truth(request, "bob").Encode(t)
	cookies := b.cookies("samllogin")
	if p := b.bring(first, api.Params{"RelayState": "//evil.example.org"}); p.location != "/signed-in" {
		t.Errorf("%d %q", p.status, p.location)
	}
	jar.keep(cookies) // somebody has kept the cookie
	refusedTo(t, "another answer to a request that was answered", jar.bring(then, nil))

	b = newBrowser(t, w.URL)
	late := w.truth(w.leave(b, ""), "ada")
	w.Clock.Forward(11 * time.Minute)
	late.NotOnOrAfter = w.Clock.Now().Add(time.Minute)
	refusedTo(t, "too late", b.bring(late.Encode(t), nil))

	b = newBrowser(t, w.URL)
	p = b.post(w.consumer, api.Params{"SAMLResponse": w.truth(w.leave(b, ""), "ada").Encode(t)})
	w.Clock.Forward(2 * time.Minute)
	refusedTo(t, "a ticket that was not fetched", b.get(w.URL+p.location+"&response=json"))
	if p := b.get(w.consumer + "&response=json&SAMLResponse=x"); p.status != 431 {
		t.Errorf("a link brings an answer: %d %s", p.status, p.body)
	}

	// An answer that nobody has asked for signs nobody in, and many that are wrong are not even looked at.
	w.Clock.Stand() // one is forgiven every three seconds
	refusedTo(t, "an answer to nobody", b.bring(w.truth("_x", "ada").Encode(t), nil))
	for range 19 {
		b.bring("PHgvPg==", nil)
	}
	if p := b.bring("PHgvPg==", nil); p.status != http.StatusTooManyRequests {
		t.Errorf("%d %s", p.status, p.body)
	}
	if p := newBrowser(t, w.URL).get(w.URL + "/client/api?command=samlSso&idpid=https://evil.example.org&response=json"); p.status != 431 {
		t.Errorf("%d %s", p.status, p.body)
	}
	for name, value := range map[string]string{"saml2.redirect.url": "//evil.example.org", "saml2.sp.sso.url": "javascript:alert(1)",
		"saml2.idp.metadata.url": "http://idp.example.org/", "saml2.sp.id": "a b"} {
		if _, err := w.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": name, "value": value}); err == nil {
			t.Errorf("%s takes %q", name, value)
		}
	}
	var records int
	w.Clock.Forward(time.Minute)
	must(t, w.DB.Read().NewRaw("select (select count(*) from audit_inbox where command = 'samlSso') + (select count(*) from audit_log where command = 'samlSso')").
		Scan(t.Context(), &records))
	if records < 10 {
		t.Errorf("%d records of who tried to come in", records)
	}
}
