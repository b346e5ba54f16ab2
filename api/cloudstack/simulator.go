package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ConfigureSimulator makes simulated hosts slow or faulty.
var ConfigureSimulator = api.Call[ConfigureSimulatorIn, api.Success]{
	Name: "configureSimulator", Noun: "Host", Role: api.RootOnly,
	Doc: "Tells simulated hosts how to behave on the next occasions: how long to take, and when to fail. The closest of zone, pod, cluster and host counts.",
}

// ConfigureSimulatorIn says which hosts are to do what, and when.
type ConfigureSimulatorIn struct {
	ZoneID    uid.Zone    `api:"zoneid" doc:"For hosts of this zone."`
	PodID     uid.Pod     `api:"podid" doc:"For hosts of this pod."`
	ClusterID uid.Cluster `api:"clusterid" doc:"For hosts of this cluster."`
	HostID    uid.Host    `api:"hostid" doc:"For this host."`
	Name      string      `api:"name,required" doc:"The agent command that is concerned, StartCommand for instance."`
	Value     string      `api:"value,required,max=4096" doc:"What the hosts are to do, as name:value pairs with | between them, wait:500|result:fail for instance. result:fail makes the job fail, result:fault is tried again, none ends it."`
	Count     int         `api:"count" doc:"On how many occasions; without it on every one."`
}

// ResetSandbox puts a sandbox back to its beginning.
var ResetSandbox = api.Call[ResetSandboxIn, api.Success]{
	Name: "resetSandbox", Noun: "Host", Role: api.RootOnly,
	Doc: "Puts the cloud of \"virga dev\" back to its beginning: everything that was made since its first start is gone, and jobs that are under way with it. Keys stay. It takes less than a tenth of a second. Any other cloud refuses it.",
}

// ResetSandboxIn is empty.
type ResetSandboxIn struct{}
