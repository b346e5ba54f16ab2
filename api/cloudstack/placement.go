package cloudstack

import "github.com/virga-cloud/virga/uid"

// Placement is what a deployment would do: the answer to a dry run.
type Placement struct {
	Feasible bool   `json:"feasible" doc:"Whether there is a host with room for the machine now."`
	Summary  string `json:"summary" doc:"The outcome in a sentence; where there is no host, why. Admins are given figures."`

	Algorithm  string          `json:"algorithm,omitempty" doc:"How the hosts are ordered: the value of the setting vm.allocation.algorithm, or what stands for it where the service offering has a deployment planner. For admins."`
	Considered *int            `json:"considered,omitempty" doc:"How many hosts came into question. For admins."`
	Suitable   *int            `json:"suitable,omitempty" doc:"How many of them would do. For admins."`
	Hosts      []PlacementHost `json:"host,omitempty" doc:"The hosts that would do, in the order in which they would be tried, at most 100. The first 16 of each search are ordered by score; those after them come into play when these have filled up. For admins."`
	Groups     []PlacementDrop `json:"reason,omitempty" doc:"Why the others would not do, with the number of hosts for each reason. For admins."`
	Dropped    []PlacementDrop `json:"dropped,omitempty" doc:"Hosts that would not do, at most 100, each with the first reason that was found. For admins."`
}

// PlacementHost is a host that would do.
type PlacementHost struct {
	Rank        int             `json:"rank" doc:"Its place in the order, from 1."`
	HostID      uid.Host        `json:"hostid" doc:"The ID of the host."`
	HostName    string          `json:"hostname" doc:"The name of the host."`
	PodID       uid.Pod         `json:"podid" doc:"The ID of its pod."`
	PodName     string          `json:"podname" doc:"The name of its pod."`
	ClusterID   uid.Cluster     `json:"clusterid" doc:"The ID of its cluster."`
	ClusterName string          `json:"clustername" doc:"The name of its cluster."`
	Score       float64         `json:"score" doc:"How good it is: the sum of its parts, each times its weight."`
	Parts       []PlacementPart `json:"scorepart" doc:"What the score is made of."`
	Pools       []PlacementPool `json:"storagepool,omitempty" doc:"The pool for each disk that would be made."`
}

// PlacementPart is what one scorer contributed to a score.
type PlacementPart struct {
	Name   string  `json:"name" doc:"The scorer: last (the machine ran there before), free (the part of the host that is left), spread (few machines of the account), first (older hosts), chance (differs for each machine)."`
	Value  float64 `json:"value" doc:"Its judgement, from 0 to 1."`
	Weight float64 `json:"weight" doc:"How much it counts."`
}

// PlacementPool is the pool for one disk.
type PlacementPool struct {
	Volume string   `json:"volume" doc:"The type of the disk: ROOT or DATADISK."`
	ID     uid.Pool `json:"id" doc:"The ID of the pool."`
	Name   string   `json:"name" doc:"The name of the pool."`
}

// PlacementDrop is a host, or a number of hosts, that would not do.
type PlacementDrop struct {
	Filter      string      `json:"filter" doc:"The filter that dropped it, hosttags or memory for instance."`
	Reason      string      `json:"reason" doc:"What is the matter, with figures where there are some."`
	Hosts       int         `json:"hosts,omitempty" doc:"How many hosts have this reason."`
	HostID      uid.Host    `json:"hostid,omitempty" doc:"The ID of the host."`
	HostName    string      `json:"hostname,omitempty" doc:"The name of the host."`
	PodID       uid.Pod     `json:"podid,omitempty" doc:"The ID of its pod."`
	PodName     string      `json:"podname,omitempty" doc:"The name of its pod."`
	ClusterID   uid.Cluster `json:"clusterid,omitempty" doc:"The ID of its cluster."`
	ClusterName string      `json:"clustername,omitempty" doc:"The name of its cluster."`
}
