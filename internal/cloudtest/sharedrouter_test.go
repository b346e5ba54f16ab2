package cloudtest_test

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/uid"
)

// documents are what the routers of a network have been told when they know all there is to tell, by pod. Each must be what it would be
// told of all at once.
func documents(t *testing.T, c *cloudtest.Cloud, network uid.Network) map[uid.Pod]hypervisor.Router {
	t.Helper()
	ctx := t.Context()
	must(t, c.Routers.Round(ctx))
	var revision int64
	must(t, c.DB.Read().NewRaw("select revision from networks where id = ?", network).Scan(ctx, &revision))
	for reached := false; !reached; {
		var err error
		reached, err = c.Routers.Reached(ctx, c.DB.Read(), map[uid.Network]int64{network: revision})
		must(t, err)
	}
	found, _, err := c.Routers.List(ctx, router.Filter{Scope: auth.Scope{All: true}, Network: network})
	must(t, err)
	out := map[uid.Pod]hypervisor.Router{}
	for _, r := range found {
		doc, err := c.World.Router(ctx, r.Host, r.ID)
		must(t, err)
		r.Applied = 0
		whole, err := c.Routers.Desired(ctx, c.DB.Read(), r)
		must(t, err)
		if is, want := strings.ReplaceAll(asJSON(t, doc), `"Guests": null`, `"Guests": []`), asJSON(t, whole); is != want {
			t.Errorf("router %s is\n%s\nwant\n%s", r.Name, is, want)
		}
		out[r.Pod] = doc
	}
	return out
}

// guestsOf are the names of a router's guests.
func guestsOf(doc hypervisor.Router) (names []string) {
	for _, g := range doc.Segments[0].Guests {
		names = append(names, g.Name)
	}
	slices.Sort(names)
	return names
}

// A shared network gets its router with its first machine: the cloud's own, with an address of the network's range that no machine gets,
// beside the operator's gateway. It knows the machines of all tenants, and none of these knows of it.
func TestSharedNetworkRouter(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, account := c.Tenant(t, "red", "red", auth.DomainAdmin)
		lan, err := api.Do(ctx, c.Client, cs.CreateNetwork, cs.CreateNetworkIn{
			Name: "lan", OfferingID: box.NetworkOffering["DefaultSharedNetworkOffering"], ZoneID: box.Zone, VLAN: "60",
			Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.10", EndIP: "10.9.0.12",
			IP6CIDR: "2001:db8:1::/64", IP6Gateway: "2001:db8:1::1", StartIPv6: "2001:db8:1::a:1", EndIPv6: "2001:db8:1::a:9",
		})
		must(t, err)
		routers := func(by *api.Client) []cs.Router {
			t.Helper()
			found, err := listed(t, by, cs.ListRouters, cs.ListRoutersIn{Scope: api.Scope{ListAll: true}, NetworkID: lan.ID})
			must(t, err)
			return found
		}
		if before := routers(c.Client); len(before) > 0 {
			t.Errorf("before there is a machine there are %+v", before)
		}
		in := box.Deploy()
		in.NetworkIDs, in.Name = []uid.Network{lan.ID}, "mine"
		first := run(t, c.Client, cs.DeployVirtualMachine, in)
		in.Name, in.UserData, in.IP6Address = "reds", "IyEvYmluL3NoCg==", "2001:db8:1::a:7"
		second := run(t, red, cs.DeployVirtualMachine, in)
		if first.IPAddress != "10.9.0.10" || second.IPAddress != "10.9.0.11" {
			t.Errorf("the machines have %s and %s", first.IPAddress, second.IPAddress)
		}
		in.Name, in.IP6Address = "third", ""
		refused(t, red, cs.DeployVirtualMachine, in, 533, "no free address")
		in.IPAddress = "10.9.0.12"
		refused(t, red, cs.DeployVirtualMachine, in, 431, "virtual router's")

		doc := documents(t, c, lan.ID)[""]
		at := doc.Segments[0]
		if len(doc.Uplink) > 0 || at.Gateway != "10.9.0.12/24" || at.Via != "10.9.0.1" || at.VLAN != 60 || !at.Serves.DHCP || !at.Serves.DNS ||
			!at.Serves.UserData || len(at.Beside) > 0 || !slices.Equal(guestsOf(doc), []string{"mine", "reds"}) {
			t.Errorf("the router is %+v", doc)
		}
		six, err := netip.ParsePrefix(at.Gateway6)
		if err != nil || six.Masked().String() != lan.IP6CIDR || six.Addr().String() == lan.IP6Gateway {
			t.Errorf("over IPv6 the router is %q in %s, whose gateway is %s", at.Gateway6, lan.IP6CIDR, lan.IP6Gateway)
		}
		for _, g := range at.Guests {
			if g.IP6 != map[uid.VM]string{first.ID: first.NICs[0].IP6Address, second.ID: "2001:db8:1::a:7"}[g.VM] || g.IP6 == "" {
				t.Errorf("the router gives %s the address %q", g.Name, g.IP6)
			}
			if g.Meta["public-ipv4"] != g.IP || (g.VM == second.ID) != (string(g.UserData) == "#!/bin/sh\n") {
				t.Errorf("a guest is %+v", g)
			}
		}
		r := routers(c.Client)[0]
		if r.Account != "system" || r.Domain != "ROOT" || r.Role != "VIRTUAL_ROUTER" || r.State != "Running" || r.GuestIP != "10.9.0.12" ||
			r.GuestNetmask != "255.255.255.0" || r.Gateway != "10.9.0.1" || r.PublicIP != "" || r.GuestNetworkID != lan.ID {
			t.Errorf("the router is shown as %+v", r)
		}
		if seen := routers(red); len(seen) > 0 {
			t.Errorf("the admin of domain %s sees %+v", account.Domain, seen)
		}
		refused(t, red, cs.StopRouter, cs.StopRouterIn{RouterID: cs.RouterID{ID: r.ID}}, 431, string(r.ID))

		// Another subnet of the network: the router has a place there, too.
		further, err := api.Do(ctx, c.Client, cs.CreateVLANIPRange, cs.CreateVLANIPRangeIn{
			NetworkID: lan.ID, Gateway: "10.10.0.1", Netmask: "255.255.255.0", StartIP: "10.10.0.10", EndIP: "10.10.0.11",
		})
		must(t, err)
		in.IPAddress = ""
		third := run(t, red, cs.DeployVirtualMachine, in)
		if at = documents(t, c, lan.ID)[""].Segments[0]; third.IPAddress != "10.10.0.10" || len(at.Guests) != 3 || len(at.Beside) != 1 ||
			at.Beside[0] != (hypervisor.RouterSubnet{Address: "10.10.0.11/24", Via: "10.10.0.1"}) {
			t.Errorf("with %s the router has %+v", third.IPAddress, at)
		}
		run(t, red, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: third.ID, Expunge: true})
		_, err = api.Do(ctx, c.Client, cs.DeleteVLANIPRange, cs.DeleteVLANIPRangeIn{ID: further.ID})
		must(t, err)
		if doc = documents(t, c, lan.ID)[""]; len(doc.Segments[0].Beside) > 0 || !slices.Equal(guestsOf(doc), []string{"mine", "reds"}) {
			t.Errorf("without the subnet the router is %+v", doc)
		}

		// Further addresses of the same subnet: the router's goes there when its range goes.
		_, err = api.Do(ctx, c.Client, cs.CreateVLANIPRange, cs.CreateVLANIPRangeIn{
			NetworkID: lan.ID, Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.20", EndIP: "10.9.0.20",
		})
		must(t, err)
		for _, one := range []struct {
			by *api.Client
			id uid.VM
		}{{c.Client, first.ID}, {red, second.ID}} {
			run(t, one.by, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: one.id, Expunge: true})
		}
		ranges, err := listed(t, c.Client, cs.ListVLANIPRanges, cs.ListVLANIPRangesIn{NetworkID: lan.ID})
		must(t, err)
		_, err = api.Do(ctx, c.Client, cs.DeleteVLANIPRange, cs.DeleteVLANIPRangeIn{ID: ranges[0].ID})
		must(t, err)
		if doc = documents(t, c, lan.ID)[""]; doc.Segments[0].Gateway != "10.9.0.20/24" || len(doc.Segments[0].Guests) > 0 {
			t.Errorf("with another range the router is %+v", doc)
		}
		refusedCall(t, c.Client, cs.DeleteVLANIPRange, cs.DeleteVLANIPRangeIn{ID: ranges[1].ID}, 431, "destroy the router first")

		// It is started, stopped, destroyed and made again as any router is.
		id := cs.RouterID{ID: r.ID}
		if r = run(t, c.Client, cs.StopRouter, cs.StopRouterIn{RouterID: id}); r.State != "Stopped" {
			t.Errorf("stopped it is %s", r.State)
		}
		if r = run(t, c.Client, cs.StartRouter, id); r.State != "Running" {
			t.Errorf("started it is %s", r.State)
		}
		if r = run(t, c.Client, cs.RebootRouter, cs.RebootRouterIn{RouterID: id}); r.State != "Running" {
			t.Errorf("rebooted it is %s", r.State)
		}
		run(t, c.Client, cs.DestroyRouter, id)
		if left := routers(c.Client); len(left) > 0 {
			t.Errorf("destroyed it is %+v", left)
		}
		run(t, c.Client, cs.RestartNetwork, cs.RestartNetworkIn{ID: lan.ID, Cleanup: true})
		if again := routers(c.Client); len(again) != 1 || again[0].State != "Running" || again[0].GuestIP != "10.9.0.20" {
			t.Errorf("after a restart of the network there are %+v", again)
		}
		run(t, c.Client, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: lan.ID})
		if left := routers(c.Client); len(left) > 0 {
			t.Errorf("with the network gone there are %+v", left)
		}
	})
}

// In a basic zone each pod has a router, which knows the machines that have addresses of the pod.
func TestBasicZoneRouters(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Basic: true}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Basic(t)
		second := secondPod(t, c, box.Zone, "10.30.0.12")
		networks, err := listed(t, c.Client, cs.ListNetworks, cs.ListNetworksIn{ZoneID: box.Zone, Scope: api.Scope{ListAll: true}})
		must(t, err)
		network := networks[0].ID
		in := box.Deploy()
		in.ServiceOfferingID = wideOffering(t, c)
		knows := func(want map[uid.Pod]string) {
			t.Helper()
			got := map[uid.Pod]string{}
			for pod, doc := range documents(t, c, network) {
				got[pod] = doc.Segments[0].Gateway + " " + doc.Segments[0].Via + " " + strings.Join(guestsOf(doc), ",")
			}
			for pod, w := range want {
				if got[pod] != w {
					t.Errorf("the router of pod %s has %q, want %q", pod, got[pod], w)
				}
			}
			if len(got) != len(want) {
				t.Errorf("the routers are %v, want %v", got, want)
			}
		}
		in.Name, in.PodID = "one", second
		one := run(t, c.Client, cs.DeployVirtualMachine, in)
		knows(map[uid.Pod]string{second: "10.30.0.12/24 10.30.0.1 one"})
		pods, err := listed(t, c.Client, cs.ListPods, cs.ListPodsIn{ZoneID: box.Zone})
		must(t, err)
		first := pods[slices.IndexFunc(pods, func(p cs.Pod) bool { return p.ID != second })].ID
		in.Name, in.PodID = "two", first
		two := run(t, c.Client, cs.DeployVirtualMachine, in)
		const firsts, seconds = "10.20.3.250/22 10.20.0.1 ", "10.30.0.12/24 10.30.0.1 "
		knows(map[uid.Pod]string{first: firsts + "two", second: seconds + "one"})

		// A machine that goes to another pod goes from one router to the other.
		run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: two.ID})
		knows(map[uid.Pod]string{first: firsts + "two", second: seconds + "one"})
		run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: two.ID, PodID: second})
		knows(map[uid.Pod]string{first: firsts, second: seconds + "one,two"})
		for _, r := range must1(listed(t, c.Client, cs.ListRouters, cs.ListRoutersIn{NetworkID: network, Scope: api.Scope{ListAll: true}}))(t) {
			if want := map[bool]string{true: "10.30.0.12", false: "10.20.3.250"}[r.PodID == second]; r.GuestIP != want || r.Account != "system" {
				t.Errorf("in pod %s there is %+v", r.PodID, r)
			}
		}
		run(t, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: one.ID, Expunge: true})
		knows(map[uid.Pod]string{first: firsts, second: seconds + "two"})
		run(t, c.Client, cs.RestartNetwork, cs.RestartNetworkIn{ID: network, Cleanup: true})
		knows(map[uid.Pod]string{first: firsts, second: seconds + "two"})
		var left int
		must(t, c.DB.Read().NewRaw("select count(*) from gone_nics").Scan(ctx, &left))
		if left > 0 {
			t.Errorf("%d cards are remembered that all routers have forgotten", left)
		}
	})
}
