package datacenter

// File is a data centre. Keys are the names of the API's own parameters. What is left out is not looked at where the thing exists,
// and left to the API where it is made.
type File struct {
	Settings         map[string]Text   `yaml:"settings,omitempty"` // global settings, by name
	Zones            []Zone            `yaml:"zones,omitempty"`
	ServiceOfferings []ServiceOffering `yaml:"serviceofferings,omitempty"`
	DiskOfferings    []DiskOffering    `yaml:"diskofferings,omitempty"`

	// Notes are what was understood otherwise than it is written; the reader of the output should know.
	Notes []string `yaml:"-"`
}

// Zone is a zone and all that is in it. It is made disabled and opened when everything in it is there.
type Zone struct {
	Name                 string            `yaml:"name"`
	NetworkType          string            `yaml:"networktype"` // Advanced or Basic
	DNS1                 string            `yaml:"dns1"`
	DNS2                 string            `yaml:"dns2,omitempty"`
	IP6DNS1              string            `yaml:"ip6dns1,omitempty"`
	IP6DNS2              string            `yaml:"ip6dns2,omitempty"`
	InternalDNS1         string            `yaml:"internaldns1"`
	InternalDNS2         string            `yaml:"internaldns2,omitempty"`
	GuestCIDR            string            `yaml:"guestcidraddress,omitempty"`
	Domain               string            `yaml:"domain,omitempty"` // of the guests' names
	SecurityGroupEnabled Flag              `yaml:"securitygroupenabled,omitempty"`
	LocalStorageEnabled  Flag              `yaml:"localstorageenabled,omitempty"`
	AllocationState      string            `yaml:"allocationstate,omitempty"` // Enabled unless given
	PhysicalNetworks     []PhysicalNetwork `yaml:"physicalnetworks,omitempty"`
	IPRanges             []IPRange         `yaml:"ipranges,omitempty"` // public ones
	Pods                 []Pod             `yaml:"pods,omitempty"`
	PrimaryStorages      []PrimaryStorage  `yaml:"primarystorages,omitempty"` // for the whole zone
	SecondaryStorages    []ImageStore      `yaml:"secondarystorages,omitempty"`
	Settings             map[string]Text   `yaml:"settings,omitempty"` // of the zone
}

// PhysicalNetwork is a physical network with what goes over it. Its providers are enabled.
type PhysicalNetwork struct {
	Name                 string        `yaml:"name"`
	VLAN                 Text          `yaml:"vlan,omitempty"` // 100-200
	Speed                string        `yaml:"networkspeed,omitempty"`
	Tags                 List          `yaml:"tags,omitempty"`
	BroadcastDomainRange string        `yaml:"broadcastdomainrange,omitempty"`
	IsolationMethods     List          `yaml:"isolationmethods,omitempty"`
	TrafficTypes         []TrafficType `yaml:"traffictypes,omitempty"`
	Providers            []Provider    `yaml:"providers,omitempty"`
}

// TrafficType is a kind of traffic and what each hypervisor calls the network that carries it.
type TrafficType struct {
	TrafficType string `yaml:"traffictype"`
	KVM         string `yaml:"kvmnetworklabel,omitempty"`
	VMware      string `yaml:"vmwarenetworklabel,omitempty"`
	XenServer   string `yaml:"xennetworklabel,omitempty"`
	VLAN        Text   `yaml:"vlan,omitempty"`
}

// Provider is a provider of network services.
type Provider struct {
	Name string `yaml:"name"`
}

// IPRange is a range of addresses.
type IPRange struct {
	Gateway string `yaml:"gateway"`
	Netmask string `yaml:"netmask"`
	StartIP string `yaml:"startip"`
	EndIP   string `yaml:"endip,omitempty"`
	VLAN    Text   `yaml:"vlan,omitempty"` // untagged unless given
}

// Pod is a pod and its clusters. Its address range is for management.
type Pod struct {
	Name            string    `yaml:"name"`
	Gateway         string    `yaml:"gateway"`
	Netmask         string    `yaml:"netmask"`
	StartIP         string    `yaml:"startip"`
	EndIP           string    `yaml:"endip,omitempty"`
	AllocationState string    `yaml:"allocationstate,omitempty"`
	GuestIPRanges   []IPRange `yaml:"guestipranges,omitempty"` // in basic zones: where its machines get their addresses
	Clusters        []Cluster `yaml:"clusters,omitempty"`
}

// Cluster is a cluster with its hosts and primary storage.
type Cluster struct {
	Name                  string           `yaml:"name"`
	Hypervisor            string           `yaml:"hypervisor"`
	ClusterType           string           `yaml:"clustertype,omitempty"` // CloudManaged unless given
	AllocationState       string           `yaml:"allocationstate,omitempty"`
	CPUOvercommitRatio    float64          `yaml:"cpuovercommitratio,omitempty"`
	MemoryOvercommitRatio float64          `yaml:"memoryovercommitratio,omitempty"`
	Hosts                 []Host           `yaml:"hosts,omitempty"`
	PrimaryStorages       []PrimaryStorage `yaml:"primarystorages,omitempty"`
}

// Host is a host, by its URL.
type Host struct {
	URL             string `yaml:"url"`
	Username        string `yaml:"username,omitempty"`
	Password        string `yaml:"password,omitempty"`
	HostTags        List   `yaml:"hosttags,omitempty"`
	AllocationState string `yaml:"allocationstate,omitempty"`
}

// PrimaryStorage is a pool for volumes.
type PrimaryStorage struct {
	Name          string `yaml:"name"`
	URL           string `yaml:"url"`
	Tags          List   `yaml:"tags,omitempty"`
	Hypervisor    string `yaml:"hypervisor,omitempty"` // of pools for a whole zone
	CapacityBytes int64  `yaml:"capacitybytes,omitempty"`
}

// ImageStore is secondary storage.
type ImageStore struct {
	Name     string `yaml:"name,omitempty"` // its URL unless given
	URL      string `yaml:"url"`
	Provider string `yaml:"provider,omitempty"`
}

// ServiceOffering is a service offering.
type ServiceOffering struct {
	Name        string `yaml:"name"`
	DisplayText string `yaml:"displaytext,omitempty"`
	CPUNumber   int    `yaml:"cpunumber"`
	CPUSpeed    int    `yaml:"cpuspeed"` // MHz
	Memory      int    `yaml:"memory"`   // MB
	HostTags    List   `yaml:"hosttags,omitempty"`
	StorageTags List   `yaml:"tags,omitempty"`
	StorageType string `yaml:"storagetype,omitempty"`
	OfferHA     Flag   `yaml:"offerha,omitempty"`
}

// DiskOffering is a disk offering.
type DiskOffering struct {
	Name        string `yaml:"name"`
	DisplayText string `yaml:"displaytext,omitempty"`
	DiskSize    int64  `yaml:"disksize,omitempty"` // GB; none: the user says it
	Customized  bool   `yaml:"customized,omitempty"`
	Tags        List   `yaml:"tags,omitempty"`
	StorageType string `yaml:"storagetype,omitempty"`
}
