package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateServiceOffering makes a service offering.
var CreateServiceOffering = api.Call[CreateServiceOfferingIn, ServiceOffering]{
	Name: "createServiceOffering", Noun: "Service offering", Role: api.RootOnly, Object: "serviceoffering", Event: "SERVICE.OFFERING.CREATE", Creates: true,
	Doc: "Creates a service offering: a size of machines. Without cpunumber and memory the user chooses them at deployment, with the details cpuNumber, cpuSpeed and memory.",
}

// CreateServiceOfferingIn says what service offering.
type CreateServiceOfferingIn struct {
	api.Once
	Name         string       `api:"name,required" doc:"The name of the offering."`
	DisplayText  string       `api:"displaytext" doc:"What the offering is; its name unless given."`
	CPUNumber    int          `api:"cpunumber" doc:"How many CPUs a machine has. Leave it and memory out for an offering whose users choose."`
	CPUSpeed     int          `api:"cpuspeed" doc:"The speed of a CPU in MHz."`
	Memory       int          `api:"memory" doc:"The memory of a machine in MB."`
	Customized   *bool        `api:"customized,since=4.13" doc:"Whether the user chooses CPUs and memory: freely, or within the four bounds below, and then at cpuspeed."`
	MinCPU       int          `api:"mincpunumber,since=4.13" doc:"The least CPUs of a customized offering."`
	MaxCPU       int          `api:"maxcpunumber,since=4.13" doc:"The most CPUs of a customized offering."`
	MinMemory    int          `api:"minmemory,since=4.13" doc:"The least memory of a customized offering, in MB."`
	MaxMemory    int          `api:"maxmemory,since=4.13" doc:"The most memory of a customized offering, in MB."`
	RootDiskSize int64        `api:"rootdisksize,since=4.15" doc:"The size of the root disk in GB; the template's unless given."`
	Provisioning string       `api:"provisioningtype,one=thin" doc:"How root disks take room: thin, as they are written to. There is no other way."`
	OfferHA      bool         `api:"offerha" doc:"Whether a machine is started again when its host fails."`
	LimitCPU     bool         `api:"limitcpuuse" doc:"Whether a machine never gets more CPU than it was promised."`
	Volatile     bool         `api:"isvolatile" doc:"Whether a reboot gives a machine a fresh root disk."`
	StorageType  string       `api:"storagetype,one=shared|local" doc:"shared, or local for disks on the host itself; shared unless given."`
	StorageTags  string       `api:"tags" doc:"The tags that a storage pool must have, with commas between them."`
	HostTags     string       `api:"hosttags" doc:"The tags that a host must have, with commas between them."`
	DomainIDs    []uid.Domain `api:"domainid" doc:"The IDs of the domains that it is for, with those below them; for everybody unless given."`
	ZoneIDs      []uid.Zone   `api:"zoneid,since=4.13" doc:"The IDs of the zones that it is for; for all unless given."`
	System       bool         `api:"issystem" doc:"Whether the offering is for the cloud's own machines."`
	SystemType   string       `api:"systemvmtype,one=domainrouter|consoleproxy|secondarystoragevm|internalloadbalancervm" doc:"The kind of the cloud's own machines that it is for; domainrouter unless given. Goes together with issystem."`
	NetworkRate  int          `api:"networkrate" doc:"How many Mbit/s a machine's first network card carries, for users' machines and routers; as the setting vm.network.throttling.rate says unless given. The other cards are as fast as their networks."`
	Planner      string       `api:"deploymentplanner" doc:"How the host of a machine is chosen: FirstFitPlanner, the oldest one that has room, or UserDispersingPlanner, the one with the fewest machines of the account; as the setting vm.allocation.algorithm says unless given."`
	IOLimitsIn
	Details map[string]string `api:"serviceofferingdetails,map" doc:"What else is to be noted of the offering, by name."`
}

// UpdateServiceOffering changes a service offering.
var UpdateServiceOffering = api.Call[UpdateServiceOfferingIn, ServiceOffering]{
	Name: "updateServiceOffering", Noun: "Service offering", Role: api.RootOnly, Object: "serviceoffering", Event: "SERVICE.OFFERING.EDIT",
	Doc: "Changes a service offering. Machines that have it stay as they are.",
}

// UpdateServiceOfferingIn says what to change.
type UpdateServiceOfferingIn struct {
	ID          uid.ServiceOffering `api:"id,required" doc:"The ID of the offering."`
	Name        *string             `api:"name" doc:"The new name."`
	DisplayText *string             `api:"displaytext" doc:"The new text of what the offering is."`
	SortKey     *int                `api:"sortkey" doc:"The place in lists: those with smaller numbers come first."`
	State       string              `api:"state,one=Active|Inactive" doc:"Active, or Inactive so that nothing new is made from it."`
	DomainIDs   string              `api:"domainid,max=4096" doc:"The IDs of the domains that it is for, with commas between them, or public for everybody."`
	ZoneIDs     string              `api:"zoneid,since=4.13,max=4096" doc:"The IDs of the zones that it is for, with commas between them, or all."`
	HostTags    *string             `api:"hosttags,since=4.16" doc:"The tags that a host must have, with commas between them."`
	StorageTags *string             `api:"storagetags,since=4.16" doc:"The tags that a storage pool must have, with commas between them."`
}

// DeleteServiceOffering removes a service offering.
var DeleteServiceOffering = api.Call[DeleteServiceOfferingIn, api.Success]{
	Name: "deleteServiceOffering", Noun: "Service offering", Role: api.RootOnly, Event: "SERVICE.OFFERING.DELETE",
	Doc: "Deletes a service offering. Machines that have it keep it.",
}

// DeleteServiceOfferingIn names the offering.
type DeleteServiceOfferingIn struct {
	ID uid.ServiceOffering `api:"id,required" doc:"The ID of the offering."`
}

// ListServiceOfferings shows the sizes of machines.
var ListServiceOfferings = api.List[ListServiceOfferingsIn, ServiceOffering]{
	Name: "listServiceOfferings", Noun: "Service offering", Role: api.Everyone, Object: "serviceoffering",
	Doc: "Lists service offerings: the sizes that machines come in.",
}

// ListServiceOfferingsIn chooses service offerings.
type ListServiceOfferingsIn struct {
	api.Paging
	ID          uid.ServiceOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name        string              `api:"name" doc:"Shows only the offering of this name."`
	VMID        uid.VM              `api:"virtualmachineid" doc:"Shows only offerings that this machine can be given instead of its own."`
	DomainID    uid.Domain          `api:"domainid" doc:"Shows only offerings that are for this domain by name."`
	ZoneID      uid.Zone            `api:"zoneid,since=4.13" doc:"Shows only offerings that can be had in this zone."`
	TemplateID  uid.Template        `api:"templateid,since=4.20" doc:"Shows only offerings whose root disks have room for this template."`
	System      bool                `api:"issystem" doc:"Shows the offerings of the cloud's own machines instead of the users'."`
	SystemType  string              `api:"systemvmtype" doc:"Shows only offerings for this kind of the cloud's own machines. Goes together with issystem."`
	StorageType string              `api:"storagetype,since=4.19,one=shared|local" doc:"Shows only offerings for this kind of storage."`
	CPUNumber   int                 `api:"cpunumber,since=4.15" doc:"Shows only offerings with at least so many CPUs."`
	CPUSpeed    int                 `api:"cpuspeed,since=4.15" doc:"Shows only offerings with CPUs of at least so many MHz."`
	Memory      int                 `api:"memory,since=4.15" doc:"Shows only offerings with at least so many MB of memory."`
	State       string              `api:"state,since=4.19,one=Active|Inactive|all" doc:"Shows only offerings in this state: Active (what is shown otherwise), Inactive, or all."`
}

// ServiceOffering is a size of machines.
type ServiceOffering struct {
	ID           uid.ServiceOffering `json:"id" doc:"The ID of the offering."`
	Name         string              `json:"name" doc:"The name of the offering."`
	DisplayText  string              `json:"displaytext" doc:"What the offering is."`
	CPUNumber    int                 `json:"cpunumber,omitempty" doc:"How many CPUs a machine has; absent where the user chooses."`
	CPUSpeed     int                 `json:"cpuspeed,omitempty" doc:"The speed of a CPU in MHz; absent where the user chooses."`
	Memory       int                 `json:"memory,omitempty" doc:"The memory of a machine in MB; absent where the user chooses."`
	Customized   bool                `json:"iscustomized" doc:"Whether the user chooses CPU and memory."`
	Details      map[string]string   `json:"serviceofferingdetails,omitempty" doc:"What is noted of the offering; mincpunumber, maxcpunumber, minmemory and maxmemory are the bounds of the user's choice."`
	RootDiskSize int64               `json:"rootdisksize,omitempty" doc:"The size of the root disk in GB; absent where it is the template's."`
	Provisioning string              `json:"provisioningtype" doc:"How root disks take room: thin, as they are written to."`
	OfferHA      bool                `json:"offerha" doc:"Whether a machine is started again when its host fails."`
	LimitCPU     bool                `json:"limitcpuuse" doc:"Whether a machine never gets more CPU than it was promised."`
	Volatile     bool                `json:"isvolatile" doc:"Whether a reboot gives a machine a fresh root disk."`
	System       bool                `json:"issystem" doc:"Whether the offering is for the cloud's own machines."`
	SystemType   string              `json:"systemvmtype,omitempty" doc:"The kind of the cloud's own machines that the offering is for."`
	DefaultUse   bool                `json:"defaultuse" doc:"Whether the cloud's own machines of that kind are made from it."`
	NetworkRate  int                 `json:"networkrate,omitempty" doc:"How many Mbit/s a machine's first network card carries; absent where the setting vm.network.throttling.rate says it."`
	StorageType  string              `json:"storagetype" doc:"shared, or local for disks on the host itself."`
	Tags         string              `json:"tags,omitempty" doc:"The same as storagetags."`
	StorageTags  string              `json:"storagetags,omitempty" doc:"The tags that a storage pool must have, with commas between them."`
	HostTags     string              `json:"hosttags,omitempty" doc:"The tags that a host must have, with commas between them."`
	Planner      string              `json:"deploymentplanner,omitempty" doc:"How the host of a machine is chosen; absent where the setting vm.allocation.algorithm says it."`
	IOLimits
	OfferedTo
	State   string   `json:"state" doc:"Active or Inactive."`
	Created api.Time `json:"created,omitzero" doc:"When the offering was made."`
	Pending
}

// OfferedTo says whom an offering is for, and where.
type OfferedTo struct {
	DomainID string `json:"domainid,omitempty" doc:"The IDs of the domains that it is for, with commas between them; absent where it is for everybody."`
	Domain   string `json:"domain,omitempty" doc:"The names of these domains."`
	ZoneID   string `json:"zoneid,omitempty" doc:"The IDs of the zones that it is for, with commas between them; absent where it is for all."`
	Zone     string `json:"zone,omitempty" doc:"The names of these zones."`
}
