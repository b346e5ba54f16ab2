package capacity

import (
	"cmp"
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Kind is a kind of capacity, by CloudStack's number.
type Kind int

// The kinds.
const (
	Memory           Kind = 0  // bytes
	CPU              Kind = 1  // MHz
	Storage          Kind = 2  // bytes of primary storage that are there
	StorageAllocated Kind = 3  // bytes of primary storage that may be given out
	PublicIP         Kind = 4  // addresses
	PodIP            Kind = 5  // management addresses
	Secondary        Kind = 6  // bytes of secondary storage
	VLAN             Kind = 7  // VLANs of guest networks
	SharedIP         Kind = 8  // addresses of shared networks
	LocalStorage     Kind = 9  // bytes of the hosts' own storage
	CPUCore          Kind = 90 // cores
)

var names = map[Kind]string{
	Memory: "MEMORY", CPU: "CPU", Storage: "STORAGE", StorageAllocated: "STORAGE_ALLOCATED", PublicIP: "VIRTUAL_NETWORK_PUBLIC_IP",
	PodIP: "PRIVATE_IP", Secondary: "SECONDARY_STORAGE", VLAN: "VLAN", SharedIP: "DIRECT_ATTACHED_PUBLIC_IP", LocalStorage: "LOCAL_STORAGE",
	CPUCore: "CPU_CORE",
}

// Name is CloudStack's name of a kind, "" for a number that stands for none.
func (k Kind) Name() string { return names[k] }

// Level is how large the places are that capacity is summed up for.
type Level int

// The levels.
const (
	OfZones Level = iota
	OfPods
	OfClusters
)

// Capacity is how much there is of one kind in one place. Pod and cluster are "" where it is a larger place's.
type Capacity struct {
	Kind      Kind
	Zone      uid.Zone    `bun:"zone_id"`
	Pod       uid.Pod     `bun:"pod_id"`
	Cluster   uid.Cluster `bun:"cluster_id"`
	Total     int64
	Used      int64
	Allocated int64 // promised; of most kinds the same as used
}

// Share is the used part, from 0 to 1 or, where less is there than before, above it.
func (c Capacity) Share() float64 {
	if c.Total == 0 {
		return 0
	}
	return float64(c.Used) / float64(c.Total)
}

// Filter says which capacity to sum up. Empty fields don't restrict.
type Filter struct {
	Level    Level
	Zones    []uid.Zone
	Pods     []uid.Pod
	Clusters []uid.Cluster
	Kind     *Kind
}

// source gives the capacity of some kinds.
type source struct {
	kinds  []Kind
	levels []Level // at which there is any
	sum    func(ctx context.Context, q db.Tx, f Filter) ([]Capacity, error)
}

var everywhere = []Level{OfZones, OfPods, OfClusters}

var sources = []source{
	{[]Kind{Memory, CPU}, everywhere, sumHosts},
	{[]Kind{CPUCore}, everywhere, sumCores},
	{[]Kind{Storage, StorageAllocated, LocalStorage}, everywhere, sumPools},
	{[]Kind{PodIP}, []Level{OfZones, OfPods}, sumPodIPs},
	{[]Kind{PublicIP, SharedIP}, []Level{OfZones}, sumAddresses},
	{[]Kind{Secondary}, []Level{OfZones}, sumStores},
	{[]Kind{VLAN}, []Level{OfZones}, sumVLANs},
}

// Of sums up capacity, ordered by place and kind.
func Of(ctx context.Context, q db.Tx, f Filter) ([]Capacity, error) {
	var all []Capacity
	for _, s := range sources {
		if !slices.Contains(s.levels, f.Level) || f.Kind != nil && !slices.Contains(s.kinds, *f.Kind) {
			continue
		}
		found, err := s.sum(ctx, q, f)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	if f.Kind != nil {
		all = slices.DeleteFunc(all, func(c Capacity) bool { return c.Kind != *f.Kind })
	}
	slices.SortFunc(all, func(a, b Capacity) int {
		return cmp.Or(cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Kind, b.Kind))
	})
	return all, nil
}

// ListIn says what an operator wants to see.
type ListIn struct {
	Zone    uid.Zone
	Pod     uid.Pod
	Cluster uid.Cluster
	Kind    *Kind
	ByUsage bool // the fullest first, of the places within the one that is named
}

// List gives the capacity of the place that is named, or of all zones; by usage that of the places within it.
func List(ctx context.Context, q db.Tx, in ListIn) ([]Capacity, error) {
	f := Filter{Kind: in.Kind}
	if in.Zone != "" {
		f.Zones = []uid.Zone{in.Zone}
	}
	if in.Pod != "" {
		f.Pods = []uid.Pod{in.Pod}
	}
	if in.Cluster != "" {
		f.Clusters = []uid.Cluster{in.Cluster}
	}
	switch {
	case in.Cluster != "" || in.Pod != "" && in.ByUsage:
		f.Level = OfClusters
	case in.Pod != "" || in.Zone != "" && in.ByUsage:
		f.Level = OfPods
	}
	all, err := Of(ctx, q, f)
	if in.ByUsage {
		slices.SortStableFunc(all, func(a, b Capacity) int { return cmp.Compare(b.Share(), a.Share()) })
	}
	return all, err
}
