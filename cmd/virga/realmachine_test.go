package main_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
	"github.com/virga-cloud/virga/uid"
)

// booting is how long a guest may take without KVM on a machine that has other things to do.
const booting = 5 * time.Minute

// ownCloud is "virga dev --hosts kvm" in a network of the test's own.
type ownCloud struct {
	t      testing.TB
	space  *vnet.Space
	dir    string
	by     []string // what begins commands in the network
	http   *http.Client
	p      *process
	client *api.Client
}

func newOwnCloud(t testing.TB) *ownCloud {
	t.Helper()
	needs(t, "qemu", "qemu-system-x86_64", "qemu-img", "nsenter")
	tinyimagetest.Path(t)
	l := vnettest.New(t, "nft", "dnsmasq", "haproxy")
	o := &ownCloud{t: t, space: l.Space("own")}
	o.by = []string{"nsenter", "--net=/run/netns/" + o.space.Name, "--"}
	dir, err := os.MkdirTemp("", "vr") // a short path: there are sockets below
	must(t, err)
	must(t, os.Chmod(dir, 0o711))
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	o.dir = filepath.Join(dir, "v")
	t.Cleanup(o.clear)
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	o.http = &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
			err = o.space.Do(func() error { c, err = dialer.DialContext(ctx, network, address); return err })
			return c, err
		},
		DisableKeepAlives: true,
	}}
	o.start()
	return o
}

// start starts the cloud, and returns when it answers.
func (o *ownCloud) start() {
	o.t.Helper()
	o.p = launchBy(o.t, o.by, "dev", "--hosts", "kvm", "--data", o.dir, "--listen", "127.0.0.1:8080")
	file := filepath.Join(o.dir, "credentials.json")
	o.p.within(booting, "the credentials", func() bool { return strings.Contains(o.p.out.String(), "API key") && o.p.read(file) == nil })
	p := o.p
	o.t.Cleanup(func() {
		if o.t.Failed() {
			o.t.Logf("the cloud has said:\n%s", p.out)
		}
	})
	o.client = o.p.client()
	o.client.HTTP = o.http
}

// clear ends all that runs, and sees to it that nothing is left of it.
func (o *ownCloud) clear() {
	path, err := binary()
	must(o.t, err)
	line := append(slices.Clone(o.by), path, "agent", "--clear", "--data", filepath.Join(o.dir, "host"))
	out, err := exec.Command(line[0], line[1:]...).CombinedOutput()
	if err != nil {
		o.t.Errorf("%v: %s", err, out)
	}
	pids, err := o.space.Processes()
	must(o.t, err)
	links, err := o.space.Links()
	must(o.t, err)
	text, err := os.ReadFile(filepath.Join(o.dir, "host", "agent.json"))
	must(o.t, err)
	var known struct{ Host uid.Host }
	must(o.t, json.Unmarshal(text, &known))
	spaces, err := vnet.SpaceNames("virga-")
	must(o.t, err)
	spaces = slices.DeleteFunc(spaces, func(name string) bool { return !strings.Contains(name, vnet.Tag(known.Host)) })
	if len(pids) > 0 || len(links) > 1 || len(spaces) > 0 {
		o.t.Errorf("processes %v, links %v, namespaces %v are left", pids, links, spaces)
	}
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(o.t, err)
	for _, f := range files {
		if text, _ := os.ReadFile(f); strings.Contains(string(text), o.dir) {
			o.t.Errorf("%s is left: %q", f, text)
		}
	}
}

// serial waits until a machine has said something on its serial port so many times, and gives all that it has said.
func (o *ownCloud) serial(vm uid.VM, what string, times int) (said string) {
	o.t.Helper()
	file := filepath.Join(o.dir, "host", "machines", "guests", string(vm), "serial.log")
	defer func() {
		if o.t.Failed() {
			o.t.Logf("the machine has said:\n%s", strings.ToValidUTF8(said, "?"))
		}
	}()
	o.p.within(booting, what, func() bool {
		text, _ := os.ReadFile(file)
		said = string(text)
		return strings.Count(said, what) >= times
	})
	return said
}

// get asks from outside.
func (o *ownCloud) get(url string) string {
	o.t.Helper()
	return fetch(o.t, o.http, url)
}

// fetch gives what a URL says, or why it says nothing.
func fetch(t testing.TB, c *http.Client, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	res, err := c.Do(req)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func only[T any](t testing.TB, p api.Page[T], err error) T {
	t.Helper()
	must(t, err)
	if len(p.Items) != 1 {
		t.Fatalf("there are %d and not one: %+v", len(p.Items), p.Items)
	}
	return p.Items[0]
}

const publicKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8g somebody"

// deploy makes a machine, with a key and user data.
func (o *ownCloud) deploy(name string) cs.VirtualMachine {
	o.t.Helper()
	ctx, c := o.t.Context(), o.client
	zones, err := api.Fetch(ctx, c, cs.ListZones, cs.ListZonesIn{})
	zone := only(o.t, zones, err)
	templates, err := api.Fetch(ctx, c, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured"})
	template := only(o.t, templates, err)
	offerings, err := api.Fetch(ctx, c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{Name: "Tiny Instance"})
	offering := only(o.t, offerings, err)
	_, err = api.Do(ctx, c, cs.RegisterSSHKeyPair, cs.RegisterSSHKeyPairIn{Name: "mine", PublicKey: publicKey})
	must(o.t, err)
	vm, err := api.Run(ctx, c, cs.DeployVirtualMachine, cs.DeployVirtualMachineIn{
		Name: name, ZoneID: zone.ID, TemplateID: template.ID, ServiceOfferingID: offering.ID, KeyPair: "mine",
		UserData: base64.StdEncoding.EncodeToString([]byte("#!/bin/sh\necho user data ran as $(hostname)\n")),
	})
	must(o.t, err)
	return vm
}

// A machine that was deployed through the API boots, has its address from its network's router, knows what it was told, and is there for
// who asks from outside; it goes on while neither server nor agent is there, and when it is destroyed nothing is left of it.
func TestRealMachine(t *testing.T) {
	t.Parallel()
	o := newOwnCloud(t)
	ctx := t.Context()
	vm := o.deploy("first")
	ip := vm.NICs[0].IPAddress
	said := o.serial(vm.ID, "TINY-READY", 1)
	for _, want := range []string{
		"ip=" + ip + " router=10.1.1.1 mac=" + vm.NICs[0].MACAddress, "TINY-DATA from=gateway", "instance-id=" + string(vm.ID),
		"user data ran as first", "TINY-PASSWORD set",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("the machine has not said %q", want)
		}
	}

	addresses, err := api.Fetch(ctx, o.client, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{AssociatedNetworkID: vm.NICs[0].NetworkID})
	public := only(t, addresses, err)
	_, err = api.Run(ctx, o.client, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
		IPAddressID: public.ID, Protocol: "tcp", PublicPort: 8080, PrivatePort: 80, VirtualMachineID: vm.ID,
	})
	must(t, err)
	balancer, err := api.Run(ctx, o.client, cs.CreateLoadBalancerRule, cs.CreateLoadBalancerRuleIn{
		Name: "web", PublicIPID: public.ID, PublicPort: 80, PrivatePort: 80, Algorithm: "roundrobin",
	})
	must(t, err)
	_, err = api.Run(ctx, o.client, cs.AssignToLoadBalancerRule, cs.BalancedMachinesIn{ID: balancer.ID, VirtualMachineIDs: []uid.VM{vm.ID}})
	must(t, err)
	hello := "hello from first " + ip + "\n"
	forwarded, balanced := "http://"+public.IPAddress+":8080/", "http://"+public.IPAddress+"/"
	o.p.until("an answer by the port forward", func() bool { return o.get(forwarded) == hello })
	o.p.until("an answer by the load balancer", func() bool { return o.get(balanced) == hello })
	if got := o.get(forwarded + "public-keys"); strings.TrimSpace(got) != publicKey {
		t.Errorf("the machine lets in %q", got)
	}

	o.p.kill()
	if got := o.get(forwarded); got != hello {
		t.Errorf("with server and agent killed the machine answers %q", got)
	}
	o.start()
	machines, err := api.Fetch(ctx, o.client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{})
	if vm := only(t, machines, err); vm.State != "Running" {
		t.Errorf("after a restart the machine is %s", vm.State)
	}
	_, err = api.Run(ctx, o.client, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: vm.ID})
	must(t, err)
	o.serial(vm.ID, "TINY-READY", 2)
	o.p.until("an answer after the reboot", func() bool { return o.get(forwarded) == hello })

	stopped, err := api.Run(ctx, o.client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	must(t, err)
	if stopped.State != "Stopped" || o.get(forwarded) == hello {
		t.Errorf("the machine is %s", stopped.State)
	}
	_, err = api.Run(ctx, o.client, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: vm.ID, Expunge: true})
	must(t, err)
	_, err = api.Run(ctx, o.client, cs.DeleteNetwork, cs.DeleteNetworkIn{ID: vm.NICs[0].NetworkID})
	must(t, err)
	for _, pattern := range []string{"pool/*.qcow2", "host/machines/guests/*", "host/routers/*", "host/networks/ports/*"} {
		if left, err := filepath.Glob(filepath.Join(o.dir, pattern)); err != nil || len(left) > 0 {
			t.Errorf("of the machine is left: %v %v", left, err)
		}
	}
	if took := o.p.stop(os.Interrupt); took > 5*time.Second {
		t.Errorf("it took %v to stop", took)
	}
}
