package meter

import (
	"math"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// What a machine has used is added up over its runs, its hosts, and the disks and cards that it has had.
func TestAfter(t *testing.T) {
	t.Parallel()
	vm, one, other := uid.New[uid.VM](), uid.New[uid.Host](), uid.New[uid.Host]()
	root, data, card := uid.New[uid.Volume](), uid.New[uid.Volume](), uid.New[uid.NIC]()
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	used := func(run string, cpu time.Duration, card_, root_, data_ int64) hypervisor.Usage {
		u := hypervisor.Usage{VM: vm, Run: run, CPU: cpu, MemoryKB: 100, Disks: []hypervisor.DiskUsage{{Volume: root, ReadBytes: root_, ReadOps: 1}},
			Cards: []hypervisor.CardUsage{{NIC: card, Sent: card_, Received: card_ / 2}}}
		if data_ >= 0 {
			u.Disks = append(u.Disks, hypervisor.DiskUsage{Volume: data, ReadBytes: data_, WriteOps: data_})
		}
		return u
	}
	row, had := machineRow{}, false
	for _, step := range []struct {
		name       string
		host       uid.Host
		at         time.Duration
		use        hypervisor.Usage
		cpu        int64 // -1: none
		sent, read int64
		written    int64 // times
	}{
		{"at first", one, 0, used("a", time.Second, 10, 100, 7), -1, 10, 107, 7},
		{"a minute later", one, time.Minute, used("a", 16*time.Second, 30, 150, 8), 1250, 30, 158, 8}, // 15 s of 2 processors' minute
		{"at once again", one, time.Minute + apart/2, used("a", 17*time.Second, 31, 151, 9), 1250, 30, 158, 8},
		{"without a disk", one, 2 * time.Minute, used("a", 16*time.Second, 30, 150, -1), 0, 30, 158, 8},
		{"with it again", one, 3 * time.Minute, used("a", 136*time.Second, 30, 150, 5), 10000, 30, 163, 13},
		{"another run", one, 4 * time.Minute, used("b", time.Hour, 40, 200, 6), -1, 70, 369, 19},
		{"another host", other, 5 * time.Minute, used("b", 2*time.Hour, 41, 201, 7), -1, 111, 577, 26},
		{"a count that was begun anew", other, 6 * time.Minute, used("b", time.Second, 5, 201, 7), -1, 116, 577, 26},
		{"too much to count", other, 7 * time.Minute, used("b", time.Second, math.MaxInt64, 201, 7), 0, math.MaxInt64, 577, 26},
	} {
		next, more := row.after(look{step.use, step.host, begin.Add(step.at), 2, had})
		if more {
			row, had = next, true
		}
		cpu := int64(-1)
		if row.CPU != nil {
			cpu = *row.CPU
		}
		if cpu != step.cpu || row.Sent != step.sent || row.ReadBytes != step.read || row.Writes != step.written || row.Host != step.host {
			t.Errorf("%s: %+v, CPU %d; want %+v", step.name, row, cpu, step)
		}
	}
}

// What can't be is not believed: whoever has a host's key may say anything.
func TestSound(t *testing.T) {
	t.Parallel()
	good := hypervisor.Usage{VM: uid.New[uid.VM](), Run: "a", Disks: []hypervisor.DiskUsage{{Volume: uid.New[uid.Volume]()}},
		Cards: []hypervisor.CardUsage{{NIC: uid.New[uid.NIC]()}}}
	if !sound(good) {
		t.Error("an honest host is not believed")
	}
	for name, spoil := range map[string]func(u *hypervisor.Usage){
		"CPU":    func(u *hypervisor.Usage) { u.CPU = -1 },
		"memory": func(u *hypervisor.Usage) { u.MemoryKB = -1 },
		"bytes":  func(u *hypervisor.Usage) { u.Cards = []hypervisor.CardUsage{{NIC: uid.New[uid.NIC](), Received: -1}} },
		"disk":   func(u *hypervisor.Usage) { u.Disks = []hypervisor.DiskUsage{{Volume: "x"}} },
		"disks":  func(u *hypervisor.Usage) { u.Disks = make([]hypervisor.DiskUsage, devices+1) },
		"run":    func(u *hypervisor.Usage) { u.Run = string(make([]byte, 1000)) },
	} {
		bad := good
		spoil(&bad)
		if sound(bad) {
			t.Errorf("%s: believed", name)
		}
	}
}
