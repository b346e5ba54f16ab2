package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// MigrateVirtualMachine moves a machine to another host, or its root disk.
var MigrateVirtualMachine = api.Job[MigrateVirtualMachineIn, VirtualMachine]{
	Name: "migrateVirtualMachine", Noun: "Virtual machine", Role: api.RootOnly, Object: "virtualmachine", Event: "VM.MIGRATE",
	Doc: "Moves a running virtual machine to another host, while it runs. Disks that the new host does not reach are copied to where it does; " +
		"the others stay where they are. With storageid it moves the root disk of a machine that is stopped to another storage pool, as migrateVolume does.",
}

// MigrateVirtualMachineIn names machine and host.
type MigrateVirtualMachineIn struct {
	VMID       uid.VM   `api:"virtualmachineid,required" doc:"The ID of the machine."`
	HostID     uid.Host `api:"hostid" doc:"The ID of the host that it is to go to."`
	StorageID  uid.Pool `api:"storageid" doc:"The ID of the storage pool that the root disk is to go to. The machine must be stopped. Not together with hostid and autoselect."`
	AutoSelect bool     `api:"autoselect,since=4.16.0" doc:"Leaves the host to placement where hostid names none."`
}

// FindHostsForMigration shows where a machine could go.
var FindHostsForMigration = api.List[FindHostsForMigrationIn, HostForMigration]{
	Name: "findHostsForMigration", Noun: "Virtual machine", Role: api.RootOnly, Object: "host",
	Doc: "Lists the other hosts of a running virtual machine's zone and hypervisor, and says of each whether the machine could be moved there now, whether disks " +
		"would be copied for that, and why it could not.",
}

// FindHostsForMigrationIn names the machine.
type FindHostsForMigrationIn struct {
	api.Paging
	VMID uid.VM `api:"virtualmachineid,required" doc:"The ID of the machine."`
}

// HostForMigration is a host that a machine may be moved to.
type HostForMigration struct {
	Host
	StorageMotion bool   `json:"requiresStorageMotion" doc:"Whether the host does not reach all disks of the machine, so that they would be copied."`
	Obstacle      string `json:"unsuitablereason,omitempty" doc:"Why the machine can't be moved there, where it can't."`
}

// MigrateVirtualMachineWithVolume moves a machine to another host, and its disks.
var MigrateVirtualMachineWithVolume = api.Job[MigrateVirtualMachineWithVolumeIn, VirtualMachine]{
	Name: "migrateVirtualMachineWithVolume", Noun: "Virtual machine", Role: api.RootOnly, Object: "virtualmachine", Event: "VM.MIGRATE",
	Doc: "Moves a running virtual machine to another host, while it runs, and its disks to storage pools that are named. Other disks stay where they are, or are " +
		"copied where the new host does not reach them.",
}

// MigrateVirtualMachineWithVolumeIn names machine, host and pools.
type MigrateVirtualMachineWithVolumeIn struct {
	VMID       uid.VM       `api:"virtualmachineid,required" doc:"The ID of the machine."`
	HostID     uid.Host     `api:"hostid" doc:"The ID of the host that it is to go to. Without it one is chosen that reaches the pools in migrateto."`
	MigrateTo  []DiskToPool `api:"migrateto" doc:"Disks of the machine, each with the storage pool that it is to go to."`
	AutoSelect bool         `api:"autoselect,since=4.19.0" doc:"Leaves host and pools to placement where neither is named."`
}

// DiskToPool is a disk and where it is to go.
type DiskToPool struct {
	Volume uid.Volume `api:"volume,required" doc:"The ID of the disk's volume."`
	Pool   uid.Pool   `api:"pool,required" doc:"The ID of the storage pool."`
}

// MigrateVolume moves a volume to another pool.
var MigrateVolume = api.Job[MigrateVolumeIn, Volume]{
	Name: "migrateVolume", Noun: "Volume", Role: Infrastructure, Object: "volume", Event: "VOLUME.MIGRATE",
	Doc: "Moves a volume to another storage pool of its zone, while no machine runs with it. The pool must be one that its offering allows, by its tags and by " +
		"being shared or a host's own, and have room for it; a host must reach the pool and the other disks of its machine. It goes by way of an image store. The " +
		"disks of machines that run move with migrateVirtualMachineWithVolume.",
}

// MigrateVolumeIn names volume and pool.
type MigrateVolumeIn struct {
	VolumeID  uid.Volume `api:"volumeid,required" doc:"The ID of the volume."`
	StorageID uid.Pool   `api:"storageid,required" doc:"The ID of the storage pool that it is to go to."`
}
