package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateLoadBalancerRule spreads what comes to a public port over machines.
var CreateLoadBalancerRule = api.Job[CreateLoadBalancerRuleIn, LoadBalancerRule]{
	Name: "createLoadBalancerRule", Noun: "Load balancer", Role: api.Everyone, Object: "loadbalancer", Event: "LB.CREATE", Creates: true,
	Doc: "Spreads what comes to a port of a public address over machines of the network that the address serves. assignToLoadBalancerRule says over which.",
}

// CreateLoadBalancerRuleIn says what is spread, and how.
type CreateLoadBalancerRuleIn struct {
	api.Once
	Name         string       `api:"name,required" doc:"The name of the load balancer."`
	Description  string       `api:"description" doc:"What it is for."`
	PublicIPID   uid.PublicIP `api:"publicipid" doc:"The ID of the public address. Without it the network gets one more, which is marked issystem, counts as any other does, and goes with the last load balancer on it."`
	PublicPort   int          `api:"publicport,required" doc:"The public port."`
	PrivatePort  int          `api:"privateport,required" doc:"The port at the machines."`
	Algorithm    string       `api:"algorithm,required" doc:"How machines are chosen: roundrobin, leastconn or source."`
	Protocol     string       `api:"protocol" doc:"The protocol: tcp unless given, udp, or tcp-proxy."`
	NetworkID    uid.Network  `api:"networkid" doc:"The ID of the network; it must be the one that the address serves. Without publicipid: the one that gets an address."`
	ZoneID       uid.Zone     `api:"zoneid" doc:"The ID of the zone; it must be the address's. Without publicipid and networkid: the account's only isolated network with source NAT in it gets an address."`
	Account      string       `api:"account" doc:"The name of the account that is to own it; it must be the address's, or the network's. Goes together with domainid."`
	DomainID     uid.Domain   `api:"domainid" doc:"The ID of that account's domain."`
	CIDRs        []string     `api:"cidrlist" doc:"Who may use it, as networks with commas between them; everybody unless given."`
	OpenFirewall *bool        `api:"openfirewall" doc:"Whether the firewall lets in what comes to the public port; yes unless given."`
	Display      *bool        `api:"fordisplay,admin,since=4.4" doc:"Whether its users see it; yes unless given."`
}

// UpdateLoadBalancerRule changes a load balancer.
var UpdateLoadBalancerRule = api.Job[UpdateLoadBalancerRuleIn, LoadBalancerRule]{
	Name: "updateLoadBalancerRule", Noun: "Load balancer", Role: api.Everyone, Object: "loadbalancer", Event: "LB.UPDATE",
	Doc: "Changes a load balancer.",
}

// UpdateLoadBalancerRuleIn says what to change.
type UpdateLoadBalancerRuleIn struct {
	ID          uid.LoadBalancer `api:"id,required" doc:"The ID of the load balancer."`
	Name        string           `api:"name" doc:"Its new name."`
	Description *string          `api:"description" doc:"What it is for."`
	Algorithm   string           `api:"algorithm" doc:"How machines are chosen: roundrobin, leastconn or source."`
	Protocol    string           `api:"protocol" doc:"The protocol: tcp and tcp-proxy can take each other's place."`
	CIDRs       []string         `api:"cidrlist,since=4.18" doc:"Who may use it, as networks with commas between them. What the firewall lets in does not change."`
	Display     *bool            `api:"fordisplay,admin,since=4.4" doc:"Whether its users see it."`
	CustomID    uid.LoadBalancer `api:"customid,admin,since=4.4" doc:"Its new ID, under which it is known from then on. Not together with anything but fordisplay; no job may be working on its network."`
}

// DeleteLoadBalancerRule revokes a load balancer.
var DeleteLoadBalancerRule = api.Job[LoadBalancerID, api.Success]{
	Name: "deleteLoadBalancerRule", Noun: "Load balancer", Role: api.Everyone, Event: "LB.DELETE",
	Doc: "Revokes a load balancer, with the firewall rule that was opened for it, and with its address where that was taken for it and no other is on it.",
}

// LoadBalancerID names a load balancer.
type LoadBalancerID struct {
	ID uid.LoadBalancer `api:"id,required" doc:"The ID of the load balancer."`
}

// AssignToLoadBalancerRule has a load balancer send to more machines.
var AssignToLoadBalancerRule = api.Job[BalancedMachinesIn, api.Success]{
	Name: "assignToLoadBalancerRule", Noun: "Load balancer", Role: api.Everyone, Event: "LB.ASSIGN.TO.RULE",
	Doc: "Has a load balancer send to some machines, too.",
}

// RemoveFromLoadBalancerRule has a load balancer send to fewer machines.
var RemoveFromLoadBalancerRule = api.Job[BalancedMachinesIn, api.Success]{
	Name: "removeFromLoadBalancerRule", Noun: "Load balancer", Role: api.Everyone, Event: "LB.REMOVE.FROM.RULE",
	Doc: "Has a load balancer send to some machines no more.",
}

// BalancedMachinesIn names a load balancer and machines.
type BalancedMachinesIn struct {
	ID                uid.LoadBalancer `api:"id,required" doc:"The ID of the load balancer."`
	VirtualMachineIDs []uid.VM         `api:"virtualmachineids" doc:"The IDs of the machines, with commas between them."`
	Addresses         []MachineAddress `api:"vmidipmap,map" doc:"The machines with their addresses: vmidipmap[0].vmid and vmidipmap[0].vmip."`
}

// MachineAddress is a machine and its address.
type MachineAddress struct {
	VirtualMachineID uid.VM `api:"vmid,required" doc:"The ID of the machine."`
	IPAddress        string `api:"vmip" doc:"The address of the machine in the network; it must be the one that it has there."`
}

// ListLoadBalancerRules shows load balancers.
var ListLoadBalancerRules = api.List[ListLoadBalancerRulesIn, LoadBalancerRule]{
	Name: "listLoadBalancerRules", Noun: "Load balancer", Role: api.Everyone, Object: "loadbalancerrule",
	Doc: "Lists load balancers.",
}

// ListLoadBalancerRulesIn chooses load balancers.
type ListLoadBalancerRulesIn struct {
	api.Paging
	api.Scope
	InProject
	Tagged
	ID               uid.LoadBalancer `api:"id" doc:"Shows only the load balancer with this ID."`
	Name             string           `api:"name" doc:"Shows only load balancers of this name."`
	PublicIPID       uid.PublicIP     `api:"publicipid" doc:"Shows only load balancers on this address."`
	VirtualMachineID uid.VM           `api:"virtualmachineid" doc:"Shows only load balancers that send to this machine."`
	NetworkID        uid.Network      `api:"networkid,since=4.3" doc:"Shows only load balancers of this network."`
	ZoneID           uid.Zone         `api:"zoneid" doc:"Shows only load balancers of this zone."`
	Display          *bool            `api:"fordisplay,admin,since=4.4" doc:"Shows only those that their users see (true), or only others (false)."`
}

// LoadBalancerRule is a load balancer.
type LoadBalancerRule struct {
	ID          uid.LoadBalancer `json:"id" doc:"The ID of the load balancer."`
	Name        string           `json:"name" doc:"Its name."`
	Description string           `json:"description" doc:"What it is for."`
	PublicIP    string           `json:"publicip" doc:"The public address."`
	PublicIPID  uid.PublicIP     `json:"publicipid" doc:"The ID of the public address."`
	PublicPort  string           `json:"publicport" doc:"The public port."`
	PrivatePort string           `json:"privateport" doc:"The port at the machines."`
	Algorithm   string           `json:"algorithm" doc:"How machines are chosen."`
	Protocol    string           `json:"protocol" doc:"The protocol."`
	CIDRs       string           `json:"cidrlist" doc:"Who may use it; empty for everybody."`
	NetworkID   uid.Network      `json:"networkid" doc:"The ID of the network."`
	ZoneID      uid.Zone         `json:"zoneid" doc:"The ID of the zone."`
	ZoneName    string           `json:"zonename" doc:"The name of the zone."`
	State       string           `json:"state" doc:"Add, Active or Revoke."`
	Display     *bool            `json:"fordisplay,omitempty" api:"admin" doc:"Whether its users see it."`
	Owner
	Tags []Tag `json:"tags,omitempty" api:"set" doc:"Its tags."`
	Pending
}

// ListLoadBalancerRuleInstances shows the machines of a load balancer.
var ListLoadBalancerRuleInstances = api.List[ListLoadBalancerRuleInstancesIn, VirtualMachine]{
	Name: "listLoadBalancerRuleInstances", Noun: "Load balancer", Role: api.Everyone, Object: "loadbalancerruleinstance",
	Other: api.Form{Object: "lbrulevmidip", Item: (*BalancedMachine)(nil)},
	Doc:   "Lists the machines that a load balancer sends to, or those that it could send to and does not.",
}

// ListLoadBalancerRuleInstancesIn names the load balancer.
type ListLoadBalancerRuleInstancesIn struct {
	api.Paging
	ID      uid.LoadBalancer `api:"id,required" doc:"The ID of the load balancer."`
	Applied *bool            `api:"applied" doc:"Shows the machines that it sends to (true, or nothing said), or those of its network that it does not send to (false)."`
	IPs     bool             `api:"lbvmips" doc:"Whether to show each machine together with its addresses that the load balancer sends to: the answer is a list of lbrulevmidip then."`
}

// BalancedMachine is a machine of a load balancer, with its addresses.
type BalancedMachine struct {
	VirtualMachine VirtualMachine `json:"loadbalancerruleinstance" doc:"The machine."`
	Addresses      []string       `json:"lbvmipaddresses,omitempty" doc:"Its addresses that the load balancer sends to."`
}
