package main_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
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

// kills is how often the process is killed in the middle, on each database engine: 20 times in all, 200 in the soak.
func kills() int {
	if os.Getenv("VIRGA_SOAK") != "" {
		return 100
	}
	return 10
}

// A cloud under load is killed with -9 at random moments and started again. In the end nothing that was acknowledged is
// lost, nothing is stuck and nothing leaked.
func TestKill9(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		dir := filepath.Join(t.TempDir(), "data")
		args := []string{"--data", dir}
		path := filepath.Join(dir, "virga.db")
		if db.IsPostgres(url) {
			args, path = append(args, "--database", url), url
		}
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		load := &load{t: t, random: rand.New(rand.NewPCG(seed, 0)), jobs: map[uid.Op]bool{}, machines: map[uid.VM]bool{}}
		for range kills() {
			p := startDev(t, args...)
			load.run(time.Duration(50+load.random.IntN(400))*time.Millisecond, p.client())
			p.kill()
		}
		p := startDev(t, args...)
		load.settle(p.client())
		p.stop(os.Interrupt)

		d, err := db.Open(context.Background(), path, db.Options{Clock: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		world, err := sim.Open(filepath.Join(dir, "world.db"), sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = world.Close() }()
		for _, err := range cloudtest.Check(context.Background(), d, world) {
			t.Errorf("not whole: %v", err)
		}
		t.Logf("%d jobs and %d machines acknowledged", len(load.jobs), len(load.machines))
		if len(load.machines) < kills() {
			t.Error("there was hardly any load")
		}
	})
}

// load is users at work, and what the cloud acknowledged to them.
type load struct {
	t        *testing.T
	random   *rand.Rand
	mu       sync.Mutex
	jobs     map[uid.Op]bool
	machines map[uid.VM]bool
	wishes   *cs.DeployVirtualMachineIn
}

func (l *load) pick(n int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.random.IntN(n)
}

// run makes users deploy, stop, start and destroy for a time, all at once and without regard for each other, and beyond that until
// something has been acknowledged to each of them, on average: on a busy machine the time may be too short for that.
func (l *load) run(atLeast time.Duration, c *api.Client) {
	ctx, cancel := context.WithCancel(l.t.Context())
	defer cancel()
	if l.wishes == nil {
		wish := wanted(l.t, c)
		l.wishes = &wish
	}
	const users = 8
	acknowledged := make(chan struct{}, 1000)
	var all sync.WaitGroup
	for range users {
		all.Go(func() {
			for ctx.Err() == nil {
				if l.act(ctx, c) {
					select {
					case acknowledged <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	<-time.After(atLeast)
	tooLong, stop := context.WithTimeout(ctx, time.Minute)
	defer stop()
	for range users {
		select {
		case <-acknowledged:
		case <-tooLong.Done():
		}
	}
	cancel()
	all.Wait()
}

// act does one thing, and tells whether it was acknowledged.
func (l *load) act(ctx context.Context, c *api.Client) bool {
	id, ok := l.some()
	var job api.Started
	var err error
	switch what := l.pick(10); {
	case what < 5 || !ok:
		if job, err = api.Start(ctx, c, cs.DeployVirtualMachine, *l.wishes); err == nil {
			l.mu.Lock()
			l.machines[uid.VM(job.ID)] = true
			l.mu.Unlock()
		}
	case what < 6:
		job, err = api.Start(ctx, c, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: id, Forced: true})
	case what < 8:
		job, err = api.Start(ctx, c, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: id})
	default:
		job, err = api.Start(ctx, c, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: id, Expunge: what == 9})
	}
	if err == nil {
		l.mu.Lock()
		l.jobs[job.JobID] = true
		l.mu.Unlock()
		return true
	}
	// Refusals (a machine in the wrong state, or busy) and a server that is gone are what is to be expected here.
	if remote, ok := errors.AsType[*api.RemoteError](err); ok && remote.Code == 530 {
		l.t.Errorf("internal error: %v", err)
	}
	return false
}

func (l *load) some() (uid.VM, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.random.IntN(len(l.machines) + 1)
	for id := range l.machines {
		if n--; n <= 0 {
			return id, true
		}
	}
	return "", false
}

// settle waits until every acknowledged job has ended, and looks that none is lost.
func (l *load) settle(c *api.Client) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for id := range l.jobs {
		for {
			got, err := api.Do(ctx, c, cs.QueryAsyncJobResult, cs.QueryAsyncJobResultIn{JobID: id})
			if err != nil {
				l.t.Fatalf("acknowledged job %s: %v", id, err)
			}
			if got.Status != cs.JobPending {
				if got.State == "stuck" {
					l.t.Errorf("job %s is stuck", id)
				}
				break
			}
			<-time.After(10 * time.Millisecond) // who asks all the time takes the processor from what it waits for
		}
	}
}

// wanted is a small machine in the sandbox, in a network of its own.
func wanted(t testing.TB, c *api.Client) cs.DeployVirtualMachineIn {
	t.Helper()
	ctx := context.Background()
	zones, err := api.Fetch(ctx, c, cs.ListZones, cs.ListZonesIn{})
	must(t, err)
	offs, err := api.Fetch(ctx, c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{Name: "Small Instance"})
	must(t, err)
	tpls, err := api.Fetch(ctx, c, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured"})
	must(t, err)
	nets, err := api.Fetch(ctx, c, cs.ListNetworkOfferings, cs.ListNetworkOfferingsIn{Availability: "Required"})
	must(t, err)
	n, err := api.Do(ctx, c, cs.CreateNetwork, cs.CreateNetworkIn{
		Name: "big", ZoneID: zones.Items[0].ID, OfferingID: nets.Items[0].ID, Gateway: "10.0.0.1", Netmask: "255.255.252.0",
	})
	must(t, err)
	return cs.DeployVirtualMachineIn{
		ServiceOfferingID: offs.Items[0].ID, TemplateID: tpls.Items[0].ID, ZoneID: zones.Items[0].ID, NetworkIDs: []uid.Network{n.ID},
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
