package kvm

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/load"
	"github.com/virga-cloud/virga/uid"
)

// control is how this kernel limits groups of processes: cgroups of version 2, of version 1, or not at all.
type control struct {
	cpu, memory string // folders; "" where there is none that can be written
	unified     bool
}

const controlRoot = "/sys/fs/cgroup"

// controls finds out what there is.
func controls() control {
	if file.Exists(controlRoot + "/cgroup.controllers") {
		dir := controlRoot + "/virga"
		if os.MkdirAll(dir, 0o755) != nil { //nolint:gosec // as all there
			return control{}
		}
		// The controllers are handed down where the kernel lets us; what it does not hand down limits nothing.
		_ = os.WriteFile(controlRoot+"/cgroup.subtree_control", []byte("+cpu +memory"), 0)
		if os.WriteFile(dir+"/cgroup.subtree_control", []byte("+cpu +memory"), 0) != nil {
			return control{}
		}
		_ = os.WriteFile(dir+"/cpu.weight", []byte("10000"), 0) // machines are what the host is for
		return control{cpu: dir, memory: dir, unified: true}
	}
	var c control
	for name, at := range map[string]*string{"cpu": &c.cpu, "memory": &c.memory} {
		dir := filepath.Join(controlRoot, name, "virga")
		if file.Exists(filepath.Dir(dir)+"/tasks") && os.MkdirAll(dir, 0o755) == nil { //nolint:gosec // as all there
			*at = dir
		}
	}
	if c.cpu != "" {
		_ = os.WriteFile(c.cpu+"/cpu.shares", []byte("262144"), 0) // machines are what the host is for
	}
	return c
}

const (
	period    = 100_000 // microseconds
	oneCPU    = 1024    // shares of a CPU of referenceMHz
	reference = 2000    // MHz
	// QEMU needs memory besides its guest's: for its devices, and for what it translates.
	besideMB = 512
)

// limit puts a machine's process into a group of its own. A kernel that has none lets it run without: what that costs is in the
// host's report.
func (d *Driver) limit(g *guest) {
	c, m := controls(), g.Machine
	shares := max(2, m.CPUs*m.CPUSpeedMHz*oneCPU/reference)
	quota := "-1"
	if m.LimitCPU {
		quota = strconv.Itoa(max(1000, m.CPUs*m.CPUSpeedMHz*period/max(1, load.SpeedMHz())))
	}
	bytes := strconv.FormatInt(int64(m.MemoryMB+m.MemoryMB/4+besideMB)<<20, 10)
	set := func(dir string, values map[string]string, join string) {
		if dir == "" {
			return
		}
		own := filepath.Join(dir, string(m.VM))
		err := os.MkdirAll(own, 0o755) //nolint:gosec // as all there
		for name, value := range values {
			err = errors.Join(err, os.WriteFile(filepath.Join(own, name), []byte(value), 0))
		}
		err = errors.Join(err, os.WriteFile(filepath.Join(own, join), []byte(strconv.Itoa(g.Process.PID)), 0))
		if err != nil {
			d.Log.Warn("a machine runs without limits", "machine", m.VM, "error", err)
		}
	}
	if c.unified {
		if quota == "-1" {
			quota = "max"
		}
		set(c.cpu, map[string]string{
			"cpu.weight": strconv.Itoa(min(10_000, max(1, shares*100/oneCPU))), "cpu.max": quota + " " + strconv.Itoa(period), "memory.max": bytes,
		}, "cgroup.procs")
		return
	}
	set(c.cpu, map[string]string{
		"cpu.shares": strconv.Itoa(shares), "cpu.cfs_period_us": strconv.Itoa(period), "cpu.cfs_quota_us": quota,
	}, "cgroup.procs")
	set(c.memory, map[string]string{"memory.limit_in_bytes": bytes}, "cgroup.procs")
}

// unlimit removes a machine's groups. The kernel has its process in them for a moment after it has ended.
func (d *Driver) unlimit(vm uid.VM) {
	c := controls()
	for _, dir := range []string{c.cpu, c.memory} {
		if dir == "" {
			continue
		}
		own := filepath.Join(dir, string(vm))
		err := os.Remove(own)
		again := time.NewTicker(5 * time.Millisecond)
		for tries := 0; errors.Is(err, syscall.EBUSY) && tries < 200; tries++ {
			<-again.C
			err = os.Remove(own)
		}
		again.Stop()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			d.Log.Warn("a machine's group stays behind", "machine", vm, "error", err)
		}
	}
}

// setLimits says how fast a machine may use its disks.
func (d *Driver) setLimits(ctx context.Context, g *guest) error {
	for _, a := range g.Machine.Disks {
		if err := g.throttle(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

func (g *guest) throttle(ctx context.Context, a hypervisor.Attachment) error {
	if a.Limits == (hypervisor.IOLimits{}) {
		return nil
	}
	args := map[string]any{"id": deviceOf(a.Volume), "bps": 0, "iops": 0}
	for name, l := range map[string]hypervisor.IOLimit{
		"bps_rd": a.Limits.ReadBytes, "bps_wr": a.Limits.WriteBytes, "iops_rd": a.Limits.ReadOps, "iops_wr": a.Limits.WriteOps,
	} {
		args[name] = l.Rate
		if l.Burst > l.Rate && l.Rate > 0 {
			args[name+"_max"], args[name+"_max_length"] = l.Burst, max(1, l.Seconds)
		}
	}
	if err := g.mon.Do(ctx, "block_set_io_throttle", args, nil); err != nil {
		return g.failed(err)
	}
	return nil
}
