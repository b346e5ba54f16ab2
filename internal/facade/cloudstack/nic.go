package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// listNics shows the NICs of a machine that the caller reaches.
func (f *Facade) listNics(ctx context.Context, in cs.ListNicsIn) (none api.Page[cs.MachineNIC], err error) {
	found, _, err := f.Machines.List(ctx, compute.Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{in.VMID}, Limit: 1})
	if err != nil {
		return none, err
	}
	if len(found) == 0 {
		return none, fault.Missing(in.VMID)
	}
	if in.Display != nil && !*in.Display {
		return none, nil // users see all
	}
	filter := network.CardFilter{VM: in.VMID, ID: in.ID, Network: in.NetworkID, Keyword: in.Keyword}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	cards, total, err := f.Networks.Cards(ctx, filter)
	if err != nil {
		return none, err
	}
	items := make([]cs.MachineNIC, len(cards))
	for i, nic := range nicsOut(cards) {
		items[i] = cs.MachineNIC{NIC: nic, VMID: in.VMID}
	}
	return api.Page[cs.MachineNIC]{Count: total, Items: items}, nil
}
