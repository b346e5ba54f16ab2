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
	Doc: "Deletes a security group that no machine is in. The group default of an account stays.",
}

// DeleteSecurityGroupIn names the group.
type DeleteSecurityGroupIn struct {
	ID        uid.SecurityGroup `api:"id" doc:"The ID of the group. Either it or the name is required."`
	Name      string            `api:"name" doc:"The name of the group. Not together with id."`
	Account   string            `api:"account" doc:"The name of the account that owns it. Goes together with domainid."`
	DomainID  uid.Domain        `api:"domainid" doc:"The ID of that account's domain."`
	ProjectID uid.Project       `api:"projectid" doc:"The ID of the project that owns it."`
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
	IngressRules        []SecurityGroupRule `json:"ingressrule" api:"set" doc:"What is let in to its machines. There are no rules yet."`
	EgressRules         []SecurityGroupRule `json:"egressrule" api:"set" doc:"What its machines may send. There are no rules yet."`
	VirtualMachineCount int                 `json:"virtualmachinecount" doc:"How many machines are in it."`
	VirtualMachineIDs   []uid.VM            `json:"virtualmachineids,omitempty" api:"set" doc:"The IDs of the machines that are in it."`
	Tags                []Tag               `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}

// SecurityGroupRule is a rule of a security group.
type SecurityGroupRule struct {
	ID            string `json:"ruleid" doc:"The ID of the rule."`
	Protocol      string `json:"protocol" doc:"The protocol: tcp, udp, icmp, all or a number."`
	StartPort     *int   `json:"startport,omitempty" doc:"The first port."`
	EndPort       *int   `json:"endport,omitempty" doc:"The last port."`
	ICMPType      *int   `json:"icmptype,omitempty" doc:"The type of ICMP message."`
	ICMPCode      *int   `json:"icmpcode,omitempty" doc:"The code of ICMP message."`
	CIDR          string `json:"cidr,omitempty" doc:"Whose traffic it is about, by address."`
	Account       string `json:"account,omitempty" doc:"Whose traffic it is about, by group: the name of the account that owns the group."`
	SecurityGroup string `json:"securitygroupname,omitempty" doc:"And the name of that group."`
	Tags          []Tag  `json:"tags,omitempty" api:"set" doc:"Its tags."`
}
