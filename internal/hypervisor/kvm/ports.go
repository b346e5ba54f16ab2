package kvm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Ports are where machines' network cards end on this host.
type Ports interface {
	// Plug gives a card a port in its network: a tap device that is there, stays when nobody has it open, is up, and lets through
	// what the card may send. A card that has its port keeps it.
	Plug(ctx context.Context, nic hypervisor.NIC) (Tap, error)
	// Unplug takes a card's port away. An absent one is nil.
	Unplug(ctx context.Context, nic uid.NIC) error
}

// Tap is a tap device.
type Tap struct {
	Name      string
	MTU       int    // what the card has, too; 0 is 1500
	Namespace string // the network namespace that it is in, as a file: "/run/netns/blue"; "" for this process's
}

// vnetHeader says that packets carry what virtio cards leave undone: checksums, segments.
const vnetHeader = unix.IFF_TAP | unix.IFF_NO_PI | unix.IFF_VNET_HDR

// open opens the device as QEMU's end of it: QEMU itself may not.
func (t Tap) open() (f *os.File, err error) {
	if t.Namespace == "" {
		return t.openHere()
	}
	done := make(chan struct{})
	go func() { // the thread is not used again: it ends with its goroutine, in the other namespace
		defer close(done)
		runtime.LockOSThread()
		space, e := os.Open(t.Namespace)
		if err = e; err != nil {
			return
		}
		defer func() { _ = space.Close() }()
		if err = unix.Setns(int(space.Fd()), unix.CLONE_NEWNET); err == nil {
			f, err = t.openHere()
		}
	}()
	<-done
	return f, err
}

func (t Tap) openHere() (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	request, err := unix.NewIfreq(t.Name)
	if err == nil {
		request.SetUint16(vnetHeader)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open tap %s: %w", t.Name, err), unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), t.Name), nil
}

// plugAll gives a machine's cards their ports, all or none.
func (d *Driver) plugAll(ctx context.Context, m hypervisor.Machine) (ends []cardEnd, err error) {
	for _, n := range m.NICs {
		end, err := d.plugNIC(ctx, n)
		if err != nil {
			closeAll(ends)
			return nil, errors.Join(err, d.unplugAll(m))
		}
		ends = append(ends, end)
	}
	return ends, nil
}

// cardEnd is where a card ends for QEMU.
type cardEnd struct {
	file *os.File
	mtu  int
}

func (d *Driver) plugNIC(ctx context.Context, n hypervisor.NIC) (cardEnd, error) {
	tap, err := d.Ports.Plug(ctx, n)
	if err != nil {
		return cardEnd{}, fmt.Errorf("plug card %s: %w", n.ID, err)
	}
	f, err := tap.open()
	return cardEnd{f, tap.MTU}, err
}

// unplugAll takes away all of a machine's ports, also where nobody waits for it any more.
func (d *Driver) unplugAll(m hypervisor.Machine) error {
	var all error
	for _, n := range m.NICs {
		all = errors.Join(all, d.Ports.Unplug(context.WithoutCancel(d.life), n.ID))
	}
	return all
}

func closeAll(ends []cardEnd) {
	for _, e := range ends {
		_ = e.file.Close()
	}
}
