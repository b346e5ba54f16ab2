package bench_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/bench"
	"github.com/virga-cloud/virga/internal/remote"
)

// simple is a cloud of machines that are there at once, or not at all.
type simple struct {
	mu       sync.Mutex
	machines map[string]string // name by id
	deployed int
	onDeploy func(n int) error // is asked of every deployment
	keep     string            // the machine with this name can't be destroyed
	slow     string            // the machine with this id is still being made
	asked    int               // how often that was asked
}

func (s *simple) send(_ context.Context, command string, p api.Params) (json.RawMessage, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch command {
	case "listZones", "listTemplates", "listServiceOfferings":
		return json.RawMessage(`{"count":2,"thing":[{"id":"off","name":"off","allocationstate":"Disabled","isready":false,"iscustomized":true},{"id":"1","name":"one"}]}`), nil
	case "deployVirtualMachine":
		s.deployed++
		if s.onDeploy != nil {
			if err := s.onDeploy(s.deployed); err != nil {
				return nil, err
			}
		}
		id := fmt.Sprint("m", s.deployed)
		s.machines[id] = p["name"]
		return json.Marshal(map[string]string{"id": id, "jobid": id})
	case "destroyVirtualMachine":
		if s.machines[p["id"]] == s.keep {
			return nil, &api.RemoteError{HTTPStatus: 530, Text: "it stays"}
		}
		if p["id"] == s.slow {
			return nil, &api.RemoteError{HTTPStatus: 431, Text: "it is Starting"}
		}
		delete(s.machines, p["id"])
		return json.RawMessage(`{"jobid":"x"}`), nil
	case "queryAsyncJobResult":
		if p["jobid"] == s.slow {
			if s.asked++; s.asked < 4 {
				return json.RawMessage(`{"jobstatus":0}`), nil
			}
			s.slow = ""
		}
		return json.RawMessage(`{"jobstatus":1,"jobresult":{}}`), nil
	case "listVirtualMachines":
		var out []map[string]string
		for id, name := range s.machines {
			out = append(out, map[string]string{"id": id, "name": name, "state": "Running"})
		}
		return json.Marshal(map[string]any{"count": len(out), "virtualmachine": out})
	case "listNothing":
		return nil, &api.RemoteError{HTTPStatus: 432, Text: "no such command"}
	}
	return json.RawMessage(`{}`), nil
}

func machinesOf(s *simple, workload string) bench.In {
	return bench.In{Cloud: remote.Cloud{Send: s.send, Now: time.Now}, Workload: workload, Clients: 3, Count: 10, WarmUp: 1,
		Machines: bench.MachinesIn{Prefix: "b-1-"}}
}

func TestMachinesAreRemoved(t *testing.T) {
	t.Parallel()
	for _, workload := range []string{bench.Deploy, bench.Lifecycle} {
		s := &simple{machines: map[string]string{"mine": "b-1-not"}}
		r, err := bench.Measure(t.Context(), machinesOf(s, workload))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range r.Rows {
			if row.Count != 10 || row.Errors != 0 || row.Max < row.P50 || row.Rate == 0 {
				t.Errorf("%s: %+v", workload, row)
			}
		}
		if want := map[string]int{bench.Deploy: 1, bench.Lifecycle: 5}[workload]; len(r.Rows) != want || s.deployed != 11 || r.Setting.Zone != "one" {
			t.Errorf("%s: %d machines, %+v", workload, s.deployed, r)
		}
		if len(s.machines) != 1 || s.machines["mine"] == "" {
			t.Errorf("%s: these are left: %v", workload, s.machines)
		}
	}
}

// An interrupt ends a measurement: there is a report, and the machines go, those that are only just being made as well.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	s := &simple{machines: map[string]string{}, slow: "m6", onDeploy: func(n int) error {
		if n == 6 {
			stop()
		}
		return nil
	}}
	in := machinesOf(s, bench.Deploy)
	in.Count, in.Duration = 0, time.Hour
	r, err := bench.Measure(ctx, in)
	if err != nil || !r.Interrupted || len(r.Rows) != 1 || r.Rows[0].Errors != 0 || s.deployed > 8 || len(s.machines) != 0 || s.asked < 4 {
		t.Errorf("%v, %+v, %d deployed, left: %v, asked %d times", err, r, s.deployed, s.machines, s.asked)
	}
}

// Errors are counted by their texts, and what can't be removed is named.
func TestErrorsAndLeftovers(t *testing.T) {
	t.Parallel()
	s := &simple{machines: map[string]string{}, keep: "b-1-4", onDeploy: func(n int) error {
		if n > 6 {
			return &api.RemoteError{HTTPStatus: 533, Text: "no  room"}
		}
		return nil
	}}
	in := machinesOf(s, bench.Deploy)
	in.Clients = 1 // one after the other
	r, err := bench.Measure(t.Context(), in)
	if err == nil || !strings.Contains(err.Error(), "1 machines are left:\n  b-1-4: it stays") {
		t.Errorf("%v", err)
	}
	if row := r.Rows[0]; row.Count != 5 || row.Errors != 5 || len(row.Failed) != 1 || row.Failed[0] != (bench.Failure{Text: "no room", Count: 5}) {
		t.Errorf("%+v", row)
	}
	var b strings.Builder
	if err := r.Text(&b); err != nil || !strings.Contains(b.String(), "deploy failed 5 times: no room") {
		t.Errorf("%v\n%s", err, &b)
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	s := &simple{machines: map[string]string{}}
	in := machinesOf(s, bench.Deploy)
	in.Machines.Keep = true
	if _, err := bench.Measure(t.Context(), in); err != nil || len(s.machines) != 11 {
		t.Errorf("%v, %d machines", err, len(s.machines))
	}
	in.Machines.Zone = "none"
	if _, err := bench.Measure(t.Context(), in); err == nil || err.Error() != `there is no zone "none"; there are "off", "one"` {
		t.Errorf("%v", err)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	s := &simple{machines: map[string]string{}}
	in := bench.In{Cloud: remote.Cloud{Send: s.send, Now: time.Now}, Workload: bench.Lists, Clients: 4, Count: 25,
		Lists: []bench.List{{Name: "listZones"}, {Name: "listNothing"}, {Name: "listHosts"}}}
	r, err := bench.Measure(t.Context(), in)
	if err != nil || len(r.Rows) != 2 || r.Rows[0].Count != 25 || r.Rows[1].Name != "listHosts" || len(r.Skipped) != 1 || r.Skipped[0].Text != "no such command" {
		t.Errorf("%v, %+v", err, r)
	}
	var b strings.Builder
	if err := r.CSV(&b); err != nil || !strings.HasPrefix(b.String(), "name,count,errors,rate,p50,p90,p99,max\nlistZones,25,0,") {
		t.Errorf("%v\n%s", err, &b)
	}
	for _, wrong := range []bench.In{{}, {Clients: 1}, {Clients: 1, Count: -1}, {Clients: 1, Count: 1, Workload: bench.Lists}} {
		if wrong.Check() == nil {
			t.Errorf("%+v can be measured", wrong)
		}
	}
}
