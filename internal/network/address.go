package network

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/uid"
)

// AddressState is where an address stands.
type AddressState string

// The states of addresses.
const (
	Free  AddressState = "Free"
	InUse AddressState = "Allocated"
	// Releasing is an address that nothing comes to any more, and that is free as soon as its router knows.
	Releasing AddressState = "Releasing"
)

// Address is one address of a range.
type Address struct {
	ID        uid.PublicIP `bun:",pk"`
	Range     uid.IPRange  `bun:"range_id"`
	IP        IP           `bun:"ip"`
	State     AddressState
	FreeFor   string      // see [Range]
	Account   uid.Account `bun:"account_id,nullzero"` // whose it is while it is in use
	Domain    uid.Domain  `bun:"domain_id,nullzero"`
	Network   uid.Network `bun:"network_id,nullzero"` // that it serves
	VM        uid.VM      `bun:"vm_id,nullzero"`      // that has it, in a shared network
	SourceNAT bool        `bun:"source_nat"`
	System    bool        // it was taken for a load balancer that named none, and goes with the network's last one on it
	Display   bool        // whether its users see it
	Allocated time.Time   `bun:",nullzero"`
}

// Assign gives a network a public address: the one that is wanted, or ("") any. It counts for the network's account.
func Assign(ctx context.Context, tx db.Tx, n Network, want string) (Address, error) {
	var ip IP
	var err error
	if want != "" {
		if ip, err = subnet.ParseIP("ipaddress", want); err != nil {
			return Address{}, err
		}
	}
	return assign(ctx, tx, n, ip, user{})
}

// AssignSystem is [Assign] for an address that the cloud takes by itself, for a load balancer.
func AssignSystem(ctx context.Context, tx db.Tx, n Network) (Address, error) {
	return assign(ctx, tx, n, 0, user{system: true})
}

func assign(ctx context.Context, tx db.Tx, n Network, want IP, by user) (Address, error) {
	a, err := takePublic(ctx, tx, n, want, by)
	switch {
	case err != nil:
		return Address{}, err
	case a == nil && want != 0:
		return Address{}, fault.Conflictf("address %s is no public address of the zone that is free and may be had", want)
	case a == nil:
		return Address{}, fault.Fullf("the zone has no free public address for network %q", n.Name)
	}
	return *a, account.Take(ctx, tx, n.Account, limit.Use{limit.PublicIPs: 1})
}

// Unassign gives an address back that [Assign] or [AssignSystem] gave.
func Unassign(ctx context.Context, tx db.Tx, a Address) error {
	if err := release(ctx, tx, a.ID); err != nil {
		return err
	}
	return account.Give(ctx, tx, a.Account, limit.Use{limit.PublicIPs: 1})
}

// share gives a NIC an address of a shared network: the one wanted, or ("") a free one.
func (nic *NIC) share(ctx context.Context, tx db.Tx, n Network, owner uid.Account, want string) error {
	by := user{account: owner, network: n.ID, vm: nic.VM}
	var a *Address
	var err error
	if want == "" {
		if a, err = takeFree(ctx, tx, string(n.ID), by); err == nil && a == nil {
			err = fault.Fullf("network %q has no free address left", n.Name)
		}
	} else {
		a, err = takeWanted(ctx, tx, n, want, by)
	}
	if err != nil {
		return err
	}
	nic.IP = a.IP
	if n.Routed {
		if err := TouchRules(ctx, tx, n.ID); err != nil {
			return err
		}
	}
	return nic.in(ctx, tx, n, a.Range)
}

// in gives the NIC the gateway and netmask of its address's range where they are not the network's.
func (nic *NIC) in(ctx context.Context, tx db.Tx, n Network, id uid.IPRange) error {
	r, err := findRange(ctx, tx, id)
	if err == nil && (r.Gateway != n.Gateway || r.Netmask != n.Netmask) {
		nic.Gateway, nic.Netmask = r.Gateway, r.Netmask
	}
	return err
}

// takeWanted takes one certain address of a shared network.
func takeWanted(ctx context.Context, tx db.Tx, n Network, want string, by user) (*Address, error) {
	ip, err := subnet.ParseIP("ipaddress", want)
	if err != nil {
		return nil, err
	}
	a, err := takeNamed(ctx, tx, string(n.ID), ip, by)
	if err != nil || a != nil {
		return a, err
	}
	known, err := inRange(ctx, tx, n.ID, ip)
	switch {
	case err != nil:
		return nil, err
	case known:
		return nil, fault.Conflictf("address %s of network %q is in use by another machine", want, n.Name)
	}
	side, err := isSide(ctx, tx, n.ID, ip)
	if err != nil {
		return nil, err
	}
	if side {
		return nil, fault.Conflictf("address %s of network %q is its virtual router's", want, n.Name)
	}
	return nil, fault.Invalidf("address %s is in no range of network %q", want, n.Name)
}

// Settle gives a machine that is about to start in a pod addresses of that pod in its networks of a basic zone, where addresses
// belong to pods. What it has from another pod it gives back.
func Settle(ctx context.Context, tx db.Tx, vm uid.VM, owner uid.Account, pod uid.Pod) error {
	unsettled, err := unsettledNICs(ctx, tx, vm, pod)
	if err != nil {
		return err
	}
	ids := make([]uid.Network, len(unsettled))
	for i, nic := range unsettled {
		ids[i] = nic.Network
	}
	networks, err := ByID(ctx, tx, ids) // not locked: hosts and pools are, by now, and everybody's machines are in the one network
	if err != nil {
		return err
	}
	for _, nic := range unsettled {
		n := networks[nic.Network]
		if err := releaseShared(ctx, tx, vm, n.ID); err != nil {
			return err
		}
		a, err := takeFree(ctx, tx, ofPod(n.ID, pod), user{account: owner, network: n.ID, vm: vm})
		if err == nil && a == nil {
			err = fault.Fullf("network %q has no free address left in the pod", n.Name)
		}
		if err != nil {
			return err
		}
		nic.IP = a.IP
		if err := nic.in(ctx, tx, n, a.Range); err != nil {
			return err
		}
		if err := settleNIC(ctx, tx, n, nic); err != nil {
			return err
		}
	}
	return nil
}
