package disk

import (
	"context"
	"errors"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/relocation"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the services that keep volumes and their snapshots.
type Translator struct {
	DB        *db.DB
	Engine    *op.Engine
	Owned     owned.Lists
	Volumes   *volume.Service
	Snapshots *snapshot.Service
	Machines  *compute.Service

	Relocation *relocation.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	t.registerSnapshots(m)
	api.HandleList(m, cs.ListVolumes, t.listVolumes)
	byID := look.Show(t.DB.Read, volume.ByID, t.volumesOut)
	shown := func(ctx context.Context, subject string) (cs.Volume, error) { return byID(ctx, uid.Volume(subject)) }
	api.HandleJob(m, cs.CreateVolume, t.createVolume, shown)
	api.HandleJob(m, cs.AttachVolume, t.attachVolume, shown)
	api.HandleJob(m, cs.DetachVolume, t.detachVolume, shown)
	api.HandleJob(m, cs.ResizeVolume, func(ctx context.Context, in cs.ResizeVolumeIn) (api.Started, error) {
		return started(t.Volumes.Resize(ctx, in.ID, volume.ResizeIn{Offering: in.DiskOfferingID, GB: in.Size, Shrink: in.ShrinkOK}))
	}, shown)
	api.HandleJob(m, cs.MigrateVolume, func(ctx context.Context, in cs.MigrateVolumeIn) (api.Started, error) {
		return started(t.Relocation.Move(ctx, in.VolumeID, in.StorageID))
	}, shown)
	api.HandleCall(m, cs.DeleteVolume, t.deleteVolume)
}

func started(job op.ID, err error) (api.Started, error) { return api.Started{JobID: job}, err }

func (t Translator) createVolume(ctx context.Context, in cs.CreateVolumeIn) (api.Started, error) {
	want := volume.CreateIn{
		Name: in.Name, Zone: in.ZoneID, Offering: in.DiskOfferingID, GB: in.Size, Snapshot: in.SnapshotID,
		Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID},
	}
	if in.VMID != "" {
		id, job, err := t.Machines.CreateVolume(ctx, want, in.VMID)
		return api.Started{ID: string(id), JobID: job}, err
	}
	id, job, err := t.Volumes.Create(ctx, want)
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) attachVolume(ctx context.Context, in cs.AttachVolumeIn) (api.Started, error) {
	job, err := t.Machines.Attach(ctx, in.ID, in.VMID, in.DeviceID)
	return api.Started{JobID: job}, err
}

func (t Translator) detachVolume(ctx context.Context, in cs.DetachVolumeIn) (api.Started, error) {
	byPlace := in.VMID != "" || in.DeviceID != nil
	switch {
	case in.ID != "" && byPlace:
		return api.Started{}, fault.Invalidf("id names the volume by itself: leave out virtualmachineid and deviceid")
	case in.ID != "":
		job, err := t.Machines.Detach(ctx, in.ID)
		return api.Started{JobID: job}, err
	case in.VMID == "" || in.DeviceID == nil:
		return api.Started{}, fault.Invalidf("name the volume: by id, or by virtualmachineid and deviceid together")
	}
	job, err := t.Machines.DetachDevice(ctx, in.VMID, *in.DeviceID)
	return api.Started{JobID: job}, err
}

// deletion is how long a request waits for a volume's disk to be gone.
const deletion = 30 * time.Second

// deleteVolume waits for the end of the operation, since the command has no job to ask for. From its acceptance on nothing stops
// it any more, so that who does not wait for the end knows it as well.
func (t Translator) deleteVolume(ctx context.Context, in cs.DeleteVolumeIn) (api.Success, error) {
	job, err := t.Volumes.Delete(ctx, in.ID)
	if err != nil {
		return api.Success{}, err
	}
	waiting, stop := context.WithTimeout(ctx, deletion)
	defer stop()
	r, err := t.Engine.Wait(waiting, job)
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

func (t Translator) listVolumes(ctx context.Context, in cs.ListVolumesIn) (api.Page[cs.Volume], error) {
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return api.Page[cs.Volume]{}, err
	}
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, len(ids) > 0 || in.VMID != "", in.InProject)
	if err != nil {
		return api.Page[cs.Volume]{}, err
	}
	filter := volume.Filter{
		Scope: scope, IDs: ids, Name: in.Name, Type: volume.Type(in.Type), State: volume.State(in.State), VM: in.VMID, Zone: in.ZoneID,
		Pod: in.PodID, Cluster: in.ClusterID, Pool: in.StorageID, DiskOffering: in.DiskOfferingID, ServiceOffering: in.ServiceOfferingID,
		Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword,
	}
	if in.HostID != "" {
		if filter.OnlyOf, err = compute.OnHost(ctx, t.DB.Read(), in.HostID); err != nil {
			return api.Page[cs.Volume]{}, err
		}
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	volumes, total, err := t.Volumes.List(ctx, filter)
	if err != nil {
		return api.Page[cs.Volume]{}, err
	}
	items, err := t.volumesOut(ctx, volumes)
	return api.Page[cs.Volume]{Count: total, Items: items}, err
}

// volumesOut shows volumes, with one query for each kind of thing that they name, of each part of a large page.
func (t Translator) volumesOut(ctx context.Context, volumes []volume.Volume) ([]cs.Volume, error) {
	return look.InParts(volumes, func(part []volume.Volume) ([]cs.Volume, error) { return t.someVolumesOut(ctx, part) })
}

func (t Translator) someVolumesOut(ctx context.Context, volumes []volume.Volume) ([]cs.Volume, error) {
	n, l := len(volumes), look.In(t.DB.Read())
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
		l.Err = t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return volumes[i].Account, &out[i].Owner })
	}
	if l.Err == nil {
		l.Err = t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(volumes[i].ID), &out[i].Pending })
	}
	if l.Err == nil {
		l.Err = owned.Tagged(ctx, t.Owned, tag.Volume, n, func(i int) (uid.Volume, cs.Owner, *[]cs.Tag) {
			return out[i].ID, out[i].Owner, &out[i].Tags
		})
	}
	for i, v := range volumes {
		o := &out[i]
		vm, disk, size, from := vms[v.VM], disks[v.DiskOffering], computes[v.ServiceOffering], templates[v.Template]
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
		o.TemplateName, o.TemplateDisplayText, o.IsExtractable = from.Name, from.DisplayText, v.Type == volume.Data || from.Extractable
		if p, placed := pools[v.Pool]; placed {
			c := clusters[p.Cluster]
			o.Storage, o.PodID, o.PodName, o.ClusterID, o.ClusterName, o.Hypervisor = p.Name, p.Pod, pods[p.Pod], p.Cluster, c.Name, c.Hypervisor
		}
	}
	return out, l.Err
}
