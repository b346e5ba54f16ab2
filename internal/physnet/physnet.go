package physnet

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

// Network is a physical network: wires, and the VLANs on them that guest networks of a zone may use.
type Network struct {
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

// Tagged tells whether the physical network has all of some tags, which are joined with commas.
func (p Network) Tagged(tags string) bool {
	have := words(p.Tags)
	return !slices.ContainsFunc(words(tags), func(tag string) bool { return !slices.Contains(have, tag) })
}

// words are the parts of a text that is joined with commas.
func words(joined string) []string {
	return strings.FieldsFunc(joined, func(c rune) bool { return c == ',' || c == ' ' })
}

// MayCarry refuses the networks of a domain where the physical network is kept for another.
func (p Network) MayCarry(ctx context.Context, tx db.Tx, domain uid.Domain) error {
	if p.Domain == "" {
		return nil
	}
	inside, err := lies(ctx, tx, domain, p.Domain)
	if err == nil && !inside {
		err = fault.Conflictf("physical network %q is kept for another domain", p.Name)
	}
	return err
}

// CreateIn says what physical network to make.
type CreateIn struct {
	Zone           uid.Zone
	Domain         uid.Domain // "": for everybody
	Name           string
	VLANs          string
	Isolation      []string // none: VLAN, or L3 in basic zones
	BroadcastRange string   // "": ZONE, or POD in basic zones
	Speed          string
	Tags           []string
}

// networkJob is the state of making or deleting a physical network.
type networkJob struct {
	Physical uid.PhysicalNetwork `json:"physical"`

	in *CreateIn // for Accept only
}

// Create begins to make a physical network, and gives its id and that of the job. It is Disabled, and has the
// providers that every physical network has, Disabled too.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.PhysicalNetwork, op.ID, error) {
	id := uid.New[uid.PhysicalNetwork]()
	q := request(ctx, id, "createPhysicalNetwork", "PhysicalNetwork", string(id))
	job, _, err := s.create.Start(ctx, q, networkJob{Physical: id, in: &in})
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

func (s *Service) createPlan() *op.Plan[networkJob] {
	return op.New[networkJob]("physicalnetwork.create").
		Accept(s.begin, func(ctx context.Context, tx db.Tx, j *networkJob) error { return drop(ctx, tx, j.Physical) }).
		Tx("providers", addDefaultProviders, nil)
}

func (s *Service) begin(ctx context.Context, tx db.Tx, q *op.Request, j *networkJob) error {
	p, err := newNetwork(ctx, tx, j.Physical, *j.in)
	if err != nil {
		return err
	}
	used, err := s.uses(ctx, tx, p)
	if err != nil {
		return err
	}
	spans, err := vlan.ParseSet(p.VLANs)
	if err == nil {
		err = mayHaveVLANs(p, used, spans, spans)
	}
	if err != nil {
		return err
	}
	return scheduled(ctx, tx, q, event.PhysicalNetworkCreate, "creating physical network "+p.Name)
}

// newNetwork checks what is asked for and inserts it.
func newNetwork(ctx context.Context, tx db.Tx, id uid.PhysicalNetwork, in CreateIn) (Network, error) {
	z, err := zone.Kept(ctx, tx, in.Zone)
	if err != nil {
		return Network{}, err
	}
	p := Network{
		ID: id, Zone: z.ID, Domain: in.Domain, Name: in.Name, State: Disabled, Speed: in.Speed, Created: tx.Now,
		BroadcastRange: strings.ToUpper(in.BroadcastRange),
	}
	if p.Isolation, err = isolation(in.Isolation, z); err != nil {
		return Network{}, err
	}
	if p.Tags, err = joinTags(in.Tags); err != nil {
		return Network{}, err
	}
	basic := z.NetworkType == zone.Basic
	switch {
	case p.BroadcastRange == "" && basic:
		p.BroadcastRange = "POD"
	case p.BroadcastRange == "":
		p.BroadcastRange = "ZONE"
	case p.BroadcastRange != "ZONE" && p.BroadcastRange != "POD":
		return Network{}, fault.Invalidf("broadcastdomainrange %q is none of ZONE and POD", in.BroadcastRange)
	case p.BroadcastRange == "POD" && !basic:
		return Network{}, fault.Invalidf("broadcastdomainrange POD is for basic zones; zone %q is %s: want ZONE", z.Name, z.NetworkType)
	}
	if in.VLANs != "" && basic {
		return Network{}, fault.Invalidf("zone %q is a basic zone, which has no guest VLANs: leave out vlan %s", z.Name, in.VLANs)
	}
	if err := checkSpeed(p.Speed); err != nil {
		return Network{}, err
	}
	if in.Domain != "" {
		if _, err := zone.DomainPath(ctx, tx, in.Domain); err != nil {
			return Network{}, err
		}
	}
	spans, err := vlan.ParseSet(in.VLANs)
	if err != nil {
		return Network{}, err
	}
	if err := apart(ctx, tx, p, spans); err != nil {
		return Network{}, err
	}
	p.VLANs = spans.String()
	err = insert(ctx, tx, p)
	if db.IsUnique(err) {
		return Network{}, fault.Conflictf("there is a physical network called %q in zone %q already", p.Name, z.Name)
	}
	if err != nil {
		return Network{}, err
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
