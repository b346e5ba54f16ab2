package cloudstack

import (
	"encoding/json"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

func (c *cloud) things(who string, params ...string) []thing {
	c.t.Helper()
	var body struct {
		Response struct {
			Things []thing `json:"thing"`
		} `json:"listthingsresponse"`
	}
	c.must(json.Unmarshal([]byte(c.answer(who, testList, params...).body), &body))
	return body.Response.Things
}

func TestHelpersFillAPage(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		busy := c.tenants["blue-user"]
		ctx := auth.With(c.t.Context(), busy.Caller)
		job, _, err := c.runner.Start(ctx, op.Request{
			Thing: "x", Caller: busy.Caller, Command: "makeThing", SubjectKind: "Account", SubjectID: string(busy.Account),
		}, toil{Mode: "wait"})
		c.must(err)
		things := c.things("root", "listall=true")
		if len(things) != 6 {
			t.Fatalf("%d things", len(things))
		}
		for _, one := range things {
			if one.Account == "" || one.DomainPath == "" || one.Domain == "" || one.DomainID == "" {
				t.Errorf("no owner: %+v", one)
			}
			works := one.ID == uid.VM(busy.Account)
			if works != (one.JobID == job) || works != (one.JobStatus != nil && *one.JobStatus == cs.JobPending) {
				t.Errorf("job: %+v", one)
			}
			if works && one.DomainPath != "ROOT/blue" {
				t.Errorf("owner: %+v", one)
			}
		}
	})
}

func TestListsShowWhatTheirScopeSays(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		red := "domainid=" + string(c.tenants["red-user"].Domain)
		for _, row := range []struct {
			who    string
			params []string
			want   int
		}{
			{"root", nil, 1},
			{"root", []string{"listall=true"}, 6},
			{"root", []string{red}, 2},
			{"root", []string{red, "account=red-user"}, 1},
			{"root", []string{"listall=true", "page=2", "pagesize=4"}, 2},
			{"root", []string{"listall=true", "pagesize=-1"}, 6},
			{"red-admin", []string{"listall=true"}, 2},
			{"red-user", []string{"listall=true"}, 1},
			{"red-user", []string{red, "isrecursive=true"}, 1},
		} {
			if got := len(c.things(row.who, row.params...)); got != row.want {
				t.Errorf("%s %v: %d, want %d", row.who, row.params, got, row.want)
			}
		}
		failed(t, c.as("blue-admin", "listThings", red), "listthingsresponse", 531)
		failed(t, c.as("red-user", "listThings", "account=red-admin"), "listthingsresponse", 531)
		for _, row := range []struct {
			who, command, param string
			want                int
		}{
			{"root", "listAccounts", "name=admin", 1},
			{"root", "listAccounts", "name=red-user", 0}, // it is in another domain
			{"red-admin", "listAccounts", "name=red-user", 1},
			{"red-user", "listAccounts", "name=red-admin", 0},
			{"root", "listAccounts", "accounttype=2", 0}, // among the own one
			{"root", "listDomains", "name=red", 1},
			{"blue-admin", "listDomains", "name=red", 0},
			{"root", "listDomains", "level=1", 2},
			{"root", "listDomains", "keyword=r", 1},
			{"red-admin", "listUsers", "id=" + string(c.tenants["red-user"].User), 1},
			{"red-admin", "listUsers", "id=" + string(c.tenants["root"].User), 0},
		} {
			r := c.as(row.who, row.command, row.param)
			var body map[string]struct{ Count int }
			c.must(json.Unmarshal([]byte(r.body), &body))
			if got := body[api.Envelope(row.command)].Count; got != row.want || r.status != 200 {
				t.Errorf("%v: %d %s", row, got, r.body)
			}
		}
	})
}
