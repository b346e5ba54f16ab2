package cloudstack

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/uid"
)

// job is a job as clients see it.
type job struct {
	cs.AsyncJob
	raw string
}

func (c *cloud) start(mode string) api.Started {
	c.t.Helper()
	r := c.answer("red-user", testJob, "mode="+mode)
	var body struct {
		Response struct {
			ID    string `json:"id"`
			JobID uid.Op `json:"jobid"`
		} `json:"makethingresponse"`
	}
	c.must(json.Unmarshal([]byte(r.body), &body))
	return api.Started{ID: body.Response.ID, JobID: body.Response.JobID}
}

func (c *cloud) query(who string, id uid.Op) job {
	c.t.Helper()
	r := c.answer(who, cs.QueryAsyncJobResult, "jobid="+string(id))
	if !strings.Contains(r.body, `"jobresultcode":`) {
		c.t.Errorf("no jobresultcode: %s", r.body)
	}
	var body struct {
		Response cs.AsyncJob `json:"queryasyncjobresultresponse"`
	}
	c.must(json.Unmarshal([]byte(r.body), &body))
	return job{body.Response, string(body.Response.Result.Raw())}
}

func (c *cloud) await(id uid.Op) {
	c.t.Helper()
	_, err := c.facade.Engine.Wait(c.t.Context(), id)
	c.must(err)
}

func TestJobsEnd(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		for _, row := range []struct {
			mode         string
			status, code int
			state        string
			user, root   string
		}{
			{"", 1, 0, "done", `{"thing":{"id":"ID"}}`, `{"thing":{"id":"ID"}}`},
			{"full", 2, 533, "failed", `{"errorcode":533,"errortext":"no host has room"}`,
				`{"errorcode":533,"errortext":"no host has room: host one: 2 GB free, 4 GB asked"}`},
			{"defect", 2, 530, "failed", `{"errorcode":530,"errortext":"` + textInternal + ` (job JOB)"}`,
				`{"errorcode":530,"errortext":"internal error: ` + errCause.Error() + `"}`},
			{"stick", 2, 533, "stuck", `{"errorcode":533,"errortext":"no host has room"}`,
				`{"errorcode":533,"errortext":"no host has room: stuck at undoing begin: it can't be undone"}`},
		} {
			s := c.start(row.mode)
			c.await(s.JobID)
			for who, want := range map[string]string{"red-user": row.user, "root": row.root} {
				j := c.query(who, s.JobID)
				want = strings.NewReplacer("ID", s.ID, "JOB", string(s.JobID)).Replace(want)
				if j.Status != row.status || j.ResultCode != row.code || j.State != row.state || j.raw != want {
					t.Errorf("%q for %s: %d %d %s %s, want %+v", row.mode, who, j.Status, j.ResultCode, j.State, j.raw, row)
				}
				if j.Cmd != testJob.Name || j.InstanceID != s.ID || j.InstanceType != "VirtualMachine" || j.ResultType != "object" ||
					j.Account != "red-user" || j.DomainPath != "ROOT/red" || j.UserID != c.tenants["red-user"].User {
					t.Errorf("%+v", j)
				}
				if j.Completed.IsZero() != (row.state == "stuck") {
					t.Errorf("%s: completed %v", row.state, j.Completed)
				}
			}
		}
	})
}

func TestAJobWhoseThingIsGoneHasSucceeded(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	s := c.start("")
	c.await(s.JobID)
	c.work.gone.Store(true)
	if j := c.query("red-user", s.JobID); !strings.HasPrefix(j.raw, `{"success":true`) || j.Status != 1 {
		t.Errorf("%d %s", j.Status, j.raw)
	}
}

func TestJobsAreSeenByTheirOwnersAndAdmins(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		s := c.start("wait")
		j := c.query("red-user", s.JobID)
		if j.Status != 0 || j.ResultCode != 0 || j.raw != "" || j.ResultType != "" || j.State != "running" {
			t.Errorf("pending: %+v", j)
		}
		for who, sees := range map[string]bool{
			"red-user": true, "red-admin": true, "root": true, "blue-user": false, "blue-admin": false,
		} {
			r := c.as(who, "queryAsyncJobResult", "jobid="+string(s.JobID))
			list := c.answer(who, cs.ListAsyncJobs, "listall=true")
			if (r.status == 200) != sees || strings.Contains(list.body, string(s.JobID)) != sees {
				t.Errorf("%s: %d %s", who, r.status, list.body)
			}
			if !sees {
				failed(t, r, "queryasyncjobresultresponse", 431)
				failed(t, c.as(who, "cancelAsyncJob", "jobid="+string(s.JobID)), "cancelasyncjobresponse", 431)
			}
		}
		if list := c.answer("root", cs.ListAsyncJobs); list.body != `{"listasyncjobsresponse":{}}` {
			t.Errorf("the admin's own: %s", list.body)
		}
		c.answer("red-admin", cs.CancelAsyncJob, "jobid="+string(s.JobID))
		c.await(s.JobID)
		if j := c.query("red-user", s.JobID); j.Status != 2 || j.ResultCode != 431 || !strings.Contains(j.raw, "the job was cancelled") {
			t.Errorf("cancelled: %+v", j)
		}
		failed(t, c.as("red-user", "cancelAsyncJob", "jobid="+string(s.JobID)), "cancelasyncjobresponse", 431)
		if list := c.answer("red-user", cs.ListAsyncJobs); list.body != `{"listasyncjobsresponse":{}}` {
			t.Errorf("what has ended is listed: %s", list.body)
		}
	})
}

// The house's own client gets along with jobs, errors and pages.
func TestTheClientRunsJobs(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	keys := c.tenants["red-user"].keys
	client := &api.Client{Endpoint: c.server.URL + "/client/api", APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal(), PollInterval: time.Millisecond}
	out, err := api.Run(t.Context(), client, testJob, toilIn{})
	if err != nil || out.ID == "" {
		t.Errorf("%+v %v", out, err)
	}
	_, err = api.Run(t.Context(), client, testJob, toilIn{Mode: "full"})
	if e, ok := errors.AsType[*api.RemoteError](err); !ok || e.Code != 533 || e.Text != "no host has room" {
		t.Errorf("%#v", err)
	}
	commands := 0
	for _, err := range api.All(t.Context(), client, cs.ListEvents, cs.ListEventsIn{Paging: api.Paging{PageSize: 1}}) {
		c.must(err)
		commands++
	}
	if commands == 0 {
		t.Error("no events")
	}
}
