package main_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/uid"
)

// realBasicPlan is a basic zone whose guest network is on a bridge of the hosts; 10.77.0.1 is the operator's gateway there.
const realBasicPlan = `
zones:
  - name: real
    networktype: Basic
    securitygroupenabled: true
    dns1: 198.18.0.1
    internaldns1: 198.18.0.1
    physicalnetworks:
      - name: wires
        traffictypes: [{traffictype: Guest, kvmnetworklabel: guests}, {traffictype: Management}, {traffictype: Storage}]
        providers: [VirtualRouter, SecurityGroupProvider]
    pods:
      - name: pod
        gateway: 172.16.0.1
        netmask: 255.255.0.0
        startip: 172.16.0.2
        endip: 172.16.255.200
        guestipranges:
          - {gateway: 10.77.0.1, netmask: 255.255.255.0, startip: 10.77.0.10, endip: 10.77.0.99}
        clusters:
          - {name: cluster, hypervisor: KVM%s}
%sserviceofferings:
  - {name: Small Guest, displaytext: small, cpunumber: 1, cpuspeed: 500, memory: 128}
settings: {ping.interval: 2}
`

// asking is what machines run when they start: after it one can have them ask others.
const asking = `#!/bin/sh
mkdir -p /www/cgi-bin
printf '#!/bin/sh\necho\ntimeout 8 wget -q -O - "http://$QUERY_STRING"\n' >/www/cgi-bin/ask
chmod +x /www/cgi-bin/ask
`

// Two real machines in the network of a basic zone have their addresses and what they are told from the pod's virtual router, and are
// reached by whom the rules of their security groups let in: by address, and by group. What they may ask for is what rules let out.
func TestRealSecurityGroups(t *testing.T) {
	t.Parallel()
	r := (&realHosts{t: t, text: realBasicPlan, guest: true}).open(1)
	ctx, host := t.Context(), r.hosts[0]
	group := func(name string) uid.SecurityGroup {
		t.Helper()
		g, err := api.Do(ctx, r.client, cs.CreateSecurityGroup, cs.CreateSecurityGroupIn{Name: name})
		must(t, err)
		return g.ID
	}
	rule := func(in cs.AuthorizeSecurityGroupIn) {
		t.Helper()
		in.Protocol, in.StartPort, in.EndPort = "tcp", new(80), new(80)
		_, err := api.Run(ctx, r.client, cs.AuthorizeSecurityGroupIngress, in)
		must(t, err)
	}
	web, desk := group("web"), group("desk")
	deploy := func(name string, in uid.SecurityGroup) cs.VirtualMachine {
		t.Helper()
		return r.deployAs(cs.DeployVirtualMachineIn{
			Name: name, TemplateID: r.tiny, SecurityGroupIDs: []uid.SecurityGroup{in}, UserData: base64.StdEncoding.EncodeToString([]byte(asking)),
		})
	}
	booted := func(name string, in uid.SecurityGroup) cs.VirtualMachine { // one after the other: emulated ones take all of a processor
		t.Helper()
		vm := deploy(name, in)
		said := host.ready(vm.ID)
		for _, want := range []string{"ip=" + vm.IPAddress + " router=10.77.0.1 ", "instance-id=" + string(vm.ID), "TINY-SCRIPT 0", "TINY-PASSWORD set"} {
			if !strings.Contains(said, want) {
				t.Errorf("machine %s has not said %q", vm.Name, want)
			}
		}
		return vm
	}
	one, two := booted("one", web), booted("two", desk)
	routers, err := api.Fetch(ctx, r.client, cs.ListRouters, cs.ListRoutersIn{Scope: api.Scope{ListAll: true}, Fetch: true})
	if router := only(t, routers, err); router.GuestIP != "10.77.0.99" || router.ChecksFailed || router.State != "Running" {
		t.Errorf("the router is %+v", router)
	}

	// asked is what a machine says to somebody with an address, or why it says nothing. What is not to come is waited for shortly.
	asked := func(from string, vm cs.VirtualMachine, what string, comes bool) string {
		t.Helper()
		patience := time.Minute
		if !comes {
			patience = 2 * time.Second
		}
		client := http.Client{Timeout: time.Minute, Transport: &http.Transport{
			DialContext: func(_ context.Context, network, address string) (net.Conn, error) {
				return r.lab.DialFrom(r.lan, &net.TCPAddr{IP: net.ParseIP(from)}, network, address, patience)
			},
			DisableKeepAlives: true,
		}}
		return fetch(t, &client, fmt.Sprintf("http://%s/%s", vm.IPAddress, what))
	}
	reached := func(what string, want bool, from string, vm cs.VirtualMachine) {
		t.Helper()
		if got := asked(from, vm, "", want); (got == "hello from "+vm.Name+" "+vm.IPAddress+"\n") != want {
			t.Errorf("%s, %s says %q to %s", what, vm.Name, got, from)
		}
	}
	const near, far = "10.77.0.1", "203.0.113.1"
	reached("without a rule", false, near, one)
	rule(cs.AuthorizeSecurityGroupIn{ID: web, CIDRs: []string{near + "/32"}})
	rule(cs.AuthorizeSecurityGroupIn{ID: desk, CIDRs: []string{near + "/32"}})
	reached("with a rule for its address", true, near, one)
	reached("with a rule for another address", false, far, one)
	reached("with a rule for its address", true, near, two)

	between := func() string { return asked(near, two, "cgi-bin/ask?"+one.IPAddress+"/", true) }
	if got := between(); strings.Contains(got, "hello") {
		t.Errorf("without a rule for its group, the second machine has %q from the first", got)
	}
	_, err = api.Run(ctx, r.client, cs.AuthorizeSecurityGroupIngress, cs.AuthorizeSecurityGroupIn{
		ID: web, Protocol: "tcp", StartPort: new(80), EndPort: new(80), Groups: []cs.AccountGroup{{Account: "admin", Group: "desk"}},
	})
	must(t, err)
	if got := between(); got != "hello from one "+one.IPAddress+"\n" {
		t.Errorf("with a rule for its group, the second machine has %q from the first", got)
	}
	_, err = api.Run(ctx, r.client, cs.AuthorizeSecurityGroupEgress, cs.AuthorizeSecurityGroupIn{
		ID: desk, Protocol: "tcp", StartPort: new(80), EndPort: new(80), CIDRs: []string{"10.77.0.99/32"},
	})
	must(t, err)
	if got := between(); strings.Contains(got, "hello") {
		t.Errorf("with a rule for what it may send, the second machine has %q from the first", got)
	}
	if got := asked(near, two, "cgi-bin/ask?10.77.0.99/latest/meta-data/instance-id", true); got != string(two.ID) {
		t.Errorf("the second machine is told that it is %q", got)
	}
	reached("after a rule for what it may send", true, near, two)

	networks, err := api.Fetch(ctx, r.client, cs.ListNetworks, cs.ListNetworksIn{Scope: api.Scope{ListAll: true}})
	network := only(t, networks, err)
	for _, vm := range []cs.VirtualMachine{one, two} {
		_, err := api.Run(ctx, r.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
		must(t, err)
	}
	_, err = api.Run(ctx, r.client, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: network.ID})
	must(t, err)
	for _, pattern := range []string{"pool/*.qcow2", "h*/machines/guests/*", "h*/routers/*", "h*/networks/ports/*"} {
		if left, err := filepath.Glob(filepath.Join(r.dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("of the machines is left: %v %v", left, err)
		}
	}
}
