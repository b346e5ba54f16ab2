package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddSecondaryStorage adds an image store under its old name.
var AddSecondaryStorage = api.Call[AddSecondaryStorageIn, SecondaryStorage]{
	Name: "addSecondaryStorage", Noun: "Image store", Role: api.RootOnly, Object: "secondarystorage", Event: "IMAGE.STORE.CREATE", Creates: true,
	Doc: "Adds an image store: a folder that every host has at the same path. See addImageStore.",
}

// AddSecondaryStorageIn says where it is.
type AddSecondaryStorageIn struct {
	api.Once
	URL    string   `api:"url,required" doc:"The folder, as file:///srv/images or SharedMountPoint:///srv/images."`
	ZoneID uid.Zone `api:"zoneid" doc:"The ID of the zone that it is for; for all unless given."`
}

// AddImageStore adds an image store.
var AddImageStore = api.Call[AddImageStoreIn, ImageStore]{
	Name: "addImageStore", Noun: "Image store", Role: api.RootOnly, Object: "imagestore", Event: "IMAGE.STORE.CREATE", Creates: true, Since: "4.2.0",
	Doc: "Adds an image store, in which templates are kept: a folder that every host of a zone has at the same path, or a bucket of S3. A bucket " +
		"is tried out first: something is put there, got and removed.",
}

// AddImageStoreIn says what image store.
type AddImageStoreIn struct {
	api.Once
	Name     string     `api:"name" doc:"The name of the store; its URL unless given."`
	Provider string     `api:"provider,required" doc:"Local, for a folder, or S3, for a bucket."`
	URL      string     `api:"url" doc:"Of a folder: it, as file:///srv/images or SharedMountPoint:///srv/images."`
	ZoneID   uid.Zone   `api:"zoneid" doc:"The ID of the zone that it is for; for all unless given."`
	Details  []KeyValue `api:"details,map,secret" doc:"Of a bucket: accesskey, secretkey, endpoint (a host with or without a port) and bucket; and, if need be, region, usehttps (true unless given), and what addImageStoreS3 takes. The keys are kept encrypted and never shown. Folders need nothing."`
}

// ListImageStores shows image stores.
var ListImageStores = api.List[ListImageStoresIn, ImageStore]{
	Name: "listImageStores", Noun: "Image store", Role: api.RootOnly, Object: "imagestore", Since: "4.2.0",
	Doc: "Lists image stores.",
}

// ListImageStoresIn chooses image stores.
type ListImageStoresIn struct {
	api.Paging
	ID       uid.ImageStore `api:"id" doc:"Shows only the store with this ID."`
	Name     string         `api:"name" doc:"Shows only stores of this name."`
	ZoneID   uid.Zone       `api:"zoneid" doc:"Shows only stores for this zone."`
	Provider string         `api:"provider" doc:"Shows only stores of this provider."`
	Protocol string         `api:"protocol" doc:"Shows only stores of this protocol: file, http or https."`
	ReadOnly *bool          `api:"readonly" doc:"Shows only stores that take no new images (true), or only others (false)."`
}

// ImageStore is secondary storage: where templates are kept.
type ImageStore struct {
	ID       uid.ImageStore `json:"id" doc:"The ID of the store."`
	Name     string         `json:"name" doc:"The name of the store."`
	URL      string         `json:"url" doc:"Where the store is: file:///FOLDER or s3://ENDPOINT/BUCKET."`
	Protocol string         `json:"protocol" doc:"How it is reached: file, or http or https to a bucket."`
	Provider string         `json:"providername" doc:"Local, for a folder, or S3, for a bucket."`
	Scope    string         `json:"scope" doc:"ZONE, or REGION for a store of all zones."`
	ZoneID   uid.Zone       `json:"zoneid,omitempty" doc:"The ID of its zone; absent where it is for all."`
	ZoneName string         `json:"zonename,omitempty" doc:"The name of its zone."`
	DiskUsed int64          `json:"disksizeused" doc:"How many bytes the images in it take."`
	Disk     int64          `json:"disksizetotal,omitempty" doc:"How many bytes fit into it; absent until a host could be asked, and for buckets."`
	ReadOnly bool           `json:"readonly" doc:"Whether it takes no new images."`
	Notes    bool           `json:"hasannotations" doc:"Whether administrators have left notes on it."`
	Created  api.Time       `json:"created,omitzero" doc:"When the store was added."`
	Pending
}

// SecondaryStorage is an image store as CloudStack 4.1 showed it: a host of the type SecondaryStorage. What only hosts of machines
// have is absent.
type SecondaryStorage struct {
	ImageStore
	Type          string `json:"type" doc:"SecondaryStorage."`
	State         string `json:"state" doc:"Up."`
	ResourceState string `json:"resourcestate" doc:"Enabled."`
	HostOnly
}

// HostOnly are the fields of a host that an image store has nothing for.
type HostOnly struct {
	Disconnected    api.Time       `json:"disconnected,omitzero" doc:"Absent: it is no host."`
	OSCategoryID    uid.OSCategory `json:"oscategoryid,omitempty" doc:"Absent: it is no host."`
	OSCategoryName  string         `json:"oscategoryname,omitempty" doc:"Absent: it is no host."`
	IPAddress       string         `json:"ipaddress,omitempty" doc:"Absent: it is no host."`
	PodID           uid.Pod        `json:"podid,omitempty" doc:"Absent: it is no host."`
	PodName         string         `json:"podname,omitempty" doc:"Absent: it is no host."`
	ClusterID       uid.Cluster    `json:"clusterid,omitempty" doc:"Absent: it is no host."`
	ClusterName     string         `json:"clustername,omitempty" doc:"Absent: it is no host."`
	ClusterType     string         `json:"clustertype,omitempty" doc:"Absent: it is no host."`
	Version         string         `json:"version,omitempty" doc:"Absent: it is no host."`
	Hypervisor      string         `json:"hypervisor,omitempty" doc:"Absent: it is no host."`
	HypervisorVer   string         `json:"hypervisorversion,omitempty" doc:"Absent: it is no host."`
	CPUNumber       int            `json:"cpunumber,omitempty" doc:"Absent: it is no host."`
	CPUSpeed        int64          `json:"cpuspeed,omitempty" doc:"Absent: it is no host."`
	CPUAllocated    string         `json:"cpuallocated,omitempty" doc:"Absent: it is no host."`
	CPUUsed         string         `json:"cpuused,omitempty" doc:"Absent: it is no host."`
	CPUTotal        string         `json:"cpuwithoverprovisioning,omitempty" doc:"Absent: it is no host."`
	AverageLoad     int64          `json:"averageload,omitempty" doc:"Absent: it is no host."`
	NetworkRead     int64          `json:"networkkbsread,omitempty" doc:"Absent: it is no host."`
	NetworkWrite    int64          `json:"networkkbswrite,omitempty" doc:"Absent: it is no host."`
	MemoryTotal     int64          `json:"memorytotal,omitempty" doc:"Absent: it is no host."`
	MemoryAllocated int64          `json:"memoryallocated,omitempty" doc:"Absent: it is no host."`
	MemoryUsed      int64          `json:"memoryused,omitempty" doc:"Absent: it is no host."`
	DiskAllocated   int64          `json:"disksizeallocated,omitempty" doc:"Absent: it is no host."`
	Capabilities    string         `json:"capabilities,omitempty" doc:"Absent: it is no host."`
	LastPinged      api.Time       `json:"lastpinged,omitzero" doc:"Absent: it is no host."`
	Server          string         `json:"managementserverid,omitempty" doc:"Absent: it is no host."`
	LocalStorage    *bool          `json:"islocalstorageactive,omitempty" doc:"Absent: it is no host."`
	Removed         api.Time       `json:"removed,omitzero" doc:"Absent: it is no host."`
	Events          string         `json:"events,omitempty" doc:"Absent: it is no host."`
	Tags            string         `json:"hosttags,omitempty" doc:"Absent: it is no host."`
	EnoughCapacity  *bool          `json:"hasenoughcapacity,omitempty" doc:"Absent: it is no host."`
	ForMigration    *bool          `json:"suitableformigration,omitempty" doc:"Absent: it is no host."`
	HAHost          *bool          `json:"hahost,omitempty" doc:"Absent: it is no host."`
}
