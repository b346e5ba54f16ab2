package remote

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Driver is a [hypervisor.Driver] for all hosts whose agents have dialed in. A host without one, or with one that has fallen silent,
// is fault.Unavailable.
type Driver struct {
	bus *bus.Conn
}

// New makes a driver over a server's connection to its bus, where agents go by their hosts' ids.
func New(c *bus.Conn) *Driver { return &Driver{c} }

// none is what a call has that takes or gives nothing.
type none struct{}

// call is a method of a driver as it travels.
type call[In, Out any] struct {
	verb string
	do   func(ctx context.Context, d hypervisor.Driver, host uid.Host, in In) (Out, error)
}

// answer is what comes back.
type answer struct {
	Fault  *failure        `json:",omitempty"`
	Result json.RawMessage `json:",omitempty"`
}

type failure struct {
	Kind         fault.Kind
	Text, Detail string
}

// ask has a host's agent make a call.
func ask[In, Out any](ctx context.Context, d *Driver, host uid.Host, c call[In, Out], in In) (out Out, err error) {
	body, err := json.Marshal(in)
	if err != nil {
		return out, fmt.Errorf("write a %s for host %s: %w", c.verb, host, err)
	}
	body, err = d.bus.Ask(ctx, string(host), c.verb, body)
	if fault.Is(err, fault.Unavailable) {
		return out, fault.Unavailablef("the agent of host %s does not answer", host).WithDetail("%v", err)
	} else if err != nil {
		return out, err
	}
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return out, fmt.Errorf("read host %s's answer to %s: %w", host, c.verb, err)
	}
	if a.Fault != nil {
		err := fault.New(a.Fault.Kind, "%s", a.Fault.Text)
		if a.Fault.Detail != "" {
			err = err.WithDetail("%s", a.Fault.Detail)
		}
		return out, err
	}
	if err := json.Unmarshal(a.Result, &out); err != nil {
		return out, fmt.Errorf("read host %s's answer to %s: %w", host, c.verb, err)
	}
	return out, nil
}

// do is ask for calls that give nothing.
func do[In any](ctx context.Context, d *Driver, host uid.Host, c call[In, none], in In) error {
	_, err := ask(ctx, d, host, c, in)
	return err
}

// Probe is [hypervisor.Driver]'s, as all that follow.
func (d *Driver) Probe(ctx context.Context, host uid.Host) (hypervisor.Report, error) {
	return ask(ctx, d, host, probe, none{})
}

// Guests lists what is on a host.
func (d *Driver) Guests(ctx context.Context, host uid.Host) ([]hypervisor.Guest, error) {
	return ask(ctx, d, host, guests, none{})
}

// MakeDisk makes a disk.
func (d *Driver) MakeDisk(ctx context.Context, host uid.Host, k hypervisor.Disk) error {
	return do(ctx, d, host, makeDisk, k)
}

// DropDisk removes a disk.
func (d *Driver) DropDisk(ctx context.Context, host uid.Host, k hypervisor.DiskRef) error {
	return do(ctx, d, host, dropDisk, k)
}

// Start runs a machine.
func (d *Driver) Start(ctx context.Context, host uid.Host, m hypervisor.Machine) error {
	return do(ctx, d, host, start, machine{m, m.Password.Reveal()})
}

// Stop ends a machine.
func (d *Driver) Stop(ctx context.Context, host uid.Host, vm uid.VM, force bool) error {
	return do(ctx, d, host, stop, stopIn{vm, force})
}

// Reboot restarts a guest.
func (d *Driver) Reboot(ctx context.Context, host uid.Host, vm uid.VM) error {
	return do(ctx, d, host, reboot, vm)
}

// Recover is nothing here: agents recover their hosts when they start.
func (d *Driver) Recover(ctx context.Context) error { return ctx.Err() }

// Pool asks about storage.
func (d *Driver) Pool(ctx context.Context, host uid.Host, p hypervisor.PoolRef) (hypervisor.PoolReport, error) {
	return ask(ctx, d, host, pool, p)
}

// FetchImage brings an image into a store.
func (d *Driver) FetchImage(ctx context.Context, host uid.Host, i hypervisor.Image) (hypervisor.ImageReport, error) {
	return ask(ctx, d, host, fetchImage, i)
}

// Fetching tells how far an image has come.
func (d *Driver) Fetching(ctx context.Context, host uid.Host, i hypervisor.ImageRef) (hypervisor.Fetched, error) {
	return ask(ctx, d, host, fetching, i)
}

// DropImage removes an image.
func (d *Driver) DropImage(ctx context.Context, host uid.Host, i hypervisor.ImageRef) error {
	return do(ctx, d, host, dropImage, i)
}

// MeasureStore asks about a store.
func (d *Driver) MeasureStore(ctx context.Context, host uid.Host, s hypervisor.StoreRef) (hypervisor.StoreReport, error) {
	return ask(ctx, d, host, measureStore, s)
}

// Plug gives a running machine a disk.
func (d *Driver) Plug(ctx context.Context, host uid.Host, vm uid.VM, a hypervisor.Attachment) error {
	return do(ctx, d, host, plug, plugIn{vm, a})
}

// Unplug takes a disk from a machine.
func (d *Driver) Unplug(ctx context.Context, host uid.Host, vm uid.VM, k hypervisor.DiskRef) error {
	return do(ctx, d, host, unplug, unplugIn{vm, k})
}

// Receive has a host await a machine.
func (d *Driver) Receive(ctx context.Context, host uid.Host, m hypervisor.Machine, copied []uid.Volume) (hypervisor.Arrival, error) {
	return ask(ctx, d, host, receive, receiveIn{machine{m, m.Password.Reveal()}, copied})
}

// Send moves a machine.
func (d *Driver) Send(ctx context.Context, host uid.Host, vm uid.VM, to hypervisor.Arrival) error {
	return do(ctx, d, host, send, sendIn{vm, to})
}

// ApplyRouter makes a router what its document says.
func (d *Driver) ApplyRouter(ctx context.Context, host uid.Host, r hypervisor.Router) error {
	return do(ctx, d, host, applyRouter, withPasswords(r))
}

// DropRouter ends a router.
func (d *Driver) DropRouter(ctx context.Context, host uid.Host, id uid.Router) error {
	return do(ctx, d, host, dropRouter, id)
}

// Routers lists a host's routers.
func (d *Driver) Routers(ctx context.Context, host uid.Host) ([]hypervisor.RouterReport, error) {
	return ask(ctx, d, host, routers, none{})
}

// CountRouter gives what went by a router's addresses.
func (d *Driver) CountRouter(ctx context.Context, host uid.Host, id uid.Router) ([]hypervisor.AddressCounts, error) {
	return ask(ctx, d, host, countRouter, id)
}

// ApplyGuards makes the rules of a host's cards what the document says.
func (d *Driver) ApplyGuards(ctx context.Context, host uid.Host, g hypervisor.Guards) error {
	return do(ctx, d, host, applyGuards, g)
}

// Sign tells of another host's signs of life.
func (d *Driver) Sign(ctx context.Context, on uid.Host, p hypervisor.PoolRef, of uid.Host) (string, error) {
	return ask(ctx, d, on, signOf, signIn{p, of})
}

// Held tells whether a disk is in a machine's hands.
func (d *Driver) Held(ctx context.Context, on uid.Host, k hypervisor.DiskRef) (bool, error) {
	return ask(ctx, d, on, held, k)
}

// ApplyPeers tells a host of the others.
func (d *Driver) ApplyPeers(ctx context.Context, host uid.Host, p hypervisor.Peers) error {
	return do(ctx, d, host, applyPeers, p)
}
