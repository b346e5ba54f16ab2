package cloudtest_test

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// one gives the only item of a list.
func one[In, Item any](t *testing.T, c *api.Client, l api.List[In, Item], in In) (item Item) {
	t.Helper()
	n := 0
	for i, err := range api.All(t.Context(), c, l, in) {
		must(t, err)
		item = i
		n++
	}
	if n != 1 {
		t.Fatalf("%s %+v: %d items, want one", l.Name, in, n)
	}
	return item
}

// An operator wires a network through the API, and what can't be is refused, saying why.
func TestWiring(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		_, err := api.Start(ctx, c.Client, cs.CreatePhysicalNetwork, cs.CreatePhysicalNetworkIn{Name: "p", ZoneID: box.Zone, VLAN: "200-100"})
		refusedWith(t, err, 431, "ends before it begins")
		p, err := api.Run(ctx, c.Client, cs.CreatePhysicalNetwork, cs.CreatePhysicalNetworkIn{Name: "p", ZoneID: box.Zone, VLAN: "10-11,20", Tags: []string{"fast"}})
		must(t, err)
		if p.State != "Disabled" || p.VLAN != "10-11,20" || p.BroadcastDomainRange != "ZONE" || p.IsolationMethods != "VLAN" || p.Tags != "fast" {
			t.Errorf("made %+v", p)
		}
		_, err = api.Start(ctx, c.Client, cs.AddTrafficType, cs.AddTrafficTypeIn{PhysicalNetworkID: p.ID, TrafficType: "Public"})
		refusedWith(t, err, 431, "Sandbox-pnet")
		_, err = api.Run(ctx, c.Client, cs.AddTrafficType, cs.AddTrafficTypeIn{PhysicalNetworkID: p.ID, TrafficType: "Guest", TrafficLabels: cs.TrafficLabels{KVM: "br1"}})
		must(t, err)
		if tt := one(t, c.Client, cs.ListTrafficTypes, cs.ListTrafficTypesIn{PhysicalNetworkID: p.ID}); tt.KVM != "br1" || tt.TrafficType != "Guest" {
			t.Errorf("carries %+v", tt)
		}
		router := one(t, c.Client, cs.ListNetworkServiceProviders, cs.ListNetworkServiceProvidersIn{PhysicalNetworkID: p.ID, Name: "VirtualRouter"})
		_, err = api.Start(ctx, c.Client, cs.UpdateNetworkServiceProvider, cs.UpdateNetworkServiceProviderIn{ID: router.ID, State: "Enabled"})
		refusedWith(t, err, 431, "configureVirtualRouterElement")

		// A network is not made before its providers are enabled.
		off, err := api.Do(ctx, c.Client, cs.CreateNetworkOffering, cs.CreateNetworkOfferingIn{
			Name: "fast", GuestType: "isolated", TrafficType: "GUEST", Services: []string{"dhcp", "SourceNat"}, Tags: "fast", Enable: true,
			Providers:    []cs.ServiceProviderIn{{Service: "Dhcp", Provider: "virtualrouter"}, {Service: "SourceNat", Provider: "VirtualRouter"}},
			Capabilities: []cs.ServiceCapabilityIn{{Service: "SourceNat", Name: "RedundantRouter", Value: "true"}},
		})
		must(t, err)
		want := cs.CreateNetworkIn{Name: "n", OfferingID: off.ID, ZoneID: box.Zone}
		_, err = api.Do(ctx, c.Client, cs.CreateNetwork, want)
		refusedWith(t, err, 431, "fast")
		_, err = api.Run(ctx, c.Client, cs.UpdatePhysicalNetwork, cs.UpdatePhysicalNetworkIn{ID: p.ID, State: new("Enabled")})
		must(t, err)
		_, err = api.Do(ctx, c.Client, cs.CreateNetwork, want)
		refusedWith(t, err, 431, "provider VirtualRouter")
		element := one(t, c.Client, cs.ListVirtualRouterElements, cs.ListVirtualRouterElementsIn{ProviderID: router.ID})
		_, err = api.Run(ctx, c.Client, cs.ConfigureVirtualRouterElement, cs.ConfigureVirtualRouterElementIn{ID: element.ID, Enabled: new(true)})
		must(t, err)
		_, err = api.Run(ctx, c.Client, cs.UpdateNetworkServiceProvider, cs.UpdateNetworkServiceProviderIn{ID: router.ID, State: "Enabled"})
		must(t, err)
		_, err = api.Start(ctx, c.Client, cs.ConfigureVirtualRouterElement, cs.ConfigureVirtualRouterElementIn{ID: element.ID, Enabled: new(false)})
		refusedWith(t, err, 431, "disable that first")
		netscaler, err := api.Run(ctx, c.Client, cs.AddNetworkServiceProvider, cs.AddNetworkServiceProviderIn{PhysicalNetworkID: p.ID, Name: "Netscaler"})
		must(t, err)
		_, err = api.Start(ctx, c.Client, cs.UpdateNetworkServiceProvider, cs.UpdateNetworkServiceProviderIn{ID: netscaler.ID, State: "Enabled"})
		refusedWith(t, err, 431, "this cloud has none")

		n, err := api.Do(ctx, c.Client, cs.CreateNetwork, want)
		must(t, err)
		if n.PhysicalNetworkID != p.ID || n.State != "Allocated" || n.NetworkDomain != "cloud.internal" {
			t.Errorf("made %+v", n)
		}
		deploy := box.Deploy()
		deploy.NetworkIDs = []uid.Network{n.ID}
		vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, deploy)
		must(t, err)
		ip := one(t, c.Client, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{AssociatedNetworkID: n.ID})
		if !ip.SourceNAT || ip.State != "Allocated" || ip.AssociatedNetworkName != "n" || ip.VLANName != "50" {
			t.Errorf("the network has %+v", ip)
		}
		if n = one(t, c.Client, cs.ListNetworks, cs.ListNetworksIn{ID: n.ID}); n.State != "Implemented" || n.VLAN != "10" {
			t.Errorf("implemented: %+v", n)
		}

		// Hosts tell the guest networks of a zone apart by their VLANs, whichever physical network they are on.
		sandbox := one(t, c.Client, cs.ListPhysicalNetworks, cs.ListPhysicalNetworksIn{ZoneID: box.Zone, Name: "Sandbox-pnet"})
		shared := func(name, vlan string) error {
			_, err := api.Do(ctx, c.Client, cs.CreateNetwork, cs.CreateNetworkIn{
				Name: name, OfferingID: box.NetworkOffering["DefaultSharedNetworkOffering"], ZoneID: box.Zone, PhysicalID: sandbox.ID,
				VLAN: vlan, Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.10", EndIP: "10.9.0.12",
			})
			return err
		}
		refusedWith(t, shared("on-20", "20"), 431, `networks on physical network "p"`)
		must(t, shared("on-30", "30"))
		update := func(vlans string) error {
			_, err := api.Start(ctx, c.Client, cs.UpdatePhysicalNetwork, cs.UpdatePhysicalNetworkIn{ID: p.ID, VLAN: &vlans})
			return err
		}
		refusedWith(t, update("10-11,20,30-40"), 431, "VLAN 30 is in use by a network on another physical network")
		refusedWith(t, update("10-11,20,50-200"), 431, `VLAN 100 is one of physical network "Sandbox-pnet"`)
		for vlans, text := range map[string]string{"4000": "VLAN 4000 is one of", "25-30": "VLAN 30 is in use by", "5-10": "VLAN 10 is one of"} {
			_, err = api.Start(ctx, c.Client, cs.CreatePhysicalNetwork, cs.CreatePhysicalNetworkIn{Name: "second", ZoneID: box.Zone, VLAN: vlans})
			refusedWith(t, err, 431, text)
		}

		// What is in use stays.
		for text, try := range map[string]func() error{
			"VLAN 10": func() error {
				_, err := api.Start(ctx, c.Client, cs.UpdatePhysicalNetwork, cs.UpdatePhysicalNetworkIn{ID: p.ID, VLAN: new("11")})
				return err
			},
			"1 network and 0 ranges": func() error {
				_, err := api.Start(ctx, c.Client, cs.DeletePhysicalNetwork, cs.DeletePhysicalNetworkIn{ID: p.ID})
				return err
			},
			"has 1 network:": func() error {
				_, err := api.Do(ctx, c.Client, cs.DeleteNetworkOffering, cs.DeleteNetworkOfferingIn{ID: off.ID})
				return err
			},
			"source NAT of network": func() error {
				_, err := api.Do(ctx, c.Client, cs.DeleteVLANIPRange, cs.DeleteVLANIPRangeIn{ID: ip.VLANID})
				return err
			},
		} {
			refusedWith(t, try(), 431, text)
		}
		_, err = api.Run(ctx, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
		must(t, err)
		_, err = api.Run(ctx, c.Client, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: n.ID})
		must(t, err)
		_, err = api.Run(ctx, c.Client, cs.DeletePhysicalNetwork, cs.DeletePhysicalNetworkIn{ID: p.ID})
		must(t, err)
		_, err = api.Do(ctx, c.Client, cs.DeleteNetworkOffering, cs.DeleteNetworkOfferingIn{ID: off.ID})
		must(t, err)
		_, err = api.Do(ctx, c.Client, cs.DeleteVLANIPRange, cs.DeleteVLANIPRangeIn{ID: ip.VLANID})
		must(t, err)
	})
}

// Machines of a domain meet in a shared network, with addresses of its ranges; others don't see it.
func TestSharedNetwork(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, account := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		in := cs.CreateNetworkIn{
			Name: "lan", OfferingID: box.NetworkOffering["DefaultSharedNetworkOffering"], ZoneID: box.Zone, VLAN: "60", DomainID: account.Domain,
			Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.10", EndIP: "10.9.0.12", IP6CIDR: "2001:db8:1::/64", IP6Gateway: "2001:db8:1::1",
		}
		_, err := api.Do(ctx, red, cs.CreateNetwork, in)
		if err == nil {
			t.Error("a user made a shared network")
		}
		taken := in
		taken.VLAN = "150"
		_, err = api.Do(ctx, c.Client, cs.CreateNetwork, taken)
		refusedWith(t, err, 431, "by themselves")
		n, err := api.Do(ctx, c.Client, cs.CreateNetwork, in)
		must(t, err)
		if n.State != "Setup" || n.ACLType != "Domain" || n.Account != "" || n.DomainID != account.Domain || !n.Subdomains || n.VLAN != "60" {
			t.Errorf("made %+v", n)
		}
		again := in
		again.Name = "twice"
		_, err = api.Do(ctx, c.Client, cs.CreateNetwork, again)
		refusedWith(t, err, 431, `"lan"`)

		if seen := one(t, red, cs.ListNetworks, cs.ListNetworksIn{}); seen.ID != n.ID {
			t.Errorf("red sees %+v", seen)
		}
		for seen, err := range api.All(ctx, blue, cs.ListNetworks, cs.ListNetworksIn{Scope: api.Scope{ListAll: true}}) {
			must(t, err)
			t.Errorf("blue sees %+v", seen)
		}
		admin, _ := c.Tenant(t, "red", "redadmin", auth.DomainAdmin)
		_, err = api.Start(ctx, admin, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: n.ID})
		refusedWith(t, err, 531, "only root admins")
		deploy := box.Deploy()
		deploy.NetworkIDs = []uid.Network{n.ID}
		_, err = api.Start(ctx, blue, cs.DeployVirtualMachine, deploy)
		refusedWith(t, err, 431, "no network with id")
		deploy.IPAddress = "10.9.0.11"
		first, err := api.Run(ctx, red, cs.DeployVirtualMachine, deploy)
		must(t, err)
		_, err = api.Start(ctx, red, cs.DeployVirtualMachine, deploy)
		refusedWith(t, err, 431, "in use")
		deploy.IPAddress = "10.9.0.12"
		_, err = api.Start(ctx, red, cs.DeployVirtualMachine, deploy)
		refusedWith(t, err, 431, "its virtual router's")
		deploy.IPAddress = "10.9.0.13"
		_, err = api.Start(ctx, red, cs.DeployVirtualMachine, deploy)
		refusedWith(t, err, 431, "in no range")
		deploy.IPAddress = ""
		second, err := api.Run(ctx, red, cs.DeployVirtualMachine, deploy)
		must(t, err)
		if first.IPAddress != "10.9.0.11" || second.IPAddress != "10.9.0.10" {
			t.Errorf("addresses %s and %s", first.IPAddress, second.IPAddress)
		}
		_, err = api.Start(ctx, red, cs.DeployVirtualMachine, deploy)
		refusedWith(t, err, 533, "no free address")
		_, err = api.Do(ctx, c.Client, cs.CreateVLANIPRange, cs.CreateVLANIPRangeIn{
			NetworkID: n.ID, Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.12", EndIP: "10.9.0.20",
		})
		refusedWith(t, err, 431, "already")
		r, err := api.Do(ctx, c.Client, cs.CreateVLANIPRange, cs.CreateVLANIPRangeIn{
			NetworkID: n.ID, Gateway: "10.9.0.1", Netmask: "255.255.255.0", StartIP: "10.9.0.13", EndIP: "10.9.0.20",
		})
		must(t, err)
		third, err := api.Run(ctx, red, cs.DeployVirtualMachine, deploy)
		must(t, err)
		if third.IPAddress != "10.9.0.13" || r.VLAN != "60" || r.Public {
			t.Errorf("address %s out of %+v", third.IPAddress, r)
		}
		if ip := one(t, red, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{Public: new(false), IPAddress: "10.9.0.13"}); ip.VMID != third.ID || ip.Account != "red" {
			t.Errorf("listed %+v", ip)
		}
		if full := one(t, c.Client, cs.ListCapacity, cs.ListCapacityIn{Type: new(8)}); full.Total != 3+8 || full.Used != 3+1 || full.Name != "DIRECT_ATTACHED_PUBLIC_IP" {
			t.Errorf("capacity %+v", full)
		}
	})
}

// An offering whose networks have routers says what these are made from, to users, too: clients go by it. The others say nothing.
func TestRoutersOfNetworkOfferings(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	red, _ := c.Tenant(t, "red", "red", auth.User)
	routers := one(t, c.Client, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{System: true, SystemType: "domainrouter"})
	own := made(operator{c, t}, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
		Name: "large router", System: true, CPUNumber: 2, CPUSpeed: 1000, Memory: 512,
	})
	made(operator{c, t}, cs.CreateNetworkOffering, cs.CreateNetworkOfferingIn{
		Name: "with large routers", GuestType: "Isolated", TrafficType: "Guest", Services: []string{"Dhcp"}, RouterOffering: own.ID,
		Providers: []cs.ServiceProviderIn{{Service: "Dhcp", Provider: "VirtualRouter"}},
	})
	offerings, err := listed(t, red, cs.ListNetworkOfferings, cs.ListNetworkOfferingsIn{})
	must(t, err)
	seen := map[uid.ServiceOffering]int{}
	for _, o := range offerings {
		want := routers.ID
		switch o.Name {
		case "with large routers":
			want = own.ID
		case "DefaultL2NetworkOffering", "QuickCloudNoServices":
			want = ""
		}
		if seen[want]++; o.RouterOffering != want {
			t.Errorf("routers of %s are made from %q, want %q", o.Name, o.RouterOffering, want)
		}
	}
	if seen[own.ID] != 1 || seen[""] != 2 || seen[routers.ID] < 4 {
		t.Errorf("%d offerings: %v", len(offerings), seen)
	}
}
