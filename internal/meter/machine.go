package meter

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Machine is what a machine uses, and has used since there is the machine.
type Machine struct {
	VM       uid.VM   `bun:"vm_id,pk"`
	Host     uid.Host `bun:"host_id"` // that said it last
	Measured time.Time
	Now      bool `bun:"-"` // whether what follows may be shown as what it uses now

	CPU      *int64 // of its processors, in hundredths of a percent; nil before the second look at it where it runs
	MemoryKB int64  `bun:"memory_kb"` // of its host's

	Sums
}

// Sums are what a machine has used since there is the machine.
type Sums struct {
	Received     int64 // bytes, by all of its cards
	Sent         int64
	ReadBytes    int64 // from all of its disks
	WrittenBytes int64
	Reads        int64
	Writes       int64
}

// Machines measures what machines use. It is a keeper's.
func (s *Service) Machines(ctx context.Context) error {
	if setting.VMStatsInterval.Of(s.settings) == 0 {
		return nil
	}
	err := round(ctx, s, host.Busy, func(ctx context.Context, d hypervisor.Driver, id uid.Host) ([]hypervisor.Usage, error) {
		m, err := able[hypervisor.Meter](d)
		if err != nil {
			return nil, err
		}
		return m.Usage(ctx, id)
	}, s.keepMachines)
	if err != nil {
		return err
	}
	return s.dropMachines(ctx)
}

// mostAtOnce is how many machines' rows are read at a time.
const mostAtOnce = 5000

// keepMachines adds up what hosts have said of their machines.
func (s *Service) keepMachines(ctx context.Context, said []told[[]hypervisor.Usage]) error {
	for len(said) > 0 {
		n, machines := 0, 0
		for n < len(said) && (n == 0 || machines+len(said[n].what) <= mostAtOnce) {
			machines += len(said[n].what)
			n++
		}
		if err := s.keepSome(ctx, said[:n]); err != nil {
			return err
		}
		said = said[n:]
	}
	return nil
}

func (s *Service) keepSome(ctx context.Context, said []told[[]hypervisor.Usage]) error {
	var ids []uid.VM
	for _, t := range said {
		for _, u := range t.what {
			ids = append(ids, u.VM)
		}
	}
	places, err := placesOf(ctx, s.db.Read(), ids)
	if err != nil {
		return err
	}
	before, err := machinesByID(ctx, s.db.Read(), ids)
	if err != nil {
		return err
	}
	var rows []machineRow
	for _, t := range said {
		for _, u := range t.what {
			at, known := places[u.VM]
			if !known || at.Host != t.host || !sound(u) { // hosts speak for their own machines only
				continue
			}
			was, had := before[u.VM]
			if now, is := was.after(look{u, t.host, t.at, at.CPUs, had}); is {
				rows = append(rows, now)
			}
		}
	}
	// In one order, for other rounds that may run.
	slices.SortFunc(rows, func(a, b machineRow) int { return cmp.Compare(a.VM, b.VM) })
	rows = slices.CompactFunc(rows, func(a, b machineRow) bool { return a.VM == b.VM })
	return inBatches(ctx, s.db, rows, putMachines)
}

// devices is how many disks, and how many cards, a machine can have by far.
const devices = 256

// sound tells whether what a host says of a machine can be.
func sound(u hypervisor.Usage) bool {
	bad := u.CPU < 0 || u.MemoryKB < 0 || len(u.Run) > 64 || len(u.Disks) > devices || len(u.Cards) > devices
	for _, d := range u.Disks {
		bad = bad || min(d.ReadBytes, d.WriteBytes, d.ReadOps, d.WriteOps) < 0 || !uid.Valid(string(d.Volume))
	}
	for _, c := range u.Cards {
		bad = bad || min(c.Sent, c.Received) < 0 || !uid.Valid(string(c.NIC))
	}
	return !bad
}

// look is what a host has said of a machine.
type look struct {
	hypervisor.Usage
	host uid.Host
	at   time.Time
	cpus int64
	had  bool // there was a look before
}

// seen is what was said last of a machine: what is more the next time is added to its sums.
type seen struct {
	Run   string                  `json:"r"`
	CPU   time.Duration           `json:"c"`
	Disks map[uid.Volume][4]int64 `json:"d,omitempty"`
	Cards map[uid.NIC][2]int64    `json:"n,omitempty"`
}

// after is the row after another look, if that tells more. A disk or card that is new to the machine, or to this run of it, has
// counted from 0. What was used between the last look and the end of a run nobody knows.
func (r machineRow) after(l look) (machineRow, bool) {
	same, took := l.had && r.Host == l.host && r.Seen.Run == l.Run, l.at.Sub(r.Measured)
	if same && took < apart {
		return r, false
	}
	next := machineRow{Machine: Machine{VM: l.VM, Host: l.host, Measured: l.at, MemoryKB: l.MemoryKB, Sums: r.Sums}}
	next.Seen = seen{Run: l.Run, CPU: l.CPU, Disks: map[uid.Volume][4]int64{}, Cards: map[uid.NIC][2]int64{}}
	if same && l.CPU >= r.Seen.CPU && l.cpus > 0 {
		part := float64(l.CPU-r.Seen.CPU) / float64(took) / float64(l.cpus)
		next.CPU = new(int64(math.Round(min(part, math.MaxInt32) * 100 * 100)))
	}
	for _, d := range l.Disks {
		now, was := [4]int64{d.ReadBytes, d.WriteBytes, d.ReadOps, d.WriteOps}, [4]int64{}
		if same {
			was = r.Seen.Disks[d.Volume]
		}
		for i, sum := range []*int64{&next.ReadBytes, &next.WrittenBytes, &next.Reads, &next.Writes} {
			add(sum, now[i], was[i])
		}
		next.Seen.Disks[d.Volume] = now
	}
	for _, c := range l.Cards {
		now, was := [2]int64{c.Sent, c.Received}, [2]int64{}
		if same {
			was = r.Seen.Cards[c.NIC]
		}
		add(&next.Sent, now[0], was[0])
		add(&next.Received, now[1], was[1])
		next.Seen.Cards[c.NIC] = now
	}
	return next, true
}

// add counts what is more than before, or all of it where it was begun anew.
func add(sum *int64, now, before int64) {
	if now >= before {
		now -= before
	}
	*sum = min(*sum, math.MaxInt64-now) + now
}

// dropMachines forgets what machines used that are no more.
func (s *Service) dropMachines(ctx context.Context) error {
	gone, err := goneMachines(ctx, s.db.Read())
	if err != nil {
		return err
	}
	return inBatches(ctx, s.db, gone, forgetMachines)
}

// OfMachines gives what machines use, of those that were looked at, in one query.
func (s *Service) OfMachines(ctx context.Context, q db.Tx, ids []uid.VM) (map[uid.VM]Machine, error) {
	found, err := shownByID(ctx, q, ids)
	since := s.since(setting.VMStatsInterval)
	for id, m := range found {
		m.Now = !m.Measured.Before(since)
		found[id] = m
	}
	return found, err
}
