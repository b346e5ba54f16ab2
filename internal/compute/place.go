package compute

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/firmware"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/placement"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// place chooses a host, and pools for disks that are still to be made, takes the room there, and sees to it that the
// machine's networks have their VLANs.
func (s *Service) place(ctx context.Context, tx db.Tx, j *job) error {
	vm, err := knowLocked(ctx, tx, j.VM)
	if err != nil {
		return err
	}
	if !vm.connected() {
		if err := network.Implement(ctx, tx, vm.ID); err != nil {
			return err
		}
	}
	want, fresh := vm.want(j.Wish)
	p, err := s.placement.Find(ctx, tx, want)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(vm.cards, func(c card) bool { return c.PerPod }) { // its address there is its pod's to give
		h, err := host.Find(ctx, tx, p.Host)
		if err != nil {
			return err
		}
		err = network.Settle(ctx, tx, vm.ID, vm.Account, h.Pod)
		if fault.Is(err, fault.Full) { // another machine took the pod's last address since the place was found: there may be other places
			return op.Retry(err)
		}
		if err == nil {
			vm, err = knowLocked(ctx, tx, j.VM)
		}
		if err != nil {
			return err
		}
	}
	if err := s.route(ctx, tx, vm, p.Host, j); err != nil {
		return err
	}
	if err := vm.guard(ctx, tx, p.Host, j); err != nil {
		return err
	}
	j.Host, j.New = p.Host, fresh
	for i, id := range fresh {
		if err := volume.SetPlaced(ctx, tx, id, volume.Creating, p.Pools[i]); err != nil {
			return err
		}
	}
	return setHost(ctx, tx, vm.ID, p.Host)
}

// want is what the machine needs of a host, and the volumes whose disks are still to be made.
func (vm known) want(w wish) (placement.Want, []uid.Volume) {
	want := placement.Want{
		VM: vm.ID, Zone: vm.Zone, Hypervisor: vm.Hypervisor, Need: vm.need(), Host: w.Host, Pod: w.Pod, Cluster: w.Cluster,
		Prefer: vm.LastHost, UEFI: firmware.Wanted(vm.Details),
		Mine: func(ctx context.Context, q db.Tx, hosts []uid.Host) (map[uid.Host]int, error) {
			return countOn(ctx, q, vm.Account, hosts)
		},
	}
	for _, c := range vm.cards {
		if c.PerPod {
			want.Addresses = append(want.Addresses, c.Network)
		}
	}
	var fresh []uid.Volume
	for _, d := range vm.disks {
		want.HostTags, want.Planner = placement.Tags(d.HostTags), d.Planner
		switch {
		case d.State == volume.Allocated:
			want.Disks, fresh = append(want.Disks, d.want()), append(fresh, d.ID)
		case d.Pool != "":
			want.Made = append(want.Made, d.Pool)
		}
	}
	return want, fresh
}

// want is what the disk needs of its pool.
func (d disk) want() placement.Disk {
	return placement.Disk{Bytes: d.Size, Local: d.StorageType == offering.LocalStorage, Tags: placement.Tags(d.StorageTags)}
}

// check refuses places that there are not in a zone.
func (w wish) check(ctx context.Context, q db.Tx, in uid.Zone) error {
	if w.Host != "" {
		h, err := host.Find(ctx, q, w.Host)
		if err != nil {
			return err
		}
		if h.Zone != in {
			return fault.Invalidf("host %q is in another zone than the machine", h.Name)
		}
	}
	if w.Pod != "" {
		p, err := zone.FindPod(ctx, q, w.Pod)
		if err != nil {
			return err
		}
		if p.Zone != in {
			return fault.Invalidf("pod %q is in another zone than the machine", p.Name)
		}
	}
	if w.Cluster != "" {
		c, err := zone.FindCluster(ctx, q, w.Cluster)
		if err != nil {
			return err
		}
		if c.Zone != in {
			return fault.Invalidf("cluster %q is in another zone than the machine", c.Name)
		}
	}
	return nil
}
