package network

import (
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

// State is where a network stands.
type State string

// The states. A network is implemented, and gets its VLAN, when the first machine in it starts.
const (
	Allocated   State = "Allocated"
	Implemented State = "Implemented"
	Destroyed   State = "Destroy"
)

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
	StartIP         IP  `bun:"start_ip"` // first and last address for guests
	EndIP           IP  `bun:"end_ip"`
	NextIP          IP  `bun:"next_ip"`
	VLAN            int `bun:"vlan,nullzero"` // 0 until implemented
	NetworkDomain   string
	ACLType         string `bun:"acl_type"`
	Automatic       bool   // made by a deployment that named no network
	Revision        int64
	Created         time.Time
	Removed         time.Time `bun:",nullzero"`
}

// NIC is a machine's place in a network.
type NIC struct {
	ID      uid.NIC     `bun:",pk"`
	VM      uid.VM      `bun:"vm_id"`
	Network uid.Network `bun:"network_id"`
	Device  int
	IP      IP `bun:"ip,nullzero"` // 0 in L2 networks
	MAC     string
	Default bool `bun:"is_default"`
	Created time.Time
}

// Physical is a physical network: the VLANs that guest networks of a zone may use.
type Physical struct {
	ID        uid.PhysicalNetwork `bun:",pk"`
	Zone      uid.Zone            `bun:"zone_id"`
	Name      string
	State     string
	Isolation string
	VLANStart int `bun:"vlan_start"`
	VLANEnd   int `bun:"vlan_end"`
	VLANNext  int `bun:"vlan_next"`
	Created   time.Time
	Removed   time.Time `bun:",nullzero"`
}

// usable refuses a network that is being deleted.
func (n Network) usable() error {
	if n.State == Destroyed || !n.Removed.IsZero() {
		return fault.Conflictf("network %q is being deleted", n.Name)
	}
	return nil
}
