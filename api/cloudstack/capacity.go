package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListCapacity shows how full the cloud is.
var ListCapacity = api.List[ListCapacityIn, Capacity]{
	Name: "listCapacity", Noun: "Capacity", Role: Infrastructure, Object: "capacity",
	Doc: "Lists how much there is of each kind of capacity, and how much of it is used: a line for each zone and kind or, where a pod or a cluster is named, for that one. What the cloud has nothing of, or can't measure yet, has no line.",
}

// ListCapacityIn chooses capacities.
type ListCapacityIn struct {
	api.Paging
	ZoneID      uid.Zone    `api:"zoneid" doc:"Shows only capacities of this zone."`
	PodID       uid.Pod     `api:"podid" doc:"Shows only capacities of this pod."`
	ClusterID   uid.Cluster `api:"clusterid" doc:"Shows only capacities of this cluster."`
	Type        *int        `api:"type" doc:"Shows only this kind: 0 memory, 1 CPU, 2 primary storage, 3 primary storage that is allocated, 4 public addresses, 5 management addresses, 6 secondary storage, 7 VLANs, 8 addresses of shared networks, 9 local storage, 90 CPU cores."`
	SortBy      string      `api:"sortby,one=usage" doc:"usage shows the fullest first, one level deeper: the zones, the pods of the zone that is named, or the clusters of the pod."`
	FetchLatest bool        `api:"fetchlatest" doc:"Asks for the figures of this moment. They always are."`
}

// Capacity is how much there is of one kind of capacity in one place. Memory and storage are in bytes, CPU is in MHz.
type Capacity struct {
	Type        int         `json:"type" doc:"The kind: 0 memory, 1 CPU, 2 primary storage, 3 primary storage that is allocated, 4 public addresses, 5 management addresses, 6 secondary storage, 7 VLANs, 8 addresses of shared networks, 9 local storage, 90 CPU cores."`
	Name        string      `json:"name" doc:"The name of the kind."`
	ZoneID      uid.Zone    `json:"zoneid" doc:"The ID of the zone."`
	ZoneName    string      `json:"zonename" doc:"The name of the zone."`
	PodID       uid.Pod     `json:"podid,omitempty" doc:"The ID of the pod, where it is a pod's or a cluster's."`
	PodName     string      `json:"podname,omitempty" doc:"The name of that pod."`
	ClusterID   uid.Cluster `json:"clusterid,omitempty" doc:"The ID of the cluster, where it is a cluster's."`
	ClusterName string      `json:"clustername,omitempty" doc:"The name of that cluster."`
	Total       int64       `json:"capacitytotal" doc:"How much there is, overcommit and over-provisioning included."`
	Used        int64       `json:"capacityused" doc:"How much of it is used."`
	Allocated   int64       `json:"capacityallocated" doc:"How much of it is promised."`
	PercentUsed string      `json:"percentused" doc:"The used part in percent, 12.5 for instance."`
	Pending
}
