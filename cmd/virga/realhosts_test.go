package main_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/datacenter"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
	"github.com/virga-cloud/virga/internal/tinyimage/tinyimagetest"
	"github.com/virga-cloud/virga/uid"
)

// realHosts is a cloud with several real hosts: a server and agents, each in a network of its own, joined by a switch. They share a
// folder for disks and one for images, as hosts share what they mount from a file server.
type realHosts struct {
	t      *testing.T
	lab    *vnettest.Lab
	lan    *vnet.Space // where the server is, and who asks from outside
	dir    string
	http   *http.Client
	p      *process
	client *api.Client
	zone   uid.Zone
	hosts  []*realHost
	bucket *buckettest.Server // where images are kept; nil where that is a folder
	tiny   uid.Template
	small  uid.ServiceOffering

	text     string // the data centre
	inBucket bool   // images are kept in a bucket
	guest    bool   // hosts have a bridge for shared networks, by which they are joined to "shared" of the network around them
}

// realHost is one of its hosts.
type realHost struct {
	*realHosts
	name  string
	link  string // the switch's end of its cable
	space *vnet.Space
	home  string
	agent *process
	id    uid.Host
}

// realHostsPlan is the data centre. Addresses are of networks that are nobody's (RFC 2544, RFC 5737).
const realHostsPlan = `
zones:
  - name: real
    networktype: Advanced
    dns1: 198.18.0.1
    internaldns1: 198.18.0.1
    guestcidraddress: 10.1.1.0/24
    physicalnetworks:
      - name: wires
        vlan: 100-200
        isolationmethods: [VLAN]
        traffictypes: [{traffictype: Guest}, {traffictype: Public}, {traffictype: Management}, {traffictype: Storage}]
        providers: [VirtualRouter]
    ipranges:
      - {gateway: 203.0.113.1, netmask: 255.255.255.0, startip: 203.0.113.10, endip: 203.0.113.50}
    pods:
      - name: pod
        gateway: 172.16.0.1
        netmask: 255.255.0.0
        startip: 172.16.0.2
        endip: 172.16.255.200
        clusters:
          - {name: cluster, hypervisor: KVM%s}
%sserviceofferings:
  - {name: Small Guest, displaytext: small, cpunumber: 1, cpuspeed: 500, memory: 128, offerha: true}
settings: {ping.interval: 2}
`

// newRealHosts makes them, with images in a folder that they share or in a bucket of S3 that only servers have the keys of.
func newRealHosts(t *testing.T, count int, inBucket bool) *realHosts {
	t.Helper()
	return (&realHosts{t: t, text: realHostsPlan, inBucket: inBucket}).open(count)
}

// open starts the server, makes the data centre, and lets hosts join.
func (r *realHosts) open(count int) *realHosts {
	r.t.Helper()
	t := r.t
	needs(t, "qemu", "qemu-system-x86_64", "qemu-img", "nsenter", "ip")
	image := tinyimagetest.Path(t)
	l := vnettest.New(t, "nft", "dnsmasq", "haproxy")
	r.lab, r.lan = l, l.Space("lan")
	l.Bridge(r.lan, "net", "198.18.0.1/24")
	l.Bridge(r.lan, "out", "203.0.113.1/24")
	if r.guest {
		l.Bridge(r.lan, "shared", "10.77.0.1/24")
	}
	dir, err := os.MkdirTemp("", "vr") // a short path: there are sockets below
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(dir)) })
	r.dir = dir
	must(t, os.Chmod(dir, 0o711))
	for _, name := range []string{"pool", "images"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o711))
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	r.http = &http.Client{Timeout: time.Minute, Transport: &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (c net.Conn, err error) {
			err = r.lan.Do(func() error { c, err = dialer.DialContext(ctx, network, address); return err })
			return c, err
		},
		DisableKeepAlives: true,
	}}
	r.serve(image)
	file := filepath.Join(dir, "credentials.json")
	r.p = launchBy(t, r.within(r.lan), "dev", "--no-seed", "--hosts", "0", "--data", filepath.Join(dir, "cloud"), "--listen", "198.18.0.1:8080",
		"--agents", "198.18.0.1:8443", "--credentials-file", file)
	r.p.until("the credentials", func() bool { return r.p.read(file) == nil })
	r.client = r.p.client()
	r.client.HTTP = r.http
	r.plan("", "")
	clusters, err := api.Fetch(t.Context(), r.client, cs.ListClusters, cs.ListClustersIn{})
	cluster := only(t, clusters, err)
	r.zone = cluster.ZoneID
	for i := range count {
		r.join(i+1, cluster.ID)
	}
	secondary := fmt.Sprintf("    secondarystorages:\n      - {name: images, url: \"file://%s/images\"}\n", dir)
	if r.inBucket {
		secondary = ""
		r.bucket = buckettest.On(t, l.Listen(r.lan, "tcp", "198.18.0.1:9000"))
		_, err := api.Do(t.Context(), r.client, cs.AddImageStore, cs.AddImageStoreIn{Name: "images", Provider: "S3", ZoneID: r.zone, Details: []cs.KeyValue{
			{Key: "accesskey", Value: buckettest.AccessKey}, {Key: "secretkey", Value: buckettest.SecretKey}, {Key: "endpoint", Value: r.bucket.Endpoint},
			{Key: "bucket", Value: buckettest.Bucket}, {Key: "usehttps", Value: "false"},
		}})
		must(t, err)
	}
	r.plan(fmt.Sprintf(`, primarystorages: [{name: shared, url: "SharedMountPoint://localhost%s/pool"}]`, dir),
		secondary)
	r.tiny = r.register()
	offerings, err := api.Fetch(t.Context(), r.client, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{Name: "Small Guest"})
	r.small = only(t, offerings, err).ID
	return r
}

// within begins commands in a network.
func (r *realHosts) within(space *vnet.Space) []string {
	return []string{"nsenter", "--net=/run/netns/" + space.Name, "--"}
}

// plan makes the data centre what the file says.
func (r *realHosts) plan(primary, secondary string) {
	r.t.Helper()
	file, err := datacenter.Read(strings.NewReader(fmt.Sprintf(r.text, primary, secondary)))
	must(r.t, err)
	must(r.t, datacenter.Apply(r.t.Context(), r.client, file, datacenter.Options{}))
}

// serve has files of the test's on a server that hosts may fetch from: the tiny guest's image, and a CD with nothing on it.
func (r *realHosts) serve(image string) {
	r.t.Helper()
	listener := r.lab.Listen(r.lan, "tcp", "198.18.0.1:80")
	mux := http.NewServeMux()
	mux.HandleFunc("/tiny.qcow2", func(w http.ResponseWriter, q *http.Request) { http.ServeFile(w, q, image) })
	mux.HandleFunc("/empty.iso", func(w http.ResponseWriter, q *http.Request) {
		http.ServeContent(w, q, "empty.iso", time.Time{}, strings.NewReader(strings.Repeat("\x00", 1<<20)))
	})
	go func() { _ = (&http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}).Serve(listener) }()
}

// join adds a host, by its agent.
func (r *realHosts) join(n int, cluster uid.Cluster) {
	r.t.Helper()
	h := &realHost{realHosts: r, name: fmt.Sprintf("h%d", n), link: fmt.Sprintf("n%d", n), space: r.lab.Space(fmt.Sprintf("h%d", n))}
	h.home = filepath.Join(r.dir, h.name)
	public := fmt.Sprintf("p%d", n)
	r.lab.Join(h.link, r.lan, "", h.space, fmt.Sprintf("198.18.0.%d/24", 10+n))
	r.lab.Join(public, r.lan, "", h.space, "")
	r.lab.Bridge(h.space, "outside", "")
	ports := []struct {
		space        *vnet.Space
		link, bridge string
	}{{r.lan, h.link, "net"}, {r.lan, public, "out"}, {h.space, public, "outside"}}
	if r.guest {
		shared := fmt.Sprintf("s%d", n)
		r.lab.Join(shared, r.lan, "", h.space, "")
		r.lab.Bridge(h.space, "guests", "")
		ports = append(ports, ports[:2]...)
		ports[3].link, ports[3].bridge = shared, "shared"
		ports[4].space, ports[4].link, ports[4].bridge = h.space, shared, "guests"
	}
	for _, one := range ports {
		r.lab.Run(one.space, "ip", "link", "set", one.link, "master", one.bridge)
	}
	token, err := api.Do(r.t.Context(), r.client, cs.CreateAgentToken, cs.CreateAgentTokenIn{ClusterID: cluster})
	must(r.t, err)
	r.t.Cleanup(h.clear)
	h.start("--token", token.Token)
	host := awaitHost(r.t, h.agent, r.client, h.name, "Up")
	h.id = host.ID
	r.hosts = append(r.hosts, h)
}

// start starts the host's agent.
func (h *realHost) start(more ...string) {
	h.t.Helper()
	args := []string{
		"agent", "--server", "198.18.0.1:8443", "--data", h.home, "--name", h.name, "--public", "outside", "--roots", h.dir,
		"--fetch", "198.18.0.0/24",
	}
	if h.guest {
		args = append(args, "--guest", "guests")
	}
	h.agent = launchBy(h.t, h.within(h.space), append(args, more...)...)
	agent := h.agent
	h.t.Cleanup(func() {
		if h.t.Failed() {
			h.t.Logf("the agent of %s has said:\n%s", h.name, agent.out)
		}
	})
}

// clear ends all that runs on the host, and sees to it that nothing is left of it.
func (h *realHost) clear() {
	h.agent.kill()
	path, err := binary()
	must(h.t, err)
	line := append(h.within(h.space), path, "agent", "--clear", "--data", h.home)
	if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
		h.t.Errorf("%v: %s", err, out)
	}
	pids, err := h.space.Processes()
	must(h.t, err)
	left := running(h.t, h.home)
	spaces, err := vnet.SpaceNames("virga-")
	must(h.t, err)
	spaces = slices.DeleteFunc(spaces, func(name string) bool { return h.id == "" || !strings.Contains(name, vnet.Tag(h.id)) })
	if len(pids) > 0 || len(left) > 0 || len(spaces) > 0 {
		h.t.Errorf("of %s are left: processes %v in its network, %v with its files, namespaces %v", h.name, pids, left, spaces)
	}
}

// running gives the processes that have a text in their command line.
func running(t *testing.T, text string) (pids []int) {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	must(t, err)
	for _, f := range files {
		line, _ := os.ReadFile(f)
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(f))); err == nil && strings.Contains(string(line), text) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// opened tells whether the host's process of a machine has a file open whose path has a text in it.
func (h *realHost) opened(vm uid.VM, text string) bool {
	h.t.Helper()
	for _, pid := range running(h.t, filepath.Join(h.home, "machines", "guests", string(vm))) {
		files, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		must(h.t, err)
		for _, f := range files {
			if path, err := os.Readlink(f); err == nil && strings.Contains(path, text) {
				return true
			}
		}
	}
	return false
}

// powerOff ends the host as a power failure does: all of its processes at once.
func (h *realHost) powerOff() {
	h.agent.kill()
	for _, pid := range running(h.t, h.home) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// register makes a template of the tiny guest, and waits until it is there.
func (r *realHosts) register() uid.Template {
	r.t.Helper()
	templates, err := api.Fetch(r.t.Context(), r.client, cs.RegisterTemplate, cs.RegisterTemplateIn{
		Name: "tiny", DisplayText: "tiny", Format: "QCOW2", Hypervisor: "KVM", URL: "http://198.18.0.1/tiny.qcow2", ZoneID: string(r.zone),
		Public: true, PasswordEnabled: true,
	})
	id := only(r.t, templates, err).ID
	r.awaitTemplate(id)
	return id
}

func (r *realHosts) awaitTemplate(id uid.Template) {
	r.t.Helper()
	r.p.until("the template", func() bool {
		templates, err := api.Fetch(r.t.Context(), r.client, cs.ListTemplates, cs.ListTemplatesIn{Filter: "all", ID: id})
		return only(r.t, templates, err).Ready
	})
}

// remembering is what machines run when they start: after it one can tell them to remember something, in memory and on disk.
const remembering = `#!/bin/sh
mkdir -p /www/cgi-bin
printf '#!/bin/sh\necho\necho "$QUERY_STRING" >/www/state\n' >/www/cgi-bin/put
printf '#!/bin/sh\necho\necho "$QUERY_STRING" | dd of=/dev/vda bs=512 seek=57344 conv=fsync\n' >/www/cgi-bin/write
printf '#!/bin/sh\necho\necho 3 >/proc/sys/vm/drop_caches\ndd if=/dev/vda bs=512 skip=57344 count=1 | head -n 1\n' >/www/cgi-bin/read
chmod +x /www/cgi-bin/*
echo nothing >/www/state
`

// deploy makes a machine on a host.
func (r *realHosts) deploy(name string, on *realHost, template uid.Template) cs.VirtualMachine {
	r.t.Helper()
	return r.deployAs(cs.DeployVirtualMachineIn{
		Name: name, TemplateID: template, HostID: on.id, UserData: base64.StdEncoding.EncodeToString([]byte(remembering)),
	})
}

// deployAs makes a machine of the smallest offering.
func (r *realHosts) deployAs(in cs.DeployVirtualMachineIn) cs.VirtualMachine {
	r.t.Helper()
	in.ZoneID, in.ServiceOfferingID = r.zone, r.small
	vm, err := api.Run(r.t.Context(), r.client, cs.DeployVirtualMachine, in)
	must(r.t, err)
	return vm
}

// ready waits until a machine on the host has started and done what it is to do then, and gives what it has said.
func (h *realHost) ready(vm uid.VM) (said string) {
	h.t.Helper()
	file := filepath.Join(h.home, "machines", "guests", string(vm), "serial.log")
	defer func() {
		if h.t.Failed() {
			h.t.Logf("the machine has said:\n%s", strings.ToValidUTF8(said, "?"))
		}
	}()
	h.p.within(booting, "machine that is ready on "+h.name, func() bool {
		text, _ := os.ReadFile(file)
		said = string(text)
		return strings.Contains(said, "TINY-READY")
	})
	return said
}

// reach makes a machine's port 80 known outside, and gives its URL.
func (r *realHosts) reach(vm cs.VirtualMachine, port int) string {
	r.t.Helper()
	addresses, err := api.Fetch(r.t.Context(), r.client, cs.ListPublicIPAddresses, cs.ListPublicIPAddressesIn{AssociatedNetworkID: vm.NICs[0].NetworkID})
	public := only(r.t, addresses, err)
	_, err = api.Run(r.t.Context(), r.client, cs.CreatePortForwardingRule, cs.CreatePortForwardingRuleIn{
		IPAddressID: public.ID, Protocol: "tcp", PublicPort: port, PrivatePort: 80, VirtualMachineID: vm.ID,
	})
	must(r.t, err)
	return "http://" + net.JoinHostPort(public.IPAddress, strconv.Itoa(port)) + "/"
}

// get asks from outside.
func (r *realHosts) get(url string) string {
	r.t.Helper()
	return fetch(r.t, r.http, url)
}

// machine gives a machine as it is now.
func (r *realHosts) machine(id uid.VM) cs.VirtualMachine {
	r.t.Helper()
	machines, err := api.Fetch(r.t.Context(), r.client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: id})
	return only(r.t, machines, err)
}
