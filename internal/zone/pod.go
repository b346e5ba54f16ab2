package zone

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Pod is a rack: a range of management addresses for the hosts in it.
type Pod struct {
	ID         uid.Pod  `bun:",pk"`
	Zone       uid.Zone `bun:"zone_id"`
	Name       string
	Gateway    string
	Netmask    string
	StartIP    string     `bun:"start_ip"`
	EndIP      string     `bun:"end_ip"`
	Allocation Allocation `bun:"allocation_state"`
	Created    time.Time
	Removed    time.Time `bun:",nullzero"`
}

// Range gives the first and the last of a pod's management addresses, as numbers.
func (p Pod) Range() (first, last int64) {
	s, err := p.span()
	if err != nil {
		return 0, -1 // no pod was ever saved with such a range
	}
	return int64(number(s.first)), int64(number(s.last))
}

// CIDR is the pod's management network.
func (p Pod) CIDR() string {
	s, err := p.span()
	if err != nil {
		return ""
	}
	return s.subnet.String()
}

// Address gives an address of a pod's range as a number, and whether it is one.
func (p Pod) Address(text string) (int64, bool) {
	a, err := netip.ParseAddr(text)
	if err != nil || !a.Is4() {
		return 0, false
	}
	n := int64(number(a))
	first, last := p.Range()
	return n, n >= first && n <= last
}

// AddressText is the dotted form of an address that was a number.
func AddressText(n int64) string { return address(uint32(n)).String() }

// CreatePod adds a pod; its id and times are filled in.
func (s *Service) CreatePod(ctx context.Context, p Pod) (Pod, error) {
	p.Allocation = orEnabled(p.Allocation)
	if strings.TrimSpace(p.Name) == "" {
		return Pod{}, fault.Invalidf("a pod needs a name")
	}
	plan, err := p.span()
	if err != nil {
		return Pod{}, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := Lock(ctx, tx, p.Zone); err != nil { // two pods at a time could not see each other's subnet
			return err
		}
		if err := s.alone(ctx, tx, p, plan); err != nil {
			return err
		}
		p.ID, p.Created = uid.New[uid.Pod](), tx.Now
		if err := insert(ctx, tx, &podRow{Pod: p}); err != nil {
			return named(err, "pod", p.Name)
		}
		if err := written(ctx, tx, event.PodCreate, "added", p.Name, string(p.ID)); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(p.ID), "")
	})
	return p, err
}

// alone refuses a pod whose subnet another pod of the zone has a part of.
func (s *Service) alone(ctx context.Context, tx db.Tx, p Pod, plan span) error {
	if !setting.CheckPodCIDRs.Of(s.settings) {
		return nil
	}
	others, err := podsOf(ctx, tx, p.Zone)
	if err != nil {
		return err
	}
	for _, o := range others {
		if theirs, err := o.span(); o.ID != p.ID && err == nil && theirs.subnet.Overlaps(plan.subnet) {
			return fault.Conflictf("the pod's subnet %s overlaps with %s of pod %q", plan.subnet, theirs.subnet, o.Name)
		}
	}
	return nil
}

// PodChange is what to change of a pod; nil fields stay.
type PodChange struct {
	Name, Gateway, Netmask, StartIP, EndIP *string
	Allocation                             *Allocation
}

// UpdatePod changes a pod. While something is in it, its subnet and its range may only grow.
func (s *Service) UpdatePod(ctx context.Context, id uid.Pod, c PodChange) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p, err := LockPod(ctx, tx, id)
		if err != nil {
			return err
		}
		before, err := p.span()
		if err != nil {
			return err
		}
		set(&p.Name, c.Name)
		set(&p.Gateway, c.Gateway)
		set(&p.Netmask, c.Netmask)
		set(&p.StartIP, c.StartIP)
		set(&p.EndIP, c.EndIP)
		set(&p.Allocation, c.Allocation)
		plan, err := p.span()
		if err != nil {
			return err
		}
		if before != plan {
			if err := s.replan(ctx, tx, p, before, plan); err != nil {
				return err
			}
		}
		if err := update(ctx, tx, &podRow{Pod: p}); err != nil {
			return named(err, "pod", p.Name)
		}
		return written(ctx, tx, event.PodEdit, "changed", p.Name, string(id))
	})
}

func (s *Service) replan(ctx context.Context, tx db.Tx, p Pod, before, after span) error {
	if _, err := Lock(ctx, tx, p.Zone); err != nil {
		return err
	}
	if err := s.alone(ctx, tx, p, after); err != nil {
		return err
	}
	if !before.first.Less(after.first) && !after.last.Less(before.last) {
		return nil
	}
	if err := s.unused(ctx, tx, "pod", p.Name, Place{Pod: p.ID}); err != nil {
		return fault.Conflictf("the range %s to %s lacks addresses of the one before, %s to %s: %s", after.first, after.last, before.first,
			before.last, fmt.Sprintf("%v", err))
	}
	return nil
}

// DeletePod removes a pod in which there is nothing.
func (s *Service) DeletePod(ctx context.Context, id uid.Pod) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p, err := LockPod(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := s.unused(ctx, tx, "pod", p.Name, Place{Pod: id}); err != nil {
			return err
		}
		if err := remove(ctx, tx, "pods", string(id)); err != nil {
			return err
		}
		return written(ctx, tx, event.PodDelete, "deleted", p.Name, string(id))
	})
}
