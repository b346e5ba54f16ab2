package compute

import (
	"context"
	"encoding/base64"
	"net/netip"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// route sees to it that the machine's networks have their routers, made on the machine's host where they have none, and notes what those
// must know before the machine starts.
func (s *Service) route(ctx context.Context, tx db.Tx, vm known, on uid.Host, j *job) error {
	j.Routed = nil
	var without []uid.Network
	for _, c := range vm.cards {
		if !c.Routed {
			continue
		}
		if j.Routed == nil {
			j.Routed = map[uid.Network]int64{}
		}
		j.Routed[c.Network] = c.Revision
		if c.RouterState == "" || c.RouterState == router.Stopping || c.RouterState == router.Stopped {
			without = append(without, c.Network)
		}
	}
	if len(without) == 0 {
		return nil
	}
	return s.routers.Ensure(ctx, tx, router.Place{Host: on, Hypervisor: vm.Hypervisor}, without...)
}

// announced tells whether the routers of the machine's networks know it, or are about to, and its host the rules of its cards.
func (s *Service) announced(ctx context.Context, q db.Tx, j *job) (bool, error) {
	ok, err := s.routers.Announced(ctx, q, j.Routed)
	if err != nil || !ok || j.Guarded == 0 {
		return ok, err
	}
	return s.groups.Guarded(ctx, q, j.Host, j.Guarded)
}

// FillRouter is a [router.Source]: it adds the guests of a network, and what they are told of themselves.
func (s *Service) FillRouter(ctx context.Context, q db.Tx, n network.Network, r *hypervisor.Router) error {
	guests, err := guestsIn(ctx, q, n.ID, r.Since)
	if err != nil {
		return err
	}
	if r.Since > 0 {
		if r.Gone, err = network.GoneSince(ctx, q, n.ID, r.Since); err != nil {
			return err
		}
	}
	zones, err := zone.Names(ctx, q, []uid.Zone{n.Zone})
	if err != nil {
		return err
	}
	public := outside(r)
	at := &r.Segments[0]
	at.Guests = make([]hypervisor.RouterGuest, 0, len(guests))
	for _, g := range guests {
		if !g.There {
			r.Gone = append(r.Gone, g.ID)
			continue
		}
		told, err := s.guest(g, zones[n.Zone], public)
		if err != nil {
			return err
		}
		at.Guests = append(at.Guests, told)
	}
	return nil
}

// outside gives the public address by which each guest with a static NAT of its own is known, and at "" that of all others.
func outside(r *hypervisor.Router) map[string]string {
	out := map[string]string{}
	for _, a := range r.Uplink {
		ip, err := netip.ParsePrefix(a.IP)
		switch {
		case err != nil:
		case a.SourceNAT:
			out[""] = ip.Addr().String()
		case a.StaticNAT != "":
			out[a.StaticNAT] = ip.Addr().String()
		}
	}
	return out
}

// cloudIdentifier is what clouds of this kind are known by to their guests.
const cloudIdentifier = "CloudStack-{virga}"

// guest is a card as the router gets to know it. What a guest is told of itself is what its default network's router says.
func (s *Service) guest(g guest, zone string, public map[string]string) (out hypervisor.RouterGuest, err error) {
	out = hypervisor.RouterGuest{NIC: g.ID, VM: g.VM, MAC: g.MAC, IP: g.IP.String(), IP6: g.IP6, Name: g.Name, Default: g.Default}
	if g.UserData != "" {
		if out.UserData, err = base64.StdEncoding.DecodeString(g.UserData); err != nil {
			return out, err
		}
	}
	known := public[out.IP]
	if known == "" {
		known = public[""]
	}
	out.Meta = map[string]string{
		"service-offering": g.Offering, "availability-zone": zone, "local-ipv4": out.IP, "local-hostname": g.Name, "public-ipv4": known,
		"public-hostname": known, "instance-id": string(g.VM), "vm-id": string(g.VM), "public-keys": g.SSHKeys, "cloud-identifier": cloudIdentifier,
	}
	if g.Default {
		out.Password, err = s.Password(VM{ID: g.VM, Password: g.Password})
	}
	return out, err
}

// Reachable is a [rule.Machines].
func Reachable(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (rule.Machine, error) {
	vm, err := findLocked(ctx, tx, scope, id)
	return rule.Machine{
		ID: vm.ID, Name: vm.Name, Account: vm.Account, Gone: vm.State == Destroyed || vm.State == Expunging || vm.State == Failed,
	}, err
}
