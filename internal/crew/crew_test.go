package crew_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/virga-cloud/virga/internal/crew"
)

// What things that change all the time cost is a part of a processor: each of them, or all together.
func TestRests(t *testing.T) {
	t.Parallel()
	const took, things, long = 10 * time.Millisecond, 4, 37 * time.Second
	for _, one := range []struct {
		shared bool
		every  time.Duration // from a look at a thing to the next one
	}{
		{false, took + 9*took},
		{true, took + 9*things*took},
	} {
		synctest.Test(t, func(t *testing.T) {
			var looks [things]atomic.Int64
			var c *crew.Crew[int]
			c = crew.New(crew.Options[int]{Now: time.Now, AtOnce: things, Shared: one.shared, Do: func(_ context.Context, id int) error {
				looks[id].Add(1)
				c.Wake(id)
				<-time.After(took)
				return nil
			}})
			stop := c.Start(t.Context())
			for id := range things {
				if !c.Wake(id) {
					t.Fatal("nobody works")
				}
			}
			<-time.After(long)
			stop()
			for id := range things {
				if n, want := looks[id].Load(), int64(long/one.every); n < want || n > want+1 {
					t.Errorf("shared %v: %d looks at thing %d, want %d", one.shared, n, id, want)
				}
			}
		})
	}
}

// A look that fails is tried again with growing pauses, and what has not changed is looked at once.
func TestFailuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tried []time.Duration
		begun := time.Now()
		var told int
		c := crew.New(crew.Options[string]{Now: time.Now, AtOnce: 1, Do: func(context.Context, string) error {
			if tried = append(tried, time.Since(begun)); len(tried) < 4 {
				return errors.New("not yet")
			}
			return nil
		}, Failed: func(_ context.Context, id string, failures int, cause error) {
			if told++; id != "a" || failures != told || cause == nil {
				t.Errorf("failure %d of %q: %v", failures, id, cause)
			}
		}})
		defer c.Start(t.Context())()
		c.Wake("a")
		<-time.After(time.Minute)
		synctest.Wait()
		want := []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond}
		if len(tried) != len(want) {
			t.Fatalf("looked at %v, want %v", tried, want)
		}
		for i := range want {
			if tried[i] != want[i] {
				t.Errorf("look %d after %v, want %v", i+1, tried[i], want[i])
			}
		}
	})
}
