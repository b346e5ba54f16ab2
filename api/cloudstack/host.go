package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListHosts shows hosts.
var ListHosts = api.List[ListHostsIn, Host]{
	Name: "listHosts", Noun: "Host", Role: Infrastructure, Object: "host",
	Doc: "Lists hosts.",
}

// ListHostsIn chooses hosts.
type ListHostsIn struct {
	api.Paging
	ID            uid.Host    `api:"id" doc:"Shows only the host with this ID."`
	ZoneID        uid.Zone    `api:"zoneid" doc:"Shows only hosts of this zone."`
	PodID         uid.Pod     `api:"podid" doc:"Shows only hosts of this pod."`
	ClusterID     uid.Cluster `api:"clusterid" doc:"Shows only hosts of this cluster."`
	Name          string      `api:"name" doc:"Shows only the host of this name."`
	Type          string      `api:"type" doc:"Shows only hosts of this type, Routing for instance."`
	State         string      `api:"state" doc:"Shows only hosts in this state, Up for instance."`
	ResourceState string      `api:"resourcestate" doc:"Shows only hosts whose resources are in this state, Enabled for instance."`
	Hypervisor    string      `api:"hypervisor" doc:"Shows only hosts of this hypervisor."`
}

// Host is a host. What is allocated is what machines were promised, whether they use it or not.
type Host struct {
	ID            uid.Host    `json:"id" doc:"The ID of the host."`
	Name          string      `json:"name" doc:"The name of the host."`
	State         string      `json:"state" doc:"Up, Down, Alert, Disconnected or Connecting."`
	ResourceState string      `json:"resourcestate" doc:"Enabled, Disabled, or on the way to Maintenance or there."`
	Type          string      `json:"type" doc:"Routing: a host for machines."`
	Hypervisor    string      `json:"hypervisor" doc:"The hypervisor of the host."`
	IPAddress     string      `json:"ipaddress" doc:"The address of the host."`
	ZoneID        uid.Zone    `json:"zoneid" doc:"The ID of the host's zone."`
	ZoneName      string      `json:"zonename" doc:"The name of the host's zone."`
	PodID         uid.Pod     `json:"podid" doc:"The ID of the host's pod."`
	PodName       string      `json:"podname" doc:"The name of the host's pod."`
	ClusterID     uid.Cluster `json:"clusterid" doc:"The ID of the host's cluster."`
	ClusterName   string      `json:"clustername" doc:"The name of the host's cluster."`
	ClusterType   string      `json:"clustertype" doc:"Who looks after the cluster's hosts: CloudManaged."`

	CPUNumber              int    `json:"cpunumber" doc:"How many cores the host has."`
	CPUSpeed               int64  `json:"cpuspeed" doc:"The speed of a core in MHz."`
	CPUAllocated           string `json:"cpuallocated" doc:"The share of the CPU that is allocated, as 40%."`
	CPUAllocatedPercentage string `json:"cpuallocatedpercentage" doc:"The share of the CPU that is allocated, as 40%."`
	CPUAllocatedValue      int64  `json:"cpuallocatedvalue" doc:"The CPU that is allocated, in MHz."`
	CPUAllocatedShare      string `json:"cpuallocatedwithoverprovisioning" doc:"The share of the overcommitted CPU that is allocated, as 40%."`
	CPUTotal               string `json:"cpuwithoverprovisioning" doc:"The CPU that may be allocated, overcommit included, in MHz."`

	MemoryTotal               int64  `json:"memorytotal" doc:"The memory of the host in bytes."`
	MemoryAllocated           int64  `json:"memoryallocated" doc:"The memory that is allocated, in bytes."`
	MemoryAllocatedBytes      int64  `json:"memoryallocatedbytes" doc:"The memory that is allocated, in bytes."`
	MemoryAllocatedPercentage string `json:"memoryallocatedpercentage" doc:"The share of the memory that is allocated, as 40%."`
	MemoryOvercommitted       string `json:"memorywithoverprovisioning" doc:"The memory that may be allocated, overcommit included, in bytes."`

	Tags       string   `json:"hosttags,omitempty" doc:"The host's tags, with commas between them."`
	Version    string   `json:"version,omitempty" doc:"The version of the host's agent."`
	LastPinged api.Time `json:"lastpinged,omitzero" doc:"When the host was last heard of."`
	Created    api.Time `json:"created,omitzero" doc:"When the host was added."`
}

// ListHypervisors shows the hypervisors in use.
var ListHypervisors = api.List[ListHypervisorsIn, Hypervisor]{
	Name: "listHypervisors", Noun: "Host", Role: api.Everyone, Object: "hypervisor",
	Doc: "Lists the hypervisors that there are clusters of.",
}

// ListHypervisorsIn chooses hypervisors.
type ListHypervisorsIn struct {
	ZoneID uid.Zone `api:"zoneid" doc:"Shows only hypervisors of this zone."`
}

// Hypervisor is a hypervisor.
type Hypervisor struct {
	Name string `json:"name" doc:"The name of the hypervisor."`
}
