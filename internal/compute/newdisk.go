package compute

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// newDisks are the machine's root disk, and a data disk if it is to have one. With an ISO, the disk offering is the root disk's.
func (s *Service) newDisks(ctx context.Context, tx db.Tx, in *DeployIn, vm VM, off offering.Compute, tpl image.Template) ([]volume.Volume, error) {
	root := newDisk(tx, vm, 0)
	root.Name, root.Type, root.ServiceOffering = fmt.Sprintf("ROOT-%d", vm.Serial), volume.Root, off.ID
	if tpl.IsISO() {
		err := s.offerDisk(ctx, tx, in, &root)
		return []volume.Volume{root}, err
	}
	root.Template = tpl.ID
	var err error
	if root.Size, err = s.rootSize(in, off, tpl); err != nil || in.DiskOffering == "" {
		return []volume.Volume{root}, err
	}
	data := newDisk(tx, vm, 1)
	data.Name, data.Type = fmt.Sprintf("DATA-%d", vm.Serial), volume.Data
	err = s.offerDisk(ctx, tx, in, &data)
	return []volume.Volume{root, data}, err
}

func newDisk(tx db.Tx, vm VM, device int) volume.Volume {
	return volume.Volume{
		ID: uid.New[uid.Volume](), Account: vm.Account, Domain: vm.Domain, Zone: vm.Zone, VM: vm.ID, Device: &device,
		State: volume.Allocated, Created: tx.Now, Attached: tx.Now,
	}
}

// rootSize is the size of a root disk that is a copy of a template.
func (s *Service) rootSize(in *DeployIn, off offering.Compute, tpl image.Template) (int64, error) {
	size := tpl.Size
	for _, gb := range []int64{off.RootGB, in.RootGB} {
		if gb != 0 {
			size = gb * volume.GB
		}
	}
	if size < tpl.Size {
		return 0, fault.Invalidf("rootdisksize %d GB is less than template %q holds (%d GB)", size/volume.GB, tpl.Name, volume.Gigabytes(tpl.Size))
	}
	return size, s.volumes.CheckMax(volume.Gigabytes(size))
}

// offerDisk makes a disk one of the disk offering that the request names.
func (s *Service) offerDisk(ctx context.Context, tx db.Tx, in *DeployIn, v *volume.Volume) error {
	off, err := offering.DeployableDisk(ctx, tx, in.DiskOffering, v.Zone)
	if err != nil {
		return err
	}
	v.DiskOffering = off.ID
	v.Size, err = s.volumes.SizeOf(off, in.DiskGB)
	return err
}
