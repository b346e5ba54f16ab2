package buckets

import (
	"context"
	"io"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// ReadStored implements [hypervisor.Giver]. It needs no host.
func (d *Driver) ReadStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, most int) (p hypervisor.Piece, err error) {
	t, err := d.thing(ctx, s)
	if err != nil {
		return p, err
	}
	if t == nil {
		return d.Driver.ReadStored(ctx, host, s, offset, most)
	}
	is, err := t.there(ctx)
	if err != nil {
		return p, err
	}
	p = hypervisor.Piece{Size: is.Size, Ending: is.Ending}
	n := min(int64(min(most, hypervisor.MostPiece)), p.Size-offset)
	if offset < 0 || n <= 0 {
		return p, nil
	}
	p.Data, err = t.Read(ctx, t.key+"."+is.Ending, offset, n)
	return p, err
}

// StreamStored implements [hypervisor.Streamer].
func (d *Driver) StreamStored(ctx context.Context, s hypervisor.Stored, offset int64) (io.ReadCloser, error) {
	t, err := d.thing(ctx, s)
	if t == nil || err != nil {
		return nil, err
	}
	is, err := t.there(ctx)
	if err != nil {
		return nil, err
	}
	return t.Stream(ctx, t.key+"."+is.Ending, offset)
}

// coming is an upload on its way through this server into a bucket.
type coming struct {
	into *io.PipeWriter
	stop context.CancelFunc
	done chan struct{} // is closed when err is what became of it
	err  error
	idle *time.Timer // gives it up

	at int64
}

// stale is how long an upload waits for its next piece, or to be taken: what is over is told to the server that has it, or to another one.
const stale = time.Hour

// WriteStored implements [hypervisor.Taker]: pieces are gathered in the bucket, and no host has a part in it before all are there.
func (d *Driver) WriteStored(ctx context.Context, host uid.Host, s hypervisor.Stored, offset int64, data []byte) error {
	t, err := d.thing(ctx, s)
	if err != nil {
		return err
	}
	if t == nil {
		return d.Driver.WriteStored(ctx, host, s, offset, data)
	}
	if offset == 0 {
		if _, err := d.Guests(ctx, host); err != nil { // all would be in vain
			return err
		}
		d.begin(t)
	}
	d.mu.Lock()
	c := d.coming[s]
	d.mu.Unlock()
	switch {
	case c == nil:
		return fault.Conflictf("what was sent before is not on its way to store %s any more", s.Store)
	case offset > c.at:
		return fault.Conflictf("store %s has %d bytes of it, and not the %d before this piece", s.Store, c.at, offset)
	case offset+int64(len(data)) <= c.at: // it comes twice
		return nil
	}
	c.idle.Reset(stale)
	defer context.AfterFunc(ctx, c.stop)()
	n, err := c.into.Write(data[c.at-offset:])
	c.at += int64(n)
	return err
}

// begin has what comes written into the bucket, in the place of what came before.
func (d *Driver) begin(t *thing) {
	d.end(t.Stored)
	from, into := io.Pipe()
	ctx, stop := context.WithCancel(context.Background()) // it comes in many calls
	c := &coming{into: into, stop: stop, done: make(chan struct{})}
	go func() {
		c.err = t.Write(ctx, t.key+".sent", from)
		_ = from.CloseWithError(c.err)
		close(c.done)
	}()
	c.idle = time.AfterFunc(stale, func() { d.giveUp(t.Stored, c) })
	d.mu.Lock()
	d.coming[t.Stored] = c
	d.mu.Unlock()
}

// end gives up what is on its way, and waits until that is so.
func (d *Driver) end(s hypervisor.Stored) {
	d.mu.Lock()
	c := d.coming[s]
	d.mu.Unlock()
	if c != nil {
		d.giveUp(s, c)
	}
}

func (d *Driver) giveUp(s hypervisor.Stored, c *coming) {
	d.mu.Lock()
	if d.coming[s] == c {
		delete(d.coming, s)
	}
	d.mu.Unlock()
	c.idle.Stop()
	c.stop()
	_ = c.into.CloseWithError(context.Canceled)
	<-c.done
}

// complete waits until all that came through this server is in the bucket.
func (d *Driver) complete(s hypervisor.Stored) error {
	d.mu.Lock()
	c := d.coming[s]
	delete(d.coming, s)
	d.mu.Unlock()
	if c == nil { // an earlier try did so
		return nil
	}
	c.idle.Stop()
	defer c.stop()
	_ = c.into.Close()
	<-c.done
	return c.err
}

// TakeStored implements [hypervisor.Taker]: a host gets what was sent, makes it what it is to be, and sends that.
func (d *Driver) TakeStored(ctx context.Context, host uid.Host, s hypervisor.Stored, as hypervisor.Sent) (r hypervisor.ImageReport, err error) {
	t, err := d.thing(ctx, s)
	if err != nil {
		return r, err
	}
	if t == nil {
		return d.Driver.TakeStored(ctx, host, s, as)
	}
	if is, err := t.known(ctx); err != nil {
		return r, err
	} else if is != nil {
		return is.ImageReport, t.Drop(ctx, t.key+".sent")
	}
	if err := d.complete(s); err != nil {
		return r, err
	}
	size, err := t.Size(ctx, t.key+".sent")
	switch {
	case fault.Is(err, fault.NotFound):
		return r, fault.Conflictf("nothing was sent to store %s", s.Store)
	case err == nil && size != as.Bytes:
		err = fault.Conflictf("store %s has %d bytes of it, and %d were sent: some were lost there", s.Store, size, as.Bytes)
	}
	if err == nil {
		if as.Link, err = t.Link(ctx, t.key+".sent"); err != nil {
			return r, err
		}
		r, err = d.Driver.TakeStored(ctx, host, t.staged(), as)
	}
	if fault.Is(err, fault.Conflict) { // it would be the same again
		if gone := t.Drop(ctx, t.key+".sent"); gone != nil {
			return r, gone
		}
	}
	if err != nil {
		return r, err
	}
	if err := d.ship(ctx, host, t, record{From: "upload", ImageReport: r}); err != nil {
		return r, err
	}
	return r, t.Drop(ctx, t.key+".sent")
}
