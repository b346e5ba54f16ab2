package vnet

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/hypervisor"
)

const (
	bitsOfMbit = 1_000_000
	patience   = 50 // milliseconds that a packet may wait for its turn before it is dropped
	leastBurst = 32 << 10
)

// slow holds a card to its rate, in both directions. What it receives waits in its own link; what it sends can't wait there
// and is led through another.
func (f *Fabric) slow(l netlink.Link, nic hypervisor.NIC) error {
	id := string(nic.ID)
	aside, err := f.find(aSlow, id)
	if err != nil {
		return err
	}
	ingress := &netlink.Ingress{QdiscAttrs: netlink.QdiscAttrs{
		LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(0xffff, 0), Parent: netlink.HANDLE_INGRESS,
	}}
	if nic.Mbps <= 0 {
		if aside != nil {
			_ = f.space.link.QdiscDel(ingress)
			_ = f.space.link.QdiscDel(bucket(l, 1))
			return drop(f.space, aside)
		}
		return nil
	}
	if err := f.space.link.QdiscReplace(bucket(l, nic.Mbps)); err != nil {
		return fmt.Errorf("limit what %s receives: %w", l.Attrs().Name, err)
	}
	made := aside == nil
	if made {
		attrs := netlink.NewLinkAttrs()
		attrs.Name, attrs.MTU = f.name(aSlow, id), l.Attrs().MTU
		aside = &netlink.Ifb{LinkAttrs: attrs}
		if err = f.space.link.LinkAdd(aside); err == nil {
			err = quiet(f.space, aside)
		}
	}
	if err == nil {
		err = f.space.link.QdiscReplace(bucket(aside, nic.Mbps))
	}
	if err == nil {
		if err = f.space.link.QdiscAdd(ingress); errors.Is(err, syscall.EEXIST) {
			err = nil
		}
	}
	if err == nil && made {
		err = f.space.link.FilterReplace(&netlink.U32{
			FilterAttrs: netlink.FilterAttrs{
				LinkIndex: l.Attrs().Index, Parent: ingress.Handle, Priority: 1, Protocol: unix.ETH_P_ALL,
			},
			Actions: []netlink.Action{netlink.NewMirredAction(aside.Attrs().Index)},
		})
	}
	if err == nil && made {
		err = f.space.link.LinkSetAlias(aside, f.alias(aSlow, id))
	}
	if err != nil {
		return fmt.Errorf("limit what %s sends: %w", l.Attrs().Name, err)
	}
	return nil
}

// bucket lets a link send so many Mbit/s.
func bucket(l netlink.Link, mbps int) *netlink.Tbf {
	rate := uint64(mbps) * bitsOfMbit / 8 // bytes a second
	burst := max(rate/100, leastBurst)
	return &netlink.Tbf{
		QdiscAttrs: netlink.QdiscAttrs{LinkIndex: l.Attrs().Index, Handle: netlink.MakeHandle(1, 0), Parent: netlink.HANDLE_ROOT},
		Rate:       rate,
		Limit:      uint32(burst + rate*patience/1000),
		Buffer:     netlink.Xmittime(rate, uint32(burst)),
	}
}
