package cloudstack

// Resources is what an account, or all accounts of a domain and those below it together, use and may use. A limit without an end is
// the word Unlimited, and so is what it leaves. All of it is absent where details=min was asked for.
type Resources struct {
	VMLimit     string `json:"vmlimit,omitempty" doc:"How many machines it may have."`
	VMTotal     *int64 `json:"vmtotal,omitempty" doc:"How many machines it has."`
	VMAvailable string `json:"vmavailable,omitempty" doc:"How many more machines it may have."`

	CPULimit     string `json:"cpulimit,omitempty" doc:"How many CPUs it may have."`
	CPUTotal     *int64 `json:"cputotal,omitempty" doc:"How many CPUs it has."`
	CPUAvailable string `json:"cpuavailable,omitempty" doc:"How many more CPUs it may have."`

	MemoryLimit     string `json:"memorylimit,omitempty" doc:"How much memory it may have, in MB."`
	MemoryTotal     *int64 `json:"memorytotal,omitempty" doc:"How much memory it has, in MB."`
	MemoryAvailable string `json:"memoryavailable,omitempty" doc:"How much more memory it may have, in MB."`

	VolumeLimit     string `json:"volumelimit,omitempty" doc:"How many volumes it may have."`
	VolumeTotal     *int64 `json:"volumetotal,omitempty" doc:"How many volumes it has."`
	VolumeAvailable string `json:"volumeavailable,omitempty" doc:"How many more volumes it may have."`

	PrimaryStorageLimit     string `json:"primarystoragelimit,omitempty" doc:"How much primary storage it may have, in GB."`
	PrimaryStorageTotal     *int64 `json:"primarystoragetotal,omitempty" doc:"How much primary storage it has, in GB."`
	PrimaryStorageAvailable string `json:"primarystorageavailable,omitempty" doc:"How much more primary storage it may have, in GB."`

	NetworkLimit     string `json:"networklimit,omitempty" doc:"How many networks it may have."`
	NetworkTotal     *int64 `json:"networktotal,omitempty" doc:"How many networks it has."`
	NetworkAvailable string `json:"networkavailable,omitempty" doc:"How many more networks it may have."`

	IPLimit     string `json:"iplimit,omitempty" doc:"How many public addresses it may have."`
	IPTotal     *int64 `json:"iptotal,omitempty" doc:"How many public addresses it has."`
	IPAvailable string `json:"ipavailable,omitempty" doc:"How many more public addresses it may have."`

	TemplateLimit     string `json:"templatelimit,omitempty" doc:"How many templates and ISOs it may have."`
	TemplateTotal     *int64 `json:"templatetotal,omitempty" doc:"How many templates and ISOs it has."`
	TemplateAvailable string `json:"templateavailable,omitempty" doc:"How many more templates and ISOs it may have."`

	SecondaryStorageLimit     string   `json:"secondarystoragelimit,omitempty" doc:"How much secondary storage it may have, in GB."`
	SecondaryStorageTotal     *float64 `json:"secondarystoragetotal,omitempty" doc:"How much secondary storage it has, in GB."`
	SecondaryStorageAvailable string   `json:"secondarystorageavailable,omitempty" doc:"How much more secondary storage it may have, in GB."`

	SnapshotLimit     string `json:"snapshotlimit,omitempty" doc:"How many snapshots it may have, once there are any."`
	SnapshotTotal     *int64 `json:"snapshottotal,omitempty" doc:"How many snapshots it has. There are none yet."`
	SnapshotAvailable string `json:"snapshotavailable,omitempty" doc:"How many more snapshots it may have."`

	ProjectLimit     string `json:"projectlimit,omitempty" doc:"How many projects it may administer."`
	ProjectTotal     *int64 `json:"projecttotal,omitempty" doc:"How many projects it administers."`
	ProjectAvailable string `json:"projectavailable,omitempty" doc:"How many more projects it may administer."`

	VPCLimit     string `json:"vpclimit,omitempty" doc:"How many VPCs it may have, once there are any."`
	VPCTotal     *int64 `json:"vpctotal,omitempty" doc:"How many VPCs it has. There are none yet."`
	VPCAvailable string `json:"vpcavailable,omitempty" doc:"How many more VPCs it may have."`
}
