package secgroup

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// change is the state of a change of a group's rules: all of it is written when it is accepted, and the job ends when the hosts of
// the group's machines know.
type change struct {
	Group   uid.SecurityGroup  `json:"group"`
	Rules   []Rule             `json:"rules"`
	Revoked bool               `json:"revoked,omitempty"` // they were taken away
	Hosts   map[uid.Host]int64 `json:"hosts,omitempty"`   // the versions of documents that hosts must have

	do func(ctx context.Context, tx db.Tx, q *op.Request, c *change) error
}

func (s *Service) plan() *op.Plan[change] {
	return op.New[change]("secgroup.change").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, c *change) error { return c.do(ctx, tx, q, c) }, giveUp).
		Tx("spread", s.spreadRules, nil).
		Wait("apply", func(ctx context.Context, q db.Tx, c *change) (bool, error) {
			return s.documents.Reached(ctx, q, document.Guards, c.Hosts)
		})
}

// spreadRules wants newer documents for the hosts of the group's machines. It is a step of its own, since it must see all machines
// that were put into the group, or on a host, without having seen the change.
func (s *Service) spreadRules(ctx context.Context, tx db.Tx, c *change) error {
	hosts, err := s.machines.HostsOf(ctx, tx, []uid.SecurityGroup{c.Group})
	if err != nil {
		return err
	}
	c.Hosts, err = document.Want(ctx, tx, document.Guards, hosts...)
	return err
}

func giveUp(ctx context.Context, tx db.Tx, c *change) error {
	if c.Revoked {
		if err := putBack(ctx, tx, c.Rules); err != nil {
			return err
		}
	} else if err := removeRules(ctx, tx, c.Rules); err != nil {
		return err
	}
	return changed(ctx, tx, c.Group)
}

// AuthorizeIn says which rules to make, in which group.
type AuthorizeIn struct {
	Which
	Traffic
	Egress bool
}

// Authorize begins to add rules to a group, one for each CIDR and group that they are about. It gives the first one.
func (s *Service) Authorize(ctx context.Context, in AuthorizeIn) (uid.SecurityGroupRule, op.ID, error) {
	if err := in.check(); err != nil {
		return "", "", err
	}
	like, rules, err := in.rules()
	if err != nil {
		return "", "", err
	}
	g, peers, err := s.sides(ctx, in)
	if err != nil {
		return "", "", err
	}
	command := "authorizeSecurityGroupIngress"
	if in.Egress {
		command = "authorizeSecurityGroupEgress"
	}
	q := op.Request{Thing: op.On("securitygroup", g.ID), Caller: auth.From(ctx), Command: command, SubjectKind: "SecurityGroupRule"}
	job, done, err := s.changing.Start(ctx, q, change{Group: g.ID, do: func(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
		g, err := stay(ctx, tx, q.Caller.Reach(), g, peers)
		if err != nil {
			return err
		}
		for _, p := range peers {
			r := like
			if r.Peer = p.ID; !slices.Contains(rules, r) {
				rules = append(rules, r)
			}
		}
		if c.Rules, err = addRules(ctx, tx, g, in.Egress, rules); err != nil {
			return err
		}
		kind := event.SecurityGroupAuthIngress
		if in.Egress {
			kind = event.SecurityGroupAuthEgress
		}
		q.SubjectID = string(c.Rules[0].ID)
		return told(ctx, tx, q, g, kind, "adding", c.Rules)
	}})
	if err != nil {
		return "", "", err
	}
	return done.Rules[0].ID, job, nil
}

// maxRules bounds how many rules a group has.
const maxRules = 1000

// addRules writes rules that say something which the group's do not yet.
func addRules(ctx context.Context, tx db.Tx, g Group, egress bool, rules []Rule) ([]Rule, error) {
	of, err := RulesOf(ctx, tx, []uid.SecurityGroup{g.ID})
	if err != nil {
		return nil, err
	}
	has := of[g.ID]
	if len(has)+len(rules) > maxRules {
		return nil, fault.Limitf("security group %q would have %d rules: %d is the most", g.Name, len(has)+len(rules), maxRules)
	}
	rules = slices.Clone(rules)
	for i := range rules {
		r := &rules[i]
		r.Group, r.Account, r.Domain, r.Egress = g.ID, g.Account, g.Domain, egress
		for _, other := range has {
			if other.says() == r.says() {
				return nil, fault.Conflictf("%s of security group %q says the same already", other.text(), g.Name)
			}
		}
		r.ID, r.Created = uid.New[uid.SecurityGroupRule](), tx.Now
		r.Batch = rules[0].ID
	}
	return rules, insertRules(ctx, tx, rules)
}

// told writes the event of a change of a group's rules.
func told(ctx context.Context, tx db.Tx, q *op.Request, g Group, kind event.Kind, doing string, rules []Rule) (err error) {
	texts := make([]string, len(rules))
	for i, r := range rules {
		texts[i] = r.text()
	}
	all := strings.Join(texts, ", ")
	if len(rules) > 3 {
		all = fmt.Sprintf("%s and %d more", strings.Join(texts[:3], ", "), len(rules)-3)
	}
	q.Account, q.Domain = g.Account, g.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s %s of security group %s (%s)", doing, all, g.Name, g.ID),
		Account: g.Account, Domain: g.Domain, User: q.Caller.User, ResourceID: string(g.ID),
	})
	return err
}

// sides are the group that rules are for, and those that they are about.
func (s *Service) sides(ctx context.Context, in AuthorizeIn) (g Group, peers []Group, err error) {
	q := s.db.Read()
	if g, err = s.look(ctx, q, in.Which); err != nil {
		return g, nil, err
	}
	for _, p := range in.Peers {
		if p.Group == "" {
			return g, nil, fault.Invalidf("usersecuritygrouplist holds an account without the name of a group")
		}
		of := account.Account{ID: g.Account}
		if p.Account != "" {
			if of, err = account.ReachAccount(ctx, q, p.Account, g.Domain); err != nil {
				return g, nil, err
			}
		}
		peer, err := findByName(ctx, q, of.ID, p.Group)
		if err != nil {
			return g, nil, err
		}
		peers = append(peers, peer)
	}
	return g, peers, nil
}

// stay keeps groups from going before the transaction's end, and from getting another ID. It gives the first as it is now.
func stay(ctx context.Context, tx db.Tx, reach auth.Scope, g Group, peers []Group) (Group, error) {
	owners := []uid.Account{g.Account}
	ids := []uid.SecurityGroup{}
	for _, p := range peers {
		owners, ids = append(owners, p.Account), append(ids, p.ID)
	}
	slices.Sort(owners)
	for _, id := range slices.Compact(owners) {
		if err := tx.Retire(ctx, guard(id)); err != nil {
			return Group{}, err
		}
	}
	there, err := ByID(ctx, tx, ids)
	if err != nil {
		return Group{}, err
	}
	for _, p := range peers {
		if _, ok := there[p.ID]; !ok {
			return Group{}, fault.NotFoundf("the account has no security group called %q", p.Name)
		}
	}
	return find(ctx, tx, reach, g.ID)
}

// Revoke begins to take a rule away.
func (s *Service) Revoke(ctx context.Context, id uid.SecurityGroupRule, egress bool) (op.ID, error) {
	r, err := findRule(ctx, s.db.Read(), auth.From(ctx).Reach(), id, egress)
	if err != nil {
		return "", err
	}
	command, kind := "revokeSecurityGroupIngress", event.SecurityGroupRevokeIngress
	if egress {
		command, kind = "revokeSecurityGroupEgress", event.SecurityGroupRevokeEgress
	}
	q := op.Request{
		Thing: op.On("securitygroup", r.Group), Caller: auth.From(ctx), Command: command, SubjectKind: "SecurityGroupRule", SubjectID: string(id),
	}
	revoke := func(ctx context.Context, tx db.Tx, q *op.Request, c *change) error {
		g, err := stay(ctx, tx, q.Caller.Reach(), Group{ID: r.Group, Account: r.Account}, nil)
		if err != nil {
			return err
		}
		r, err := findRule(ctx, tx, q.Caller.Reach(), id, egress)
		if err != nil {
			return err
		}
		c.Rules = []Rule{r}
		if err := removeRules(ctx, tx, c.Rules); err != nil {
			return err
		}
		return told(ctx, tx, q, g, kind, "revoking", c.Rules)
	}
	job, _, err := s.changing.Start(ctx, q, change{Group: r.Group, Revoked: true, do: revoke})
	return job, err
}
