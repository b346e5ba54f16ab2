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
// With -benchtime 100000x it also tells how that changes as the cloud fills: a rate for every 10,000 machines, each beside that of a cloud
// as large which stays nearly empty, in the same minute on the same server, since machines and disks are not always as fast.
func BenchmarkDeploy(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir, err := os.MkdirTemp(".", "bench-") // a real disk: /tmp may be memory
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
		deployments(b, func(name string) string {
			path := filepath.Join(dir, name+".db")
			d, err := db.Open(b.Context(), path, db.Options{Clock: time.Now})
			must(b, err)
			d.Close()
			return path
		})
	})
	b.Run("postgres", func(b *testing.B) { deployments(b, func(string) string { return dbtest.Postgres(b) }) })
}

func deployments(b *testing.B, database func(name string) string) {
	const stretch, beside = 10_000, 1_000
	full := newFilling(b, database("full"), b.N)
	var empty *filling
	if b.N > stretch {
		empty = newFilling(b, database("empty"), b.N)
		empty.deploy(beside / 2) // which learns its plans
	}
	b.ResetTimer()
	for left := b.N; left > 0; left -= stretch {
		n := min(left, stretch)
		took, used := full.deploy(n)
		if empty == nil {
			continue
		}
		b.StopTimer()
		wanted, needed := empty.deploy(beside)
		b.StartTimer()
		b.Logf("machines %d to %d: %.0f deployments/s, %s of our processor time each; the empty cloud %.0f, %s; %.2f", b.N-left+1, b.N-left+n,
			float64(n)/took.Seconds(), perOne(used, n), beside/wanted.Seconds(), perOne(needed, beside),
			float64(n)/took.Seconds()/(beside/wanted.Seconds()))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "deployments/s")
}

func perOne(d time.Duration, n int) time.Duration {
	return (d / time.Duration(n)).Round(10 * time.Microsecond)
}

// filling is a cloud that is filled with machines.
type filling struct {
	b      *testing.B
	cloud  *cloudtest.Cloud
	wishes []compute.DeployIn
	ctx    context.Context //nolint:containedctx // of the one who fills it
	had    int
}

// newFilling makes a cloud that has room for n machines.
func newFilling(b *testing.B, url string, n int) *filling {
	f := &filling{b: b, ctx: auth.With(context.Background(), auth.System())}
	f.cloud = cloudtest.New(b, url, cloudtest.Options{Hosts: n/12 + 20, Durable: true, Engine: op.Options{Poll: 200 * time.Millisecond}})
	_, err := f.cloud.Settings.Change(f.ctx, setting.GuestCIDRLimit.Name, setting.Place{}, "9")
	must(b, err)
	// Networks of 5,000 machines: larger ones than most that people have, and few for this many machines.
	f.wishes = make([]compute.DeployIn, n/5000+1)
	for i := range f.wishes {
		f.wishes[i] = smallIn(b, f.cloud, f.ctx, fmt.Sprintf("10.%d.%d.1", 128+i/8, i%8*32), "255.255.224.0")
	}
	return f
}

// deploy tells how long it took to deploy n machines, 128 at once, and our processor time.
func (f *filling) deploy(n int) (took, used time.Duration) {
	work := make(chan compute.DeployIn, n)
	for range n {
		work <- f.wishes[f.had%len(f.wishes)]
		f.had++
	}
	close(work)
	since, before := time.Now(), processorTime(f.b)
	var all sync.WaitGroup
	for range 128 {
		all.Go(func() {
			for in := range work {
				_, job, err := f.cloud.Machines.Deploy(f.ctx, in)
				if err != nil {
					f.b.Error(err)
					return
				}
				if r, err := f.cloud.Engine.Wait(f.ctx, job); err != nil || r.State != op.Done {
					f.b.Error(r.State, r.Err(), r.FaultDetail, err)
					return
				}
			}
		})
	}
	all.Wait()
	return time.Since(since), processorTime(f.b) - before
}

// processorTime is what this process has used: it tells whether a slower stretch had more to do or met a slower machine.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	must(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
