package address

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/rule"
	"github.com/virga-cloud/virga/uid"
)

// Service gives and takes public addresses.
type Service struct {
	db       *db.DB
	networks *network.Service
	routers  *router.Service

	associate *op.Runner[job]
	release   *op.Runner[job]
	show      *op.Runner[showing]
}

// New makes a service and registers its plans with the engine.
func New(d *db.DB, e *op.Engine, networks *network.Service, routers *router.Service) *Service {
	s := &Service{db: d, networks: networks, routers: routers}
	s.associate = op.Register(e, s.associatePlan())
	s.release = op.Register(e, s.releasePlan())
	s.show = op.Register(e, op.New[showing]("address.show").Refuses().NoWayBack().Accept(acceptShowing, nil))
	return s
}

// In says what address is wanted, and for what.
type In struct {
	network.Served
	IP     string // "" for any
	Hidden bool   // its users don't see it
}

// job is the state of both plans.
type job struct {
	Address  uid.PublicIP `json:"address"`
	Network  uid.Network  `json:"network"`
	Revision int64        `json:"revision"` // of the network, that its router must come to

	in *In // for Accept only
}

// Associate begins to give a network a public address.
func (s *Service) Associate(ctx context.Context, in In) (uid.PublicIP, op.ID, error) {
	id, err := s.networks.ToServe(ctx, in.Served)
	if err != nil {
		return "", "", err
	}
	job, made, err := s.associate.Start(ctx, op.Request{
		Thing: op.On("network", id), Caller: auth.From(ctx), Command: "associateIpAddress", SubjectKind: "IpAddress",
	}, job{Network: id, in: &in})
	return made.Address, job, err
}

// Release begins to take an address from its network, with all rules on it. It must be the account's; "" is any.
func (s *Service) Release(ctx context.Context, id uid.PublicIP, ip string, of uid.Account) (op.ID, error) {
	a, err := s.named(ctx, id, ip)
	if err == nil && of != "" && of != a.Account {
		err = fault.Invalidf("address %s does not belong to account %s", a.IP, of)
	}
	if err != nil {
		return "", err
	}
	job, _, err := s.release.Start(ctx, op.Request{
		Thing: op.On("network", a.Network), Caller: auth.From(ctx), Command: "disassociateIpAddress", SubjectKind: "IpAddress",
		SubjectID: string(a.ID),
	}, job{Address: a.ID, Network: a.Network})
	return job, err
}

// named finds an address in the caller's reach by its id, or as it is written.
func (s *Service) named(ctx context.Context, id uid.PublicIP, ip string) (a network.Address, err error) {
	if (id == "") == (ip == "") {
		return a, fault.Invalidf("name the address by its id, or in ipaddress, and not by both")
	}
	found, n, err := s.List(ctx, Filter{Scope: auth.From(ctx).Reach(), ID: id, IP: ip, Public: new(true)})
	switch {
	case err != nil:
		return a, err
	case n > 1:
		return a, fault.Conflictf("you have %d addresses %s, in different zones: name one by its id", n, ip)
	case n == 0 && id != "":
		return a, fault.Missing(id)
	case n == 0:
		return a, fault.NotFoundf("no address %s", ip)
	}
	return found[0], nil
}

func (s *Service) associatePlan() *op.Plan[job] {
	return op.New[job]("address.associate").
		Accept(s.take, s.giveBack).
		Wait("apply", s.applied)
}

func (s *Service) releasePlan() *op.Plan[job] {
	return op.New[job]("address.release").
		Accept(s.beginRelease, s.keep).
		Wait("apply", s.applied).
		Tx("free", s.giveBack, nil)
}

// applied tells whether the network's router knows.
func (s *Service) applied(ctx context.Context, q db.Tx, j *job) (bool, error) {
	return s.routers.Reached(ctx, q, map[uid.Network]int64{j.Network: j.Revision})
}

// touch makes the change known to the network's router.
func (j *job) touch(ctx context.Context, tx db.Tx, n network.Network) error {
	j.Revision = n.Revision + 1
	return network.Touch(ctx, tx, n.ID)
}

func (s *Service) take(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
	n, err := network.Lock(ctx, tx, q.Caller.Reach(), j.Network)
	if err != nil {
		return err
	}
	if err := s.networks.Fits(ctx, tx, j.in.Served, n); err != nil {
		return err
	}
	a, err := network.Assign(ctx, tx, n, j.in.IP)
	if err != nil {
		return err
	}
	if j.in.Hidden {
		a.Display = false
		if err := network.ChangeAddress(ctx, tx, a.ID, a); err != nil {
			return err
		}
	}
	j.Address, q.SubjectID = a.ID, string(a.ID)
	if err := announce(ctx, tx, q, a, event.IPAssign, "assigning", n); err != nil {
		return err
	}
	return j.touch(ctx, tx, n)
}

func (s *Service) giveBack(ctx context.Context, tx db.Tx, j *job) error {
	n, err := network.Lock(ctx, tx, auth.Scope{All: true}, j.Network)
	if err != nil {
		return err
	}
	a, err := network.LockAddress(ctx, tx, auth.Scope{All: true}, j.Address)
	if err != nil {
		return err
	}
	if err := rule.LeaveAddress(ctx, tx, a.ID); err != nil {
		return err
	}
	if err := network.Unassign(ctx, tx, a); err != nil {
		return err
	}
	return network.Touch(ctx, tx, n.ID)
}

func (s *Service) beginRelease(ctx context.Context, tx db.Tx, q *op.Request, j *job) error {
	n, err := network.Lock(ctx, tx, auth.Scope{All: true}, j.Network)
	if err != nil {
		return err
	}
	a, err := network.LockAddress(ctx, tx, q.Caller.Reach(), j.Address)
	switch {
	case err != nil:
		return err
	case a.SourceNAT:
		return fault.Conflictf("address %s is the source NAT of network %q and goes with it", a.IP, n.Name)
	case a.System:
		return fault.Conflictf("address %s was taken for a load balancer and goes with the last one on it: see deleteLoadBalancerRule", a.IP)
	case a.State != network.InUse || a.Network != n.ID:
		return fault.Conflictf("address %s is being released", a.IP)
	}
	if err := network.SetAddressState(ctx, tx, a.ID, network.Releasing); err != nil {
		return err
	}
	if err := announce(ctx, tx, q, a, event.IPRelease, "releasing", n); err != nil {
		return err
	}
	return j.touch(ctx, tx, n)
}

func (s *Service) keep(ctx context.Context, tx db.Tx, j *job) error {
	if err := network.SetAddressState(ctx, tx, j.Address, network.InUse); err != nil {
		return err
	}
	return network.Touch(ctx, tx, j.Network)
}

func announce(ctx context.Context, tx db.Tx, q *op.Request, a network.Address, kind event.Kind, doing string, n network.Network) (err error) {
	q.Account, q.Domain = n.Account, n.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s %s, of network %s (%s)", doing, a.IP, n.Name, n.ID),
		Account: n.Account, Domain: n.Domain, User: q.Caller.User, ResourceID: string(a.ID),
	})
	return err
}
