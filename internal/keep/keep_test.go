package keep

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// A keeper's period may change while it runs, and counts from the last round, whichever server ran it.
func TestEvery(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		var now atomic.Int64
		now.Store(1_700_000_000_000_000)
		d := dbtest.OpenAt(t, url, func() time.Time { return time.UnixMicro(now.Load()) })
		every, boom := time.Hour, errors.New("boom")
		one := Keeper{
			Name: "one", Period: 10 * time.Second, Every: func() time.Duration { return every },
			Round: func(context.Context) error { return boom },
		}
		here, there := New(d, "here", nil, one), New(d, "there", nil, one)
		due := func(what string, want bool) {
			t.Helper()
			for _, k := range []*Keepers{here, there} {
				if got, err := k.due(t.Context(), one); err != nil || got != want {
					t.Errorf("%s, %s: due %v, %v; want %v", what, k.server, got, err, want)
				}
			}
		}
		pass := func(d time.Duration) { now.Add(d.Microseconds()) }
		due("at first", true)
		if err := here.Round(t.Context(), "one"); !errors.Is(err, boom) {
			t.Fatalf("the round gives %v", err)
		}
		due("after a round", false)
		pass(59 * time.Minute)
		due("before its time", false)
		every = time.Minute
		due("with a shorter period", true)
		every = time.Hour
		pass(time.Minute)
		due("after an hour", true)
		every = 0
		if got, err := here.due(t.Context(), Keeper{Name: "two", Period: time.Minute}); err != nil || !got {
			t.Errorf("a keeper without Every is due each time: %v, %v", got, err)
		}
	})
}

// A keeper that rests has the rounds that somebody asks for, and no others.
func TestRest(t *testing.T) {
	t.Parallel()
	var rounds [2]atomic.Int64
	again := make(chan struct{})
	keeper := func(i int, name string) Keeper {
		return Keeper{Name: name, Period: time.Millisecond, Round: func(ctx context.Context) error {
			rounds[i].Add(1)
			if i == 0 {
				select {
				case again <- struct{}{}:
				case <-ctx.Done():
				}
			}
			return nil
		}}
	}
	k := New(dbtest.OpenAt(t, dbtest.SQLite(t), time.Now), "here", nil, keeper(0, "works"), keeper(1, "rests"))
	if err := k.Rest("nobody"); err == nil {
		t.Error("a keeper rests that there is not")
	}
	if err := k.Rest("rests"); err != nil {
		t.Fatal(err)
	}
	stop := k.Start()
	for range 5 {
		<-again
	}
	stop()
	if n := rounds[1].Load(); n != 0 {
		t.Errorf("it had %d rounds while it rested", n)
	}
	if err := k.Round(t.Context(), "rests"); err != nil || rounds[1].Load() != 1 {
		t.Errorf("asked for one it had %d rounds: %v", rounds[1].Load(), err)
	}
}
