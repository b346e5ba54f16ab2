package hypervisortest

import (
	"bytes"
	"cmp"
	"testing"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// imageRef names an image that is not there yet.
func (b *bench) imageRef() hypervisor.ImageRef {
	return hypervisor.ImageRef{Template: uid.New[uid.Template](), Store: cmp.Or(b.Store, uid.New[uid.ImageStore]()), StoreURL: cmp.Or(b.StoreURL, b.PoolURL)}
}

// url is where an image comes from.
func (b *bench) url() string { return cmp.Or(b.ImageURL, "http://example.org/tiny.qcow2") }

// testSnapshot is for drivers that are Snapshotters.
func testSnapshot(t *testing.T, b *bench) {
	keeper := able[hypervisor.Snapshotter](b)
	m, d := b.running()
	place := b.imageRef()
	ref := hypervisor.SnapshotRef{Snapshot: uid.New[uid.Snapshot](), Store: place.Store, StoreURL: place.StoreURL}
	b.ok(keeper.DropSnapshot(b.ctx(), b.host, ref)) // absent
	b.fails(keeper.RevertDisk(b.ctx(), b.host, d.DiskRef, ref), fault.Conflict)
	_, err := keeper.SaveImage(b.ctx(), b.host, place, ref)
	b.fails(err, fault.Conflict)
	from := b.disk()
	from.Snapshot, from.Store, from.StoreURL = ref.Snapshot, ref.Store, ref.StoreURL
	b.fails(b.Driver.MakeDisk(b.ctx(), b.host, from), fault.Conflict)

	for _, running := range []bool{true, false} {
		first, err := keeper.TakeSnapshot(b.ctx(), b.host, d.DiskRef, ref)
		b.ok(err)
		again, err := keeper.TakeSnapshot(b.ctx(), b.host, d.DiskRef, ref)
		b.ok(err)
		if first != again || first.Bytes != d.Bytes || first.StoredBytes <= 0 {
			t.Errorf("a snapshot of %d bytes is %+v, and then %+v", d.Bytes, first, again)
		}
		if running {
			b.has(b.host, m.VM)
			b.fails(keeper.RevertDisk(b.ctx(), b.host, d.DiskRef, ref), fault.Conflict)
			b.ok(keeper.DropSnapshot(b.ctx(), b.host, ref))
			b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
		}
	}
	for range 2 {
		b.ok(b.Driver.MakeDisk(b.ctx(), b.host, from))
		r, err := keeper.SaveImage(b.ctx(), b.host, place, ref)
		b.ok(err)
		if r.Bytes != d.Bytes || r.StoredBytes <= 0 {
			t.Errorf("an image of %d bytes is %+v", d.Bytes, r)
		}
		b.ok(keeper.RevertDisk(b.ctx(), b.host, d.DiskRef, ref))
	}
	b.reads(hypervisor.Stored{Store: place.Store, StoreURL: place.StoreURL, Template: place.Template})
	b.reads(hypervisor.Stored{Store: ref.Store, StoreURL: ref.StoreURL, Snapshot: ref.Snapshot})
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, from.DiskRef))
	_, err = keeper.TakeSnapshot(b.ctx(), b.host, from.DiskRef, hypervisor.SnapshotRef{
		Snapshot: uid.New[uid.Snapshot](), Store: ref.Store, StoreURL: ref.StoreURL})
	b.fails(err, fault.Conflict) // the disk is missing
	b.ok(keeper.DropSnapshot(b.ctx(), b.host, ref))
	b.ok(keeper.DropSnapshot(b.ctx(), b.host, ref))
	b.fails(keeper.RevertDisk(b.ctx(), b.host, d.DiskRef, ref), fault.Conflict)
}

// reads tries what a Giver has to give of something that is there.
func (b *bench) reads(s hypervisor.Stored) {
	giver := able[hypervisor.Giver](b)
	whole, err := giver.ReadStored(b.ctx(), b.host, s, 0, 2*hypervisor.MostPiece)
	b.ok(err)
	part, err := giver.ReadStored(b.ctx(), b.host, s, 3, 5)
	b.ok(err)
	end, err := giver.ReadStored(b.ctx(), b.host, s, whole.Size-1, 5)
	b.ok(err)
	after, err := giver.ReadStored(b.ctx(), b.host, s, whole.Size, 5)
	b.ok(err)
	if int64(len(whole.Data)) != min(whole.Size, hypervisor.MostPiece) || whole.Size < 10 || whole.Ending != "qcow2" ||
		!bytes.Equal(part.Data, whole.Data[3:8]) || part.Size != whole.Size || len(end.Data) != 1 || len(after.Data) != 0 {
		b.t.Errorf("of %+v: %d bytes of %d (%s), then %q, at the end %q, and then %q", s, len(whole.Data), whole.Size, whole.Ending, part.Data, end.Data, after.Data)
	}
	s.Template, s.Snapshot = uid.New[uid.Template](), ""
	_, err = giver.ReadStored(b.ctx(), b.host, s, 0, 5)
	b.fails(err, fault.Conflict)
}

// testCheckpoint is for drivers that are Checkpointers.
func testCheckpoint(_ *testing.T, b *bench) {
	keeper := able[hypervisor.Checkpointer](b)
	m, d := b.running()
	at := func(memory bool) hypervisor.Checkpoint {
		return hypervisor.Checkpoint{ID: uid.New[uid.VMSnapshot](), VM: m.VM, Disks: []hypervisor.DiskRef{d.DiskRef}, Memory: memory}
	}
	with, without, cold := at(true), at(false), at(false)
	b.ok(keeper.DropCheckpoint(b.ctx(), b.host, with)) // absent
	b.fails(keeper.RevertTo(b.ctx(), b.host, with), fault.Conflict)
	for range 2 {
		b.ok(keeper.TakeCheckpoint(b.ctx(), b.host, with))
		b.ok(keeper.TakeCheckpoint(b.ctx(), b.host, without))
		b.ok(keeper.RevertTo(b.ctx(), b.host, with))
		b.has(b.host, m.VM)
	}
	b.fails(keeper.RevertTo(b.ctx(), b.host, without), fault.Conflict) // it runs
	wrong := at(true)
	wrong.Disks = append(wrong.Disks, b.disk().DiskRef)
	b.fails(keeper.TakeCheckpoint(b.ctx(), b.host, wrong), fault.Conflict)

	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.fails(keeper.TakeCheckpoint(b.ctx(), b.host, at(true)), fault.Conflict)
	b.fails(keeper.RevertTo(b.ctx(), b.host, with), fault.Conflict) // it does not run
	b.ok(keeper.TakeCheckpoint(b.ctx(), b.host, cold))
	b.ok(keeper.TakeCheckpoint(b.ctx(), b.host, cold))
	b.ok(keeper.RevertTo(b.ctx(), b.host, without))
	b.ok(keeper.RevertTo(b.ctx(), b.host, cold))
	b.ok(keeper.DropCheckpoint(b.ctx(), b.host, cold))
	b.fails(keeper.RevertTo(b.ctx(), b.host, cold), fault.Conflict)
	b.ok(b.Driver.Start(b.ctx(), b.host, m))
	b.ok(keeper.RevertTo(b.ctx(), b.host, with)) // what was kept of its memory is in its disks
	b.has(b.host, m.VM)
	for range 2 {
		b.ok(keeper.DropCheckpoint(b.ctx(), b.host, with))
		b.ok(keeper.DropCheckpoint(b.ctx(), b.host, without))
	}
	b.fails(keeper.RevertTo(b.ctx(), b.host, with), fault.Conflict)
	b.ok(b.Driver.Stop(b.ctx(), b.host, m.VM, true))
	b.ok(keeper.TakeCheckpoint(b.ctx(), b.host, cold))
	b.ok(b.Driver.DropDisk(b.ctx(), b.host, d.DiskRef))
	b.ok(keeper.DropCheckpoint(b.ctx(), b.host, cold))
}
