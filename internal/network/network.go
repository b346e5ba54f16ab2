package network

import (
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/uid"
)

// State is where a network stands.
type State string

// The states. A network is implemented, and gets its VLAN, when the first machine in it starts.
const (
	Allocated   State = "Allocated"
	Implemented State = "Implemented"
	Setup       State = "Setup" // of shared networks, from the beginning
	Destroyed   State = "Destroy"
)

// Who may use a network: its account, or all accounts of its domain.
const (
	ForAccount = "Account"
	ForDomain  = "Domain"
)

// IP is an IPv4 address as a number.
type IP = subnet.IP

// Network is a guest network.
type Network struct {
	ID              uid.Network         `bun:",pk"`
	Account         uid.Account         `bun:"account_id"`
	Domain          uid.Domain          `bun:"domain_id"`
	Zone            uid.Zone            `bun:"zone_id"`
	PhysicalNetwork uid.PhysicalNetwork `bun:"physical_network_id,nullzero"`
	Offering        uid.NetworkOffering `bun:"offering_id"`
	Name            string
	DisplayText     string
	GuestType       offering.GuestType
	TrafficType     string
	State           State
	CIDR            string `bun:"cidr"` // "" in L2 networks, as the next two
	Gateway         string
	Netmask         string
	StartIP         IP     `bun:"start_ip"` // first and last address for guests
	EndIP           IP     `bun:"end_ip"`
	NextIP          IP     `bun:"next_ip"`
	IP6CIDR         string `bun:"ip6_cidr"` // "" where there is no IPv6
	IP6Gateway      string `bun:"ip6_gateway"`
	IP6Start        string `bun:"ip6_start"` // which addresses may be asked for by name; "" for all
	IP6End          string `bun:"ip6_end"`
	VLAN            int    `bun:"vlan,nullzero"` // 0 until implemented, and where it is untagged
	Untagged        bool
	SourceNAT       bool `bun:"source_nat"` // has a public address once it is implemented
	NetworkDomain   string
	DNS1            string `bun:"dns1"` // "" for the zone's, as the next three
	DNS2            string `bun:"dns2"`
	IP6DNS1         string `bun:"ip6_dns1"`
	IP6DNS2         string `bun:"ip6_dns2"`
	ACLType         string `bun:"acl_type"` // who may use it: see [ForAccount]
	SubdomainAccess bool   // of one for a domain: the domains below may use it, too
	Display         bool   // whether its users see it
	PerPod          bool   // its addresses belong to pods: a machine gets one once it has a host
	Automatic       bool   // made by a deployment that named no network
	Routed          bool   // has a virtual router once a machine has started there; in a basic zone, one for each pod
	Revision        int64  // rises with all that its router must know
	Retold          int64  // the last revision at which something changed that any of its guests may be told
	Created         time.Time
	Removed         time.Time `bun:",nullzero"`
}

// NIC is a machine's place in a network.
type NIC struct {
	ID      uid.NIC     `bun:",pk"`
	VM      uid.VM      `bun:"vm_id"`
	Network uid.Network `bun:"network_id"`
	Device  int
	IP      IP     `bun:"ip,nullzero"` // 0 in L2 networks
	IP6     string `bun:"ip6"`
	Gateway string // "" for the network's, as the next one
	Netmask string
	MAC     string
	Default bool  `bun:"is_default"`
	Told    int64 // the network's revision at which last changed what its router is told of it
	Created time.Time
}

// usable refuses a network that is being deleted.
func (n Network) usable() error {
	if n.State == Destroyed || !n.Removed.IsZero() {
		return fault.Conflictf("network %q is being deleted", n.Name)
	}
	return nil
}

// Reserved is what of an isolated network's addresses is kept from machines because its range was narrowed, as ranges joined with
// commas; "" where nothing is.
func (n Network) Reserved() string {
	if n.GuestType != offering.Isolated || n.CIDR == "" {
		return ""
	}
	sub, err := subnet.Parse(n.Gateway, n.Netmask, "", "")
	if err != nil {
		return ""
	}
	var out []string
	for _, part := range [][2]IP{{sub.First, n.StartIP - 1}, {n.EndIP + 1, sub.Last}} {
		onlyGateway := part[0] == sub.GatewayIP && part[1] == sub.GatewayIP
		if part[0] <= part[1] && !onlyGateway {
			out = append(out, part[0].String()+"-"+part[1].String())
		}
	}
	return strings.Join(out, ",")
}

// Tag is the VLAN that carries the network, as it is shown: "" before it has one.
func (n Network) Tag() string {
	switch {
	case n.Untagged:
		return vlan.Untagged
	case n.VLAN == 0:
		return ""
	}
	return strconv.Itoa(n.VLAN)
}
