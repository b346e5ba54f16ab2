package node

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vrouter"
	"github.com/virga-cloud/virga/uid"
)

// HostOptions say what there is of a real host.
type HostOptions struct {
	Dir      string   // what is kept of its machines, networks and routers
	Address  string   // by which other hosts reach it; "" for a host alone
	Public   string   // the link by which routers reach the outside; "" for none
	Trunk    string   // the link whose VLANs are guest networks; "" for none
	Roots    []string // the folders that pools and stores may be in; none means any
	Fetcher  kvm.Fetcher
	Metadata []string // the program that answers guests of routers
	Log      *slog.Logger
}

// host is a real host: machines under QEMU, guest networks, virtual routers.
type host struct {
	*kvm.Driver
	id      uid.Host
	fabric  *vnet.Fabric
	routers *vrouter.Routers
}

var (
	_ hypervisor.Networker = (*host)(nil)
	_ hypervisor.Guarder   = (*host)(nil)
	_ hypervisor.Mesher    = (*host)(nil)
)

// OpenHost takes up the host that this process is on.
func OpenHost(ctx context.Context, id uid.Host, o HostOptions) (_ Machine, err error) {
	// QEMU is opened first: it says best what is missing of itself.
	h, who := &host{id: id}, unprivileged()
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if err := passable(o.Dir); err != nil {
		return Machine{}, err
	}
	h.Driver, err = kvm.Open(kvm.Options{
		Host: id, Dir: filepath.Join(o.Dir, "machines"), Ports: ports{h}, Fetcher: o.Fetcher, User: who, Listen: o.Address,
		Roots: o.Roots, Log: o.Log,
	})
	if err != nil {
		return Machine{}, err
	}
	able := Check(ctx, h.Runs)
	if err := missing(able); err != nil {
		return Machine{}, err
	}
	for _, c := range able {
		if c.Lack != nil {
			o.Log.Warn("this host lacks something", "what", c.Name, "cost", c.Cost, "why", c.Lack)
		}
	}
	net := vnet.Config{Host: id, State: filepath.Join(o.Dir, "networks"), Trunk: o.Trunk, Public: o.Public, Log: o.Log}
	if address, err := netip.ParseAddr(o.Address); err == nil && !address.IsLoopback() {
		net.Underlay = address
	}
	if who != nil {
		net.Owner = int(who.UID)
	}
	if h.fabric, err = vnet.Open(ctx, net); err != nil {
		return Machine{}, fmt.Errorf("take up the guest networks of this host: %w", err)
	}
	h.routers, err = vrouter.Open(vrouter.Config{
		Fabric: h.fabric, State: filepath.Join(o.Dir, "routers"), Spaces: "virga-", Metadata: o.Metadata, User: nobody, Log: o.Log,
	})
	if err != nil {
		return Machine{}, fmt.Errorf("take up the virtual routers of this host: %w", err)
	}
	return Machine{Driver: h, Capabilities: proven(able), Close: h.close}, nil
}

// passable lets services of routers and QEMU, which run as other users, through a folder, and not look into it.
func passable(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of this host: %w", err)
	}
	return os.Chmod(dir, 0o711) //nolint:gosec // through, and no more
}

// nobody is who owns nothing.
const nobody = 65534

// qemuUser is who Debian's QEMU packages make for running machines.
const qemuUser = "libvirt-qemu"

// unprivileged is who machines run as: nil, which is this process's user, where that is not root.
func unprivileged() *kvm.User {
	if os.Getuid() != 0 {
		return nil
	}
	u := &kvm.User{UID: nobody, GID: nobody}
	if known, err := user.Lookup(qemuUser); err == nil {
		u.UID, u.GID = number(known.Uid), number(known.Gid)
	}
	if group, err := user.LookupGroup("kvm"); err == nil {
		u.Groups = []uint32{number(group.Gid)}
	}
	return u
}

func number(text string) uint32 {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return nobody
	}
	return uint32(n)
}

func (h *host) close() (err error) {
	if h.Driver != nil {
		err = h.Close()
	}
	if h.fabric != nil {
		h.fabric.Close()
	}
	return err
}

// Recover finds what runs, and puts in order what should.
func (h *host) Recover(ctx context.Context) error {
	return errors.Join(h.Driver.Recover(ctx), h.routers.Recover(ctx))
}

// here tells whether this is the host that is meant.
func (h *host) here(ctx context.Context, id uid.Host) error {
	if id != h.id {
		return fault.Unavailablef("host %s does not answer: this is host %s", id, h.id)
	}
	return ctx.Err()
}

// ApplyRouter makes a router what its document says.
func (h *host) ApplyRouter(ctx context.Context, id uid.Host, r hypervisor.Router) error {
	if err := h.here(ctx, id); err != nil {
		return err
	}
	return h.routers.ApplyRouter(ctx, r)
}

// DropRouter ends a router.
func (h *host) DropRouter(ctx context.Context, id uid.Host, r uid.Router) error {
	if err := h.here(ctx, id); err != nil {
		return err
	}
	return h.routers.DropRouter(ctx, r)
}

// Routers lists the routers.
func (h *host) Routers(ctx context.Context, id uid.Host) ([]hypervisor.RouterReport, error) {
	if err := h.here(ctx, id); err != nil {
		return nil, err
	}
	return h.routers.Routers(ctx)
}

// ApplyGuards makes the rules of the cards what the document says.
func (h *host) ApplyGuards(ctx context.Context, id uid.Host, g hypervisor.Guards) error {
	if err := h.here(ctx, id); err != nil {
		return err
	}
	return h.fabric.ApplyGuards(ctx, g)
}

// ApplyPeers tells the host of the others.
func (h *host) ApplyPeers(ctx context.Context, id uid.Host, p hypervisor.Peers) error {
	if err := h.here(ctx, id); err != nil {
		return err
	}
	return h.fabric.ApplyPeers(ctx, p)
}

// ports are where machines' cards end: in the host's guest networks.
type ports struct{ host *host }

// Plug gives a card its port.
func (p ports) Plug(ctx context.Context, nic hypervisor.NIC) (kvm.Tap, error) {
	tap, err := p.host.fabric.Plug(ctx, nic)
	return kvm.Tap(tap), err
}

// Unplug takes a card's port away.
func (p ports) Unplug(ctx context.Context, nic uid.NIC) error { return p.host.fabric.Unplug(ctx, nic) }
