package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// CreateAgentToken invites a host's agent.
var CreateAgentToken = api.Call[CreateAgentTokenIn, AgentToken]{
	Name: "createAgentToken", Noun: "Host", Role: api.RootOnly, Object: "agenttoken", Event: "AGENT.TOKEN.CREATE", Creates: true,
	Doc: "Makes a token with which one host's agent introduces itself to this cloud, and tells the command to run on that host. The token " +
		"is shown this once. With a cluster, the host is added there as soon as its agent is there; without one it waits until addHost names it.",
}

// CreateAgentTokenIn says for what host.
type CreateAgentTokenIn struct {
	api.Once
	ZoneID    uid.Zone    `api:"zoneid" doc:"The ID of the zone that the host is to be in; it may be left to the cluster."`
	PodID     uid.Pod     `api:"podid" doc:"The ID of the pod that the host is to be in; it may be left to the cluster."`
	ClusterID uid.Cluster `api:"clusterid" doc:"The ID of the cluster that the host is to be in, one for KVM."`
	HostTags  []string    `api:"hosttags" doc:"The host's tags. Machines of offerings with tags run on hosts that have all of those."`
	Validity  *int64      `api:"validity" doc:"For how many seconds the token can be used, 604800 (a week) at most; an hour without it."`
}

// ListAgentTokens shows tokens.
var ListAgentTokens = api.List[ListAgentTokensIn, AgentToken]{
	Name: "listAgentTokens", Noun: "Host", Role: api.RootOnly, Object: "agenttoken",
	Doc: "Lists the tokens that agents can introduce themselves with, or have, until a day after they expire.",
}

// ListAgentTokensIn chooses tokens.
type ListAgentTokensIn struct {
	api.Paging
	ID        uid.AgentToken `api:"id" doc:"Shows only the token with this ID."`
	ZoneID    uid.Zone       `api:"zoneid" doc:"Shows only tokens for hosts of this zone."`
	ClusterID uid.Cluster    `api:"clusterid" doc:"Shows only tokens for hosts of this cluster."`
	State     string         `api:"state,one=Valid|Used|Expired" doc:"Shows only tokens in this state."`
}

// DeleteAgentToken makes a token useless.
var DeleteAgentToken = api.Call[DeleteAgentTokenIn, api.Success]{
	Name: "deleteAgentToken", Noun: "Host", Role: api.RootOnly, Event: "AGENT.TOKEN.DELETE",
	Doc: "Deletes a token. An agent that has come with it and waits for a place is turned away; a host stays.",
}

// DeleteAgentTokenIn names the token.
type DeleteAgentTokenIn struct {
	ID uid.AgentToken `api:"id,required" doc:"The ID of the token."`
}

// AgentToken is a token with which an agent introduces itself.
type AgentToken struct {
	ID          uid.AgentToken `json:"id" doc:"The ID of the token."`
	Token       string         `json:"token,omitempty" doc:"The token itself. It is shown when it is made, and never again."`
	Command     string         `json:"command,omitempty" doc:"What to run on the host, the token in it; shown when it is made."`
	State       string         `json:"state" doc:"Valid, Used or Expired."`
	ZoneID      uid.Zone       `json:"zoneid,omitempty" doc:"The ID of the zone that the host is to be in."`
	ZoneName    string         `json:"zonename,omitempty" doc:"The name of that zone."`
	PodID       uid.Pod        `json:"podid,omitempty" doc:"The ID of the pod that the host is to be in."`
	PodName     string         `json:"podname,omitempty" doc:"The name of that pod."`
	ClusterID   uid.Cluster    `json:"clusterid,omitempty" doc:"The ID of the cluster that the host is to be in."`
	ClusterName string         `json:"clustername,omitempty" doc:"The name of that cluster."`
	HostTags    string         `json:"hosttags,omitempty" doc:"The tags that the host is to have, with commas between them."`
	HostID      uid.Host       `json:"hostid,omitempty" doc:"The ID that the host of the agent that has used it goes by."`
	HostName    string         `json:"hostname,omitempty" doc:"The name of that host, as its agent told it."`
	Created     api.Time       `json:"created,omitzero" doc:"When it was made."`
	Expires     api.Time       `json:"expires,omitzero" doc:"Until when it can be used."`
	Used        api.Time       `json:"used,omitzero" doc:"When it was used."`
	Pending
}
