package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateFirewallRule lets something in at a public address.
var CreateFirewallRule = api.Job[CreateFirewallRuleIn, FirewallRule]{
	Name: "createFirewallRule", Noun: "Firewall rule", Role: api.Everyone, Object: "firewallrule", Event: "FIREWALL.OPEN", Creates: true,
	Doc: "Lets something in at a public address. What no rule lets in is not let in.",
}

// Passage says what a firewall rule is about.
type Passage struct {
	Protocol  string   `api:"protocol,required" doc:"The protocol: tcp, udp, icmp or all."`
	StartPort *int     `api:"startport" doc:"The first port of tcp or udp; all ports unless given."`
	EndPort   *int     `api:"endport" doc:"The last port; the first unless given."`
	ICMPType  *int     `api:"icmptype" doc:"The type of ICMP message; -1 for all."`
	ICMPCode  *int     `api:"icmpcode" doc:"The code of ICMP message; -1 for all."`
	CIDRs     []string `api:"cidrlist" doc:"From where, as networks with commas between them; from everywhere unless given, or of egress rules from the whole network."`
	Type      string   `api:"type,one=user|system" doc:"Whose rule it is: user unless given. Only root admins make and delete those of type system."`
	Display   *bool    `api:"fordisplay,admin,since=4.4" doc:"Whether its users see the rule; yes unless given."`
}

// CreateFirewallRuleIn says what is let in.
type CreateFirewallRuleIn struct {
	api.Once
	Passage
	IPAddressID uid.PublicIP `api:"ipaddressid,required" doc:"The ID of the public address."`
}

// DeleteFirewallRule revokes a firewall rule.
var DeleteFirewallRule = api.Job[DeleteFirewallRuleIn, api.Success]{
	Name: "deleteFirewallRule", Noun: "Firewall rule", Role: api.Everyone, Event: "FIREWALL.CLOSE",
	Doc: "Revokes a firewall rule of a public address.",
}

// DeleteFirewallRuleIn names the rule.
type DeleteFirewallRuleIn = RuleOf[uid.FirewallRule]

// UpdateFirewallRule changes what a firewall rule is known by.
var UpdateFirewallRule = api.Job[UpdateFirewallRuleIn, FirewallRule]{
	Name: "updateFirewallRule", Noun: "Firewall rule", Role: api.Everyone, Object: "firewallrule", Event: "FIREWALL.UPDATE", Since: "4.4",
	Doc: "Changes the ID of a firewall rule, or whether its users see it. What it lets in stays: for that, make another rule.",
}

// UpdateFirewallRuleIn says what to change.
type UpdateFirewallRuleIn = Shown[uid.FirewallRule]

// ListFirewallRules shows firewall rules of public addresses.
var ListFirewallRules = api.List[ListFirewallRulesIn, FirewallRule]{
	Name: "listFirewallRules", Noun: "Firewall rule", Role: api.Everyone, Object: "firewallrule",
	Doc: "Lists firewall rules of public addresses.",
}

// ListFirewallRulesIn chooses firewall rules.
type ListFirewallRulesIn = RulesOn[uid.FirewallRule]

// CreateEgressFirewallRule makes an exception for what a network's guests send.
var CreateEgressFirewallRule = api.Job[CreateEgressFirewallRuleIn, FirewallRule]{
	Name: "createEgressFirewallRule", Noun: "Firewall rule", Role: api.Everyone, Object: "firewallrule", Event: "FIREWALL.EGRESS.OPEN", Creates: true,
	Doc: "Makes an exception for what a network's guests send outside: it lets something out or, where the network's offering lets everything out, stops it.",
}

// CreateEgressFirewallRuleIn says what it is about.
type CreateEgressFirewallRuleIn struct {
	api.Once
	Passage
	NetworkID uid.Network `api:"networkid,required" doc:"The ID of the network."`
	DestCIDRs []string    `api:"destcidrlist,since=4.10" doc:"To where, as networks with commas between them; to everywhere unless given."`
}

// DeleteEgressFirewallRule revokes an egress rule.
var DeleteEgressFirewallRule = api.Job[DeleteEgressFirewallRuleIn, api.Success]{
	Name: "deleteEgressFirewallRule", Noun: "Firewall rule", Role: api.Everyone, Event: "FIREWALL.EGRESS.CLOSE",
	Doc: "Revokes an egress firewall rule of a network.",
}

// DeleteEgressFirewallRuleIn names the rule.
type DeleteEgressFirewallRuleIn = RuleOf[uid.EgressRule]

// UpdateEgressFirewallRule changes what an egress rule is known by.
var UpdateEgressFirewallRule = api.Job[UpdateEgressFirewallRuleIn, FirewallRule]{
	Name: "updateEgressFirewallRule", Noun: "Firewall rule", Role: api.Everyone, Object: "firewallrule", Event: "FIREWALL.EGRESS.UPDATE", Since: "4.4",
	Doc: "Changes the ID of an egress firewall rule, or whether its users see it. What it says stays: for that, make another rule.",
}

// UpdateEgressFirewallRuleIn says what to change.
type UpdateEgressFirewallRuleIn = Shown[uid.EgressRule]

// ListEgressFirewallRules shows egress rules.
var ListEgressFirewallRules = api.List[ListEgressFirewallRulesIn, FirewallRule]{
	Name: "listEgressFirewallRules", Noun: "Firewall rule", Role: api.Everyone, Object: "firewallrule",
	Doc: "Lists egress firewall rules of networks.",
}

// ListEgressFirewallRulesIn chooses egress rules.
type ListEgressFirewallRulesIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID          uid.EgressRule `api:"id" doc:"Shows only the rule with this ID."`
	NetworkID   uid.Network    `api:"networkid" doc:"Shows only rules of this network."`
	IPAddressID uid.PublicIP   `api:"ipaddressid" doc:"Shows only rules of the network that this address serves."`
	Display     *bool          `api:"fordisplay,admin,since=4.4" doc:"Shows only rules that their users see (true), or only others (false)."`
}

// FirewallRule is a firewall rule.
type FirewallRule struct {
	ID          string       `json:"id" doc:"The ID of the rule."`
	Protocol    string       `json:"protocol" doc:"The protocol: tcp, udp, icmp or all."`
	StartPort   *int         `json:"startport,omitempty" doc:"The first port; absent for all."`
	EndPort     *int         `json:"endport,omitempty" doc:"The last port."`
	ICMPType    *int         `json:"icmptype,omitempty" doc:"The type of ICMP message, -1 for all."`
	ICMPCode    *int         `json:"icmpcode,omitempty" doc:"The code of ICMP message, -1 for all."`
	CIDRs       string       `json:"cidrlist" doc:"From where."`
	DestCIDRs   string       `json:"destcidrlist,omitempty" doc:"To where, of egress rules."`
	IPAddressID uid.PublicIP `json:"ipaddressid,omitempty" doc:"The ID of the public address."`
	IPAddress   string       `json:"ipaddress,omitempty" doc:"The public address."`
	NetworkID   uid.Network  `json:"networkid" doc:"The ID of the network."`
	TrafficType string       `json:"traffictype" doc:"Ingress or Egress."`
	State       string       `json:"state" doc:"Add, Active or Revoke."`
	Display     *bool        `json:"fordisplay,omitempty" api:"admin" doc:"Whether its users see it."`
	Tags        []Tag        `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}
