package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListVolumes shows volumes.
var ListVolumes = api.List[ListVolumesIn, Volume]{
	Name: "listVolumes", Noun: "Volume", Role: api.Everyone, Object: "volume",
	Doc: "Lists volumes: the disks of machines, and those that wait for one.",
}

// ListVolumesIn chooses volumes.
type ListVolumesIn struct {
	api.Paging
	api.Scope
	ID             uid.Volume       `api:"id" doc:"Shows only the volume with this ID."`
	IDs            []uid.Volume     `api:"ids,since=4.9" doc:"Shows only the volumes with these IDs."`
	Name           string           `api:"name" doc:"Shows only volumes of this name."`
	Type           string           `api:"type" doc:"Shows only volumes of this type: ROOT or DATADISK."`
	State          string           `api:"state" doc:"Shows only volumes in this state, Ready for instance."`
	VMID           uid.VM           `api:"virtualmachineid" doc:"Shows only the disks of this machine."`
	ZoneID         uid.Zone         `api:"zoneid" doc:"Shows only volumes of this zone."`
	PodID          uid.Pod          `api:"podid,admin" doc:"Shows only volumes that lie in this pod."`
	DiskOfferingID uid.DiskOffering `api:"diskofferingid,since=4.4" doc:"Shows only volumes of this disk offering."`
}

// Volume is a disk.
type Volume struct {
	ID   uid.Volume `json:"id" doc:"The ID of the volume."`
	Name string     `json:"name" doc:"The name of the volume."`
	Owner
	ZoneID                     uid.Zone            `json:"zoneid" doc:"The ID of the volume's zone."`
	ZoneName                   string              `json:"zonename,omitempty" doc:"The name of the volume's zone."`
	Type                       string              `json:"type" doc:"ROOT or DATADISK."`
	State                      string              `json:"state" doc:"Allocated until its machine first starts, then Creating and Ready; Expunging and Expunged on its way out."`
	Size                       int64               `json:"size" doc:"The size in bytes."`
	Created                    api.Time            `json:"created,omitzero" doc:"When the volume was made."`
	Attached                   api.Time            `json:"attached,omitzero" doc:"When the volume was given to its machine."`
	DeviceID                   *int64              `json:"deviceid,omitempty" doc:"The number of the device on its machine; absent while detached."`
	VMID                       uid.VM              `json:"virtualmachineid,omitempty" doc:"The ID of its machine."`
	VMName                     string              `json:"vmname,omitempty" doc:"The name of its machine."`
	VMDisplayName              string              `json:"vmdisplayname,omitempty" doc:"The shown name of its machine."`
	VMState                    string              `json:"vmstate,omitempty" doc:"The state of its machine."`
	DiskOfferingID             uid.DiskOffering    `json:"diskofferingid,omitempty" doc:"The ID of its disk offering."`
	DiskOfferingName           string              `json:"diskofferingname,omitempty" doc:"The name of its disk offering."`
	DiskOfferingDisplayText    string              `json:"diskofferingdisplaytext,omitempty" doc:"What its disk offering is."`
	ServiceOfferingID          uid.ServiceOffering `json:"serviceofferingid,omitempty" doc:"The ID of its machine's service offering, for root disks."`
	ServiceOfferingName        string              `json:"serviceofferingname,omitempty" doc:"The name of that service offering."`
	ServiceOfferingDisplayText string              `json:"serviceofferingdisplaytext,omitempty" doc:"What that service offering is."`
	TemplateID                 uid.Template        `json:"templateid,omitempty" doc:"The ID of the template it was made from, for root disks."`
	TemplateName               string              `json:"templatename,omitempty" doc:"The name of that template."`
	TemplateDisplayText        string              `json:"templatedisplaytext,omitempty" doc:"What that template is."`
	StorageType                string              `json:"storagetype,omitempty" doc:"shared, or local for a disk on the host itself."`
	Hypervisor                 string              `json:"hypervisor,omitempty" doc:"The hypervisor the volume is for."`
	Destroyed                  bool                `json:"destroyed" doc:"Whether the volume is on its way out."`
	StorageID                  uid.Pool            `json:"storageid,omitempty" api:"admin" doc:"The ID of the storage pool it lies in."`
	Storage                    string              `json:"storage,omitempty" api:"admin" doc:"The name of the storage pool it lies in."`
	PodID                      uid.Pod             `json:"podid,omitempty" api:"admin" doc:"The ID of the pod it lies in."`
	PodName                    string              `json:"podname,omitempty" api:"admin" doc:"The name of the pod it lies in."`
	ClusterID                  uid.Cluster         `json:"clusterid,omitempty" api:"admin" doc:"The ID of the cluster it lies in."`
	ClusterName                string              `json:"clustername,omitempty" api:"admin" doc:"The name of the cluster it lies in."`
	Pending
}
