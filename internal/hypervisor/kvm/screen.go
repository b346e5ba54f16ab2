package kvm

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Screen implements [hypervisor.Screener].
func (d *Driver) Screen(ctx context.Context, host uid.Host, vm uid.VM) (io.ReadWriteCloser, error) {
	if err := d.here(ctx, host); err != nil {
		return nil, err
	}
	g, err := d.running(ctx, vm)
	if err != nil {
		return nil, err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", g.file(displaySock))
	if err != nil {
		return nil, fault.Unavailablef("the screen of machine %s does not answer: %v", vm, err)
	}
	return conn, nil
}

// SerialLog implements [hypervisor.Screener].
func (d *Driver) SerialLog(ctx context.Context, host uid.Host, vm uid.VM, most int) ([]byte, error) {
	if err := d.here(ctx, host); err != nil {
		return nil, err
	}
	g := d.found(ctx, vm)
	if g == nil {
		return nil, fault.Conflictf("machine %s is not on host %s", vm, host)
	}
	f, err := os.Open(g.file(serialFile))
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	i, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, i.Size()-int64(most)), int64(most)))
}

// Counter is what Ports may be able to do: to tell what went by a card, in bytes as the machine sees it.
type Counter interface {
	Count(ctx context.Context, nic uid.NIC) (sent, received int64, err error)
}

// Usage implements [hypervisor.Meter].
func (d *Driver) Usage(ctx context.Context, host uid.Host) ([]hypervisor.Usage, error) {
	guests, err := d.Guests(ctx, host)
	if err != nil {
		return nil, err
	}
	var all []hypervisor.Usage
	for _, at := range guests {
		if !at.Running {
			continue
		}
		u, err := d.usage(ctx, host, at.VM)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil: // it ends just now, or does not answer; the others do
			d.Log.Warn("a machine does not say what it uses", "machine", at.VM, "error", err)
		default:
			all = append(all, u)
		}
	}
	return all, nil
}

const (
	tick    = time.Second / 100 // the kernel counts processor time in hundredths of a second
	replies = 5 * time.Second
)

func (d *Driver) usage(ctx context.Context, host uid.Host, vm uid.VM) (hypervisor.Usage, error) {
	ctx, cancel := context.WithTimeout(ctx, replies)
	defer cancel()
	g, done, err := d.at(ctx, host, vm)
	if err != nil {
		return hypervisor.Usage{}, err
	}
	defer done()
	u := hypervisor.Usage{VM: vm, Run: fmt.Sprintf("%d/%d", g.Process.Start, g.Process.PID)}
	fields, err := stat(g.Process.PID)
	if err != nil {
		return u, err
	}
	for at, n := range map[int]*int64{11: (*int64)(&u.CPU), 12: nil, 21: &u.MemoryKB} {
		value, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return u, err
		}
		switch at {
		case 11, 12:
			u.CPU += time.Duration(value) * tick
		default:
			*n = value * int64(os.Getpagesize()) >> 10
		}
	}
	var blocks []struct {
		Device string `json:"qdev"`
		Stats  struct {
			ReadBytes  int64 `json:"rd_bytes"`
			WriteBytes int64 `json:"wr_bytes"`
			ReadOps    int64 `json:"rd_operations"`
			WriteOps   int64 `json:"wr_operations"`
		} `json:"stats"`
	}
	if err := g.mon.Do(ctx, "query-blockstats", nil, &blocks); err != nil {
		return u, g.failed(err)
	}
	for _, a := range g.Machine.Disks {
		use := hypervisor.DiskUsage{Volume: a.Volume}
		for _, b := range blocks {
			if b.Device == deviceOf(a.Volume) || b.Device == "/machine/peripheral/"+deviceOf(a.Volume)+"/virtio-backend" {
				use.ReadBytes, use.WriteBytes, use.ReadOps, use.WriteOps = b.Stats.ReadBytes, b.Stats.WriteBytes, b.Stats.ReadOps, b.Stats.WriteOps
			}
		}
		u.Disks = append(u.Disks, use)
	}
	counter, counts := d.Ports.(Counter)
	for _, n := range slices.Clone(g.Machine.NICs) {
		use := hypervisor.CardUsage{NIC: n.ID}
		if counts {
			var e error
			use.Sent, use.Received, e = counter.Count(ctx, n.ID)
			err = errors.Join(err, e)
		}
		u.Cards = append(u.Cards, use)
	}
	return u, err
}

// Load implements [hypervisor.Gauge], but for what goes by the host's network cards: of networks the driver knows nothing.
func (d *Driver) Load(ctx context.Context, host uid.Host) (hypervisor.Load, error) {
	if err := d.here(ctx, host); err != nil {
		return hypervisor.Load{}, err
	}
	return d.gauge.Look()
}
