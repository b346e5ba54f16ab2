package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListPods shows pods.
var ListPods = api.List[ListPodsIn, Pod]{
	Name: "listPods", Noun: "Pod", Role: Infrastructure, Object: "pod",
	Doc: "Lists pods.",
}

// ListPodsIn chooses pods.
type ListPodsIn struct {
	api.Paging
	ID              uid.Pod  `api:"id" doc:"Shows only the pod with this ID."`
	ZoneID          uid.Zone `api:"zoneid" doc:"Shows only pods of this zone."`
	Name            string   `api:"name" doc:"Shows only pods of this name."`
	AllocationState string   `api:"allocationstate" doc:"Shows only pods in this state: Enabled or Disabled."`
}

// Pod is a pod.
type Pod struct {
	ID              uid.Pod  `json:"id" doc:"The ID of the pod."`
	Name            string   `json:"name" doc:"The name of the pod."`
	ZoneID          uid.Zone `json:"zoneid" doc:"The ID of the pod's zone."`
	ZoneName        string   `json:"zonename" doc:"The name of the pod's zone."`
	Gateway         string   `json:"gateway" doc:"The gateway of the pod's management network."`
	Netmask         string   `json:"netmask" doc:"The netmask of the pod's management network."`
	StartIP         []string `json:"startip,omitempty" doc:"The first address of each range for the pod's own machines."`
	EndIP           []string `json:"endip,omitempty" doc:"The last address of each range for the pod's own machines."`
	AllocationState string   `json:"allocationstate" doc:"Enabled, or Disabled when nothing new is to be placed in it."`
}
