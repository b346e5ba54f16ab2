package cloudtest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
)

// BenchmarkDeploy tells how many machines a cloud deploys a second, from the request to the running machine, durably: with
// FULL sync on SQLite, with synchronous_commit on PostgreSQL (start the server with PG_DURABLE=1). The hosts are simulated.
// With -benchtime 100000x it also tells how that changes as the cloud fills: a rate for every 10,000 machines.
func BenchmarkDeploy(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir, err := os.MkdirTemp(".", "bench-") // a real disk: /tmp may be memory
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
		path := filepath.Join(dir, "virga.db")
		d, err := db.Open(b.Context(), path, db.Options{Clock: time.Now})
		must(b, err)
		d.Close()
		deployments(b, path)
	})
	b.Run("postgres", func(b *testing.B) { deployments(b, dbtest.Postgres(b)) })
}

func deployments(b *testing.B, url string) {
	c := cloudtest.New(b, url, cloudtest.Options{Hosts: b.N/12 + 20, Durable: true, Engine: op.Options{Poll: 200 * time.Millisecond}})
	ctx := auth.With(context.Background(), auth.System())
	_, err := c.Settings.Change(ctx, setting.GuestCIDRLimit.Name, setting.Place{}, "9")
	must(b, err)
	// Networks of 5,000 machines: larger ones than most that people have, and few for this many machines.
	wishes := make([]compute.DeployIn, b.N/5000+1)
	for i := range wishes {
		wishes[i] = smallIn(b, c, ctx, fmt.Sprintf("10.%d.%d.1", 128+i/8, i%8*32), "255.255.224.0")
	}
	work := make(chan compute.DeployIn, b.N)
	for i := range b.N {
		work <- wishes[i%len(wishes)]
	}
	close(work)
	b.ResetTimer()
	var all sync.WaitGroup
	pace := pace{b: b, since: time.Now(), used: processorTime(b)}
	for range 128 {
		all.Go(func() {
			for in := range work {
				_, job, err := c.Machines.Deploy(ctx, in)
				if err != nil {
					b.Error(err)
					return
				}
				if r, err := c.Engine.Wait(ctx, job); err != nil || r.State != op.Done {
					b.Error(r.State, r.Err(), r.FaultDetail, err)
					return
				}
				pace.one()
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deployments/s")
}

// pace tells the rate of each stretch of a long run.
type pace struct {
	b     *testing.B
	mu    sync.Mutex
	done  int
	since time.Time
	used  time.Duration
}

func (p *pace) one() {
	const stretch = 10_000
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done++; p.done%stretch != 0 {
		return
	}
	now, used := time.Now(), processorTime(p.b)
	p.b.Logf("machines %d to %d: %.0f deployments/s, %s of our processor time each", p.done-stretch+1, p.done,
		stretch/now.Sub(p.since).Seconds(), ((used - p.used) / stretch).Round(10*time.Microsecond))
	p.since, p.used = now, used
}

// processorTime is what this process has used: it tells whether a slower stretch had more to do or met a slower machine.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
