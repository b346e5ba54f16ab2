package vrouter

import (
	"context"
	"errors"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/uid"
)

// Network is the network's side of one host's driver: a [hypervisor.Networker], [hypervisor.Guarder] and [hypervisor.Mesher].
type Network struct {
	fabric  *vnet.Fabric
	routers *Routers
}

// NewNetwork makes the network's side of a driver for the host that fabric and routers are of.
func NewNetwork(fabric *vnet.Fabric, routers *Routers) *Network { return &Network{fabric, routers} }

// here tells whether a call may go on: in time, and for this host.
func (n *Network) here(ctx context.Context, host uid.Host) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if host != n.fabric.Host {
		return fault.Unavailablef("host %s does not answer: this is host %s", host, n.fabric.Host)
	}
	return nil
}

// ApplyRouter implements [hypervisor.Networker].
func (n *Network) ApplyRouter(ctx context.Context, host uid.Host, r hypervisor.Router) error {
	if err := n.here(ctx, host); err != nil {
		return err
	}
	return n.routers.ApplyRouter(ctx, r)
}

// DropRouter implements [hypervisor.Networker].
func (n *Network) DropRouter(ctx context.Context, host uid.Host, id uid.Router) error {
	if err := n.here(ctx, host); err != nil {
		return err
	}
	return n.routers.DropRouter(ctx, id)
}

// Routers implements [hypervisor.Networker].
func (n *Network) Routers(ctx context.Context, host uid.Host) ([]hypervisor.RouterReport, error) {
	if err := n.here(ctx, host); err != nil {
		return nil, err
	}
	return n.routers.Routers(ctx)
}

// CountRouter implements [hypervisor.RouterCounter].
func (n *Network) CountRouter(ctx context.Context, host uid.Host, id uid.Router) ([]hypervisor.AddressCounts, error) {
	if err := n.here(ctx, host); err != nil {
		return nil, err
	}
	return n.routers.Count(ctx, id)
}

// ApplyGuards implements [hypervisor.Guarder].
func (n *Network) ApplyGuards(ctx context.Context, host uid.Host, g hypervisor.Guards) error {
	if err := n.here(ctx, host); err != nil {
		return err
	}
	return n.fabric.ApplyGuards(ctx, g)
}

// ApplyPeers implements [hypervisor.Mesher].
func (n *Network) ApplyPeers(ctx context.Context, host uid.Host, p hypervisor.Peers) error {
	if err := n.here(ctx, host); err != nil {
		return err
	}
	return n.fabric.ApplyPeers(ctx, p)
}

// RecoverNetwork finds again what there is and puts in order what is not. Cards are those that machines which run have.
func (n *Network) RecoverNetwork(ctx context.Context, cards []uid.NIC) error {
	var known []uid.Router
	for _, one := range n.routers.all() {
		one.mu.Lock()
		if one.doc.Version > 0 {
			known = append(known, one.id)
		}
		one.mu.Unlock()
	}
	return errors.Join(n.routers.Recover(ctx), n.routers.Sweep(ctx, known), n.fabric.Sweep(ctx, cards, known))
}
