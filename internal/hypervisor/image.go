package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Imager is a driver whose hosts bring images into the stores that disks are later made from.
type Imager interface {
	// FetchImage has a host bring an image into a store, and tells what it is. An image that is there already, from the same
	// URL, is a success; one from another URL is fault.Conflict, and so is an image that is not what it should be.
	FetchImage(ctx context.Context, host uid.Host, i Image) (ImageReport, error)
	// DropImage has a host remove an image from a store. An absent one is nil. Disks that were made from it stay.
	DropImage(ctx context.Context, host uid.Host, i ImageRef) error
	// MeasureStore asks a host about a store, which may be empty. It is fault.Conflict when the host can't use it.
	MeasureStore(ctx context.Context, host uid.Host, s StoreRef) (StoreReport, error)
}

// Follower is an [Imager] that tells how far an image has come.
type Follower interface {
	// Fetching tells how much of an image has come to a host that is fetching it now. Of one that is not being fetched it is nothing of nothing.
	Fetching(ctx context.Context, host uid.Host, i ImageRef) (Fetched, error)
}

// Fetched is how much of an image has come.
type Fetched struct {
	Bytes int64
	Of    int64 // all of it; 0 where that is not known
}

// StoreRef names a store of images.
type StoreRef struct {
	Store uid.ImageStore
	URL   string
}

// StoreReport is what a host says of a store.
type StoreReport struct {
	Bytes int64 // all of it, not what is free; 0 for one without an end
}

// ImageRef names an image in a store.
type ImageRef struct {
	Template uid.Template
	Store    uid.ImageStore
	StoreURL string // where the store is: "file:///var/lib/virga/images"
}

// Image is an image to be fetched.
type Image struct {
	ImageRef
	URL       string // where it comes from
	Format    string // QCOW2, RAW, VHD, OVA, VMDK or ISO
	MostBytes int64  // that it may have, and a disk made from it; 0 for any number
	Checksum  string // what its bytes must have, in hex, with or without "{MD5}" or "{SHA-256}" before it; "" for anything
}

// ImageReport is what a host says of an image in a store.
type ImageReport struct {
	Bytes       int64 // of a disk made from it
	StoredBytes int64 // that it takes in the store
}
