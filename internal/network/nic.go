package network

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/uid"
)

// AttachIn says where to put a machine.
type AttachIn struct {
	VM       uid.VM
	Owner    uid.Account // of the machine: a network is its own account's, or one that its whole domain may use
	Zone     uid.Zone
	Networks []Wanted // in the order of the machine's devices; each once
	Serial   int64    // the first of as many as there are networks, from [Service.Serials]
}

// Wanted is a network to put a machine in, with the addresses that it wants there.
type Wanted struct {
	Network uid.Network
	IP      string // "" for the next free one
	IP6     string // "" for the one that the guest makes of its MAC address
	MAC     string // "" for one made from a serial number
}

// Serials takes n serial numbers for MAC addresses. It is called before the transaction that uses them.
func (s *Service) Serials(ctx context.Context, n int) (first int64, err error) {
	return s.db.Counter("mac").Take(ctx, int64(n))
}

// Attach gives a machine a NIC in each of some networks that the caller in ctx reaches. The first is the default one.
func (s *Service) Attach(ctx context.Context, tx db.Tx, in AttachIn) error {
	networks, err := open(ctx, tx, auth.From(ctx).Reach(), in.Owner, in.Networks)
	if err != nil {
		return err
	}
	for device, w := range in.Networks {
		if err := attach(ctx, tx, in, networks[w.Network], device, w); err != nil {
			return err
		}
	}
	return nil
}

// attach makes one NIC, in a network that is locked.
func attach(ctx context.Context, tx db.Tx, in AttachIn, n *opened, device int, w Wanted) error {
	if err := n.usable(); err != nil {
		return err
	}
	if n.Account != in.Owner {
		if err := mayUse(ctx, tx, n.Network, in.Owner); err != nil {
			return err
		}
	}
	if n.Zone != in.Zone {
		return fault.Invalidf("network %q is in another zone than the machine", n.Name)
	}
	nic := NIC{ID: uid.New[uid.NIC](), VM: in.VM, Network: n.ID, Device: device, Default: device == 0, Created: tx.Now, Told: n.Revision + 1}
	var err error
	if w.MAC == "" {
		nic.MAC = mac(in.Serial + int64(device))
	} else if nic.MAC, err = checkMAC(ctx, tx, w.MAC); err != nil {
		return err
	}
	switch {
	case n.GuestType == offering.L2 && w.IP != "":
		return fault.Invalidf("network %q is an L2 network and has no addresses: leave out the address %s", n.Name, w.IP)
	case n.PerPod && w.IP != "":
		return fault.Invalidf("addresses in network %q come from the pod that the machine gets a host in: leave out the address %s", n.Name, w.IP)
	case n.GuestType == offering.L2, n.PerPod:
	case n.CIDR == "" && w.IP != "":
		return fault.Invalidf("network %q has IPv6 only: leave out the address %s", n.Name, w.IP)
	case n.CIDR == "":
	case n.GuestType == offering.Shared:
		err = nic.share(ctx, tx, n.Network, in.Owner, w.IP)
	case w.IP != "":
		nic.IP, err = takeIP(ctx, tx, n.Network, w.IP)
	case n.hopeful:
		return n.insertNext(ctx, tx, nic)
	default:
		nic.IP, err = n.nextIP(ctx, tx)
	}
	if err != nil {
		return err
	}
	if nic.IP6, err = ip6For(n.Network, nic.MAC, w.IP6); err != nil {
		return err
	}
	if w.IP6 != "" {
		used, err := ip6Used(ctx, tx, n.ID, nic.IP6)
		if err != nil {
			return err
		}
		if used {
			return fault.Conflictf("address %s of network %q is in use by another machine", w.IP6, n.Name)
		}
	}
	return insert(ctx, tx, &nicRow{NIC: nic})
}

// mayUse refuses a network of another account, unless it is for a domain that the owner of the machine is in.
func mayUse(ctx context.Context, tx db.Tx, n Network, owner uid.Account) error {
	if n.ACLType == ForAccount {
		return fault.Deniedf("network %q belongs to another account than the machine", n.Name)
	}
	may, err := sharedWith(ctx, tx, n.ID, owner)
	if err == nil && !may {
		err = fault.Deniedf("network %q is for another domain than that of the machine's account", n.Name)
	}
	return err
}

// Detach takes all of a machine's NICs away and gives their addresses back. The networks are locked before: whether an
// address is behind the counter must not change while that is asked.
func Detach(ctx context.Context, tx db.Tx, vm uid.VM) error {
	nics, err := NICsOf(ctx, tx, []uid.VM{vm})
	if err != nil {
		return err
	}
	ids := make([]uid.Network, len(nics[vm]))
	for i, nic := range nics[vm] {
		ids[i] = nic.Network
	}
	networks, err := lock(ctx, tx, auth.Scope{All: true}, ids)
	if err != nil {
		return err
	}
	for _, nic := range nics[vm] {
		if networks[nic.Network].GuestType == offering.Shared {
			if err := releaseShared(ctx, tx, vm, nic.Network); err != nil {
				return err
			}
		}
		if err := dropNIC(ctx, tx, nic); err != nil {
			return err
		}
		if networks[nic.Network].Routed {
			if err := touchGone(ctx, tx, networks[nic.Network], nic.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// takeIP takes the address that the user wants.
func takeIP(ctx context.Context, tx db.Tx, n Network, want string) (IP, error) {
	ip, err := subnet.ParseIP("ipaddress", want)
	if err != nil {
		return 0, err
	}
	if ip < n.StartIP || ip > n.EndIP || ip.String() == n.Gateway {
		return 0, fault.Invalidf("address %s is not one for guests of network %q: want one from %s to %s, but not the gateway %s",
			want, n.Name, n.StartIP, n.EndIP, n.Gateway)
	}
	used, err := isUsed(ctx, tx, n.ID, ip)
	if err != nil {
		return 0, err
	}
	if used {
		return 0, fault.Conflictf("address %s of network %q is in use by another machine", want, n.Name)
	}
	if err := TouchRules(ctx, tx, n.ID); err != nil {
		return 0, err
	}
	return ip, unfree(ctx, tx, n.ID, ip)
}

// nextIP takes a free address: one that was given back, or the counter's next one that is neither the gateway's nor was
// taken by name.
func (n *opened) nextIP(ctx context.Context, tx db.Tx) (IP, error) {
	if len(n.back) > 0 {
		if err := TouchRules(ctx, tx, n.ID); err != nil {
			return 0, err
		}
		return n.back[0], unfree(ctx, tx, n.ID, n.back[0])
	}
	for ip := n.NextIP; ip <= n.EndIP; ip++ {
		if ip.String() == n.Gateway {
			continue
		}
		used := len(n.taken) > 0
		if ip != n.NextIP { // seldom: the look was for the counter's next address only
			var err error
			if used, err = isUsed(ctx, tx, n.ID, ip); err != nil {
				return 0, err
			}
		}
		if !used {
			return ip, setNextIP(ctx, tx, n.ID, ip+1)
		}
	}
	return 0, fault.Fullf("network %q has no free address left: all of %s to %s are in use", n.Name, n.StartIP, n.EndIP)
}

// mac makes the MAC address of a serial number: locally administered, unicast, 40 bits of number.
func mac(serial int64) string {
	return fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", byte(serial>>32), byte(serial>>24), byte(serial>>16), byte(serial>>8), byte(serial))
}
