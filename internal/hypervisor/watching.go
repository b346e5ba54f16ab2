package hypervisor

import (
	"context"
	"io"
	"time"

	"github.com/virga-cloud/virga/uid"
)

// Screener is a driver that shows what machines show: their screens, and what they write on their first serial port.
type Screener interface {
	// Screen is a connection to a machine's screen, keyboard and mouse, which speaks RFB (VNC) without a password: whoever has it may
	// use them. It is fault.Conflict when the machine does not run on this host.
	Screen(ctx context.Context, host uid.Host, vm uid.VM) (io.ReadWriteCloser, error)
	// SerialLog is the end of what a machine has written, this many bytes at most. One that has ended still has its own, until it
	// is stopped. It is fault.Conflict when the machine is not on this host.
	SerialLog(ctx context.Context, host uid.Host, vm uid.VM, most int) ([]byte, error)
}

// Meter is a driver that counts what machines use.
type Meter interface {
	// Usage tells what each machine that runs on the host has used since it was started there, by ascending id.
	Usage(ctx context.Context, host uid.Host) ([]Usage, error)
}

// Usage is what a machine has used.
type Usage struct {
	VM       uid.VM
	Run      string        // another one with each start on a host, from which all is counted from 0 again
	CPU      time.Duration // summed over its processors
	MemoryKB int64         // of the host's that it takes now
	Disks    []DiskUsage   // by device
	Cards    []CardUsage   // by device
}

// DiskUsage is what a machine has used of a disk.
type DiskUsage struct {
	Volume                uid.Volume
	ReadBytes, WriteBytes int64
	ReadOps, WriteOps     int64
}

// CardUsage is what went by a card, as the machine sees it.
type CardUsage struct {
	NIC            uid.NIC
	Sent, Received int64 // bytes
}

// Gauge is a driver that can tell how busy hosts are.
type Gauge interface {
	// Load tells how busy the host is.
	Load(ctx context.Context, host uid.Host) (Load, error)
}

// Load is how busy a host is, with all that runs there.
type Load struct {
	CPU      *float64 // the part of its processors that was busy since it was asked last, from 0 to 1; nil where it can't tell yet
	Average  float64  // how many processes ran or wanted to, on average, over the last minute
	MemoryKB int64    // that is in use
	Sent     int64    // bytes, through its own network cards since it was started
	Received int64
}
