// Package guest says what machines are told of themselves: by the virtual routers of their networks, which know their names and
// addresses, too, or by a drive where no router does it.
package guest

import (
	"context"
	"encoding/base64"
	"net/netip"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Source gives the guests of networks.
type Source struct{ Machines *compute.Service }

// Fill is a [router.Source]: it adds the guests of a network, and what they are told of themselves.
func (s Source) Fill(ctx context.Context, q db.Tx, n network.Network, pod uid.Pod, r *hypervisor.Router) error {
	guests, err := guestsIn(ctx, q, n.ID, pod, r.Since)
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
		if at.Via != "" { // nothing stands between a guest of a shared network and the outside
			public[""] = g.IP.String()
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
func (s Source) guest(g guest, zone string, public map[string]string) (out hypervisor.RouterGuest, err error) {
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
	out.Meta = machine{Name: g.Name, Offering: g.Offering, Zone: zone, SSHKeys: g.SSHKeys}.says(g.VM, out.IP, known)
	if g.Default {
		out.Password, err = s.Machines.Password(compute.VM{ID: g.VM, Password: g.Password})
	}
	return out, err
}

// Reachable is a [rule.Machines].
func Reachable(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (rule.Machine, error) {
	vm, err := compute.Locked(ctx, tx, scope, id)
	gone := vm.State == compute.Destroyed || vm.State == compute.Expunging || vm.State == compute.Failed
	return rule.Machine{ID: vm.ID, Name: vm.Name, Account: vm.Account, Gone: gone}, err
}
