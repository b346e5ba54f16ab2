package vnet

import (
	"fmt"
	"math"
	"net"
	"strings"

	"github.com/vishvananda/netlink"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// PortBytes are what went through a port, as its card sees it.
func (f *Fabric) PortBytes(nic uid.NIC) (sent, received int64, err error) {
	l, err := f.space.link.LinkByName(f.name(aPort, string(nic)))
	if err != nil {
		return 0, 0, fault.NotFoundf("no card %s is plugged in here", nic)
	}
	s := l.Attrs().Statistics
	return counted(s.RxBytes), counted(s.TxBytes), nil
}

// Carried is what went by the host's own network cards, in bytes since it was started. What goes on to other links of the host is
// counted once. A host that is a container has no cards; it is the links that it was given then.
func (f *Fabric) Carried() (sent, received int64, err error) {
	all, err := f.home.Links()
	if err != nil {
		return 0, 0, fmt.Errorf("count what went by the host's network cards: %w", err)
	}
	for _, kind := range []string{"device", "veth"} {
		found := false
		for _, l := range all {
			a := l.Attrs()
			if l.Type() != kind || a.Flags&net.FlagLoopback != 0 || kind == "veth" && !given(l) {
				continue
			}
			found = true
			sent, received = sent+counted(a.Statistics.TxBytes), received+counted(a.Statistics.RxBytes)
		}
		if found {
			break
		}
	}
	return sent, received, nil
}

// given tells whether a link that is one end of a pair is none that a host has made.
func given(l netlink.Link) bool {
	return l.Attrs().MasterIndex == 0 && !strings.HasPrefix(l.Attrs().Alias, mine+" ")
}

// counted is a count as all else is counted.
func counted(n uint64) int64 { return int64(min(n, math.MaxInt64)) }
