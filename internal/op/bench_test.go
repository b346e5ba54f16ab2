package op_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

type nothing struct{}

// BenchmarkEmpty tells how many empty operations of four steps (Tx, Do, Do, Tx: the shape of a deployment) a server does a
// second, durably: with FULL sync on SQLite, with synchronous_commit on PostgreSQL (start the server with PG_DURABLE=1).
func BenchmarkEmpty(b *testing.B) {
	b.Run("sqlite", func(b *testing.B) {
		dir, err := os.MkdirTemp(".", "bench-") // a real disk: /tmp may be memory
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = os.RemoveAll(dir) })
		empty(b, filepath.Join(dir, "virga.db"))
	})
	b.Run("postgres", func(b *testing.B) { empty(b, dbtest.Postgres(b)) })
}

func empty(b *testing.B, url string) {
	d, err := db.Open(context.Background(), url, db.Options{Clock: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(d.Close)
	e := op.NewEngine(d, op.Options{})
	tx := func(context.Context, db.Tx, *nothing) error { return nil }
	do := func(context.Context, *nothing) error { return nil }
	r := op.Register(e, op.New[nothing]("bench.empty").Tx("one", tx, tx).Do("two", do, do).Do("three", do, do).Tx("four", tx, tx))
	stop, err := e.Start(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(stop)
	b.ResetTimer()
	var all sync.WaitGroup
	work := make(chan struct{}, b.N)
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range 128 {
		all.Go(func() {
			for range work {
				id, _, err := r.Start(context.Background(), op.Request{Thing: op.On("bench", uid.New[uid.Op]())}, nothing{})
				if err != nil {
					b.Error(err)
					return
				}
				if got, err := e.Wait(context.Background(), id); err != nil || got.State != op.Done {
					b.Error(got.State, err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}
