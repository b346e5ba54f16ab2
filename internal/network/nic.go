package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/uid"
)

// AttachIn says where to put a machine.
type AttachIn struct {
	VM      uid.VM
	Owner   uid.Account // of the machine: a network is its own account's, or one that its whole domain may use
	Network uid.Network
	Zone    uid.Zone
	Device  int
	IP      string // "" for the next free one
	MAC     string // "" for one made from Serial
	Serial  int64  // from [Service.Serials]
}

// Serials takes n serial numbers for MAC addresses. It is called before the transaction that uses them.
func (s *Service) Serials(ctx context.Context, n int) (first int64, err error) {
	return s.db.Counter("mac").Take(ctx, int64(n))
}

// Attach gives a machine a NIC in a network that the caller in ctx reaches. Device 0 is the default NIC.
func (s *Service) Attach(ctx context.Context, tx db.Tx, in AttachIn) (NIC, error) {
	n, err := findLocked(ctx, tx, auth.From(ctx).Reach(), in.Network)
	if err != nil {
		return NIC{}, err
	}
	if err := n.usable(); err != nil {
		return NIC{}, err
	}
	if n.Account != in.Owner && n.ACLType == "Account" {
		return NIC{}, fault.Deniedf("network %q belongs to another account than the machine", n.Name)
	}
	if n.Zone != in.Zone {
		return NIC{}, fault.Invalidf("network %q is in another zone than the machine", n.Name)
	}
	nic := NIC{ID: uid.New[uid.NIC](), VM: in.VM, Network: n.ID, Device: in.Device, MAC: in.MAC, Default: in.Device == 0, Created: tx.Now}
	if nic.MAC == "" {
		nic.MAC = mac(in.Serial)
	} else if nic.MAC, err = checkMAC(ctx, tx, nic.MAC); err != nil {
		return NIC{}, err
	}
	switch {
	case n.GuestType == offering.L2 && in.IP != "":
		return NIC{}, fault.Invalidf("network %q is an L2 network and has no addresses: leave out the address %s", n.Name, in.IP)
	case n.GuestType == offering.L2:
	case in.IP != "":
		nic.IP, err = takeIP(ctx, tx, n, in.IP)
	default:
		nic.IP, err = nextIP(ctx, tx, n)
	}
	if err != nil {
		return NIC{}, err
	}
	return nic, insert(ctx, tx, &nicRow{NIC: nic})
}

// Detach takes all of a machine's NICs away and gives their addresses back.
func Detach(ctx context.Context, tx db.Tx, vm uid.VM) error {
	nics, err := NICsOf(ctx, tx, []uid.VM{vm})
	if err != nil {
		return err
	}
	for _, nic := range nics[vm] {
		if err := dropNIC(ctx, tx, nic); err != nil {
			return err
		}
	}
	return nil
}

// takeIP takes the address that the user wants.
func takeIP(ctx context.Context, tx db.Tx, n Network, want string) (IP, error) {
	ip, err := ParseIP("ipaddress", want)
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
	return ip, unfree(ctx, tx, n.ID, ip)
}

// nextIP takes a free address: one that was given back, or the counter's next one that is neither the gateway's nor was
// taken by name.
func nextIP(ctx context.Context, tx db.Tx, n Network) (IP, error) {
	if ip, err := reuse(ctx, tx, n.ID); err != nil || ip != 0 {
		return ip, err
	}
	for {
		ip, err := advance(ctx, tx, n.ID)
		if err != nil {
			return 0, err
		}
		if ip == 0 {
			return 0, fault.Fullf("network %q has no free address left: all of %s to %s are in use", n.Name, n.StartIP, n.EndIP)
		}
		if ip.String() == n.Gateway {
			continue
		}
		if used, err := isUsed(ctx, tx, n.ID, ip); err != nil || !used {
			return ip, err
		}
	}
}
