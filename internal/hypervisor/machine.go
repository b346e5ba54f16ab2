package hypervisor

import (
	"context"
	"encoding/json"
	"slices"

	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Report is what a host says of itself.
type Report struct {
	CPUCores    int
	CPUSpeedMHz int // of one core
	MemoryMB    int // all of it, not what is free
	Hypervisor  string
	Version     string // of the hypervisor, "10.0.2" for instance
}

// Capacity is what a driver is told of a host that cannot be asked, and where it stands. A zero number means the driver's own
// default; a zero place means none.
type Capacity struct {
	Zone    uid.Zone
	Pod     uid.Pod
	Cluster uid.Cluster

	CPUCores    int
	CPUSpeedMHz int // of one core
	MemoryMB    int
}

// Guest is a machine as a host sees it. One that does not run has shut itself down, or crashed: Stop leaves no guest behind.
type Guest struct {
	VM      uid.VM
	Running bool

	Arriving bool // it is awaited from another host, or on its way: it does not run here yet
}

// Runs asks a host whether a machine runs there.
func Runs(ctx context.Context, by Driver, on uid.Host, id uid.VM) (bool, error) {
	guests, err := by.Guests(ctx, on)
	return slices.Contains(guests, Guest{VM: id, Running: true}), err
}

// DiskRef names a disk. A volume may have a disk in two pools while it is being moved.
type DiskRef struct {
	Volume  uid.Volume
	Pool    uid.Pool
	PoolURL string // where the pool is: "file:///var/lib/virga/pool", "nfs://server/path"
}

// PoolRef names storage. Its ID may be one that no disk was made in yet.
type PoolRef struct {
	Pool uid.Pool
	URL  string
}

// PoolReport is what a host says of storage.
type PoolReport struct {
	Bytes int64 // all of it, not what is free
	Used  int64
}

// Disk is a disk to be made.
type Disk struct {
	DiskRef
	Bytes         int64        // its size as the guest sees it
	Template      uid.Template // what it is a copy of; zero for an empty disk
	TemplateBytes int64        // the template's size; the rest of the disk is empty

	Snapshot uid.Snapshot // what it is a copy of instead; zero for none

	Store    uid.ImageStore // where the template or the snapshot is; zero where there is none
	StoreURL string
	Link     string `json:",omitempty"` // by which a host gets it in this call, where the store is a bucket
}

// Machine is all that a host must know in order to run one.
type Machine struct {
	VM          uid.VM
	Name        string // for people, in the host's own tools; it need not be unique
	CPUs        int
	CPUSpeedMHz int  // a share in relation to other machines, and a limit where LimitCPU says so
	LimitCPU    bool `json:",omitzero"` // no more than its share, even where others leave some
	MemoryMB    int
	Disks       []Attachment
	NICs        []NIC
	UserData    []byte    // as the guest gets it, decoded; nil for none
	SSHKeys     []string  // public keys that the guest is to let in, as lines of authorized_keys
	CD          *ImageRef // an ISO in the CD drive, from which a machine starts whose first disk is empty; nil for none
	UEFI        bool      `json:",omitzero"` // it is started by UEFI and not by a BIOS
	// Leased has the host end the machine when it can't leave signs of life in the pools of its disks for as long as [Lease].
	Leased bool `json:",omitzero"`
	// Drive are files on a read-only drive with the label config-2, by path: "openstack/latest/user_data". It is how a machine is told
	// what no router tells it; none for no drive. Those below nocloud/ are at the top of a second drive, with the label cidata.
	Drive    map[string][]byte `json:",omitempty"`
	Password secret.String     `json:"-"` // that the guest is to take; it is no part of the specification, and never written down
}

// Specification is the machine in writing: the same bytes for the same machine; a list that is empty is as good as none.
func (m Machine) Specification() ([]byte, error) {
	if len(m.Disks) == 0 {
		m.Disks = nil
	}
	if len(m.NICs) == 0 {
		m.NICs = nil
	}
	if len(m.UserData) == 0 {
		m.UserData = nil
	}
	if len(m.SSHKeys) == 0 {
		m.SSHKeys = nil
	}
	return json.Marshal(m)
}

// Attachment is a disk's place in a machine.
type Attachment struct {
	DiskRef
	Device int      // 0 is the one to boot from
	Limits IOLimits `json:",omitzero"`
}

// IOLimits are how fast a disk may be used; zero ones don't limit.
type IOLimits struct {
	ReadBytes  IOLimit `json:",omitzero"`
	WriteBytes IOLimit `json:",omitzero"`
	ReadOps    IOLimit `json:",omitzero"`
	WriteOps   IOLimit `json:",omitzero"`
}

// IOLimit is a rate that may be had all the time, and a higher one for a while.
type IOLimit struct {
	Rate    int64 // per second; 0: no limit
	Burst   int64 `json:",omitzero"` // per second; 0: Rate is all there is
	Seconds int64 `json:",omitzero"` // how long a burst may last
}

// NIC is a network card of a machine.
type NIC struct {
	ID      uid.NIC
	Network uid.Network
	Device  int    // 0 is the first
	MAC     string // "02:00:5e:00:53:01"
	IP      string // the address the guest will be given, "10.1.1.7"; it may be empty
	IP6     string // the guest's IPv6 address, "2001:db8::7"; it may be empty
	VLAN    int    // 1 to 4094; 0 is untagged
	// Wire is the link of the host that carries the network, of which VLAN is then a number; "" leaves it to the hosts to carry it to each other.
	Wire string `json:",omitempty"`
	Mbps int    `json:",omitzero"` // how fast it may be, in Mbit/s; 0: no limit
}
