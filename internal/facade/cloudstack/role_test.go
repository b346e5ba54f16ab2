package cloudstack

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
)

// Every command refuses nobody, but for those that are open, and every tenant whose role it doesn't allow, whether it has a handler yet or not.
func TestStrangersAreRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.set("api.throttling.max", "1000000")
	c.set("api.throttling.enabled", "true") // without it two of the commands are not there
	for _, command := range cs.All {
		d := command.Describe()
		if d.Session {
			continue
		}
		_, served := c.facade.mux.Find(d.Name)
		status, envelope := 432, "errorresponse"
		if served {
			status, envelope = 401, api.Envelope(d.Name)
		}
		if d.Open {
			if r := c.get("response=json&command=" + d.Name); r.status != 200 && r.status != 431 {
				t.Errorf("%s by nobody: %d %s", d.Name, r.status, r.body)
			}
			continue
		}
		failed(t, c.get("response=json&command="+d.Name), envelope, status)
		failed(t, c.do(c.request("POST", "/client/api/"+d.Name, "response=json")), envelope, status)
		for who := range c.tenants {
			allowed := served && d.Role.Allows(front.RoleOf(c.tenants[who].Caller))
			r := c.as(who, d.Name)
			if (r.status == 432) == allowed {
				t.Errorf("%s by %s: %d %s", d.Name, who, r.status, r.body)
			}
			if !allowed {
				failed(t, r, "errorresponse", 432)
			}
		}
	}
}

// Who isn't allowed a command by key isn't by session either.
func TestRolesCountForSessions(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := c.login("red-user")
	for _, command := range cs.All {
		d := command.Describe()
		if _, served := c.facade.mux.Find(d.Name); served && !d.Role.Allows(api.User) {
			failed(t, s.send("GET", "command="+d.Name+"&sessionkey="+s.key, "JSESSIONID"), "errorresponse", 432)
		}
	}
}

// testdata/missing.txt holds the commands that are declared and wait for their translator. It may only shrink.
func TestMissingCommandsAreKnown(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/missing.txt")
	if err != nil {
		t.Fatal(err)
	}
	known := strings.Fields(string(text))
	missing := New(Services{}, front.Options{}).Missing()
	for _, name := range missing {
		if !slices.Contains(known, name) {
			t.Errorf("%s has no handler", name)
		}
	}
	for _, name := range known {
		if !slices.Contains(missing, name) {
			t.Errorf("%s has a handler now: take it out of missing.txt", name)
		}
	}
}
