package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Migrator is a driver that moves machines while they run. A move is two calls, one for each host, and whoever makes them looks at
// [Driver.Guests] of both where it does not know how they went: the machine is Running on one of them, at any time.
type Migrator interface {
	// Receive has a host await a machine; it is Arriving there from then on. What it is told is the machine as it will be here. Disks
	// of volumes that are copied have been made here with [Driver.MakeDisk], in another pool than they are in now. A machine that is awaited
	// with the same specification is nil, and so is one that has arrived. [Driver.Stop] with force ends the waiting.
	Receive(ctx context.Context, host uid.Host, m Machine, copied []uid.Volume) (Arrival, error)
	// Send moves a machine that runs on the host to where it is awaited. When it returns nil the machine runs there, and nothing of it
	// is left here but its disks. When it fails the machine runs on here, and is still awaited there. It is fault.Conflict when the
	// machine does not run on this host, which it does not either once it was sent.
	Send(ctx context.Context, host uid.Host, vm uid.VM, to Arrival) error
}

// Arrival is where a machine is awaited.
type Arrival struct {
	Address string // "10.1.2.3:49152"; drivers know what it means

	Disks string `json:",omitzero"` // where its copied disks are written to, likewise
	// Layers are the copied disks, each with what it is a layer on: only the layer is copied where both have the same below it.
	Layers map[uid.Volume]string `json:",omitzero"`
}
