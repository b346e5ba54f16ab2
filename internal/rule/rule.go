package rule

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/provider"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/uid"
)

// State is where a rule stands; its text is the wire's.
type State string

// The states. Routers are told of rules that are being added, and not of those that are being revoked.
const (
	Add    State = "Add"
	Active State = "Active"
	Revoke State = "Revoke"
)

// Kind is what a rule does with ports of a public address.
type Kind string

// The kinds.
const (
	Forwarding Kind = "PortForwarding"
	StaticNAT  Kind = "StaticNat" // the ports of a static NAT that are let in
	Balancing  Kind = "LoadBalancing"
)

// what is what rules of a kind are called.
func (k Kind) what() string {
	return map[Kind]string{Forwarding: "port forwarding rule", StaticNAT: "IP forwarding rule", Balancing: "load balancer rule"}[k]
}

// missing is the error of a rule of that kind which is not there.
func (k Kind) missing(id uid.Rule) error {
	switch k {
	case Forwarding:
		return fault.Missing(uid.PortForward(id))
	case StaticNAT:
		return fault.Missing(uid.IPForward(id))
	case Balancing:
	}
	return fault.Missing(uid.LoadBalancer(id))
}

// Port is a rule on ports of a public address.
type Port struct {
	ID         uid.Rule     `bun:",pk"`
	Account    uid.Account  `bun:"account_id"`
	Domain     uid.Domain   `bun:"domain_id"`
	Address    uid.PublicIP `bun:"address_id"`
	Network    uid.Network  `bun:"network_id"`
	Kind       Kind
	Protocol   string // tcp, udp, or tcp-proxy
	Transport  string // tcp or udp
	First      int    // public ports, both included
	Last       int
	GuestFirst int
	GuestLast  int
	VM         uid.VM  `bun:"vm_id,nullzero"` // where it leads; "" for load balancers
	NIC        uid.NIC `bun:"nic_id,nullzero"`

	Name        string // of load balancers, as the next three
	Description string
	Algorithm   string
	CIDRs       string `bun:"cidrs"` // who may use it, with commas; "" for anybody

	State   State
	Display bool
	Created time.Time
}

// text says which rule it is.
func (p Port) text() string {
	return fmt.Sprintf("%s %s (%s %s)", p.Kind.what(), p.ID, p.Protocol, span(p.First, p.Last))
}

func span(first, last int) string {
	if first == last {
		return strconv.Itoa(first)
	}
	return fmt.Sprintf("%d-%d", first, last)
}

// Machine is what rules know of a machine.
type Machine struct {
	ID      uid.VM
	Name    string
	Account uid.Account
	Gone    bool // destroyed, or on the way out
}

// Machines finds a machine within a scope, and keeps it from being destroyed until the transaction's end.
type Machines func(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.VM) (Machine, error)

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Networks *network.Service
	Routers  *router.Service
	Machines Machines
}

// Service keeps rules.
type Service struct {
	db       *db.DB
	networks *network.Service
	routers  *router.Service
	machines Machines
	changing *op.Runner[change]
	showing  *op.Runner[showing]
}

// New makes a service and registers its plan with the engine.
func New(p Parts) *Service {
	s := &Service{db: p.DB, networks: p.Networks, routers: p.Routers, machines: p.Machines}
	s.changing = op.Register(p.Engine, op.New[change]("rule.change").
		Accept(s.accept, s.giveUp).
		Wait("apply", func(ctx context.Context, q db.Tx, c *change) (bool, error) {
			return s.routers.Reached(ctx, q, map[uid.Network]int64{c.Network: c.Revision})
		}).
		Tx("finish", finish, nil))
	s.showing = op.Register(p.Engine, op.New[showing]("rule.show").Refuses().NoWayBack().Accept(acceptShowing, nil))
	return s
}

// change is the state of a change of rules: all of it is written when it is accepted, and stands when the network's router knows.
type change struct {
	Network  uid.Network `json:"network"`
	Revision int64       `json:"revision"`          // of the network, that its router must come to
	Adds     []row       `json:"adds,omitempty"`    // what is made
	Revokes  []row       `json:"revokes,omitempty"` // what goes
	Was      *Port       `json:"was,omitempty"`     // a rule before it was changed
	WasOpen  *Wall       `json:"wasOpen,omitempty"` // what the firewall was opened for it, before that was changed

	caller   auth.Caller
	network  network.Network
	offering offering.Network
	machines []uid.VM // to be locked before all else
	found    map[uid.VM]Machine
	subject  string
	do       func(ctx context.Context, tx db.Tx, c *change) (told, error)
}

// row is a row of one of the package's tables.
type row struct {
	Table string `json:"table"`
	ID    string `json:"id"`
}

// told is what the event of a change says.
type told struct {
	kind event.Kind
	text string
	id   string // of what it is about
}

// wish is a change that somebody wants.
type wish struct {
	command  string
	subject  string // the kind of what the job is about
	id       string // "": the change says
	network  uid.Network
	machines []uid.VM
	do       func(ctx context.Context, tx db.Tx, c *change) (told, error)
}

// start begins a change, and gives the id of what it is about.
func (s *Service) start(ctx context.Context, w wish) (string, op.ID, error) {
	caller := auth.From(ctx)
	job, done, err := s.changing.Start(ctx, op.Request{
		Thing: op.On("network", w.network), Caller: caller, Command: w.command, SubjectKind: w.subject, SubjectID: w.id,
	}, change{Network: w.network, caller: caller, machines: w.machines, do: w.do})
	if db.IsUnique(err) {
		err = fault.Conflictf("another request has taken the same ports, or the same machine's address, at this moment")
	}
	return done.subject, job, err
}

func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
	c.found = map[uid.VM]Machine{}
	for _, id := range slices.Sorted(slices.Values(c.machines)) {
		m, err := s.machines(ctx, tx, c.caller.Reach(), id)
		if err != nil {
			return err
		}
		if m.Gone {
			return fault.Conflictf("virtual machine %q is destroyed", m.Name)
		}
		c.found[id] = m
	}
	n, err := network.Lock(ctx, tx, auth.Scope{All: true}, c.Network)
	if err != nil {
		return err
	}
	if n.State == network.Destroyed {
		return fault.Conflictf("network %q is being deleted", n.Name)
	}
	offerings, err := offering.NetworksByID(ctx, tx, []uid.NetworkOffering{n.Offering})
	if err != nil {
		return err
	}
	c.network, c.offering = n, offerings[n.Offering]
	say, err := c.do(ctx, tx, c)
	if err != nil {
		return err
	}
	if c.subject = say.id; q.SubjectID == "" {
		q.SubjectID = say.id
	}
	q.Account, q.Domain = n.Account, n.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: say.kind, State: event.Scheduled, Description: say.text, Account: n.Account, Domain: n.Domain, User: c.caller.User, ResourceID: say.id,
	})
	if err != nil {
		return err
	}
	c.Revision = n.Revision + 1
	return c.touch(ctx, tx)
}

// touch makes the change known to the network's router. Guests are told by which public address they are known, and no more of rules.
func (c *change) touch(ctx context.Context, tx db.Tx) error {
	if slices.ContainsFunc(slices.Concat(c.Adds, c.Revokes), func(r row) bool { return r.Table == natTable }) {
		return network.Touch(ctx, tx, c.Network)
	}
	return network.TouchRules(ctx, tx, c.Network)
}

// serves refuses a network whose router does not provide a service.
func (c *change) serves(service string) error {
	if c.network.Routed && provider.Routes(c.offering, service) {
		return nil
	}
	return fault.Invalidf("network %q has no service %s from a virtual router", c.network.Name, service)
}

// add writes a row that the change makes.
func (c *change) add(ctx context.Context, tx db.Tx, table, id string, model any) error {
	c.Adds = append(c.Adds, row{table, id})
	return insert(ctx, tx, model)
}

// revoke marks rows that go.
func (c *change) revoke(ctx context.Context, tx db.Tx, rows ...row) error {
	c.Revokes = append(c.Revokes, rows...)
	return setStates(ctx, tx, rows, Revoke)
}

func finish(ctx context.Context, tx db.Tx, c *change) error {
	addresses, err := settling(ctx, tx, c)
	if err != nil {
		return err
	}
	if err := setStates(ctx, tx, c.Adds, Active); err != nil {
		return err
	}
	if err := remove(ctx, tx, c.Revokes); err != nil {
		return err
	}
	return settle(ctx, tx, c, addresses)
}

func (s *Service) giveUp(ctx context.Context, tx db.Tx, c *change) error {
	addresses, err := settling(ctx, tx, c)
	if err != nil {
		return err
	}
	slices.Reverse(c.Adds) // what stands for another row goes before it
	if err := remove(ctx, tx, c.Adds); err != nil {
		return err
	}
	if err := setStates(ctx, tx, c.Revokes, Active); err != nil {
		return err
	}
	if c.Was != nil {
		if err := save(ctx, tx, *c.Was); err != nil {
			return err
		}
	}
	if c.WasOpen != nil {
		if err := saveWall(ctx, tx, *c.WasOpen); err != nil {
			return err
		}
	}
	if err := settle(ctx, tx, c, addresses); err != nil {
		return err
	}
	return c.touch(ctx, tx)
}

// addressOf finds a public address in the caller's reach that serves a network.
func (s *Service) addressOf(ctx context.Context, id uid.PublicIP) (network.Address, error) {
	a, err := addressIn(ctx, s.db.Read(), auth.From(ctx).Reach(), id)
	if err == nil && a.Network == "" {
		err = fault.Conflictf("address %s serves no network", a.IP)
	}
	return a, err
}

// address locks the address that a rule is to be on. It must still serve the change's network.
func (c *change) address(ctx context.Context, tx db.Tx, id uid.PublicIP) (network.Address, error) {
	a, err := network.LockAddress(ctx, tx, c.caller.Reach(), id)
	switch {
	case err != nil:
		return a, err
	case a.State != network.InUse || a.Network != c.Network:
		return a, fault.Conflictf("address %s is being released", a.IP)
	}
	return a, nil
}

// card finds a machine's card in the change's network; ip, where it is given, must be its address.
func (c *change) card(ctx context.Context, tx db.Tx, id uid.VM, ip string) (network.NIC, error) {
	m := c.found[id]
	nics, err := network.NICsOf(ctx, tx, []uid.VM{id})
	if err != nil {
		return network.NIC{}, err
	}
	for _, nic := range nics[id] {
		switch {
		case nic.Network != c.Network:
		case ip != "" && ip != nic.IP.String():
			return nic, fault.Invalidf("address %s is none of virtual machine %q in network %q; it has %s", ip, m.Name, c.network.Name, nic.IP)
		default:
			return nic, nil
		}
	}
	return network.NIC{}, fault.Invalidf("virtual machine %q is not in network %q, which the address serves", m.Name, c.network.Name)
}
