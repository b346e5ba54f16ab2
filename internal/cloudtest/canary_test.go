package cloudtest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
)

// No password and no secret key that goes in comes out again, in an answer, an event, a job or anywhere else in the database.
func TestSecretsOfUsersStaySecret(t *testing.T) {
	t.Parallel()
	var log allLogged
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true, Log: &log})
	const canary = "c4n4ry-0f-th3-t3st"
	var answers bytes.Buffer
	call := func(by *api.Client, command string, params api.Params) {
		t.Helper()
		raw, err := by.Call(t.Context(), command, params)
		fmt.Fprintln(&answers, string(raw), err)
	}
	user, a := c.Tenant(t, "red", "red-user", auth.User)
	users := itemsOf(t, c, cs.ListUsers, cs.ListUsersIn{Username: "red-user", Scope: api.Scope{ListAll: true}})
	id := string(users[0].ID)
	person := api.Params{"firstname": "f", "lastname": "l", "email": "e@example.org", "password": canary}
	call(c.Client, "createAccount", with(with(person, "username", "ada"), "accounttype", "0", "idempotencykey", "one"))
	call(c.Client, "createAccount", with(with(person, "username", "ada"), "accounttype", "0")) // a conflict
	call(c.Client, "createUser", with(person, "username", "bob", "account", "ada"))
	call(c.Client, "createUser", with(person, "username", "bob", "account", "nobody"))
	call(c.Client, "updateUser", api.Params{"id": id, "password": canary})
	call(user, "updateUser", api.Params{"id": id, "password": canary + "2", "currentpassword": canary})
	call(user, "updateUser", api.Params{"id": id, "password": canary, "currentpassword": "wrong " + canary})
	call(user, "updateUser", api.Params{"id": id, "usersecretkey": canary, "userapikey": "key-of-the-test-0001"})
	call(c.Client, "updateUser", api.Params{"id": id, "usersecretkey": canary, "userapikey": "key-of-the-test-0001"})
	call(c.Client, "updateUser", api.Params{"id": id, "usersecretkey": strings.Repeat(canary, 20), "userapikey": "key-of-the-test-0001"})
	call(c.Client, "disableUser", api.Params{"id": id})
	call(c.Client, "listUsers", api.Params{"listall": "true"})
	call(c.Client, "listAccounts", api.Params{"listall": "true"})
	call(c.Client, "listEvents", api.Params{"listall": "true"})
	call(c.Client, "deleteAccount", api.Params{"id": string(a.ID)})
	if text := answers.String(); strings.Contains(text, canary) {
		t.Errorf("an answer tells a secret:\n%s", text)
	}
	for _, form := range []url.Values{
		{"command": {"login"}, "username": {"bob"}, "domain": {"/"}, "password": {canary}},
		{"command": {"login"}, "username": {"bob"}, "domain": {"/"}, "password": {"wrong " + canary}},
		{"command": {"login"}, "username": {canary + " as a name"}, "password": {"x"}}, // somebody was in the wrong field
		{"command": {"validateUserTwoFactorAuthenticationCode"}, "codefor2fa": {canary}},
		{"command": {"oauthlogin"}, "provider": {"google"}, "email": {"a@example.org"}, "secretcode": {canary}, "state": {canary}},
		{"command": {"samlSso"}, "SAMLResponse": {canary}},
		{"command": {"samlSso"}, "ticket": {canary}},
		{"command": {"listZones"}, "sessionkey": {canary}},
		{"command": {"listZones"}, "apikey": {"key-of-the-test-0001"}, "signature": {canary}},
		{"command": {"noSuchCommand"}, "password": {canary}},
		{"command": {canary}},
	} {
		for _, cookies := range []string{"", "JSESSIONID=" + canary + "; sessionkey=" + canary + "; oauthlogin=" + canary + "; samllogin=" + canary} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/client/api", strings.NewReader(form.Encode()))
			must(t, err)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Cookie", cookies)
			answer, err := http.DefaultClient.Do(r)
			must(t, err)
			body, err := io.ReadAll(answer.Body)
			must(t, err)
			must(t, answer.Body.Close())
			if len(form["command"]) == 1 && form.Get("command") != canary && strings.Contains(string(body), canary) {
				t.Errorf("%s is answered with a secret: %s", form.Get("command"), body)
			}
		}
	}
	log.lacks(t, "a password", canary)
	tables := notInDatabase(t, c, canary)
	if tables < 30 || !strings.Contains(answers.String(), "currentpassword is not your password") {
		t.Errorf("%d tables; the answers were\n%s", tables, answers.String())
	}
}

// allLogged is all that a cloud logs.
type allLogged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *allLogged) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *allLogged) lacks(t *testing.T, what, hidden string) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if !strings.Contains(l.text.String(), "command=updateConfiguration") && !strings.Contains(l.text.String(), "command=updateUser") {
		t.Errorf("the log lacks the requests:\n%s", &l.text)
	}
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, hidden) {
			t.Errorf("%s is logged: %s", what, line)
		}
	}
}

// notInDatabase looks for a text in every column of every table, and gives how many tables there are.
func notInDatabase(t *testing.T, c *cloudtest.Cloud, hidden string) int {
	t.Helper()
	var tables []string
	must(t, c.DB.Read().NewRaw("select name from sqlite_master where type = 'table'").Scan(t.Context(), &tables))
	for _, table := range tables {
		rows, err := c.DB.Read().QueryContext(t.Context(), `select * from "`+table+`"`)
		must(t, err)
		columns, err := rows.Columns()
		must(t, err)
		for rows.Next() {
			row := make([]any, len(columns))
			for i := range row {
				row[i] = new(any)
			}
			must(t, rows.Scan(row...))
			for i, v := range row {
				if strings.Contains(fmt.Sprint(*v.(*any)), hidden) {
					t.Errorf("%s.%s holds a secret", table, columns[i])
				}
			}
		}
		must(t, rows.Err())
		must(t, rows.Close())
	}
	return len(tables)
}

// What must be read again (the secret of a second factor, keys that sign, a private key, a directory's password) stands sealed in the
// database: in no row, event, audit record or job as it is. (That no dump has them, either, is tried beside the dump.)
func TestRecoverableSecretsAreSealed(t *testing.T) {
	t.Parallel()
	var log allLogged
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true, Log: &log})
	set(t, c, "enable.user.2fa", "true", cs.SettingPlace{})
	user, a := c.Tenant(t, "red", "red-user", auth.User)
	factor, err := api.Do(t.Context(), user, cs.SetUpTwoFactor, cs.SetUpTwoFactorIn{})
	must(t, err)
	leaf := sign(t, c.DB.Now(), nil, "cloud.example.org")
	_, err = c.Client.Call(t.Context(), "uploadCustomCertificate", api.Params{"domainsuffix": "example.org", "certificate": leaf.pem, "privatekey": leaf.priv})
	must(t, err)
	const bind = "c4n4ry-0f-th3-b1nd"
	_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "ldap.bind.password", "value": bind})
	must(t, err)
	_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "ldap.bind.password", "value": bind, "domainid": string(a.Domain)})
	must(t, err)

	const client, store = "c4n4ry-0f-th3-cl13nt", "c4n4ry-0f-th3-st0r3"
	_, err = c.Client.Call(t.Context(), "registerOauthProvider", api.Params{
		"provider": "google", "description": "x", "clientid": "virga", "secretkey": client, "redirecturi": "https://cloud.example.org/back",
	})
	must(t, err)
	_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "ldap.truststore.password", "value": store})
	must(t, err)
	_, err = c.Client.Call(t.Context(), "addLdapConfiguration", api.Params{"hostname": "127.0.0.1", "port": "1"}) // nobody is there
	if err == nil {
		t.Error("a directory that isn't there was added")
	}
	_, err = api.Do(t.Context(), c.Client, cs.AddImageStore, cs.AddImageStoreIn{Provider: "S3", Details: detailsOf(buckettest.New(t))})
	must(t, err)
	pair, err := api.Do(t.Context(), user, cs.CreateSSHKeyPair, cs.CreateSSHKeyPairIn{Name: "canary"})
	must(t, err)

	must(t, c.Keepers.Round(auth.With(t.Context(), auth.System()), "audit"))
	for what, hidden := range map[string]string{
		"the second factor's secret": factor.SecretCode, "the user's secret key": user.SecretKey, "root's secret key": c.Client.SecretKey,
		"the private key": strings.Split(leaf.priv, "\n")[1], "the directory's password": bind, "the client's secret": client,
		"the bucket's access key": buckettest.AccessKey, "the bucket's secret key": buckettest.SecretKey,
		"the truststore's password": store, "the private half of a pair of SSH keys": strings.Split(pair.PrivateKey, "\n")[2],
	} {
		log.lacks(t, what, hidden)
		if len(hidden) < 16 {
			t.Fatalf("%s is %q", what, hidden)
		}
		if tables := notInDatabase(t, c, hidden); tables < 30 {
			t.Errorf("%d tables", tables)
		}
	}
}
