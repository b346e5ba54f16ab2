package cloudstack

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// addWithRole makes a tenant whose account has a role.
func (c *cloud) addWithRole(name string, in uid.Domain, id uid.Role) {
	c.t.Helper()
	ctx := auth.With(c.t.Context(), auth.System())
	_, u, err := c.accounts.CreateAccount(ctx, account.CreateAccountIn{
		Name: name, Domain: in, Role: id, Username: name, Password: secret.New(password),
	})
	c.must(err)
	keys, err := c.accounts.RegisterKeys(ctx, u.ID)
	c.must(err)
	caller, _, err := c.accounts.ByUser(ctx, u.ID)
	c.must(err)
	c.tenants[name] = tenant{caller, keys}
}

// commandsOf are the commands that listApis shows to a tenant.
func (c *cloud) commandsOf(who string) (names []string) {
	c.t.Helper()
	var body map[string]struct {
		API []api.CommandInfo `json:"api"`
	}
	c.must(json.Unmarshal([]byte(c.answer(who, cs.ListAPIs).body), &body))
	for _, one := range body["listapisresponse"].API {
		names = append(names, one.Name)
	}
	return names
}

// testdata/roles.txt says for each command which of the default roles allow it, as listApis shows it to those who have them.
func TestDefaultRolesListTheirCommands(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	all, _, err := c.facade.Roles.List(auth.With(t.Context(), auth.System()), role.Filter{})
	c.must(err)
	var out bytes.Buffer
	for i, r := range all {
		fmt.Fprintf(&out, "%d %s\n", i+1, r.Name)
		c.addWithRole(r.Name, "", r.ID)
	}
	shown := map[string][]byte{}
	for i, r := range all {
		for _, name := range c.commandsOf(r.Name) {
			if e, ok := c.facade.mux.Find(name); ok && strings.HasPrefix(r.Name, "Read-Only") && (e.Event != "" || e.Creates || e.Kind == api.KindJob) {
				t.Errorf("%s may use %s, which changes something", r.Name, name)
			}
			if shown[name] == nil {
				shown[name] = bytes.Repeat([]byte("."), len(all))
			}
			shown[name][i] = byte('1' + i)
		}
	}
	var lines []string
	for name, marks := range shown {
		if _, test := c.facade.mux.Find(name); !test || !slices.ContainsFunc(cs.All, func(one api.Command) bool { return api.NameOf(one) == name }) {
			continue // a command that only tests have, and login and logout, which are for all
		}
		lines = append(lines, string(marks)+" "+name)
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[len(all):], b[len(all):]) })
	out.WriteString(strings.Join(lines, "\n") + "\n")
	const file = "testdata/roles.txt"
	if *update {
		c.must(os.WriteFile(file, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	c.must(err)
	if !bytes.Equal(want, out.Bytes()) {
		t.Errorf("%s is not what listApis shows; look at the difference, then run the test with -update:\n%s", file, out.Bytes())
	}
}

// An account with a role of one's own: what the role says is so at once, by keys and in a session that is there already, and what
// it denies is as if it weren't there.
func TestARoleOfOnesOwn(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		call := func(command string, params ...string) string {
			t.Helper()
			r := c.as("root", command, params...)
			if r.status != 200 {
				t.Fatalf("%s %v: %d %s", command, params, r.status, r.body)
			}
			_, after, _ := strings.Cut(r.body, `"id":"`)
			id, _, _ := strings.Cut(after, `"`)
			return id
		}
		id := call("importRole", "name=starter", "type=User", "rules[0].rule=listCapabilities", "rules[0].permission=deny",
			"rules[1].rule=list*", "rules[1].permission=allow", "rules[2].rule=listZones", "rules[2].permission=deny")
		c.addWithRole("red-worker", c.tenants["red-user"].Domain, uid.Role(id))
		s := c.login("red-worker")
		allowed := func(want bool, command string, params ...string) {
			t.Helper()
			byKeys := c.as("red-worker", command, params...)
			inSession := s.send("GET", strings.Join(append(params, "command="+command, "response=json", "sessionkey="+s.key), "&"), "JSESSIONID")
			for _, r := range []reply{byKeys, inSession} {
				if want != (r.status == 200) {
					t.Errorf("%s: %d %s", command, r.status, r.body)
				}
				if !want {
					failed(t, r, "errorresponse", 432)
					unknown := c.as("red-worker", "noSuchCommand")
					if strings.ReplaceAll(r.body, command, "X") != strings.ReplaceAll(unknown.body, "noSuchCommand", "X") {
						t.Errorf("a command that is denied: %s; one that is not there: %s", r.body, unknown.body)
					}
				}
			}
			if shown := slices.Contains(c.commandsOf("red-worker"), command); shown != want {
				t.Errorf("listApis shows %s: %v", command, shown)
			}
		}
		allowed(true, "listAccounts")
		allowed(true, "listThings")
		allowed(false, "listCapabilities")
		allowed(false, "failWith")
		allowed(false, "listConfigurations") // a pattern gives users nothing beyond what users may

		// The role is asked before the signature is compared, as in CloudStack.
		forged := "response=json&apiKey=" + c.tenants["red-worker"].keys.APIKey + "&signature=AAAA&command="
		failed(t, c.get(forged+"failWith"), "errorresponse", 432)
		failed(t, c.get(forged+"listAccounts"), "listaccountsresponse", 401)

		rule := call("createRolePermission", "roleid="+id, "rule=failWith", "permission=allow")
		allowed(true, "failWith")
		call("updateRolePermission", "roleid="+id, "ruleid="+rule, "permission=deny")
		allowed(false, "failWith")
		call("createRolePermission", "roleid="+id, "rule=listConfigurations", "permission=allow")
		allowed(true, "listConfigurations") // it is named
		call("disableRole", "id="+id)
		if r := c.as("red-worker", "listAccounts"); r.status != 432 {
			t.Errorf("with a disabled role: %d %s", r.status, r.body)
		}
		call("enableRole", "id="+id)
		allowed(true, "listAccounts")
		if r := c.as("root", "deleteRole", "id="+id); r.status != 431 || !strings.Contains(r.body, "in use by 1 account:") {
			t.Errorf("a role in use: %d %s", r.status, r.body)
		}

		r := c.as("root", "listUsers", "listall=true", "username=red-worker")
		if !strings.Contains(r.body, `"rolename":"starter"`) || !strings.Contains(r.body, `"roletype":"User"`) || !strings.Contains(r.body, `"roleid":"`+id) {
			t.Errorf("the user: %s", r.body)
		}
		if r = c.as("root", "listAccounts", "listall=true", "name=red-worker", "domainid="+string(c.tenants["red-worker"].Domain)); strings.Count(r.body, id) != 2 {
			t.Errorf("the account, with its user: %s", r.body)
		}
	})
}

// Who only reads doesn't read other people's keys, and so become them; who has a wider role than an admin of domains is not theirs.
func TestKeysAreForThoseWhoCoverTheRole(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	all, _, err := c.facade.Roles.List(auth.With(t.Context(), auth.System()), role.Filter{Name: "Read-Only Admin - Default"})
	c.must(err)
	c.addWithRole("reader", "", all[0].ID)
	wide, err := c.facade.Roles.Import(auth.With(t.Context(), auth.System()), role.ImportIn{
		Name: "wide", Type: auth.User, Rules: []role.Rule{{Pattern: "*", Allow: true}, {Pattern: "listHosts", Allow: true}},
	})
	c.must(err)
	c.addWithRole("wide", c.tenants["red-user"].Domain, wide)
	for _, row := range []struct {
		who, command, whom string
		ok                 bool
	}{
		{"reader", "getUserKeys", "reader", true},
		{"reader", "getUserKeys", "root", false},
		{"reader", "getUserKeys", "red-user", false},
		{"reader", "getCloudIdentifier", "root", false},
		{"reader", "getUser", "root", false},
		{"reader", "getUser", "reader", true},
		{"root", "getUserKeys", "reader", true},
		{"root", "getUserKeys", "wide", true},
		{"red-admin", "getUserKeys", "red-user", true},
		{"red-admin", "getUserKeys", "wide", false},
		{"red-admin", "registerUserKeys", "wide", false},
	} {
		params := map[string]string{
			"getUserKeys": "id=" + string(c.tenants[row.whom].User), "registerUserKeys": "id=" + string(c.tenants[row.whom].User),
			"getCloudIdentifier": "userid=" + string(c.tenants[row.whom].User), "getUser": "userapikey=" + c.tenants[row.whom].keys.APIKey,
		}
		r := c.as(row.who, row.command, params[row.command])
		if row.ok != (r.status == 200) || !row.ok && r.status != 531 {
			t.Errorf("%s by %s of %s: %d %s", row.command, row.who, row.whom, r.status, r.body)
		}
		if secretKey := c.tenants[row.whom].keys.Secret.Reveal(); !row.ok && strings.Contains(r.body, secretKey) {
			t.Errorf("%s shows %s the keys of %s", row.command, row.who, row.whom)
		}
	}
}
