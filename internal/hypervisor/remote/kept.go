package remote

import (
	"context"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// PlugCard gives a running machine a card.
func (d *Driver) PlugCard(ctx context.Context, host uid.Host, vm uid.VM, n hypervisor.NIC) error {
	return do(ctx, d, host, plugCard, plugCardIn{vm, n})
}

// UnplugCard takes a card from a machine.
func (d *Driver) UnplugCard(ctx context.Context, host uid.Host, vm uid.VM, id uid.NIC) error {
	return do(ctx, d, host, unplugCard, unplugCardIn{vm, id})
}

// ChangeCD changes what is in a machine's CD drive.
func (d *Driver) ChangeCD(ctx context.Context, host uid.Host, vm uid.VM, cd *hypervisor.ImageRef) error {
	return do(ctx, d, host, changeCD, changeCDIn{vm, cd})
}

// ResizeDisk makes a disk larger.
func (d *Driver) ResizeDisk(ctx context.Context, host uid.Host, k hypervisor.DiskRef, bytes int64) error {
	return do(ctx, d, host, resizeDisk, resizeIn{k, bytes})
}

// TakeSnapshot keeps what is on a disk.
func (d *Driver) TakeSnapshot(
	ctx context.Context, host uid.Host, k hypervisor.DiskRef, s hypervisor.SnapshotRef,
) (hypervisor.SnapshotReport, error) {
	return ask(ctx, d, host, takeSnapshot, snapshotIn{k, s})
}

// DropSnapshot removes a snapshot.
func (d *Driver) DropSnapshot(ctx context.Context, host uid.Host, s hypervisor.SnapshotRef) error {
	return do(ctx, d, host, dropSnapshot, s)
}

// RevertDisk makes a disk what a snapshot is.
func (d *Driver) RevertDisk(ctx context.Context, host uid.Host, k hypervisor.DiskRef, s hypervisor.SnapshotRef) error {
	return do(ctx, d, host, revertDisk, snapshotIn{k, s})
}

// SaveImage makes an image from a snapshot.
func (d *Driver) SaveImage(
	ctx context.Context, host uid.Host, i hypervisor.ImageRef, s hypervisor.SnapshotRef,
) (hypervisor.ImageReport, error) {
	return ask(ctx, d, host, saveImage, saveImageIn{i, s})
}

// ReadStored reads a piece of what is in a store.
func (d *Driver) ReadStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, most int) (hypervisor.Piece, error) {
	return ask(ctx, d, host, readStored, readStoredIn{s, offset, most})
}

// WriteStored sends a piece of what is to be in a store.
func (d *Driver) WriteStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, data []byte) error {
	return do(ctx, d, host, writeStored, writeStoredIn{s, offset, data})
}

// TakeStored has what was sent taken.
func (d *Driver) TakeStored(ctx context.Context, host uid.Host, s hypervisor.Stored, as hypervisor.Sent) (hypervisor.ImageReport, error) {
	return ask(ctx, d, host, takeStored, takeStoredIn{s, as})
}

// BringStored has a host keep an ISO.
func (d *Driver) BringStored(ctx context.Context, host uid.Host, s hypervisor.Stored, link string) error {
	return do(ctx, d, host, bringStored, bringStoredIn{s, link})
}

// SendStored has a host send what it has made.
func (d *Driver) SendStored(ctx context.Context, host uid.Host, s hypervisor.Stored, parts []hypervisor.Part) ([]string, error) {
	return ask(ctx, d, host, sendStored, sendStoredIn{s, parts})
}

// TakeCheckpoint keeps what a machine is.
func (d *Driver) TakeCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return do(ctx, d, host, takeCheckpoint, c)
}

// RevertTo takes a machine back to a checkpoint.
func (d *Driver) RevertTo(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return do(ctx, d, host, revertTo, c)
}

// DropCheckpoint forgets a checkpoint.
func (d *Driver) DropCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return do(ctx, d, host, dropCheckpoint, c)
}

// Usage tells what machines have used.
func (d *Driver) Usage(ctx context.Context, host uid.Host) ([]hypervisor.Usage, error) {
	return ask(ctx, d, host, usage, none{})
}

// Load tells how busy a host is.
func (d *Driver) Load(ctx context.Context, host uid.Host) (hypervisor.Load, error) {
	return ask(ctx, d, host, load, none{})
}

type plugCardIn struct {
	VM   uid.VM
	Card hypervisor.NIC
}

type unplugCardIn struct {
	VM   uid.VM
	Card uid.NIC
}

type changeCDIn struct {
	VM uid.VM
	CD *hypervisor.ImageRef
}

type resizeIn struct {
	Disk  hypervisor.DiskRef
	Bytes int64
}

type snapshotIn struct {
	Disk     hypervisor.DiskRef
	Snapshot hypervisor.SnapshotRef
}

type saveImageIn struct {
	Image    hypervisor.ImageRef
	Snapshot hypervisor.SnapshotRef
}

type writeStoredIn struct {
	Stored hypervisor.Stored
	Offset int64
	Data   []byte
}

type takeStoredIn struct {
	Stored hypervisor.Stored
	As     hypervisor.Sent
}

type bringStoredIn struct {
	Stored hypervisor.Stored
	Link   string
}

type sendStoredIn struct {
	Stored hypervisor.Stored
	Parts  []hypervisor.Part
}

var (
	plugCard = deed("PlugCard", func(ctx context.Context, d hypervisor.CardPlugger, h uid.Host, in plugCardIn) error {
		return d.PlugCard(ctx, h, in.VM, in.Card)
	})
	unplugCard = deed("UnplugCard", func(ctx context.Context, d hypervisor.CardPlugger, h uid.Host, in unplugCardIn) error {
		return d.UnplugCard(ctx, h, in.VM, in.Card)
	})
	changeCD = deed("ChangeCD", func(ctx context.Context, d hypervisor.Ejector, h uid.Host, in changeCDIn) error {
		return d.ChangeCD(ctx, h, in.VM, in.CD)
	})
	resizeDisk = deed("ResizeDisk", func(ctx context.Context, d hypervisor.Resizer, h uid.Host, in resizeIn) error {
		return d.ResizeDisk(ctx, h, in.Disk, in.Bytes)
	})
	takeSnapshot = of("TakeSnapshot",
		func(ctx context.Context, d hypervisor.Snapshotter, h uid.Host, in snapshotIn) (hypervisor.SnapshotReport, error) {
			return d.TakeSnapshot(ctx, h, in.Disk, in.Snapshot)
		})
	dropSnapshot = deed("DropSnapshot", func(ctx context.Context, d hypervisor.Snapshotter, h uid.Host, in hypervisor.SnapshotRef) error {
		return d.DropSnapshot(ctx, h, in)
	})
	revertDisk = deed("RevertDisk", func(ctx context.Context, d hypervisor.Snapshotter, h uid.Host, in snapshotIn) error {
		return d.RevertDisk(ctx, h, in.Disk, in.Snapshot)
	})
	readStored = of("ReadStored",
		func(ctx context.Context, d hypervisor.Giver, h uid.Host, in readStoredIn) (hypervisor.Piece, error) {
			return d.ReadStored(ctx, h, in.Stored, in.Offset, in.Most)
		})
	writeStored = deed("WriteStored", func(ctx context.Context, d hypervisor.Taker, h uid.Host, in writeStoredIn) error {
		return d.WriteStored(ctx, h, in.Stored, in.Offset, in.Data)
	})
	takeStored = of("TakeStored",
		func(ctx context.Context, d hypervisor.Taker, h uid.Host, in takeStoredIn) (hypervisor.ImageReport, error) {
			return d.TakeStored(ctx, h, in.Stored, in.As)
		})
	bringStored = deed("BringStored", func(ctx context.Context, d hypervisor.Carrier, h uid.Host, in bringStoredIn) error {
		return d.BringStored(ctx, h, in.Stored, in.Link)
	})
	sendStored = of("SendStored", func(ctx context.Context, d hypervisor.Carrier, h uid.Host, in sendStoredIn) ([]string, error) {
		return d.SendStored(ctx, h, in.Stored, in.Parts)
	})
	saveImage = of("SaveImage",
		func(ctx context.Context, d hypervisor.Snapshotter, h uid.Host, in saveImageIn) (hypervisor.ImageReport, error) {
			return d.SaveImage(ctx, h, in.Image, in.Snapshot)
		})
	takeCheckpoint = deed("TakeCheckpoint", func(ctx context.Context, d hypervisor.Checkpointer, h uid.Host, in hypervisor.Checkpoint) error {
		return d.TakeCheckpoint(ctx, h, in)
	})
	revertTo = deed("RevertTo", func(ctx context.Context, d hypervisor.Checkpointer, h uid.Host, in hypervisor.Checkpoint) error {
		return d.RevertTo(ctx, h, in)
	})
	dropCheckpoint = deed("DropCheckpoint", func(ctx context.Context, d hypervisor.Checkpointer, h uid.Host, in hypervisor.Checkpoint) error {
		return d.DropCheckpoint(ctx, h, in)
	})
	usage = of("Usage", func(ctx context.Context, d hypervisor.Meter, h uid.Host, _ none) ([]hypervisor.Usage, error) {
		return d.Usage(ctx, h)
	})
	load = of("Load", func(ctx context.Context, d hypervisor.Gauge, h uid.Host, _ none) (hypervisor.Load, error) {
		return d.Load(ctx, h)
	})
)

type readStoredIn struct {
	Stored hypervisor.Stored
	Offset int64
	Most   int
}
