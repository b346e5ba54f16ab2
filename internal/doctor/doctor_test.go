package doctor_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/doctor"
	"github.com/virga-cloud/virga/internal/remote"
)

func examine(t *testing.T, c *api.Client) *doctor.Report {
	t.Helper()
	return doctor.Examine(t.Context(), doctor.In{Cloud: remote.Cloud{Send: c.Send, Now: time.Now}, Endpoint: c.Endpoint, APIKey: c.APIKey})
}

// text is what a report says of one check, findings and all.
func text(t *testing.T, r *doctor.Report, name string) string {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			raw, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			return string(raw)
		}
	}
	t.Fatalf("nothing was said of %s: %+v", name, r)
	return ""
}

func says(t *testing.T, r *doctor.Report, name string, want ...string) {
	t.Helper()
	got := text(t, r, name)
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%s: want %s in %s", name, w, got)
		}
	}
}

// A sandbox is well. What is broken in it is found, and a user is told what he may not see.
func TestExamineFindsWhatIsBroken(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	well := examine(t, c.Client)
	if well.Count != 0 || well.Unreachable {
		t.Errorf("a sandbox that is well: %+v", well)
	}
	says(t, well, "signed in", "as admin of account admin", "root admin", cs.Version)
	says(t, well, "health", `"ok"`, "/readyz")

	hosts, err := api.Fetch(t.Context(), c.Client, cs.ListHosts, cs.ListHostsIn{Type: "Routing"})
	must(t, err)
	silent, off := hosts.Items[0], hosts.Items[1]
	_, err = api.Do(t.Context(), c.Client, cs.ConfigureSimulator, cs.ConfigureSimulatorIn{HostID: silent.ID, Name: "PingCommand", Value: "fault:silence"})
	must(t, err)
	if _, err := api.Run(t.Context(), c.Client, cs.ReconnectHost, cs.ReconnectHostIn{ID: silent.ID}); err == nil {
		t.Fatal("a silent host was reconnected")
	}
	_, err = c.Client.Call(t.Context(), "updateHost", api.Params{"id": string(off.ID), "allocationstate": "Disable"})
	must(t, err)
	_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "incorrect.login.attempts.allowed", "value": "0"})
	must(t, err)
	ill := examine(t, c.Client)
	says(t, ill, "hosts", `"finding"`, "not Up but "+"Alert: "+silent.Name, "Up but Disabled: "+off.Name)
	says(t, ill, "settings", "incorrect.login.attempts.allowed is 0", "name=incorrect.login.attempts.allowed value=5")
	says(t, ill, "zones", `"ok"`)

	user, _ := c.Tenant(t, "ROOT", "ann", 0)
	seen := examine(t, user)
	if seen.Count != 0 || seen.Unreachable {
		t.Errorf("a user: %+v", seen)
	}
	says(t, seen, "signed in", "as ann of account ann", "user")
	for _, name := range []string{"hosts", "storage", "capacity", "alerts", "settings"} {
		says(t, seen, name, `"skipped"`, "this user may not see it")
	}
	for _, h := range hosts.Items[2:] {
		_, err = c.Client.Call(t.Context(), "updateHost", api.Params{"id": string(h.ID), "allocationstate": "Disable"})
		must(t, err)
	}
	says(t, examine(t, c.Client), "zones", `has no host that is up and enabled`)

	stranger := *c.Client
	stranger.SecretKey = "wrong"
	if r := examine(t, &stranger); !r.Unreachable || r.Count != 1 {
		t.Errorf("a stranger: %+v", r)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What no sandbox can be made to have: clocks that differ, jobs that are stuck, a cloud that is full.
func TestExamineAnswers(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Add(5*time.Minute).Format(http.TimeFormat))
		if r.URL.Path == "/readyz" {
			http.Error(w, "not ready", http.StatusServiceUnavailable)
		}
	}))
	defer server.Close()
	answers := map[string]string{
		"listCapabilities": `{"capability":{"cloudstackversion":"4.1.0"}}`,
		"listUsers":        `{"count":2,"user":[{"username":"bob","accounttype":2},{"username":"eve","accounttype":0,"account":"e","domain":"D"}]}`,
		"listAsyncJobs": `{"count":3,"asyncjobs":[{"jobid":"j1","cmd":"org.apache.StopVMCmd","created":"2026-03-04T03:00:00+0000","jobstatus":0},
			{"jobid":"j2","cmd":"deleteVolume","created":"2026-03-04T05:10:00+0000","jobstatus":0,"jobstate":"stuck","jobstep":"wipe"},
			{"jobid":"j3","cmd":"x","created":"2026-03-01T05:10:00+0000","jobstatus":1}]}`,
		"listConfigurations": `{"count":2,"configuration":[{"name":"cluster.memory.allocated.capacity.notificationthreshold","value":"0.9"},
			{"name":"cluster.memory.allocated.capacity.disablethreshold","value":"0.85"}]}`,
		"listCapacity": `{"count":3,"capacity":[{"type":0,"zonename":"z","capacitytotal":100,"percentused":"89"},
			{"type":1,"zonename":"z","capacitytotal":100,"percentused":"80.5"},{"type":4,"zonename":"z","capacitytotal":0,"percentused":"100"}]}`,
		"listAlerts": `{"count":2,"alert":[{"description":"host h is down","sent":"2026-03-04T01:00:00+0000"},
			{"description":"long ago","sent":"2026-03-01T01:00:00+0000"},{"description":"mended","sent":"2026-03-04T01:00:00+0000","resolved":"2026-03-04T01:10:00+0000"}]}`,
		"listTemplates":    `{"count":1,"template":[{"name":"t","zonename":"z","isready":false,"status":"404"}]}`,
		"listStoragePools": `{"count":1,"storagepool":[{"name":"p","state":"Maintenance"}]}`,
	}
	in := doctor.In{Endpoint: server.URL + "/client/api", Username: "eve", Cloud: remote.Cloud{
		Now: func() time.Time { return now },
		Send: func(_ context.Context, command string, _ api.Params) (json.RawMessage, error) {
			if text, ok := answers[command]; ok {
				return json.RawMessage(text), nil
			}
			if command == "listHosts" {
				return nil, &api.RemoteError{HTTPStatus: 530, Text: "broken"}
			}
			return json.RawMessage(`{}`), nil
		},
	}}
	r := doctor.Examine(t.Context(), in)
	says(t, r, "endpoint", "the clocks differ")
	says(t, r, "health", "/readyz says 503 not ready")
	says(t, r, "signed in", "as eve of account e, domain D: user")
	says(t, r, "zones", "no zone that this user could use")
	says(t, r, "hosts", "it can't be looked at: broken")
	says(t, r, "storage", "not Up but Maintenance: p")
	says(t, r, "capacity", "80.5 % are used, more than the 75 %")
	says(t, r, "templates", "404")
	says(t, r, "alerts", "host h is down")
	says(t, r, "jobs", "job j1 (StopVMCmd) is at work since", `job j2 (deleteVolume) is stuck at \"wipe\"`, "2 at work")
	says(t, r, "settings", "Deployments fail before anybody was alerted")
	if strings.Contains(text(t, r, "capacity"), "memory") || strings.Contains(text(t, r, "alerts"), "long ago") || strings.Contains(text(t, r, "alerts"), "mended") {
		t.Errorf("too much was found: %+v", r)
	}
	var b strings.Builder
	if err := r.Text(&b); err != nil || !strings.Contains(b.String(), "finding  jobs       2 at work\n  - job j1") || !strings.Contains(b.String(), "\nThere are ") {
		t.Errorf("%v\n%s", err, &b)
	}
	server.Close()
	if r := doctor.Examine(t.Context(), in); !r.Unreachable || len(r.Checks) != 1 || r.Count != 1 {
		t.Errorf("a server that is gone: %+v", r)
	}
}
