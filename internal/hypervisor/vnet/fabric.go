package vnet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Config says whose guest networks these are, and what joins them to others.
type Config struct {
	Host  uid.Host
	State string // the folder for what must be known after a restart
	// Space is the name of the network namespace for bridges and taps, made where it is not there; "" is one named after the host,
	// and [Own] the process's own. In one of theirs the host's firewall has nothing to do with them, and guests are not beside the
	// host's addresses; QEMU is handed its taps as open files.
	Space    string
	Underlay netip.Addr // this host's address in the network that hosts reach each other by; zero for a host alone
	Trunk    string     // a link whose VLANs are guest networks; "" for none. It is used where the kernel can, and then in place of tunnels
	Wires    []string   // bridges of the host's operator that may carry guest networks
	Public   string     // a bridge or network card that routers reach the outside by; "" for none
	Owner    int        // the user who may open taps
	Log      *slog.Logger
}

// Own says that bridges and taps are in the process's own network namespace, beside all else that is there.
const Own = "."

// Fabric is a host's side of guest networks. Its methods may be called by many goroutines at once.
type Fabric struct {
	Config

	home  *Space // where the process is: tunnels go out by it
	space *Space // where the bridges are
	vlans bool   // guest networks are VLANs of Trunk

	mu     sync.Mutex
	ports  map[uid.NIC]*port
	guards hypervisor.Guards
	peers  hypervisor.Peers
}

// Open takes up a host's guest networks where they were left.
func Open(ctx context.Context, c Config) (*Fabric, error) {
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Space == "" {
		c.Space = mine + "-net-" + Tag(c.Host)
	}
	f := &Fabric{Config: c, ports: map[uid.NIC]*port{}}
	var err error
	if f.home, err = Here(); err != nil {
		return nil, err
	}
	if f.space = f.home; c.Space != Own {
		if f.space, err = MakeSpace(c.Space); err != nil {
			f.home.Close()
			return nil, err
		}
	}
	if err = f.load(ctx); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Close lets go of everything. Ports and segments stay as they are.
func (f *Fabric) Close() {
	if f.space != f.home {
		f.space.Close()
	}
	f.home.Close()
}

// End removes all that is ours on the host, and lets go of it.
func (f *Fabric) End(ctx context.Context) error {
	err := f.Sweep(ctx, nil, nil)
	f.Close()
	if f.Space != Own {
		err = errors.Join(err, DropSpace(f.Space))
	}
	return err
}

func (f *Fabric) load(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Join(f.State, "ports"), 0o700); err != nil {
		return fmt.Errorf("folder for ports: %w", err)
	}
	if f.Trunk != "" {
		if err := f.tryVLAN(); err != nil {
			if !f.Underlay.IsValid() {
				return fmt.Errorf("guest networks as VLANs of %s: %w", f.Trunk, err)
			}
			f.Log.InfoContext(ctx, "no VLANs here: guest networks are tunnels", "trunk", f.Trunk, "error", err)
		} else {
			f.vlans = true
		}
	}
	for name, into := range map[string]any{"guards.json": &f.guards, "peers.json": &f.peers} {
		if err := Read(filepath.Join(f.State, name), into); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(f.State, "ports", "*.json"))
	if err != nil {
		return err
	}
	for _, file := range files {
		p := new(port)
		if err := Read(file, p); err != nil {
			return err
		}
		f.ports[p.NIC.ID] = p
	}
	if err := f.expect(ctx); err != nil {
		return err
	}
	// Ports whose links are gone (the machine was restarted) come again when their machines do.
	if len(f.ports) == 0 {
		return nil
	}
	return f.guard(ctx)
}

// ApplyPeers says where the other hosts are.
func (f *Fabric) ApplyPeers(ctx context.Context, p hypervisor.Peers) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if p.Version <= f.peers.Version {
		return nil
	}
	for _, a := range p.Addresses {
		if ip, err := netip.ParseAddr(a); err != nil {
			return fault.Invalidf("a host's address %q is none", a)
		} else if f.Underlay.IsValid() && ip.Is4() != f.Underlay.Is4() {
			return fault.Invalidf("a host's address %s is not of the family of this host's, %s", a, f.Underlay)
		}
	}
	was := f.peers
	f.peers = p
	if err := f.expect(ctx); err != nil {
		f.peers = was
		return err
	}
	links, err := f.space.Links()
	if err != nil {
		return fmt.Errorf("list links: %w", err)
	}
	for _, l := range links {
		if kind, _, ok := f.claimed(l); ok && kind == aTunnel && l.Type() == tunnel {
			if err := f.flood(l); err != nil {
				f.peers = was
				return err
			}
		}
	}
	return Write(filepath.Join(f.State, "peers.json"), p)
}

// Sweep removes what is ours and not among what is wanted: ports of other cards, places of other routers, and segments that
// nothing is left in.
func (f *Fabric) Sweep(ctx context.Context, cards []uid.NIC, routers []uid.Router) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for id := range f.ports {
		if !slices.Contains(cards, id) {
			errs = append(errs, f.unplug(ctx, id))
		}
	}
	for _, space := range f.bothSpaces() {
		links, err := space.Links()
		if err != nil {
			return fmt.Errorf("list links: %w", err)
		}
		for _, l := range links {
			if f.stale(l, cards, routers) {
				errs = append(errs, drop(space, l))
			}
		}
	}
	errs = append(errs, f.leaveAll())
	if len(f.ports) == 0 {
		errs = append(errs, f.space.Rules(ctx, noRules(f.table())))
	}
	if len(f.ports) == 0 && len(routers) == 0 {
		errs = append(errs, f.home.Rules(ctx, f.noPeers()))
	}
	return errors.Join(errs...)
}

func (f *Fabric) bothSpaces() []*Space {
	if f.space == f.home {
		return []*Space{f.space}
	}
	return []*Space{f.space, f.home}
}

// stale tells whether a link is ours and for nothing that is wanted.
func (f *Fabric) stale(l netlink.Link, cards []uid.NIC, routers []uid.Router) bool {
	kind, id, ok := f.claimed(l)
	if !ok {
		return false
	}
	switch kind {
	case aPort, aSlow:
		return !slices.Contains(cards, uid.NIC(id))
	case aRouter, aPublic:
		router, _, one := strings.Cut(id, " ")
		if !one { // a VLAN that all of them share
			return len(routers) == 0
		}
		return !slices.Contains(routers, uid.Router(router))
	}
	return false
}

// drop removes a link that may be gone already.
func drop(s *Space, l netlink.Link) error {
	err := s.link.LinkDel(l)
	if err == nil {
		return nil
	}
	if _, gone := s.link.LinkByName(l.Attrs().Name); isGone(gone) {
		return nil
	}
	return fmt.Errorf("remove link %s: %w", l.Attrs().Name, err)
}

func isGone(err error) bool {
	_, gone := errors.AsType[netlink.LinkNotFoundError](err)
	return gone
}

// Read reads what [Write] wrote.
func Read(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Write keeps a value in a file, whole or not at all, for its owner only.
func Write(path string, value any) error {
	data, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return WriteFile(path, data, 0o600)
}

// WriteFile writes a file in one step: whoever reads it gets the old one or the new one. It is durable.
func WriteFile(path string, data []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer os.Remove(file.Name())
	_, err = file.Write(data)
	err = errors.Join(err, file.Chmod(mode), file.Sync(), file.Close())
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
