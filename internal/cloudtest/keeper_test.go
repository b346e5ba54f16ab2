package cloudtest_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/keep"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

func TestHealthKeeper(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 3, Rest: []string{"host-health"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		c.Clock.Stand()
		round := func() map[host.State]int {
			t.Helper()
			must(t, c.Keepers.Round(ctx, "host-health"))
			hosts, _, err := c.Hosts.List(ctx, host.Filter{})
			must(t, err)
			states := map[host.State]int{}
			for _, h := range hosts {
				states[h.State]++
			}
			return states
		}
		if got := round(); got[host.Up] != 3 {
			t.Fatalf("at first: %v", got)
		}
		hosts, _, err := c.Hosts.List(ctx, host.Filter{})
		must(t, err)
		silent, err := hypervisor.ParseRule("PingCommand", "fault", 0)
		must(t, err)
		silent.Host = hosts[0].ID
		must(t, c.Hosts.Script(ctx, silent))
		lasting := func() (n int) {
			t.Helper()
			alerts, total, err := alert.List(ctx, c.DB.Read(), alert.Filter{Types: []alert.Type{alert.Host}})
			must(t, err)
			for _, a := range alerts {
				if a.Resolved.IsZero() && a.Subject == string(hosts[0].ID) && strings.Contains(a.Description, hosts[0].Name) {
					n++
				}
			}
			if total != 1 {
				t.Errorf("%d alerts of one silence", total)
			}
			return n
		}
		if got := round(); got[host.Alert] != 1 || got[host.Up] != 2 || lasting() != 1 {
			t.Errorf("one silent: %v", got)
		}
		c.Clock.Forward(10 * time.Second) // with the interval before it less than 2.5 of them
		if got := round(); got[host.Alert] != 1 || lasting() != 1 {
			t.Errorf("one silent, but not for long: %v", got)
		}
		c.Clock.Forward(6 * time.Second)
		if got := round(); got[host.Down] != 1 || lasting() != 1 {
			t.Errorf("one silent for long: %v", got)
		}
		answers, err := hypervisor.ParseRule("PingCommand", "none", 0)
		must(t, err)
		answers.Host = hosts[0].ID
		must(t, c.Hosts.Script(ctx, answers))
		if got := round(); got[host.Up] != 3 || lasting() != 0 {
			t.Errorf("it answers again: %v", got)
		}
		events, _, err := event.List(ctx, c.DB.Read(), event.Filter{Scope: auth.Scope{All: true}, ResourceID: string(hosts[0].ID)})
		must(t, err)
		if len(events) != 3 {
			t.Errorf("%d events of three changes", len(events))
		}
		status, err := keep.List(ctx, c.DB.Read())
		must(t, err)
		for _, s := range status {
			if s.Name == "host-health" && (s.Runs < 4 || s.LastError != "" || s.Holder != "test") {
				t.Errorf("status %+v", s)
			}
		}
	})
}

// When a host was last seen is noted for all that answer, and not more often than once a minute.
func TestHealthKeeperNotesWhoAnswers(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 3, Rest: []string{"host-health"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		seen := func() []time.Time {
			t.Helper()
			must(t, c.Keepers.Round(ctx, "host-health"))
			hosts, _, err := c.Hosts.List(ctx, host.Filter{})
			must(t, err)
			times := make([]time.Time, len(hosts))
			for i, h := range hosts {
				times[i] = h.LastSeen
			}
			return times
		}
		hosts, _, err := c.Hosts.List(ctx, host.Filter{})
		must(t, err)
		silent, err := hypervisor.ParseRule("PingCommand", "fault", 0)
		must(t, err)
		silent.Host = hosts[0].ID
		must(t, c.Hosts.Script(ctx, silent))
		c.Clock.Forward(2 * time.Minute) // the sandbox may be a copy of one that is some seconds old
		first := seen()
		c.Clock.Forward(30 * time.Second)
		if soon := seen(); !slices.EqualFunc(soon, first, time.Time.Equal) {
			t.Errorf("half a minute later %v, was %v", soon, first)
		}
		c.Clock.Forward(time.Minute)
		for i, at := range seen() {
			if later := at.After(first[i]); later != (i > 0) {
				t.Errorf("host %d was seen at %v, before at %v", i, at, first[i])
			}
		}
	})
}

// One server begins a keeper's rounds at a time; another one takes over when the lease has run out.
func TestKeeperLease(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{NoSeed: true, NoStart: true}, func(t *testing.T, c *cloudtest.Cloud) {
		ran := map[string]int{}
		server := func(name string) *keep.Keepers {
			return keep.New(c.DB, name, nil, keep.Keeper{Name: "test", Period: time.Minute, Round: func(context.Context) error {
				ran[name]++
				return nil
			}})
		}
		a, b := server("a"), server("b")
		must(t, a.Round(t.Context(), "test"))
		must(t, b.Round(t.Context(), "test"))
		must(t, a.Round(t.Context(), "test"))
		if ran["a"] != 2 || ran["b"] != 0 {
			t.Errorf("while a holds it: %v", ran)
		}
		c.Clock.Forward(time.Hour)
		must(t, b.Round(t.Context(), "test"))
		must(t, a.Round(t.Context(), "test"))
		if ran["a"] != 2 || ran["b"] != 1 {
			t.Errorf("after a's lease: %v", ran)
		}
	})
}

func TestExpungeKeeper(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Rest: []string{"expunge"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		id, job, err := c.Machines.Deploy(ctx, smallIn(t, c, ctx, "10.8.0.1", "255.255.252.0"))
		must(t, err)
		end(t, c, job)
		job, err = c.Machines.Destroy(ctx, id, false)
		must(t, err)
		end(t, c, job)
		state := func() compute.VM {
			t.Helper()
			vms, err := compute.ByID(ctx, c.DB.Read(), []uid.VM{id})
			must(t, err)
			return vms[id]
		}
		must(t, c.Keepers.Round(ctx, "expunge"))
		if vm := state(); vm.State != compute.Destroyed {
			t.Errorf("at once it is %s", vm.State)
		}
		c.Clock.Forward(25 * time.Hour)
		must(t, c.Keepers.Round(ctx, "expunge"))
		jobs, _, err := op.List(ctx, c.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, Subject: string(id)})
		must(t, err)
		end(t, c, jobs[len(jobs)-1].ID)
		if vm := state(); vm.Removed.IsZero() {
			t.Errorf("a day later it is still there, %s", vm.State)
		}
	})
}

// A machine that a job is working on is passed over, and one that can't be expunged does not keep the others.
func TestExpungeKeeperGoesOn(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Broken: true, Rest: []string{"expunge"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		in := smallIn(t, c, ctx, "10.8.0.1", "255.255.252.0")
		var ids []uid.VM
		for range 3 {
			id, job, err := c.Machines.Deploy(ctx, in)
			must(t, err)
			end(t, c, job)
			job, err = c.Machines.Destroy(ctx, id, false)
			must(t, err)
			end(t, c, job)
			ids = append(ids, id)
		}
		must(t, c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			// The first one's job is open again, as if it were stuck, and the second one's row can't be read.
			_, err := tx.NewRaw("update operations set finished = null, state = 'stuck', owner = '' where plan = 'vm.destroy' and subject_id = ?",
				ids[0]).Exec(ctx)
			if err == nil {
				_, err = tx.NewRaw("update vms set details = 'no JSON' where id = ?", ids[1]).Exec(ctx)
			}
			return err
		}))
		c.Clock.Forward(25 * time.Hour)
		err := c.Keepers.Round(ctx, "expunge")
		if err == nil || !strings.Contains(err.Error(), string(ids[1])) || strings.Contains(err.Error(), string(ids[0])) {
			t.Errorf("the round's error is %v, want one that names only machine %s", err, ids[1])
		}
		jobs, _, err := op.List(ctx, c.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, Subject: string(ids[2])})
		must(t, err)
		end(t, c, jobs[len(jobs)-1].ID)
		vms, err := compute.ByID(ctx, c.DB.Read(), []uid.VM{ids[0], ids[2]})
		must(t, err)
		if vms[ids[0]].State != compute.Destroyed || vms[ids[2]].Removed.IsZero() {
			t.Errorf("the first is %s, the third %s", vms[ids[0]].State, vms[ids[2]].State)
		}
	})
}

// One round removes all that has ended long ago, however much it is.
func TestJobsKeeper(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Rest: []string{"jobs"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		_, job, err := c.Machines.Deploy(ctx, smallIn(t, c, ctx, "10.8.0.1", "255.255.252.0"))
		must(t, err)
		end(t, c, job)
		columns := `plan, thing, state, step, step_name, data, owner, fence, turn, run_at, command, user_id, account_id, domain_id,
			subject_kind, subject_id, event_id, created, updated, finished`
		must(t, c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw(`insert into operations (id, `+columns+`) with recursive n (i) as (select 1 union all select i + 1 from n where i < 2500)
				select id || n.i, `+columns+` from operations cross join n where id = ?`, job).Exec(ctx)
			return err
		}))
		c.Clock.Forward(25 * time.Hour)
		must(t, c.Keepers.Round(ctx, "jobs"))
		_, left, err := op.List(ctx, c.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, Limit: 1})
		if err != nil || left != 0 {
			t.Errorf("%d jobs are left, %v", left, err)
		}
	})
}

// A host that is full is passed over; when all are, an administrator is told why per host, and a user in sum and
// without numbers.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		in := smallIn(t, c, ctx, "10.7.0.1", "255.255.252.0")
		must(t, c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw("update hosts set memory_total = 700, memory_mb = 700 where name like '%.0'").Exec(ctx)
			if err == nil {
				_, err = tx.NewRaw("update hosts set resource_state = 'Maintenance' where name like '%.1'").Exec(ctx)
			}
			return err
		}))
		_, job, err := c.Machines.Deploy(ctx, in)
		must(t, err)
		end(t, c, job)
		_, job, err = c.Machines.Deploy(ctx, in)
		must(t, err)
		r, err := c.Engine.Wait(ctx, job)
		must(t, err)
		if r.State != op.Failed || !fault.Is(r.Err(), fault.Full) {
			t.Fatal(r.State, r.Err())
		}
		const text = "no host has room for this machine (500 MHz, 512 MB): hosts are not in use or without enough memory"
		const detail = "2 hosts: 1 in maintenance, 1 not enough memory (need 512 MB, 188 free); " +
			"SimulatedAgent.0.0: not enough memory (need 512 MB, 188 free); SimulatedAgent.0.1: in maintenance"
		if r.FaultText != text || r.FaultDetail != detail {
			t.Errorf("text   %s\ndetail %s", r.FaultText, r.FaultDetail)
		}
	})
}

func end(t *testing.T, c *cloudtest.Cloud, job op.ID) {
	t.Helper()
	r, err := c.Engine.Wait(context.Background(), job)
	must(t, err)
	if r.State != op.Done {
		t.Fatalf("%s ended %s: %v %s", r.Plan, r.State, r.Err(), r.FaultDetail)
	}
}
