package remote

import (
	"context"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// The calls. Their verbs are spoken by agents and servers of different age: they are not changed.
var (
	probe = call[none, hypervisor.Report]{"Probe", func(ctx context.Context, d hypervisor.Driver, h uid.Host, _ none) (hypervisor.Report, error) {
		return d.Probe(ctx, h)
	}}
	guests = call[none, []hypervisor.Guest]{"Guests", func(ctx context.Context, d hypervisor.Driver, h uid.Host, _ none) ([]hypervisor.Guest, error) {
		return d.Guests(ctx, h)
	}}
	makeDisk = deed("MakeDisk", func(ctx context.Context, d hypervisor.Driver, h uid.Host, in hypervisor.Disk) error {
		return d.MakeDisk(ctx, h, in)
	})
	dropDisk = deed("DropDisk", func(ctx context.Context, d hypervisor.Driver, h uid.Host, in hypervisor.DiskRef) error {
		return d.DropDisk(ctx, h, in)
	})
	start = deed("Start", func(ctx context.Context, d hypervisor.Driver, h uid.Host, in machine) error {
		return d.Start(ctx, h, in.whole())
	})
	stop = deed("Stop", func(ctx context.Context, d hypervisor.Driver, h uid.Host, in stopIn) error {
		return d.Stop(ctx, h, in.VM, in.Force)
	})
	reboot = deed("Reboot", func(ctx context.Context, d hypervisor.Driver, h uid.Host, vm uid.VM) error {
		return d.Reboot(ctx, h, vm)
	})

	pool = of("Pool", func(ctx context.Context, d hypervisor.Storer, h uid.Host, in hypervisor.PoolRef) (hypervisor.PoolReport, error) {
		return d.Pool(ctx, h, in)
	})
	fetchImage = of("FetchImage", func(ctx context.Context, d hypervisor.Imager, h uid.Host, in hypervisor.Image) (hypervisor.ImageReport, error) {
		return d.FetchImage(ctx, h, in)
	})
	fetching = of("Fetching",
		func(ctx context.Context, d hypervisor.Follower, h uid.Host, in hypervisor.ImageRef) (hypervisor.Fetched, error) {
			return d.Fetching(ctx, h, in)
		})
	dropImage = deed("DropImage", func(ctx context.Context, d hypervisor.Imager, h uid.Host, in hypervisor.ImageRef) error {
		return d.DropImage(ctx, h, in)
	})
	measureStore = of("MeasureStore",
		func(ctx context.Context, d hypervisor.Imager, h uid.Host, in hypervisor.StoreRef) (hypervisor.StoreReport, error) {
			return d.MeasureStore(ctx, h, in)
		})
	plug = deed("Plug", func(ctx context.Context, d hypervisor.Plugger, h uid.Host, in plugIn) error {
		return d.Plug(ctx, h, in.VM, in.Disk)
	})
	unplug = deed("Unplug", func(ctx context.Context, d hypervisor.Plugger, h uid.Host, in unplugIn) error {
		return d.Unplug(ctx, h, in.VM, in.Disk)
	})
	receive = of("Receive", func(ctx context.Context, d hypervisor.Migrator, h uid.Host, in receiveIn) (hypervisor.Arrival, error) {
		return d.Receive(ctx, h, in.Machine.whole(), in.Copied)
	})
	send = deed("Send", func(ctx context.Context, d hypervisor.Migrator, h uid.Host, in sendIn) error {
		return d.Send(ctx, h, in.VM, in.To)
	})
	applyRouter = deed("ApplyRouter", func(ctx context.Context, d hypervisor.Networker, h uid.Host, in routerIn) error {
		return d.ApplyRouter(ctx, h, in.whole())
	})
	dropRouter = deed("DropRouter", func(ctx context.Context, d hypervisor.Networker, h uid.Host, id uid.Router) error {
		return d.DropRouter(ctx, h, id)
	})
	routers = of("Routers", func(ctx context.Context, d hypervisor.Networker, h uid.Host, _ none) ([]hypervisor.RouterReport, error) {
		return d.Routers(ctx, h)
	})
	countRouter = of("CountRouter",
		func(ctx context.Context, d hypervisor.RouterCounter, h uid.Host, id uid.Router) ([]hypervisor.AddressCounts, error) {
			return d.CountRouter(ctx, h, id)
		})
	applyGuards = deed("ApplyGuards", func(ctx context.Context, d hypervisor.Guarder, h uid.Host, in hypervisor.Guards) error {
		return d.ApplyGuards(ctx, h, in)
	})
	signOf = of("Sign", func(ctx context.Context, d hypervisor.Witness, h uid.Host, in signIn) (string, error) {
		return d.Sign(ctx, h, in.Pool, in.Host)
	})
	held = of("Held", func(ctx context.Context, d hypervisor.Witness, h uid.Host, in hypervisor.DiskRef) (bool, error) {
		return d.Held(ctx, h, in)
	})
	applyPeers = deed("ApplyPeers", func(ctx context.Context, d hypervisor.Mesher, h uid.Host, in hypervisor.Peers) error {
		return d.ApplyPeers(ctx, h, in)
	})
)

// table is what an agent answers, by verb.
var table = map[string]entry{
	probe.verb: at(probe), guests.verb: at(guests), makeDisk.verb: at(makeDisk), dropDisk.verb: at(dropDisk), start.verb: at(start),
	stop.verb: at(stop), reboot.verb: at(reboot), pool.verb: at(pool), fetchImage.verb: at(fetchImage), dropImage.verb: at(dropImage),
	measureStore.verb: at(measureStore), plug.verb: at(plug), unplug.verb: at(unplug), receive.verb: at(receive), send.verb: at(send),
	applyRouter.verb: at(applyRouter), dropRouter.verb: at(dropRouter), routers.verb: at(routers), countRouter.verb: at(countRouter),
	applyGuards.verb: at(applyGuards), fetching.verb: at(fetching),
	applyPeers.verb: at(applyPeers), signOf.verb: at(signOf), held.verb: at(held),
	plugCard.verb: at(plugCard), unplugCard.verb: at(unplugCard), changeCD.verb: at(changeCD),
	resizeDisk.verb: at(resizeDisk), takeSnapshot.verb: at(takeSnapshot), dropSnapshot.verb: at(dropSnapshot), revertDisk.verb: at(revertDisk),
	saveImage.verb: at(saveImage), readStored.verb: at(readStored), writeStored.verb: at(writeStored),
	takeStored.verb: at(takeStored), bringStored.verb: at(bringStored), sendStored.verb: at(sendStored),
	takeCheckpoint.verb: at(takeCheckpoint), revertTo.verb: at(revertTo),
	dropCheckpoint.verb: at(dropCheckpoint), usage.verb: at(usage), load.verb: at(load), serialLog.verb: at(serialLog),
}

type signIn struct {
	Pool hypervisor.PoolRef
	Host uid.Host // whose
}

type stopIn struct {
	VM    uid.VM
	Force bool
}

type plugIn struct {
	VM   uid.VM
	Disk hypervisor.Attachment
}

type unplugIn struct {
	VM   uid.VM
	Disk hypervisor.DiskRef
}

type receiveIn struct {
	Machine machine
	Copied  []uid.Volume
}

type sendIn struct {
	VM uid.VM
	To hypervisor.Arrival
}

// machine is a machine with its password, which it is never written down with; the bus is encrypted.
type machine struct {
	hypervisor.Machine
	Secret string `json:",omitempty"`
}

func (m machine) whole() hypervisor.Machine {
	m.Password = secret.New(m.Secret)
	return m.Machine
}

// routerIn is a router's document with the passwords in it, by card.
type routerIn struct {
	hypervisor.Router
	Secrets map[uid.NIC]string `json:",omitempty"`
}

func withPasswords(r hypervisor.Router) routerIn {
	in := routerIn{Router: r, Secrets: map[uid.NIC]string{}}
	for _, s := range r.Segments {
		for _, g := range s.Guests {
			if !g.Password.IsEmpty() {
				in.Secrets[g.NIC] = g.Password.Reveal()
			}
		}
	}
	return in
}

func (in routerIn) whole() hypervisor.Router {
	for _, s := range in.Segments {
		for i, g := range s.Guests {
			if p, ok := in.Secrets[g.NIC]; ok {
				s.Guests[i].Password = secret.New(p)
			}
		}
	}
	return in.Router
}

// of is a call of an interface beside [hypervisor.Driver], which not every host's driver has.
func of[D, In, Out any](verb string, f func(context.Context, D, uid.Host, In) (Out, error)) call[In, Out] {
	return call[In, Out]{verb, func(ctx context.Context, d hypervisor.Driver, host uid.Host, in In) (out Out, err error) {
		one, ok := d.(D)
		if !ok {
			return out, fault.Conflictf("host %s has no %s", host, verb)
		}
		return f(ctx, one, host, in)
	}}
}

// deed is of for calls that give nothing.
func deed[D, In any](verb string, f func(context.Context, D, uid.Host, In) error) call[In, none] {
	return of(verb, func(ctx context.Context, d D, host uid.Host, in In) (none, error) { return none{}, f(ctx, d, host, in) })
}
