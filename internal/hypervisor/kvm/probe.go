package kvm

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/file"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/load"
	"github.com/virga-cloud/virga/uid"
)

// Probe implements [hypervisor.Driver].
func (d *Driver) Probe(ctx context.Context, host uid.Host) (hypervisor.Report, error) {
	if err := d.here(ctx, host); err != nil {
		return hypervisor.Report{}, err
	}
	version, err := d.version(ctx)
	if err != nil {
		return hypervisor.Report{}, err
	}
	memory, err := load.MemoryMB()
	if err != nil {
		return hypervisor.Report{}, err
	}
	return hypervisor.Report{
		CPUCores: runtime.NumCPU(), CPUSpeedMHz: load.SpeedMHz(), MemoryMB: memory, Hypervisor: "KVM", Version: version,
	}, nil
}

// version is QEMU's.
func (d *Driver) version(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, d.qemu, "--version").Output()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	_, after, ok := strings.Cut(string(out), "version ")
	if err != nil || !ok {
		return "", fault.Unavailablef("QEMU does not say which version it is: %v", err)
	}
	return strings.TrimRight(strings.Fields(after)[0], ","), nil
}

// accelerator is what guests run on. That /dev/kvm is there, and even that it makes machines, says nothing: a guest must boot.
func (d *Driver) accelerator(ctx context.Context) (string, error) {
	if d.Accelerator != "" {
		return d.Accelerator, nil
	}
	d.accel.Lock()
	defer d.accel.Unlock()
	if d.proven != "" {
		return d.proven, nil
	}
	version, err := d.version(ctx)
	if err != nil {
		return "", err
	}
	// It stays as it is until the machine is started anew, or QEMU is another.
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	key := version + " " + strings.TrimSpace(string(boot))
	known := filepath.Join(d.Dir, "accelerator")
	if content, err := os.ReadFile(known); err == nil {
		if before, found, ok := strings.Cut(string(content), "\n"); ok && before == key && (found == "kvm" || found == "tcg") {
			d.proven = found
			return found, nil
		}
	}
	found := "tcg"
	if works, err := d.boots(ctx); err != nil {
		return "", err
	} else if works {
		found = "kvm"
	}
	if err := file.Write(known, []byte(key+"\n"+found)); err != nil {
		return "", err
	}
	d.proven = found
	d.Log.Info("guests run on", "accelerator", found)
	return found, nil
}

// work is a boot sector that counts to a hundred million and then ends its machine with status 2*42+1. A processor does that in a
// moment; an emulation of one that only looks like KVM does not.
//
//	mov ecx, 100000000; again: dec ecx; jnz again; mov dx, 0x501; mov al, 42; out dx, al; stay: jmp stay
var work = []byte{
	0x66, 0xb9, 0x00, 0xe1, 0xf5, 0x05, 0x66, 0x49, 0x75, 0xfc, 0xba, 0x01, 0x05, 0xb0, 0x2a, 0xee, 0xeb, 0xfe,
}

const (
	workTime   = 5 * time.Second
	workStatus = 2*42 + 1
)

// boots tells whether a guest really runs on KVM.
func (d *Driver) boots(ctx context.Context) (bool, error) {
	f, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return false, nil // no KVM here
	}
	_ = f.Close()
	sector := make([]byte, 512)
	copy(sector, work)
	sector[510], sector[511] = 0x55, 0xaa
	path := filepath.Join(d.Dir, "probe.img")
	if err := os.WriteFile(path, sector, 0o600); err != nil {
		return false, err
	}
	defer func() { _ = os.Remove(path) }()
	wait, cancel := context.WithTimeout(ctx, workTime)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(wait, d.qemu, "-nodefaults", "-no-user-config", "-machine", "q35", "-accel", "kvm", "-cpu", "host", "-m", "16M",
		"-display", "none", "-drive", "if=ide,format=raw,snapshot=on,file="+escaped(path),
		"-device", "isa-debug-exit,iobase=0x501,iosize=1")
	cmd.Stdout, cmd.Stderr = &said, &said
	err = cmd.Run()
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if ended, ok := errors.AsType[*exec.ExitError](err); ok && ended.ExitCode() == workStatus {
		return true, nil
	}
	d.Log.Warn("there is KVM, but no guest boots on it", "error", err, "qemu", strings.TrimSpace(said.String()))
	return false, nil
}
