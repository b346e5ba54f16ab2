// Package hypervisor says what Virga asks of a hypervisor, without saying which one. A [Driver] makes disks and runs
// machines on hosts; hypervisor/sim simulates a data centre of them, others drive real ones, and all pass
// hypervisor/hypervisortest.
//
// The contract that every driver keeps:
//
//   - Things are named by our ids, chosen before the call, so that a call whose answer was lost can be made again.
//   - Every method is idempotent: what is so already is a success, not an error.
//   - An effect is there, and survives the death of the calling process, when the method returns nil. When it returns an
//     error the effect may or may not be there; the caller repeats the call, or undoes it.
//   - A method that is called with a cancelled context does nothing and returns the context's error.
//   - A host that does not answer, or that the driver has never heard of, is [fault.Unavailable]: try again later.
//     Something in a state that forbids the call is [fault.Conflict]: trying again is useless.
package hypervisor

import (
	"context"

	"github.com/virga-cloud/virga/uid"
)

// Driver runs machines on hosts. Its methods may be called by many goroutines at once.
type Driver interface {
	// Probe asks a host what it is. It is fault.Unavailable when the host does not answer.
	Probe(ctx context.Context, host uid.Host) (Report, error)
	// Guests lists what is on the host now, by ascending id: after a restart, and to reconcile.
	Guests(ctx context.Context, host uid.Host) ([]Guest, error)

	// MakeDisk makes a disk in a pool that the host reaches. A disk that is there with the same size and template is nil;
	// with another size or template it is fault.Conflict.
	MakeDisk(ctx context.Context, host uid.Host, d Disk) error
	// DropDisk removes a disk and what is on it. An absent disk is nil; a running machine's is fault.Conflict.
	DropDisk(ctx context.Context, host uid.Host, d DiskRef) error

	// Start runs a machine whose disks have been made. A machine that runs on this host with the same specification is nil.
	// It is fault.Conflict when the machine runs with another specification or on another host, when a disk is missing, and
	// when a disk is in the hands of another running machine.
	Start(ctx context.Context, host uid.Host, m Machine) error
	// Stop ends a machine and leaves nothing of it on the host except its disks. With force the power is cut, otherwise the
	// guest is asked. A machine that is stopped, or is not on this host, is nil.
	Stop(ctx context.Context, host uid.Host, vm uid.VM, force bool) error
	// Reboot restarts the guest where it is. It is fault.Conflict when the machine does not run on this host.
	Reboot(ctx context.Context, host uid.Host, vm uid.VM) error

	// Recover finds again what runs. It is called once after a process start, before anything else.
	Recover(ctx context.Context) error
}

// Enroller is a driver that must be told of its hosts. (Hosts with an agent enrol themselves.)
type Enroller interface {
	// Enroll makes a host known, or changes what is known of it. Guests that run there go on running.
	Enroll(ctx context.Context, host uid.Host, c Capacity) error
	// Forget lets go of a host for good. One that is not known is nil; one with guests on it, running or not, is fault.Conflict.
	Forget(ctx context.Context, host uid.Host) error
}

// Watcher is a driver that knows of many hosts at once that they answer, for less than asking each of them.
type Watcher interface {
	// Answering gives those of some hosts of which it is known that [Driver.Probe] would succeed now. The others are to be asked.
	Answering(ctx context.Context, hosts []uid.Host) (map[uid.Host]bool, error)
}

// Storer is a driver that can say how large a pool is. Without it whoever adds the pool must know.
type Storer interface {
	// Pool asks a host about storage that it is to reach. It is fault.Conflict when the host can't use it.
	Pool(ctx context.Context, host uid.Host, p PoolRef) (PoolReport, error)
}

// Scripter is a driver that fails on demand, for tests and drills.
type Scripter interface {
	// Script sets the rule for its scope and command, in the place of the one that stood there. A rule that does nothing
	// (see [Rule]) removes it.
	Script(ctx context.Context, r Rule) error
}
