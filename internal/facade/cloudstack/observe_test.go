package cloudstack

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/uid"
)

func TestAPanicIsAnInternalError(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	r := c.as("red-user", "failWith", "kind=panic", "text=boom")
	e := failed(t, r, "failwithresponse", 530)
	id := r.header.Get(requestID)
	if e.Text != textInternal+" (request "+id+")" || !uid.Valid(id) {
		t.Errorf("%+v", e)
	}
	log := c.log.String()
	if !strings.Contains(log, "panic=boom") || !strings.Contains(log, "request="+id) || !strings.Contains(log, "cloud_test.go") {
		t.Errorf("the log doesn't tell: %s", log)
	}
	if r := c.as("red-user", "listCapabilities"); r.status != 200 {
		t.Errorf("afterwards: %d", r.status)
	}
}

func TestTheLogTellsWhatUsersAreNotTold(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	r := c.as("red-user", "failWith", "kind=unknown")
	line := c.logLine(r)
	for _, want := range []string{
		"level=ERROR", `msg="API request"`, "command=failWith", "user=red-user", "status=530", "took=", "remote=127.0.0.1:", errCause.Error(),
		"account=" + string(c.tenants["red-user"].Account),
	} {
		if !strings.Contains(line, want) {
			t.Errorf("no %s in %s", want, line)
		}
	}
	if line := c.logLine(c.as("red-user", "failWith")); !strings.Contains(line, "level=INFO") || strings.Contains(line, "error=") {
		t.Errorf("success: %s", line)
	}
	if line := c.logLine(c.get("command=listUsers&apiKey=x&signature=y")); !strings.Contains(line, "no such API key") {
		t.Errorf("the reason for a 401 is missing: %s", line)
	}
}

// logLine is what the log says of a request.
func (c *cloud) logLine(r reply) string {
	c.t.Helper()
	for line := range strings.Lines(c.log.String()) {
		if strings.Contains(line, "request="+r.header.Get(requestID)) {
			return line
		}
	}
	c.t.Fatalf("nothing in the log: %d %s", r.status, r.body)
	return ""
}

// Whatever is sent, in whatever place it may stand by mistake, nothing secret of it is in the log.
func TestSecretsAreNotInTheLog(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := c.login("red-user")
	keys := c.tenants["red-user"].keys
	me := string(c.tenants["red-user"].User)
	secrets := []string{password, keys.Secret.Reveal(), s.key, s.cookies["JSESSIONID"].Value, "canary"}
	fresh := c.as("red-user", "registerUserKeys", "id="+me)
	secrets = append(secrets, regexp.MustCompile(`"secretkey":"([^"]+)"`).FindStringSubmatch(fresh.body)[1])
	post := func(form string) { c.do(c.request("POST", "/client/api", form)) }
	post(c.loginForm("red-user", "password=canary"))
	post(c.loginForm("red-user", "password=canary\x01"))
	post(c.loginForm("red-user", "Password=canary\x01"))
	post(c.loginForm("red-user", "command=canary"))
	post(c.loginForm("red-user", "command=logout"))
	c.get("command=" + s.key)
	c.get("command=listUsers&signature=canary&apiKey=canary")
	c.get("command=listUsers&password=%zz" + password)
	s.send("GET", "command=listCapabilities&sessionkey=canary%01", "JSESSIONID")
	s = c.login("resource-admin")
	secrets = append(secrets, s.key)
	s.send("POST", "command=listCapabilities&secretkey=canary%01&sessionkey="+s.key, "JSESSIONID")
	s.send("POST", "command=failWith&kind=panic&text=x&sessionkey="+s.key, "JSESSIONID")
	c.do(c.request("GET", "/client/api/canary?sessionkey="+s.key, ""))
	for _, secret := range secrets {
		if strings.Contains(c.log.String(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
	if line := c.logLine(fresh); !strings.Contains(line, "command=registerUserKeys") {
		t.Error("the log is not looked at")
	}
}

func TestMetricsHaveOneLabel(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	c.as("root", "listCapabilities")
	c.as("red-user", "failWith", "kind=full")
	for _, name := range []string{"a", "b", "<script>", strings.Repeat("x", 1000), "LOGIN", ""} {
		c.get("command=" + name)
	}
	r := c.do(c.request("GET", "/metrics", ""))
	var labels []string
	for _, match := range regexp.MustCompile(`virga_api_requests_total\{(.*)\} (\d+)`).FindAllStringSubmatch(r.body, -1) {
		labels = append(labels, match[1]+" "+match[2])
	}
	want := []string{`command="failWith" 1`, `command="listCapabilities" 1`, `command="login" 1`, `command="unknown" 5`}
	if !slices.Equal(labels, want) {
		t.Errorf("%q, want %q", labels, want)
	}
	for _, want := range []string{
		`virga_api_errors_total{command="failWith"} 1`, `virga_api_requests_in_flight 0`, "go_goroutines", "process_open_fds",
		`virga_api_request_duration_seconds_count{command="failWith"} 1`,
	} {
		if !strings.Contains(r.body, want) {
			t.Errorf("no %s", want)
		}
	}
	if strings.Contains(r.body, `virga_api_errors_total{command="listCapabilities"}`) {
		t.Error("a success counts as error")
	}
}

func TestAnswersAreClosedToBrowsers(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	for path, contentType := range map[string]string{
		"/client/api?command=x&response=json": "application/json; charset=UTF-8",
		"/client/api?command=x":               "text/xml; charset=UTF-8",
		"/openapi.json":                       "application/json; charset=UTF-8",
		"/docs/":                              "text/html; charset=UTF-8",
		"/healthz":                            "text/plain; charset=UTF-8",
		"/readyz":                             "text/plain; charset=UTF-8",
		"/":                                   "text/html; charset=utf-8",
	} {
		r := c.do(c.request("GET", path, ""))
		h := r.header
		if h.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(h.Get("Content-Security-Policy"), "default-src '") ||
			h.Get("Cache-Control") != "no-store" || !uid.Valid(h.Get(requestID)) || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %v", path, h)
		}
		if h.Get("Content-Type") != contentType {
			t.Errorf("%s: %s", path, h.Get("Content-Type"))
		}
	}
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	var unready atomic.Bool
	c := newCloudAt(t, dbtest.SQLite(t), front.Options{Ready: func(context.Context) error {
		if unready.Load() {
			return errCause
		}
		return nil
	}})
	if r := c.do(c.request("GET", "/readyz", "")); r.status != 200 {
		t.Errorf("%d %s", r.status, r.body)
	}
	unready.Store(true)
	if r := c.do(c.request("GET", "/readyz", "")); r.status != 503 || strings.Contains(r.body, errCause.Error()) {
		t.Errorf("%d %s", r.status, r.body)
	}
	unready.Store(false)
	c.db.Close()
	if r := c.do(c.request("GET", "/readyz", "")); r.status != 503 {
		t.Errorf("without a database: %d %s", r.status, r.body)
	}
	if r := c.do(c.request("GET", "/healthz", "")); r.status != 200 {
		t.Errorf("health without a database: %d", r.status)
	}
	failed(t, c.as("root", "listUsers"), "listusersresponse", 530)
}
