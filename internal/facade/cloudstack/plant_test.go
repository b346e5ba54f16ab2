package cloudstack

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/address"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/credential"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/guarded"
	"github.com/virga-cloud/virga/internal/guest"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// running is a cloud in which machines run, on simulated hosts.
type running struct {
	*cloud
	world *sim.World

	zone, closed zone.Zone // closed is disabled
	pod          zone.Pod
	cluster      zone.Cluster
	hosts        []host.Host
	small, large offering.Compute
	disk, custom offering.Disk
	natted, l2   offering.Network
	template     image.Template
	private      image.Template // red-user's
	osType       uid.OSType
}

func eachPlant(t *testing.T, test func(p *running)) {
	dbtest.EachURL(t, func(t *testing.T, url string) { test(newPlant(t, url)) })
}

func newPlant(t *testing.T, url string) *running {
	t.Helper()
	c := &cloud{t: t, clock: &clock{}, log: &buffer{}, tenants: map[string]tenant{}}
	d := dbtest.OpenAt(t, url, time.Now)
	c.db = d
	countQueries(d)
	box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
	c.must(err)
	p := &running{cloud: c}
	p.world, err = sim.Open("", sim.Options{})
	c.must(err)
	t.Cleanup(func() { c.must(p.world.Close()) })

	settings := setting.New(d, nil)
	sessions := auth.NewSessions(d, func() time.Duration { return setting.SessionTimeout.Of(settings) })
	roles := role.New(d, Commands())
	roles.UsedBy(account.CountOfRole)
	c.accounts = account.New(account.Parts{
		DB: d, Box: box, Hasher: auth.NewHasher(auth.TestCost()), Sessions: sessions, Settings: settings, Roles: roles,
	})
	engine := op.NewEngine(d, op.Options{Poll: 5 * time.Millisecond, Pause: time.Millisecond})
	s := Services{
		DB: d, Engine: engine, Settings: settings, Accounts: c.accounts, Sessions: sessions, Roles: roles, Zones: zone.New(d, settings),
		Offerings: offering.New(d, settings), KeyPairs: keypair.New(d, c.accounts), Networks: network.New(d, engine, c.accounts, settings),
		PhysNets: physnet.New(d, engine, network.On),
	}
	drivers := hypervisor.Drivers{"Simulator": p.world}
	s.Pools = pool.New(pool.Parts{DB: d, Drivers: drivers, Volumes: volume.InPool})
	s.Hosts = host.New(host.Parts{DB: d, Engine: engine, Drivers: drivers, Clusters: s.Zones, Local: s.Pools, Machines: compute.HeldOn})
	s.Zones.UsedBy(network.CountIn, physnet.CountIn, host.CountIn, pool.CountIn, image.CountIn, volume.CountIn, compute.CountIn)
	s.Offerings.CountNetworks(network.CountOf)
	s.Images = image.New(image.Parts{DB: d, Engine: engine, Accounts: c.accounts, Hosts: s.Hosts, Settings: settings})
	s.Images.UsedBy(compute.OfTemplate)
	s.Volumes = volume.New(volume.Parts{DB: d, Engine: engine, Accounts: c.accounts, Hosts: s.Hosts, Settings: settings})
	s.Snapshots = snapshot.New(snapshot.Parts{
		DB: d, Engine: engine, Accounts: c.accounts, Hosts: s.Hosts, Images: s.Images, Volumes: s.Volumes,
	})
	s.Volumes.HeldBy(compute.Holder)
	s.Volumes.MadeFrom(s.Snapshots.Source)
	s.Routers = router.New(router.Parts{DB: d, Engine: engine, Hosts: s.Hosts})
	documents := document.New(d, nil)
	s.Groups = secgroup.New(secgroup.Parts{DB: d, Accounts: c.accounts, Engine: engine, Documents: documents, Drivers: s.Hosts,
		Machines: guarded.Machines{}})
	s.Machines = compute.New(compute.Parts{
		DB: d, Engine: engine, Accounts: c.accounts, Networks: s.Networks, Hosts: s.Hosts, Volumes: s.Volumes, Routers: s.Routers,
		Groups: s.Groups, Box: box,
	})
	s.Access = credential.New(credential.Parts{DB: d, Engine: engine, Accounts: c.accounts, Routers: s.Routers, Machines: s.Machines})
	s.Meter = meter.New(d, s.Hosts, settings)
	s.Kept = vmsnapshot.New(vmsnapshot.Parts{DB: d, Engine: engine, Hosts: s.Hosts, Machines: compute.Kept{}})
	s.Rules = rule.New(rule.Parts{DB: d, Engine: engine, Networks: s.Networks, Routers: s.Routers, Machines: guest.Reachable})
	s.Addresses = address.New(d, engine, s.Networks, s.Routers)
	s.Networks.RoutedBy(router.NameOf)
	s.Networks.EndsWith(s.Routers.End, router.Forget, rule.LeaveNetwork)
	guests := guest.Source{Machines: s.Machines}
	s.Routers.FilledBy(s.Rules.Fill, guests.Fill)
	s.Machines.ToldBy(guests.Drive)
	s.Tags = tag.New(d, engine, compute.Taggable, secgroup.Taggable, zone.Taggable)
	c.facade = New(s, front.Options{})
	t.Cleanup(s.Routers.Start(t.Context()))
	t.Cleanup(documents.Start(t.Context()))
	stop, err := engine.Start(t.Context())
	c.must(err)
	t.Cleanup(stop)
	c.people()
	p.build(s)
	c.server = httptest.NewServer(c.facade.Handler())
	t.Cleanup(c.server.Close)
	return p
}

// build makes a zone with two hosts, one that is closed, and something of everything that is offered.
func (p *running) build(s Services) {
	p.zone = made(p, s.Zones.CreateZone, zone.Zone{
		Name: "north", NetworkType: zone.Advanced, Allocation: zone.Enabled, DNS1: "10.9.9.9", InternalDNS1: "10.8.8.8", GuestCIDR: "10.7.0.0/16",
	})
	p.closed = made(p, s.Zones.CreateZone, zone.Zone{Name: "south", NetworkType: zone.Basic, Allocation: zone.Disabled})
	made(p, s.Networks.Wire, network.WireIn{
		WireIn: physnet.WireIn{CreateIn: physnet.CreateIn{Zone: p.zone.ID, Name: "wires", VLANs: "100-110"}},
		Public: network.CreateRangeIn{VLAN: "50", Gateway: "192.0.2.1", Netmask: "255.255.255.0", StartIP: "192.0.2.10", EndIP: "192.0.2.99"},
	})
	p.pod = made(p, s.Zones.CreatePod, zone.Pod{
		Zone: p.zone.ID, Name: "pod", Gateway: "172.16.0.1", Netmask: "255.255.0.0", StartIP: "172.16.0.2", EndIP: "172.16.0.99", Allocation: zone.Enabled,
	})
	p.cluster = made(p, s.Zones.CreateCluster, zone.Cluster{
		Zone: p.zone.ID, Pod: p.pod.ID, Name: "cluster", Hypervisor: "Simulator", Type: "CloudManaged", Allocation: zone.Enabled, Managed: "Managed",
		CPUOvercommit: 2, MemoryOvercommit: 1.5,
	})
	made(p, s.Pools.Create, pool.Pool{
		Zone: p.zone.ID, Pod: p.pod.ID, Cluster: p.cluster.ID, Name: "store", URL: "file:///nowhere", Type: "Filesystem", Scope: "CLUSTER", State: "Up",
		BytesPhysical: 1 << 42,
	})
	p.hosts = made(p, s.Hosts.Add, host.AddIn{
		Zone: p.zone.ID, Pod: p.pod.ID, Cluster: p.cluster.ID, Hypervisor: "Simulator", Names: []string{"h1", "h2"}, Addresses: []string{"1.1.1.1", "1.1.1.2"},
		Capacity: hypervisor.Capacity{CPUCores: 4, CPUSpeedMHz: 1000, MemoryMB: 8191}, CPUOvercommit: 2, MemoryOvercommit: 1.5,
	})
	p.small = made(p, s.Offerings.CreateCompute, offering.Compute{
		Name: "small", DisplayText: "a small one", CPUNumber: 1, CPUSpeed: 500, MemoryMB: 512, StorageType: "shared", State: offering.Active, OfferHA: true,
	})
	p.large = made(p, s.Offerings.CreateCompute, offering.Compute{
		Name: "large", DisplayText: "as it was", CPUNumber: 2, CPUSpeed: 1000, MemoryMB: 2048, StorageType: "shared", State: offering.Inactive,
	})
	made(p, s.Offerings.CreateCompute, offering.Compute{
		Name: "router", CPUNumber: 1, CPUSpeed: 100, MemoryMB: 64, StorageType: "shared", State: offering.Active, IsSystem: true, SystemType: "domainrouter",
	})
	p.disk = made(p, s.Offerings.CreateDisk, offering.Disk{Name: "five", DisplayText: "5 GB", SizeGB: 5, StorageType: "shared", State: offering.Active})
	p.custom = made(p, s.Offerings.CreateDisk, offering.Disk{Name: "any", Customized: true, StorageType: "shared", State: offering.Inactive})
	p.natted = made(p, s.Offerings.CreateNetwork, offering.Network{
		Name: "natted", DisplayText: "with a router", GuestType: offering.Isolated, TrafficType: "Guest", Availability: offering.Required,
		State: offering.Enabled, IsDefault: true, ConserveMode: true, NetworkRate: 200,
		Services: []offering.NetworkService{{Name: "Dhcp", Provider: "VirtualRouter"}, {Name: "SourceNat", Provider: "VirtualRouter"}, {Name: "Dhcp", Provider: "Other"}},
	})
	p.l2 = made(p, s.Offerings.CreateNetwork, offering.Network{
		Name: "flat", GuestType: offering.L2, TrafficType: "Guest", Availability: "Optional", State: offering.Enabled,
	})
	types := made(p, s.Images.CreateOSTypes, map[string][]string{"CentOS": {"CentOS 7", "CentOS 8"}, "Other": {"Other (64-bit)"}})
	p.osType = types["CentOS 7"]
	red, system := p.tenants["red-user"], auth.System()
	p.template = made(p, s.Images.Create, image.Template{
		Account: system.Account, Domain: system.Domain, Zone: p.zone.ID, OSType: p.osType, Name: "tiny", DisplayText: "a tiny one", Hypervisor: "Simulator",
		Format: "RAW", Type: "BUILTIN", URL: "http://example.org/tiny", Size: 2 * volume.GB, Public: true, Featured: true, Ready: true, PasswordEnabled: true,
	})
	p.private = made(p, s.Images.Create, image.Template{
		Account: red.Account, Domain: red.Domain, Zone: p.zone.ID, OSType: p.osType, Name: "mine", Hypervisor: "Simulator", Format: "RAW", Type: "USER",
		Size: volume.GB,
	})
}

// made makes a thing as the house.
func made[In, Out any](p *running, create func(context.Context, In) (Out, error), in In) Out {
	p.t.Helper()
	out, err := create(auth.With(p.t.Context(), auth.System()), in)
	p.must(err)
	return out
}

// list gives the items of a list, and how many there are in all.
func list[In, Item any](p *running, who string, command api.List[In, Item], params ...string) ([]Item, int) {
	p.t.Helper()
	r := p.answer(who, command, params...)
	var envelope map[string]map[string]json.RawMessage
	p.must(json.Unmarshal([]byte(r.body), &envelope))
	fields := envelope[api.Envelope(command.Name)]
	var items []Item
	var count int
	if len(fields) > 0 {
		p.must(json.Unmarshal(fields["count"], &count))
		if fields[command.Object] != nil {
			p.must(json.Unmarshal(fields[command.Object], &items))
		}
	}
	return items, count
}

// only gives the one item that a list has.
func only[In, Item any](p *running, who string, command api.List[In, Item], params ...string) Item {
	p.t.Helper()
	items, count := list(p, who, command, params...)
	if len(items) != 1 || count != 1 {
		p.t.Fatalf("%s %v by %s: %d of %d items, want one", command.Name, params, who, len(items), count)
	}
	return items[0]
}

// done starts a job, waits for its end, which must be a success, and gives the id of what it made and what it shows.
func done[In, Out any](p *running, who string, command api.Job[In, Out], params ...string) (string, Out) {
	p.t.Helper()
	started := p.begun(who, command, params...)
	ended := p.ended(who, started.JobID)
	if ended.Status != cs.JobSucceeded {
		p.t.Fatalf("%s %v by %s: %s", command.Name, params, who, ended.raw)
	}
	p.must(api.ValidateResult(command, []byte(ended.raw)))
	var out Out
	if command.Object == "" {
		p.must(json.Unmarshal([]byte(ended.raw), &out))
		return started.ID, out
	}
	var wrapper map[string]Out
	p.must(json.Unmarshal([]byte(ended.raw), &wrapper))
	return started.ID, wrapper[command.Object]
}

func (p *running) begun(who string, command api.Command, params ...string) api.Started {
	p.t.Helper()
	r := p.answer(who, command, params...)
	var envelope map[string]struct {
		ID    string `json:"id"`
		JobID uid.Op `json:"jobid"`
	}
	p.must(json.Unmarshal([]byte(r.body), &envelope))
	begun := envelope[api.Envelope(command.Describe().Name)]
	return api.Started{ID: begun.ID, JobID: begun.JobID}
}

func (p *running) ended(who string, id uid.Op) job {
	p.t.Helper()
	p.await(id)
	return p.query(who, id)
}

// basics are the parameters that every deployment has.
func (p *running) basics(more ...string) []string {
	return append([]string{
		"zoneid=" + string(p.zone.ID), "serviceofferingid=" + string(p.small.ID), "templateid=" + string(p.template.ID),
	}, more...)
}
