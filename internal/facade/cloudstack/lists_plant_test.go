package cloudstack

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
)

// Every filter of every list keeps what it says, for callers of each kind; and all answers have the declared shape.
func TestFilters(t *testing.T) {
	t.Parallel()
	eachPlant(t, func(p *running) {
		done(p, "red-user", cs.DeployVirtualMachine, p.basics("name=web1", "displayname=frontend", "diskofferingid="+string(p.disk.ID))...)
		done(p, "blue-user", cs.DeployVirtualMachine, p.basics("name=db1", "startvm=false")...)
		z, nowhere := "zoneid="+string(p.zone.ID), "zoneid="+string(p.closed.ID)
		vm := only(p, "red-user", cs.ListVirtualMachines)
		network, disk := only(p, "red-user", cs.ListNetworks), only(p, "red-user", cs.ListVolumes, "type=DATADISK")
		seen := only(p, "root", cs.ListVirtualMachines, "id="+string(vm.ID))
		for _, c := range []struct {
			who     string
			command api.Command
			params  string
			want    int
		}{
			{"root", cs.ListZones, "", 2},
			{"resource-admin", cs.ListZones, "", 2},
			{"red-admin", cs.ListZones, "", 1},
			{"red-user", cs.ListZones, "", 1},
			{"red-user", cs.ListZones, "id=" + string(p.closed.ID), 0},
			{"root", cs.ListZones, "id=" + string(p.closed.ID), 1},
			{"root", cs.ListZones, "ids=" + string(p.closed.ID) + "," + string(p.zone.ID), 2},
			{"root", cs.ListZones, "name=north", 1},
			{"root", cs.ListZones, "networktype=basic", 1},
			{"root", cs.ListZones, "keyword=ORT", 1},
			{"root", cs.ListZones, "available=true", 2},
			{"root", cs.ListZones, "available=false", 0},
			{"red-user", cs.ListZones, "available=false", 1},
			{"red-user", cs.ListZones, "available=false&id=" + string(p.closed.ID), 0},
			{"red-user", cs.ListZones, "available=false&id=" + string(p.zone.ID), 1},

			{"root", cs.ListPods, "", 1},
			{"resource-admin", cs.ListPods, z + "&id=" + string(p.pod.ID) + "&name=pod&allocationstate=enabled&keyword=o", 1},
			{"root", cs.ListPods, nowhere, 0},
			{"root", cs.ListPods, "id=" + string(p.zone.ID), 0},
			{"root", cs.ListPods, "name=po", 0},
			{"root", cs.ListPods, "allocationstate=Disabled", 0},
			{"root", cs.ListClusters, "", 1},
			{"root", cs.ListClusters, z + "&id=" + string(p.cluster.ID) + "&podid=" + string(p.pod.ID) +
				"&name=cluster&hypervisor=simulator&allocationstate=Enabled", 1},
			{"root", cs.ListClusters, nowhere, 0},
			{"root", cs.ListClusters, "podid=" + string(p.zone.ID), 0},
			{"root", cs.ListClusters, "hypervisor=KVM", 0},
			{"root", cs.ListHosts, "", 2},
			{"resource-admin", cs.ListHosts, z + "&podid=" + string(p.pod.ID) + "&clusterid=" + string(p.cluster.ID) +
				"&name=h1&type=routing&state=up&resourcestate=enabled&hypervisor=Simulator&id=" + string(p.hosts[0].ID), 1},
			{"root", cs.ListHosts, "state=Down", 0},
			{"root", cs.ListHosts, "type=SecondaryStorage", 0},
			{"root", cs.ListHosts, "resourcestate=Disabled", 0},
			{"root", cs.ListHosts, nowhere, 0},
			{"root", cs.ListHosts, "keyword=2", 1},
			{"red-user", cs.ListHypervisors, "", 1},
			{"red-user", cs.ListHypervisors, z, 1},
			{"red-user", cs.ListHypervisors, nowhere, 0},

			{"red-user", cs.ListServiceOfferings, "", 1},
			{"red-user", cs.ListServiceOfferings, "state=all", 2},
			{"red-user", cs.ListServiceOfferings, "state=inactive", 1},
			{"red-user", cs.ListServiceOfferings, "name=small&keyword=SMALL", 1},
			{"red-user", cs.ListServiceOfferings, "id=" + string(p.small.ID), 1},
			{"root", cs.ListServiceOfferings, "issystem=true", 1},
			{"red-user", cs.ListDiskOfferings, "", 1},
			{"red-user", cs.ListDiskOfferings, "state=Inactive", 1},
			{"red-user", cs.ListDiskOfferings, "state=all", 2},
			{"red-user", cs.ListDiskOfferings, "name=any", 0},
			{"red-user", cs.ListDiskOfferings, "id=" + string(p.disk.ID), 1},
			{"red-user", cs.ListNetworkOfferings, "", 2},
			{"red-user", cs.ListNetworkOfferings, "guestiptype=l2", 1},
			{"red-user", cs.ListNetworkOfferings, "sourcenatsupported=true&isdefault=true&specifyvlan=false&forvpc=false&availability=required" +
				"&state=enabled&traffictype=guest&name=natted&id=" + string(p.natted.ID), 1},
			{"red-user", cs.ListNetworkOfferings, "sourcenatsupported=false", 1},
			{"red-user", cs.ListNetworkOfferings, "isdefault=false", 1},
			{"red-user", cs.ListNetworkOfferings, "specifyvlan=true", 0},
			{"red-user", cs.ListNetworkOfferings, "forvpc=true", 0},
			{"red-user", cs.ListNetworkOfferings, "state=Disabled", 0},
			{"red-user", cs.ListNetworkOfferings, "displaytext=with a router", 1},

			{"blue-user", cs.ListTemplates, "templatefilter=featured", 1},
			{"blue-user", cs.ListTemplates, "templatefilter=executable", 1},
			{"blue-user", cs.ListTemplates, "templatefilter=self", 0},
			{"blue-user", cs.ListTemplates, "templatefilter=community", 0},
			{"red-user", cs.ListTemplates, "templatefilter=self", 1},
			{"red-user", cs.ListTemplates, "templatefilter=selfexecutable", 0},
			{"red-user", cs.ListTemplates, "templatefilter=sharedexecutable", 0},
			{"red-admin", cs.ListTemplates, "templatefilter=all", 1},
			{"root", cs.ListTemplates, "templatefilter=all", 2},
			{"root", cs.ListTemplates, "templatefilter=all&account=red-user&domainid=" + string(p.tenants["red-user"].Domain), 1},
			{"root", cs.ListTemplates, "templatefilter=featured&" + nowhere, 0},
			{"root", cs.ListTemplates, "templatefilter=featured&hypervisor=simulator&name=tiny&ids=" + string(p.template.ID) + "&" + z, 1},
			{"blue-user", cs.ListTemplates, "templatefilter=self&id=" + string(p.private.ID), 0},
			{"red-admin", cs.ListTemplates, "templatefilter=self&id=" + string(p.private.ID), 1},
			{"red-user", cs.ListOsTypes, "", 3},
			{"red-user", cs.ListOsTypes, "id=" + string(p.osType), 1},
			{"red-user", cs.ListOsTypes, "description=CentOS 8", 1},
			{"red-user", cs.ListOsTypes, "keyword=centos", 2},

			{"red-user", cs.ListNetworks, "", 1},
			{"root", cs.ListNetworks, "", 0},
			{"root", cs.ListNetworks, "listall=true", 2},
			{"root", cs.ListNetworks, "id=" + string(network.ID), 1},
			{"blue-user", cs.ListNetworks, "id=" + string(network.ID), 0},
			{"red-user", cs.ListNetworks, "type=isolated&traffictype=guest&canusefordeploy=true&networkofferingid=" + string(p.natted.ID) + "&" + z, 1},
			{"red-user", cs.ListNetworks, "type=L2", 0},
			{"red-user", cs.ListNetworks, "canusefordeploy=false", 0},
			{"red-user", cs.ListNetworks, "traffictype=Public", 0},
			{"red-user", cs.ListNetworks, nowhere, 0},

			{"root", cs.ListVirtualMachines, "", 0},
			{"root", cs.ListVirtualMachines, "listall=true", 2},
			{"root", cs.ListVirtualMachines, "listall=true&state=Running", 1},
			{"root", cs.ListVirtualMachines, "listall=true&state=present", 2},
			{"root", cs.ListVirtualMachines, "listall=true&name=EB", 1},
			{"root", cs.ListVirtualMachines, "listall=true&keyword=front", 1},
			{"root", cs.ListVirtualMachines, "listall=true&page=2&pagesize=1", 2},
			{"root", cs.ListVirtualMachines, "listall=true&pagesize=-1", 2},
			{"root", cs.ListVirtualMachines, "listall=true&podid=" + string(p.pod.ID), 1},
			{"root", cs.ListVirtualMachines, "listall=true&hostid=" + string(seen.HostID), 1},
			{"root", cs.ListVirtualMachines, "account=red-user&domainid=" + string(p.tenants["red-user"].Domain), 1},
			{"red-admin", cs.ListVirtualMachines, "listall=true", 1},
			{"red-user", cs.ListVirtualMachines, "ids=" + string(vm.ID), 1},
			{"blue-user", cs.ListVirtualMachines, "id=" + string(vm.ID), 0},
			{"red-user", cs.ListVirtualMachines, "templateid=" + string(p.template.ID) + "&serviceofferingid=" + string(p.small.ID) + "&" + z +
				"&hypervisor=simulator&networkid=" + string(network.ID), 1},
			{"red-user", cs.ListVirtualMachines, "templateid=" + string(p.private.ID), 0},
			{"red-user", cs.ListVirtualMachines, "serviceofferingid=" + string(p.large.ID), 0},
			{"red-user", cs.ListVirtualMachines, nowhere, 0},
			{"red-user", cs.ListVirtualMachines, "hypervisor=KVM", 0},

			{"red-user", cs.ListVolumes, "", 2},
			{"root", cs.ListVolumes, "listall=true", 3},
			{"root", cs.ListVolumes, "virtualmachineid=" + string(vm.ID), 2},
			{"blue-user", cs.ListVolumes, "virtualmachineid=" + string(vm.ID), 0},
			{"red-user", cs.ListVolumes, "type=root", 1},
			{"red-user", cs.ListVolumes, "state=ready", 2},
			{"blue-user", cs.ListVolumes, "state=allocated&" + z, 1},
			{"red-user", cs.ListVolumes, "name=" + disk.Name, 1},
			{"red-user", cs.ListVolumes, "ids=" + string(disk.ID), 1},
			{"red-user", cs.ListVolumes, nowhere, 0},
			{"root", cs.ListVolumes, "listall=true&podid=" + string(p.pod.ID), 2},
		} {
			var params []string
			if c.params != "" {
				params = strings.Split(c.params, "&")
			}
			r := p.answer(c.who, c.command, params...)
			if got := countOf(r.body); got != c.want {
				t.Errorf("%s: %s %s: %d, want %d: %s", c.who, c.command.Describe().Name, c.params, got, c.want, r.body)
			}
		}
		for _, c := range []struct {
			who, command, params string
			status               int
		}{
			{"red-user", "listTemplates", "templatefilter=all", 531},
			{"red-user", "listTemplates", "templatefilter=mine", 431},
			{"red-user", "listServiceOfferings", "issystem=true", 531},
			{"red-user", "listServiceOfferings", "state=old", 431},
			{"red-user", "listVirtualMachines", "account=blue-user", 531},
			{"root", "listVirtualMachines", "id=" + string(vm.ID) + "&ids=" + string(vm.ID), 431},
			{"red-user", "listVirtualMachines", "hostid=" + string(seen.HostID), 431},
		} {
			failed(t, p.as(c.who, c.command, strings.Split(c.params, "&")...), strings.ToLower(c.command)+"response", c.status)
		}
	})
}

// countOf reads the count of a list, 0 where it has none.
func countOf(body string) (n int) {
	_, after, found := strings.Cut(body, `"count":`)
	if !found {
		return 0
	}
	for _, c := range after {
		if c < '0' || c > '9' {
			break
		}
		n = 10*n + int(c-'0')
	}
	return n
}

func TestPlantIsShown(t *testing.T) {
	t.Parallel()
	eachPlant(t, func(p *running) {
		done(p, "red-user", cs.DeployVirtualMachine, p.basics()...)
		vm := only(p, "root", cs.ListVirtualMachines, "listall=true")
		done(p, "red-user", cs.DeployVirtualMachine, p.basics("startvm=false")...)
		if a := only(p, "red-user", cs.ListAccounts); *a.VMRunning != 1 || *a.VMStopped != 1 || *a.VMTotal != 2 {
			t.Errorf("%+v", a)
		}
		h := only(p, "root", cs.ListHosts, "id="+string(vm.HostID))
		if h.CPUNumber != 4 || h.CPUSpeed != 1000 || h.CPUAllocated != "12.5%" || h.CPUAllocatedPercentage != "12.5%" || *h.CPUAllocatedValue != 500 ||
			h.CPUAllocatedShare != "6.25%" || h.CPUTotal != "8000" || *h.MemoryTotal != 8191<<20 || *h.MemoryAllocated != 512<<20 ||
			*h.MemoryAllocatedBytes != 512<<20 || h.MemoryAllocatedPercentage != "6.25%" || h.MemoryOvercommitted != "12882804736" ||
			h.ClusterName != "cluster" || h.ClusterType != "CloudManaged" || h.PodName != "pod" || h.ZoneName != "north" || h.Created.IsZero() ||
			h.LastPinged.IsZero() || h.State != "Up" {
			t.Errorf("%+v", h)
		}
		c := only(p, "root", cs.ListClusters)
		if c.CPUOvercommit != "2" || c.MemoryOvercommit != "1.5" || c.PodName != "pod" || c.ZoneName != "north" || c.ManagedState != "Managed" {
			t.Errorf("%+v", c)
		}
		pod := only(p, "root", cs.ListPods)
		if pod.ZoneName != "north" || pod.StartIP[0] != "172.16.0.2" || pod.EndIP[0] != "172.16.0.99" || pod.Gateway != "172.16.0.1" {
			t.Errorf("%+v", pod)
		}
		if z := only(p, "red-user", cs.ListZones); z.DNS1 != "10.9.9.9" || z.InternalDNS1 != "" || z.GuestCIDR != "10.7.0.0/16" {
			t.Errorf("%+v", z)
		}
		if z := only(p, "root", cs.ListZones, "name=north"); z.InternalDNS1 != "10.8.8.8" {
			t.Errorf("%+v", z)
		}
		tpl := only(p, "red-user", cs.ListTemplates, "templatefilter=featured")
		if !tpl.Ready || tpl.Status != "Download Complete" || tpl.ZoneName != "north" || tpl.OSTypeName != "CentOS 7" || tpl.Account == "" ||
			tpl.AccountID == "" || tpl.URL != "" || tpl.Size != 2<<30 {
			t.Errorf("%+v", tpl)
		}
		if tpl = only(p, "red-user", cs.ListTemplates, "templatefilter=self"); tpl.Ready || tpl.Status != "Downloading" || tpl.DomainPath != "ROOT/red" {
			t.Errorf("%+v", tpl)
		}
		os := only(p, "red-user", cs.ListOsTypes, "id="+string(p.osType))
		if os.CategoryName != "CentOS" || os.Name != "CentOS 7" || os.Description != "CentOS 7" {
			t.Errorf("%+v", os)
		}
		if _, n := list(p, "red-user", cs.ListOsTypes, "oscategoryid="+string(os.CategoryID)); n != 2 {
			t.Errorf("%d OS types of the category", n)
		}
		off := only(p, "red-user", cs.ListNetworkOfferings, "guestiptype=Isolated")
		if len(off.Services) != 2 || off.Services[0].Name != "Dhcp" || len(off.Services[0].Providers) != 2 || off.NetworkRate != 200 || !off.ConserveMode {
			t.Errorf("%+v", off)
		}
		n := only(p, "red-user", cs.ListNetworks)
		if n.VLAN != "" || n.BroadcastURI != "" || n.CIDR != "10.7.0.0/16" || n.Gateway != "10.7.0.1" || n.Netmask != "255.255.0.0" ||
			n.State != "Implemented" || n.DNS1 != "10.9.9.9" || n.OfferingName != "natted" || n.OfferingDisplayText != "with a router" ||
			n.OfferingAvailability != "Required" || !n.OfferingConserveMode || len(n.Services) != 2 || !n.CanDeploy || n.ACLType != "Account" ||
			n.Account != "red-user" || n.ZoneName != "north" || n.PhysicalNetworkID == "" || n.Created.IsZero() {
			t.Errorf("%+v", n)
		}
		if n = only(p, "root", cs.ListNetworks, "listall=true"); n.VLAN != "100" || n.BroadcastURI != "vlan://100" {
			t.Errorf("%+v", n)
		}
	})
}

// queries counts what bun asks of the database in contexts that carry a counter.
type queries struct{}

type countKey struct{}

func (queries) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context {
	if n, ok := ctx.Value(countKey{}).(*atomic.Int64); ok {
		n.Add(1)
	}
	return ctx
}

func (queries) AfterQuery(context.Context, *bun.QueryEvent) {}

func countQueries(d *db.DB) { d.Read().IDB.(*bun.DB).AddQueryHook(queries{}) } //nolint:staticcheck // the database is open already

// A list costs the same number of queries however many rows it has.
func TestListsCostTheSame(t *testing.T) {
	t.Parallel()
	p := newPlant(t, dbtest.SQLite(t))
	cost := func(command api.Command, params api.Params) int64 {
		var n atomic.Int64
		root := p.tenants["root"]
		e, _ := p.facade.mux.Find(command.Describe().Name)
		ctx := db.Counting(context.WithValue(auth.With(t.Context(), root.Caller), countKey{}, &n), &n)
		_, err := e.Invoke(ctx, params, front.RoleOf(root.Caller))
		p.must(err)
		return n.Load()
	}
	all := api.Params{"listall": "true"}
	commands := []api.Command{cs.ListVirtualMachines, cs.ListVolumes, cs.ListNetworks, cs.ListHosts, cs.ListAccounts}
	deploy := func() {
		done(p, "red-user", cs.DeployVirtualMachine, p.basics("diskofferingid="+string(p.disk.ID))...)
		p.answer("red-user", cs.CreateNetwork, "name=more", "networkofferingid="+string(p.l2.ID), "zoneid="+string(p.zone.ID))
	}
	deploy()
	before := map[string]int64{}
	for _, c := range commands {
		before[c.Describe().Name] = cost(c, all)
	}
	for range 4 {
		deploy()
	}
	for _, c := range commands {
		name := c.Describe().Name
		if now := cost(c, all); now != before[name] || now == 0 || now > 15 {
			t.Errorf("%s: %d queries with one machine, %d with five", name, before[name], now)
		}
	}
	if whole, least := cost(cs.ListVirtualMachines, all), cost(cs.ListVirtualMachines, api.Params{"listall": "true", "details": "min"}); least >= whole {
		t.Errorf("%d queries for everything, %d for the least", whole, least)
	}
}
