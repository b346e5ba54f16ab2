package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateDiskOffering makes a disk offering.
var CreateDiskOffering = api.Call[CreateDiskOfferingIn, DiskOffering]{
	Name: "createDiskOffering", Noun: "Disk offering", Role: api.RootOnly, Object: "diskoffering", Event: "DISK.OFFERING.CREATE", Creates: true,
	Doc: "Creates a disk offering: a size of data disks.",
}

// CreateDiskOfferingIn says what disk offering.
type CreateDiskOfferingIn struct {
	api.Once
	Name         string       `api:"name,required" doc:"The name of the offering."`
	DisplayText  string       `api:"displaytext" doc:"What the offering is; its name unless given."`
	Size         int64        `api:"disksize" doc:"The size of a disk in GB. Leave it out for a customized offering."`
	Customized   bool         `api:"customized" doc:"Whether the user chooses the size."`
	Provisioning string       `api:"provisioningtype,one=thin" doc:"How disks take room: thin, as they are written to. There is no other way."`
	StorageType  string       `api:"storagetype,one=shared|local" doc:"shared, or local for disks on the host itself; shared unless given."`
	Tags         string       `api:"tags" doc:"The tags that a storage pool must have, with commas between them."`
	DomainIDs    []uid.Domain `api:"domainid" doc:"The IDs of the domains that it is for, with those below them; for everybody unless given."`
	ZoneIDs      []uid.Zone   `api:"zoneid,since=4.13" doc:"The IDs of the zones that it is for; for all unless given."`
	Display      *bool        `api:"displayoffering" doc:"Whether others than root admins see it; they do unless this is false."`
	IOLimitsIn
	Details map[string]string `api:"details,map,since=4.16" doc:"What else is to be noted of the offering, by name."`
}

// UpdateDiskOffering changes a disk offering.
var UpdateDiskOffering = api.Call[UpdateDiskOfferingIn, DiskOffering]{
	Name: "updateDiskOffering", Noun: "Disk offering", Role: api.RootOnly, Object: "diskoffering", Event: "DISK.OFFERING.EDIT",
	Doc: "Changes a disk offering. Volumes that have it stay as they are.",
}

// UpdateDiskOfferingIn says what to change.
type UpdateDiskOfferingIn struct {
	ID          uid.DiskOffering `api:"id,required" doc:"The ID of the offering."`
	Name        *string          `api:"name" doc:"The new name."`
	DisplayText *string          `api:"displaytext" doc:"The new text of what the offering is."`
	SortKey     *int             `api:"sortkey" doc:"The place in lists: those with smaller numbers come first."`
	State       string           `api:"state,one=Active|Inactive" doc:"Active, or Inactive so that nothing new is made from it."`
	Display     *bool            `api:"displayoffering" doc:"Whether others than root admins see it."`
	DomainIDs   string           `api:"domainid,since=4.13,max=4096" doc:"The IDs of the domains that it is for, with commas between them, or public for everybody."`
	ZoneIDs     string           `api:"zoneid,since=4.13,max=4096" doc:"The IDs of the zones that it is for, with commas between them, or all."`
	Tags        *string          `api:"tags,since=4.15" doc:"The tags that a storage pool must have, with commas between them."`
	IOLimitsChange
}

// DeleteDiskOffering removes a disk offering.
var DeleteDiskOffering = api.Call[DeleteDiskOfferingIn, api.Success]{
	Name: "deleteDiskOffering", Noun: "Disk offering", Role: api.RootOnly, Event: "DISK.OFFERING.DELETE",
	Doc: "Deletes a disk offering. Volumes that have it keep it.",
}

// DeleteDiskOfferingIn names the offering.
type DeleteDiskOfferingIn struct {
	ID uid.DiskOffering `api:"id,required" doc:"The ID of the offering."`
}

// ListDiskOfferings shows the sizes of data disks.
var ListDiskOfferings = api.List[ListDiskOfferingsIn, DiskOffering]{
	Name: "listDiskOfferings", Noun: "Disk offering", Role: api.Everyone, Object: "diskoffering",
	Doc: "Lists disk offerings: the sizes that data disks come in.",
}

// ListDiskOfferingsIn chooses disk offerings.
type ListDiskOfferingsIn struct {
	api.Paging
	ID          uid.DiskOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name        string           `api:"name" doc:"Shows only the offering of this name."`
	DomainID    uid.Domain       `api:"domainid" doc:"Shows only offerings that are for this domain by name."`
	ZoneID      uid.Zone         `api:"zoneid,since=4.13" doc:"Shows only offerings that can be had in this zone."`
	StorageType string           `api:"storagetype,since=4.19,one=shared|local" doc:"Shows only offerings for this kind of storage."`
	State       string           `api:"state,since=4.19,one=Active|Inactive|all" doc:"Shows only offerings in this state: Active (what is shown otherwise), Inactive, or all."`
}

// DiskOffering is a size of data disks.
type DiskOffering struct {
	ID           uid.DiskOffering  `json:"id" doc:"The ID of the offering."`
	Name         string            `json:"name" doc:"The name of the offering."`
	DisplayText  string            `json:"displaytext" doc:"What the offering is."`
	Size         int64             `json:"disksize" doc:"The size of a disk in GB; 0 where the user chooses it."`
	Customized   bool              `json:"iscustomized" doc:"Whether the user chooses the size."`
	Provisioning string            `json:"provisioningtype" doc:"How disks take room: thin, as they are written to."`
	StorageType  string            `json:"storagetype" doc:"shared, or local for disks on the host itself."`
	Tags         string            `json:"tags,omitempty" doc:"The tags that a storage pool must have, with commas between them."`
	Display      bool              `json:"displayoffering" doc:"Whether others than root admins see it."`
	Details      map[string]string `json:"details,omitempty" doc:"What is noted of the offering."`
	IOLimits
	OfferedTo
	State   string   `json:"state" doc:"Active or Inactive."`
	Created api.Time `json:"created,omitzero" doc:"When the offering was made."`
	Pending
}
