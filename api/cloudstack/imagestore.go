package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddSecondaryStorage adds an image store under its old name.
var AddSecondaryStorage = api.Call[AddSecondaryStorageIn, ImageStore]{
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
	Doc: "Adds an image store: a folder that every host of a zone has at the same path, in which templates are kept.",
}

// AddImageStoreIn says what image store.
type AddImageStoreIn struct {
	api.Once
	Name     string     `api:"name" doc:"The name of the store; its URL unless given."`
	Provider string     `api:"provider,required" doc:"Local, for a folder."`
	URL      string     `api:"url" doc:"The folder, as file:///srv/images or SharedMountPoint:///srv/images."`
	ZoneID   uid.Zone   `api:"zoneid" doc:"The ID of the zone that it is for; for all unless given."`
	Details  []KeyValue `api:"details,map" doc:"What the provider must know besides. Folders need nothing."`
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
	Protocol string         `api:"protocol" doc:"Shows only stores of this protocol: file."`
}

// ImageStore is secondary storage: where templates are kept.
type ImageStore struct {
	ID       uid.ImageStore `json:"id" doc:"The ID of the store."`
	Name     string         `json:"name" doc:"The name of the store."`
	URL      string         `json:"url" doc:"Where the store is."`
	Protocol string         `json:"protocol" doc:"How it is reached: file."`
	Provider string         `json:"providername" doc:"Local, for a folder."`
	Scope    string         `json:"scope" doc:"ZONE, or REGION for a store of all zones."`
	ZoneID   uid.Zone       `json:"zoneid,omitempty" doc:"The ID of its zone; absent where it is for all."`
	ZoneName string         `json:"zonename,omitempty" doc:"The name of its zone."`
	DiskUsed int64          `json:"disksizeused" doc:"How many bytes the images in it take."`
	Type     string         `json:"type,omitempty" doc:"SecondaryStorage, as of the hosts that older clients take it for."`
	Created  api.Time       `json:"created,omitzero" doc:"When the store was added."`
	Pending
}
