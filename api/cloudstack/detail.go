package cloudstack

import "github.com/virga-cloud/virga/api"

// AddResourceDetail notes details of a thing.
var AddResourceDetail = api.Job[AddResourceDetailIn, api.Success]{
	Name: "addResourceDetail", Noun: "Resource detail", Role: api.RootOnly, Event: "CREATE_RESOURCE_DETAILS",
	Doc: "Notes details of a thing. A detail of a name that is there already gets the new value. What a thing's own list shows as its details " +
		"is the same: here it is changed without the rest.",
}

// AddResourceDetailIn names the thing and the details.
type AddResourceDetailIn struct {
	ResourceType string            `api:"resourcetype,required" doc:"The type of the thing: UserVm, Nic, Volume, Template, Network, PublicIpAddress, User, Zone, Storage, ServiceOffering, DiskOffering, NetworkOffering or GuestOs."`
	ResourceID   string            `api:"resourceid,required" doc:"The ID of the thing."`
	Details      map[string]string `api:"details,required,map" doc:"The details, by name, each with a value."`
	ForDisplay   *bool             `api:"fordisplay,since=4.4" doc:"Whether ordinary users see them, as they do unless false is given: then root admins alone do, in listResourceDetails."`
}

// RemoveResourceDetail takes details from a thing.
var RemoveResourceDetail = api.Job[RemoveResourceDetailIn, api.Success]{
	Name: "removeResourceDetail", Noun: "Resource detail", Role: api.RootOnly, Event: "DELETE_RESOURCE_DETAILS",
	Doc: "Takes a detail, or all of them, from a thing. The size of a machine stays: changeServiceForVirtualMachine changes it.",
}

// RemoveResourceDetailIn names the thing and the detail.
type RemoveResourceDetailIn struct {
	ResourceType string `api:"resourcetype,required" doc:"The type of the thing, as in addResourceDetail."`
	ResourceID   string `api:"resourceid,required" doc:"The ID of the thing."`
	Key          string `api:"key" doc:"The name of the detail. All of them unless given."`
}

// ListResourceDetails shows the details of things.
var ListResourceDetails = api.List[ListResourceDetailsIn, ResourceDetail]{
	Name: "listResourceDetails", Noun: "Resource detail", Role: api.Everyone, Object: "resourcedetail", Since: "4.2",
	Doc: "Lists the details of things of one type. Those of what is the cloud's own (zones, offerings, operating systems) are " +
		"shown to whoever sees it; those of storage pools, to root admins.",
}

// ListResourceDetailsIn chooses details.
type ListResourceDetailsIn struct {
	api.Paging
	api.Scope
	InProject
	ResourceType string `api:"resourcetype,required" doc:"The type of the things, as in addResourceDetail."`
	ResourceID   string `api:"resourceid" doc:"Shows only details of the thing with this ID."`
	Key          string `api:"key" doc:"Shows only details of this name."`
	Value        string `api:"value,since=4.4" doc:"Shows only details with this value."`
	ForDisplay   *bool  `api:"fordisplay,since=4.3" doc:"Shows only details that ordinary users see (true), or don't (false), which only root admins are shown."`
}

// ResourceDetail is a detail of a thing.
type ResourceDetail struct {
	ResourceType string `json:"resourcetype" doc:"The type of the thing."`
	ResourceID   string `json:"resourceid" doc:"The ID of the thing."`
	Key          string `json:"key" doc:"The name of the detail."`
	Value        string `json:"value" doc:"Its value."`
	Customer     string `json:"customer,omitempty" doc:"Whose own detail it is. Details are nobody's own here: it is absent."`
	ForDisplay   *bool  `json:"fordisplay,omitempty" api:"admin" doc:"Whether ordinary users see it. Virga's own."`
	Owner
	Pending
}
