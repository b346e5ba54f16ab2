package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddCluster adds a cluster.
var AddCluster = api.List[AddClusterIn, Cluster]{
	Name: "addCluster", Noun: "Cluster", Role: api.RootOnly, Object: "cluster", Event: "CLUSTER.CREATE", Creates: true,
	Doc: "Adds a cluster to a pod: hosts of one hypervisor that share primary storage.",
}

// AddClusterIn describes the cluster.
type AddClusterIn struct {
	api.Once
	Name             string   `api:"clustername,required" doc:"The name of the cluster."`
	Type             string   `api:"clustertype,required,one=CloudManaged|ExternalManaged" doc:"CloudManaged. (ExternalManaged is for VMware, which this cloud does not drive, and is refused.)"`
	Hypervisor       string   `api:"hypervisor,required" doc:"The hypervisor of the cluster's hosts, Simulator or KVM for instance."`
	PodID            uid.Pod  `api:"podid,required" doc:"The ID of the pod that it is to be in."`
	ZoneID           uid.Zone `api:"zoneid,required" doc:"The ID of that pod's zone."`
	AllocationState  string   `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, as without it, or Disabled: nothing new is placed in it then."`
	CPUOvercommit    float64  `api:"cpuovercommitratio" doc:"How many times over the hosts' CPU may be given out; without it as the setting cpu.overprovisioning.factor says."`
	MemoryOvercommit float64  `api:"memoryovercommitratio" doc:"How many times over the hosts' memory may be given out; without it as the setting mem.overprovisioning.factor says."`
	URL              string   `api:"url" doc:"The vCenter of a VMware cluster. Refused for all others."`
	Username         string   `api:"username" doc:"A user of the vCenter. Refused for all but VMware clusters."`
	Password         string   `api:"password,secret" doc:"That user's password. Refused for all but VMware clusters."`
	GuestSwitch      string   `api:"guestvswitchtype" doc:"The virtual switch of guest traffic. Refused for all but VMware clusters."`
	PublicSwitch     string   `api:"publicvswitchtype" doc:"The virtual switch of public traffic. Refused for all but VMware clusters."`
	VSMAddress       string   `api:"vsmipaddress" doc:"The address of the supervisor of a Nexus switch. Refused for all but VMware clusters."`
	VSMUsername      string   `api:"vsmusername" doc:"A user of that supervisor. Refused for all but VMware clusters."`
	VSMPassword      string   `api:"vsmpassword,secret" doc:"That user's password. Refused for all but VMware clusters."`
}

// UpdateCluster changes a cluster.
var UpdateCluster = api.Call[UpdateClusterIn, Cluster]{
	Name: "updateCluster", Noun: "Cluster", Role: api.RootOnly, Object: "cluster", Event: "CLUSTER.EDIT",
	Doc: "Changes a cluster. What is not named stays. Ratios that a host is too full for are refused.",
}

// UpdateClusterIn says what to change.
type UpdateClusterIn struct {
	ID               uid.Cluster `api:"id,required" doc:"The ID of the cluster."`
	Name             *string     `api:"clustername" doc:"Its new name."`
	Type             *string     `api:"clustertype" doc:"CloudManaged."`
	Hypervisor       *string     `api:"hypervisor" doc:"Another hypervisor, while the cluster has no hosts."`
	AllocationState  *string     `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, or Disabled: nothing new is placed in it then."`
	ManagedState     *string     `api:"managedstate,one=Managed|Unmanaged" doc:"Managed, or Unmanaged: its hosts are disconnected and left alone."`
	CPUOvercommit    *float64    `api:"cpuovercommitratio" doc:"How many times over the hosts' CPU may be given out."`
	MemoryOvercommit *float64    `api:"memoryovercommitratio" doc:"How many times over the hosts' memory may be given out."`
}

// DeleteCluster removes a cluster.
var DeleteCluster = api.Call[DeleteClusterIn, api.Success]{
	Name: "deleteCluster", Noun: "Cluster", Role: api.RootOnly, Event: "CLUSTER.DELETE",
	Doc: "Deletes a cluster in which there is nothing any more.",
}

// DeleteClusterIn names the cluster.
type DeleteClusterIn struct {
	ID uid.Cluster `api:"id,required" doc:"The ID of the cluster."`
}

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
	Type            string      `api:"clustertype" doc:"Shows only clusters of this type, CloudManaged for instance."`
	Hypervisor      string      `api:"hypervisor" doc:"Shows only clusters of this hypervisor."`
	AllocationState string      `api:"allocationstate" doc:"Shows only clusters in this state: Enabled or Disabled."`
	ManagedState    string      `api:"managedstate" doc:"Shows only clusters in this state: Managed or Unmanaged."`
	ShowCapacities  bool        `api:"showcapacities" doc:"Shows how full the clusters are."`
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
	Capacity         []Capacity  `json:"capacity,omitempty" doc:"How full the cluster is, where that was asked for."`
	Pending
}
