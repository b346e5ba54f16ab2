package hypervisor

import (
	"context"
	"io"
	"strings"

	"github.com/virga-cloud/virga/uid"
)

// A store may be a bucket of S3. Hosts know no buckets: they keep what is on its way from or to one in a folder of their own, which they
// know the store by, and are given links for what is to be done once.

// BucketScheme begins the URLs of stores that are buckets.
const BucketScheme = "s3://"

// IsBucket tells whether a store is a bucket.
func IsBucket(url string) bool { return strings.HasPrefix(url, BucketScheme) }

// StagedScheme begins what hosts know stores by that are buckets.
const StagedScheme = "bucket:"

// StagedURL is what hosts know a store by that is a bucket.
func StagedURL(id uid.ImageStore) string { return StagedScheme + string(id) }

// Carrier is a driver whose hosts carry files by links, between buckets and what they keep of them.
type Carrier interface {
	// BringStored has a host get an ISO, and keep it for as long as a machine may start with it. One that is there is nil.
	BringStored(ctx context.Context, host uid.Host, s Stored, link string) error
	// SendStored has a host send what it has made, in parts one after the other, and gives their tags. It is fault.Conflict when the host
	// does not have it, or not in this size, or when a link is good for nothing any more.
	SendStored(ctx context.Context, host uid.Host, s Stored, parts []Part) (tags []string, err error)
}

// Part is a part of a file that is sent.
type Part struct {
	Link  string // by which it is sent, for a while; whoever has it could
	Bytes int64
}

// Streamer is a [Giver] that needs no pieces for what is in some stores.
type Streamer interface {
	// StreamStored gives what is in a store, from an offset on; nil where it has to be read in pieces.
	StreamStored(ctx context.Context, s Stored, offset int64) (io.ReadCloser, error)
}

// Reacher is a driver that removes what is in some stores without a host.
type Reacher interface {
	// Reaches tells whether a store is such a one; calls of [Imager] DropImage and [Snapshotter] DropSnapshot may then name no host.
	Reaches(s StoreRef) bool
}

// Reaches asks a driver, whether it is a [Reacher] or not.
func Reaches(driver any, s StoreRef) bool {
	r, can := driver.(Reacher)
	return can && r.Reaches(s)
}
