package cloudtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// deletion is a thing that is deleted while others make things that are in it, or from it.
type deletion struct {
	remove func() (op.ID, error)
	uses   []func() (op.ID, error)
	lasts  bool // what was made goes on without the thing
}

// rounds is how often each deletion races: on PostgreSQL, without the guards, one of five or so goes wrong.
const rounds = 16

// What is in a zone and does not keep it goes with it: its image stores, and the ISOs that are nowhere else.
func TestDeletingZoneWithStores(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		p := plant{Cloud: c, ctx: ctx}
		z := p.newZone(t, "z")
		_, err := c.Images.AddStore(ctx, image.Store{Zone: z.ID, URL: "file:///z"})
		must(t, err)
		_, err = c.Images.Create(ctx, image.Template{
			Account: auth.System().Account, Domain: auth.System().Domain, Zone: z.ID, Name: "cd", Format: image.ISO, Type: image.Builtin,
			Size: 1 << 20, Public: true, Featured: true, Ready: true, Bootable: true,
		})
		must(t, err)
		shown := func() int {
			stores, _, err := c.Images.Stores(ctx, image.StoreFilter{Zone: z.ID})
			must(t, err)
			isos, _, err := c.Images.Templates(ctx, image.Filter{Which: image.Featured, Zone: z.ID, ISOs: true})
			must(t, err)
			return len(stores) + len(isos)
		}
		if n := shown(); n != 2 {
			t.Errorf("%d stores and ISOs are shown", n)
		}
		must(t, c.Zones.DeleteZone(ctx, z.ID))
		if n := shown(); n != 0 {
			t.Errorf("%d stores and ISOs are shown of a zone that is gone", n)
		}
	})
}

// race runs a deletion and all that it races with at the same moment. In the end either the thing is gone and nothing was made of
// it, or the deletion was refused; and what was accepted comes to its end.
func race(t *testing.T, c *cloudtest.Cloud, d deletion) {
	t.Helper()
	gate, made := make(chan struct{}), make([]bool, len(d.uses))
	var all sync.WaitGroup
	done := func(job op.ID, err error) bool {
		if err == nil && job != "" {
			r, waited := c.Engine.Wait(context.Background(), job)
			if waited != nil || r.State != op.Done {
				t.Errorf("%s was accepted and ended %s: %v %s; %v", r.Plan, r.State, r.Err(), r.FaultDetail, waited)
			}
		}
		if err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Invalid) {
			t.Errorf("neither done nor refused: %v", err)
		}
		return err == nil
	}
	for i, use := range d.uses {
		all.Go(func() {
			<-gate
			made[i] = done(use())
		})
	}
	gone := false
	all.Go(func() {
		<-gate
		gone = done(d.remove())
	})
	close(gate)
	all.Wait()
	if gone && slices.Contains(made, true) && !d.lasts {
		t.Error("it was deleted, and something was made of it")
	}
}

// Nothing is deleted while something is being made of it or in it: each deletion is refused then, or comes first.
func TestDeletingWhatIsBeingUsed(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 8}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		p := plant{c, ctx, smallIn(t, c, ctx, "10.7.0.1", "255.255.252.0")}
		for name, next := range map[string]func(t *testing.T, n int) deletion{
			"template": p.template, "service offering": p.serviceOffering, "disk offering": p.diskOffering, "network": p.network,
			"network offering": p.networkOffering, "zone": p.zone, "zone and its pods": p.zonePods, "pod": p.pod, "cluster": p.cluster,
		} {
			t.Run(name, func(t *testing.T) {
				for n := range rounds {
					race(t, c, next(t, n))
				}
			})
		}
	})
}

// plant makes things that are then deleted.
type plant struct {
	*cloudtest.Cloud
	ctx context.Context
	in  compute.DeployIn // of a small machine
}

// each gives so many uses of a kind.
func each(n int, use func() (op.ID, error)) []func() (op.ID, error) {
	return slices.Repeat([]func() (op.ID, error){use}, n)
}

func (p plant) deploy(change func(*compute.DeployIn)) func() (op.ID, error) {
	return func() (op.ID, error) {
		in := p.in
		change(&in)
		_, job, err := p.Machines.Deploy(p.ctx, in)
		return job, err
	}
}

func (p plant) template(t *testing.T, n int) deletion {
	tpl, err := p.Images.Register(p.ctx, image.RegisterIn{Zones: []uid.Zone{p.in.Zone}, Template: image.Template{
		Name: fmt.Sprint("t", n), URL: "http://example.org/t.qcow2", Format: "QCOW2", Hypervisor: "Simulator",
	}})
	must(t, err)
	jobs, _, err := op.List(p.ctx, p.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, Subject: string(tpl.ID)})
	must(t, err)
	end(t, p.Cloud, jobs[0].ID)
	return deletion{
		uses:   each(3, p.deploy(func(in *compute.DeployIn) { in.Template, in.Stopped = tpl.ID, n%2 == 1 })),
		remove: func() (op.ID, error) { return p.Images.Delete(p.ctx, tpl.ID, "", false) },
	}
}

func (p plant) serviceOffering(t *testing.T, n int) deletion {
	off, err := p.Offerings.CreateCompute(p.ctx, offering.Compute{Name: fmt.Sprint("o", n), CPUNumber: 1, CPUSpeed: 100, MemoryMB: 64})
	must(t, err)
	return deletion{
		lasts:  true,
		uses:   each(2, p.deploy(func(in *compute.DeployIn) { in.Offering = off.ID })),
		remove: func() (op.ID, error) { return "", p.Offerings.DeleteCompute(p.ctx, off.ID) },
	}
}

func (p plant) diskOffering(t *testing.T, n int) deletion {
	off, err := p.Offerings.CreateDisk(p.ctx, offering.Disk{Name: fmt.Sprint("d", n), SizeGB: 1})
	must(t, err)
	return deletion{
		lasts: true,
		uses: append(each(2, p.deploy(func(in *compute.DeployIn) { in.DiskOffering = off.ID })), func() (op.ID, error) {
			_, job, err := p.Volumes.Create(p.ctx, volume.CreateIn{Zone: p.in.Zone, Offering: off.ID})
			return job, err
		}),
		remove: func() (op.ID, error) { return "", p.Offerings.DeleteDisk(p.ctx, off.ID) },
	}
}

func (p plant) network(t *testing.T, n int) deletion {
	nets, _, err := p.Offerings.Networks(p.ctx, offering.Filter{Availability: offering.Required})
	must(t, err)
	net, err := p.Networks.Create(p.ctx, network.CreateIn{Name: fmt.Sprint("n", n), Zone: p.in.Zone, Offering: nets[0].ID})
	must(t, err)
	return deletion{
		uses:   each(3, p.deploy(func(in *compute.DeployIn) { in.Networks = []compute.NetworkIn{{Network: net.ID}} })),
		remove: func() (op.ID, error) { return p.Networks.Delete(p.ctx, net.ID) },
	}
}

func (p plant) networkOffering(t *testing.T, n int) deletion {
	nets, _, err := p.Offerings.Networks(p.ctx, offering.Filter{Name: "DefaultIsolatedNetworkOfferingWithSourceNatService"})
	must(t, err)
	off := nets[0]
	off.Name, off.IsDefault, off.Availability = fmt.Sprint("no", n), false, offering.Optional
	off, err = p.Offerings.CreateNetwork(p.ctx, off)
	must(t, err)
	return deletion{
		uses: each(3, func() (op.ID, error) {
			_, err := p.Networks.Create(p.ctx, network.CreateIn{Name: "n", Zone: p.in.Zone, Offering: off.ID})
			return "", err
		}),
		remove: func() (op.ID, error) { return "", p.Offerings.DeleteNetwork(p.ctx, off.ID) },
	}
}

func (p plant) newZone(t *testing.T, name string) zone.Zone {
	z, err := p.Zones.CreateZone(p.ctx, zone.Zone{Name: name, NetworkType: zone.Advanced, DNS1: "192.0.2.53", InternalDNS1: "192.0.2.53"})
	must(t, err)
	return z
}

func (p plant) deleteZone(id uid.Zone) func() (op.ID, error) {
	return func() (op.ID, error) { return "", p.Zones.DeleteZone(p.ctx, id) }
}

// zone is a zone with nothing that would be locked when something is put into it.
func (p plant) zone(t *testing.T, n int) deletion {
	z := p.newZone(t, fmt.Sprint("z", n))
	disks, _, err := p.Offerings.Disks(p.ctx, offering.Filter{Name: "Small"})
	must(t, err)
	return deletion{
		remove: p.deleteZone(z.ID),
		uses: []func() (op.ID, error){
			func() (op.ID, error) {
				_, job, err := p.Volumes.Create(p.ctx, volume.CreateIn{Zone: z.ID, Offering: disks[0].ID})
				return job, err
			},
			func() (op.ID, error) {
				_, job, err := p.PhysNets.Create(p.ctx, physnet.CreateIn{Zone: z.ID, Name: "p"})
				return job, err
			},
			func() (op.ID, error) {
				_, err := p.Pools.Create(p.ctx, pool.Pool{
					Zone: z.ID, Name: "s", URL: "file:///s", Scope: pool.ZoneWide, Hypervisor: "Simulator", BytesPhysical: 1 << 40,
				})
				return "", err
			},
		},
	}
}

func (p plant) newPod(z uid.Zone, name string) (zone.Pod, error) {
	return p.Zones.CreatePod(p.ctx, zone.Pod{
		Zone: z, Name: name, Gateway: "192.0.2.1", Netmask: "255.255.255.0", StartIP: "192.0.2.10", EndIP: "192.0.2.90",
	})
}

func (p plant) zonePods(t *testing.T, n int) deletion {
	z := p.newZone(t, fmt.Sprint("zp", n))
	return deletion{
		remove: p.deleteZone(z.ID),
		uses: each(2, func() (op.ID, error) {
			_, err := p.newPod(z.ID, "p")
			return "", err
		}),
	}
}

func (p plant) newCluster(pod zone.Pod, name string) (zone.Cluster, error) {
	return p.Zones.CreateCluster(p.ctx, zone.Cluster{Zone: pod.Zone, Pod: pod.ID, Name: name, Hypervisor: "Simulator"})
}

func (p plant) pod(t *testing.T, n int) deletion {
	pod, err := p.newPod(p.newZone(t, fmt.Sprint("pz", n)).ID, "p")
	must(t, err)
	return deletion{
		remove: func() (op.ID, error) { return "", p.Zones.DeletePod(p.ctx, pod.ID) },
		uses: append(each(2, func() (op.ID, error) {
			_, err := p.newCluster(pod, "c")
			return "", err
		}), p.join(host.JoinIn{Zone: pod.Zone, Pod: pod.ID, ClusterName: "other", URL: fmt.Sprintf("http://sim/p%d/h", n)})),
	}
}

func (p plant) cluster(t *testing.T, n int) deletion {
	pod, err := p.newPod(p.newZone(t, fmt.Sprint("cz", n)).ID, "p")
	must(t, err)
	c, err := p.newCluster(pod, "c")
	must(t, err)
	return deletion{
		remove: func() (op.ID, error) { return "", p.Zones.DeleteCluster(p.ctx, c.ID) },
		uses: []func() (op.ID, error){
			p.join(host.JoinIn{Zone: pod.Zone, Pod: pod.ID, Cluster: c.ID, URL: fmt.Sprintf("http://sim/c%d/h", n)}),
			func() (op.ID, error) {
				_, err := p.Pools.Create(p.ctx, pool.Pool{
					Zone: pod.Zone, Pod: pod.ID, Cluster: c.ID, Name: "s", URL: "file:///s", BytesPhysical: 1 << 40,
				})
				return "", err
			},
		},
	}
}

func (p plant) join(in host.JoinIn) func() (op.ID, error) {
	return func() (op.ID, error) {
		in.Hypervisor = "Simulator"
		_, job, err := p.Hosts.BeginJoin(p.ctx, in)
		return job, err
	}
}
