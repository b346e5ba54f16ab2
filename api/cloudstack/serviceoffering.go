package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListServiceOfferings shows the sizes of machines.
var ListServiceOfferings = api.List[ListServiceOfferingsIn, ServiceOffering]{
	Name: "listServiceOfferings", Noun: "Service offering", Role: api.Everyone, Object: "serviceoffering",
	Doc: "Lists service offerings: the sizes that machines come in.",
}

// ListServiceOfferingsIn chooses service offerings.
type ListServiceOfferingsIn struct {
	api.Paging
	ID     uid.ServiceOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name   string              `api:"name" doc:"Shows only the offering of this name."`
	System bool                `api:"issystem" doc:"Shows the offerings of the cloud's own machines instead of the users'."`
	State  string              `api:"state,since=4.19,one=Active|Inactive|all" doc:"Shows only offerings in this state: Active (what is shown otherwise), Inactive, or all."`
}

// ServiceOffering is a size of machines.
type ServiceOffering struct {
	ID           uid.ServiceOffering `json:"id" doc:"The ID of the offering."`
	Name         string              `json:"name" doc:"The name of the offering."`
	DisplayText  string              `json:"displaytext" doc:"What the offering is."`
	CPUNumber    int                 `json:"cpunumber" doc:"How many CPUs a machine has."`
	CPUSpeed     int                 `json:"cpuspeed" doc:"The speed of a CPU in MHz."`
	Memory       int                 `json:"memory" doc:"The memory of a machine in MB."`
	RootDiskSize int64               `json:"rootdisksize,omitempty" doc:"The size of the root disk in GB; absent where it is the template's."`
	OfferHA      bool                `json:"offerha" doc:"Whether a machine is started again when its host fails."`
	LimitCPU     bool                `json:"limitcpuuse" doc:"Whether a machine never gets more CPU than it was promised."`
	Volatile     bool                `json:"isvolatile" doc:"Whether a reboot gives a machine a fresh root disk."`
	System       bool                `json:"issystem" doc:"Whether the offering is for the cloud's own machines."`
	SystemType   string              `json:"systemvmtype,omitempty" doc:"The kind of the cloud's own machines that the offering is for."`
	Customized   bool                `json:"iscustomized" doc:"Whether the user chooses CPU and memory."`
	StorageType  string              `json:"storagetype" doc:"shared, or local for disks on the host itself."`
	StorageTags  string              `json:"storagetags,omitempty" doc:"The tags that a storage pool must have, with commas between them."`
	HostTags     string              `json:"hosttags,omitempty" doc:"The tags that a host must have, with commas between them."`
	State        string              `json:"state" doc:"Active or Inactive."`
	Created      api.Time            `json:"created,omitzero" doc:"When the offering was made."`
}
