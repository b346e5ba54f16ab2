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

// cookieModes are what becomes of a load balancer's own cookie.
var cookieModes = []string{"insert", "rewrite", "prefix"}

// paramForm is the form of a parameter's value, and how that is said.
type paramForm struct {
	form *regexp.Regexp
	want string
}

var (
	aTime  = paramForm{regexp.MustCompile(`^[0-9]{1,9}(us|ms|s|m|h|d)?$`), "a time like 3h, in us, ms, s, m, h or d; without a unit it is in ms"}
	aSize  = paramForm{regexp.MustCompile(`^[1-9][0-9]{0,8}[kmg]?$`), "a size like 200k, with k, m, g or no unit"}
	aLimit = paramForm{regexp.MustCompile(`^[1-9][0-9]{0,3}$`), "a number from 1 to 9999"}
	aWord  = paramForm{regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`), "a name of letters, digits, dots, dashes and underscores"}
	aBool  = paramForm{regexp.MustCompile(`^(?i:true|false)?$`), "true or false"}
)

// paramForms are the forms of the parameters that have one.
var paramForms = map[string]paramForm{
	"holdtime": aTime, "expire": aTime, "tablesize": aSize, "length": aLimit, "cookie-name": aWord, "domain": aWord, "nocache": aBool,
	"indirect": aBool, "postonly": aBool, "request-learn": aBool, "prefix": aBool,
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
			if err := p.stick(in.Method); err != nil {
				return told{}, err
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
		if form, ok := paramForms[name]; ok && !form.form.MatchString(value) {
			return fault.Invalidf("%s %q of %s is none: want %s", name, value, in.Method, form.want)
		}
	}
	switch {
	case in.Method == "AppCookie" && in.Params["cookie-name"] == "":
		return fault.Invalidf("AppCookie sticks to a cookie of the application: name it in the parameter cookie-name")
	case in.Method == "AppCookie" && (in.Params["mode"] != "" || said(in.Params, "prefix")):
		// What haproxy had for sessions in paths went with its version 1.6.
		return fault.Invalidf("AppCookie knows sessions by their cookie only: leave out mode and prefix, or choose LbCookie with mode=prefix")
	case in.Method == "LbCookie" && in.Params["mode"] != "" && !slices.Contains(cookieModes, in.Params["mode"]):
		return fault.Invalidf("mode %q of LbCookie is none of %s", in.Params["mode"], strings.Join(cookieModes, ", "))
	case in.Method == "LbCookie" && !slices.Contains([]string{"", "insert"}, in.Params["mode"]) &&
		(said(in.Params, "indirect") || said(in.Params, "postonly")):
		return fault.Invalidf("indirect and postonly go with mode=insert: leave them out with mode=%s", in.Params["mode"])
	}
	return nil
}

// said tells whether a switch is on.
func said(params map[string]string, name string) bool {
	value, ok := params[name]
	return ok && !strings.EqualFold(value, "false")
}

// stick refuses a way to be sticky that the load balancer can't have.
func (p Port) stick(method string) error {
	switch {
	case p.Protocol == "udp" && method != "SourceBased":
		return fault.Invalidf("%s is about udp, which has no cookies: want methodname=SourceBased", p.text())
	case p.Protocol == proxied && method != "SourceBased":
		return fault.Invalidf("%s tells machines who is at the other end by PROXY headers and looks into nothing: want methodname=SourceBased",
			p.text())
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
