package sim

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Usage implements [hypervisor.Meter]. Simulated machines have their memory, and do a little, each at a pace of its own.
func (w *World) Usage(ctx context.Context, host uid.Host) ([]hypervisor.Usage, error) {
	_, machines, err := w.busy(ctx, host, hypervisor.CommandUsage)
	all := make([]hypervisor.Usage, len(machines))
	for i, m := range machines {
		all[i] = m.used
	}
	return all, err
}

// Load implements [hypervisor.Gauge]. A simulated host does what its machines do, and nothing else.
func (w *World) Load(ctx context.Context, host uid.Host) (hypervisor.Load, error) {
	has, machines, err := w.busy(ctx, host, hypervisor.CommandLoad)
	if err != nil {
		return hypervisor.Load{}, err
	}
	var l hypervisor.Load
	for _, m := range machines {
		l.Average += float64(m.cpus) * m.cpu
		l.MemoryKB += m.used.MemoryKB
		for _, c := range m.used.Cards {
			l.Sent += c.Sent
			l.Received += c.Received
		}
	}
	l.CPU, l.MemoryKB = new(min(1, l.Average/float64(has.CPUCores))), min(l.MemoryKB, int64(has.MemoryMB)<<10)
	return l, nil
}

// pace is what a machine does all the time.
type pace struct {
	cpu  float64 // the part of each of its processors that is busy
	disk int64   // bytes that it reads of each disk in a second, and half as many are written
	card int64   // bytes that it receives by each card in a second, and half as many are sent
}

// block is what a machine reads or writes at a time.
const block = 4096

func paceOf(vm uid.VM) pace {
	h := fnv.New32a()
	_, _ = h.Write([]byte(vm))
	n := h.Sum32()
	return pace{cpu: float64(2+n%20) / 100, disk: 2 * block * int64(1+n>>8%8), card: 1024 * int64(1+n>>16%16)}
}

// worker is a machine that runs, and what it has done.
type worker struct {
	pace
	cpus int
	used hypervisor.Usage
}

// busy gives the machines that run on a host.
func (w *World) busy(ctx context.Context, host uid.Host, c hypervisor.Command) (hypervisor.Capacity, []worker, error) {
	at, err := w.ask(ctx, host, c)
	if err != nil {
		return at, nil, err
	}
	guests, err := w.store.read.runningOn(host)
	workers := make([]worker, len(guests))
	for i, g := range guests {
		var m hypervisor.Machine
		if err := json.Unmarshal(g.spec, &m); err != nil {
			return at, nil, err
		}
		workers[i] = worker{paceOf(m.VM), m.CPUs, worked(m, g.since, w.now())}
	}
	return at, workers, err
}

func worked(m hypervisor.Machine, since, now int64) hypervisor.Usage {
	p, took := paceOf(m.VM), time.Duration(max(0, now-since))
	seconds := int64(took / time.Second)
	u := hypervisor.Usage{
		VM: m.VM, Run: strconv.FormatInt(since, 10), CPU: time.Duration(float64(took) * float64(m.CPUs) * p.cpu), MemoryKB: int64(m.MemoryMB) << 10,
	}
	for _, d := range m.Disks {
		read := seconds * p.disk
		u.Disks = append(u.Disks, hypervisor.DiskUsage{
			Volume: d.Volume, ReadBytes: read, WriteBytes: read / 2, ReadOps: read / block, WriteOps: read / 2 / block,
		})
	}
	for _, n := range m.NICs {
		u.Cards = append(u.Cards, hypervisor.CardUsage{NIC: n.ID, Received: seconds * p.card, Sent: seconds * p.card / 2})
	}
	return u
}
