package hypervisortest

import (
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// testUsage is for drivers that are Meters.
func testUsage(t *testing.T, b *bench) {
	meter := able[hypervisor.Meter](b)
	none, err := meter.Usage(b.ctx(), b.host)
	b.ok(err)
	m, d := b.running()
	some, err := meter.Usage(b.ctx(), b.host)
	b.ok(err)
	if len(none) != 0 || len(some) != 1 || some[0].VM != m.VM || some[0].MemoryKB <= 0 || some[0].CPU < 0 ||
		some[0].Run == "" || len(some[0].Disks) != 1 || some[0].Disks[0].Volume != d.Volume {
		t.Errorf("usage is %+v, and then %+v", none, some)
	}
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	none, err = meter.Usage(b.ctx(), b.host)
	b.ok(err)
	if len(none) != 0 {
		t.Errorf("a machine that is stopped uses %+v", none)
	}
	_, err = meter.Usage(b.ctx(), uid.New[uid.Host]())
	b.fails(err, fault.Unavailable)
}

// testLoad is for drivers that are Gauges.
func testLoad(t *testing.T, b *bench) {
	gauge := able[hypervisor.Gauge](b)
	b.running()
	for range 2 {
		l, err := gauge.Load(b.ctx(), b.host)
		b.ok(err)
		if l.CPU != nil && (*l.CPU < 0 || *l.CPU > 1) || l.Average < 0 || l.MemoryKB <= 0 || l.Sent < 0 || l.Received < 0 {
			t.Errorf("the host's load is %+v", l)
		}
	}
	_, err := gauge.Load(b.ctx(), uid.New[uid.Host]())
	b.fails(err, fault.Unavailable)
}
