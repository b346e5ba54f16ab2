package cloudtest_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/uid"
)

// document is what the router of a network was told last, as soon as it knows all there is to tell.
func document(t *testing.T, c *cloudtest.Cloud, network uid.Network) hypervisor.Router {
	t.Helper()
	must(t, c.Routers.Round(t.Context()))
	var revision int64
	must(t, c.DB.Read().NewRaw("select revision from networks where id = ?", network).Scan(t.Context(), &revision))
	for {
		if ok, err := c.Routers.Reached(t.Context(), c.DB.Read(), map[uid.Network]int64{network: revision}); err != nil {
			t.Fatal(err)
		} else if ok {
			break
		}
	}
	found, _, err := c.Routers.List(t.Context(), router.Filter{Scope: auth.Scope{All: true}, Network: network})
	must(t, err)
	if len(found) != 1 {
		t.Fatalf("network %s has the routers %+v", network, found)
	}
	doc, err := c.World.Router(t.Context(), found[0].Host, found[0].ID)
	must(t, err)
	return doc
}

// A network gets its router with its first machine, which knows of all its guests before they start and forgets them when they are destroyed.
func TestRouterKnowsItsGuests(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, in := t.Context(), c.Sandbox(t).Deploy()
		in.Name, in.UserData = "one", "IyEvYmluL3NoCg=="
		vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
		must(t, err)
		network := vm.NICs[0].NetworkID
		doc := document(t, c, network)
		if len(doc.Segments) != 1 || len(doc.Segments[0].Guests) != 1 || len(doc.Uplink) != 1 || !doc.Uplink[0].SourceNAT {
			t.Fatalf("the router is %+v", doc)
		}
		at := doc.Segments[0]
		g := at.Guests[0]
		if at.Gateway != "10.1.1.1/24" || at.VLAN == 0 || !at.Serves.DHCP || !at.Serves.UserData || len(at.DNS) == 0 {
			t.Errorf("its segment is %+v", at)
		}
		if g.VM != vm.ID || g.IP != vm.NICs[0].IPAddress || g.MAC != vm.NICs[0].MACAddress || g.Name != "one" || !g.Default ||
			string(g.UserData) != "#!/bin/sh\n" {
			t.Errorf("its guest is %+v", g)
		}
		for name, want := range map[string]string{
			"local-ipv4": g.IP, "local-hostname": "one", "instance-id": string(vm.ID), "service-offering": "Small Instance",
			"availability-zone": vm.ZoneName,
		} {
			if g.Meta[name] != want {
				t.Errorf("its guest is told %s %q, want %q", name, g.Meta[name], want)
			}
		}
		in.Name = "two"
		in.NetworkIDs = []uid.Network{network}
		two, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
		must(t, err)
		has := func(want ...uid.VM) {
			t.Helper()
			var got []uid.VM
			for _, g := range document(t, c, network).Segments[0].Guests {
				got = append(got, g.VM)
			}
			if !slices.Equal(got, want) {
				t.Errorf("the router knows %v, want %v", got, want)
			}
		}
		has(vm.ID, two.ID)
		_, err = api.Run(ctx, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID})
		must(t, err)
		has(two.ID)
		_, err = api.Do(ctx, c.Client, cs.RecoverVirtualMachine, cs.RecoverVirtualMachineIn{ID: vm.ID})
		must(t, err)
		has(vm.ID, two.ID)
	})
}

// What hosts say of their routers is kept: bytes are added up over what a host counts anew, and a password is forgotten when the guest
// has it and nobody can be shown it any more.
func TestRouterReports(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Rest: []string{"router-reports"}})
	ctx, in := t.Context(), c.Sandbox(t).Deploy()
	vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
	must(t, err)
	network := vm.NICs[0].NetworkID
	at := document(t, c, network)
	listen := func(sent, received int64, saved ...uid.NIC) router.Bytes {
		t.Helper()
		c.World.Happened(at.ID, []hypervisor.AddressCounts{{Network: network, IP: vm.NICs[0].IPAddress, Sent: sent, Received: received}, {IP: "192.0.2.1"}}, saved...)
		must(t, c.Routers.Listen(ctx))
		all, err := router.BytesOf(ctx, c.DB.Read(), at.ID)
		must(t, err)
		if len(all) != 1 || all[0].Network != network || all[0].IP != vm.NICs[0].IPAddress {
			t.Fatalf("counted are %+v", all)
		}
		return all[0]
	}
	for _, one := range []struct{ sent, received, sentInAll, receivedInAll int64 }{
		{100, 10, 100, 10}, {100, 10, 100, 10}, {150, 10, 150, 10},
		{30, 5, 180, 15}, // the router was made anew
		{40, 5, 190, 15},
	} {
		if b := listen(one.sent, one.received); b.Sent != one.sentInAll || b.Received != one.receivedInAll {
			t.Errorf("after %+v there are %+v", one, b)
		}
	}

	password := func() (sealed string) {
		t.Helper()
		must(t, c.DB.Read().NewRaw("select password from vms where id = ?", vm.ID).Scan(ctx, &sealed))
		return sealed
	}
	change(t, c, "update vms set password = 'sealed'")
	nic := vm.NICs[0].ID
	if listen(40, 5, nic); password() == "" {
		t.Error("the password is forgotten while the job that shows it can be asked for")
	}
	change(t, c, "delete from operations")
	if listen(40, 5); password() == "" {
		t.Error("the password is forgotten that nobody has")
	}
	change(t, c, "update networks set revision = revision + 1")
	if listen(40, 5, nic); password() == "" {
		t.Error("the password is forgotten that the router may not know yet")
	}
	change(t, c, "update vms set password = ''") // which can't be opened
	document(t, c, network)
	change(t, c, "update vms set password = 'sealed'")
	if listen(40, 5, nic); password() != "" {
		t.Error("the password is kept though the guest has it")
	}
}

// What a host says of a router's services is shown with the router, and since when it is so.
func TestRouterHealth(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Rest: []string{"router-reports"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := t.Context()
		vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, c.Sandbox(t).Deploy())
		must(t, err)
		network := vm.NICs[0].NetworkID
		document(t, c, network)
		look := func(failed bool) map[string]cs.RouterCheck {
			t.Helper()
			must(t, c.Routers.Listen(ctx))
			in := cs.ListRoutersIn{NetworkID: network, Scope: api.Scope{ListAll: true}, Failed: &failed, Fetch: true}
			r := one(t, c.Client, cs.ListRouters, in)
			if r.ChecksFailed != failed {
				t.Errorf("the router's checks have failed: %v", r.ChecksFailed)
			}
			checks := map[string]cs.RouterCheck{}
			for _, check := range r.Checks {
				checks[check.Name] = check
			}
			return checks
		}
		at := look(false)
		for _, name := range []string{"configuration", "firewall", "dhcp", "metadata"} {
			if check := at[name]; !check.Success || check.Status != "SUCCESS" || check.Updated.IsZero() != (name == "configuration") {
				t.Errorf("%s is %+v", name, check)
			}
		}
		r := one(t, c.Client, cs.ListRouters, cs.ListRoutersIn{NetworkID: network, Scope: api.Scope{ListAll: true}})
		if len(r.Checks) > 0 {
			t.Errorf("checks nobody asked for: %+v", r.Checks)
		}
		c.World.Broke(r.ID, map[string]string{"dhcp": "dnsmasq has ended"})
		ill := look(true)
		if dhcp := ill["dhcp"]; dhcp.Success || dhcp.Status != "FAILED" || dhcp.Details != "dnsmasq has ended" || dhcp.Updated.Before(at["dhcp"].Updated.Time) {
			t.Errorf("dhcp is %+v", dhcp)
		}
		if was, is := at["metadata"], ill["metadata"]; was != is {
			t.Errorf("metadata was %+v and is %+v", was, is)
		}
		c.World.Broke(r.ID, nil)
		if well := look(false); !well["dhcp"].Success || well["dhcp"].Details != "" {
			t.Errorf("dhcp is %+v", well["dhcp"])
		}
		_, err = api.Run(ctx, c.Client, cs.RebootRouter, cs.RebootRouterIn{RouterID: cs.RouterID{ID: r.ID}})
		must(t, err)
		in := cs.ListRoutersIn{NetworkID: network, Scope: api.Scope{ListAll: true}, Fetch: true}
		if r := one(t, c.Client, cs.ListRouters, in); len(r.Checks) != 1 {
			t.Errorf("of a router that was started anew is known %+v", r.Checks)
		}
	})
}

// A router that can't be given its document shows that at once, and raises an alert when that goes on, until it has got it.
func TestRouterAlert(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Rest: []string{"router-reports"}})
	ctx, in := t.Context(), c.Sandbox(t).Deploy()
	vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
	must(t, err)
	network := vm.NICs[0].NetworkID
	document(t, c, network)
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandApplyRouter, Fault: "the disk is full"}))
	begun, err := api.Start(ctx, c.Client, cs.AssociateIPAddress, cs.AssociateIPAddressIn{NetworkID: network})
	must(t, err)
	alerts := func() (found []cs.Alert) {
		t.Helper()
		for a, err := range api.All(ctx, c.Client, cs.ListAlerts, cs.ListAlertsIn{Name: "ALERT.SERVICE.DOMAINROUTER"}) {
			must(t, err)
			found = append(found, a)
		}
		return found
	}
	var said []cs.Alert
	for len(said) == 0 && ctx.Err() == nil { // its fourth try comes within a second
		said = alerts()
	}
	if len(said) != 1 || !strings.Contains(said[0].Description, "the disk is full") || !said[0].Resolved.IsZero() {
		t.Errorf("the alerts are %+v", said)
	}
	r := one(t, c.Client, cs.ListRouters, cs.ListRoutersIn{NetworkID: network, Scope: api.Scope{ListAll: true}, Failed: new(true), Fetch: true})
	if r.Applied >= r.Wanted || len(r.Checks) != 1 || r.Checks[0].Success || !strings.Contains(r.Checks[0].Details, "the disk is full") {
		t.Errorf("the router is %+v", r)
	}
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandApplyRouter}))
	if at := document(t, c, network); len(at.Uplink) != 2 {
		t.Errorf("the router has %+v", at.Uplink)
	}
	if said := alerts(); len(said) != 1 || said[0].Resolved.IsZero() {
		t.Errorf("the alerts are %+v", said)
	}
	end(t, c, begun.JobID)
}

// A host that refuses its router keeps machines waiting; one that is down loses it to another.
func TestRouterMoves(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Rest: []string{"host-health"}})
	ctx, in := t.Context(), c.Sandbox(t).Deploy()
	vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
	must(t, err)
	network := vm.NICs[0].NetworkID
	document(t, c, network)
	before, _, err := c.Routers.List(ctx, router.Filter{Scope: auth.Scope{All: true}})
	must(t, err)
	down := func(state string) {
		t.Helper()
		must(t, c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw("update hosts set state = ? where id = ?", state, before[0].Host).Exec(ctx)
			return err
		}))
	}
	down("Down")
	document(t, c, network)
	after, _, err := c.Routers.List(ctx, router.Filter{Scope: auth.Scope{All: true}})
	must(t, err)
	if len(after) != 1 || after[0].ID != before[0].ID || after[0].Host == before[0].Host || after[0].State != router.Running {
		t.Errorf("the routers were %+v and are %+v", before, after)
	}
	if _, err := c.World.Router(ctx, before[0].Host, before[0].ID); err == nil {
		t.Error("the router is still where it was") // the host answers, whatever the database says
	}
	down("Up")
}

// What a router is told of changes comes to what it would be told of all: after machines have come, gone, been destroyed and recovered,
// renamed and known by other addresses, each change given to it before the next.
func TestRouterIsToldOfChanges(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, s := t.Context(), c.Sandbox(t)
		var network uid.Network
		since := 0
		same := func(after string) {
			t.Helper()
			has := document(t, c, network)
			found, _, err := c.Routers.List(ctx, router.Filter{Scope: auth.Scope{All: true}, Network: network})
			must(t, err)
			r := found[0]
			r.Applied = 0
			want, err := c.Routers.Desired(ctx, c.DB.Read(), r)
			must(t, err)
			if is, should := asJSON(t, has), asJSON(t, want); is != should {
				t.Errorf("after %s the router is\n%s\nwant\n%s", after, is, should)
			}
			r.Applied = has.Version - 1
			if changes, err := c.Routers.Desired(ctx, c.DB.Read(), r); err != nil {
				t.Error(err)
			} else if changes.Since > 0 {
				since++
			}
		}
		var vms []cs.VirtualMachine
		for _, name := range []string{"one", "two", "three", "four"} {
			in := s.Deploy()
			in.Name = name
			vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, in)
			must(t, err)
			vms, network = append(vms, vm), vm.NICs[0].NetworkID
			same("deploying " + name)
		}
		script := "IyEvYmluL3NoCg=="
		_, err := api.Do(ctx, c.Client, cs.UpdateVirtualMachine, cs.UpdateVirtualMachineIn{ID: vms[0].ID, UserData: &script})
		must(t, err)
		same("new user data")
		_, err = api.Run(ctx, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vms[1].ID})
		must(t, err)
		same("destroying one")
		_, err = api.Do(ctx, c.Client, cs.RecoverVirtualMachine, cs.RecoverVirtualMachineIn{ID: vms[1].ID})
		must(t, err)
		same("recovering it")
		_, err = api.Run(ctx, c.Client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vms[2].ID, Expunge: true})
		must(t, err)
		same("expunging one")
		in := s.Deploy()
		in.Name = "five"
		_, err = api.Run(ctx, c.Client, cs.DeployVirtualMachine, in) // with the address that was given back
		must(t, err)
		same("deploying another")
		if since < 7 {
			t.Errorf("%d of 8 changes could be told as such, want 7 at least", since)
		}
		address, err := api.Run(ctx, c.Client, cs.AssociateIPAddress, cs.AssociateIPAddressIn{NetworkID: network})
		must(t, err)
		same("another address")
		_, err = api.Do(ctx, c.Client, cs.EnableStaticNAT, cs.EnableStaticNATIn{IPAddressID: address.ID, VirtualMachineID: vms[3].ID})
		must(t, err)
		same("static NAT")
		_, err = api.Run(ctx, c.Client, cs.DisableStaticNAT, cs.DisableStaticNATIn{IPAddressID: address.ID})
		must(t, err)
		same("no static NAT")
		var left int
		must(t, c.DB.Read().NewRaw("select count(*) from gone_nics").Scan(ctx, &left))
		if left > 0 {
			t.Errorf("%d machines are remembered that the router has forgotten", left)
		}
	})
}

func asJSON(t *testing.T, r hypervisor.Router) string {
	t.Helper()
	text, err := json.MarshalIndent(r, "", " ")
	must(t, err)
	return string(text)
}
