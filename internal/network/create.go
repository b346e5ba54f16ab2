package network

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// CreateIn says what network to make, and for whom ("": the caller).
type CreateIn struct {
	Name, DisplayText   string
	Offering            uid.NetworkOffering
	Zone                uid.Zone
	Physical            uid.PhysicalNetwork // "": the one that the offering's tags choose
	Gateway, Netmask    string
	StartIP, EndIP      string
	IP6CIDR, IP6Gateway string // of shared networks, as the next line
	IP6Start, IP6End    string
	VLAN                string
	NetworkDomain       string // "": the account's, the domain's, the zone's or the setting's
	DNS1, DNS2          string // "": the zone's
	IP6DNS1, IP6DNS2    string
	ACLType             string // "": Domain for shared networks, else Account
	SubdomainAccess     *bool
	Hidden              bool
	Owner               account.For // a domain alone: the one that a shared network is for
}

// Create makes a guest network. An isolated one costs nothing outside the database until the first machine in it starts, unless its
// offering is persistent.
func (s *Service) Create(ctx context.Context, in CreateIn) (n Network, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		off, err := offering.UsableNetwork(ctx, tx, in.Offering, in.Zone)
		if err != nil {
			return err
		}
		if n, err = s.access(ctx, tx, in, off); err != nil {
			return err
		}
		z, err := zone.Usable(ctx, tx, in.Zone, n.Domain)
		if err != nil {
			return err
		}
		if err := mayCreate(ctx, tx, off, z); err != nil {
			return err
		}
		if n, err = s.create(ctx, tx, in, n, off, z); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(n.ID), "")
	})
	return n, err
}

// access begins a network with who owns it, and who may use it.
func (s *Service) access(ctx context.Context, tx db.Tx, in CreateIn, off offering.Network) (Network, error) {
	n := Network{ACLType: ForAccount}
	switch {
	case in.ACLType == "" && off.GuestType == offering.Shared && in.Owner.Account == "" && in.Owner.Project == "",
		strings.EqualFold(in.ACLType, ForDomain):
		n.ACLType = ForDomain
	case in.ACLType != "" && !strings.EqualFold(in.ACLType, ForAccount):
		return n, fault.Invalidf("acltype %q is none of Account and Domain", in.ACLType)
	}
	switch {
	case off.GuestType != offering.Shared && n.ACLType == ForDomain:
		return n, fault.Invalidf("only shared networks are for a domain; offering %q makes %s ones: want acltype=Account", off.Name, off.GuestType)
	case n.ACLType == ForAccount && in.SubdomainAccess != nil:
		return n, fault.Invalidf("subdomainaccess is for networks with acltype=Domain; leave it out")
	case n.ACLType == ForAccount:
		owner, err := s.accounts.Owner(ctx, tx, in.Owner)
		n.Account, n.Domain = owner.Account, owner.Domain
		return n, err
	case in.Owner.Project != "":
		return n, fault.Invalidf("a network with acltype=Domain belongs to no project: leave out projectid %s", in.Owner.Project)
	case in.Owner.Account != "":
		return n, fault.Invalidf("a network with acltype=Domain belongs to no account: leave out account %q", in.Owner.Account)
	}
	system := auth.System()
	n.Account, n.Domain, n.SubdomainAccess = system.Account, system.Domain, setting.SubdomainNetworkAccess.Of(s.settings)
	if in.Owner.Domain != "" {
		n.Domain = in.Owner.Domain
	}
	if in.SubdomainAccess != nil {
		n.SubdomainAccess = *in.SubdomainAccess
	}
	_, err := zone.DomainPath(ctx, tx, n.Domain)
	return n, err
}

// create makes a network that is begun with its owner.
func (s *Service) create(ctx context.Context, tx db.Tx, in CreateIn, n Network, off offering.Network, z zone.Zone) (Network, error) {
	n.ID, n.Zone, n.Offering, n.Name, n.DisplayText = uid.New[uid.Network](), z.ID, off.ID, in.Name, in.DisplayText
	n.GuestType, n.TrafficType, n.State, n.Display, n.Created = off.GuestType, off.TrafficType, Allocated, !in.Hidden, tx.Now
	n.SourceNAT, n.PerPod, n.Routed = off.Has("SourceNat"), z.NetworkType == zone.Basic, routes(off)
	if n.DisplayText == "" {
		n.DisplayText = n.Name
	}
	p, err := s.wire(ctx, tx, in, n, off, z)
	if err != nil {
		return n, err
	}
	n.PhysicalNetwork = p.ID
	if err := n.carry(ctx, tx, in, off, p); err != nil {
		return n, err
	}
	if err := s.name(ctx, tx, in, &n, z); err != nil {
		return n, err
	}
	var shared *Range
	switch off.GuestType {
	case offering.L2:
		err = n.unaddressed(in, off)
	case offering.Shared:
		n.State = Setup
		shared, err = n.share(tx, in)
	case offering.Isolated:
		err = s.isolate(&n, in, off, z)
	}
	if err != nil {
		return n, err
	}
	if err := insert(ctx, tx, &networkRow{Network: n}); err != nil {
		return n, err
	}
	if shared != nil {
		if err := addRange(ctx, tx, *shared); err != nil {
			return n, err
		}
	}
	if off.Persistent {
		if n, err = implement(ctx, tx, n); err != nil {
			return n, err
		}
	}
	if err := account.Take(ctx, tx, n.Account, limit.Use{limit.Networks: 1}); err != nil {
		return n, err
	}
	_, err = event.Write(ctx, tx, event.Event{
		Type: event.NetworkCreate, Description: fmt.Sprintf("created network %s (%s)", n.Name, n.ID), Account: n.Account, Domain: n.Domain,
		ResourceID: string(n.ID),
	})
	return n, err
}

// groupService is the service of offerings whose networks have security groups.
const groupService = "SecurityGroup"

// mayCreate refuses what nobody, or not the caller in ctx, may make.
func mayCreate(ctx context.Context, tx db.Tx, off offering.Network, z zone.Zone) error {
	root := auth.From(ctx).IsRoot()
	switch {
	case off.TrafficType != physnet.TrafficGuest || off.ForVPC:
		return fault.Invalidf("network offering %q is not for guest networks outside a VPC", off.Name)
	case off.GuestType == offering.Shared && !root:
		return fault.Deniedf("network offering %q makes shared networks, which only root admins may make", off.Name)
	case off.Has(groupService) && !z.SecurityGroups: // deployments there look for none
		return fault.Invalidf("network offering %q has the service %s, and zone %q has no security groups: want another offering", off.Name,
			groupService, z.Name)
	case z.NetworkType == zone.Advanced:
		return nil
	case off.GuestType != offering.Shared:
		return fault.Invalidf("zone %q is a basic zone, whose one guest network is shared; offering %q makes %s networks", z.Name, off.Name,
			off.GuestType)
	}
	have, err := guestNetworkOf(ctx, tx, z.ID)
	if err == nil && have != "" {
		err = fault.Conflictf("basic zone %q has its guest network already: %s", z.Name, have)
	}
	return err
}

// wire chooses the physical network that is to carry a network: the one that is named, or the only one that carries guest
// traffic and has the offering's tags.
func (s *Service) wire(ctx context.Context, tx db.Tx, in CreateIn, n Network, off offering.Network, z zone.Zone) (physnet.Network, error) {
	all, err := physnet.Carriers(ctx, tx, z.ID, physnet.TrafficGuest)
	if err != nil {
		return physnet.Network{}, err
	}
	if len(all) == 0 {
		return physnet.Network{}, fault.Conflictf("zone %q has no enabled physical network with Guest traffic", z.Name)
	}
	fit := slices.DeleteFunc(slices.Clone(all), func(p physnet.Network) bool {
		return in.Physical != "" && p.ID != in.Physical || !p.Tagged(off.Tags)
	})
	switch {
	case len(fit) == 0 && in.Physical != "":
		return physnet.Network{}, fault.Invalidf("physical network %s is none of zone %q that is enabled, carries Guest traffic and has the tags "+
			"%q of offering %q", in.Physical, z.Name, off.Tags, off.Name)
	case len(fit) == 0:
		return physnet.Network{}, fault.Conflictf("zone %q has no enabled physical network with Guest traffic and the tags %q of offering %q", z.Name,
			off.Tags, off.Name)
	case len(fit) > 1:
		return physnet.Network{}, fault.Invalidf("zone %q has %d physical networks that could carry the network: name one in physicalnetworkid, "+
			"or use an offering whose tags choose one", z.Name, len(fit))
	}
	p := fit[0]
	if err := p.MayCarry(ctx, tx, n.Domain); err != nil {
		return p, err
	}
	return p, p.Offers(ctx, tx, off.Providers())
}

// carry gives the network the VLAN that was named.
func (n *Network) carry(ctx context.Context, tx db.Tx, in CreateIn, off offering.Network, p physnet.Network) error {
	switch {
	case in.VLAN == "" && (n.PerPod || off.GuestType == offering.Shared && !off.SpecifyVLAN):
		n.Untagged = true
		return alone(ctx, tx, n, p)
	case in.VLAN == "" && off.SpecifyVLAN:
		return fault.Invalidf("networks of offering %q must be given their VLAN: name it in vlan", off.Name)
	case in.VLAN == "":
		return nil
	case !off.SpecifyVLAN && !n.PerPod:
		return fault.Invalidf("networks of offering %q get their VLAN by themselves: leave out vlan %s", off.Name, in.VLAN)
	}
	tag, err := vlan.Parse(in.VLAN)
	if err != nil {
		return err
	}
	own, err := vlan.ParseSet(p.VLANs)
	if err != nil {
		return err
	}
	if own.Has(tag) {
		return fault.Invalidf("VLAN %d is one of those that networks on physical network %q get by themselves (%s): want another",
			tag, p.Name, p.VLANs)
	}
	public, err := publicVLANs(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	if slices.Contains(public, tag) {
		return fault.Conflictf("VLAN %d of physical network %q is in use by a range of public addresses", tag, p.Name)
	}
	n.VLAN, n.Untagged = tag, tag == 0
	return alone(ctx, tx, n, p)
}

// alone refuses a VLAN that another network on the same wires has, or can get. Hosts carry networks of all physical networks of a zone to each
// other, but for shared ones whose link has a label.
func alone(ctx context.Context, tx db.Tx, n *Network, p physnet.Network) error {
	if _, err := zone.Lock(ctx, tx, p.Zone); err != nil {
		return err
	}
	wire := ""
	if n.GuestType == offering.Shared {
		var err error
		if wire, err = physnet.GuestWire(ctx, tx, p.ID); err != nil {
			return err
		}
	}
	other, err := onVLAN(ctx, tx, p, wire, n.VLAN)
	if err == nil && other != "" {
		err = fault.Conflictf("VLAN %s of physical network %q is in use by network %q", vlan.Text(n.VLAN), p.Name, other)
	}
	if err != nil || wire != "" || n.VLAN == 0 {
		return err
	}
	beside, err := p.Beside(ctx, tx, n.VLAN)
	if err == nil && beside != "" {
		err = fault.Conflictf("VLAN %d is one of those that networks on physical network %q of the zone get by themselves: want another",
			n.VLAN, beside)
	}
	return err
}

var domainText = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// name gives the network its DNS domain and servers.
func (s *Service) name(ctx context.Context, tx db.Tx, in CreateIn, n *Network, z zone.Zone) (err error) {
	n.NetworkDomain = in.NetworkDomain
	for _, a := range []struct {
		name, text string
		six        bool
	}{{"dns1", in.DNS1, false}, {"dns2", in.DNS2, false}, {"ip6dns1", in.IP6DNS1, true}, {"ip6dns2", in.IP6DNS2, true}} {
		if err := checkServer(a.name, a.text, a.six); err != nil {
			return err
		}
	}
	n.DNS1, n.DNS2, n.IP6DNS1, n.IP6DNS2 = in.DNS1, in.DNS2, in.IP6DNS1, in.IP6DNS2
	switch {
	case n.NetworkDomain != "" && n.GuestType == offering.L2:
		return fault.Invalidf("L2 networks tell their machines no DNS domain: leave out networkdomain %s", n.NetworkDomain)
	case n.NetworkDomain != "" && (!domainText.MatchString(n.NetworkDomain) || len(n.NetworkDomain) > 190):
		return fault.Invalidf("networkdomain %q is not a DNS domain like guests.example.com", n.NetworkDomain)
	case n.NetworkDomain != "" || n.GuestType == offering.L2:
		return nil
	}
	if n.ACLType == ForAccount {
		if n.NetworkDomain, err = domainOf(ctx, tx, n.Account); err != nil {
			return err
		}
	}
	for _, next := range []string{z.NetworkDomain, setting.GuestDomainSuffix.Of(s.settings)} {
		if n.NetworkDomain == "" {
			n.NetworkDomain = next
		}
	}
	return nil
}

// unaddressed refuses addresses for a network that has none.
func (n *Network) unaddressed(in CreateIn, off offering.Network) error {
	if in.Gateway+in.Netmask+in.StartIP+in.EndIP+in.IP6CIDR+in.IP6Gateway+in.IP6Start+in.IP6End != "" {
		return fault.Invalidf("offering %q makes L2 networks, which have no addresses: leave out gateway, netmask, startip "+
			"and endip", off.Name)
	}
	return nil
}

// isolate gives an isolated network its plan of addresses.
func (s *Service) isolate(n *Network, in CreateIn, off offering.Network, z zone.Zone) (err error) {
	switch {
	case in.IP6CIDR+in.IP6Gateway+in.IP6Start+in.IP6End != "":
		return fault.Invalidf("only shared networks have IPv6: leave out ip6cidr, ip6gateway, startipv6 and endipv6")
	case off.SpecifyIPRanges && (in.Gateway == "" || in.StartIP == ""):
		return fault.Invalidf("networks of offering %q must be given their addresses: name gateway, netmask, startip and endip", off.Name)
	}
	own := in.Gateway+in.Netmask != ""
	if !own && z.GuestCIDR != "" {
		if in.Gateway, in.Netmask, err = subnet.OfCIDR(z.GuestCIDR); err != nil {
			return err
		}
	}
	sub, err := subnet.Parse(in.Gateway, in.Netmask, in.StartIP, in.EndIP)
	if limit := setting.GuestCIDRLimit.Of(s.settings); err == nil && own && int64(sub.Bits) < limit {
		return fault.Invalidf("network %s is larger than guest networks may be: want a prefix of %d bits or more", sub.CIDR, limit)
	}
	n.CIDR, n.Gateway, n.Netmask, n.StartIP, n.EndIP, n.NextIP = sub.CIDR, sub.Gateway, sub.Netmask, sub.First, sub.Last, sub.First
	return err
}

// share gives a shared network its plan of addresses, and its first range; nil where it is given ranges later.
func (n *Network) share(tx db.Tx, in CreateIn) (*Range, error) {
	six, err := parseSubnet6(in.IP6CIDR, in.IP6Gateway, in.IP6Start, in.IP6End)
	if err != nil {
		return nil, err
	}
	n.IP6CIDR, n.IP6Gateway, n.IP6Start, n.IP6End = six.CIDR, six.Gateway, six.First, six.Last
	four := in.Gateway+in.Netmask+in.StartIP+in.EndIP != ""
	switch {
	case n.PerPod && (four || six.CIDR != ""):
		return nil, fault.Invalidf("the addresses in a basic zone belong to pods: leave them out here, and add a range for each pod")
	case n.PerPod:
		return nil, nil //nolint:nilnil // it gets none here
	case !four && six.CIDR == "":
		return nil, fault.Invalidf("a shared network must be given its addresses: name gateway, netmask, startip and endip, or ip6cidr " +
			"and ip6gateway")
	}
	n.Routed = n.Routed && four // routers have no address in networks of IPv6 alone
	r := Range{
		ID: uid.New[uid.IPRange](), Zone: n.Zone, Physical: n.PhysicalNetwork, Network: n.ID, VLAN: vlan.Text(n.VLAN), Created: tx.Now,
		routed: n.Routed,
	}
	err = r.addresses(CreateRangeIn{
		Gateway: in.Gateway, Netmask: in.Netmask, StartIP: in.StartIP, EndIP: in.EndIP,
		IP6CIDR: in.IP6CIDR, IP6Gateway: in.IP6Gateway, IP6Start: in.IP6Start, IP6End: in.IP6End,
	})
	n.CIDR, n.Gateway, n.Netmask, n.StartIP, n.EndIP = r.CIDR, r.Gateway, r.Netmask, r.StartIP, r.EndIP
	return &r, err
}

// ForDeployment gives the network for a machine whose deployment names none: the owner's one isolated network with source
// NAT in the zone or, where there is none, a new one from the required offering. Two are a question only the user can answer.
// In a basic zone it is the zone's guest network, and in an advanced one with security groups a shared network that has them.
func (s *Service) ForDeployment(ctx context.Context, tx db.Tx, owner account.Owner, z zone.Zone) (uid.Network, error) {
	if z.NetworkType == zone.Basic {
		id, err := guestNetworkOf(ctx, tx, z.ID)
		if err == nil && id == "" {
			err = fault.Conflictf("basic zone %q has no guest network yet", z.Name)
		}
		return id, err
	}
	if z.SecurityGroups {
		id, err := groupNetworkFor(ctx, tx, owner.Account, z.ID)
		if err == nil && id == "" {
			err = fault.Conflictf("zone %q has no shared network with security groups that the account may use; name another network in "+
				"networkids", z.Name)
		}
		return id, err
	}
	have, err := isolatedOf(ctx, tx, owner.Account, z.ID)
	if err != nil {
		return "", err
	}
	switch len(have) {
	case 1:
		return have[0].ID, nil
	case 0:
	default:
		return "", fault.Invalidf("the account has several isolated networks in zone %q: name one in networkids", z.Name)
	}
	off, err := offering.RequiredNetwork(ctx, tx)
	if err != nil {
		return "", err
	}
	if off, err = offering.UsableNetwork(ctx, tx, off.ID, z.ID); err != nil {
		return "", err
	}
	names, err := account.Names(ctx, tx, []uid.Account{owner.Account})
	if err != nil {
		return "", err
	}
	name := names[owner.Account].Account + "-network"
	if err := mayCreate(ctx, tx, off, z); err != nil {
		return "", err
	}
	n, err := s.create(ctx, tx, CreateIn{Name: name}, Network{Account: owner.Account, Domain: owner.Domain, ACLType: ForAccount}, off, z)
	if err != nil {
		return "", err
	}
	// Two first deployments at the same moment make two networks: the index lets one of them through, and the other tries again.
	return n.ID, markAutomatic(ctx, tx, n.ID)
}
