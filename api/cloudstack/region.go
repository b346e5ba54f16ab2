package cloudstack

import "github.com/virga-cloud/virga/api"

// ListRegions shows regions.
var ListRegions = api.List[ListRegionsIn, Region]{
	Name: "listRegions", Noun: "Region", Role: api.Everyone, Object: "region",
	Doc: "Lists regions: this cloud, which has the id 1, and those that it was told of.",
}

// ListRegionsIn chooses regions.
type ListRegionsIn struct {
	api.Paging
	ID   *int   `api:"id" doc:"Shows only the region with this ID."`
	Name string `api:"name" doc:"Shows only the region of this name."`
}

// AddRegion makes a region known.
var AddRegion = api.Call[AddRegionIn, Region]{
	Name: "addRegion", Noun: "Region", Role: api.RootOnly, Object: "region", Event: "REGION.CREATE",
	Doc: "Makes another cloud known to the users of this one, as a region.",
}

// AddRegionIn describes the region.
type AddRegionIn struct {
	ID       int    `api:"id,required" doc:"The number of the region, from 1: the same in all clouds that know it."`
	Name     string `api:"name,required" doc:"The name of the region, unique."`
	Endpoint string `api:"endpoint,required" doc:"The URL of its API, https://cloud.example.org/client/ for instance."`
}

// UpdateRegion changes a region.
var UpdateRegion = api.Call[UpdateRegionIn, Region]{
	Name: "updateRegion", Noun: "Region", Role: api.RootOnly, Object: "region", Event: "REGION.EDIT",
	Doc: "Changes what is known of a region; of this cloud, too. What is not named stays.",
}

// UpdateRegionIn says what to change.
type UpdateRegionIn struct {
	ID       int     `api:"id,required" doc:"The number of the region."`
	Name     *string `api:"name" doc:"Its new name."`
	Endpoint *string `api:"endpoint" doc:"The new URL of its API."`
}

// RemoveRegion forgets a region.
var RemoveRegion = api.Call[RemoveRegionIn, api.Success]{
	Name: "removeRegion", Noun: "Region", Role: api.RootOnly, Event: "REGION.DELETE",
	Doc: "Forgets a region, but not this cloud itself. The other cloud learns nothing of it.",
}

// RemoveRegionIn names the region.
type RemoveRegionIn struct {
	ID int `api:"id,required" doc:"The number of the region."`
}

// Region is a cloud that users may turn to.
type Region struct {
	ID          int    `json:"id" doc:"The number of the region; 1 is this cloud."`
	Name        string `json:"name" doc:"The name of the region."`
	Endpoint    string `json:"endpoint" doc:"The URL of its API."`
	GSLB        bool   `json:"gslbserviceenabled" doc:"Whether load is balanced between this region and others: false, as long as nothing does so."`
	PortableIPs bool   `json:"portableipserviceenabled" doc:"Whether addresses can move between zones of this region: false, as long as there are none."`
	Pending
}
