package cloudstack

import (
	"slices"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/uid"
)

// Whoever has a role tries to become, or to change, whoever has another one, by every command that could do it. What must come of it
// is told from what listApis shows to the two: nobody gets anything by which they could do what they may not.
func TestNobodyActsForThoseWhoMayMore(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		ctx := auth.With(t.Context(), auth.System())
		for name, in := range map[string]role.ImportIn{
			"all but zones": {Type: auth.RootAdmin, Rules: []role.Rule{{Pattern: "createZone"}, {Pattern: "*", Allow: true}}},
			"keys":          {Type: auth.DomainAdmin, Rules: allowing("getUserKeys", "updateUser", "createUser", "updateAccount", "list*")},
			"all and hosts": {Type: auth.DomainAdmin, Rules: allowing("*", "createUser", "updateAccount", "updateUser", "listHosts")},
			"hosts":         {Type: auth.User, Rules: allowing("listHosts", "listApis")},
			"few":           {Type: auth.User, Rules: allowing("list*", "getUserKeys", "updateUser")},
		} {
			in.Name = name
			_, err := c.facade.Roles.Import(ctx, in)
			c.must(err)
		}
		all, _, err := c.facade.Roles.List(ctx, role.Filter{})
		c.must(err)
		allowed, account := map[string][]string{}, map[string]uid.Account{}
		for _, r := range all {
			in := c.tenants["red-user"].Domain
			if r.Type == auth.RootAdmin {
				in = ""
			}
			c.addWithRole(r.Name, in, r.ID)
			allowed[r.Name] = c.commandsOf(r.Name)
			account[r.Name] = c.tenants[r.Name].Account
		}
		covers := func(by, of role.Role) bool {
			for _, name := range allowed[of.Name] {
				if !slices.Contains(allowed[by.Name], name) {
					return false
				}
			}
			return by.Type.Rank() >= of.Type.Rank()
		}
		tried, done := 0, 0
		for _, by := range all {
			for _, of := range all {
				may := map[bool]bool{true: by.ID == of.ID, false: by.Type != auth.User && covers(by, of)}
				user := string(c.tenants[of.Name].User)
				for _, try := range []struct {
					command string
					params  []string
					own     bool // may be done to oneself
				}{
					{"getUserKeys", []string{"id=" + user}, true},
					{"updateUser", []string{"id=" + user, "lastname=Other"}, true},
					{"createUser", []string{"account=" + of.Name, "domainid=" + string(c.tenants[of.Name].Domain), "username=" + by.Name + " for " + of.Name,
						"password=" + password, "firstname=A", "lastname=B", "email=c@example.com"}, false},
					{"updateAccount", []string{"id=" + string(account[of.Name]), "newname=" + of.Name}, false},
				} {
					r := c.as(by.Name, try.command, try.params...)
					want := may[false] || try.own && may[true]
					tried++
					switch {
					case !slices.Contains(allowed[by.Name], try.command):
						failed(t, r, "errorresponse", 432)
					case want && r.status != 200, !want && r.status != 431 && r.status != 531:
						t.Errorf("%s %s of %s: %d %s, want it done: %v", by.Name, try.command, of.Name, r.status, r.body, want)
					case want:
						done++
					}
				}
			}
		}
		if tried != 4*len(all)*len(all) || done < 50 {
			t.Errorf("%d tries, %d of them successful", tried, done)
		}
	})
}

func allowing(patterns ...string) (rules []role.Rule) {
	for _, p := range patterns {
		rules = append(rules, role.Rule{Pattern: p, Allow: true})
	}
	return rules
}
