package hypervisortest

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// testForget is for drivers that must be told of their hosts.
func testForget(t *testing.T, b *bench) {
	driver, ok := b.Driver.(hypervisor.Enroller)
	if !ok {
		t.Skip("needs a driver that is told of its hosts")
	}
	b.ok(driver.Forget(b.ctx(), uid.New[uid.Host]()))
	m, d := b.running()
	b.fails(driver.Forget(b.ctx(), b.host), fault.Conflict)
	b.has(b.host, m.VM)
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef))

	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	b.cancelled(driver.Forget(ctx, b.host))
	_, err := b.Driver.Probe(b.ctx(), b.host)
	b.ok(err)
	for range 2 {
		b.ok(driver.Forget(b.ctx(), b.host))
		_, err = b.Driver.Probe(b.ctx(), b.host)
		b.fails(err, fault.Unavailable)
	}
	b.ok(driver.Enroll(b.ctx(), b.host, hypervisor.Capacity{}))
	b.has(b.host)
}

// testAnswering is for drivers that know of many hosts at once.
func testAnswering(t *testing.T, b *bench) {
	driver, ok := b.Driver.(hypervisor.Watcher)
	if !ok {
		t.Skip("needs a driver that knows of many hosts at once")
	}
	nowhere := uid.New[uid.Host]()
	known, err := driver.Answering(b.ctx(), []uid.Host{b.host, nowhere})
	b.ok(err)
	if !known[b.host] || known[nowhere] || len(known) != 1 {
		t.Errorf("%v are said to answer, of %s and %s, which is not there", known, b.host, nowhere)
	}
	ctx, cancel := context.WithCancel(b.ctx())
	cancel()
	_, err = driver.Answering(ctx, []uid.Host{b.host})
	b.cancelled(err)
}

// testPool is for drivers that know how large pools are.
func testPool(t *testing.T, b *bench) {
	driver, ok := b.Driver.(hypervisor.Storer)
	if !ok {
		t.Skip("needs a driver that knows how large pools are")
	}
	ref := hypervisor.PoolRef{Pool: b.Pool, URL: b.PoolURL}
	before, err := driver.Pool(b.ctx(), b.host, ref)
	b.ok(err)
	if before.Bytes <= 0 || before.Used < 0 || before.Used > before.Bytes {
		t.Errorf("the pool is %+v", before)
	}
	d := b.disk()
	b.ok(b.Driver.MakeDisk(b.ctx(), b.host, d))
	after, err := driver.Pool(b.ctx(), b.host, ref)
	b.ok(err)
	if after.Bytes != before.Bytes || after.Used < before.Used && !b.OthersWrite {
		t.Errorf("with a disk more the pool is %+v, was %+v", after, before)
	}
	_, err = driver.Pool(b.ctx(), uid.New[uid.Host](), ref)
	b.fails(err, fault.Unavailable)
}
