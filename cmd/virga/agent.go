package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/node"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/uid"
)

// agent is what runs on a host.
type agent struct {
	Server   []string   `help:"Where the cloud's servers take agents, all of them with commas between." placeholder:"HOST:PORT"`
	Token    string     `help:"What createAgentToken gave. Needed once; better in the environment variable VIRGA_TOKEN, where other users of this machine don't see it." placeholder:"TOKEN"`
	Data     string     `help:"Folder for what the agent keeps: its key, and its machines." default:"/var/lib/virga" placeholder:"DIR"`
	Name     string     `help:"What the host is called. Default: this machine's name." placeholder:"NAME"`
	Listen   string     `help:"This host's address in the network that hosts reach each other by: guest networks and machines that move go by it. Default: the one that it reaches the first server from." placeholder:"ADDRESS"`
	Public   string     `help:"Bridge or network card by which virtual routers reach the outside." placeholder:"LINK"`
	Guest    []string   `help:"Bridges that may carry shared networks, with commas between: those that traffic labels of physical networks name." placeholder:"BRIDGE"`
	Trunk    string     `help:"Network card whose VLANs are guest networks, where this kernel can do that." placeholder:"LINK"`
	Roots    []string   `help:"Folders that storage pools and image stores may be in, with commas between. Default: any." placeholder:"DIR"`
	Fetch    []string   `help:"Networks of one's own that images may be fetched from, as CIDRs with commas between. Default: none, only public addresses." placeholder:"CIDR"`
	Check    bool       `help:"Only look what this machine can do, and say what each lack costs."`
	Clear    bool       `help:"End all that runs on this host for the cloud, at once: machines, virtual routers, networks. Disks stay. For hosts that were deleted."`
	Hosts    string     `hidden:"" enum:"kvm,sim" default:"kvm"`
	LogLevel slog.Level `help:"Least level that is logged: debug, info, warn, error." default:"warn"`
}

// AfterApply is kong's hook to judge the flags.
func (a *agent) AfterApply() error {
	for _, s := range a.Server {
		if err := hostPort("--server", s); err != nil {
			return err
		}
	}
	if a.Listen != "" {
		if _, err := netip.ParseAddr(a.Listen); err != nil {
			return fmt.Errorf("--listen %q: want an address of this host, 192.0.2.7 for instance", a.Listen)
		}
	}
	for _, cidr := range a.Fetch {
		if _, err := netip.ParsePrefix(cidr); err != nil {
			return fmt.Errorf("--fetch %q: want a network, 10.0.0.0/8 for instance", cidr)
		}
	}
	if len(a.Server) == 0 && !a.Check && !a.Clear {
		return errors.New("--server: want where the cloud's servers take agents, server.example:8443 for instance")
	}
	return checkData(a.Data)
}

func hostPort(flag, text string) error {
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || host == "" {
		return fmt.Errorf("%s %q: want an address and a port, 192.0.2.1:8443 for instance", flag, text)
	}
	return nil
}

// Run is the agent until it is told to stop.
func (a *agent) Run(ctx context.Context) error {
	data, err := filepath.Abs(a.Data)
	if err != nil {
		return err
	}
	if a.Name == "" {
		if a.Name, err = os.Hostname(); err != nil {
			return fmt.Errorf("find this machine's name: %w (give one with --name)", err)
		}
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: a.LogLevel}))
	if a.Check {
		return a.check(ctx, log)
	}
	if a.Clear {
		machines, err := node.Clear(ctx, data, log)
		if err == nil {
			fmt.Printf("Virga agent: nothing runs here for the cloud any more; %d machines were ended\n", machines)
		}
		return err
	}
	opened := a.kvm(data, log)
	if a.Hosts == "sim" {
		opened = simulated(data)
	}
	return node.Run(ctx, node.Options{
		Servers: a.Server, Token: a.Token, Dir: data, Name: a.Name, Address: a.Listen, Version: version, Open: opened, Log: log,
		Say: func(text string) { fmt.Println("Virga agent:", text) },
	})
}

// simulated is a host that is none: a world of its own, for tests of all that lies between a cloud and its hosts.
func simulated(data string) func(context.Context, uid.Host, string) (node.Machine, error) {
	return func(ctx context.Context, host uid.Host, _ string) (m node.Machine, err error) {
		world, err := sim.Open(filepath.Join(data, "world.db"), sim.Options{})
		if err != nil {
			return m, err
		}
		if err := world.Enroll(ctx, host, hypervisor.Capacity{}); err != nil {
			return m, errors.Join(err, world.Close())
		}
		return node.Machine{Driver: storing{world}, Capabilities: []string{"sim"}, Close: world.Close}, nil
	}
}

// storing is a simulated host that says how large its storage is, as real ones do.
type storing struct{ *sim.World }

// Pool says that there is plenty.
func (storing) Pool(context.Context, uid.Host, hypervisor.PoolRef) (hypervisor.PoolReport, error) { //nolint:unparam // of an interface
	return hypervisor.PoolReport{Bytes: 1 << 40}, nil
}
