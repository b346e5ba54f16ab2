package router

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Desired is what a router must be now, as changes since what it was told last where that is enough. Its version is the network's
// revision, which is read before all else: what changes meanwhile may or may not be in the document, and has bumped the revision, so
// that another one follows.
func (s *Service) Desired(ctx context.Context, q db.Tx, r Router) (doc hypervisor.Router, err error) {
	networks, err := network.ByID(ctx, q, []uid.Network{r.Network})
	if err != nil {
		return doc, err
	}
	n, ok := networks[r.Network]
	if !ok {
		return doc, fault.Missing(r.Network)
	}
	doc = hypervisor.Router{ID: r.ID, Name: r.Name, Version: n.Revision}
	if r.Applied >= n.Retold { // which is 1 at least where there is a router
		doc.Since = r.Applied
	}
	segment, err := segmentOf(ctx, q, n, r)
	if err != nil {
		return doc, err
	}
	doc.Segments = []hypervisor.RouterSegment{segment}
	if doc.Uplink, err = uplink(ctx, q, n); err != nil {
		return doc, err
	}
	for _, fill := range s.sources {
		if err := fill(ctx, q, n, r.Pod, &doc); err != nil {
			return doc, fmt.Errorf("make the document of router %s: %w", r.Name, err)
		}
	}
	return doc, nil
}

// segmentOf is a router's side of its network, or of its pod's part of it, without its guests and rules.
func segmentOf(ctx context.Context, q db.Tx, n network.Network, r Router) (out hypervisor.RouterSegment, err error) {
	offerings, err := offering.NetworksByID(ctx, q, []uid.NetworkOffering{n.Offering})
	if err != nil {
		return out, err
	}
	zones, err := zone.ByID(ctx, q, []uid.Zone{n.Zone})
	if err != nil {
		return out, err
	}
	o, z := offerings[n.Offering], zones[n.Zone]
	out = hypervisor.RouterSegment{
		Network: n.ID, VLAN: n.VLAN, Search: n.NetworkDomain, DNS: servers(n, z),
		Serves: hypervisor.Services{
			DHCP: provider.Routes(o, "Dhcp"), DNS: provider.Routes(o, "Dns"), UserData: provider.Routes(o, "UserData"),
		},
		EgressAllowed: o.EgressOpen || !provider.Routes(o, "Firewall"),
	}
	if n.GuestType == offering.Shared {
		return out, beside(ctx, q, n, r, &out)
	}
	if out.Gateway, err = subnet.Prefix(n.Gateway, n.Netmask); err == nil {
		out.Gateway6, err = gateway6(n)
	}
	return out, err
}

// beside gives a router its addresses in the subnets of a shared network, in which the gateways are the operator's own routers.
func beside(ctx context.Context, q db.Tx, n network.Network, r Router, at *hypervisor.RouterSegment) error {
	all, err := network.SidesOf(ctx, q, []uid.Network{n.ID})
	if err != nil {
		return err
	}
	sides := network.Sides(all[n.ID], r.Pod)
	if len(sides) == 0 {
		return fault.Conflictf("network %q has no range with an address for its virtual router", n.Name)
	}
	if at.Wire, err = physnet.GuestWire(ctx, q, n.PhysicalNetwork); err != nil {
		return err
	}
	if at.Gateway6, err = own6(n, r.ID); err != nil {
		return err
	}
	for i, side := range sides {
		prefix, err := subnet.Prefix(side.IP.String(), side.Netmask)
		if err != nil {
			return err
		}
		if i == 0 {
			at.Gateway, at.Via = prefix, side.Gateway
			continue
		}
		at.Beside = append(at.Beside, hypervisor.RouterSubnet{Address: prefix, Via: side.Gateway})
	}
	return nil
}

// gateway6 is the router's own address in a network with IPv6, "" in others.
func gateway6(n network.Network) (string, error) {
	if n.IP6CIDR == "" || n.IP6Gateway == "" {
		return "", nil
	}
	p, err := netip.ParsePrefix(n.IP6CIDR)
	if err != nil {
		return "", fmt.Errorf("network %s: %w", n.ID, err)
	}
	return fmt.Sprintf("%s/%d", n.IP6Gateway, p.Bits()), nil
}

// own6 is a router's own address in a shared network with IPv6, "" in others. It follows from the router's id, and has 61 bits of chance:
// nobody else has it.
func own6(n network.Network, id uid.Router) (string, error) {
	if n.IP6CIDR == "" {
		return "", nil
	}
	p, err := netip.ParsePrefix(n.IP6CIDR)
	if err != nil {
		return "", fmt.Errorf("network %s: %w", n.ID, err)
	}
	raw, err := hex.DecodeString(strings.ReplaceAll(string(id), "-", ""))
	if err != nil || len(raw) != 16 {
		return "", fmt.Errorf("router %s: its id is none", id)
	}
	own := p.Addr().As16()
	copy(own[8:], raw[8:])
	own[8] &^= 2 // not one of those that are made of MAC addresses (RFC 4291, appendix A)
	return netip.PrefixFrom(netip.AddrFrom16(own), p.Bits()).String(), nil
}

// servers are those that a router asks for names that are not its guests': the network's, or else the zone's.
func servers(n network.Network, z zone.Zone) []string {
	four, six := []string{n.DNS1, n.DNS2}, []string{n.IP6DNS1, n.IP6DNS2}
	if n.DNS1 == "" && n.DNS2 == "" {
		four = []string{z.DNS1, z.DNS2}
	}
	if n.IP6DNS1 == "" && n.IP6DNS2 == "" {
		six = []string{z.IP6DNS1, z.IP6DNS2}
	}
	return slices.DeleteFunc(slices.Concat(four, six), func(one string) bool { return one == "" })
}

// uplink are the public addresses of a network.
func uplink(ctx context.Context, q db.Tx, n network.Network) ([]hypervisor.RouterAddress, error) {
	addresses, err := network.PublicOf(ctx, q, n.ID)
	if err != nil || len(addresses) == 0 {
		return nil, err
	}
	ids := make([]uid.IPRange, len(addresses))
	for i, a := range addresses {
		ids[i] = a.Range
	}
	ranges, err := network.RangesByID(ctx, q, ids)
	if err != nil {
		return nil, err
	}
	out := make([]hypervisor.RouterAddress, len(addresses))
	for i, a := range addresses {
		r := ranges[a.Range]
		prefix, err := subnet.Prefix(a.IP.String(), r.Netmask)
		if err != nil {
			return nil, err
		}
		out[i] = hypervisor.RouterAddress{ID: a.ID, IP: prefix, Gateway: r.Gateway, VLAN: r.Tag(), Network: n.ID, SourceNAT: a.SourceNAT}
	}
	return out, nil
}
