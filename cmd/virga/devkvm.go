package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"text/template"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/datacenter"
	"github.com/virga-cloud/virga/internal/hypervisor/node"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/outside/bucket"
	"github.com/virga-cloud/virga/internal/tinyimage"
	"github.com/virga-cloud/virga/uid"
)

// hostsKVM is the value of --hosts that makes this machine the host.
const hostsKVM = "kvm"

// checkKVM judges the flags for a cloud with real machines.
func (d *dev) checkKVM() error {
	switch {
	case d.Data == "memory":
		return errors.New("--data memory: real machines outlive this process: with --hosts kvm want a folder")
	case d.Database != "":
		return errors.New("--database: a cloud on this machine keeps its database in its folder: leave it out with --hosts kvm")
	case d.Basic || d.NoSeed || d.Realistic || d.Fast:
		return errors.New("--basic, --no-seed, --fast, --realistic: these are for simulated hosts: leave them out with --hosts kvm")
	}
	_, err := d.public()
	return err
}

// publicNetwork is the network of public addresses.
type publicNetwork struct {
	Own         netip.Prefix // this machine's address in it, which is its gateway
	First, Last netip.Addr   // that the cloud gives out
	Netmask     string
}

// In a public network of 256 addresses the cloud gives out these.
const (
	firstPublic = 10
	lastPublic  = 250
	publicBits  = 24
)

func (d *dev) public() (n publicNetwork, err error) {
	n.Own, err = netip.ParsePrefix(d.Outside)
	if err != nil || !n.Own.Addr().Is4() || n.Own.Bits() > publicBits || n.Own.Addr() == n.Own.Masked().Addr() {
		return n, fmt.Errorf("--outside %q: want this machine's address and a network's size, /24 or larger: 192.168.231.1/24 for instance", d.Outside)
	}
	base := n.Own.Masked().Addr().As4()
	base[3] = firstPublic
	n.First = netip.AddrFrom4(base)
	base[3] = lastPublic
	n.Last = netip.AddrFrom4(base)
	if own := n.Own.Addr(); own.Compare(n.First) >= 0 && own.Compare(n.Last) <= 0 {
		return n, fmt.Errorf("--outside %q: the cloud gives out %s to %s: want another address", d.Outside, n.First, n.Last)
	}
	n.Netmask = net.IP(net.CIDRMask(n.Own.Bits(), 32)).String()
	return n, nil
}

//go:embed devkvm.yaml
var ownHostText string

var ownHost = template.Must(template.New("devkvm.yaml").Parse(ownHostText))

// ownCloud is what makes this machine a cloud with one host. It uses the API as anybody does.
type ownCloud struct {
	*dev
	box    *cloud.Sandbox
	client *api.Client
	dir    string // the host's
	public publicNetwork
}

// serveKVM serves a cloud whose host is this machine. Machines go on when it ends.
func (d *dev) serveKVM(ctx context.Context, box *cloud.Sandbox, doors doors, dir string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	keys := box.Admin().Keys
	o := &ownCloud{dev: d, box: box, dir: filepath.Join(dir, "host"), client: &api.Client{
		Endpoint: "http://virga/client/api", APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal(), PollInterval: pollInterval,
		HTTP: &http.Client{Transport: inside{box.Handler()}},
	}}
	if o.public, err = d.public(); err != nil {
		return err
	}
	// QEMU's user gets to its machines through this folder.
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // through, and no more
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	agent := make(chan struct{})
	begun := false
	defer func() {
		cancel(nil)
		if begun {
			<-agent
		}
		o.farewell()
	}()
	cluster, err := o.plan(ctx, false)
	if err != nil {
		return err
	}
	token, err := o.token(ctx, cluster)
	if err != nil {
		return err
	}
	begun = true
	go func() {
		defer close(agent)
		if err := o.agent(ctx, token); err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("this machine as a host: %w", err))
		}
	}()
	host, err := o.prepare(ctx, cluster)
	if err == nil {
		err = d.serve(ctx, box, doors, dir, func(url string) error {
			return d.ready(url, keys, fmt.Sprintf("with %s as its host", host.Name))
		})
	}
	if cause := context.Cause(ctx); cause != nil { // it was told to end, or the agent could not go on
		err = cause
	}
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// plan makes zone, pod, cluster and offering, and, where there is a host, the storage. It gives the cluster.
func (o *ownCloud) plan(ctx context.Context, storage bool) (uid.Cluster, error) {
	var text strings.Builder
	err := ownHost.Execute(&text, map[string]any{
		"DNS": resolver(), "Gateway": o.public.Own.Addr(), "Netmask": o.public.Netmask, "First": o.public.First, "Last": o.public.Last,
		"Storage": storage, "Pool": o.folder("pool"), "Images": o.folder("images"),
	})
	if err != nil {
		return "", err
	}
	file, err := datacenter.Read(strings.NewReader(text.String()))
	if err != nil {
		return "", err
	}
	if err := datacenter.Apply(ctx, o.client, file, datacenter.Options{}); err != nil {
		return "", fmt.Errorf("make the cloud: %w", err)
	}
	clusters, err := api.Fetch(ctx, o.client, cs.ListClusters, cs.ListClustersIn{Name: "C0"})
	if err != nil || len(clusters.Items) != 1 {
		return "", fmt.Errorf("find cluster C0 among %d: %w", len(clusters.Items), err)
	}
	return clusters.Items[0].ID, nil
}

// folder is where storage is.
func (o *ownCloud) folder(name string) string { return filepath.Join(filepath.Dir(o.dir), name) }

// token gives what the agent introduces itself with; "" where it has done that.
func (o *ownCloud) token(ctx context.Context, cluster uid.Cluster) (string, error) {
	if node.Introduced(o.dir) {
		return "", nil
	}
	t, err := api.Do(ctx, o.client, cs.CreateAgentToken, cs.CreateAgentTokenIn{ClusterID: cluster})
	return t.Token, err
}

// agent is this machine's, until the context ends.
func (o *ownCloud) agent(ctx context.Context, token string) error {
	name, err := os.Hostname()
	if err != nil {
		return fmt.Errorf("find this machine's name: %w", err)
	}
	_, port, err := net.SplitHostPort(o.box.Cloud().AgentsAt().String())
	if err != nil {
		return err
	}
	log := o.logger()
	return node.Run(ctx, node.Options{
		Servers: []string{net.JoinHostPort("127.0.0.1", port)}, Token: token, Dir: o.dir, Name: name, Version: version, Log: log,
		Open: func(ctx context.Context, id uid.Host, address string) (node.Machine, error) {
			return node.OpenHost(ctx, id, node.HostOptions{
				Dir: o.dir, Address: address, Outside: &vnet.Outside{Gateways: []netip.Prefix{o.public.Own}, Hidden: true},
				Fetcher: shelf{tinyURL: o.folder("tiny.qcow2")}, Carrier: bucket.NewCarrier(), Metadata: []string{self, metadataCommand}, Log: log,
			})
		},
	})
}

// prepare gives the host, once it is there, with the storage and the template that machines need.
func (o *ownCloud) prepare(ctx context.Context, cluster uid.Cluster) (h cs.Host, err error) {
	err = until(ctx, func() (bool, error) {
		hosts, err := api.Fetch(ctx, o.client, cs.ListHosts, cs.ListHostsIn{ClusterID: cluster, Type: "Routing", State: "Up"})
		if len(hosts.Items) > 0 {
			h = hosts.Items[0]
		}
		return len(hosts.Items) > 0, err
	})
	if err != nil {
		return h, fmt.Errorf("wait for this machine to be a host: %w", err)
	}
	for _, name := range []string{"pool", "images"} {
		dir := o.folder(name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return h, err
		}
		if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // QEMU runs as another user
			return h, err
		}
	}
	if _, err := o.plan(ctx, true); err != nil {
		return h, err
	}
	return h, o.tiny(ctx, h.ZoneID)
}

const (
	tinyName = "Tiny guest"
	// tinyURL is what the template is registered with. Only this cloud's host knows what is there: see shelf.
	tinyURL = "http://virga.internal/tiny.qcow2"
)

// tiny sees to it that there is a template of the tiny guest.
func (o *ownCloud) tiny(ctx context.Context, zone uid.Zone) error {
	find := func() (cs.Template, error) {
		all, err := api.Fetch(ctx, o.client, cs.ListTemplates, cs.ListTemplatesIn{Filter: "all", Name: tinyName, ZoneID: zone})
		if err != nil || len(all.Items) == 0 {
			return cs.Template{}, err
		}
		return all.Items[0], nil
	}
	t, err := find()
	if err != nil || t.Ready {
		return err
	}
	cached, err := os.UserCacheDir()
	if err != nil {
		cached = o.dir
	}
	image, err := tinyimage.Cached(ctx, filepath.Join(cached, "virga-tiny"))
	if err != nil { // a cloud without it is one all the same
		fmt.Fprintln(os.Stderr, "There is no template of the tiny guest:", err)
		return nil
	}
	if err := copyTo(o.folder("tiny.qcow2"), image); err != nil {
		return err
	}
	defer func() { _ = os.Remove(o.folder("tiny.qcow2")) }()
	if t.ID == "" {
		_, err := api.Fetch(ctx, o.client, cs.RegisterTemplate, cs.RegisterTemplateIn{
			Name: tinyName, DisplayText: "Tiny guest: Debian's kernel and busybox", Format: "QCOW2", Hypervisor: "KVM", URL: tinyURL,
			ZoneID: string(zone), Public: true, Featured: true, PasswordEnabled: true, SSHKeyEnabled: true,
		})
		if err != nil {
			return fmt.Errorf("register the tiny guest: %w", err)
		}
	}
	return until(ctx, func() (bool, error) {
		t, err := find()
		if err == nil && !t.Ready && t.Status != "Downloading" {
			err = fmt.Errorf("the template of the tiny guest is no use, delete it (%s): %s", t.ID, t.Status)
		}
		return t.Ready, err
	})
}

// until waits for something that others do.
func until(ctx context.Context, happened func() (bool, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Minute, errors.New("it has not happened within a minute"))
	defer cancel()
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	for {
		if done, err := happened(); done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// farewell says that machines go on.
func (o *ownCloud) farewell() {
	if guests, err := filepath.Glob(filepath.Join(o.dir, "machines", "guests", "*")); err == nil && len(guests) > 0 {
		fmt.Printf("\nMachines go on (%d of them); the next start with this folder finds them. To end all that runs:\n  %s agent --clear --data %s\n",
			len(guests), os.Args[0], o.dir)
	}
}
