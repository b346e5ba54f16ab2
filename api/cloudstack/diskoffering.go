package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListDiskOfferings shows the sizes of data disks.
var ListDiskOfferings = api.List[ListDiskOfferingsIn, DiskOffering]{
	Name: "listDiskOfferings", Noun: "Disk offering", Role: api.Everyone, Object: "diskoffering",
	Doc: "Lists disk offerings: the sizes that data disks come in.",
}

// ListDiskOfferingsIn chooses disk offerings.
type ListDiskOfferingsIn struct {
	api.Paging
	ID    uid.DiskOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name  string           `api:"name" doc:"Shows only the offering of this name."`
	State string           `api:"state,since=4.19,one=Active|Inactive|all" doc:"Shows only offerings in this state: Active (what is shown otherwise), Inactive, or all."`
}

// DiskOffering is a size of data disks.
type DiskOffering struct {
	ID          uid.DiskOffering `json:"id" doc:"The ID of the offering."`
	Name        string           `json:"name" doc:"The name of the offering."`
	DisplayText string           `json:"displaytext" doc:"What the offering is."`
	Size        int64            `json:"disksize" doc:"The size of a disk in GB; 0 where the user chooses it."`
	Customized  bool             `json:"iscustomized" doc:"Whether the user chooses the size."`
	StorageType string           `json:"storagetype" doc:"shared, or local for disks on the host itself."`
	Tags        string           `json:"tags,omitempty" doc:"The tags that a storage pool must have, with commas between them."`
	State       string           `json:"state" doc:"Active or Inactive."`
	Created     api.Time         `json:"created,omitzero" doc:"When the offering was made."`
}
