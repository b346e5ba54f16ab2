package network

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Range is a range of addresses that an operator gave: public ones, or those of a shared network.
type Range struct {
	ID         uid.IPRange         `bun:",pk"`
	Zone       uid.Zone            `bun:"zone_id"`
	Physical   uid.PhysicalNetwork `bun:"physical_network_id"`
	Network    uid.Network         `bun:"network_id,nullzero"` // "": public
	Pod        uid.Pod             `bun:"pod_id,nullzero"`
	Account    uid.Account         `bun:"account_id,nullzero"` // dedicated to that account
	Domain     uid.Domain          `bun:"domain_id,nullzero"`  // dedicated to that domain, or the account's
	VLAN       string              `bun:"vlan"`                // "untagged", or its number
	Gateway    string
	Netmask    string
	CIDR       string `bun:"cidr"`
	StartIP    IP     `bun:"start_ip"` // 0 where it has IPv6 only
	EndIP      IP     `bun:"end_ip"`
	IP6Gateway string `bun:"ip6_gateway"`
	IP6CIDR    string `bun:"ip6_cidr"`
	IP6Start   string `bun:"ip6_start"`
	IP6End     string `bun:"ip6_end"`
	ForSystem  bool
	RouterIP   IP `bun:"router_ip"` // its address that the network's virtual router has; 0: none
	Created    time.Time
	Removed    time.Time `bun:",nullzero"`

	routed bool // the network has a virtual router
}

// Public tells whether the range's addresses are public ones.
func (r Range) Public() bool { return r.Network == "" }

// Tag is the VLAN that carries the range, 0 where it is untagged.
func (r Range) Tag() int {
	tag, _ := vlan.Parse(r.VLAN)
	return tag
}

// freeFor is where those look for an address who may have one of this range: see the functions below.
func (r Range) freeFor() string {
	switch {
	case r.Pod != "":
		return ofPod(r.Network, r.Pod)
	case r.Network != "":
		return string(r.Network)
	case r.ForSystem:
		return string(r.Zone) + "/system"
	case r.Account != "":
		return dedicated(r.Zone, r.Account)
	case r.Domain != "":
		return dedicated(r.Zone, r.Domain)
	}
	return string(r.Zone)
}

func ofPod(network uid.Network, pod uid.Pod) string { return OfPods(network) + string(pod) }

// OfPods is what the addresses of a network that belong to pods are free for, up to the ID of the pod.
func OfPods(network uid.Network) string { return string(network) + "/" }

func dedicated[ID ~string](zone uid.Zone, to ID) string { return string(zone) + "/" + string(to) }

// maxRange is how many addresses a range may have: each is a row.
const maxRange = 65_536

// CreateRangeIn says what range of addresses to add.
type CreateRangeIn struct {
	Zone                                  uid.Zone
	Physical                              uid.PhysicalNetwork
	Network                               uid.Network // of a shared network
	Pod                                   uid.Pod
	Public                                *bool // nil: unless a network or pod is named
	Account                               string
	Project                               uid.Project
	Domain                                uid.Domain
	VLAN                                  string
	Gateway, Netmask, StartIP, EndIP      string
	IP6Gateway, IP6CIDR, IP6Start, IP6End string
	ForSystem                             bool
}

// CreateRange adds a range of addresses.
func (s *Service) CreateRange(ctx context.Context, in CreateRangeIn) (r Range, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if r, err = s.createRange(ctx, tx, in); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(r.ID), "")
	})
	return r, err
}

func (s *Service) createRange(ctx context.Context, tx db.Tx, in CreateRangeIn) (Range, error) {
	r := Range{ID: uid.New[uid.IPRange](), ForSystem: in.ForSystem, Created: tx.Now}
	var err error
	if in.Public != nil && !*in.Public || in.Public == nil && in.Network+uid.Network(in.Pod) != "" {
		err = sharedRange(ctx, tx, in, &r)
	} else {
		err = s.publicRange(ctx, tx, in, &r)
	}
	if err != nil {
		return r, err
	}
	if err := r.addresses(in); err != nil {
		return r, err
	}
	return r, addRange(ctx, tx, r)
}

// addRange inserts a range whose fields were checked, if no other has its addresses.
func addRange(ctx context.Context, tx db.Tx, r Range) error {
	// The physical network is kept, so that of two who add the same addresses one sees the other's.
	if _, err := physnet.Lock(ctx, tx, r.Physical); err != nil {
		return err
	}
	if r.StartIP != 0 {
		other, err := overlapping(ctx, tx, r)
		if err != nil {
			return err
		}
		if other != nil {
			return fault.Conflictf("addresses %s to %s are in the range %s to %s of the same VLAN %s already", r.StartIP, r.EndIP,
				other.StartIP, other.EndIP, other.VLAN)
		}
	}
	if err := r.seat(ctx, tx); err != nil {
		return err
	}
	if err := insertRange(ctx, tx, r); err != nil {
		return err
	}
	_, err := event.Write(ctx, tx, event.Event{
		Type: event.VLANRangeCreate, Description: "created the IP range " + r.text(), ResourceID: string(r.ID),
	})
	return err
}

func (r Range) text() string {
	if r.StartIP == 0 {
		return fmt.Sprintf("%s (%s)", r.IP6CIDR, r.ID)
	}
	return fmt.Sprintf("%s-%s (%s)", r.StartIP, r.EndIP, r.ID)
}

// publicRange says where a range of public addresses is, and for whom.
func (s *Service) publicRange(ctx context.Context, tx db.Tx, in CreateRangeIn, r *Range) error {
	switch {
	case in.Network != "" || in.Pod != "":
		return fault.Invalidf("forvirtualnetwork says that the addresses are public, so they are not of a network or pod: leave out " +
			"networkid and podid, or say forvirtualnetwork=false")
	case in.IP6CIDR+in.IP6Gateway+in.IP6Start+in.IP6End != "":
		return fault.Invalidf("public addresses are of IPv4: leave out ip6cidr, ip6gateway, startipv6 and endipv6")
	}
	p, err := publicWire(ctx, tx, in)
	if err != nil {
		return err
	}
	r.Zone, r.Physical = p.Zone, p.ID
	tag := 0
	if in.VLAN != "" {
		if tag, err = vlan.Parse(in.VLAN); err != nil {
			return err
		}
	}
	own, err := vlan.ParseSet(p.VLANs)
	if err != nil {
		return err
	}
	if own.Has(tag) {
		return fault.Conflictf("VLAN %d is one of those that guest networks on physical network %q get (%s)", tag, p.Name, p.VLANs)
	}
	r.VLAN = vlan.Text(tag)
	return s.dedicate(ctx, tx, in, r)
}

// publicWire gives the physical network of public addresses: the one that is named, or the zone's with Public traffic.
func publicWire(ctx context.Context, tx db.Tx, in CreateRangeIn) (physnet.Network, error) {
	if in.Physical != "" {
		p, err := physnet.Lock(ctx, tx, in.Physical)
		if err == nil && in.Zone != "" && in.Zone != p.Zone {
			err = fault.Invalidf("physical network %q is in another zone", p.Name)
		}
		if err != nil {
			return p, err
		}
		public, err := physnet.Carries(ctx, tx, p.ID, physnet.TrafficPublic)
		if err == nil && !public {
			err = fault.Invalidf("physical network %q carries no Public traffic: add that traffic type first", p.Name)
		}
		return p, err
	}
	if in.Zone == "" {
		return physnet.Network{}, fault.Invalidf("name the zone or the physical network of the addresses, in zoneid or physicalnetworkid")
	}
	z, err := zone.Find(ctx, tx, in.Zone)
	if err != nil {
		return physnet.Network{}, err
	}
	found, err := physnet.Carrying(ctx, tx, z.ID, physnet.TrafficPublic)
	if err == nil && len(found) == 0 {
		err = fault.Conflictf("zone %q has no physical network with Public traffic: add that traffic type to one first", z.Name)
	}
	if err != nil {
		return physnet.Network{}, err
	}
	return found[0], nil
}

// dedicate says for whom a range of public addresses is.
func (s *Service) dedicate(ctx context.Context, tx db.Tx, in CreateRangeIn, r *Range) error {
	switch {
	case in.Account == "" && in.Domain == "" && in.Project == "":
		return nil
	case in.ForSystem:
		return fault.Invalidf("addresses for the cloud's own machines can't be dedicated to an account or domain: leave out forsystemvms, or those")
	case in.Account == "" && in.Project == "":
		r.Domain = in.Domain
		_, err := zone.DomainPath(ctx, tx, in.Domain)
		return err
	}
	owner, err := s.accounts.Owner(ctx, tx, account.For{Account: in.Account, Domain: in.Domain, Project: in.Project})
	r.Account, r.Domain = owner.Account, owner.Domain
	return err
}

// sharedRange says where a range of a shared network is.
func sharedRange(ctx context.Context, tx db.Tx, in CreateRangeIn, r *Range) error {
	if in.Account != "" || in.Domain != "" || in.Project != "" || in.ForSystem {
		return fault.Invalidf("only ranges of public addresses are kept for an account, a project, a domain or the cloud's own machines: " +
			"leave out account, domainid, projectid and forsystemvms")
	}
	id := in.Network
	if id == "" {
		if in.Zone == "" {
			return fault.Invalidf("name the shared network that gets the addresses, in networkid, or a basic zone, in zoneid")
		}
		z, err := zone.Find(ctx, tx, in.Zone)
		if err != nil {
			return err
		}
		if z.NetworkType != zone.Basic {
			return fault.Invalidf("zone %q may have several shared networks: name the one that gets the addresses, in networkid", z.Name)
		}
		if id, err = guestNetworkOf(ctx, tx, z.ID); err != nil {
			return err
		}
		if id == "" {
			return fault.Conflictf("zone %q has no guest network yet: create it first", z.Name)
		}
	}
	n, err := Lock(ctx, tx, auth.Scope{All: true}, id)
	if err != nil {
		return err
	}
	return rangeIn(ctx, tx, in, n, r)
}

func rangeIn(ctx context.Context, tx db.Tx, in CreateRangeIn, n Network, r *Range) error {
	switch {
	case n.GuestType != offering.Shared:
		return fault.Invalidf("network %q is %s; only shared networks are given ranges of addresses", n.Name, n.GuestType)
	case in.Zone != "" && in.Zone != n.Zone:
		return fault.Invalidf("network %q is in another zone", n.Name)
	case in.Physical != "" && in.Physical != n.PhysicalNetwork:
		return fault.Invalidf("network %q is on another physical network", n.Name)
	case n.PerPod && in.Pod == "":
		return fault.Invalidf("the addresses of network %q are each for the machines of a pod: name that, in podid", n.Name)
	case !n.PerPod && in.Pod != "":
		return fault.Invalidf("the addresses of network %q are for machines in all pods: leave out podid", n.Name)
	}
	if in.Pod != "" {
		p, err := zone.FindPod(ctx, tx, in.Pod)
		if err == nil && p.Zone != n.Zone {
			err = fault.Invalidf("pod %q is in another zone than network %q", p.Name, n.Name)
		}
		if err != nil {
			return err
		}
	}
	r.Zone, r.Physical, r.Network, r.Pod, r.VLAN, r.routed = n.Zone, n.PhysicalNetwork, n.ID, in.Pod, vlan.Text(n.VLAN), n.Routed
	if in.VLAN != "" {
		tag, err := vlan.Parse(in.VLAN)
		if err != nil {
			return err
		}
		if tag != n.VLAN {
			return fault.Invalidf("network %q is on VLAN %s, not %s", n.Name, r.VLAN, in.VLAN)
		}
	}
	return nil
}

// addresses checks the addresses and fills them in.
func (r *Range) addresses(in CreateRangeIn) (err error) {
	four := in.Gateway+in.Netmask+in.StartIP+in.EndIP != ""
	if six := in.IP6CIDR + in.IP6Gateway + in.IP6Start + in.IP6End; !four && six == "" {
		return fault.Invalidf("the range has no addresses: give gateway, netmask, startip and endip")
	}
	if four {
		if in.Gateway == "" || in.Netmask == "" || in.StartIP == "" {
			return fault.Invalidf("a range of IPv4 addresses needs gateway, netmask and startip: got gateway %q, netmask %q and startip %q",
				in.Gateway, in.Netmask, in.StartIP)
		}
		sub, err := subnet.Parse(in.Gateway, in.Netmask, in.StartIP, in.EndIP)
		if err != nil {
			return err
		}
		switch {
		case sub.GatewayIP >= sub.First && sub.GatewayIP <= sub.Last:
			return fault.Invalidf("the gateway %s is one of the range's own addresses, %s to %s", in.Gateway, sub.First, sub.Last)
		case sub.Last-sub.First >= maxRange:
			return fault.Invalidf("the range %s to %s has %d addresses; one may have %d", sub.First, sub.Last, sub.Last-sub.First+1, maxRange)
		}
		r.Gateway, r.Netmask, r.CIDR, r.StartIP, r.EndIP = sub.Gateway, sub.Netmask, sub.CIDR, sub.First, sub.Last
	}
	six, err := parseSubnet6(in.IP6CIDR, in.IP6Gateway, in.IP6Start, in.IP6End)
	r.IP6CIDR, r.IP6Gateway, r.IP6Start, r.IP6End = six.CIDR, six.Gateway, six.First, six.Last
	return err
}

// DeleteRange removes a range of which no address is in use.
func (s *Service) DeleteRange(ctx context.Context, id uid.IPRange) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := findRange(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := r.lockOf(ctx, tx); err != nil {
			return err
		}
		used, uses, err := usesOf(ctx, tx, r.ID)
		if err != nil {
			return err
		}
		if used > 0 {
			return fault.Conflictf("the range %s to %s has %s in use: %s", r.StartIP, r.EndIP, fault.Count(used, "address"), strings.Join(uses, ", "))
		}
		if r.RouterIP != 0 {
			if err := s.unseat(ctx, tx, r); err != nil {
				return err
			}
		}
		if err := setRangeRemoved(ctx, tx, r.ID); err != nil {
			return err
		}
		_, err = event.Write(ctx, tx, event.Event{
			Type: event.VLANRangeDelete, Description: "deleted the IP range " + r.text(), ResourceID: string(r.ID),
		})
		return err
	})
}

// RangeFilter says which ranges a list shows. Zero fields don't restrict.
type RangeFilter struct {
	ID       uid.IPRange
	Zone     uid.Zone
	Physical uid.PhysicalNetwork
	Network  uid.Network
	Pod      uid.Pod
	VLAN     string
	Public   *bool
	Owner    *auth.Scope // dedicated to an account in it
	Domain   uid.Domain  // dedicated to it, or to one of its accounts
	Keyword  string      // in an address or the VLAN
	Offset   int
	Limit    int // 0 or less: all
}

// takeNAT gives a network that is being implemented its public address, if its offering has source NAT and it has none yet.
func takeNAT(ctx context.Context, tx db.Tx, n Network) error {
	if !n.SourceNAT {
		return nil
	}
	has, err := hasNAT(ctx, tx, n.ID)
	if err != nil || has {
		return err
	}
	a, err := takePublic(ctx, tx, n, 0, user{nat: true})
	if err != nil {
		return err
	}
	if a == nil {
		names, err := zone.Names(ctx, tx, []uid.Zone{n.Zone})
		if err != nil {
			return err
		}
		return fault.Fullf("zone %q has no free public address for the source NAT of network %q", names[n.Zone], n.Name)
	}
	if err := account.Take(ctx, tx, n.Account, limit.Use{limit.PublicIPs: 1}); err != nil {
		return err
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.IPAssign, Description: fmt.Sprintf("assigned %s to network %s (%s) for source NAT", a.IP, n.Name, n.ID),
		Account: n.Account, Domain: n.Domain, ResourceID: string(a.ID),
	})
	return err
}

// giveNAT takes the public addresses of a network back.
func giveNAT(ctx context.Context, tx db.Tx, n Network) error {
	given, err := releasePublic(ctx, tx, n.ID)
	if err != nil || len(given) == 0 {
		return err
	}
	if err := account.Give(ctx, tx, n.Account, limit.Use{limit.PublicIPs: int64(len(given))}); err != nil {
		return err
	}
	for _, a := range given {
		_, err := event.Write(ctx, tx, event.Event{
			Type: event.IPRelease, Description: fmt.Sprintf("released %s, which network %s (%s) had", a.IP, n.Name, n.ID),
			Account: n.Account, Domain: n.Domain, ResourceID: string(a.ID),
		})
		if err != nil {
			return err
		}
	}
	return nil
}
