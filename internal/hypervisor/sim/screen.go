package sim

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Screen implements [hypervisor.Screener]: a dark screen, on which nothing that is typed shows.
func (w *World) Screen(ctx context.Context, host uid.Host, vm uid.VM) (io.ReadWriteCloser, error) {
	var m hypervisor.Machine
	err := w.do(ctx, host, hypervisor.CommandScreen, func(t *tx) (err error) {
		m, err = t.runs(host, vm)
		return err
	})
	if err != nil {
		return nil, err
	}
	ours, theirs := net.Pipe()
	go func() {
		defer func() { _ = theirs.Close() }()
		_ = show(theirs, m.Name) // it ends when whoever looks has gone
	}()
	return ours, nil
}

const (
	screenWidth  = 640
	screenHeight = 400
)

// show speaks RFB 3.8 (RFC 6143), as far as a viewer needs it of a screen that never changes.
func show(conn io.ReadWriter, name string) error {
	read := func(n int) ([]byte, error) {
		b := make([]byte, n)
		_, err := io.ReadFull(conn, b)
		return b, err
	}
	write := func(parts ...any) (err error) {
		for _, p := range parts {
			if err == nil {
				err = binary.Write(conn, binary.BigEndian, p)
			}
		}
		return err
	}
	depth := byte(32) // bits of a pixel
	for _, exchange := range []struct {
		say []any
		get int
	}{
		{[]any{[]byte("RFB 003.008\n")}, 12},
		{[]any{[]byte{1, 1}}, 1}, // one way to sign in: none
		{[]any{uint32(0)}, 1},
		{[]any{uint16(screenWidth), uint16(screenHeight), []byte{depth, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0},
			uint32(len(name)), []byte(name)}, 0},
	} {
		if err := write(exchange.say...); err != nil {
			return err
		}
		if _, err := read(exchange.get); err != nil {
			return err
		}
	}
	for {
		kind, err := read(1)
		if err != nil {
			return err
		}
		var length int
		switch kind[0] {
		case 0:
			length = 19 // how pixels are to look
		case 2:
			length = 3 // encodings
		case 3:
			length = 9 // show a part
		case 4:
			length = 7 // a key
		case 5:
			length = 5 // the mouse
		case 6:
			length = 7 // text to paste
		default:
			return fmt.Errorf("message %d is not RFB's", kind[0])
		}
		body, err := read(length)
		if err != nil {
			return err
		}
		switch kind[0] {
		case 0:
			depth = body[3]
		case 2:
			_, err = io.CopyN(io.Discard, conn, 4*int64(binary.BigEndian.Uint16(body[1:])))
		case 3:
			if body[0] == 0 { // what has not changed since is not shown again
				err = write([]byte{0, 0}, uint16(1), uint16(0), uint16(0), uint16(screenWidth), uint16(screenHeight), int32(0),
					make([]byte, screenWidth*screenHeight*int(depth)/8))
			}
		case 6:
			_, err = io.CopyN(io.Discard, conn, int64(binary.BigEndian.Uint32(body[3:])))
		}
		if err != nil {
			return err
		}
	}
}

// SerialLog implements [hypervisor.Screener].
func (w *World) SerialLog(ctx context.Context, host uid.Host, vm uid.VM, most int) (log []byte, err error) {
	err = w.do(ctx, host, hypervisor.CommandSerialLog, func(t *tx) error {
		g, err := t.guest(vm)
		if err != nil {
			return err
		}
		if !g.found || g.host != host {
			return fault.Conflictf("machine %s is not on host %s", vm, host)
		}
		m, err := g.machine()
		log = fmt.Appendf(nil, "simulated machine %s: %d CPUs, %d MB\n", m.Name, m.CPUs, m.MemoryMB)
		return err
	})
	return log[max(0, len(log)-most):], err
}
