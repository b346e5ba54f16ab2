package front

import (
	"fmt"
	"testing"
	"time"
)

func TestTheThrottleForgivesAndForgets(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	th := newThrottle(3)
	try := func(remote string) bool { _, ok := th.begin(remote, now); return ok }
	for i := range 4 {
		if got := try("192.0.2.1:1000"); got != (i < 3) {
			t.Errorf("try %d: %v", i, got)
		}
	}
	if !try("192.0.2.2:1") {
		t.Error("another address suffers")
	}
	now = now.Add(20 * time.Second) // a third of a minute gives one of three back
	if !try("192.0.2.1:2") || try("192.0.2.1:3") {
		t.Error("it isn't forgiven one by one")
	}
	for i := range 4 { // one machine has as many addresses as it likes
		if got := try(fmt.Sprintf("[2001:db8::%d]:1", i)); got != (i < 3) {
			t.Errorf("IPv6 try %d: %v", i, got)
		}
	}
	if settle, ok := th.begin("[::ffff:192.0.2.2]:1", now); !ok {
		t.Error("a second try from there")
	} else {
		settle()
	}
	if free := newThrottle(-1); free.burst != 0 {
		t.Error("less than 0 is no limit")
	}
	for i := range maxAddresses + 10 {
		try(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if len(th.seen) > maxAddresses {
		t.Errorf("%d addresses in memory", len(th.seen))
	}
}
