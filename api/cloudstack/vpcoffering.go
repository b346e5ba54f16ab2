package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListVPCOfferings shows what VPCs can be made from.
var ListVPCOfferings = api.List[ListVPCOfferingsIn, VPCOffering]{
	Name: "listVPCOfferings", Noun: "VPC offering", Role: api.Everyone, Object: "vpcoffering",
	Doc: "Lists VPC offerings: what a virtual private cloud can do.",
}

// ListVPCOfferingsIn chooses VPC offerings.
type ListVPCOfferingsIn struct {
	api.Paging
	ID          uid.VPCOffering `api:"id" doc:"Shows only the offering with this ID."`
	Name        string          `api:"name" doc:"Shows only the offering of this name."`
	DisplayText string          `api:"displaytext" doc:"Shows only offerings with this text."`
	Default     *bool           `api:"isdefault" doc:"Shows only offerings that came with the cloud (true), or only others (false)."`
	State       string          `api:"state" doc:"Shows only offerings in this state: Enabled or Disabled."`
	Services    []string        `api:"supportedservices,max=1024" doc:"Shows only offerings that have all these services, with commas between them."`
}

// VPCOffering is what a VPC can do.
type VPCOffering struct {
	ID          uid.VPCOffering  `json:"id" doc:"The ID of the offering."`
	Name        string           `json:"name" doc:"The name of the offering."`
	DisplayText string           `json:"displaytext" doc:"What the offering is."`
	Default     bool             `json:"isdefault" doc:"Whether the offering came with the cloud."`
	State       string           `json:"state" doc:"Enabled, or Disabled when no new VPC can be made from it."`
	Created     api.Time         `json:"created,omitzero" doc:"When the offering was made."`
	Services    []NetworkService `json:"service,omitempty" doc:"The services that networks of such a VPC can have."`
	Pending
}
