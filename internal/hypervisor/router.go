package hypervisor

import (
	"cmp"
	"context"
	"maps"
	"net/netip"
	"slices"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Networker is a driver whose hosts run virtual routers. A router is driven by a document that says all that it must be, never
// by a chain of small commands: whoever has the newest document needs nothing of what came before it.
type Networker interface {
	// ApplyRouter makes a router what its document says, beginning with making it where it is not there. It returns when traffic
	// goes by the document. A document with a version that has been applied is nil, and so is one with a lower version, which
	// changes nothing. Connections that the document allows go on. One of changes is fault.Conflict, and changes nothing, where the
	// router is not there or has not got the document yet since which they are: it must be given a whole one.
	ApplyRouter(ctx context.Context, host uid.Host, r Router) error
	// DropRouter ends a router and leaves nothing of it on the host. An absent one is nil.
	DropRouter(ctx context.Context, host uid.Host, id uid.Router) error
	// Routers lists the routers on a host, by ascending id: after a restart, to reconcile, and for their counters.
	Routers(ctx context.Context, host uid.Host) ([]RouterReport, error)
}

// RouterCounter is a Networker that counts for one router alone: before it ends, since nobody can ask later.
type RouterCounter interface {
	// CountRouter gives what went by the addresses of a router on the host; nothing where there is none.
	CountRouter(ctx context.Context, host uid.Host, id uid.Router) ([]AddressCounts, error)
}

// RouterReport is what a host says of a router.
type RouterReport struct {
	Router  uid.Router
	Version int64           // of the document applied last
	Parts   []RouterPart    // what runs in it, by name
	Counts  []AddressCounts // by address: public ones, and guests'
	Saved   []uid.NIC       // guests that have fetched and saved the password that waited for them: it is forgotten here
}

// RouterPart is one of a router's services as it is now.
type RouterPart struct {
	Name    string // "firewall", "dhcp", "metadata", "balancer"; names are the business of "dhcp", too
	Running bool
	Detail  string // why it does not run; "" where it does
}

// AddressCounts are the bytes that went by an address since the router was made.
type AddressCounts struct {
	Network  uid.Network // of a guest's address; zero for a public one
	IP       string
	Sent     int64 // towards the outside
	Received int64
}

// Router is what a virtual router must be.
type Router struct {
	ID      uid.Router
	Name    string // for people, "r-12-VM"
	Version int64  // rises with every change
	// Since makes it a document of changes, where it is not 0: it is as whole as any but for the guests in it, which are those only that
	// have changed since that version, and Gone are the guests that are no more. It may be applied over any version that is not before.
	Since    int64     `json:",omitzero"`
	Gone     []uid.NIC `json:",omitempty"`
	Segments []RouterSegment
	Uplink   []RouterAddress // the public side; empty where the router has none
}

// Over gives the whole document that a document of changes makes of the one before. It is fault.Conflict where that is older than what
// the changes are since. A whole document is itself.
func (r Router) Over(was Router) (Router, error) {
	if r.Since == 0 {
		return r, nil
	}
	if was.Version < r.Since {
		return r, fault.Conflictf("router %s has version %d: what has changed since %d is not enough for it", r.Name, was.Version, r.Since)
	}
	r.Segments = slices.Clone(r.Segments)
	for i, s := range r.Segments {
		guests := map[uid.NIC]RouterGuest{}
		for _, before := range was.Segments {
			if before.Network == s.Network {
				for _, g := range before.Guests {
					guests[g.NIC] = g
				}
			}
		}
		for _, nic := range r.Gone {
			delete(guests, nic)
		}
		for _, g := range s.Guests {
			if g.Password.Reveal() == "" { // the one that waits goes on waiting
				g.Password = guests[g.NIC].Password
			}
			guests[g.NIC] = g
		}
		r.Segments[i].Guests = slices.SortedFunc(maps.Values(guests), byAddress)
	}
	r.Since, r.Gone = 0, nil
	return r, nil
}

// byAddress is the order of guests in documents.
func byAddress(a, b RouterGuest) int {
	one, _ := netip.ParseAddr(a.IP)
	other, _ := netip.ParseAddr(b.IP)
	return cmp.Or(one.Compare(other), cmp.Compare(a.NIC, b.NIC))
}

// RouterSegment is the router's side of one guest network.
type RouterSegment struct {
	Network  uid.Network
	VLAN     int    // the network's segment, as [NIC].VLAN
	Wire     string `json:",omitempty"` // as [NIC].Wire
	Gateway  string // the router's own address in it with its prefix, "10.1.1.1/24"
	Gateway6 string // the same for IPv6; "" for none
	// Via is the gateway that guests are told of where that is somebody else: in a shared network, whose router answers for addresses,
	// names and user data, and leads nobody elsewhere. "" makes it the router itself. The IPv6 gateway is then whoever says so there.
	Via    string         `json:",omitempty"`
	Beside []RouterSubnet `json:",omitempty"` // further subnets of a shared network
	Search string         // domain of the guests' names
	DNS    []string       // servers that are asked for other names, of both families
	Serves Services
	Guests []RouterGuest

	EgressAllowed bool    // what guests begin towards the outside is let out where no rule of Egress says otherwise
	Egress        []Match // exceptions from EgressAllowed: what is let out where it is false, and is not where it is true
}

// RouterSubnet is the router's place in one subnet of a shared network.
type RouterSubnet struct {
	Address string // with its prefix, "10.2.0.250/24"
	Via     string // the gateway there
}

// Services are what a router does for a guest network.
type Services struct {
	DHCP     bool `json:",omitzero"`
	DNS      bool `json:",omitzero"`
	UserData bool `json:",omitzero"` // user data, metadata and passwords by HTTP at the router's address
}

// RouterGuest is a card of a machine in a router's guest network, and what the router tells its machine. A guest sees its own only.
type RouterGuest struct {
	NIC      uid.NIC
	VM       uid.VM
	MAC      string
	IP       string
	IP6      string            `json:",omitzero"`
	Name     string            // its host name
	Default  bool              // whether its default route goes this way
	UserData []byte            `json:",omitempty"` // decoded
	Meta     map[string]string `json:",omitempty"` // by name: "instance-id", "local-hostname", "public-keys"
	// Password waits for the machine to fetch it once; it is never written down with the rest. A document without one leaves the one
	// waiting that an earlier document brought: who deployed the machine is told the password once, perhaps before the machine has
	// asked for it, and then it is forgotten.
	Password secret.String `json:"-"`
}

// RouterAddress is a public address that a router answers for.
type RouterAddress struct {
	ID        uid.PublicIP
	IP        string // with its prefix, "192.0.2.17/24"
	Gateway   string
	VLAN      int         // of the public range; 0 is untagged
	Network   uid.Network // whose guests it is for
	SourceNAT bool        `json:",omitzero"`  // what Network's guests send leaves with it
	StaticNAT string      `json:",omitzero"`  // the guest's address that it stands for; "" for none
	Ingress   []Match     `json:",omitempty"` // what is let in; all else is not
	Forwards  []Forward   `json:",omitempty"`
	Balancers []Balancer  `json:",omitempty"`
}

// Match says which packets are meant.
type Match struct {
	Protocol string   // "tcp", "udp", "icmp", "all", or a number
	From, To int      // ports of tcp and udp; both 0 for all
	ICMPType int      // -1 for all
	ICMPCode int      // -1 for all
	Sources  []string `json:",omitempty"` // CIDRs that they come from; none: anywhere
	Targets  []string `json:",omitempty"` // CIDRs that they go to; none: anywhere
}

// Forward sends what comes to some ports of a public address to a guest.
type Forward struct {
	Protocol string // "tcp" or "udp"
	From, To int    // public ports
	GuestIP  string
	Guest    int // first port at the guest
}

// Balancer spreads what comes to a port of a public address over guests.
type Balancer struct {
	ID        uid.Rule
	Protocol  string // "tcp", "udp" or "tcp-proxy"
	Port      int
	Guest     int    // port at the guests
	Algorithm string // "roundrobin", "leastconn" or "source"
	Guests    []string
	Sources   []string   `json:",omitempty"` // CIDRs that may use it; none: anybody
	Sticky    Stickiness `json:",omitzero"`
}

// Stickiness keeps a client at one guest. A zero one does not.
type Stickiness struct {
	Method string            // "LbCookie", "AppCookie" or "SourceBased"
	Params map[string]string // by the names that listNetworks gives for the method
}
