package rule

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Showing says under which ID something is known from now on, and whether its users see it. Zero fields leave things as they are.
type Showing[ID ~string] struct {
	ID      ID // root admins only
	Display *bool
}

// showing is the state of a change of what a rule is known by. It is done when it is accepted; there is an operation because clients
// are answered with a job, and because no other one may be at work that knows the rule by its ID.
type showing struct {
	Network uid.Network `json:"network"`
	Row     row         `json:"row"`

	to   Showing[string]
	find finding
	kind event.Kind
}

// sight is what a change of what a rule is known by needs of any rule.
type sight struct {
	network uid.Network
	account uid.Account
	domain  uid.Domain
	state   State
	text    string
}

type finding func(ctx context.Context, q db.Tx) (sight, error)

// ShowPort begins to change what a rule on ports is known by.
func (s *Service) ShowPort(ctx context.Context, kind Kind, id uid.Rule, to Showing[uid.Rule]) (op.ID, error) {
	scope := auth.From(ctx).Reach()
	j := showing{Row: row{portTable, string(id)}, to: Showing[string]{string(to.ID), to.Display}, kind: event.NetRuleModify}
	j.find = func(ctx context.Context, q db.Tx) (sight, error) {
		p, err := findPort(ctx, q, scope, kind, id)
		return sight{p.Network, p.Account, p.Domain, p.State, p.text()}, err
	}
	command, subject := "updatePortForwardingRule", "PortForwardingRule"
	if kind == Balancing {
		command, subject, j.kind = "updateLoadBalancerRule", "LoadBalancerRule", event.LBUpdate
	}
	return s.show(ctx, command, subject, j)
}

// ShowWall begins to change what a firewall rule is known by.
func (s *Service) ShowWall(ctx context.Context, id uid.FirewallRule, egress bool, to Showing[uid.FirewallRule]) (op.ID, error) {
	scope := auth.From(ctx).Reach()
	j := showing{Row: row{wallTable, string(id)}, to: Showing[string]{string(to.ID), to.Display}, kind: event.FirewallUpdate}
	j.find = func(ctx context.Context, q db.Tx) (sight, error) {
		w, err := findWall(ctx, q, scope, id, egress)
		return sight{w.Network, w.Account, w.Domain, w.State, w.text()}, err
	}
	command := "updateFirewallRule"
	if egress {
		command, j.kind = "updateEgressFirewallRule", event.EgressUpdate
	}
	return s.show(ctx, command, "FirewallRule", j)
}

// ShowPolicy begins to change what a stickiness policy is known by.
func (s *Service) ShowPolicy(ctx context.Context, id uid.StickinessPolicy, to Showing[uid.StickinessPolicy]) (op.ID, error) {
	scope := auth.From(ctx).Reach()
	j := showing{Row: row{policyTable, string(id)}, to: Showing[string]{string(to.ID), to.Display}, kind: event.LBStickinessUpdate}
	j.find = func(ctx context.Context, q db.Tx) (sight, error) {
		y, err := findPolicy(ctx, q, scope, id)
		if err != nil {
			return sight{}, err
		}
		p, err := findPort(ctx, q, auth.Scope{All: true}, Balancing, y.Rule)
		return sight{p.Network, y.Account, y.Domain, y.State, fmt.Sprintf("stickiness policy %s of %s", id, p.text())}, err
	}
	return s.show(ctx, "updateLBStickinessPolicy", "LBStickinessPolicy", j)
}

func (s *Service) show(ctx context.Context, command, subject string, j showing) (op.ID, error) {
	if err := MayName(auth.From(ctx), j.to.ID); err != nil {
		return "", err
	}
	found, err := j.find(ctx, s.db.Read())
	if err != nil {
		return "", err
	}
	if j.to.ID == "" {
		j.to.ID = j.Row.ID
	}
	j.Network = found.network
	job, _, err := s.showing.Start(ctx, op.Request{
		Thing: op.On("network", j.Network), Caller: auth.From(ctx), Command: command, SubjectKind: subject, SubjectID: j.to.ID,
	}, j)
	if db.IsUnique(err) {
		err = fault.Conflictf("something else has the ID %s", j.to.ID)
	}
	return job, err
}

// MayName refuses an ID that somebody chooses who may not; "" is none.
func MayName(c auth.Caller, id string) error {
	if id != "" && !c.IsRoot() {
		return fault.Deniedf("only root admins may choose an ID: leave out customid")
	}
	return nil
}

func acceptShowing(ctx context.Context, tx db.Tx, q *op.Request, j *showing) error {
	if _, err := network.Lock(ctx, tx, auth.Scope{All: true}, j.Network); err != nil {
		return err
	}
	found, err := j.find(ctx, tx)
	if err != nil {
		return err
	}
	if found.state != Active {
		return fault.Conflictf("%s is being added or revoked", found.text)
	}
	if j.to.Display != nil {
		if err := setDisplay(ctx, tx, j.Row, *j.to.Display); err != nil {
			return err
		}
	}
	if j.to.ID != j.Row.ID {
		if err := rename(ctx, tx, j.Row, j.to.ID); err != nil {
			return err
		}
		if err := network.TouchRules(ctx, tx, j.Network); err != nil { // routers know load balancers by their IDs
			return err
		}
	}
	q.Account, q.Domain = found.account, found.domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: j.kind, State: event.Scheduled, Description: "changing what " + found.text + " is known by",
		Account: found.account, Domain: found.domain, User: q.Caller.User, ResourceID: j.to.ID,
	})
	return err
}
