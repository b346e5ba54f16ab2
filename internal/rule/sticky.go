package rule

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

// Policy is how a load balancer keeps a client at one machine.
type Policy struct {
	ID          uid.StickinessPolicy `bun:",pk"`
	Rule        uid.Rule             `bun:"rule_id"`
	Account     uid.Account          `bun:"account_id"`
	Domain      uid.Domain           `bun:"domain_id"`
	Name        string
	Description string
	Method      string
	Params      map[string]string `bun:"params,type:text"`
	State       State
	Display     bool
	Created     time.Time
}

// Methods are the ways to be sticky, with the parameters that each knows.
var Methods = map[string][]string{
	"LbCookie":    {"cookie-name", "mode", "nocache", "indirect", "postonly", "domain"},
	"AppCookie":   {"cookie-name", "length", "holdtime", "request-learn", "prefix", "mode"},
	"SourceBased": {"tablesize", "expire"},
}

// paramValue is what may stand in the configuration of a load balancer.
var paramValue = regexp.MustCompile(`^[A-Za-z0-9._-]{0,64}$`)

// StickIn says how a load balancer is to keep clients.
type StickIn struct {
	Rule              uid.Rule
	Name, Description string
	Method            string
	Params            map[string]string
	Hidden            bool
}

// Stick begins to give a load balancer a stickiness policy.
func (s *Service) Stick(ctx context.Context, in StickIn) (uid.StickinessPolicy, op.ID, error) {
	if err := in.check(); err != nil {
		return "", "", err
	}
	p, err := findPort(ctx, s.db.Read(), auth.From(ctx).Reach(), Balancing, in.Rule)
	if err != nil {
		return "", "", err
	}
	id, job, err := s.start(ctx, wish{
		command: "createLBStickinessPolicy", subject: "LBStickinessPolicy", network: p.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			p, err := c.changing(ctx, tx, Balancing, in.Rule)
			if err != nil {
				return told{}, err
			}
			c.Was = nil
			if p.Protocol == "udp" && in.Method != "SourceBased" {
				return told{}, fault.Invalidf("%s is about udp, which has no cookies: want methodname=SourceBased", p.text())
			}
			has, err := policiesOf(ctx, tx, []uid.Rule{p.ID})
			if err != nil {
				return told{}, err
			}
			for _, other := range has {
				return told{}, fault.Conflictf("%s has stickiness policy %q already: delete it first", p.text(), other.Name)
			}
			policy := Policy{
				ID: uid.New[uid.StickinessPolicy](), Rule: p.ID, Account: p.Account, Domain: p.Domain, Name: in.Name, Description: in.Description,
				Method: in.Method, Params: in.Params, State: Add, Display: !in.Hidden, Created: tx.Now,
			}
			if policy.Params == nil {
				policy.Params = map[string]string{}
			}
			say := told{event.LBStickinessCreate, fmt.Sprintf("adding stickiness policy %s to %s", policy.ID, p.text()), string(policy.ID)}
			return say, c.add(ctx, tx, policyTable, string(policy.ID), &policyRow{Policy: policy})
		},
	})
	return uid.StickinessPolicy(id), job, err
}

func (in *StickIn) check() error {
	for name := range Methods {
		if strings.EqualFold(name, in.Method) {
			in.Method = name
		}
	}
	known, ok := Methods[in.Method]
	if !ok {
		return fault.Invalidf("methodname %q is none of %s", in.Method, strings.Join(slices.Sorted(maps.Keys(Methods)), ", "))
	}
	for name, value := range in.Params {
		switch {
		case !slices.Contains(known, name):
			return fault.Invalidf("%s has no parameter %q; there is: %s", in.Method, name, strings.Join(known, ", "))
		case !paramValue.MatchString(value):
			return fault.Invalidf("%s %q holds more than letters, digits, dots, dashes and underscores, or more than 64 of them", name, value)
		}
	}
	if in.Method == "AppCookie" && in.Params["cookie-name"] == "" {
		return fault.Invalidf("AppCookie sticks to a cookie of the application: name it in the parameter cookie-name")
	}
	return nil
}

// Unstick begins to take a stickiness policy away.
func (s *Service) Unstick(ctx context.Context, id uid.StickinessPolicy) (op.ID, error) {
	policy, err := findPolicy(ctx, s.db.Read(), auth.From(ctx).Reach(), id)
	if err != nil {
		return "", err
	}
	p, err := findPort(ctx, s.db.Read(), auth.Scope{All: true}, Balancing, policy.Rule)
	if err != nil {
		return "", err
	}
	_, job, err := s.start(ctx, wish{
		command: "deleteLBStickinessPolicy", subject: "LBStickinessPolicy", id: string(id), network: p.Network,
		do: func(ctx context.Context, tx db.Tx, c *change) (told, error) {
			policy, err := findPolicy(ctx, tx, c.caller.Reach(), id)
			if err == nil && policy.State != Active {
				err = fault.Conflictf("stickiness policy %q is being added or revoked", policy.Name)
			}
			if err != nil {
				return told{}, err
			}
			say := told{event.LBStickinessDelete, fmt.Sprintf("revoking stickiness policy %s of %s", id, p.text()), string(id)}
			return say, c.revoke(ctx, tx, row{policyTable, string(id)})
		},
	})
	return job, err
}
