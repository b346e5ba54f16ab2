package compute

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Destination is what kind of hosts a machine can be moved to.
type Destination struct {
	Zone       uid.Zone
	Hypervisor string
	From       uid.Host
	Need       host.Need
}

// Destinations tells among which hosts those are that a machine, which runs, could be moved to.
func (s *Service) Destinations(ctx context.Context, id uid.VM) (Destination, error) {
	vms, _, err := s.List(ctx, Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.VM{id}})
	if err == nil && len(vms) == 0 {
		err = fault.Missing(id)
	}
	if err != nil {
		return Destination{}, err
	}
	vm := vms[0]
	return Destination{Zone: vm.Zone, Hypervisor: vm.Hypervisor, From: vm.Host, Need: vm.need()}, vm.may(Migrating)
}

// Fits tells of each of some hosts whether a machine could be moved there now.
func (s *Service) Fits(ctx context.Context, id uid.VM, hosts []uid.Host) (map[uid.Host]placement.Fit, error) {
	q := s.db.Read()
	vm, err := know(ctx, q, id)
	if err != nil {
		return nil, err
	}
	want, _, moving, err := vm.wantMove(ctx, q, migrating{VM: id, From: vm.Host})
	if err != nil {
		return nil, err
	}
	fits, err := s.placement.Fits(ctx, q, want, moving, hosts)
	if err != nil {
		return nil, err
	}
	refusal := unkept(ctx, q, vm.VM, "it moves to a host that does not reach its disks")
	if refusal != nil && !fault.Is(refusal, fault.Conflict) {
		return nil, refusal
	}
	for id, f := range fits {
		if f.OK && f.Copies && refusal != nil {
			fits[id] = placement.Fit{Copies: true, Why: refusal.Error()}
		}
	}
	return fits, nil
}

// wantMove is what a machine needs of the host that it moves to, and its disks, as they are and as they move.
func (vm known) wantMove(ctx context.Context, q db.Tx, m migrating) (want placement.Want, disks []disk, moving []placement.Moving, err error) {
	want, _ = vm.want(wish{Host: m.Wish})
	want.Prefer, want.Avoid, want.Addresses = "", m.From, nil
	if slices.ContainsFunc(vm.cards, func(c card) bool { return c.PerPod }) { // it keeps its address, which is its pod's
		h, err := host.Find(ctx, q, m.From)
		if err != nil {
			return want, nil, nil, err
		}
		want.Pod = h.Pod
	}
	for _, d := range vm.disks {
		if d.Pool != "" {
			disks = append(disks, d)
			moving = append(moving, placement.Moving{Disk: d.want(), Pool: d.Pool, Scope: d.PoolScope, To: m.Pools[d.ID]})
		}
	}
	return want, disks, moving, nil
}

// hasDisks refuses pools for what is no disk of the machine.
func hasDisks(ctx context.Context, tx db.Tx, vm VM, pools map[uid.Volume]uid.Pool) error {
	if len(pools) == 0 {
		return nil
	}
	of, err := volume.Of(ctx, tx, []uid.VM{vm.ID})
	if err != nil {
		return err
	}
	for id := range pools {
		if !slices.ContainsFunc(of[vm.ID], func(v volume.Volume) bool { return v.ID == id && v.Pool != "" }) {
			return fault.Invalidf("volume %s in migrateto is no disk of virtual machine %q", id, vm.Name)
		}
	}
	return nil
}
