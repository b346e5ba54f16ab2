package router

import (
	"cmp"
	"context"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that keeps virtual routers.
type Translator struct {
	DB      *db.DB
	Owned   owned.Lists
	Routers *router.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	show := look.Subject(look.Show(t.DB.Read, router.ByID, func(ctx context.Context, all []router.Router) ([]cs.Router, error) {
		return t.routersOut(ctx, all, false)
	}))
	api.HandleJob(m, cs.StartRouter, func(ctx context.Context, in cs.RouterID) (api.Started, error) {
		return started(t.Routers.PowerOn(ctx, in.ID))
	}, show)
	api.HandleJob(m, cs.StopRouter, func(ctx context.Context, in cs.StopRouterIn) (api.Started, error) {
		return started(t.Routers.PowerOff(ctx, in.ID))
	}, show)
	api.HandleJob(m, cs.RebootRouter, func(ctx context.Context, in cs.RebootRouterIn) (api.Started, error) {
		return started(t.Routers.Reboot(ctx, in.ID))
	}, show)
	api.HandleJob(m, cs.DestroyRouter, func(ctx context.Context, in cs.RouterID) (api.Started, error) {
		return started(t.Routers.Destroy(ctx, in.ID))
	}, show)
	api.HandleJob(m, cs.RestartNetwork, t.restart, look.Succeeded)
	api.HandleList(m, cs.ListRouters, t.list)
}

func started(job uid.Op, err error) (api.Started, error) { return api.Started{JobID: job}, err }

func (t Translator) restart(ctx context.Context, in cs.RestartNetworkIn) (api.Started, error) {
	switch {
	case in.MakeRedundant:
		return api.Started{}, fault.Invalidf("no network can have two routers; leave out makeredundant")
	case in.Cleanup && in.LivePatch:
		return api.Started{}, fault.Invalidf("cleanup ends the router and livepatch leaves it running: say one of them")
	}
	return started(t.Routers.Restart(ctx, in.ID, in.Cleanup))
}

func (t Translator) list(ctx context.Context, in cs.ListRoutersIn) (none api.Page[cs.Router], err error) {
	switch {
	case in.VPCID != "":
		return none, fault.Missing(in.VPCID)
	case in.ForVPC != nil && *in.ForVPC, in.Version != "", in.Arch != "":
		return none, nil // none is in a VPC, and none is made of a template
	}
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, in.ID != "", in.InProject)
	if err != nil {
		return none, err
	}
	f := router.Filter{
		Scope: scope, ID: in.ID, Name: in.Name, State: router.State(in.State), Zone: in.ZoneID, Pod: in.PodID, Cluster: in.ClusterID, Host: in.HostID,
		Network: in.NetworkID, Keyword: in.Keyword,
	}
	if in.Failed != nil {
		f.Healthy = new(!*in.Failed)
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Routers.List(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.routersOut(ctx, found, in.Fetch)
	return api.Page[cs.Router]{Count: total, Items: items}, err
}

func (t Translator) routersOut(ctx context.Context, all []router.Router, checks bool) ([]cs.Router, error) {
	n, l := len(all), look.In(t.DB.Read())
	networks := look.Related(ctx, l, n, func(i int) uid.Network { return all[i].Network }, network.ByID)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return all[i].Zone }, zone.ByID)
	hosts := look.Related(ctx, l, n, func(i int) uid.Host { return all[i].Host }, host.ByID)
	pods := look.Related(ctx, l, n, func(i int) uid.Pod { return hosts[all[i].Host].Pod }, zone.PodNames)
	offerings := look.Related(ctx, l, n, func(i int) uid.NetworkOffering { return networks[all[i].Network].Offering }, offering.NetworksByID)
	public := look.Related(ctx, l, n, func(i int) uid.Network { return all[i].Network }, router.PublicSides)
	sides := look.Related(ctx, l, n, func(i int) uid.Network { return all[i].Network }, network.SidesOf)
	if l.Err != nil {
		return nil, l.Err
	}
	usual, err := offering.SystemDefault(ctx, t.DB.Read(), offering.DomainRouter)
	if err != nil {
		return nil, err
	}
	made := func(i int) uid.ServiceOffering {
		return wire.Routers(offerings[networks[all[i].Network].Offering], usual)
	}
	from := look.Related(ctx, l, n, made, offering.ComputesByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Router, n)
	for i, r := range all {
		net, z, h, side := networks[r.Network], zones[r.Zone], hosts[r.Host], public[r.Network]
		out[i] = cs.Router{
			ID: r.ID, Name: r.Name, State: string(r.State), Role: "VIRTUAL_ROUTER", Created: api.At(r.Created), ZoneID: r.Zone, ZoneName: z.Name,
			DNS1: z.DNS1, DNS2: z.DNS2, IP6DNS1: z.IP6DNS1, IP6DNS2: z.IP6DNS2, NetworkDomain: net.NetworkDomain, PodID: h.Pod, PodName: pods[h.Pod],
			HostID: r.Host, HostName: h.Name, HostState: controlState(h), Hypervisor: r.Hypervisor, Gateway: side.Gateway, PublicIP: side.IP,
			PublicNetmask: side.Netmask, GuestIP: net.Gateway, GuestNetmask: net.Netmask, GuestNetworkID: net.ID, GuestNetwork: net.Name,
			OfferingID: made(i), OfferingName: from[made(i)].Name, RedundantState: "UNKNOWN", ChecksFailed: r.Problem != "" || r.Ailing,
			Applied: r.Applied,
			Wanted:  net.Revision, Started: api.At(r.Started),
		}
		if own := network.Sides(sides[net.ID], r.Pod); len(own) > 0 { // the gateway of a shared network is somebody else
			out[i].GuestIP, out[i].GuestNetmask, out[i].Gateway = own[0].IP.String(), own[0].Netmask, own[0].Gateway
		}
		if net.DNS1 != "" || net.DNS2 != "" {
			out[i].DNS1, out[i].DNS2 = net.DNS1, net.DNS2
		}
		if checks {
			out[i].Checks = []cs.RouterCheck{check("configuration", r.Problem, time.Time{})}
			for _, p := range r.Parts {
				why := p.Detail
				if !p.Running {
					why = cmp.Or(why, "it does not run")
				}
				out[i].Checks = append(out[i].Checks, check(p.Name, why, p.Since))
			}
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	return out, t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending })
}

// check is what is known of one thing: that it is well, or what is wrong.
func check(name, wrong string, since time.Time) cs.RouterCheck {
	c := cs.RouterCheck{Name: name, Type: "basic", Success: wrong == "", Status: "SUCCESS", Details: wrong, Updated: api.At(since)}
	if !c.Success {
		c.Status = "FAILED"
	}
	return c
}

// controlState is what can be done with a host, in CloudStack's words.
func controlState(h host.Host) string {
	switch {
	case h.ID == "":
		return ""
	case h.State != host.Up:
		return "Offline"
	case h.ResourceState == host.Enabled:
		return "Enabled"
	}
	return string(h.ResourceState)
}
