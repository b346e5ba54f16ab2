package buckets

import (
	"context"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// TakeSnapshot implements [hypervisor.Snapshotter].
func (d *Driver) TakeSnapshot(
	ctx context.Context, host uid.Host, of hypervisor.DiskRef, s hypervisor.SnapshotRef,
) (r hypervisor.SnapshotReport, err error) {
	t, err := d.snapshot(ctx, s)
	if err != nil {
		return r, err
	}
	if t == nil {
		return d.Driver.TakeSnapshot(ctx, host, of, s)
	}
	is, err := t.known(ctx)
	if err != nil || is != nil {
		return is.taken(), err
	}
	if r, err = d.Driver.TakeSnapshot(ctx, host, of, t.stagedSnapshot()); err != nil {
		return r, err
	}
	return r, d.ship(ctx, host, t, record{From: "volume:" + string(of.Volume), ImageReport: hypervisor.ImageReport(r)})
}

func (r *record) taken() hypervisor.SnapshotReport {
	if r == nil {
		return hypervisor.SnapshotReport{}
	}
	return hypervisor.SnapshotReport(r.ImageReport)
}

// DropSnapshot implements [hypervisor.Snapshotter]. It needs no host.
func (d *Driver) DropSnapshot(ctx context.Context, host uid.Host, s hypervisor.SnapshotRef) error {
	t, err := d.snapshot(ctx, s)
	if err != nil {
		return err
	}
	if t == nil {
		return d.Driver.DropSnapshot(ctx, host, s)
	}
	return d.dropAll(ctx, host, t)
}

// RevertDisk implements [hypervisor.Snapshotter].
func (d *Driver) RevertDisk(ctx context.Context, host uid.Host, disk hypervisor.DiskRef, s hypervisor.SnapshotRef) error {
	t, err := d.snapshot(ctx, s)
	if err != nil {
		return err
	}
	if t == nil {
		return d.Driver.RevertDisk(ctx, host, disk, s)
	}
	if _, err := t.there(ctx); err != nil { // before the host prepares anything
		return err
	}
	staged := t.stagedSnapshot()
	if staged.Link, err = t.Link(ctx, t.key+".qcow2"); err != nil {
		return err
	}
	return d.Driver.RevertDisk(ctx, host, disk, staged)
}

// SaveImage implements [hypervisor.Snapshotter]. The bucket copies by itself.
func (d *Driver) SaveImage(
	ctx context.Context, host uid.Host, i hypervisor.ImageRef, s hypervisor.SnapshotRef,
) (r hypervisor.ImageReport, err error) {
	to, err := d.image(ctx, i)
	if err != nil {
		return r, err
	}
	if to == nil {
		return d.Driver.SaveImage(ctx, host, i, s)
	}
	if is, err := to.known(ctx); err != nil {
		return r, err
	} else if is != nil {
		return is.ImageReport, nil
	}
	from, err := d.snapshot(ctx, s) // in the same store
	if err != nil {
		return r, err
	}
	is, err := from.there(ctx)
	if err != nil {
		return r, err
	}
	if err := to.Copy(ctx, from.key+".qcow2", to.key+".qcow2"); err != nil {
		return r, err
	}
	is.From = "snapshot:" + string(s.Snapshot)
	return is.ImageReport, to.note(ctx, *is)
}
