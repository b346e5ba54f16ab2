package datacenter

import (
	"cmp"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
)

var (
	zones = noun{
		kind: "zone", list: "listZones", object: "zone", key: "name", create: "createZone", update: "updateZone",
		fields: map[string]string{"securitygroupenabled": "securitygroupsenabled"},
		mutable: []string{"dns1", "dns2", "ip6dns1", "ip6dns2", "internaldns1", "internaldns2", "guestcidraddress", "domain", "localstorageenabled",
			"allocationstate"},
	}
	physicalNetworks = noun{
		kind: "physical network", list: "listPhysicalNetworks", object: "physicalnetwork", key: "name", create: "createPhysicalNetwork",
		update: "updatePhysicalNetwork", mutable: []string{"vlan", "networkspeed", "tags", "state"},
	}
	trafficTypes = noun{
		kind: "traffic type", list: "listTrafficTypes", object: "traffictype", key: "traffictype", create: "addTrafficType", hidden: []string{"vlan"},
	}
	providers = noun{
		kind: "network service provider", list: "listNetworkServiceProviders", object: "networkserviceprovider", key: "name",
		create: "addNetworkServiceProvider", update: "updateNetworkServiceProvider", mutable: []string{"state"},
	}
	routerElements = noun{
		kind: "virtual router element of", list: "listVirtualRouterElements", object: "virtualrouterelement", key: "nspid",
		update: "configureVirtualRouterElement", mutable: []string{"enabled"},
	}
	ipRanges = noun{
		kind: "IP range", list: "listVlanIpRanges", object: "vlaniprange", made: "vlan", key: "startip", create: "createVlanIpRange",
		alike: func(t thing, param, value string) bool {
			return param == "vlan" && same(strings.TrimPrefix(t.text("vlan"), "vlan://"), strings.TrimPrefix(value, "vlan://"))
		},
	}
	pods = noun{
		kind: "pod", list: "listPods", object: "pod", key: "name", create: "createPod", update: "updatePod",
		mutable: []string{"gateway", "netmask", "startip", "endip", "allocationstate"},
	}
	clusters = noun{
		kind: "cluster", list: "listClusters", object: "cluster", key: "clustername", create: "addCluster", update: "updateCluster",
		fields:  map[string]string{"clustername": "name", "hypervisor": "hypervisortype"},
		mutable: []string{"allocationstate", "cpuovercommitratio", "memoryovercommitratio"},
	}
	hosts = noun{
		kind: "host", list: "listHosts", object: "host", key: "name", create: "addHost", update: "updateHost",
		fields: map[string]string{"allocationstate": "resourcestate"}, mutable: []string{"hosttags", "allocationstate"},
		said: map[string]string{"allocationstate enabled": "Enable", "allocationstate disabled": "Disable"},
	}
	pools = noun{
		kind: "primary storage", list: "listStoragePools", object: "storagepool", key: "name", create: "createStoragePool",
		fields: map[string]string{"capacitybytes": "disksizetotal", "url": "path"}, hidden: []string{"capacitybytes"}, alike: liesAt,
	}
	imageStores = noun{
		kind: "secondary storage", list: "listImageStores", object: "imagestore", key: "url", create: "addImageStore",
		fields: map[string]string{"provider": "providername"},
	}
)

func (r *run) zone(z Zone) {
	t, made := r.ensure(zones, wanted{
		name: z.Name, only: api.Params{"allocationstate": "Disabled"}, params: api.Params{
			"networktype": z.NetworkType, "dns1": z.DNS1, "dns2": z.DNS2, "ip6dns1": z.IP6DNS1, "ip6dns2": z.IP6DNS2, "internaldns1": z.InternalDNS1,
			"internaldns2": z.InternalDNS2, "guestcidraddress": z.GuestCIDR, "domain": z.Domain,
			"securitygroupenabled": string(z.SecurityGroupEnabled), "localstorageenabled": string(z.LocalStorageEnabled),
		},
	})
	if r.err != nil {
		return
	}
	in := place{zone: t.id(), within: "zone " + z.Name, basic: strings.EqualFold(z.NetworkType, "Basic"), groups: z.SecurityGroupEnabled == "true"}
	for _, p := range z.PhysicalNetworks {
		r.physicalNetwork(in, p)
	}
	for _, rg := range z.IPRanges {
		r.ipRange(in, rg, api.Params{"forvirtualnetwork": "true"}, nil)
	}
	for _, p := range z.Pods {
		r.pod(in, p)
	}
	for _, p := range z.PrimaryStorages {
		r.pool(in, p, api.Params{"scope": "ZONE"}, api.Params{"hypervisor": p.Hypervisor})
	}
	for _, s := range z.SecondaryStorages {
		r.imageStore(in, s)
	}
	r.settings(z.Settings, in.within, "zoneid", in.zone)
	// Last of all, so that nobody's machines are placed in a zone that is being built.
	state := z.AllocationState
	if made && state == "" {
		state = "Enabled"
	}
	if state != "" && !same(state, allocationState(t, made)) {
		r.set(zones, t, z.Name, "", "allocationstate", state)
	}
}

// allocationState is a zone's now: one that was just made is closed.
func allocationState(t thing, made bool) string {
	if made {
		return "Disabled"
	}
	return t.text("allocationstate")
}

// set changes one field of a thing.
func (r *run) set(n noun, t thing, name, within, param, value string) {
	if r.err != nil {
		return
	}
	r.o.Report(Change{Verb: Changed, Kind: n.kind, Name: name, In: within, What: []string{param + " -> " + value}})
	if !r.o.DryRun {
		r.call(n.update, api.Params{"id": t.id(), param: value})
	}
}

// place is where things are made.
type place struct {
	zone, pod, cluster string // ids
	within             string // for people
	basic, groups      bool   // of the zone: networking, security groups
	hypervisor         string
}

func (r *run) physicalNetwork(in place, p PhysicalNetwork) {
	t, _ := r.ensure(physicalNetworks, wanted{
		name: p.Name, within: in.within, where: api.Params{"zoneid": in.zone}, params: api.Params{
			"vlan": string(p.VLAN), "networkspeed": p.Speed, "tags": strings.Join(p.Tags, ","), "broadcastdomainrange": p.BroadcastDomainRange,
			"isolationmethods": strings.Join(p.IsolationMethods, ","),
		},
	})
	if r.err != nil {
		return
	}
	within := "physical network " + p.Name
	for _, tt := range p.TrafficTypes {
		r.ensure(trafficTypes, wanted{
			name: tt.TrafficType, within: within, where: api.Params{"physicalnetworkid": t.id()}, params: api.Params{
				"kvmnetworklabel": tt.KVM, "vmwarenetworklabel": tt.VMware, "xennetworklabel": tt.XenServer, "vlan": string(tt.VLAN),
			},
		})
	}
	for _, provider := range p.Providers {
		r.provider(t.id(), within, provider)
	}
	r.enable(physicalNetworks, t, p.Name, in.within)
}

// enable opens a thing that answers with a state.
func (r *run) enable(n noun, t thing, name, within string) {
	if !same(t.text("state"), "Enabled") {
		r.set(n, t, name, within, "state", "Enabled")
	}
}

// provider sees to it that a provider is there and enabled: a router's after its element.
func (r *run) provider(network, within string, p Provider) {
	t, _ := r.ensure(providers, wanted{name: p.Name, within: within, where: api.Params{"physicalnetworkid": network}})
	if r.err != nil {
		return
	}
	if strings.HasSuffix(strings.ToLower(p.Name), "virtualrouter") && t.id() != isNew {
		for _, e := range r.list(routerElements.list, routerElements.object, api.Params{"nspid": t.id()}) {
			if e.text("enabled") == "true" {
				continue
			}
			r.set(routerElements, e, p.Name, within, "enabled", "true")
		}
	}
	r.enable(providers, t, p.Name, within)
}

// ipRange sees to it that a range of addresses is there. where tells its kind.
func (r *run) ipRange(in place, rg IPRange, where, only api.Params) {
	if r.err != nil {
		return
	}
	w := wanted{
		name: rg.StartIP, within: in.within, where: api.Params{"zoneid": in.zone}, only: only, params: api.Params{
			"gateway": rg.Gateway, "netmask": rg.Netmask, "endip": rg.EndIP,
		},
	}
	maps.Copy(w.where, where)
	w.params["vlan"] = string(rg.VLAN)
	r.ensure(ipRanges, w)
}

func (r *run) pod(in place, p Pod) {
	t, _ := r.ensure(pods, wanted{
		name: p.Name, within: in.within, where: api.Params{"zoneid": in.zone}, params: api.Params{
			"gateway": p.Gateway, "netmask": p.Netmask, "startip": p.StartIP, "endip": p.EndIP, "allocationstate": p.AllocationState,
		},
	})
	if r.err != nil {
		return
	}
	in.pod, in.within = t.id(), "pod "+p.Name
	if len(p.GuestIPRanges) > 0 {
		network := r.guestNetwork(in)
		for _, rg := range p.GuestIPRanges {
			r.ipRange(in, rg, api.Params{"podid": in.pod}, api.Params{"forvirtualnetwork": "false", "networkid": network})
		}
	}
	for _, c := range p.Clusters {
		r.cluster(in, c)
	}
}

// The shared network of a basic zone and its offering, named as CloudStack's own set-up does.
const guestNetworkName = "guestNetworkForBasicZone"

func (r *run) guestNetwork(in place) string {
	offering := "DefaultSharedNetworkOffering"
	if in.groups {
		offering = "DefaultSharedNetworkOfferingWithSGService"
	}
	networks := noun{kind: "network", list: "listNetworks", object: "network", key: "name", create: "createNetwork"}
	w := wanted{name: guestNetworkName, within: in.within, where: api.Params{"zoneid": in.zone}, only: api.Params{"displaytext": guestNetworkName}}
	for _, o := range r.list("listNetworkOfferings", "networkoffering", api.Params{"name": offering}) {
		w.only["networkofferingid"] = o.id()
	}
	if r.err == nil && w.only["networkofferingid"] == "" {
		r.err = fmt.Errorf("a basic zone's network is made from the network offering %s, and there is none", offering)
	}
	t, _ := r.ensure(networks, w)
	return t.id()
}

func (r *run) cluster(in place, c Cluster) {
	clusterType := c.ClusterType
	if clusterType == "" {
		clusterType = "CloudManaged"
	}
	t, _ := r.ensure(clusters, wanted{
		name: c.Name, within: in.within, where: api.Params{"zoneid": in.zone, "podid": in.pod}, params: api.Params{
			"hypervisor": c.Hypervisor, "clustertype": clusterType, "allocationstate": c.AllocationState,
			"cpuovercommitratio": ratio(c.CPUOvercommitRatio), "memoryovercommitratio": ratio(c.MemoryOvercommitRatio),
		},
	})
	if r.err != nil {
		return
	}
	in.cluster, in.within, in.hypervisor = t.id(), "cluster "+c.Name, c.Hypervisor
	r.hosts(in, c.Hosts)
	for _, p := range c.PrimaryStorages {
		r.pool(in, p, api.Params{"podid": in.pod, "clusterid": in.cluster}, nil)
	}
}

// hosts asks once which hosts the cluster has: there may be thousands.
func (r *run) hosts(in place, list []Host) {
	if len(list) == 0 || r.err != nil {
		return
	}
	var have []thing
	if in.cluster != isNew {
		have = r.list(hosts.list, hosts.object, api.Params{"clusterid": in.cluster, "type": "Routing"})
	}
	for _, h := range list {
		if r.err != nil {
			return
		}
		w := wanted{
			name: hostName(h.URL), within: in.within, params: api.Params{}, only: api.Params{
				"zoneid": in.zone, "podid": in.pod, "clusterid": in.cluster, "hypervisor": in.hypervisor, "url": h.URL, "username": h.Username,
				"password": h.Password,
			},
		}
		if len(h.HostTags) > 0 {
			w.params["hosttags"] = strings.Join(h.HostTags, ",")
		}
		if h.AllocationState != "" {
			w.params["allocationstate"] = h.AllocationState
		}
		maps.DeleteFunc(w.only, func(_, value string) bool { return value == "" })
		n := hosts
		if t := hosts.find(have, w.name); t != nil {
			if state := t.text("resourcestate"); !same(state, "Enabled") && !same(state, "Disabled") { // it comes out of maintenance first
				n.mutable = []string{"hosttags"}
			}
			r.adjust(n, w, t)
			continue
		}
		n.key = "" // a host's name is made from its URL
		r.o.Report(Change{Verb: Created, Kind: n.kind, Name: w.name, In: w.within})
		if !r.o.DryRun {
			maps.Copy(w.only, w.params)
			r.call(n.create, w.only)
		}
	}
}

// hostName is what a host of that URL is called: http://sim/c0/h0 is sim.c0.h0.
func hostName(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return address
	}
	return strings.Join(append([]string{u.Hostname()}, strings.FieldsFunc(u.Path, func(c rune) bool { return c == '/' })...), ".")
}

func (r *run) pool(in place, p PrimaryStorage, where, only api.Params) {
	w := wanted{
		name: p.Name, within: in.within, where: api.Params{"zoneid": in.zone}, only: only, params: api.Params{
			"url": p.URL, "tags": strings.Join(p.Tags, ","),
		},
	}
	maps.Copy(w.where, where)
	if p.CapacityBytes > 0 {
		w.params["capacitybytes"] = strconv.FormatInt(p.CapacityBytes, 10)
	}
	r.ensure(pools, w)
}

// liesAt tells whether a pool is the one that a URL names: answers show its kind and path.
func liesAt(t thing, param, value string) bool {
	u, err := url.Parse(value)
	if param != "url" || err != nil {
		return false
	}
	kind := u.Scheme
	if same(kind, "file") {
		kind = "Filesystem"
	}
	return same(t.text("type"), kind) && path.Clean(t.text("path")) == path.Clean(u.Path)
}

func (r *run) imageStore(in place, s ImageStore) {
	r.ensure(imageStores, wanted{
		name: s.URL, within: in.within, where: api.Params{"zoneid": in.zone},
		params: api.Params{"name": s.Name, "provider": cmp.Or(s.Provider, folder)},
	})
}

// folder is the provider of image stores that are folders.
const folder = "Local"

func ratio(x float64) string {
	if x == 0 {
		return ""
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// settings sets what differs: global settings, or those of one place.
func (r *run) settings(want map[string]Text, within, scope, id string) {
	if len(want) == 0 || r.err != nil {
		return
	}
	where := api.Params{}
	if scope != "" {
		where[scope] = id
	}
	have := map[string]thing{}
	if id != isNew {
		for _, t := range r.list("listConfigurations", "configuration", where) {
			have[t.text("name")] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		value := string(want[name])
		t, known := have[name]
		switch {
		case r.err != nil:
			return
		case !known && id != isNew:
			r.o.Note(fmt.Sprintf("setting %s is left out: this cloud has none of that name", name))
		case known && same(t.text("value"), value):
			r.o.Report(Change{Verb: Same, Kind: "setting", Name: name, In: within})
		default:
			r.o.Report(Change{Verb: Changed, Kind: "setting", Name: name, In: within,
				What: []string{fmt.Sprintf("%s -> %s", orNone(t.text("value")), value)}})
			if !r.o.DryRun {
				params := maps.Clone(where)
				params["name"], params["value"] = name, value
				r.call("updateConfiguration", params)
			}
		}
	}
}
