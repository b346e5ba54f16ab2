package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// EnableStaticNAT makes a public address stand for a machine.
var EnableStaticNAT = api.Call[EnableStaticNATIn, api.Success]{
	Name: "enableStaticNat", Noun: "Static NAT", Role: api.Everyone, Event: "STATICNAT.ENABLE",
	Doc: "Makes a public address stand for a machine with all its ports, in both directions. What is let in says the firewall.",
}

// EnableStaticNATIn says which address, and which machine.
type EnableStaticNATIn struct {
	IPAddressID      uid.PublicIP `api:"ipaddressid,required" doc:"The ID of the address. It has no other rules, and is not the network's source NAT."`
	VirtualMachineID uid.VM       `api:"virtualmachineid,required" doc:"The ID of the machine."`
	NetworkID        uid.Network  `api:"networkid" doc:"The ID of the network; it must be the one that the address serves."`
	VMGuestIP        string       `api:"vmguestip" doc:"The address of the machine in the network; it must be the one that it has there."`
}

// DisableStaticNAT ends the static NAT of an address.
var DisableStaticNAT = api.Job[DisableStaticNATIn, api.Success]{
	Name: "disableStaticNat", Noun: "Static NAT", Role: api.Everyone, Event: "STATICNAT.DISABLE",
	Doc: "Ends the static NAT of an address, with all rules on it.",
}

// DisableStaticNATIn names the address.
type DisableStaticNATIn struct {
	IPAddressID uid.PublicIP `api:"ipaddressid,required" doc:"The ID of the address."`
}

// CreateIPForwardingRule lets ports of a static NAT in.
var CreateIPForwardingRule = api.Job[CreateIPForwardingRuleIn, IPForwardingRule]{
	Name: "createIpForwardingRule", Noun: "Static NAT", Role: api.Everyone, Object: "ipforwardingrule", Event: "NET.RULEADD", Creates: true,
	Doc: "Lets what comes to some ports of a static NAT in to its machine.",
}

// CreateIPForwardingRuleIn says which ports.
type CreateIPForwardingRuleIn struct {
	api.Once
	IPAddressID  uid.PublicIP `api:"ipaddressid,required" doc:"The ID of the address, which has static NAT."`
	Protocol     string       `api:"protocol,required" doc:"The protocol: tcp or udp."`
	StartPort    int          `api:"startport,required" doc:"The first port."`
	EndPort      int          `api:"endport" doc:"The last port; the first unless given."`
	CIDRs        []string     `api:"cidrlist" doc:"For whom the firewall is opened, as networks with commas between them; for everybody unless given."`
	OpenFirewall *bool        `api:"openfirewall" doc:"Whether the firewall is opened for the ports; yes unless given."`
}

// DeleteIPForwardingRule revokes such a rule.
var DeleteIPForwardingRule = api.Job[DeleteIPForwardingRuleIn, api.Success]{
	Name: "deleteIpForwardingRule", Noun: "Static NAT", Role: api.Everyone, Event: "NET.RULEDELETE",
	Doc: "Revokes an IP forwarding rule, with the firewall rule that was opened for it.",
}

// DeleteIPForwardingRuleIn names the rule.
type DeleteIPForwardingRuleIn = RuleOf[uid.IPForward]

// ListIPForwardingRules shows such rules.
var ListIPForwardingRules = api.List[ListIPForwardingRulesIn, IPForwardingRule]{
	Name: "listIpForwardingRules", Noun: "Static NAT", Role: api.Everyone, Object: "ipforwardingrule",
	Doc: "Lists IP forwarding rules: the ports of static NATs that are let in.",
}

// ListIPForwardingRulesIn chooses such rules.
type ListIPForwardingRulesIn struct {
	api.Paging
	api.Scope
	InProject
	ID               uid.IPForward `api:"id" doc:"Shows only the rule with this ID."`
	IPAddressID      uid.PublicIP  `api:"ipaddressid" doc:"Shows only rules on this address."`
	VirtualMachineID uid.VM        `api:"virtualmachineid" doc:"Shows only rules that lead to this machine."`
}

// IPForwardingRule is a rule on ports of a static NAT.
type IPForwardingRule struct {
	PortForwardingRule
	StartPort int `json:"startport" doc:"The first port."`
	EndPort   int `json:"endport" doc:"The last port."`
}
