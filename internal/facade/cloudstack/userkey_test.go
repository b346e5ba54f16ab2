package cloudstack

import (
	"encoding/json"
	"strings"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/secret"
)

// limited gives a tenant's user a pair of keys with rules, "-" in front of those that deny, and makes it a tenant of its own.
func (c *cloud) limited(name, of string, rules ...string) cs.UserKeys {
	c.t.Helper()
	params := []string{"id=" + string(c.tenants[of].User), "name=" + name}
	for i, r := range rules {
		pattern, denied := strings.CutPrefix(r, "-")
		at := "rules[" + string(rune('0'+i)) + "]"
		params = append(params, at+".rule="+pattern, at+".permission="+permission(!denied))
	}
	r := c.as(of, "registerUserKeys", params...)
	if r.status != 200 {
		c.t.Fatalf("registerUserKeys: %d %s", r.status, r.body)
	}
	var body struct {
		Response struct {
			Keys cs.UserKeys `json:"userkeys"`
		} `json:"registeruserkeysresponse"`
	}
	c.must(json.Unmarshal([]byte(r.body), &body))
	k := body.Response.Keys
	c.tenants[name] = tenant{c.tenants[of].Caller, account.Keys{APIKey: k.APIKey, Secret: secret.New(k.SecretKey)}}
	return k
}

// Keys with rules do what the rules say and no more, and nobody gets by them what the rules keep from them.
func TestKeysWithRules(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		id := "id=" + string(c.tenants["red-user"].User)
		robot := c.limited("robot", "red-user", "-listEvents", "list*", "*UserKey*")
		for _, row := range []struct {
			command string
			status  int
			params  []string
		}{
			{"listAccounts", 200, nil},
			{"listEvents", 432, nil},
			{"failWith", 432, nil},
			{"getUserKeys", 531, []string{id}},                   // the plain pair is for more
			{"registerUserKeys", 531, []string{id}},              // and so would this be
			{"registerUserKeys", 531, []string{id, "name=more"}}, // this, too
			{"registerUserKeys", 531, []string{id, "rules[0].rule=failWith", "rules[0].permission=allow"}},
			{"registerUserKeys", 531, []string{id, "rules[0].rule=*", "rules[0].permission=allow"}},
			{"registerUserKeys", 200, []string{id, "name=less", "rules[0].rule=listAccounts", "rules[0].permission=allow"}},
			{"deleteUserKeys", 200, []string{"keypairid=" + string(robot.ID)}},
			{"listAccounts", 401, nil},
		} {
			if r := c.as("robot", row.command, row.params...); r.status != row.status {
				t.Errorf("%s %v: %d, want %d: %s", row.command, row.params, r.status, row.status, r.body)
			}
		}

		lister := c.limited("lister", "red-user", "list*")
		r := c.as("lister", "listUserKeys", "showpermissions=true")
		if strings.Contains(r.body, c.tenants["red-user"].keys.Secret.Reveal()) || strings.Count(r.body, `"secretkey"`) != 2 ||
			!strings.Contains(r.body, `"count":2`) || !strings.Contains(r.body, `{"rule":"list*","permission":"allow"}`) {
			t.Errorf("what a pair with rules sees of the others: %s", r.body)
		}
		if r = c.as("red-user", "listUserKeys"); strings.Count(r.body, `"secretkey"`) != 3 {
			t.Errorf("all pairs: %s", r.body)
		}
		if r = c.as("red-user", "listUserKeyRules", "keypairid="+string(lister.ID)); !strings.Contains(r.body, `"keypermission":[{"rule":"list*"`) {
			t.Errorf("the rules: %s", r.body)
		}
		if names := c.commandsOf("lister"); len(names) < 3 || len(names) >= len(c.commandsOf("red-user")) {
			t.Errorf("listApis shows %v", names)
		}
		// An admin's pair with rules makes nobody who may do more than it.
		c.limited("half", "root", "-*Zone*", "*")
		for command, params := range map[string][]string{
			"getUserKeys":      {"id=" + string(c.tenants["root"].User)},
			"registerUserKeys": {id},
			"getUser":          {"userapikey=" + c.tenants["root"].keys.APIKey},
			"createUser": {"account=red-user", "domainid=" + string(c.tenants["red-user"].Domain), "username=x", "password=pw", "firstname=x",
				"lastname=x", "email=x"},
			"createAccount": {"accounttype=1", "username=x", "password=pw", "firstname=x", "lastname=x", "email=x"},
			"updateUser":    {id, "password=pw"},
		} {
			if r := c.as("half", command, params...); r.status != 531 {
				t.Errorf("%s by half an admin: %d %s", command, r.status, r.body)
			}
		}
		if r := c.as("root", "updateUser", id, "apikeyaccess=Disabled"); r.status != 200 || !strings.Contains(r.body, `"apikeyaccess":"DISABLED"`) {
			t.Errorf("no more keys: %d %s", r.status, r.body)
		}
		if r := c.as("red-user", "listAccounts"); r.status != 401 {
			t.Errorf("with keys that may not sign: %d %s", r.status, r.body)
		}
		if r := c.as("root", "listUsers", "listall=true", "apikeyaccess=disabled"); !strings.Contains(r.body, `"count":1`) {
			t.Errorf("users without keys: %s", r.body)
		}
		if r := c.as("root", "getUserKeys", id); !strings.Contains(r.body, `"apikeyaccess":false`) {
			t.Errorf("keys that may not sign: %s", r.body)
		}
		if auth.System().Only != "" {
			t.Error("the house has rules")
		}
	})
}
