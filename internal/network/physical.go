package network

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Switch says whether a physical network, a kind of traffic on it, or a provider may be used. Its text is stored.
type Switch string

// The positions.
const (
	Enabled  Switch = "Enabled"
	Disabled Switch = "Disabled"
)

// Physical is a physical network: wires, and the VLANs on them that guest networks of a zone may use.
type Physical struct {
	ID             uid.PhysicalNetwork `bun:",pk"`
	Zone           uid.Zone            `bun:"zone_id"`
	Domain         uid.Domain          `bun:"domain_id,nullzero"` // it carries only this domain's networks; "": everybody's
	Name           string
	State          Switch
	Isolation      string // how guest networks are kept apart: VLAN, L3; several joined with commas
	Speed          string // "1G"
	BroadcastRange string // ZONE, POD: how far a broadcast goes
	Tags           string // joined with commas
	VLANs          string `bun:"vlans"` // "100-200,300-400"
	Created        time.Time
	Removed        time.Time `bun:",nullzero"`
}

// tagged tells whether the physical network has a tag.
func (p Physical) tagged(tag string) bool { return slices.Contains(words(p.Tags), tag) }

// words are the parts of a text that is joined with commas.
func words(joined string) []string {
	return strings.FieldsFunc(joined, func(c rune) bool { return c == ',' || c == ' ' })
}

// CreatePhysicalIn says what physical network to make.
type CreatePhysicalIn struct {
	Zone           uid.Zone
	Domain         uid.Domain // "": for everybody
	Name           string
	VLANs          string
	Isolation      []string // none: VLAN, or L3 in basic zones
	BroadcastRange string   // "": ZONE, or POD in basic zones
	Speed          string
	Tags           []string
}

// physicalJob is the state of making a physical network.
type physicalJob struct {
	Physical uid.PhysicalNetwork `json:"physical"`

	in *CreatePhysicalIn // for Accept only
}

// CreatePhysical begins to make a physical network, and gives its id and that of the job. It is Disabled, and has the
// providers that every physical network has, Disabled too.
func (s *Service) CreatePhysical(ctx context.Context, in CreatePhysicalIn) (uid.PhysicalNetwork, op.ID, error) {
	id := uid.New[uid.PhysicalNetwork]()
	q := request(ctx, id, "createPhysicalNetwork", "PhysicalNetwork", string(id))
	job, _, err := s.addPhysical.Start(ctx, q, physicalJob{Physical: id, in: &in})
	return id, job, err
}

// request is what all operations on a physical network, and on what it has, are asked with: they take turns.
func request(ctx context.Context, id uid.PhysicalNetwork, command, kind, subject string) op.Request {
	return op.Request{
		Thing: op.On("physicalnetwork", id), Caller: auth.From(ctx), Command: command, SubjectKind: kind, SubjectID: subject,
	}
}

// scheduled writes the Scheduled event of an operation.
func scheduled(ctx context.Context, tx db.Tx, q *op.Request, kind event.Kind, what string) (err error) {
	q.Event, err = event.Write(ctx, tx, event.Event{Type: kind, State: event.Scheduled, Description: what, ResourceID: q.SubjectID})
	return err
}

func (s *Service) addPhysicalPlan() *op.Plan[physicalJob] {
	return op.New[physicalJob]("physicalnetwork.create").
		Accept(s.beginPhysical, func(ctx context.Context, tx db.Tx, j *physicalJob) error { return dropPhysical(ctx, tx, j.Physical) }).
		Tx("providers", s.addDefaultProviders, nil)
}

func (s *Service) beginPhysical(ctx context.Context, tx db.Tx, q *op.Request, j *physicalJob) error {
	p, err := s.newPhysical(ctx, tx, j.Physical, *j.in)
	if err != nil {
		return err
	}
	return scheduled(ctx, tx, q, event.PhysicalNetworkCreate, "creating physical network "+p.Name)
}

// newPhysical checks what is asked for and inserts it.
func (s *Service) newPhysical(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, in CreatePhysicalIn) (Physical, error) {
	z, err := zone.Kept(ctx, tx, in.Zone)
	if err != nil {
		return Physical{}, err
	}
	p := Physical{
		ID: id, Zone: z.ID, Domain: in.Domain, Name: in.Name, State: Disabled, Speed: in.Speed, Created: tx.Now,
		BroadcastRange: strings.ToUpper(in.BroadcastRange),
	}
	if p.Isolation, err = isolation(in.Isolation, z); err != nil {
		return Physical{}, err
	}
	if p.Tags, err = joinTags(in.Tags); err != nil {
		return Physical{}, err
	}
	basic := z.NetworkType == zone.Basic
	switch {
	case p.BroadcastRange == "" && basic:
		p.BroadcastRange = "POD"
	case p.BroadcastRange == "":
		p.BroadcastRange = "ZONE"
	case p.BroadcastRange != "ZONE" && p.BroadcastRange != "POD":
		return Physical{}, fault.Invalidf("broadcastdomainrange %q is none of ZONE and POD", in.BroadcastRange)
	case p.BroadcastRange == "POD" && !basic:
		return Physical{}, fault.Invalidf("broadcastdomainrange POD is for basic zones; zone %q is %s: want ZONE", z.Name, z.NetworkType)
	}
	if in.VLANs != "" && basic {
		return Physical{}, fault.Invalidf("zone %q is a basic zone, which has no guest VLANs: leave out vlan %s", z.Name, in.VLANs)
	}
	if err := checkSpeed(p.Speed); err != nil {
		return Physical{}, err
	}
	if in.Domain != "" {
		if err := domainExists(ctx, tx, in.Domain); err != nil {
			return Physical{}, err
		}
	}
	spans, err := vlan.ParseSet(in.VLANs)
	if err != nil {
		return Physical{}, err
	}
	p.VLANs = spans.String()
	err = insertPhysical(ctx, tx, p)
	if db.IsUnique(err) {
		return Physical{}, fault.Conflictf("there is a physical network called %q in zone %q already", p.Name, z.Name)
	}
	if err != nil {
		return Physical{}, err
	}
	return p, setVLANs(ctx, tx, p.ID, spans, nil)
}

// The ways in which Virga keeps guest networks apart.
const (
	isolateVLAN = "VLAN"
	isolateL3   = "L3" // by security groups, in basic zones
)

func isolation(methods []string, z zone.Zone) (string, error) {
	if len(methods) == 0 {
		if z.NetworkType == zone.Basic {
			return isolateL3, nil
		}
		return isolateVLAN, nil
	}
	for i, m := range methods {
		methods[i] = strings.ToUpper(strings.TrimSpace(m))
		if methods[i] != isolateVLAN && methods[i] != isolateL3 {
			return "", fault.Invalidf("isolation method %q is none that hosts here know: want VLAN, or L3 in basic zones", m)
		}
	}
	return strings.Join(methods, ","), nil
}

var tagText = regexp.MustCompile(`^[^\s,]+$`)

// joinTags gives tags as they are stored.
func joinTags(tags []string) (string, error) {
	var out []string
	for _, t := range tags {
		t = strings.TrimSpace(t)
		if t == "" || slices.Contains(out, t) {
			continue
		}
		if !tagText.MatchString(t) {
			return "", fault.Invalidf("tag %q has a space or a comma in it", t)
		}
		out = append(out, t)
	}
	return strings.Join(out, ","), nil
}

var speedText = regexp.MustCompile(`^[1-9][0-9]{0,5}[MGT]?$`)

func checkSpeed(speed string) error {
	if speed != "" && !speedText.MatchString(speed) {
		return fault.Invalidf("networkspeed %q is not a speed like 1G", speed)
	}
	return nil
}

// ChangePhysicalIn says what to change about a physical network; nil leaves it as it is.
type ChangePhysicalIn struct {
	State *string
	VLANs *string
	Tags  []string // nil: as they are
	Speed *string
}

// physicalChange is the state of changing a physical network.
type physicalChange struct {
	Physical uid.PhysicalNetwork `json:"physical"`
	State    *string             `json:"state,omitempty"`
	VLANs    *string             `json:"vlans,omitempty"`
	Tags     []string            `json:"tags,omitempty"`
	Speed    *string             `json:"speed,omitempty"`
}

// ChangePhysical begins to change a physical network. A VLAN that a network uses can't be taken away.
func (s *Service) ChangePhysical(ctx context.Context, id uid.PhysicalNetwork, in ChangePhysicalIn) (op.ID, error) {
	q := request(ctx, id, "updatePhysicalNetwork", "PhysicalNetwork", string(id))
	job, _, err := s.changePhysical.Start(ctx, q, physicalChange{Physical: id, State: in.State, VLANs: in.VLANs, Tags: in.Tags, Speed: in.Speed})
	return job, err
}

func (s *Service) changePhysicalPlan() *op.Plan[physicalChange] {
	return op.New[physicalChange]("physicalnetwork.update").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, c *physicalChange) error {
			p, _, err := c.changed(ctx, tx)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.PhysicalNetworkUpdate, "updating physical network "+p.Name)
		}, nil).
		Tx("change", func(ctx context.Context, tx db.Tx, c *physicalChange) error {
			p, spans, err := c.changed(ctx, tx)
			if err != nil {
				return err
			}
			if err := updatePhysical(ctx, tx, p); err != nil || c.VLANs == nil {
				return err
			}
			used, err := vlansInUse(ctx, tx, p.ID)
			if err != nil {
				return err
			}
			return setVLANs(ctx, tx, p.ID, spans, used)
		}, nil)
}

// changed gives the physical network, locked, as it is to be, if it may be so.
func (c *physicalChange) changed(ctx context.Context, tx db.Tx) (Physical, vlan.Set, error) {
	p, err := findPhysical(ctx, tx, c.Physical, forUpdate)
	if err != nil {
		return p, nil, err
	}
	if c.State != nil {
		switch {
		case strings.EqualFold(*c.State, string(Enabled)):
			p.State = Enabled
		case strings.EqualFold(*c.State, string(Disabled)):
			p.State = Disabled
		default:
			return p, nil, fault.Invalidf("state %q is none of Enabled and Disabled", *c.State)
		}
	}
	if c.Tags != nil {
		if p.Tags, err = joinTags(c.Tags); err != nil {
			return p, nil, err
		}
	}
	if c.Speed != nil {
		p.Speed = *c.Speed
		if err := checkSpeed(p.Speed); err != nil {
			return p, nil, err
		}
	}
	if c.VLANs == nil {
		return p, nil, nil
	}
	spans, err := vlan.ParseSet(*c.VLANs)
	if err != nil {
		return p, nil, err
	}
	old, err := vlan.ParseSet(p.VLANs)
	if err != nil {
		return p, nil, err
	}
	p.VLANs = spans.String()
	return p, spans, mayHaveVLANs(ctx, tx, p, old, spans)
}

// mayHaveVLANs refuses to take VLANs away that networks use, and to add some that public addresses use.
func mayHaveVLANs(ctx context.Context, tx db.Tx, p Physical, old, want vlan.Set) error {
	used, err := vlansInUse(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	for _, v := range used {
		switch {
		case old.Has(v) && !want.Has(v):
			return fault.Conflictf("VLAN %d of physical network %q is in use by a network; delete that first, or keep the VLAN", v, p.Name)
		case want.Has(v) && !old.Has(v):
			return fault.Conflictf("VLAN %d was given to a network by name; it can't be one of those that networks get by themselves", v)
		}
	}
	public, err := publicVLANs(ctx, tx, p.ID)
	if err != nil {
		return err
	}
	for _, v := range public {
		if want.Has(v) {
			return fault.Conflictf("VLAN %d of physical network %q is in use by a range of public addresses", v, p.Name)
		}
	}
	return nil
}

// DeletePhysical begins to delete a physical network that nothing uses any more.
func (s *Service) DeletePhysical(ctx context.Context, id uid.PhysicalNetwork) (op.ID, error) {
	q := request(ctx, id, "deletePhysicalNetwork", "PhysicalNetwork", string(id))
	job, _, err := s.removePhysical.Start(ctx, q, physicalJob{Physical: id})
	return job, err
}

func (s *Service) removePhysicalPlan() *op.Plan[physicalJob] {
	return op.New[physicalJob]("physicalnetwork.delete").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *physicalJob) error {
			p, err := removable(ctx, tx, j.Physical)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.PhysicalNetworkDelete, "deleting physical network "+p.Name)
		}, nil).
		Tx("remove", func(ctx context.Context, tx db.Tx, j *physicalJob) error {
			if _, err := removable(ctx, tx, j.Physical); err != nil {
				return err
			}
			return setPhysicalRemoved(ctx, tx, j.Physical)
		}, nil)
}

// removable gives a physical network, locked, that nothing uses.
func removable(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork) (Physical, error) {
	p, err := findPhysical(ctx, tx, id, forUpdate)
	if err != nil {
		return p, err
	}
	networks, ranges, err := usersOf(ctx, tx, id)
	if err != nil {
		return p, err
	}
	if networks+ranges > 0 {
		return p, fault.Conflictf("physical network %q has %d networks and %d ranges of addresses; delete them first", p.Name, networks, ranges)
	}
	return p, nil
}

// PhysicalFilter says which physical networks a list shows. Zero fields don't restrict.
type PhysicalFilter struct {
	ID      uid.PhysicalNetwork
	Zone    uid.Zone
	Name    string
	Keyword string // in the name
	Offset  int
	Limit   int // 0 or less: all
}
