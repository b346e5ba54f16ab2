package kvm

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qmp"
	"github.com/virga-cloud/virga/uid"
)

// lettingGo is how long a guest may take to let go of a device. One that never does is asked again by whoever tries again.
const lettingGo = 30 * time.Second

// at has a turn at a machine that runs here.
func (d *Driver) at(ctx context.Context, host uid.Host, vm uid.VM) (*guest, func(), error) {
	done, err := d.turn(ctx, host, string(vm))
	if err != nil {
		return nil, nil, err
	}
	g, err := d.running(ctx, vm)
	if err != nil {
		done()
		return nil, nil, err
	}
	return g, done, nil
}

// become writes down that a machine is another now.
func (d *Driver) become(g *guest, change func(*hypervisor.Machine)) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := g.Machine
	m.Disks, m.NICs = slices.Clone(m.Disks), slices.Clone(m.NICs)
	change(&m)
	g.Machine = m
	return g.save()
}

// Plug implements [hypervisor.Plugger].
func (d *Driver) Plug(ctx context.Context, host uid.Host, vm uid.VM, a hypervisor.Attachment) error {
	g, done, err := d.at(ctx, host, vm)
	if err != nil {
		return err
	}
	defer done()
	for _, has := range g.Machine.Disks {
		switch {
		case has == a:
			return nil
		case has.Device == a.Device:
			return fault.Conflictf("machine %s has volume %s at device %d", vm, has.Volume, a.Device)
		case has.DiskRef == a.DiskRef:
			return fault.Conflictf("machine %s has volume %s at device %d, not %d", vm, a.Volume, has.Device, a.Device)
		}
	}
	if err := fits(hypervisor.Machine{Disks: []hypervisor.Attachment{a}}); err != nil {
		return err
	}
	// What an earlier call began, and nobody wrote down.
	if err := g.drop(ctx, deviceOf(a.Volume), func() error { return g.dropNode(ctx, nodeOf(a.Volume)) }); err != nil {
		return err
	}
	held, err := d.holdAll(ctx, hypervisor.Machine{VM: vm, Disks: []hypervisor.Attachment{a}})
	if err != nil {
		return err
	}
	defer held.Release()
	path, err := d.path(a.DiskRef)
	if err != nil {
		return err
	}
	if err := g.mon.Do(ctx, "blockdev-add", diskNode(a.Volume, path), nil); err != nil {
		return g.failed(err)
	}
	if err := g.mon.Do(ctx, "device_add", diskDevice(a), nil); err != nil {
		return errors.Join(g.failed(err), g.dropNode(ctx, nodeOf(a.Volume)))
	}
	if err := g.throttle(ctx, a); err != nil {
		return err
	}
	return d.become(g, func(m *hypervisor.Machine) {
		m.Disks = append(m.Disks, a)
		slices.SortStableFunc(m.Disks, func(a, b hypervisor.Attachment) int { return a.Device - b.Device })
	})
}

// Unplug implements [hypervisor.Plugger].
func (d *Driver) Unplug(ctx context.Context, host uid.Host, vm uid.VM, ref hypervisor.DiskRef) error {
	done, err := d.turn(ctx, host, string(vm))
	if err != nil {
		return err
	}
	defer done()
	g := d.found(ctx, vm)
	if g == nil || !slices.ContainsFunc(g.Machine.Disks, func(a hypervisor.Attachment) bool { return a.DiskRef == ref }) {
		return nil
	}
	if g.runs() {
		if err := g.drop(ctx, deviceOf(ref.Volume), func() error { return g.dropNode(ctx, nodeOf(ref.Volume)) }); err != nil {
			return err
		}
	}
	return d.become(g, func(m *hypervisor.Machine) {
		m.Disks = slices.DeleteFunc(m.Disks, func(a hypervisor.Attachment) bool { return a.DiskRef == ref })
	})
}

// drop takes a device from the guest, which has a say in it, and then what stands behind it. What is not there is dropped already.
func (g *guest) drop(ctx context.Context, device string, behind func() error) error {
	gone := g.mon.Watch("DEVICE_DELETED")
	defer gone.Close()
	err := g.mon.Do(ctx, "device_del", map[string]string{"id": device}, nil)
	refusal, refused := errors.AsType[*qmp.Error](err)
	switch {
	case refused && refusal.Class == "DeviceNotFound":
		return behind()
	case refused && strings.Contains(refusal.Desc, "already in the process of unplug"):
	case err != nil:
		return g.failed(err)
	}
	wait, cancel := context.WithTimeout(ctx, lettingGo)
	defer cancel()
	for {
		e, err := gone.Next(wait)
		if err != nil && ctx.Err() == nil && wait.Err() != nil {
			return fault.Unavailablef("the guest of machine %s does not let go of %s: its system must be running for that", g.Machine.VM, device)
		}
		if err != nil {
			return g.failed(err)
		}
		var about struct {
			Device string `json:"device"`
		}
		if json.Unmarshal(e.Data, &about) == nil && about.Device == device { // there are others, about its parts
			return behind()
		}
	}
}

func (g *guest) dropNode(ctx context.Context, node string) error {
	err := g.mon.Do(ctx, "blockdev-del", map[string]string{"node-name": node}, nil)
	if refusal, refused := errors.AsType[*qmp.Error](err); refused && strings.Contains(refusal.Desc, "Failed to find node") {
		return nil
	}
	if err != nil {
		return g.failed(err)
	}
	return nil
}

// PlugCard implements [hypervisor.CardPlugger].
func (d *Driver) PlugCard(ctx context.Context, host uid.Host, vm uid.VM, n hypervisor.NIC) error {
	g, done, err := d.at(ctx, host, vm)
	if err != nil {
		return err
	}
	defer done()
	for _, has := range g.Machine.NICs {
		switch {
		case has == n:
			return nil
		case has.ID == n.ID:
			return fault.Conflictf("machine %s has card %s already, with something else about it", vm, n.ID)
		case has.Device == n.Device:
			return fault.Conflictf("machine %s has card %s at device %d", vm, has.ID, n.Device)
		}
	}
	if err := fits(hypervisor.Machine{NICs: []hypervisor.NIC{n}}); err != nil {
		return err
	}
	if err := g.drop(ctx, cardOf(n.ID), func() error { return g.dropEnd(ctx, n.ID) }); err != nil {
		return err
	}
	end, err := d.plugNIC(ctx, n)
	if err != nil {
		return err
	}
	defer func() { _ = end.file.Close() }()
	if err := g.addCard(ctx, n, end); err != nil {
		return errors.Join(err, d.Ports.Unplug(context.WithoutCancel(ctx), n.ID))
	}
	return d.become(g, func(m *hypervisor.Machine) {
		m.NICs = append(m.NICs, n)
		slices.SortStableFunc(m.NICs, func(a, b hypervisor.NIC) int { return a.Device - b.Device })
	})
}

func (g *guest) addCard(ctx context.Context, n hypervisor.NIC, end cardEnd) error {
	if err := g.mon.Give(ctx, endOf(n.ID), end.file); err != nil {
		return g.failed(err)
	}
	if err := g.mon.Do(ctx, "netdev_add", map[string]string{"type": "tap", "id": endOf(n.ID), "fd": endOf(n.ID)}, nil); err != nil {
		return g.failed(err)
	}
	if err := g.mon.Do(ctx, "device_add", cardDevice(n, end.mtu), nil); err != nil {
		return errors.Join(g.failed(err), g.dropEnd(ctx, n.ID))
	}
	return nil
}

func (g *guest) dropEnd(ctx context.Context, id uid.NIC) error {
	err := g.mon.Do(ctx, "netdev_del", map[string]string{"id": endOf(id)}, nil)
	refusal, refused := errors.AsType[*qmp.Error](err)
	if refused && (refusal.Class == "DeviceNotFound" || strings.Contains(refusal.Desc, "not found")) {
		return nil
	}
	if err != nil {
		return g.failed(err)
	}
	return nil
}

// UnplugCard implements [hypervisor.CardPlugger].
func (d *Driver) UnplugCard(ctx context.Context, host uid.Host, vm uid.VM, id uid.NIC) error {
	done, err := d.turn(ctx, host, string(vm))
	if err != nil {
		return err
	}
	defer done()
	g := d.found(ctx, vm)
	if g == nil || !slices.ContainsFunc(g.Machine.NICs, func(n hypervisor.NIC) bool { return n.ID == id }) {
		return nil
	}
	if g.runs() {
		if err := g.drop(ctx, cardOf(id), func() error { return g.dropEnd(ctx, id) }); err != nil {
			return err
		}
	}
	if err := d.Ports.Unplug(ctx, id); err != nil {
		return err
	}
	return d.become(g, func(m *hypervisor.Machine) {
		m.NICs = slices.DeleteFunc(m.NICs, func(n hypervisor.NIC) bool { return n.ID == id })
	})
}

// ResizeDisk implements [hypervisor.Resizer].
func (d *Driver) ResizeDisk(ctx context.Context, host uid.Host, ref hypervisor.DiskRef, bytes int64) error {
	bytes = rounded(bytes)
	g, free, err := d.user(ctx, host, ref)
	if err != nil {
		return err
	}
	defer free()
	path, err := d.diskThere("", ref)
	if err != nil {
		return err
	}
	i, err := d.image.Info(ctx, path, "qcow2")
	switch {
	case err != nil:
		return err
	case i.Bytes == bytes:
		return nil
	case i.Bytes > bytes:
		return fault.Conflictf("volume %s has %d bytes, more than %d: a disk does not shrink", ref.Volume, i.Bytes, bytes)
	case g == nil:
		return d.image.Resize(ctx, path, bytes)
	}
	err = g.mon.Do(ctx, "block_resize", map[string]any{"node-name": nodeOf(ref.Volume), "size": bytes}, nil)
	if err != nil {
		return g.failed(err)
	}
	return nil
}

// user gives the machine that runs here with a disk, and a turn at it; nil where nobody has the disk, with a turn at that. A disk that
// is missing, or in use elsewhere, is fault.Conflict.
func (d *Driver) user(ctx context.Context, host uid.Host, ref hypervisor.DiskRef) (*guest, func(), error) {
	if err := d.here(ctx, host); err != nil {
		return nil, nil, err
	}
	if vm := d.userOf(ref); vm != "" {
		g, done, err := d.at(ctx, host, vm)
		if err == nil && d.userOf(ref) != vm { // it was taken away while we waited
			done()
			return nil, nil, fault.Unavailablef("volume %s changes hands", ref.Volume)
		}
		return g, done, err
	}
	held, _, err := d.holdFree(ctx, ref)
	if err != nil {
		return nil, nil, missing(ref, err)
	}
	return nil, held.Release, nil
}

func (d *Driver) userOf(ref hypervisor.DiskRef) uid.VM {
	d.mu.Lock()
	defer d.mu.Unlock()
	for vm, g := range d.guests {
		if g.runs() && !g.Arriving && slices.ContainsFunc(g.Machine.Disks, func(a hypervisor.Attachment) bool { return a.DiskRef == ref }) {
			return vm
		}
	}
	return ""
}

// missing makes a fault of a disk's not being there.
func missing(ref hypervisor.DiskRef, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fault.Conflictf("volume %s is not in pool %s", ref.Volume, ref.Pool)
	}
	return err
}
