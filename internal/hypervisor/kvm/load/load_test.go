package load

import "testing"

// This machine is busy with the test, at least.
func TestLook(t *testing.T) {
	t.Parallel()
	g, err := New()
	if err != nil {
		t.Fatal(err)
	}
	g.last = work{busy: 1, whole: 2} // since long ago
	l, err := g.Look()
	all, wrong := MemoryMB()
	if err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}
	if l.CPU == nil || *l.CPU <= 0 || *l.CPU > 1 || l.Average < 0 || l.MemoryKB < 1<<10 || l.MemoryKB > int64(all)<<10 {
		t.Errorf("of %d MB this machine uses %+v", all, l)
	}
	g.last = work{busy: g.last.busy + 1000, whole: g.last.whole - 1000} // a count that the kernel took back
	if l, err = g.Look(); err != nil || l.CPU == nil || *l.CPU != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}
