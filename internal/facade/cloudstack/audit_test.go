package cloudstack

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/secret"
)

// Every call that changes something has a record, done or refused, and no record holds a secret.
func TestCallsAreRecorded(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		user := string(c.tenants["red-user"].User)
		id := "id=" + user
		robot := c.limited("robot", "red-user", "list*", "registerUserKeys")
		c.as("robot", "registerUserKeys", id)           // denied: it would be for more
		c.as("red-user", "createAccount", "username=x") // not for the role
		c.as("red-user", "listAccounts")                // changes nothing
		blue := string(c.tenants["blue-user"].User)
		c.as("root", "updateUser", "id="+blue, "password=canary-1", "firstname=Eve") // done
		c.as("root", "updateUser", id, "userapikey=canary-2", "usersecretkey=canary-3-canary-3")
		c.as("root", "updateUser", "id=canary-4")
		c.get("command=deleteUser&" + id + "&apikey=nobody&signature=AAAA&response=json") // nobody
		// What is no try to sign in leaves no record: nothing would bound how many there are. (Of doors samlSso is one here.)
		foreign := c.request("POST", "/client/api", "command=login&username=red-user&password="+password+"&response=json")
		foreign.Header.Set("Sec-Fetch-Site", "cross-site")
		c.do(foreign)
		for _, form := range []string{
			"command=login&response=json", "command=oauthlogin&response=json", "command=samlSso&SAMLResponse=x&response=json",
			"command=listAndSwitchSamlAccount&userid=" + user + "&response=json",
		} {
			c.do(c.request("POST", "/client/api", form))
		}
		s := c.login("red-user")
		c.do(c.request("POST", "/client/api", "command=login&username=red-user&password=canary-5&response=json"))
		_ = s

		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		c.must(err)
		c.must(audit.Link(t.Context(), c.db, box))
		var out bytes.Buffer
		_, err = audit.Export(t.Context(), c.db.Read(), 0, &out)
		c.must(err)
		var got []string
		for line := range strings.Lines(out.String()) {
			field := func(name string) string {
				_, after, _ := strings.Cut(line, `"`+name+`":"`)
				value, _, _ := strings.Cut(after, `"`)
				return value
			}
			got = append(got, strings.Join([]string{field("command"), field("result"), field("username"), strings.TrimPrefix(field("named"), "id=")}, " "))
			if field("from") != "127.0.0.1" || field("request") == "" {
				t.Errorf("from nowhere: %s", line)
			}
			if field("command") == "registerUserKeys" && field("result") == "denied" && field("key") != string(robot.ID) {
				t.Errorf("by which keys is not said: %s", line)
			}
		}
		want := []string{
			"registerUserKeys done red-user " + user, "registerUserKeys denied red-user " + user, "createAccount denied red-user ",
			"updateUser done root " + blue, "updateUser invalid root " + user, "updateUser invalid root ", "samlSso unauthenticated  ", "login done red-user ",
			"login unauthenticated  ",
		}
		if a, b := strings.ReplaceAll(strings.Join(got, "\n"), " admin ", " root "), strings.Join(want, "\n"); a != b {
			t.Errorf("the records are\n%s\nwant\n%s", a, b)
		}
		for _, canary := range []string{"canary", robot.SecretKey, robot.APIKey, password, s.key} {
			if strings.Contains(out.String(), canary) {
				t.Errorf("the audit log holds %q", canary)
			}
		}
	})
}
