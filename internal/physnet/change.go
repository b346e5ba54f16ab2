package physnet

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/uid"
)

// ChangeIn says what to change about a physical network; nil leaves it as it is.
type ChangeIn struct {
	State *string
	VLANs *string
	Tags  []string // nil: as they are
	Speed *string
}

// change is the state of changing a physical network.
type change struct {
	Physical uid.PhysicalNetwork `json:"physical"`
	State    *string             `json:"state,omitempty"`
	VLANs    *string             `json:"vlans,omitempty"`
	Tags     []string            `json:"tags,omitempty"`
	Speed    *string             `json:"speed,omitempty"`
}

// Change begins to change a physical network. A VLAN that a network uses can't be taken away.
func (s *Service) Change(ctx context.Context, id uid.PhysicalNetwork, in ChangeIn) (op.ID, error) {
	q := request(ctx, id, "updatePhysicalNetwork", "PhysicalNetwork", string(id))
	job, _, err := s.change.Start(ctx, q, change{Physical: id, State: in.State, VLANs: in.VLANs, Tags: in.Tags, Speed: in.Speed})
	return job, err
}

func (s *Service) changePlan() *op.Plan[change] {
	return op.New[change]("physicalnetwork.update").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
			p, _, _, err := s.changed(ctx, tx, c)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.PhysicalNetworkUpdate, "updating physical network "+p.Name)
		}, nil).
		Tx("change", func(ctx context.Context, tx db.Tx, c *change) error {
			p, spans, used, err := s.changed(ctx, tx, c)
			if err != nil {
				return err
			}
			if err := update(ctx, tx, p); err != nil || c.VLANs == nil {
				return err
			}
			return setVLANs(ctx, tx, p.ID, spans, used.Guest)
		}, nil)
}

// changed gives the physical network, locked, as it is to be, if it may be so; where its VLANs change, these, too, and what is on it.
func (s *Service) changed(ctx context.Context, tx db.Tx, c *change) (p Network, vlans vlan.Set, used Use, err error) {
	p, err = find(ctx, tx, c.Physical, forUpdate)
	if err != nil {
		return p, nil, used, err
	}
	if c.State != nil {
		switch {
		case strings.EqualFold(*c.State, string(Enabled)):
			p.State = Enabled
		case strings.EqualFold(*c.State, string(Disabled)):
			p.State = Disabled
		default:
			return p, nil, used, fault.Invalidf("state %q is none of Enabled and Disabled", *c.State)
		}
	}
	if c.Tags != nil {
		if p.Tags, err = joinTags(c.Tags); err != nil {
			return p, nil, used, err
		}
	}
	if c.Speed != nil {
		p.Speed = *c.Speed
		if err := checkSpeed(p.Speed); err != nil {
			return p, nil, used, err
		}
	}
	if c.VLANs == nil {
		return p, nil, used, nil
	}
	spans, err := vlan.ParseSet(*c.VLANs)
	if err != nil {
		return p, nil, used, err
	}
	old, err := vlan.ParseSet(p.VLANs)
	if err != nil {
		return p, nil, used, err
	}
	p.VLANs = spans.String()
	if err := apart(ctx, tx, p, spans); err != nil {
		return p, nil, used, err
	}
	if used, err = s.uses(ctx, tx, p); err != nil {
		return p, nil, used, err
	}
	return p, spans, used, mayHaveVLANs(p, used, old, spans)
}

// mayHaveVLANs refuses to take VLANs away that networks use, and to add some that public addresses use, or networks elsewhere.
func mayHaveVLANs(p Network, used Use, old, want vlan.Set) error {
	for _, v := range used.Guest {
		switch {
		case old.Has(v) && !want.Has(v):
			return fault.Conflictf("VLAN %d of physical network %q is in use by a network; delete that first, or keep the VLAN", v, p.Name)
		case want.Has(v) && !old.Has(v):
			return fault.Conflictf("VLAN %d was given to a network by name; it can't be one of those that networks get by themselves", v)
		}
	}
	for _, v := range used.Beside {
		if want.Has(v) {
			return fault.Conflictf("VLAN %d is in use by a network on another physical network of the zone", v)
		}
	}
	for _, v := range used.Public {
		if want.Has(v) {
			return fault.Conflictf("VLAN %d of physical network %q is in use by a range of public addresses", v, p.Name)
		}
	}
	return nil
}
