package kvm

import (
	"context"
	"io"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// A site is one driver for all of its hosts: a call goes to the host that it names.

// on calls one host; a context that is over comes before a host that is not there.
func on(ctx context.Context, s *site, host uid.Host, call func(*Driver) error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	d := s.hosts[host]
	if d == nil {
		return fault.Unavailablef("host %s does not answer", host)
	}
	return call(d)
}

func (s *site) Recover(ctx context.Context) error {
	for id := range s.hosts {
		if err := on(ctx, s, id, func(d *Driver) error { return d.Recover(ctx) }); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) Probe(ctx context.Context, host uid.Host) (r hypervisor.Report, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Probe(ctx, host); return err })
	return r, err
}

func (s *site) Guests(ctx context.Context, host uid.Host) (r []hypervisor.Guest, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Guests(ctx, host); return err })
	return r, err
}

func (s *site) MakeDisk(ctx context.Context, host uid.Host, disk hypervisor.Disk) error {
	return on(ctx, s, host, func(d *Driver) error { return d.MakeDisk(ctx, host, disk) })
}

func (s *site) DropDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.DropDisk(ctx, host, ref) })
}

func (s *site) Sign(ctx context.Context, host uid.Host, p hypervisor.PoolRef, of uid.Host) (r string, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Sign(ctx, host, p, of); return err })
	return r, err
}

func (s *site) Held(ctx context.Context, host uid.Host, ref hypervisor.DiskRef) (r bool, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Held(ctx, host, ref); return err })
	return r, err
}

func (s *site) Start(ctx context.Context, host uid.Host, m hypervisor.Machine) error {
	s.mu.Lock()
	s.seen[m.VM] = true
	s.mu.Unlock()
	return on(ctx, s, host, func(d *Driver) error { return d.Start(ctx, host, m) })
}

func (s *site) Stop(ctx context.Context, host uid.Host, vm uid.VM, force bool) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Stop(ctx, host, vm, force) })
}

func (s *site) Reboot(ctx context.Context, host uid.Host, vm uid.VM) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Reboot(ctx, host, vm) })
}

func (s *site) Pool(ctx context.Context, host uid.Host, p hypervisor.PoolRef) (r hypervisor.PoolReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Pool(ctx, host, p); return err })
	return r, err
}

func (s *site) FetchImage(ctx context.Context, host uid.Host, i hypervisor.Image) (r hypervisor.ImageReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.FetchImage(ctx, host, i); return err })
	return r, err
}

func (s *site) Fetching(ctx context.Context, host uid.Host, i hypervisor.ImageRef) (f hypervisor.Fetched, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { f, err = d.Fetching(ctx, host, i); return err })
	return f, err
}

func (s *site) DropImage(ctx context.Context, host uid.Host, i hypervisor.ImageRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.DropImage(ctx, host, i) })
}

func (s *site) MeasureStore(ctx context.Context, host uid.Host, i hypervisor.StoreRef) (r hypervisor.StoreReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.MeasureStore(ctx, host, i); return err })
	return r, err
}

func (s *site) Plug(ctx context.Context, host uid.Host, vm uid.VM, a hypervisor.Attachment) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Plug(ctx, host, vm, a) })
}

func (s *site) Unplug(ctx context.Context, host uid.Host, vm uid.VM, ref hypervisor.DiskRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Unplug(ctx, host, vm, ref) })
}

func (s *site) PlugCard(ctx context.Context, host uid.Host, vm uid.VM, n hypervisor.NIC) error {
	return on(ctx, s, host, func(d *Driver) error { return d.PlugCard(ctx, host, vm, n) })
}

func (s *site) UnplugCard(ctx context.Context, host uid.Host, vm uid.VM, id uid.NIC) error {
	return on(ctx, s, host, func(d *Driver) error { return d.UnplugCard(ctx, host, vm, id) })
}

func (s *site) ChangeCD(ctx context.Context, host uid.Host, vm uid.VM, cd *hypervisor.ImageRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.ChangeCD(ctx, host, vm, cd) })
}

func (s *site) ResizeDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef, bytes int64) error {
	return on(ctx, s, host, func(d *Driver) error { return d.ResizeDisk(ctx, host, ref, bytes) })
}

func (s *site) TakeSnapshot(ctx context.Context, host uid.Host, ref hypervisor.DiskRef, at hypervisor.SnapshotRef) (r hypervisor.SnapshotReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.TakeSnapshot(ctx, host, ref, at); return err })
	return r, err
}

func (s *site) DropSnapshot(ctx context.Context, host uid.Host, at hypervisor.SnapshotRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.DropSnapshot(ctx, host, at) })
}

func (s *site) RevertDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef, at hypervisor.SnapshotRef) error {
	return on(ctx, s, host, func(d *Driver) error { return d.RevertDisk(ctx, host, ref, at) })
}

func (s *site) SaveImage(ctx context.Context, host uid.Host, i hypervisor.ImageRef, at hypervisor.SnapshotRef) (r hypervisor.ImageReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.SaveImage(ctx, host, i, at); return err })
	return r, err
}

func (s *site) ReadStored(ctx context.Context, host uid.Host, at hypervisor.Stored, offset int64, most int) (r hypervisor.Piece, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.ReadStored(ctx, host, at, offset, most); return err })
	return r, err
}

func (s *site) WriteStored(ctx context.Context, host uid.Host, at hypervisor.Stored, offset int64, data []byte) error {
	return on(ctx, s, host, func(d *Driver) error { return d.WriteStored(ctx, host, at, offset, data) })
}

func (s *site) TakeStored(ctx context.Context, host uid.Host, at hypervisor.Stored, as hypervisor.Sent) (r hypervisor.ImageReport, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.TakeStored(ctx, host, at, as); return err })
	return r, err
}

func (s *site) TakeCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return on(ctx, s, host, func(d *Driver) error { return d.TakeCheckpoint(ctx, host, c) })
}

func (s *site) RevertTo(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return on(ctx, s, host, func(d *Driver) error { return d.RevertTo(ctx, host, c) })
}

func (s *site) DropCheckpoint(ctx context.Context, host uid.Host, c hypervisor.Checkpoint) error {
	return on(ctx, s, host, func(d *Driver) error { return d.DropCheckpoint(ctx, host, c) })
}

func (s *site) Receive(ctx context.Context, host uid.Host, m hypervisor.Machine, copied []uid.Volume) (r hypervisor.Arrival, err error) {
	s.mu.Lock()
	s.seen[m.VM] = true
	s.mu.Unlock()
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Receive(ctx, host, m, copied); return err })
	return r, err
}

func (s *site) Send(ctx context.Context, host uid.Host, vm uid.VM, to hypervisor.Arrival) error {
	return on(ctx, s, host, func(d *Driver) error { return d.Send(ctx, host, vm, to) })
}

func (s *site) Screen(ctx context.Context, host uid.Host, vm uid.VM) (r io.ReadWriteCloser, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Screen(ctx, host, vm); return err })
	return r, err
}

func (s *site) SerialLog(ctx context.Context, host uid.Host, vm uid.VM, most int) (r []byte, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.SerialLog(ctx, host, vm, most); return err })
	return r, err
}

func (s *site) Load(ctx context.Context, host uid.Host) (l hypervisor.Load, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { l, err = d.Load(ctx, host); return err })
	return l, err
}

func (s *site) Usage(ctx context.Context, host uid.Host) (r []hypervisor.Usage, err error) {
	err = on(ctx, s, host, func(d *Driver) (err error) { r, err = d.Usage(ctx, host); return err })
	return r, err
}
