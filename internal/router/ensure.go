package router

import (
	"context"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Place is a host, and what it is driven by.
type Place struct {
	Host       uid.Host `bun:"id"`
	Hypervisor string
}

// Ensure sees to it that networks in which a machine is about to start have their routers: one that there is not is made on the
// machine's host, one that was stopped is started there.
func (s *Service) Ensure(ctx context.Context, tx db.Tx, at Place, networks ...uid.Network) error {
	slices.Sort(networks)
	for _, id := range networks {
		n, err := network.Lock(ctx, tx, auth.Scope{All: true}, id)
		if err != nil {
			return err
		}
		if _, err := s.ensure(ctx, tx, n, at); err != nil {
			return err
		}
	}
	return nil
}

// ensure is Ensure for a network that is locked.
func (s *Service) ensure(ctx context.Context, tx db.Tx, n network.Network, at Place) (Router, error) {
	site, err := siteOf(ctx, tx, n, at)
	if err != nil {
		return Router{}, err
	}
	r, err := of(ctx, tx, site)
	if err != nil {
		return r, err
	}
	switch {
	case r.ID == "":
		return s.create(ctx, tx, n, site, at)
	case r.State == Stopping:
		return r, op.Retry(fault.Unavailablef("virtual router %s is being stopped", r.Name))
	case r.State == Stopped:
		return r, place(ctx, tx, r.ID, at, Starting)
	}
	return r, nil
}

// siteOf is what a router on a host serves of a network.
func siteOf(ctx context.Context, q db.Tx, n network.Network, at Place) (Site, error) {
	if !n.PerPod {
		return Site{Network: n.ID}, nil
	}
	pod, err := podOf(ctx, q, at.Host)
	return Site{n.ID, pod}, err
}

func (s *Service) create(ctx context.Context, tx db.Tx, n network.Network, site Site, at Place) (Router, error) {
	serial, err := tx.Serial(ctx, "router")
	if err != nil {
		return Router{}, err
	}
	r := Router{
		ID: uid.New[uid.Router](), Serial: serial, Name: fmt.Sprintf("r-%d-VM", serial), Network: n.ID, Pod: site.Pod, Account: n.Account,
		Domain: n.Domain, Zone: n.Zone, Host: at.Host, Hypervisor: at.Hypervisor, State: Starting, Created: tx.Now,
	}
	if n.GuestType == offering.Shared { // whoever's the network is, its router is the cloud's, for all who are in it
		system := auth.System()
		r.Account, r.Domain = system.Account, system.Domain
	}
	if err := insert(ctx, tx, r); err != nil {
		return r, err
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.RouterCreate, Description: fmt.Sprintf("created virtual router %s (%s) for network %s", r.Name, r.ID, n.Name),
		Account: r.Account, Domain: r.Domain, ResourceID: string(r.ID),
	})
	return r, err
}

// somewhere chooses a host for a router when no machine's start does: one of the zone, or of the pod, that is up and not the one to avoid.
func (s *Service) somewhere(ctx context.Context, q db.Tx, zone uid.Zone, pod uid.Pod, avoid uid.Host) (Place, error) {
	places, err := hostsUp(ctx, q, zone, pod, avoid)
	if err != nil {
		return Place{}, err
	}
	places = slices.DeleteFunc(places, func(p Place) bool { _, err := s.networker(p.Hypervisor); return err != nil })
	if len(places) == 0 && pod != "" {
		return Place{}, fault.Unavailablef("no host of the pod is up that can run a virtual router")
	}
	if len(places) == 0 {
		return Place{}, fault.Unavailablef("no host of the zone is up that can run a virtual router")
	}
	return places[0], nil
}

// End ends a network's routers on their hosts: the network is being deleted.
func (s *Service) End(ctx context.Context, id uid.Network) error {
	all, err := ofNetwork(ctx, s.db.Read(), id)
	for i := 0; i < len(all) && err == nil; i++ {
		r := all[i]
		// First, for should the network stay after all, its router is made again.
		err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setAgain(ctx, tx, r.ID) })
		if err == nil && r.State != Stopped {
			err = again(s.drop(ctx, r))
		}
	}
	return err
}

// NameOf gives the name of the router that serves a network, or a pod's part of one; "" where there is none.
func NameOf(ctx context.Context, tx db.Tx, id uid.Network, pod uid.Pod) (string, error) {
	r, err := of(ctx, tx, Site{id, pod})
	return r.Name, err
}

// Forget removes a network's routers, which were ended.
func Forget(ctx context.Context, tx db.Tx, n network.Network) error {
	all, err := ofNetwork(ctx, tx, n.ID)
	for i := 0; i < len(all) && err == nil; i++ {
		err = setRemoved(ctx, tx, all[i].ID)
	}
	return err
}
