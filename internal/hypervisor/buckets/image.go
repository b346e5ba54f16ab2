package buckets

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// FetchImage implements [hypervisor.Imager].
func (d *Driver) FetchImage(ctx context.Context, host uid.Host, i hypervisor.Image) (r hypervisor.ImageReport, err error) {
	t, err := d.image(ctx, i.ImageRef)
	if err != nil {
		return r, err
	}
	if t == nil {
		return d.Driver.FetchImage(ctx, host, i)
	}
	if _, err := d.Guests(ctx, host); err != nil { // whatever there is, it must be a host
		return r, err
	}
	is, err := t.known(ctx)
	switch {
	case err != nil:
		return r, err
	case is != nil && is.From != i.URL:
		return r, fault.Conflictf("image %s is in its store already, from %s and not from %s", i.Template, is.From, i.URL)
	case is != nil:
		return is.ImageReport, nil
	}
	i.ImageRef = t.stagedImage()
	if r, err = d.Driver.FetchImage(ctx, host, i); err != nil {
		return r, err
	}
	return r, d.ship(ctx, host, t, record{From: i.URL, ImageReport: r})
}

// DropImage implements [hypervisor.Imager]. It needs no host.
func (d *Driver) DropImage(ctx context.Context, host uid.Host, i hypervisor.ImageRef) error {
	t, err := d.image(ctx, i)
	if err != nil {
		return err
	}
	if t == nil {
		return d.Driver.DropImage(ctx, host, i)
	}
	return d.dropAll(ctx, host, t)
}

func (d *Driver) dropAll(ctx context.Context, host uid.Host, t *thing) error {
	d.end(t.Stored)
	if host != "" {
		if err := d.unstage(ctx, host, t); err != nil {
			return err
		}
	}
	return t.drop(ctx)
}

// MeasureStore implements [hypervisor.Imager]: a bucket has no end.
func (d *Driver) MeasureStore(ctx context.Context, host uid.Host, s hypervisor.StoreRef) (hypervisor.StoreReport, error) {
	if !hypervisor.IsBucket(s.URL) {
		return d.Driver.MeasureStore(ctx, host, s)
	}
	_, err := d.Guests(ctx, host)
	return hypervisor.StoreReport{}, err
}

// MakeDisk implements [hypervisor.Driver].
func (d *Driver) MakeDisk(ctx context.Context, host uid.Host, disk hypervisor.Disk) error {
	t, err := d.thing(ctx, hypervisor.Stored{Store: disk.Store, StoreURL: disk.StoreURL, Template: disk.Template, Snapshot: disk.Snapshot})
	if err != nil {
		return err
	}
	if t != nil && disk.Template+uid.Template(disk.Snapshot) != "" {
		if disk.Link, err = t.Link(ctx, t.key+".qcow2"); err != nil {
			return err
		}
		disk.StoreURL = hypervisor.StagedURL(disk.Store)
	}
	return d.Driver.MakeDisk(ctx, host, disk)
}

// withCD has a host keep an ISO that a machine is to have, and gives what it is called there.
func (d *Driver) withCD(ctx context.Context, host uid.Host, cd *hypervisor.ImageRef) (*hypervisor.ImageRef, error) {
	if cd == nil {
		return nil, nil //nolint:nilnil // none stays none
	}
	t, err := d.image(ctx, *cd)
	if t == nil || err != nil {
		return cd, err
	}
	link, err := t.Link(ctx, t.key+".iso")
	if err != nil {
		return nil, err
	}
	ref := t.stagedImage()
	return &ref, d.BringStored(ctx, host, t.staged(), link)
}

// ChangeCD implements [hypervisor.Ejector].
func (d *Driver) ChangeCD(ctx context.Context, host uid.Host, vm uid.VM, cd *hypervisor.ImageRef) error {
	cd, err := d.withCD(ctx, host, cd)
	if err != nil {
		return err
	}
	return d.Driver.ChangeCD(ctx, host, vm, cd)
}

// Start implements [hypervisor.Driver].
func (d *Driver) Start(ctx context.Context, host uid.Host, m hypervisor.Machine) (err error) {
	if m.CD, err = d.withCD(ctx, host, m.CD); err != nil {
		return err
	}
	return d.Driver.Start(ctx, host, m)
}

// Receive implements [hypervisor.Migrator].
func (d *Driver) Receive(ctx context.Context, host uid.Host, m hypervisor.Machine, copied []uid.Volume) (a hypervisor.Arrival, err error) {
	if m.CD, err = d.withCD(ctx, host, m.CD); err != nil {
		return a, err
	}
	return d.Driver.Receive(ctx, host, m, copied)
}
