package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Guarder is a driver whose hosts keep cards to the rules of security groups. That a card sends with its own addresses only
// (MAC, IPv4, IPv6, ARP) is not asked for: hosts see to it for every card with addresses, from the moment it is plugged.
type Guarder interface {
	// ApplyGuards makes the rules of all cards on a host what the document says, at once. A document with a version that has
	// been applied is nil, and so is one with a lower version, which changes nothing. Connections that were let in go on.
	ApplyGuards(ctx context.Context, host uid.Host, g Guards) error
}

// Guards are the rules of the cards on one host. Cards that are not in it have no rules: all is let through. It may name cards
// that are not there yet; they have their rules before they have their first packet.
type Guards struct {
	Version int64
	Groups  []GuardGroup // those that rules name
	Ports   []Guard
}

// GuardGroup is who is in a security group.
type GuardGroup struct {
	Group     uid.SecurityGroup
	Addresses []string // of its members' cards, of both families, anywhere
}

// Guard is what a card may be reached by, and may reach. What answers to something that was let through is let through, and so
// is what a card needs to have an address at all: DHCP, and neighbour discovery.
type Guard struct {
	NIC           uid.NIC
	Ingress       []GuardRule // what is let in; all else is not
	EgressAllowed bool        // what the machine begins is let out where no rule of Egress says otherwise
	Egress        []GuardRule // exceptions from EgressAllowed, as RouterSegment has them
}

// GuardRule says which packets are meant: those of the match whose other end is in one of its CIDRs (Sources of what comes in,
// Targets of what goes out) or a member of one of the groups. With neither CIDRs nor groups it is anybody.
type GuardRule struct {
	Match
	Groups []uid.SecurityGroup `json:",omitempty"`
}

// Mesher is a driver whose hosts carry guest networks to each other by themselves.
type Mesher interface {
	// ApplyPeers tells a host where the others are that may have guests of the same networks. A document with a version that
	// has been applied is nil, and so is one with a lower version, which changes nothing.
	ApplyPeers(ctx context.Context, host uid.Host, p Peers) error
}

// Peers are the hosts that guest networks of one host may reach to.
type Peers struct {
	Version   int64
	Addresses []string // of the others, in the network that hosts reach each other by
}
