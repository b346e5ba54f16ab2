package wire

import (
	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/volume"
)

// Volume shows what a volume's own row says.
func Volume(v volume.Volume) cs.Volume {
	out := cs.Volume{
		ID: v.ID, Name: v.Name, ZoneID: v.Zone, Type: string(v.Type), State: string(v.Shown()), Size: v.Size, Created: api.At(v.Created),
		Attached: api.At(v.Attached), VMID: v.VM, DiskOfferingID: v.DiskOffering, ServiceOfferingID: v.ServiceOffering, TemplateID: v.Template,
		Destroyed: v.State == volume.Expunging || v.State == volume.Expunged, StorageID: v.Pool, SnapshotID: v.Snapshot,
	}
	if v.Device != nil {
		out.DeviceID = new(int64(*v.Device))
	}
	return out
}
