package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreatePod adds a pod.
var CreatePod = api.Call[CreatePodIn, Pod]{
	Name: "createPod", Noun: "Pod", Role: api.RootOnly, Object: "pod", Event: "POD.CREATE", Creates: true,
	Doc: "Adds a pod to a zone: a rack whose hosts have addresses in a management network of its own.",
}

// CreatePodIn describes the pod.
type CreatePodIn struct {
	api.Once
	Name            string   `api:"name,required" doc:"The name of the pod."`
	ZoneID          uid.Zone `api:"zoneid,required" doc:"The ID of the zone that it is to be in."`
	Gateway         string   `api:"gateway" doc:"The gateway of the pod's management network. It is needed."`
	Netmask         string   `api:"netmask" doc:"The netmask of the pod's management network. It is needed, and the network must be apart from those of the zone's other pods."`
	StartIP         string   `api:"startip" doc:"The first address that the cloud may give to the pod's hosts and its own machines. It is needed."`
	EndIP           string   `api:"endip" doc:"The last one of them; without it the network's last."`
	AllocationState string   `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, as without it, or Disabled: nothing new is placed in it then."`
}

// UpdatePod changes a pod.
var UpdatePod = api.Call[UpdatePodIn, Pod]{
	Name: "updatePod", Noun: "Pod", Role: api.RootOnly, Object: "pod", Event: "POD.EDIT",
	Doc: "Changes a pod. What is not named stays. While something is in the pod its addresses can only become more.",
}

// UpdatePodIn says what to change.
type UpdatePodIn struct {
	ID              uid.Pod `api:"id,required" doc:"The ID of the pod."`
	Name            *string `api:"name" doc:"Its new name."`
	Gateway         *string `api:"gateway" doc:"The gateway of the pod's management network."`
	Netmask         *string `api:"netmask" doc:"The netmask of the pod's management network."`
	StartIP         *string `api:"startip" doc:"The first address that the cloud may give away."`
	EndIP           *string `api:"endip" doc:"The last address that the cloud may give away."`
	AllocationState *string `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, or Disabled: nothing new is placed in it then."`
}

// DeletePod removes a pod.
var DeletePod = api.Call[DeletePodIn, api.Success]{
	Name: "deletePod", Noun: "Pod", Role: api.RootOnly, Event: "POD.DELETE",
	Doc: "Deletes a pod in which there is nothing any more.",
}

// DeletePodIn names the pod.
type DeletePodIn struct {
	ID uid.Pod `api:"id,required" doc:"The ID of the pod."`
}

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
	ShowCapacities  bool     `api:"showcapacities" doc:"Shows how full the pods are."`
}

// Pod is a pod.
type Pod struct {
	ID              uid.Pod    `json:"id" doc:"The ID of the pod."`
	Name            string     `json:"name" doc:"The name of the pod."`
	ZoneID          uid.Zone   `json:"zoneid" doc:"The ID of the pod's zone."`
	ZoneName        string     `json:"zonename" doc:"The name of the pod's zone."`
	Gateway         string     `json:"gateway" doc:"The gateway of the pod's management network."`
	Netmask         string     `json:"netmask" doc:"The netmask of the pod's management network."`
	StartIP         []string   `json:"startip,omitempty" doc:"The first address of each range for the pod's hosts and own machines."`
	EndIP           []string   `json:"endip,omitempty" doc:"The last address of each range for the pod's hosts and own machines."`
	IPRanges        []IPRange  `json:"ipranges,omitempty" doc:"The same ranges, each with its network."`
	AllocationState string     `json:"allocationstate" doc:"Enabled, or Disabled when nothing new is to be placed in it."`
	Capacity        []Capacity `json:"capacity,omitempty" doc:"How full the pod is, where that was asked for."`
	Pending
}

// IPRange is a range of a pod's management addresses.
type IPRange struct {
	Gateway string `json:"gateway" doc:"The gateway of its network."`
	CIDR    string `json:"cidr" doc:"Its network."`
	StartIP string `json:"startip" doc:"The first address."`
	EndIP   string `json:"endip" doc:"The last address."`
}
