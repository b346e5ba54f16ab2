package network

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/uid"
)

// Side is the place of a virtual router in one subnet of a shared network: an address of one of the subnet's ranges, which no machine gets.
type Side struct {
	Range   uid.IPRange `bun:"id"`
	Network uid.Network `bun:"network_id"`
	Pod     uid.Pod     `bun:"pod_id"` // whose range it is; "" for all
	IP      IP          `bun:"router_ip"`
	Gateway string      // of the subnet: the operator's own
	Netmask string
}

// Sides are those of a network's sides that are in a pod.
func Sides(all []Side, pod uid.Pod) []Side {
	return slices.DeleteFunc(slices.Clone(all), func(s Side) bool { return s.Pod != pod })
}

// routes tells whether networks of an offering have virtual routers.
func routes(off offering.Network) bool {
	if off.GuestType == offering.Isolated {
		return provider.Routes(off, "")
	}
	return off.GuestType == offering.Shared &&
		(provider.Routes(off, "Dhcp") || provider.Routes(off, "Dns") || provider.Routes(off, "UserData"))
}

// Carries tells whether machines may run in the network now.
func (n Network) Carries() bool { return n.State == Implemented || n.State == Setup }

// seat gives the network's virtual router an address of a range that is about to be added, if it has none in the subnet: the last one,
// so that machines get the addresses from the first on.
func (r *Range) seat(ctx context.Context, tx db.Tx) error {
	if !r.routed || r.StartIP == 0 {
		return nil
	}
	beside, err := besides(ctx, tx, *r)
	if err != nil {
		return err
	}
	for _, b := range beside {
		if b.RouterIP != 0 {
			return nil
		}
	}
	if r.StartIP == r.EndIP {
		return fault.Invalidf("the network's virtual router takes one address of the range, so %s alone leaves none for machines: want two or more",
			r.StartIP)
	}
	r.RouterIP = r.EndIP
	return TouchRules(ctx, tx, r.Network)
}

// unseat takes a range's address away from the network's virtual router, which gets another one of the same subnet. The network is locked.
func (s *Service) unseat(ctx context.Context, tx db.Tx, r Range) error {
	beside, err := besides(ctx, tx, r)
	if err != nil {
		return err
	}
	for _, b := range beside {
		taken, err := takeSide(ctx, tx, b.ID)
		if err != nil {
			return err
		}
		if taken {
			return TouchRules(ctx, tx, r.Network)
		}
	}
	if len(beside) > 0 {
		return fault.Conflictf("the network's virtual router has the address %s of the range, and its other ranges of the same subnet have no free "+
			"address for it: destroy a machine or add a range first", r.RouterIP)
	}
	sides, err := SidesOf(ctx, tx, []uid.Network{r.Network})
	if err != nil {
		return err
	}
	last := true
	for _, side := range sides[r.Network] {
		last = last && (side.Pod != r.Pod || side.Range == r.ID)
	}
	if last && s.router != nil {
		name, err := s.router(ctx, tx, r.Network, r.Pod)
		if err != nil {
			return err
		}
		if name != "" {
			return fault.Conflictf("virtual router %s has its only address, %s, in the range: destroy the router first", name, r.RouterIP)
		}
	}
	return TouchRules(ctx, tx, r.Network)
}

// lockOf keeps the network of a shared range from being changed until the transaction's end.
func (r *Range) lockOf(ctx context.Context, tx db.Tx) error {
	if r.Network == "" {
		return nil
	}
	_, err := Lock(ctx, tx, auth.Scope{All: true}, r.Network)
	return err
}
