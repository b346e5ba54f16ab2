package physnet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/vlan"
	"github.com/virga-cloud/virga/uid"
)

// The kinds of traffic.
const (
	TrafficGuest      = "Guest"
	TrafficPublic     = "Public"
	TrafficManagement = "Management"
	TrafficStorage    = "Storage"
	TrafficControl    = "Control"
)

var trafficTypes = []string{TrafficGuest, TrafficPublic, TrafficManagement, TrafficStorage, TrafficControl}

// Traffic is a kind of traffic that a physical network carries, and what hosts call the wire for it ("": their default).
type Traffic struct {
	ID       uid.TrafficType     `bun:",pk"`
	Physical uid.PhysicalNetwork `bun:"physical_network_id"`
	Type     string
	State    Switch
	VLAN     string `bun:"vlan"`
	TrafficLabels
	Created time.Time
}

// TrafficLabels are what hosts of each hypervisor call the wire.
type TrafficLabels struct {
	KVM    string `bun:"kvm_label"`
	Xen    string `bun:"xen_label"`
	VMware string `bun:"vmware_label"`
	HyperV string `bun:"hyperv_label"`
	OVM3   string `bun:"ovm3_label"`
}

// AddTrafficIn says what a physical network is to carry.
type AddTrafficIn struct {
	Physical uid.PhysicalNetwork
	Type     string
	VLAN     string // of VMware's management network
	TrafficLabels
}

// trafficJob is the state of adding a kind of traffic.
type trafficJob struct {
	Traffic uid.TrafficType `json:"traffic"`

	in *AddTrafficIn // for Accept only
}

// AddTraffic begins to let a physical network carry a kind of traffic, and gives its id and that of the job. Each kind but Guest
// has one physical network in a zone.
func (s *Service) AddTraffic(ctx context.Context, in AddTrafficIn) (uid.TrafficType, op.ID, error) {
	id := uid.New[uid.TrafficType]()
	q := request(ctx, in.Physical, "addTrafficType", "TrafficType", string(id))
	job, _, err := s.addTraffic.Start(ctx, q, trafficJob{Traffic: id, in: &in})
	return id, job, err
}

func (s *Service) addTrafficPlan() *op.Plan[trafficJob] {
	return op.New[trafficJob]("traffictype.add").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *trafficJob) error {
			t, p, err := newTraffic(ctx, tx, j.Traffic, *j.in)
			if err != nil {
				return err
			}
			return scheduled(ctx, tx, q, event.TrafficTypeCreate, fmt.Sprintf("adding traffic type %s to physical network %s", t.Type, p.Name))
		}, func(ctx context.Context, tx db.Tx, j *trafficJob) error { return dropTraffic(ctx, tx, j.Traffic) }).
		Tx("enable", func(ctx context.Context, tx db.Tx, j *trafficJob) error { return enableTraffic(ctx, tx, j.Traffic) }, nil)
}

func newTraffic(ctx context.Context, tx db.Tx, id uid.TrafficType, in AddTrafficIn) (Traffic, Network, error) {
	p, err := find(ctx, tx, in.Physical, forUpdate)
	if err != nil {
		return Traffic{}, p, err
	}
	t := Traffic{ID: id, Physical: p.ID, State: Disabled, VLAN: in.VLAN, TrafficLabels: in.TrafficLabels, Created: tx.Now}
	i := slices.IndexFunc(trafficTypes, func(known string) bool { return strings.EqualFold(known, in.Type) })
	if i < 0 {
		return t, p, fault.Invalidf("traffictype %q is none: want one of %s", in.Type, strings.Join(trafficTypes, ", "))
	}
	t.Type = trafficTypes[i]
	if t.VLAN != "" {
		tag, err := vlan.Parse(t.VLAN)
		if err != nil {
			return t, p, err
		}
		t.VLAN = vlan.Text(tag)
	}
	others, err := Carrying(ctx, tx, p.Zone, t.Type)
	if err != nil {
		return t, p, err
	}
	for _, o := range others {
		switch {
		case o.ID == p.ID:
			return t, p, fault.Conflictf("physical network %q carries %s traffic already", p.Name, t.Type)
		case t.Type != TrafficGuest:
			return t, p, fault.Conflictf("%s traffic of the zone is carried by physical network %q; a zone has one for it", t.Type, o.Name)
		}
	}
	return t, p, insertTraffic(ctx, tx, t)
}
