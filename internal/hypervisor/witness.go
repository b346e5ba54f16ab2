package hypervisor

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/uid"
)

// Lease is how long a machine with [Machine.Leased] runs without a sign of life of its host in the pools that its disks are in. The host
// ends it then.
const Lease = 60 * time.Second

// Witness is a driver whose hosts can tell of others by the storage that they share.
type Witness interface {
	// Sign is what a host has last shown of itself in a pool, as another one finds it there. It is another text each time; "" stands for
	// none, which tells nothing.
	Sign(ctx context.Context, on uid.Host, p PoolRef, of uid.Host) (string, error)
	// Held tells whether a machine that runs has a disk in its hands, on whichever host. It is fault.Conflict when the disk is not there,
	// which tells nothing: perhaps this host has not got the storage.
	Held(ctx context.Context, on uid.Host, d DiskRef) (bool, error)
}
