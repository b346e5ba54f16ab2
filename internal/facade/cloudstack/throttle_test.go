package cloudstack

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
)

// tooMany wants a refusal that says when to come back, within most seconds.
func tooMany(t *testing.T, r reply, envelope string, most int) int {
	t.Helper()
	if e := failed(t, r, envelope, http.StatusTooManyRequests); e.CSCode != 4545 {
		t.Errorf("exception %d", e.CSCode)
	}
	after, err := strconv.Atoi(r.header.Get("Retry-After"))
	if err != nil || after < 1 || after > most {
		t.Errorf("Retry-After %q, want 1 to %d", r.header.Get("Retry-After"), most)
	}
	return after
}

func (c *cloud) set(name, value string) {
	c.t.Helper()
	c.answer("root", cs.UpdateConfiguration, "name="+name, "value="+value)
}

func TestAccountsHaveSoManyRequests(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		failed(t, c.as("red-user", "getApiLimit"), "errorresponse", 432)
		failed(t, c.as("root", "resetApiLimit"), "errorresponse", 432)
		c.set("api.throttling.max", "5")
		c.set("api.throttling.interval", "3600")
		c.set("api.throttling.enabled", "true")
		if until := 3600 - c.clock.now().Unix()%3600; until < 60 { // the next window is far away
			c.clock.forward(time.Duration(until) * time.Second)
		}
		s := c.login("red-user")
		for n := range 5 {
			r := c.as("red-user", "getApiLimit")
			var body struct {
				Response struct {
					Limit cs.APILimit `json:"apilimit"`
				} `json:"getapilimitresponse"`
			}
			if err := json.Unmarshal([]byte(r.body), &body); err != nil || api.Validate(cs.GetAPILimit, []byte(r.body)) != nil {
				t.Fatal(err, r.body)
			}
			if l := body.Response.Limit; l.Issued != n+1 || l.Allowed != 4-n || l.Account != "red-user" || l.ExpireAfter <= 0 || l.ExpireAfter > 3_600_000 {
				t.Errorf("request %d: %+v", n, l)
			}
		}
		tooMany(t, c.as("red-user", "listZones"), "listzonesresponse", 3600)
		if r := c.as("red-user", "listZones", "response=xml"); r.status != 429 || !strings.Contains(r.body, "<errorcode>429</errorcode>") {
			t.Errorf("as XML: %d %s", r.status, r.body)
		}
		tooMany(t, s.send("GET", "command=listZones&sessionkey="+s.key, "JSESSIONID"), "listzonesresponse", 3600)
		if r := s.send("GET", "command=logout", "JSESSIONID"); r.status != 200 {
			t.Errorf("who has too many can't leave: %d", r.status)
		}
		// A wrong signature is nobody's request.
		for range 6 {
			failed(t, c.get(strings.Replace(c.signed("blue-user", "listZones"), "signature=", "signature=AA", 1)), "listzonesresponse", 401)
		}
		c.answer("blue-user", cs.ListRegions)
		for range 8 {
			c.answer("root", cs.ListCapabilities)
		}
		c.answer("root", cs.ResetAPILimit, "account="+string(c.tenants["red-user"].Account))
		c.answer("red-user", cs.ListRegions)
		failed(t, c.as("root", "resetApiLimit", "account="+string(c.tenants["red-user"].User)), "resetapilimitresponse", 431)
		if r := c.answer("red-user", cs.ListCapabilities); !strings.Contains(r.body, `"apilimitmax":5`) && !strings.Contains(r.body, `"apilimitmax": 5`) {
			t.Errorf("the capabilities don't tell: %s", r.body)
		}
		c.clock.forward(time.Hour)
		for range 5 {
			c.answer("red-user", cs.ListRegions)
		}
		c.set("api.throttling.enabled", "false")
		c.answer("red-user", cs.ListRegions)
	})
}

// An address that fails too often is told to stay away, and another one is not; who signs well is let in from either.
func TestAddressesHaveSoManyFailures(t *testing.T) {
	t.Parallel()
	c := newCloudAt(t, dbtest.SQLite(t), front.Options{LoginFailures: 3})
	c.set("proxy.header.verify", "true")
	c.set("proxy.cidr", "127.0.0.0/8,::1/128")
	failed(t, c.as("root", "updateConfiguration", "name=proxy.cidr", "value=nonsense"), "updateconfigurationresponse", 431)
	from := func(address string, r *http.Request) reply {
		r.Header.Set("X-Forwarded-For", address)
		return c.do(r)
	}
	wrong := strings.Replace(c.signed("red-user", "listRegions"), "signature=", "signature=AA", 1)
	sign := func(address string) reply { return from(address, c.request("GET", "/client/api?"+wrong, "")) }
	login := func(address, password string) reply {
		return from(address, c.request("POST", "/client/api", c.loginForm("red-user", "password="+password)))
	}
	for range 3 {
		failed(t, sign("192.0.2.1"), "listregionsresponse", 401)
		failed(t, login("192.0.2.1", "wrong"), "errorresponse", 531)
	}
	tooMany(t, sign("192.0.2.1"), "listregionsresponse", 60)
	tooMany(t, login("192.0.2.1", password), "errorresponse", 60)
	tooMany(t, login("203.0.113.1, 192.0.2.1", password), "errorresponse", 60)
	failed(t, sign("192.0.2.2"), "listregionsresponse", 401)
	if r := login("192.0.2.2", password); r.status != 200 {
		t.Errorf("from another address: %d %s", r.status, r.body)
	}
	if r := from("192.0.2.1", c.request("GET", "/client/api?"+c.signed("red-user", "listRegions"), "")); r.status != 200 {
		t.Errorf("a right signature: %d %s", r.status, r.body)
	}
	// Requests without any credentials are no guesses.
	for range 5 {
		failed(t, c.get("command=listRegions&response=json"), "listregionsresponse", 401)
	}
	c.clock.forward(time.Duration(tooMany(t, login("192.0.2.1", password), "errorresponse", 60)) * time.Second)
	if r := login("192.0.2.1", password); r.status != 200 {
		t.Errorf("after the wait: %d %s", r.status, r.body)
	}
}
