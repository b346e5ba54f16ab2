package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreatePortForwardingRule makes ports of a public address lead to a machine.
var CreatePortForwardingRule = api.Job[CreatePortForwardingRuleIn, PortForwardingRule]{
	Name: "createPortForwardingRule", Noun: "Port forwarding rule", Role: api.Everyone, Object: "portforwardingrule", Event: "NET.RULEADD", Creates: true,
	Doc: "Makes what comes to some ports of a public address go to as many of a machine in the network that the address serves.",
}

// CreatePortForwardingRuleIn says what leads where.
type CreatePortForwardingRuleIn struct {
	api.Once
	IPAddressID      uid.PublicIP `api:"ipaddressid,required" doc:"The ID of the public address."`
	Protocol         string       `api:"protocol,required" doc:"The protocol: tcp or udp."`
	PublicPort       int          `api:"publicport,required" doc:"The first public port."`
	PublicEndPort    int          `api:"publicendport" doc:"The last public port; the first unless given."`
	PrivatePort      int          `api:"privateport,required" doc:"The first port at the machine."`
	PrivateEndPort   int          `api:"privateendport" doc:"The last port at the machine. There must be as many as public ones."`
	VirtualMachineID uid.VM       `api:"virtualmachineid,required" doc:"The ID of the machine."`
	VMGuestIP        string       `api:"vmguestip" doc:"The address of the machine in the network; it must be the one that it has there."`
	NetworkID        uid.Network  `api:"networkid" doc:"The ID of the network; it must be the one that the address serves."`
	CIDRs            []string     `api:"cidrlist" doc:"For whom the firewall is opened, as networks with commas between them; for everybody unless given."`
	OpenFirewall     *bool        `api:"openfirewall" doc:"Whether the firewall lets in what comes to the public ports; yes unless given."`
	Display          *bool        `api:"fordisplay,admin,since=4.4" doc:"Whether its users see the rule; yes unless given."`
}

// UpdatePortForwardingRule changes where a port forwarding rule leads.
var UpdatePortForwardingRule = api.Job[UpdatePortForwardingRuleIn, PortForwardingRule]{
	Name: "updatePortForwardingRule", Noun: "Port forwarding rule", Role: api.Everyone, Object: "portforwardingrule", Event: "NET.RULEMODIFY",
	Doc: "Changes the machine, or the ports at it, that a port forwarding rule leads to.",
}

// UpdatePortForwardingRuleIn says what to change.
type UpdatePortForwardingRuleIn struct {
	ID               uid.PortForward `api:"id,required" doc:"The ID of the rule."`
	VirtualMachineID uid.VM          `api:"virtualmachineid" doc:"The ID of the machine that it is to lead to."`
	VMGuestIP        string          `api:"vmguestip,since=4.5" doc:"The address of that machine in the network; it must be the one that it has there."`
	PrivatePort      int             `api:"privateport" doc:"The first port at the machine."`
	PrivateEndPort   int             `api:"privateendport,since=4.9" doc:"The last port at the machine. There must be as many as public ones."`
	PrivateIP        string          `api:"privateip" doc:"Another name of vmguestip."`
	IPAddressID      uid.PublicIP    `api:"ipaddressid" doc:"The ID of the public address; it must be the rule's."`
	Protocol         string          `api:"protocol" doc:"The protocol; it must be the rule's."`
	PublicPort       int             `api:"publicport" doc:"The first public port; it must be the rule's."`
	CIDRs            []string        `api:"cidrlist,since=4.22" doc:"For whom the firewall is opened from now on, as networks with commas between them; it must have been opened with the rule."`
	Display          *bool           `api:"fordisplay,admin,since=4.4" doc:"Whether its users see the rule."`
	CustomID         uid.PortForward `api:"customid,admin,since=4.4" doc:"Its new ID, under which it is known from then on. Not together with anything but fordisplay; no job may be working on its network."`
}

// DeletePortForwardingRule revokes a port forwarding rule.
var DeletePortForwardingRule = api.Job[DeletePortForwardingRuleIn, api.Success]{
	Name: "deletePortForwardingRule", Noun: "Port forwarding rule", Role: api.Everyone, Event: "NET.RULEDELETE",
	Doc: "Revokes a port forwarding rule, with the firewall rule that was opened for it.",
}

// DeletePortForwardingRuleIn names the rule.
type DeletePortForwardingRuleIn = RuleOf[uid.PortForward]

// ListPortForwardingRules shows port forwarding rules.
var ListPortForwardingRules = api.List[ListPortForwardingRulesIn, PortForwardingRule]{
	Name: "listPortForwardingRules", Noun: "Port forwarding rule", Role: api.Everyone, Object: "portforwardingrule",
	Doc: "Lists port forwarding rules.",
}

// ListPortForwardingRulesIn chooses port forwarding rules.
type ListPortForwardingRulesIn = RulesOn[uid.PortForward]

// PortForwardingRule is a rule that leads to a machine.
type PortForwardingRule struct {
	ID                 string       `json:"id" doc:"The ID of the rule."`
	Protocol           string       `json:"protocol" doc:"The protocol: tcp or udp."`
	PublicPort         string       `json:"publicport" doc:"The first public port."`
	PublicEndPort      string       `json:"publicendport" doc:"The last public port."`
	PrivatePort        string       `json:"privateport" doc:"The first port at the machine."`
	PrivateEndPort     string       `json:"privateendport" doc:"The last port at the machine."`
	VirtualMachineID   uid.VM       `json:"virtualmachineid,omitempty" doc:"The ID of the machine."`
	VirtualMachineName string       `json:"virtualmachinename,omitempty" doc:"The name of the machine."`
	VMDisplayName      string       `json:"virtualmachinedisplayname,omitempty" doc:"The display name of the machine."`
	VMGuestIP          string       `json:"vmguestip,omitempty" doc:"The address of the machine."`
	IPAddressID        uid.PublicIP `json:"ipaddressid" doc:"The ID of the public address."`
	IPAddress          string       `json:"ipaddress" doc:"The public address."`
	NetworkID          uid.Network  `json:"networkid" doc:"The ID of the network."`
	CIDRs              string       `json:"cidrlist,omitempty" doc:"For whom the firewall was opened with the rule, where it was."`
	State              string       `json:"state" doc:"Add, Active or Revoke."`
	Display            *bool        `json:"fordisplay,omitempty" api:"admin" doc:"Whether its users see it."`
	Tags               []Tag        `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}
