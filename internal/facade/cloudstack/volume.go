package cloudstack

import (
	"context"
	"errors"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerVolumes(m *api.Mux) {
	api.HandleList(m, cs.ListVolumes, f.listVolumes)
	byID := look.Show(f.DB.Read, volume.ByID, f.volumesOut)
	shown := func(ctx context.Context, subject string) (cs.Volume, error) { return byID(ctx, uid.Volume(subject)) }
	api.HandleJob(m, cs.CreateVolume, f.createVolume, shown)
	api.HandleJob(m, cs.AttachVolume, f.attachVolume, shown)
	api.HandleJob(m, cs.DetachVolume, f.detachVolume, shown)
	api.HandleCall(m, cs.DeleteVolume, f.deleteVolume)
}

func (f *Facade) createVolume(ctx context.Context, in cs.CreateVolumeIn) (api.Started, error) {
	if in.SnapshotID != "" {
		return api.Started{}, fault.NotFoundf("no snapshot with id %s, or you may not see it", in.SnapshotID)
	}
	want := volume.CreateIn{
		Name: in.Name, Zone: in.ZoneID, Offering: in.DiskOfferingID, GB: in.Size,
		Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	}
	if in.VMID != "" {
		id, job, err := f.Machines.CreateVolume(ctx, want, in.VMID)
		return api.Started{ID: string(id), JobID: job}, err
	}
	id, job, err := f.Volumes.Create(ctx, want)
	return api.Started{ID: string(id), JobID: job}, err
}

func (f *Facade) attachVolume(ctx context.Context, in cs.AttachVolumeIn) (api.Started, error) {
	job, err := f.Machines.Attach(ctx, in.ID, in.VMID, in.DeviceID)
	return api.Started{JobID: job}, err
}

func (f *Facade) detachVolume(ctx context.Context, in cs.DetachVolumeIn) (api.Started, error) {
	byPlace := in.VMID != "" || in.DeviceID != nil
	switch {
	case in.ID != "" && byPlace:
		return api.Started{}, fault.Invalidf("id names the volume by itself: leave out virtualmachineid and deviceid")
	case in.ID != "":
		job, err := f.Machines.Detach(ctx, in.ID)
		return api.Started{JobID: job}, err
	case in.VMID == "" || in.DeviceID == nil:
		return api.Started{}, fault.Invalidf("name the volume: by id, or by virtualmachineid and deviceid together")
	}
	job, err := f.Machines.DetachDevice(ctx, in.VMID, *in.DeviceID)
	return api.Started{JobID: job}, err
}

// deletion is how long a request waits for a volume's disk to be gone.
const deletion = 30 * time.Second

// deleteVolume waits for the end of the operation, since the command has no job to ask for. From its acceptance on nothing stops
// it any more, so that who does not wait for the end knows it as well.
func (f *Facade) deleteVolume(ctx context.Context, in cs.DeleteVolumeIn) (api.Success, error) {
	job, err := f.Volumes.Delete(ctx, in.ID)
	if err != nil {
		return api.Success{}, err
	}
	waiting, stop := context.WithTimeout(ctx, deletion)
	defer stop()
	r, err := f.Engine.Wait(waiting, job)
	switch {
	case errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil:
		return api.Success{
			Success: true, DisplayText: "the volume is being deleted; its storage does not answer yet",
			JobID: job, JobStatus: new(cs.JobPending),
		}, nil
	case err != nil:
		return api.Success{}, err
	}
	return api.Success{Success: r.Err() == nil}, r.Err()
}

func (f *Facade) listVolumes(ctx context.Context, in cs.ListVolumesIn) (api.Page[cs.Volume], error) {
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return api.Page[cs.Volume]{}, err
	}
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, len(ids) > 0 || in.VMID != "", in.InProject)
	if err != nil {
		return api.Page[cs.Volume]{}, err
	}
	filter := volume.Filter{
		Scope: scope, IDs: ids, Name: in.Name, Type: volume.Type(in.Type), State: volume.State(in.State), VM: in.VMID, Zone: in.ZoneID,
		Pod: in.PodID, Cluster: in.ClusterID, Pool: in.StorageID, DiskOffering: in.DiskOfferingID, ServiceOffering: in.ServiceOfferingID,
		Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	if in.HostID != "" {
		if filter.OnlyOf, err = compute.OnHost(ctx, f.DB.Read(), in.HostID); err != nil {
			return api.Page[cs.Volume]{}, err
		}
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	volumes, total, err := f.Volumes.List(ctx, filter)
	if err != nil {
		return api.Page[cs.Volume]{}, err
	}
	items, err := f.volumesOut(ctx, volumes)
	return api.Page[cs.Volume]{Count: total, Items: items}, err
}

// volumesOut shows volumes, with one query for each kind of thing that they name, of each part of a large page.
func (f *Facade) volumesOut(ctx context.Context, volumes []volume.Volume) ([]cs.Volume, error) {
	return look.InParts(volumes, func(part []volume.Volume) ([]cs.Volume, error) { return f.someVolumesOut(ctx, part) })
}

func (f *Facade) someVolumesOut(ctx context.Context, volumes []volume.Volume) ([]cs.Volume, error) {
	n, l := len(volumes), look.In(f.DB.Read())
	out := make([]cs.Volume, n)
	for i, v := range volumes {
		out[i] = wire.Volume(v)
	}
	vms := look.Related(ctx, l, n, func(i int) uid.VM { return volumes[i].VM }, compute.Labels)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return volumes[i].Zone }, zone.Names)
	disks := look.Related(ctx, l, n, func(i int) uid.DiskOffering { return volumes[i].DiskOffering }, offering.DisksByID)
	computes := look.Related(ctx, l, n, func(i int) uid.ServiceOffering { return volumes[i].ServiceOffering }, offering.ComputesByID)
	templates := look.Related(ctx, l, n, func(i int) uid.Template { return volumes[i].Template }, image.ByID)
	pools := look.Related(ctx, l, n, func(i int) uid.Pool { return volumes[i].Pool }, pool.Labels)
	pods := look.Related(ctx, l, n, func(i int) uid.Pod { return pools[volumes[i].Pool].Pod }, zone.PodNames)
	clusters := look.Related(ctx, l, n, func(i int) uid.Cluster { return pools[volumes[i].Pool].Cluster }, zone.ClustersByID)
	if l.Err == nil {
		l.Err = f.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return volumes[i].Account, &out[i].Owner })
	}
	if l.Err == nil {
		l.Err = f.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(volumes[i].ID), &out[i].Pending })
	}
	if l.Err == nil {
		l.Err = owned.Tagged(ctx, f.Owned, tag.Volume, n, func(i int) (uid.Volume, cs.Owner, *[]cs.Tag) {
			return out[i].ID, out[i].Owner, &out[i].Tags
		})
	}
	for i, v := range volumes {
		o := &out[i]
		vm, disk, size, t := vms[v.VM], disks[v.DiskOffering], computes[v.ServiceOffering], templates[v.Template]
		o.ZoneName = zones[v.Zone]
		o.VMName, o.VMDisplayName, o.VMState, o.Hypervisor = vm.Name, vm.DisplayName, string(vm.State), vm.Hypervisor
		o.DiskOfferingName, o.DiskOfferingDisplayText, o.StorageType = disk.Name, disk.DisplayText, string(disk.StorageType)
		o.ServiceOfferingName, o.ServiceOfferingDisplayText = size.Name, size.DisplayText
		if o.StorageType == "" { // a root disk: no disk offering says it
			o.StorageType = string(size.StorageType)
		}
		if o.IORates = wire.RatesOut(disk.Limits); v.DiskOffering == "" {
			o.IORates = wire.RatesOut(size.Limits)
		}
		o.TemplateName, o.TemplateDisplayText, o.IsExtractable = t.Name, t.DisplayText, v.Type == volume.Data || t.Extractable
		if p, placed := pools[v.Pool]; placed {
			c := clusters[p.Cluster]
			o.Storage, o.PodID, o.PodName, o.ClusterID, o.ClusterName, o.Hypervisor = p.Name, p.Pod, pods[p.Pod], p.Cluster, c.Name, c.Hypervisor
		}
	}
	return out, l.Err
}
