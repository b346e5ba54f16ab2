package cloudtest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/directory/directorytest"
)

// A cloud and a directory from the first setting to the first login, as the how-to page has it, over TLS; and the password of who
// searches, and those of the people, stand nowhere.
func TestUsersOfADirectory(t *testing.T) {
	t.Parallel()
	dir := directorytest.Start(t)
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	var answers bytes.Buffer
	call := func(command string, params api.Params) string {
		t.Helper()
		raw, err := c.Client.Call(t.Context(), command, params)
		fmt.Fprintln(&answers, string(raw), err)
		must(t, err)
		return string(raw)
	}
	set := func(name, value string) {
		t.Helper()
		call("updateConfiguration", api.Params{"name": name, "value": value})
	}
	domain := idIn.FindStringSubmatch(call("createDomain", api.Params{"name": "red"}))[1]
	set("ldap.basedn", directorytest.Base)
	set("ldap.bind.principal", directorytest.Admin)
	set("ldap.bind.password", directorytest.Password)
	set("ldap.truststore", strings.ReplaceAll(dir.CA, "\n", `\n`))
	set("ldap.read.timeout", "30000")
	port := fmt.Sprint(dir.TLSPort)
	_, err := c.Client.Call(t.Context(), "addLdapConfiguration", api.Params{"hostname": "localhost", "port": port})
	fmt.Fprintln(&answers, err)
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate for another name: %v", err)
	}
	call("addLdapConfiguration", api.Params{"hostname": "127.0.0.1", "port": port})
	if got := call("searchLdap", api.Params{"query": "ali"}); !strings.Contains(got, `"username":"alice"`) {
		t.Errorf("searchLdap: %s", got)
	}
	call("linkDomainToLdap", api.Params{"domainid": domain, "type": "GROUP", "ldapdomain": directorytest.GroupDN("staff"), "accounttype": "0"})
	login := func(name, password string) int {
		t.Helper()
		form := url.Values{"command": {"login"}, "username": {name}, "password": {password}, "domain": {"/red"}, "response": {"json"}}
		r, err := http.PostForm(c.URL+"/client/api", form)
		must(t, err)
		body, err := io.ReadAll(r.Body)
		must(t, err)
		must(t, r.Body.Close())
		fmt.Fprintln(&answers, string(body))
		return r.StatusCode
	}
	for _, l := range []struct {
		name, password string
		want           int
	}{{"bob", "pw-bob", 200}, {"bob", "c4n4ry-wrong", 531}, {"bob", "", 431}, {"carol", "pw-carol", 531}, {"*", "pw-bob", 531}, {"bob", "pw-bob", 200}} {
		if got := login(l.name, l.password); got != l.want {
			t.Errorf("login of %s with %q: %d, want %d", l.name, l.password, got, l.want)
		}
	}
	found := itemsOf(t, c, cs.ListUsers, cs.ListUsersIn{Source: "ldap", Scope: api.Scope{ListAll: true}})
	if len(found) != 1 || found[0].Username != "bob" || found[0].Account != "bob" || found[0].Email != "bob@example.org" {
		t.Errorf("users from the directory: %+v", found)
	}
	call("importLdapUsers", api.Params{"domainid": domain, "accounttype": "0"})
	call("listLdapUsers", api.Params{"domainid": domain})
	call("listConfigurations", api.Params{"name": "ldap.bind.password"})
	call("ldapConfig", api.Params{"listall": "true"})
	call("listEvents", api.Params{"listall": "true"})
	call("ldapRemove", api.Params{})
	if got := login("bob", "pw-bob"); got != 531 {
		t.Errorf("without a directory bob comes in: %d", got)
	}
	for _, hidden := range []string{directorytest.Password, "c4n4ry-wrong", "pw-bob"} {
		if text := answers.String(); strings.Contains(text, hidden) {
			t.Errorf("an answer tells a secret:\n%s", text)
		}
		notInDatabase(t, c, hidden)
	}
}
