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

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/kvm"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet"
	"github.com/virga-cloud/virga/internal/hypervisor/vrouter"
	"github.com/virga-cloud/virga/uid"
)

// HostOptions say what there is of a real host.
type HostOptions struct {
	Dir         string        // what is kept of its machines, networks and routers
	Address     string        // by which other hosts reach it; "" for a host alone
	Public      string        // the link by which routers reach the outside; "" for none
	Outside     *vnet.Outside // a public network that the host makes for itself, in the place of Public; nil for none
	Trunk       string        // the link whose VLANs are guest networks; "" for none
	Guest       []string      // bridges that may carry guest networks
	Roots       []string      // the folders that pools and stores may be in; none means any
	Fetcher     kvm.Fetcher
	Carrier     kvm.Carrier // carries what is in buckets; nil where stores are folders only
	Metadata    []string    // the program that answers guests of routers
	Accelerator string      // what machines run on, "kvm" or "tcg"; "" finds out
	Log         *slog.Logger
}

// host is a real host: machines under QEMU, guest networks, virtual routers.
type host struct {
	*kvm.Driver
	*vrouter.Network

	options HostOptions
	fabric  *vnet.Fabric
	routers *vrouter.Routers
}

var (
	_ hypervisor.Networker = (*host)(nil)

	_ hypervisor.RouterCounter = (*host)(nil)

	_ hypervisor.Guarder = (*host)(nil)
	_ hypervisor.Mesher  = (*host)(nil)
	_ hypervisor.Gauge   = (*host)(nil)
	_ kvm.Counter        = ports{}
)

// OpenHost takes up the host that this process is on.
func OpenHost(ctx context.Context, id uid.Host, o HostOptions) (_ Machine, err error) {
	// QEMU is opened first: it says best what is missing of itself.
	h := &host{options: o}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if err := h.openMachines(id); err != nil {
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
	if err := h.openNetworks(ctx, id); err != nil {
		return Machine{}, err
	}
	if o.Outside != nil {
		if err := h.fabric.MakeOutside(ctx, *o.Outside); err != nil {
			return Machine{}, err
		}
	}
	return Machine{Driver: h, Capabilities: proven(able), Close: h.close}, nil
}

func (h *host) openMachines(id uid.Host) (err error) {
	o, who := h.options, unprivileged()
	if err := passable(o.Dir, who != nil); err != nil {
		return err
	}
	h.Driver, err = kvm.Open(kvm.Options{
		Host: id, Dir: filepath.Join(o.Dir, "machines"), Ports: ports{h}, Fetcher: o.Fetcher, Carrier: o.Carrier, User: who, Listen: o.Address,
		Roots: o.Roots, Accelerator: o.Accelerator, Log: o.Log,
	})
	return err
}

func (h *host) openNetworks(ctx context.Context, id uid.Host) (err error) {
	o := h.options
	net := vnet.Config{Host: id, State: filepath.Join(o.Dir, "networks"), Trunk: o.Trunk, Wires: o.Guest, Public: o.Public, Log: o.Log}
	if o.Public == "" { // where it makes none, there is none of that name
		net.Public = vnet.OutsideOf(id)
	}
	if address, err := netip.ParseAddr(o.Address); err == nil && !address.IsLoopback() {
		net.Underlay = address
	}
	if who := unprivileged(); who != nil {
		net.Owner = int(who.UID)
	}
	if h.fabric, err = vnet.Open(ctx, net); err != nil {
		return fmt.Errorf("take up the guest networks of this host: %w", err)
	}
	h.routers, err = vrouter.Open(vrouter.Config{
		Fabric: h.fabric, State: filepath.Join(o.Dir, "routers"), Spaces: "virga-r-" + vnet.Tag(id) + "-", Metadata: o.Metadata, User: nobody,
		Log: o.Log,
	})
	if err != nil {
		return fmt.Errorf("take up the virtual routers of this host: %w", err)
	}
	h.Network = vrouter.NewNetwork(h.fabric, h.routers)
	return nil
}

// passable lets services of routers and QEMU, which run as other users, through a folder, and not look into it. Those above it are
// somebody else's: one that others can't go through is in the way.
func passable(dir string, others bool) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("folder of this host: %w", err)
	}
	if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // through, and no more
		return err
	}
	if !others {
		return nil
	}
	for above := filepath.Dir(filepath.Clean(dir)); ; above = filepath.Dir(above) {
		if info, err := os.Stat(above); err != nil {
			return err
		} else if info.Mode()&0o001 == 0 {
			return fmt.Errorf("machines run as another user, who can't get to %s, since %s keeps others out: choose another folder, or "+
				"let them through with chmod o+x %s", dir, above, above)
		}
		if above == filepath.Dir(above) {
			return nil
		}
	}
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

// Recover finds what runs, puts in order what should, and removes what is for nothing that is here.
func (h *host) Recover(ctx context.Context) error {
	if err := h.Driver.Recover(ctx); err != nil {
		return err // the cards of machines that it has not come to are not known
	}
	return h.RecoverNetwork(ctx, h.Cards())
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

// Count tells what went by a card, as the machine sees it.
func (p ports) Count(_ context.Context, nic uid.NIC) (sent, received int64, err error) {
	return p.host.fabric.PortBytes(nic)
}

// Load tells how busy this host is.
func (h *host) Load(ctx context.Context, id uid.Host) (hypervisor.Load, error) {
	l, err := h.Driver.Load(ctx, id)
	if err == nil {
		l.Sent, l.Received, err = h.fabric.Carried()
	}
	return l, err
}
