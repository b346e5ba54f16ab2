package main_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/uid"
)

// failover is how long the other server may take to be done with a dead one's work: a lease of five seconds, and what is left of forty
// deployments on a machine that has other things to do.
const failover = 30 * time.Second

// Two servers share a PostgreSQL database. Each in turn is killed while it works on jobs; the other one finishes them.
func TestTwoServers(t *testing.T) {
	t.Parallel()
	url := dbtest.Postgres(t)
	dir := filepath.Join(t.TempDir(), "data")
	sandbox := startDev(t, "--data", dir, "--database", url, "--hosts", "20") // makes the sandbox, and the keys
	creds := sandbox.Creds
	wish := wanted(t, sandbox.client())
	sandbox.stop(os.Interrupt)

	server := func(name string) (*process, *api.Client) {
		p := launch(t, "server", "--name", name, "--data", filepath.Join(t.TempDir(), name), "--database", url, "--listen", "127.0.0.1:0",
			"--sim-world", filepath.Join(dir, "world.db"), "--key-file", filepath.Join(dir, "virga.key"))
		var endpoint string
		p.until("service", func() (found bool) {
			_, said, _ := strings.Cut(p.out.String(), " serves ")
			endpoint, _, found = strings.Cut(said, "\n")
			return found
		})
		return p, &api.Client{Endpoint: endpoint, APIKey: creds.APIKey, SecretKey: creds.SecretKey, PollInterval: 20 * time.Millisecond}
	}
	a, toA := server("a")
	b, toB := server("b")
	for _, round := range []struct {
		dies *process
		to   *api.Client
		left *api.Client
	}{{a, toA, toB}, {b, toB, nil}} {
		if round.left == nil { // the first one is back
			_, round.left = server("a")
		}
		jobs := startMany(t, round.to, wish, 40)
		round.dies.kill()
		died := time.Now()
		for _, id := range jobs {
			awaitJob(t, round.left, id, died)
		}
		t.Logf("%d jobs of a dead server ended within %v", len(jobs), time.Since(died).Round(time.Millisecond))
	}
	d, err := db.Open(context.Background(), url, db.Options{Clock: time.Now})
	must(t, err)
	defer d.Close()
	world, err := sim.Open(filepath.Join(dir, "world.db"), sim.Options{})
	must(t, err)
	defer func() { _ = world.Close() }()
	for _, err := range cloudtest.Check(context.Background(), d, world) {
		t.Errorf("not whole: %v", err)
	}
	// A step of a kind that commits with its record has one record of each success, however many servers had a hand in it.
	var twice int
	must(t, d.Read().NewRaw(`select count(*) from (select operation_id from operation_steps s
		where action = 'do' and error = '' group by operation_id, name having count(*) > 1) x`).Scan(context.Background(), &twice))
	if twice > 0 {
		t.Errorf("%d steps were recorded twice", twice)
	}
}

// startMany has jobs accepted that the server can't have finished when this returns: it starts them all at once.
func startMany(t *testing.T, c *api.Client, wish cs.DeployVirtualMachineIn, n int) []uid.Op {
	t.Helper()
	var all sync.WaitGroup
	var mu sync.Mutex
	var jobs []uid.Op
	for range n {
		all.Go(func() {
			job, err := api.Start(context.Background(), c, cs.DeployVirtualMachine, wish)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			jobs = append(jobs, job.JobID)
		})
	}
	all.Wait()
	return jobs
}

func awaitJob(t *testing.T, c *api.Client, id uid.Op, since time.Time) {
	t.Helper()
	for {
		got, err := api.Do(context.Background(), c, cs.QueryAsyncJobResult, cs.QueryAsyncJobResultIn{JobID: id})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status == cs.JobSucceeded {
			return
		}
		if got.Status == cs.JobFailed {
			t.Fatalf("job %s failed: %s", id, got.Result.Raw())
		}
		if time.Since(since) > failover {
			t.Fatalf("job %s stands at step %q %v after its server died", id, got.Step, time.Since(since))
		}
		<-time.After(10 * time.Millisecond) // who asks all the time takes the processor from what it waits for
	}
}
