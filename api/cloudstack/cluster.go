package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListClusters shows clusters.
var ListClusters = api.List[ListClustersIn, Cluster]{
	Name: "listClusters", Noun: "Cluster", Role: Infrastructure, Object: "cluster",
	Doc: "Lists clusters.",
}

// ListClustersIn chooses clusters.
type ListClustersIn struct {
	api.Paging
	ID              uid.Cluster `api:"id" doc:"Shows only the cluster with this ID."`
	ZoneID          uid.Zone    `api:"zoneid" doc:"Shows only clusters of this zone."`
	PodID           uid.Pod     `api:"podid" doc:"Shows only clusters of this pod."`
	Name            string      `api:"name" doc:"Shows only clusters of this name."`
	Hypervisor      string      `api:"hypervisor" doc:"Shows only clusters of this hypervisor."`
	AllocationState string      `api:"allocationstate" doc:"Shows only clusters in this state: Enabled or Disabled."`
}

// Cluster is a cluster.
type Cluster struct {
	ID               uid.Cluster `json:"id" doc:"The ID of the cluster."`
	Name             string      `json:"name" doc:"The name of the cluster."`
	PodID            uid.Pod     `json:"podid" doc:"The ID of the cluster's pod."`
	PodName          string      `json:"podname" doc:"The name of the cluster's pod."`
	ZoneID           uid.Zone    `json:"zoneid" doc:"The ID of the cluster's zone."`
	ZoneName         string      `json:"zonename" doc:"The name of the cluster's zone."`
	Hypervisor       string      `json:"hypervisortype" doc:"The hypervisor of the cluster's hosts."`
	Type             string      `json:"clustertype" doc:"Who looks after the hosts: CloudManaged."`
	AllocationState  string      `json:"allocationstate" doc:"Enabled, or Disabled when nothing new is to be placed in it."`
	ManagedState     string      `json:"managedstate" doc:"Managed, or Unmanaged when its hosts are left alone."`
	CPUOvercommit    string      `json:"cpuovercommitratio" doc:"How many times over the hosts' CPU may be given out, as a decimal number."`
	MemoryOvercommit string      `json:"memoryovercommitratio" doc:"How many times over the hosts' memory may be given out, as a decimal number."`
}
