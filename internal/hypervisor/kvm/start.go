package kvm

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qcow"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm/qmp"
	"github.com/virga-cloud/virga/uid"
)

const (
	// launching is how long QEMU may take until it answers.
	launching = 30 * time.Second
	// maxSaid is how much of what QEMU says before it gives up is read.
	maxSaid = 16 << 10
)

// Start implements [hypervisor.Driver].
func (d *Driver) Start(ctx context.Context, host uid.Host, m hypervisor.Machine) error {
	done, err := d.turn(ctx, host, string(m.VM))
	if err != nil {
		return err
	}
	defer done()
	if err := errors.Join(checkID(m.VM), fits(m)); err != nil {
		return err
	}
	if g := d.found(ctx, m.VM); g != nil {
		if same, err := g.is(m); err != nil || g.runs() && same && !g.Arriving {
			return err
		}
		if g.runs() {
			return fault.Conflictf("machine %s runs on host %s already, with another specification", m.VM, host)
		}
		if err := d.forget(g); err != nil {
			return err
		}
	}
	g := d.fresh(m)
	held, err := d.holdAll(ctx, m)
	if err != nil {
		return err
	}
	defer held.Release()
	if err := d.lease(ctx, m); err != nil {
		return err
	}
	if err := d.launch(ctx, g); err != nil {
		return errors.Join(err, d.abandon(g))
	}
	if err := d.setLimits(ctx, g); err != nil {
		return errors.Join(err, d.abandon(g))
	}
	if err := g.mon.Do(ctx, "cont", nil, nil); err != nil {
		return errors.Join(g.failed(err), d.abandon(g))
	}
	d.follow(g)
	return nil
}

// fresh is a machine that there is nothing of yet.
func (d *Driver) fresh(m hypervisor.Machine) *guest {
	return &guest{record: record{Machine: m}, vm: m.VM, dir: d.dirOf(m.VM), gone: make(chan struct{})}
}

// holdAll has a turn at all of a machine's disks. Those that are in use, or not there, are fault.Conflict.
func (d *Driver) holdAll(ctx context.Context, m hypervisor.Machine) (qcow.Held, error) {
	var paths []string
	for _, a := range m.Disks {
		path, err := d.diskThere(m.VM, a.DiskRef)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	held, err := qcow.Hold(ctx, paths...)
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if used, err := qcow.InUse(path); err != nil || used {
			held.Release()
			if err == nil {
				err = fault.Conflictf("machine %s needs %s, which is in use by another machine", m.VM, filepath.Base(path))
			}
			return nil, err
		}
	}
	return held, nil
}

// launch starts QEMU for a machine and speaks with it; the guest is paused. What is there when it fails is for abandon.
func (d *Driver) launch(ctx context.Context, g *guest) error {
	accelerator, err := d.accelerator(ctx)
	if err != nil {
		return err
	}
	if err := errors.Join(d.lay(g), d.burn(ctx, g)); err != nil {
		return err
	}
	ends, err := d.plugAll(ctx, g.Machine)
	if err != nil {
		return err
	}
	defer closeAll(ends)
	args, err := d.argv(g, accelerator, ends)
	if err != nil {
		return err
	}
	if err := d.exec(g, args, ends); err != nil {
		return err
	}
	if err := g.save(); err != nil {
		return err
	}
	d.limit(g)
	ctx, cancel := context.WithTimeout(ctx, launching)
	defer cancel()
	if g.mon, err = qmp.Dial(ctx, g.file(monitorSock)); err != nil {
		return g.died(ctx, err)
	}
	return nil
}

// lay makes a machine's folder, with nothing in it but what will be.
func (d *Driver) lay(g *guest) error {
	if err := os.RemoveAll(g.dir); err != nil {
		return err
	}
	if err := d.folder(g.dir, g.file(runDir)); err != nil {
		return err
	}
	if err := os.Chmod(g.file(runDir), 0o700); err != nil { //nolint:gosec // a folder
		return err
	}
	if err := os.WriteFile(g.file(serialFile), nil, 0o600); err != nil {
		return err
	}
	if err := errors.Join(d.give(g.file(runDir)), d.give(g.file(serialFile))); err != nil {
		return err
	}
	return g.save()
}

// exec starts QEMU, in a session of its own, with its monitor's socket already open: whoever connects waits until it answers.
func (d *Driver) exec(g *guest, args []string, ends []cardEnd) error {
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: g.file(monitorSock), Net: "unix"})
	if err != nil {
		return err
	}
	listener.SetUnlinkOnClose(false)
	socket, err := listener.File()
	_ = listener.Close()
	if err != nil {
		return err
	}
	defer func() { _ = socket.Close() }()
	said, err := os.OpenFile(g.file(logFile), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = said.Close() }()
	cmd := exec.Command(d.qemu, args...) //nolint:noctx // it goes on when this process ends
	cmd.Stdout, cmd.Stderr = said, said
	cmd.ExtraFiles = []*os.File{socket}
	for _, e := range ends {
		cmd.ExtraFiles = append(cmd.ExtraFiles, e.file)
	}
	cmd.Dir = "/"
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if u := d.User; u != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: u.UID, Gid: u.GID, Groups: u.Groups}
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	g.Process, err = processOf(cmd.Process.Pid)
	go func() { _ = cmd.Wait() }() // so that nothing stays of it
	return err
}

// abandon leaves nothing of a machine that did not start.
func (d *Driver) abandon(g *guest) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(d.life), launching)
	defer cancel()
	if g.mon != nil {
		g.mon.Close()
	}
	if err := d.end(ctx, g); err != nil {
		return err
	}
	return d.forget(g)
}

// died is the error of a QEMU that does not answer.
func (g *guest) died(ctx context.Context, err error) error {
	if errors.Is(err, context.Canceled) || !errors.Is(err, qmp.ErrClosed) && g.Process.lives() {
		return err
	}
	if g.Process.ended(ctx) != nil {
		return err
	}
	return qcow.Classify("machine "+string(g.Machine.VM)+" does not start", g.said())
}

// said is the end of what QEMU wrote.
func (g *guest) said() string {
	content, err := os.ReadFile(g.file(logFile))
	if err != nil || len(content) == 0 {
		return "QEMU said nothing"
	}
	return strings.TrimSpace(string(content[max(0, len(content)-maxSaid):]))
}

// failed is the error of a command that a machine did not carry out.
func (g *guest) failed(err error) error {
	if refusal, ok := errors.AsType[*qmp.Error](err); ok {
		return qcow.Classify("machine "+string(g.Machine.VM)+" refuses "+refusal.Command, refusal.Desc)
	}
	if errors.Is(err, qmp.ErrClosed) {
		return fault.Unavailablef("machine %s ended meanwhile", g.Machine.VM)
	}
	return err
}
