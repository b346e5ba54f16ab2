package hypervisortest

import (
	"cmp"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

func testTake(t *testing.T, b *bench) {
	taker, ok := b.Driver.(hypervisor.Taker)
	if !ok {
		t.Skip("needs a driver that takes images")
	}
	content := b.Sent
	if content == nil {
		content = make([]byte, 1000)
	}
	store, at := uid.New[uid.ImageStore](), cmp.Or(b.StoreURL, b.PoolURL)
	image := hypervisor.Stored{Template: uid.New[uid.Template](), Store: store, StoreURL: at}
	snapshot := hypervisor.Stored{Snapshot: uid.New[uid.Snapshot](), Store: store, StoreURL: at}
	as := hypervisor.Sent{Format: "QCOW2", Bytes: int64(len(content))}
	drop := func(s hypervisor.Stored) {
		t.Helper()
		if s.Snapshot != "" {
			b.ok(b.Driver.(hypervisor.Snapshotter).DropSnapshot(b.ctx(), b.host, hypervisor.SnapshotRef{Snapshot: s.Snapshot, Store: store, StoreURL: at}))
			return
		}
		b.ok(b.Driver.(hypervisor.Imager).DropImage(b.ctx(), b.host, hypervisor.ImageRef{Template: s.Template, Store: store, StoreURL: at}))
	}
	for _, s := range []hypervisor.Stored{image, snapshot} {
		_, err := taker.TakeStored(b.ctx(), b.host, s, as) // nothing was sent
		b.fails(err, fault.Conflict)
		b.fails(taker.WriteStored(b.ctx(), b.host, s, 10, content[10:]), fault.Conflict)
		half := len(content) / 2
		for range 2 { // what is begun anew, and what comes twice
			b.ok(taker.WriteStored(b.ctx(), b.host, s, 0, content[:half]))
			b.fails(taker.WriteStored(b.ctx(), b.host, s, int64(half)+1, content[half+1:]), fault.Conflict)
			b.ok(taker.WriteStored(b.ctx(), b.host, s, int64(half), content[half:]))
			b.ok(taker.WriteStored(b.ctx(), b.host, s, int64(half), content[half:]))
		}
		first, err := taker.TakeStored(b.ctx(), b.host, s, as)
		b.ok(err)
		again, err := taker.TakeStored(b.ctx(), b.host, s, as)
		b.ok(err)
		if first != again || first.Bytes <= 0 || first.StoredBytes <= 0 {
			t.Errorf("what was taken is %+v, and then %+v", first, again)
		}
		if giver, can := b.Driver.(hypervisor.Giver); can {
			p, err := giver.ReadStored(b.ctx(), b.host, s, 0, 10)
			if b.ok(err); len(p.Data) != 10 {
				t.Errorf("what is read of it is %+v", p)
			}
		}
		if s.Snapshot != "" { // a disk is made from it
			k := b.disk()
			k.Bytes, k.Snapshot, k.Store, k.StoreURL = first.Bytes, s.Snapshot, store, at
			b.ok(b.Driver.MakeDisk(b.ctx(), b.host, k))
			b.ok(b.Driver.DropDisk(b.ctx(), b.host, k.DiskRef))
		}
		drop(s)
		b.ok(taker.WriteStored(b.ctx(), b.host, s, 0, content[:half])) // what is on its way goes, too
		drop(s)
		b.fails(taker.WriteStored(b.ctx(), b.host, s, int64(half), content[half:]), fault.Conflict)
		_, err = taker.TakeStored(b.ctx(), b.host, s, as)
		b.fails(err, fault.Conflict)
		b.ok(taker.WriteStored(b.ctx(), b.host, s, 0, content[:half])) // some of it was lost
		_, err = taker.TakeStored(b.ctx(), b.host, s, as)
		b.fails(err, fault.Conflict)
		drop(s)
		b.fails(taker.WriteStored(b.ctx(), uid.New[uid.Host](), s, 0, content), fault.Unavailable)
	}
}
