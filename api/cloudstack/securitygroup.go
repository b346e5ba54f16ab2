package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateSecurityGroup makes a security group.
var CreateSecurityGroup = api.Call[CreateSecurityGroupIn, SecurityGroup]{
	Name: "createSecurityGroup", Noun: "Security group", Role: api.Everyone, Object: "securitygroup", Event: "SG.CREATE", Creates: true,
	Doc: "Makes a security group, into which machines can be put that are deployed in networks with security groups.",
}

// CreateSecurityGroupIn says what group.
type CreateSecurityGroupIn struct {
	api.Once
	Name        string      `api:"name,required" doc:"The name of the group, unique in its account."`
	Description string      `api:"description" doc:"What the group is for."`
	Account     string      `api:"account" doc:"The name of the account that is to own it. Goes together with domainid."`
	DomainID    uid.Domain  `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID   uid.Project `api:"projectid" doc:"The ID of the project that is to own it."`
}

// UpdateSecurityGroup renames a security group.
var UpdateSecurityGroup = api.Call[UpdateSecurityGroupIn, SecurityGroup]{
	Name: "updateSecurityGroup", Noun: "Security group", Role: api.Everyone, Object: "securitygroup", Event: "SG.UPDATE",
	Doc: "Changes what a security group is called. The group default of an account keeps its name.",
}

// UpdateSecurityGroupIn says what to change.
type UpdateSecurityGroupIn struct {
	ID       uid.SecurityGroup `api:"id,required" doc:"The ID of the group."`
	Name     string            `api:"name" doc:"Its new name, unique in its account."`
	CustomID uid.SecurityGroup `api:"customid,admin,since=4.4" doc:"Its new ID, under which it is known from then on."`
}

// DeleteSecurityGroup removes a security group.
var DeleteSecurityGroup = api.Call[DeleteSecurityGroupIn, api.Success]{
	Name: "deleteSecurityGroup", Noun: "Security group", Role: api.Everyone, Event: "SG.DELETE",
	Doc: "Deletes a security group that no machine is in, and that no other group has rules about. The group default of an account stays.",
}

// DeleteSecurityGroupIn names the group.
type DeleteSecurityGroupIn struct {
	ID        uid.SecurityGroup `api:"id" doc:"The ID of the group. Either it or the name is required."`
	Name      string            `api:"name" doc:"The name of the group. Not together with id."`
	Account   string            `api:"account" doc:"The name of the account that owns it. Goes together with domainid."`
	DomainID  uid.Domain        `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project       `api:"projectid" doc:"The ID of the project that owns it."`
}

// AuthorizeSecurityGroupIngress lets traffic in to a group's machines.
var AuthorizeSecurityGroupIngress = api.Job[AuthorizeSecurityGroupIn, SecurityGroup]{
	Name: "authorizeSecurityGroupIngress", Noun: "Security group", Role: api.Everyone, Object: "securitygroup", Event: "SG.AUTH.INGRESS",
	Doc: "Lets traffic in to the machines of a security group: from CIDRs, and from the machines of groups. Each of them is a rule of its own. " +
		"The answer is the group with the rules that were added.",
}

// AuthorizeSecurityGroupEgress lets a group's machines send.
var AuthorizeSecurityGroupEgress = api.Job[AuthorizeSecurityGroupIn, SecurityGroup]{
	Name: "authorizeSecurityGroupEgress", Noun: "Security group", Role: api.Everyone, Object: "securitygroup", Event: "SG.AUTH.EGRESS",
	Doc: "Lets the machines of a security group send: to CIDRs, and to the machines of groups. From the first such rule on they may send " +
		"nothing else. Each CIDR and group is a rule of its own. The answer is the group with the rules that were added.",
}

// AuthorizeSecurityGroupIn says which group, and which traffic.
type AuthorizeSecurityGroupIn struct {
	ID        uid.SecurityGroup `api:"securitygroupid" doc:"The ID of the group. Either it or the name is required."`
	Name      string            `api:"securitygroupname" doc:"The name of the group. Not together with securitygroupid."`
	Account   string            `api:"account" doc:"The name of the account that owns it. Goes together with domainid."`
	DomainID  uid.Domain        `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project       `api:"projectid" doc:"The ID of the project that owns it."`
	Protocol  string            `api:"protocol" doc:"The protocol: tcp, udp, icmp, all, or a number up to 255; all unless it is given."`
	StartPort *int              `api:"startport" doc:"The first port. Required with tcp and udp; 0, with endport 0, is all ports."`
	EndPort   *int              `api:"endport" doc:"The last port. Required with tcp and udp."`
	ICMPType  *int              `api:"icmptype" doc:"The type of ICMP messages; -1 for all. Required with icmp."`
	ICMPCode  *int              `api:"icmpcode" doc:"The code of ICMP messages; -1 for all. Required with icmp."`
	CIDRs     []string          `api:"cidrlist" doc:"The CIDRs at the other end, of IPv4 or IPv6, with commas between them."`
	Groups    []AccountGroup    `api:"usersecuritygrouplist,map" doc:"The groups whose machines are at the other end: usersecuritygrouplist[0].account and usersecuritygrouplist[0].group."`
}

// AccountGroup is a group of an account.
type AccountGroup struct {
	Account string `api:"account" doc:"The name of the account, in the domain of the group that the rule is for; that group's own unless it is given."`
	Group   string `api:"group,required" doc:"The name of the group."`
}

// RevokeSecurityGroupIngress takes an ingress rule away.
var RevokeSecurityGroupIngress = api.Job[RevokeSecurityGroupIngressIn, api.Success]{
	Name: "revokeSecurityGroupIngress", Noun: "Security group", Role: api.Everyone, Event: "SG.REVOKE.INGRESS",
	Doc: "Takes away what let traffic in to the machines of a security group. Connections that it let in go on.",
}

// RevokeSecurityGroupEgress takes an egress rule away.
var RevokeSecurityGroupEgress = api.Job[RevokeSecurityGroupEgressIn, api.Success]{
	Name: "revokeSecurityGroupEgress", Noun: "Security group", Role: api.Everyone, Event: "SG.REVOKE.EGRESS",
	Doc: "Takes away what let the machines of a security group send. With the last such rule they may send what they like.",
}

// RevokeSecurityGroupIngressIn names the rule.
type RevokeSecurityGroupIngressIn struct {
	ID uid.SecurityGroupRule `api:"id,required" doc:"The ID of the rule."`
}

// RevokeSecurityGroupEgressIn names the rule.
type RevokeSecurityGroupEgressIn struct {
	ID uid.SecurityGroupEgressRule `api:"id,required" doc:"The ID of the rule."`
}

// ListSecurityGroups shows security groups.
var ListSecurityGroups = api.List[ListSecurityGroupsIn, SecurityGroup]{
	Name: "listSecurityGroups", Noun: "Security group", Role: api.Everyone, Object: "securitygroup",
	Doc: "Lists security groups.",
}

// ListSecurityGroupsIn chooses security groups.
type ListSecurityGroupsIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID               uid.SecurityGroup `api:"id" doc:"Shows only the group with this ID."`
	Name             string            `api:"securitygroupname" doc:"Shows only groups of this name."`
	VirtualMachineID uid.VM            `api:"virtualmachineid" doc:"Shows only the groups that this machine is in."`
}

// SecurityGroup is a security group.
type SecurityGroup struct {
	ID          uid.SecurityGroup `json:"id" doc:"The ID of the group."`
	Name        string            `json:"name" doc:"The name of the group."`
	Description string            `json:"description" doc:"What the group is for."`
	Owner
	IngressRules        []SecurityGroupRule `json:"ingressrule" api:"set" doc:"What is let in to its machines. All else is not, but for what answers them."`
	EgressRules         []SecurityGroupRule `json:"egressrule" api:"set" doc:"What its machines may send. All else they may not; without any rule they may send what they like."`
	VirtualMachineCount int                 `json:"virtualmachinecount" doc:"How many machines are in it."`
	VirtualMachineIDs   []uid.VM            `json:"virtualmachineids,omitempty" api:"set" doc:"The IDs of the machines that are in it."`
	Tags                []Tag               `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}

// SecurityGroupRule is a rule of a security group.
type SecurityGroupRule struct {
	ID            uid.SecurityGroupRule `json:"ruleid" doc:"The ID of the rule."`
	Protocol      string                `json:"protocol" doc:"The protocol: tcp, udp, icmp, all or a number."`
	StartPort     *int                  `json:"startport,omitempty" doc:"The first port."`
	EndPort       *int                  `json:"endport,omitempty" doc:"The last port."`
	ICMPType      *int                  `json:"icmptype,omitempty" doc:"The type of ICMP message."`
	ICMPCode      *int                  `json:"icmpcode,omitempty" doc:"The code of ICMP message."`
	CIDR          string                `json:"cidr,omitempty" doc:"Whose traffic it is about, by address."`
	Account       string                `json:"account,omitempty" doc:"Whose traffic it is about, by group: the name of the account that owns the group."`
	SecurityGroup string                `json:"securitygroupname,omitempty" doc:"And the name of that group."`
	Tags          []Tag                 `json:"tags,omitempty" api:"set" doc:"Its tags."`
}
