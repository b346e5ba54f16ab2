package secgroup

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Rule says what a group's machines let in or, of egress, may send. What is about several CIDRs or groups is as many rules.
type Rule struct {
	ID       uid.SecurityGroupRule `bun:",pk"`
	Group    uid.SecurityGroup     `bun:"group_id"`
	Account  uid.Account           `bun:"account_id"` // the group's, as the next
	Domain   uid.Domain            `bun:"domain_id"`
	Egress   bool
	Protocol string // tcp, udp, icmp, all, or a number
	First    int
	Last     int                   // ports, both 0 for all
	ICMPType int                   `bun:"icmp_type"`
	ICMPCode int                   `bun:"icmp_code"`        // both -1 for all
	CIDR     string                `bun:"cidr"`             // whose traffic, by address
	Peer     uid.SecurityGroup     `bun:"peer_id,nullzero"` // or by group
	Batch    uid.SecurityGroupRule `bun:"batch_id"`         // the first of those that were made in one go
	Created  time.Time
}

// anything stands for all types of ICMP messages, or for all codes.
const anything = -1

func (r Rule) text() string {
	side, who := "ingress", r.CIDR
	if r.Egress {
		side = "egress"
	}
	if r.Peer != "" {
		who = "security group " + string(r.Peer)
	}
	what := r.Protocol
	switch {
	case r.First != 0:
		what += fmt.Sprintf(" %d-%d", r.First, r.Last)
	case r.Protocol == "icmp":
		what += fmt.Sprintf(" type %d, code %d", r.ICMPType, r.ICMPCode)
	}
	return fmt.Sprintf("%s rule %s (%s, %s)", side, r.ID, what, who)
}

// says is what the rule says: two of a group that say the same are one too many.
func (r Rule) says() Rule {
	r.ID, r.Batch, r.Created = "", "", time.Time{}
	return r
}

// Traffic says which traffic a rule is to be about.
type Traffic struct {
	Protocol           string // "": all
	First, Last        *int
	ICMPType, ICMPCode *int
	CIDRs              []string
	Peers              []Peer
}

// Peer names a group by its account's name, in the domain of the group that the rule is for, and its own.
type Peer struct{ Account, Group string }

// maxSources bounds how many CIDRs and groups one request may name.
const maxSources = 100

// rules are what is wanted, one for each CIDR. Those about groups are like the first one that is given besides.
func (t Traffic) rules() (like Rule, byCIDR []Rule, err error) {
	if like, err = t.match(); err != nil {
		return like, nil, err
	}
	switch n := len(t.CIDRs) + len(t.Peers); {
	case n == 0:
		return like, nil, fault.Invalidf("whose traffic it is about is missing: want a cidrlist or a usersecuritygrouplist")
	case n > maxSources:
		return like, nil, fault.Invalidf("cidrlist and usersecuritygrouplist name %d sources: want %d at most", n, maxSources)
	}
	for _, text := range t.CIDRs {
		p, err := netip.ParsePrefix(strings.TrimSpace(text))
		if err != nil {
			return like, nil, fault.Invalidf("cidrlist holds %q, which is no network like 192.0.2.0/24 or 2001:db8::/32", text)
		}
		r := like
		if r.CIDR = p.Masked().String(); !slices.Contains(byCIDR, r) {
			byCIDR = append(byCIDR, r)
		}
	}
	return like, byCIDR, nil
}

// protocols are those with names, by number.
var protocols = map[string]string{"1": "icmp", "6": "tcp", "17": "udp", "-1": "all", "": "all"}

func (t Traffic) match() (r Rule, err error) {
	r = Rule{ICMPType: anything, ICMPCode: anything, Protocol: strings.ToLower(strings.TrimSpace(t.Protocol))}
	r.Protocol = cmp.Or(protocols[r.Protocol], r.Protocol)
	ported, typed := t.First != nil || t.Last != nil, t.ICMPType != nil || t.ICMPCode != nil
	switch r.Protocol {
	case "tcp", "udp":
		if typed {
			return r, fault.Invalidf("icmptype and icmpcode go with protocol icmp: leave them out with %s", r.Protocol)
		}
		return r, r.ports(t)
	case "icmp":
		if ported {
			return r, fault.Invalidf("protocol icmp has no ports: leave out startport and endport")
		}
		return r, r.types(t)
	case "all":
	default:
		if n, err := strconv.Atoi(r.Protocol); err != nil || n < 0 || n > 255 {
			return r, fault.Invalidf("protocol %q is none of tcp, udp, icmp, all and the numbers from 0 to 255", t.Protocol)
		}
	}
	if ported || typed {
		return r, fault.Invalidf("protocol %s has neither ports nor types here: leave out startport, endport, icmptype and icmpcode", r.Protocol)
	}
	return r, nil
}

func (r *Rule) ports(t Traffic) error {
	if t.First == nil || t.Last == nil {
		return fault.Invalidf("protocol %s wants a startport and an endport; 0 and 0 are all ports", r.Protocol)
	}
	r.First, r.Last = *t.First, *t.Last
	if r.First == 0 && (r.Last == 0 || r.Last == 65535) {
		r.Last = 0
		return nil
	}
	switch {
	case r.First < 1 || r.First > 65535:
		return fault.Invalidf("startport %d is no port: want 1 to 65535", r.First)
	case r.Last < r.First || r.Last > 65535:
		return fault.Invalidf("endport %d is not from startport %d to 65535", r.Last, r.First)
	}
	return nil
}

func (r *Rule) types(t Traffic) error {
	if t.ICMPType == nil || t.ICMPCode == nil {
		return fault.Invalidf("protocol icmp wants an icmptype and an icmpcode; -1 and -1 are all of them")
	}
	r.ICMPType, r.ICMPCode = *t.ICMPType, *t.ICMPCode
	switch {
	case r.ICMPType < anything || r.ICMPType > 255:
		return fault.Invalidf("icmptype %d is not from 0 to 255, or -1 for all", r.ICMPType)
	case r.ICMPCode < anything || r.ICMPCode > 255:
		return fault.Invalidf("icmpcode %d is not from 0 to 255, or -1 for all", r.ICMPCode)
	case r.ICMPType == anything && r.ICMPCode != anything:
		return fault.Invalidf("icmpcode %d was given for all types: name the icmptype", r.ICMPCode)
	}
	return nil
}
