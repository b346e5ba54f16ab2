package hypervisortest

import (
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// What a host shows of itself is seen by another one that has the storage, too.
func testWitness(t *testing.T, b *bench) {
	w, second := able[hypervisor.Witness](b), b.second()
	d := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	m := b.machine(d)
	m.Leased = true
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	in := hypervisor.PoolRef{Pool: b.Pool, URL: b.PoolURL}
	for _, by := range []uid.Host{second, b.host} {
		if sign, err := w.Sign(b.ctx(), by, in, b.host); err != nil || sign == "" {
			t.Errorf("host %s sees the sign %q, %v", by, sign, err)
		}
		if held, err := w.Held(b.ctx(), by, d.DiskRef); err != nil || !held {
			t.Errorf("to host %s the disk is held: %v, %v", by, held, err)
		}
	}
	_, err := w.Held(b.ctx(), second, b.disk().DiskRef)
	b.fails(err, fault.Conflict)
	nowhere := uid.New[uid.Host]()
	_, err = w.Sign(b.ctx(), nowhere, in, b.host)
	b.fails(err, fault.Unavailable)
	_, err = w.Held(b.ctx(), nowhere, d.DiskRef)
	b.fails(err, fault.Unavailable)
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	if held, err := w.Held(b.ctx(), second, d.DiskRef); err != nil || held {
		t.Errorf("of a machine that was stopped the disk is held: %v, %v", held, err)
	}
}
