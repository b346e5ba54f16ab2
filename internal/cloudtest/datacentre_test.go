package cloudtest_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/uid"
)

// operator makes things through the API, and fails the test where that fails.
type operator struct {
	*cloudtest.Cloud
	t *testing.T
}

func made[In, Out any](o operator, call api.Call[In, Out], in In) Out {
	o.t.Helper()
	out, err := api.Do(o.t.Context(), o.Client, call, in)
	must(o.t, err)
	return out
}

func added[In, Item any](o operator, call api.List[In, Item], in In) Item {
	o.t.Helper()
	page, err := api.Fetch(o.t.Context(), o.Client, call, in)
	must(o.t, err)
	if len(page.Items) != 1 {
		o.t.Fatalf("%s answered with %d items", call.Name, len(page.Items))
	}
	return page.Items[0]
}

// refuses wants a call refused, with words that help.
func refuses[In, Out any](o operator, call api.Call[In, Out], in In, words ...string) {
	o.t.Helper()
	_, err := api.Do(o.t.Context(), o.Client, call, in)
	for _, w := range words {
		refusedWith(o.t, err, 431, w)
	}
}

func refusesList[In, Item any](o operator, call api.List[In, Item], in In, word string) {
	o.t.Helper()
	_, err := api.Fetch(o.t.Context(), o.Client, call, in)
	refusedWith(o.t, err, 431, word)
}

func (o operator) place() (cs.Zone, cs.Pod, cs.Cluster) {
	o.t.Helper()
	z := made(o, cs.CreateZone, cs.CreateZoneIn{
		Name: "north", NetworkType: "Advanced", DNS1: "8.8.8.8", InternalDNS1: "10.0.0.2", IP6DNS1: "2001:db8::53", GuestCIDR: "10.3.0.0/24",
		NetworkDomain: "north.example.org", LocalStorage: true,
	})
	p := made(o, cs.CreatePod, cs.CreatePodIn{
		Name: "rack", ZoneID: z.ID, Gateway: "192.168.7.1", Netmask: "255.255.255.0", StartIP: "192.168.7.10", EndIP: "192.168.7.11",
	})
	c := added(o, cs.AddCluster, cs.AddClusterIn{
		Name: "c", Type: "CloudManaged", Hypervisor: "simulator", PodID: p.ID, ZoneID: z.ID, CPUOvercommit: 2, MemoryOvercommit: 1.5,
	})
	return z, p, c
}

// An operator builds a data centre through the API, fills it, sees how full it is, and takes it down again.
func TestDataCentre(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{NoSeed: true, Rest: []string{"image-stores"}}, func(t *testing.T, c *cloudtest.Cloud) {
		o := operator{c, t}
		z, p, cl := o.place()
		if z.AllocationState != "Enabled" || z.DHCPProvider != "VirtualRouter" || z.Token == "" || z.IP6DNS1 != "2001:db8::53" || z.SecurityGroups {
			t.Errorf("%+v", z)
		}
		if p.StartIP[0] != "192.168.7.10" || p.IPRanges[0].CIDR != "192.168.7.0/24" || p.ZoneName != "north" {
			t.Errorf("%+v", p)
		}
		if cl.Hypervisor != "Simulator" || cl.CPUOvercommit != "2" || cl.MemoryOvercommit != "1.5" || cl.PodName != "rack" {
			t.Errorf("%+v", cl)
		}
		in := cs.AddHostIn{ZoneID: z.ID, PodID: p.ID, ClusterID: cl.ID, Hypervisor: "Simulator", URL: "http://sim/c0/h0", HostTags: []string{"ssd", "fast"}}
		in.IdempotencyKey = "h0"
		store := made(o, cs.AddImageStore, cs.AddImageStoreIn{Name: "pictures", Provider: "Local", URL: "file:///pictures", ZoneID: z.ID})
		if full := o.capacity(cs.ListCapacityIn{}); store.Disk != 0 || full[6].Name != "" {
			t.Errorf("no host could be asked about the store yet: %d, %+v", store.Disk, full[6])
		}
		h := added(o, cs.AddHost, in)
		must(t, c.Keepers.Round(t.Context(), "image-stores"))
		if h.Name != "sim.c0.h0" || h.State != "Up" || h.ResourceState != "Enabled" || h.IPAddress != "192.168.7.10" || h.Tags != "ssd,fast" ||
			h.CPUNumber != 4 || h.CPUTotal != "64000" || *h.MemoryTotal != 8192<<20 || h.MemoryOvercommitted != "12884901888" ||
			!*h.LocalStorageActive || *h.DiskTotal != 1<<40 {
			t.Errorf("%+v", h)
		}
		if again := added(o, cs.AddHost, in); again.ID != h.ID {
			t.Errorf("repeated it made %s beside %s", again.ID, h.ID)
		}
		in.IdempotencyKey = ""
		refusesList(o, cs.AddHost, in, `"sim.c0.h0"`)
		in.URL, in.ClusterID, in.ClusterName = "http://192.168.7.11", "", "other"
		other := added(o, cs.AddHost, in)
		if other.ClusterName != "other" || other.IPAddress != "192.168.7.11" || other.ClusterID == cl.ID {
			t.Errorf("%+v", other)
		}
		in.URL = "http://sim/c0/h2"
		_, err := api.Fetch(t.Context(), c.Client, cs.AddHost, in)
		refusedWith(t, err, 533, "no free address")

		ps := made(o, cs.CreateStoragePool, cs.CreateStoragePoolIn{
			Name: "ps", URL: "SharedMountPoint:///mnt/ps/", ZoneID: z.ID, PodID: p.ID, ClusterID: cl.ID, Tags: "ssd, gold",
		})
		if ps.Type != "SharedMountPoint" || ps.Path != "/mnt/ps" || ps.Total != 1<<40 || ps.Factor != "2" || ps.State != "Up" || ps.Tags != "ssd,gold" ||
			ps.Scope != "CLUSTER" || ps.ClusterName != "c" || ps.IPAddress != "localhost" {
			t.Errorf("%+v", ps)
		}
		wide := made(o, cs.CreateStoragePool, cs.CreateStoragePoolIn{
			Name: "wide", URL: "file:///wide", ZoneID: z.ID, Scope: "zone", Hypervisor: "Simulator", CapacityBytes: 5 << 30,
		})
		if wide.Scope != "ZONE" || wide.PodID != "" || wide.Total != 5<<30 {
			t.Errorf("%+v", wide)
		}
		pools, err := api.Fetch(t.Context(), c.Client, cs.ListStoragePools, cs.ListStoragePoolsIn{HostID: h.ID})
		must(t, err)
		if pools.Count != 3 {
			t.Errorf("the host reaches %d pools", pools.Count)
		}
		o.capacities(z, p, cl)

		refuses(o, cs.DeleteZone, cs.DeleteZoneIn{ID: z.ID}, `zone "north" has 1 pod, 2 clusters, 2 hosts and 2 storage pools`)
		refuses(o, cs.DeletePod, cs.DeletePodIn{ID: p.ID}, `pod "rack" has 2 clusters, 2 hosts and 1 storage pool:`)
		refuses(o, cs.DeleteCluster, cs.DeleteClusterIn{ID: cl.ID}, `cluster "c" has 1 host and 1 storage pool`)
		refuses(o, cs.DeleteHost, cs.DeleteHostIn{ID: h.ID}, "disable it")
		if off := made(o, cs.UpdateHost, cs.UpdateHostIn{ID: h.ID, AllocationState: "Disable", HostTags: []string{"slow"}}); off.ResourceState != "Disabled" || off.Tags != "slow" {
			t.Errorf("%+v", off)
		}
		made(o, cs.DeleteHost, cs.DeleteHostIn{ID: h.ID})
		made(o, cs.DeleteHost, cs.DeleteHostIn{ID: other.ID, Forced: true})
		refuses(o, cs.DeleteStoragePool, cs.DeleteStoragePoolIn{ID: ps.ID}, "forced=true")
		made(o, cs.DeleteStoragePool, cs.DeleteStoragePoolIn{ID: ps.ID, Forced: true})
		made(o, cs.DeleteStoragePool, cs.DeleteStoragePoolIn{ID: wide.ID, Forced: true})
		made(o, cs.DeleteCluster, cs.DeleteClusterIn{ID: cl.ID})
		made(o, cs.DeleteCluster, cs.DeleteClusterIn{ID: other.ClusterID})
		made(o, cs.DeletePod, cs.DeletePodIn{ID: p.ID})
		made(o, cs.DeleteZone, cs.DeleteZoneIn{ID: z.ID})
		refuses(o, cs.DeleteZone, cs.DeleteZoneIn{ID: z.ID}, "no zone")
	})
}

// capacity lists capacities by type.
func (o operator) capacity(in cs.ListCapacityIn) map[int]cs.Capacity {
	o.t.Helper()
	page, err := api.Fetch(o.t.Context(), o.Client, cs.ListCapacity, in)
	must(o.t, err)
	all := map[int]cs.Capacity{}
	for _, c := range page.Items {
		all[c.Type] = c
	}
	if page.Count != len(all) {
		o.t.Errorf("%d of %d capacities", len(all), page.Count)
	}
	return all
}

// capacities looks at how full the data centre is, in its three sizes.
func (o operator) capacities(z cs.Zone, p cs.Pod, cl cs.Cluster) {
	o.t.Helper()
	look := o.capacity
	whole := look(cs.ListCapacityIn{})
	if c := whole[6]; c.Total != 1<<40 || c.Used != 0 || c.Name != "SECONDARY_STORAGE" || c.ZoneName != "north" {
		o.t.Errorf("secondary storage: %+v", c)
	}
	stores, err := api.Fetch(o.t.Context(), o.Client, cs.ListImageStores, cs.ListImageStoresIn{ZoneID: z.ID})
	must(o.t, err)
	if stores.Items[0].Disk != 1<<40 {
		o.t.Errorf("the image store shows %+v", stores.Items[0])
	}
	made(o, cs.AddImageStore, cs.AddImageStoreIn{Provider: "Local", URL: "file:///for/all"})
	if c := look(cs.ListCapacityIn{Type: new(6), ZoneID: z.ID}); c[6].Total != 2<<40 || len(c) != 1 {
		o.t.Errorf("secondary storage with a store of all zones: %+v", c)
	}
	if c := whole[1]; c.Total != 64000+32000 || c.Used != 0 || c.PercentUsed != "0" || c.Name != "CPU" || c.ZoneName != "north" || c.PodID != "" {
		o.t.Errorf("CPU: %+v", c)
	}
	if c := whole[5]; c.Total != 2 || c.Used != 2 || c.PercentUsed != "100" {
		o.t.Errorf("management addresses: %+v", c)
	}
	if whole[2].Total != 1<<40+5<<30 || whole[3].Total != 2*(1<<40+5<<30) || whole[9].Total != 4<<40 || whole[90].Total != 12 {
		o.t.Errorf("storage %+v, allocated %+v, local %+v, cores %+v", whole[2], whole[3], whole[9], whole[90])
	}
	if c := look(cs.ListCapacityIn{ClusterID: cl.ID}); c[0].Total != 12884901888 || c[0].ClusterName != "c" || c[2].Total != 1<<40 || len(c) != 6 {
		o.t.Errorf("cluster: %+v", c)
	}
	if c := look(cs.ListCapacityIn{PodID: p.ID, Type: new(5)}); len(c) != 1 || c[5].PodName != "rack" || c[5].Used != 2 {
		o.t.Errorf("pod: %+v", c)
	}
	page, err := api.Fetch(o.t.Context(), o.Client, cs.ListCapacity, cs.ListCapacityIn{ZoneID: z.ID, SortBy: "usage"})
	must(o.t, err)
	if len(page.Items) == 0 || page.Items[0].Type != 5 || page.Items[0].PodID != p.ID {
		o.t.Errorf("by usage: %+v", page.Items)
	}
	refusesList(o, cs.ListCapacity, cs.ListCapacityIn{Type: new(77)}, "type 77")
	zones, err := api.Fetch(o.t.Context(), o.Client, cs.ListZones, cs.ListZonesIn{ShowCapacities: true})
	must(o.t, err)
	if i := slices.IndexFunc(zones.Items[0].Capacity, func(c cs.Capacity) bool { return c.Type == 5 }); i < 0 {
		o.t.Errorf("listZones shows the capacities %+v", zones.Items[0].Capacity)
	}
	clusters, err := api.Fetch(o.t.Context(), o.Client, cs.ListClusters, cs.ListClustersIn{ID: cl.ID, ShowCapacities: true})
	must(o.t, err)
	if len(clusters.Items[0].Capacity) != 6 {
		o.t.Errorf("listClusters shows the capacities %+v", clusters.Items[0].Capacity)
	}
}

// What is wrong is refused, with what would be right, and changes nothing.
func TestDataCentreRefuses(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true, Rest: []string{"host-health"}})
	o := operator{c, t}
	z, p, cl := o.place()
	zoneIn := func(change func(*cs.CreateZoneIn)) cs.CreateZoneIn {
		in := cs.CreateZoneIn{Name: "x", NetworkType: "Advanced", DNS1: "8.8.8.8", InternalDNS1: "8.8.4.4"}
		change(&in)
		return in
	}
	for word, change := range map[string]func(*cs.CreateZoneIn){
		"dns1":         func(in *cs.CreateZoneIn) { in.DNS1 = "8.8.8" },
		"internaldns2": func(in *cs.CreateZoneIn) { in.InternalDNS2 = "::1" },
		"ip6dns2":      func(in *cs.CreateZoneIn) { in.IP6DNS2 = "8.8.8.8" },
		"not private":  func(in *cs.CreateZoneIn) { in.GuestCIDR = "8.8.8.0/24" },
		"10.1.1.0/24":  func(in *cs.CreateZoneIn) { in.GuestCIDR = "10.1.1.1/24" },
		"DNS domain":   func(in *cs.CreateZoneIn) { in.NetworkDomain = "a..b" },
		"basic zone":   func(in *cs.CreateZoneIn) { in.NetworkType, in.GuestCIDR = "Basic", "10.1.1.0/24" },
		"already":      func(in *cs.CreateZoneIn) { in.Name = "north" },
		"no domain":    func(in *cs.CreateZoneIn) { in.DomainID = uid.New[uid.Domain]() },
		"needs a name": func(in *cs.CreateZoneIn) { in.Name = " " },
	} {
		refuses(o, cs.CreateZone, zoneIn(change), word)
	}
	podIn := func(name, gateway, netmask, start, end string) cs.CreatePodIn {
		return cs.CreatePodIn{Name: name, ZoneID: z.ID, Gateway: gateway, Netmask: netmask, StartIP: start, EndIP: end}
	}
	refuses(o, cs.CreatePod, podIn("x", "192.168.7.129", "255.255.255.128", "192.168.7.130", ""), "overlaps", `"rack"`)
	refuses(o, cs.CreatePod, podIn("x", "", "255.255.255.0", "10.0.0.1", ""), "gateway is missing")
	refuses(o, cs.CreatePod, podIn("x", "10.0.0.1", "255.0.255.0", "10.0.0.2", ""), "one-bits")
	refuses(o, cs.CreatePod, podIn("x", "10.0.0.1", "255.255.255.0", "10.0.1.2", ""), "10.0.0.0/24")
	refuses(o, cs.CreatePod, podIn("x", "10.0.0.5", "255.255.255.0", "10.0.0.2", "10.0.0.9"), "gateway 10.0.0.5 lies in the range")
	refuses(o, cs.CreatePod, podIn("x", "10.0.0.1", "255.255.255.0", "10.0.0.9", "10.0.0.2"), "is after")
	refuses(o, cs.CreatePod, podIn("rack", "10.0.0.1", "255.255.255.0", "10.0.0.2", ""), "already")

	clusterIn := cs.AddClusterIn{Name: "x", Type: "CloudManaged", Hypervisor: "Simulator", PodID: p.ID, ZoneID: z.ID}
	for word, change := range map[string]func(*cs.AddClusterIn){
		"VMware only":  func(in *cs.AddClusterIn) { in.Type = "ExternalManaged" },
		"vsmipaddress": func(in *cs.AddClusterIn) { in.VSMAddress = "10.0.0.1" },
		"one of":       func(in *cs.AddClusterIn) { in.Hypervisor = "Abacus" },
		"above 0":      func(in *cs.AddClusterIn) { in.MemoryOvercommit = -1 },
		"already":      func(in *cs.AddClusterIn) { in.Name = "c" },
	} {
		in := clusterIn
		change(&in)
		refusesList(o, cs.AddCluster, in, word)
	}
	kvm := clusterIn
	kvm.Name, kvm.Hypervisor = "kvm", "kvm"
	without := added(o, cs.AddCluster, kvm)
	hostIn := cs.AddHostIn{ZoneID: z.ID, PodID: p.ID, ClusterID: cl.ID, Hypervisor: "Simulator", URL: "http://h"}
	for word, change := range map[string]func(*cs.AddHostIn){
		"no driver for KVM": func(in *cs.AddHostIn) { in.Hypervisor, in.ClusterID = "KVM", without.ID },
		"is for KVM hosts":  func(in *cs.AddHostIn) { in.ClusterID = without.ID },
		"http://name":       func(in *cs.AddHostIn) { in.URL = "ssh://h" },
		"without user":      func(in *cs.AddHostIn) { in.URL = "http://root:secret@" },
		"use one of them":   func(in *cs.AddHostIn) { in.ClusterName = "c" },
		"in which cluster":  func(in *cs.AddHostIn) { in.ClusterID = "" },
	} {
		in := hostIn
		change(&in)
		refusesList(o, cs.AddHost, in, word)
	}
	// A host that does not answer leaves nothing, neither its cluster nor its idempotency key.
	made(o, cs.ConfigureSimulator, cs.ConfigureSimulatorIn{ZoneID: z.ID, Name: "PingCommand", Value: "fault:silence", Count: 1})
	hostIn.ClusterID, hostIn.ClusterName, hostIn.IdempotencyKey = "", "fresh", "one"
	_, err := api.Fetch(t.Context(), c.Client, cs.AddHost, hostIn)
	refusedWith(t, err, 534, "silence")
	if left, err := api.Fetch(t.Context(), c.Client, cs.ListClusters, cs.ListClustersIn{Name: "fresh"}); err != nil || left.Count != 0 {
		t.Errorf("%d clusters are left, %v", left.Count, err)
	}
	h := added(o, cs.AddHost, hostIn)

	poolIn := cs.CreateStoragePoolIn{Name: "ps", URL: "file:///ps", ZoneID: z.ID, PodID: p.ID, ClusterID: cl.ID}
	for word, change := range map[string]func(*cs.CreateStoragePoolIn){
		"SharedMountPoint://localhost/path": func(in *cs.CreateStoragePoolIn) { in.URL = "nfs://10.0.0.1/export" },
		`kind "rbd"`:                        func(in *cs.CreateStoragePoolIn) { in.URL = "rbd://user:secret@mon/pool" },
		"names no directory":                func(in *cs.CreateStoragePoolIn) { in.URL = "file:///" },
		"on one machine only":               func(in *cs.CreateStoragePoolIn) { in.URL = "file://other/ps" },
		"needs podid":                       func(in *cs.CreateStoragePoolIn) { in.ClusterID = "" },
		"leave out podid":                   func(in *cs.CreateStoragePoolIn) { in.Scope = "ZONE" },
		"local storage":                     func(in *cs.CreateStoragePoolIn) { in.Scope = "HOST" },
		"DefaultPrimary":                    func(in *cs.CreateStoragePoolIn) { in.Provider = "SolidFire" },
		"no host is up":                     func(in *cs.CreateStoragePoolIn) {},
		"capacitybytes is -1":               func(in *cs.CreateStoragePoolIn) { in.CapacityBytes = -1 },
	} {
		in := poolIn
		change(&in)
		refuses(o, cs.CreateStoragePool, in, word)
		if strings.Contains(in.URL, "secret") {
			_, err := api.Do(t.Context(), c.Client, cs.CreateStoragePool, in)
			if strings.Contains(err.Error(), "secret") {
				t.Errorf("a secret is told: %v", err)
			}
		}
	}
	refuses(o, cs.UpdateZone, cs.UpdateZoneIn{ID: z.ID, Public: new(false)}, "everyone's")
	refuses(o, cs.UpdateZone, cs.UpdateZoneIn{ID: z.ID, DHCPProvider: new("F5")}, "VirtualRouter")
	refuses(o, cs.UpdatePod, cs.UpdatePodIn{ID: p.ID, StartIP: new("192.168.7.11")}, "lacks addresses", "1 host")
	grown := made(o, cs.UpdatePod, cs.UpdatePodIn{ID: p.ID, EndIP: new("192.168.7.99"), Name: new("tower")})
	if grown.EndIP[0] != "192.168.7.99" || grown.Name != "tower" {
		t.Errorf("%+v", grown)
	}
	refuses(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, Hypervisor: new("KVM")}, "1 Simulator hosts")
	refuses(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, CPUOvercommit: new(0.0)}, "above 0")
}

// A zone that a domain has for itself is shown to that domain and those below it, and used by them alone.
func TestDedicatedZone(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 1})
	o := operator{c, t}
	red, owner := c.Tenant(t, "red", "red", auth.User)
	blue, _ := c.Tenant(t, "blue", "blue", auth.User)
	z := made(o, cs.CreateZone, cs.CreateZoneIn{Name: "reds", NetworkType: "Advanced", DNS1: "8.8.8.8", InternalDNS1: "8.8.8.8", DomainID: owner.Domain})
	if z.DomainName != "red" || z.DomainID != owner.Domain {
		t.Errorf("%+v", z)
	}
	sees := func(who *api.Client) int {
		t.Helper()
		page, err := api.Fetch(t.Context(), who, cs.ListZones, cs.ListZonesIn{})
		must(t, err)
		return page.Count
	}
	if r, b, all := sees(red), sees(blue), sees(c.Client); r != 2 || b != 1 || all != 2 {
		t.Errorf("red sees %d zones, blue %d, root %d", r, b, all)
	}
	box := c.Sandbox(t)
	network := cs.CreateNetworkIn{Name: "n", OfferingID: box.NetworkOffering["DefaultL2NetworkOffering"], ZoneID: z.ID}
	_, err := api.Do(t.Context(), blue, cs.CreateNetwork, network)
	refusedWith(t, err, 431, "no zone")
	machine := box.Deploy()
	machine.ZoneID = z.ID
	_, err = api.Run(t.Context(), blue, cs.DeployVirtualMachine, machine)
	refusedWith(t, err, 431, "no zone")
	_, err = listed(t, blue, cs.RegisterTemplate, cs.RegisterTemplateIn{
		Name: "spy", URL: "https://example.org/spy.vhd", Format: "VHD", Hypervisor: "Simulator", ZoneID: string(z.ID),
	})
	refusedWith(t, err, 431, "no zone")
	system := auth.With(t.Context(), auth.System())
	_, err = c.Images.Create(system, image.Template{
		Name: "everywhere", Format: "VHD", Hypervisor: "Simulator", Account: auth.System().Account, Domain: auth.System().Domain, Public: true, Featured: true,
		Zone: z.ID, Place: image.Place{}, Ready: true,
	})
	must(t, err)
	for who, want := range map[*api.Client]int{red: 1, blue: 0, c.Client: 1} {
		if found, err := listed(t, who, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured", Name: "everywhere"}); err != nil || len(found) != want {
			t.Errorf("%d places of the template, want %d; %v", len(found), want, err)
		}
	}
	if z = made(o, cs.UpdateZone, cs.UpdateZoneIn{ID: z.ID, Public: new(true), SortKey: new(-1), Details: map[string]string{"a": "b"},
		DNSSearch: []string{"a.org", "b.org"}}); z.DomainID != "" || z.Details["a"] != "b" || z.Details["dnssearchorder"] != "a.org,b.org" || z.SortKey != -1 {
		t.Errorf("%+v", z)
	}
	if b := sees(blue); b != 2 {
		t.Errorf("blue sees %d zones", b)
	}
	made(o, cs.UpdateZone, cs.UpdateZoneIn{ID: z.ID, AllocationState: new("Disabled")})
	if b, all := sees(blue), sees(c.Client); b != 1 || all != 2 {
		t.Errorf("of a disabled zone blue sees %d, root %d", b, all)
	}
}

// Ratios change what hosts may give out, and machines keep what they have.
func TestOvercommit(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 1, Rest: []string{"host-health"}}, func(t *testing.T, c *cloudtest.Cloud) {
		o := operator{c, t}
		vm, err := api.Run(t.Context(), c.Client, cs.DeployVirtualMachine, c.Sandbox(t).Deploy())
		must(t, err)
		h := added(o, cs.ListHosts, cs.ListHostsIn{VMID: vm.ID})
		if !*h.EnoughCapacity || *h.Suitable {
			t.Errorf("%+v", h)
		}
		refuses(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, CPUOvercommit: new(0.01)}, "500 MHz", "320 MHz")
		refuses(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, MemoryOvercommit: new(0.01)}, "512 MB", "81 MB")
		made(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, CPUOvercommit: new(0.5), MemoryOvercommit: new(1.25)})
		if h = added(o, cs.ListHosts, cs.ListHostsIn{}); h.CPUTotal != "16000" || h.MemoryOvercommitted != "10737418240" {
			t.Errorf("%+v", h)
		}
		refuses(o, cs.DeleteHost, cs.DeleteHostIn{ID: h.ID}, "has 1 machine on it (i-")

		// Unmanaged hosts are left alone, also by the health rounds, until they are managed again.
		made(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, ManagedState: new("Unmanaged")})
		must(t, c.Keepers.Round(t.Context(), "host-health"))
		if h = added(o, cs.ListHosts, cs.ListHostsIn{}); h.State != "Disconnected" {
			t.Errorf("unmanaged, the host is %s", h.State)
		}
		_, err = api.Run(t.Context(), c.Client, cs.ReconnectHost, cs.ReconnectHostIn{ID: h.ID})
		refusedWith(t, err, 431, "left alone")
		made(o, cs.UpdateCluster, cs.UpdateClusterIn{ID: h.ClusterID, ManagedState: new("Managed")})
		again, err := api.Run(t.Context(), c.Client, cs.ReconnectHost, cs.ReconnectHostIn{ID: h.ID})
		must(t, err)
		if again.State != "Up" || again.CPUTotal != "16000" {
			t.Errorf("%+v", again)
		}
		made(o, cs.ConfigureSimulator, cs.ConfigureSimulatorIn{HostID: h.ID, Name: "PingCommand", Value: "fault:silence", Count: 1})
		_, err = api.Run(t.Context(), c.Client, cs.ReconnectHost, cs.ReconnectHostIn{ID: h.ID})
		if err == nil || !strings.Contains(err.Error(), "silence") {
			t.Errorf("a silent host was reconnected with %v", err)
		}
		if h = added(o, cs.ListHosts, cs.ListHostsIn{}); h.State != "Alert" || h.Disconnected.IsZero() {
			t.Errorf("%s since %v", h.State, h.Disconnected)
		}
	})
}
