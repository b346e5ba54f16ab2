package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddHost adds a host.
var AddHost = api.List[AddHostIn, Host]{
	Name: "addHost", Noun: "Host", Role: api.RootOnly, Object: "host", Event: "HOST.ADD", Creates: true,
	Doc: "Adds a host to a cluster. It must answer; what it has, it tells itself.",
}

// AddHostIn describes the host.
type AddHostIn struct {
	api.Once
	ZoneID          uid.Zone    `api:"zoneid,required" doc:"The ID of the zone that it is to be in."`
	PodID           uid.Pod     `api:"podid,required" doc:"The ID of the pod that it is to be in."`
	ClusterID       uid.Cluster `api:"clusterid" doc:"The ID of the cluster that it is to be in."`
	ClusterName     string      `api:"clustername" doc:"The name of the cluster that it is to be in, in the place of its ID. One of a name that is not there is made."`
	Hypervisor      string      `api:"hypervisor,required" doc:"The hypervisor of the host; it must be the cluster's."`
	URL             string      `api:"url,required" doc:"Where the host is, http://name for instance. What stands behind the name is part of the host's name, so that http://sim/c0/h0 is called sim.c0.h0."`
	Username        string      `api:"username" doc:"A user of the host, for hypervisors whose hosts are signed in to. Simulated ones are not, and nothing of it is kept."`
	Password        string      `api:"password,secret" doc:"That user's password."`
	HostTags        []string    `api:"hosttags" doc:"The host's tags. Machines of offerings with tags run on hosts that have all of those."`
	AllocationState string      `api:"allocationstate,one=Enabled|Disabled" doc:"Enabled, as without it, or Disabled: nothing is placed on it then."`
}

// UpdateHost changes a host.
var UpdateHost = api.Call[UpdateHostIn, Host]{
	Name: "updateHost", Noun: "Host", Role: api.RootOnly, Object: "host", Event: "HOST.EDIT",
	Doc: "Changes a host. What is not named stays.",
}

// UpdateHostIn says what to change.
type UpdateHostIn struct {
	ID              uid.Host       `api:"id,required" doc:"The ID of the host."`
	Name            *string        `api:"name,since=4.15" doc:"Its new name."`
	URL             *string        `api:"url" doc:"Where the host is now, as it is shown to operators."`
	HostTags        []string       `api:"hosttags" doc:"The host's tags, in the place of those that it has."`
	AllocationState string         `api:"allocationstate,one=Enable|Disable" doc:"Enable, or Disable: nothing new is placed on it then."`
	OSCategoryID    uid.OSCategory `api:"oscategoryid" doc:"The ID of the category of operating systems that the host is preferred for."`
}

// DeleteHost removes a host.
var DeleteHost = api.Call[DeleteHostIn, api.Success]{
	Name: "deleteHost", Noun: "Host", Role: api.RootOnly, Event: "HOST.DELETE",
	Doc: "Deletes a host that is disabled or in maintenance, and its own storage. Machines on it and volumes in its storage are in the way, unless it is asked for them to go.",
}

// DeleteHostIn names the host.
type DeleteHostIn struct {
	ID           uid.Host `api:"id,required" doc:"The ID of the host."`
	Forced       bool     `api:"forced" doc:"Deletes a host that is enabled, too, and one with machines on it: these are stopped by force."`
	DestroyLocal bool     `api:"forcedestroylocalstorage" doc:"Destroys the volumes in the host's own storage, and the machines whose root disk is among them. Without it they are in the way."`
}

// ReconnectHost asks a host anew.
var ReconnectHost = api.Job[ReconnectHostIn, Host]{
	Name: "reconnectHost", Noun: "Host", Role: api.RootOnly, Object: "host", Event: "HOST.RECONNECT",
	Doc: "Asks a host whether it is there and what it has, and takes it over.",
}

// ReconnectHostIn names the host.
type ReconnectHostIn struct {
	ID uid.Host `api:"id,required" doc:"The ID of the host."`
}

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
	HAHost        *bool       `api:"hahost" doc:"When true, shows only hosts that are kept free for machines whose host has failed. There are none yet."`
	VMID          uid.VM      `api:"virtualmachineid" doc:"Shows only hosts of the cluster that this machine is in, and says of each whether it has room for the machine."`
	Details       []string    `api:"details" doc:"How much to show of each host: any of all, capacity, events, stats and min. Without it everything."`
}

// Host is a host. What is allocated is what machines were promised, whether they use it or not.
type Host struct {
	ID            uid.Host    `json:"id" doc:"The ID of the host."`
	Name          string      `json:"name" doc:"The name of the host."`
	State         string      `json:"state" doc:"Up, Down, Alert, Disconnected or Connecting."`
	ResourceState string      `json:"resourcestate" doc:"Enabled, Disabled, PrepareForMaintenance while its machines are moved away, ErrorInMaintenance where some can't be, or Maintenance."`
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
	CPUAllocated           string `json:"cpuallocated,omitempty" doc:"The share of the CPU that is allocated, as 40%."`
	CPUAllocatedPercentage string `json:"cpuallocatedpercentage,omitempty" doc:"The share of the CPU that is allocated, as 40%."`
	CPUAllocatedValue      *int64 `json:"cpuallocatedvalue,omitempty" doc:"The CPU that is allocated, in MHz."`
	CPUAllocatedShare      string `json:"cpuallocatedwithoverprovisioning,omitempty" doc:"The share of the overcommitted CPU that is allocated, as 40%."`
	CPUTotal               string `json:"cpuwithoverprovisioning,omitempty" doc:"The CPU that may be allocated, overcommit included, in MHz."`

	MemoryTotal               *int64 `json:"memorytotal,omitempty" doc:"The memory of the host in bytes."`
	MemoryAllocated           *int64 `json:"memoryallocated,omitempty" doc:"The memory that is allocated, in bytes."`
	MemoryAllocatedBytes      *int64 `json:"memoryallocatedbytes,omitempty" doc:"The memory that is allocated, in bytes."`
	MemoryAllocatedPercentage string `json:"memoryallocatedpercentage,omitempty" doc:"The share of the memory that is allocated, as 40%."`
	MemoryOvercommitted       string `json:"memorywithoverprovisioning,omitempty" doc:"The memory that may be allocated, overcommit included, in bytes."`

	DiskTotal          *int64 `json:"disksizetotal,omitempty" doc:"How much storage of its own the host has, in bytes."`
	DiskAllocated      *int64 `json:"disksizeallocated,omitempty" doc:"How much of that is promised to volumes, in bytes."`
	LocalStorageActive *bool  `json:"islocalstorageactive,omitempty" doc:"Whether the host has storage of its own."`

	HostStats

	Tags              string         `json:"hosttags,omitempty" doc:"The host's tags, with commas between them."`
	ExplicitTags      string         `json:"explicithosttags,omitempty" doc:"Those of its tags that operators gave it: all."`
	Capabilities      string         `json:"capabilities,omitempty" doc:"What the hypervisor can do, where it tells."`
	UEFI              *bool          `json:"ueficapability,omitempty" doc:"Whether machines can be started by UEFI there."`
	OSCategoryID      uid.OSCategory `json:"oscategoryid,omitempty" doc:"The ID of the category of operating systems that the host is preferred for."`
	OSCategoryName    string         `json:"oscategoryname,omitempty" doc:"The name of that category."`
	HypervisorVersion string         `json:"hypervisorversion,omitempty" doc:"The version of the host's hypervisor."`
	Version           string         `json:"version,omitempty" doc:"The version of the host's agent, where it has one."`
	ManagementServer  string         `json:"managementserverid,omitempty" doc:"The ID of the server that alone talks to the host, where there is one. (All of them do.)"`
	Events            string         `json:"events,omitempty" doc:"What may happen to the host next, with semicolons between."`
	HAHost            *bool          `json:"hahost,omitempty" doc:"Whether the host is kept free for machines whose host has failed."`
	EnoughCapacity    *bool          `json:"hasenoughcapacity,omitempty" doc:"Whether the host has room for the machine that was named."`
	Suitable          *bool          `json:"suitableformigration,omitempty" doc:"Whether the machine that was named could be moved to the host: it is another one, may be used, and has room."`
	LastPinged        api.Time       `json:"lastpinged,omitzero" doc:"When the host was last heard of."`
	Disconnected      api.Time       `json:"disconnected,omitzero" doc:"Since when the host does not answer."`
	Created           api.Time       `json:"created,omitzero" doc:"When the host was added."`
	Removed           api.Time       `json:"removed,omitzero" doc:"When the host was deleted."`
	Pending
}

// HostStats are how busy a host is. They are there once it was asked, and while it answers.
type HostStats struct {
	CPUUsed     string   `json:"cpuused,omitempty" doc:"The part of the CPU that is busy, as 40%."`
	AverageLoad *int64   `json:"averageload,omitempty" doc:"How many processes ran or wanted to, on average over the last minute, as a whole number."`
	CPULoad     *float64 `json:"cpuloadaverage,omitempty" doc:"The same, with two decimals."`
	MemoryUsed  *int64   `json:"memoryused,omitempty" doc:"The memory that is in use, in bytes."`
	NetworkIn   *int64   `json:"networkkbsread,omitempty" doc:"How many KiB the host's network cards have received since it was started."`
	NetworkOut  *int64   `json:"networkkbswrite,omitempty" doc:"How many KiB they have sent."`
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
	Pending
}
