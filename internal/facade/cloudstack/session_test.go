package cloudstack

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// session is a browser that has signed in.
type session struct {
	c       *cloud
	cookies map[string]*http.Cookie
	key     string
}

func (c *cloud) loginForm(user string, more ...string) string {
	form := url.Values{"command": {"login"}, "response": {"json"}, "username": {user}, "password": {password}}
	if color, _, two := strings.Cut(user, "-"); two && color != "resource" {
		form.Set("domain", "/"+color+"/")
	}
	for _, pair := range more {
		name, value, _ := strings.Cut(pair, "=")
		form.Set(name, value)
	}
	return form.Encode()
}

func (c *cloud) login(user string) *session {
	c.t.Helper()
	r := c.do(c.request("POST", "/client/api", c.loginForm(user)))
	if err := api.Validate(cs.Login, []byte(r.body)); err != nil || r.status != 200 {
		c.t.Fatalf("%d %v: %s", r.status, err, r.body)
	}
	return c.sessionOf(r)
}

func (c *cloud) sessionOf(r reply) *session {
	s := &session{c: c, cookies: map[string]*http.Cookie{}}
	for _, cookie := range (&http.Response{Header: r.header}).Cookies() {
		s.cookies[cookie.Name] = cookie
	}
	var body struct {
		Response cs.LoginOut `json:"loginresponse"`
	}
	c.must(json.Unmarshal([]byte(r.body), &body))
	s.key = body.Response.SessionKey
	return s
}

// send asks with the cookies of the names given.
func (s *session) send(method, query string, cookies ...string) reply {
	s.c.t.Helper()
	return s.c.do(s.request(method, query, cookies...))
}

func (s *session) request(method, query string, cookies ...string) *http.Request {
	r := s.c.request(method, "/client/api?response=json&"+query, "")
	for _, name := range cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: s.cookies[name].Value})
	}
	return r
}

func TestASessionLives(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		s := c.login("red-user")
		if len(s.cookies) != 2 {
			t.Fatalf("cookies: %v", s.cookies)
		}
		for name, cookie := range s.cookies {
			if cookie.Path != "/client" || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode || cookie.Secure || cookie.MaxAge != 0 {
				t.Errorf("cookie %s: %+v", name, cookie)
			}
		}
		withKey := "command=listCapabilities&sessionkey=" + s.key
		for name, r := range map[string]reply{
			"key as parameter": s.send("GET", withKey, "JSESSIONID"),
			"key both ways":    s.send("POST", withKey, "JSESSIONID", "sessionkey"),
			"key as cookie":    s.send("GET", "command=listCapabilities", "JSESSIONID", "sessionkey"),
		} {
			if err := api.Validate(cs.ListCapabilities, []byte(r.body)); err != nil {
				t.Errorf("%s: %d %v", name, r.status, err)
			}
		}
		failed(t, s.send("GET", "", "JSESSIONID", "sessionkey"), "errorresponse", 400)
		failed(t, s.send("GET", "command=noSuchThing", "JSESSIONID", "sessionkey"), "errorresponse", 432)
		failed(t, s.send("GET", "command=listUsers", "JSESSIONID", "sessionkey"), "errorresponse", 432)
		failed(t, s.send("GET", "command=listCapabilities", "JSESSIONID"), "listcapabilitiesresponse", 401)

		// After logout everything that the browser had is void, and the cookies are taken back.
		r := s.send("GET", "command=logout", "JSESSIONID")
		if err := api.Validate(cs.Logout, []byte(r.body)); err != nil {
			t.Error(err)
		}
		for name, cookie := range c.sessionOf(reply{header: r.header, body: "{}"}).cookies {
			if cookie.MaxAge >= 0 || cookie.Value != "" || cookie.Path != "/client" {
				t.Errorf("logout leaves cookie %s: %+v", name, cookie)
			}
		}
		if e := failed(t, s.send("GET", withKey, "JSESSIONID"), "listcapabilitiesresponse", 401); e.Text != textNoSession {
			t.Error(e.Text)
		}
		if r := s.send("GET", "command=logout", "JSESSIONID"); r.status != 200 {
			t.Errorf("a second logout: %d", r.status)
		}
		if r := c.get("command=logout&response=json"); r.status != 200 {
			t.Errorf("logout of nobody: %d", r.status)
		}
	})
}

func TestAWrongSessionKeyEndsTheSession(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for name, query := range map[string]string{"alone": "sessionkey=wrong", "beside the right cookie": "sessionkey=wrong&"} {
		s := c.login("red-user")
		cookies := []string{"JSESSIONID", "sessionkey"}[:1+strings.Count(query, "&")]
		failed(t, s.send("GET", "command=listCapabilities&"+query, cookies...), "listcapabilitiesresponse", 401)
		r := s.send("GET", "command=listCapabilities&sessionkey="+s.key, "JSESSIONID")
		if r.status != 401 {
			t.Errorf("%s: the session lives: %d", name, r.status)
		}
	}
}

func TestASessionEnds(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := c.login("red-user")
	again := c.request("POST", "/client/api", c.loginForm("red-user"))
	again.AddCookie(s.cookies["JSESSIONID"])
	if r := c.do(again); r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	if r := s.send("GET", "command=listCapabilities&sessionkey="+s.key, "JSESSIONID"); r.status != 401 {
		t.Errorf("a new login leaves the old session: %d", r.status)
	}
	// A signed request needs no session, whatever cookies it carries.
	dead := s.request("GET", c.signed("root", "listCapabilities"), "JSESSIONID")
	if r := c.do(dead); r.status != 200 {
		t.Errorf("a signature beside a dead session: %d %s", r.status, r.body)
	}
	s = c.login("red-user")
	c.clock.forward(31 * time.Minute)
	if r := s.send("GET", "command=listCapabilities&sessionkey="+s.key, "JSESSIONID"); r.status != 401 {
		t.Errorf("unused for 31 minutes: %d", r.status)
	}
}

// A page of another site can make a browser send cookies, at worst; it must not be able to change anything with them.
func TestCookiesAloneChangeNothingForOtherSites(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := c.login("red-user")
	me := string(c.tenants["red-user"].User)
	change := "command=registerUserKeys&id=" + me
	send := func(method, query, site, origin string) int {
		r := s.request(method, query, "JSESSIONID", "sessionkey")
		if site != "" {
			r.Header.Set("Sec-Fetch-Site", site)
		}
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		return c.do(r).status
	}
	for _, row := range []struct {
		method, query, site, origin string
		want                        int
	}{
		{"GET", change, "", "", 401},
		{"GET", change, "same-origin", "", 401},
		{"POST", change, "cross-site", "", 401},
		{"POST", change, "same-site", "", 401},
		{"POST", change, "", "https://evil.example", 401},
		{"POST", change, "same-origin", "", 200},
		{"POST", change, "", c.server.URL, 200},
		{"POST", change, "", "", 200}, // no browser
		{"GET", change + "&sessionkey=" + s.key, "", "", 200},
		{"GET", "command=getUserKeys&id=" + me, "", "", 200},
		{"GET", "command=queryAsyncJobResult&jobid=" + me, "", "", 431},
	} {
		if got := send(row.method, row.query, row.site, row.origin); got != row.want {
			t.Errorf("%v: %d", row, got)
		}
	}
	evil := c.request("POST", "/client/api", c.loginForm("red-user"))
	evil.Header.Set("Sec-Fetch-Site", "cross-site")
	failed(t, c.do(evil), "errorresponse", 401)
}

func TestLoginIsRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	r := c.get(c.loginForm("admin"))
	failed(t, r, "errorresponse", 405)
	if r.header.Get("Allow") != "POST" || r.header["Set-Cookie"] != nil {
		t.Errorf("headers %v", r.header)
	}
	post := func(form string) reply { return c.do(c.request("POST", "/client/api", form)) }
	for name, form := range map[string]string{
		"wrong password": c.loginForm("admin", "password=wrong"),
		"unknown user":   c.loginForm("nobody"),
		"other domain":   c.loginForm("admin", "domain=/red"),
		"no such domain": c.loginForm("admin", "domain=/green"),
		"domain id wins": c.loginForm("admin", "domain=ROOT", "domainId="+string(c.tenants["red-user"].Domain)),
		"system":         c.loginForm("system", "password= "),
	} {
		r := post(form)
		if e := failed(t, r, "errorresponse", 531); e.CSCode != 0 || !strings.HasPrefix(e.Text, "failed to authenticate user") {
			t.Errorf("%s: %+v", name, e)
		}
		if r.header["Set-Cookie"] != nil {
			t.Errorf("%s: a cookie", name)
		}
	}
	failed(t, post(c.loginForm("admin", "password=")), "errorresponse", 431)
	failed(t, post(c.loginForm("admin", "password=a\x01b")), "errorresponse", 431)
	for name, form := range map[string]string{
		"by id":          c.loginForm("red-user", "domain=/", "domainid="+string(c.tenants["red-user"].Domain)),
		"by path":        c.loginForm("red-user", "domain=red"),
		"command's case": c.loginForm("red-user", "command=LOGIN"),
	} {
		if r := post(form); r.status != 200 {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
}

func TestWhoGuessesIsLockedOut(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	post := func(form string) reply { return c.do(c.request("POST", "/client/api", form)) }
	for range 5 {
		failed(t, post(c.loginForm("red-user", "password=wrong")), "errorresponse", 531)
	}
	failed(t, post(c.loginForm("red-user")), "errorresponse", 531)
	c.clock.forward(2 * time.Minute)
	c.login("red-user")
	// An address that fails too often is not even listened to.
	c.clock.stand() // a failure is forgiven every three seconds
	for range 20 {
		failed(t, post(c.loginForm("nobody")), "errorresponse", 531)
	}
	if e := failed(t, post(c.loginForm("red-user")), "errorresponse", 429); e.CSCode != 4545 {
		t.Errorf("%+v", e)
	}
	if r := c.as("root", "listCapabilities"); r.status != 200 {
		t.Errorf("keys suffer: %d", r.status)
	}
	c.clock.forward(time.Minute)
	c.login("red-user")
}
