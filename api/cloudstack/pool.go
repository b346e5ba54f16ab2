package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateStoragePool adds primary storage.
var CreateStoragePool = api.Call[CreateStoragePoolIn, StoragePool]{
	Name: "createStoragePool", Noun: "Storage pool", Role: api.RootOnly, Object: "storagepool", Event: "STORAGE.POOL.CREATE", Creates: true,
	Doc: "Adds primary storage to a cluster or a zone.",
}

// CreateStoragePoolIn describes the pool.
type CreateStoragePoolIn struct {
	api.Once
	Name          string            `api:"name,required" doc:"The name of the pool."`
	URL           string            `api:"url,required,max=2048" doc:"Where it is: file:///path for a directory, SharedMountPoint://localhost/path for one that all hosts have mounted. Other kinds of storage are refused."`
	ZoneID        uid.Zone          `api:"zoneid,required" doc:"The ID of the zone."`
	PodID         uid.Pod           `api:"podid" doc:"The ID of the pod; needed in the scope CLUSTER."`
	ClusterID     uid.Cluster       `api:"clusterid" doc:"The ID of the cluster; needed in the scope CLUSTER."`
	Scope         string            `api:"scope" doc:"Whose hosts reach it: CLUSTER, as without it, or ZONE."`
	Hypervisor    string            `api:"hypervisor" doc:"Whose hosts reach it; needed in the scope ZONE."`
	CapacityBytes int64             `api:"capacitybytes" doc:"How many bytes there are; without it a host is asked."`
	Provider      string            `api:"provider" doc:"Who provides it: DefaultPrimary."`
	Tags          string            `api:"tags" doc:"Tags with commas between them. Disks of offerings with tags are made in pools that have all of those."`
	Details       map[string]string `api:"details,map" doc:"Details to note, by name."`
}

// DeleteStoragePool removes primary storage.
var DeleteStoragePool = api.Call[DeleteStoragePoolIn, api.Success]{
	Name: "deleteStoragePool", Noun: "Storage pool", Role: api.RootOnly, Event: "STORAGE.POOL.DELETE",
	Doc: "Deletes primary storage that is in maintenance, and in which there are no volumes.",
}

// DeleteStoragePoolIn names the pool.
type DeleteStoragePoolIn struct {
	ID     uid.Pool `api:"id,required" doc:"The ID of the pool."`
	Forced bool     `api:"forced" doc:"Deletes a pool that is not in maintenance, too. Volumes are never deleted with it."`
}

// ListStoragePools shows primary storage.
var ListStoragePools = api.List[ListStoragePoolsIn, StoragePool]{
	Name: "listStoragePools", Noun: "Storage pool", Role: Infrastructure, Object: "storagepool",
	Doc: "Lists primary storage.",
}

// ListStoragePoolsIn chooses pools.
type ListStoragePoolsIn struct {
	api.Paging
	ID        uid.Pool    `api:"id" doc:"Shows only the pool with this ID."`
	ZoneID    uid.Zone    `api:"zoneid" doc:"Shows only pools of this zone."`
	PodID     uid.Pod     `api:"podid" doc:"Shows only pools of this pod."`
	ClusterID uid.Cluster `api:"clusterid" doc:"Shows only pools of this cluster."`
	HostID    uid.Host    `api:"hostid" doc:"Shows only pools that this host reaches."`
	Name      string      `api:"name" doc:"Shows only pools of this name."`
	IPAddress string      `api:"ipaddress" doc:"Shows only pools at this address."`
	Path      string      `api:"path" doc:"Shows only pools with this path."`
	Scope     string      `api:"scope" doc:"Shows only pools of this scope: CLUSTER, ZONE or HOST."`
	Status    string      `api:"status" doc:"Shows only pools in this state, Up for instance."`
}

// StoragePool is primary storage. Sizes are in bytes.
type StoragePool struct {
	ID          uid.Pool          `json:"id" doc:"The ID of the pool."`
	Name        string            `json:"name" doc:"The name of the pool."`
	ZoneID      uid.Zone          `json:"zoneid" doc:"The ID of the pool's zone."`
	ZoneName    string            `json:"zonename" doc:"The name of the pool's zone."`
	PodID       uid.Pod           `json:"podid,omitempty" doc:"The ID of the pool's pod, where it is of one."`
	PodName     string            `json:"podname,omitempty" doc:"The name of the pool's pod."`
	ClusterID   uid.Cluster       `json:"clusterid,omitempty" doc:"The ID of the pool's cluster, where it is of one."`
	ClusterName string            `json:"clustername,omitempty" doc:"The name of the pool's cluster."`
	Hypervisor  string            `json:"hypervisor" doc:"Whose hosts reach it."`
	Scope       string            `json:"scope" doc:"Who reaches it: CLUSTER, ZONE, or HOST for a host's own storage."`
	State       string            `json:"state" doc:"Up, Maintenance or Disabled."`
	Type        string            `json:"type" doc:"The kind of storage: Filesystem or SharedMountPoint."`
	IPAddress   string            `json:"ipaddress" doc:"The address at which it is."`
	Path        string            `json:"path" doc:"The path at which it is."`
	Provider    string            `json:"provider" doc:"Who provides it."`
	Tags        string            `json:"tags,omitempty" doc:"The pool's tags, with commas between them."`
	Total       int64             `json:"disksizetotal" doc:"How much there is."`
	Allocated   int64             `json:"disksizeallocated" doc:"How much of it is promised to volumes; over-provisioned it can be more than there is."`
	Used        int64             `json:"disksizeused" doc:"How much of it volumes take at most."`
	Factor      string            `json:"overprovisionfactor" doc:"How many times over it is given out, as a decimal number."`
	Details     map[string]string `json:"details,omitempty" doc:"Details that operators have noted."`
	Created     api.Time          `json:"created,omitzero" doc:"When the pool was added."`
	Pending
}
