package bench

import (
	"testing"
	"time"
)

func TestPercentile(t *testing.T) {
	t.Parallel()
	upTo := func(n int) (out []time.Duration) {
		for i := range n {
			out = append(out, time.Duration(i+1)*time.Millisecond)
		}
		return out
	}
	for _, row := range []struct {
		times []time.Duration
		part  float64
		want  float64
	}{
		{nil, 0.5, 0},
		{upTo(1), 0.5, 1},
		{upTo(1), 0.99, 1},
		{upTo(2), 0.5, 1},
		{upTo(2), 0.9, 2},
		{upTo(3), 0.5, 2},
		{upTo(10), 0.9, 9},
		{upTo(10), 0.99, 10},
		{upTo(100), 0.5, 50},
		{upTo(100), 0.99, 99},
		{upTo(100), 1, 100},
		{upTo(1000), 0.99, 990},
		{upTo(1001), 0.99, 991},
		{[]time.Duration{1234567 * time.Nanosecond}, 1, 1.235},
	} {
		if got := percentile(row.times, row.part); got != row.want {
			t.Errorf("%v of %d: %v, want %v", row.part, len(row.times), got, row.want)
		}
	}
}
