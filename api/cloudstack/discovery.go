package cloudstack

import "github.com/virga-cloud/virga/api"

// ListAPIs shows the commands the caller may use.
var ListAPIs = api.List[ListAPIsIn, api.CommandInfo]{
	Name: "listApis", Noun: "Discovery", Role: api.Everyone, Object: "api", Since: "4.1.0",
	Doc: "Lists the commands that the caller may use, with their parameters and what they answer.",
}

// ListAPIsIn chooses commands.
type ListAPIsIn struct {
	Name string `api:"name" doc:"Shows only the command of this name."`
}

// ListCapabilities says what this cloud can do.
var ListCapabilities = api.Call[api.None, Capabilities]{
	Name: "listCapabilities", Noun: "Discovery", Role: api.Everyone, Object: "capability",
	Doc: "Shows what this cloud can do and what its users may.",
}

// Capabilities is what this cloud can do.
type Capabilities struct {
	Version                  string `json:"cloudstackversion" doc:"The level of the CloudStack API that is spoken."`
	PublicTemplates          bool   `json:"userpublictemplateenabled" doc:"Whether users may make templates and ISOs public."`
	SecurityGroups           bool   `json:"securitygroupsenabled" doc:"Whether there are security groups."`
	ElasticLoadBalancer      string `json:"supportELB" doc:"Whether basic zones have elastic load balancing: true or false."`
	ProjectInvitation        bool   `json:"projectinviterequired" doc:"Whether an account must accept before it joins a project."`
	UserProjects             bool   `json:"allowusercreateprojects" doc:"Whether users may create projects."`
	MinDiskSize              int64  `json:"customdiskofferingminsize" doc:"The least size of a disk whose size the user chooses, in GB."`
	MaxDiskSize              int64  `json:"customdiskofferingmaxsize" doc:"The greatest size of a disk whose size the user chooses, in GB."`
	KVMSnapshots             bool   `json:"kvmsnapshotenabled" doc:"Whether disks of running KVM machines can have snapshots."`
	RegionSecondary          bool   `json:"regionsecondaryenabled" doc:"Whether secondary storage is shared by the whole region."`
	UserViewDestroyed        bool   `json:"allowuserviewdestroyedvm" doc:"Whether users see their destroyed machines."`
	UserExpungeRecover       bool   `json:"allowuserexpungerecovervm" doc:"Whether users may expunge and recover their destroyed machines."`
	UserExpungeRecoverVolume bool   `json:"allowuserexpungerecovervolume" doc:"Whether users may expunge and recover their destroyed volumes."`
	UserForceStop            bool   `json:"allowuserforcestopvm" doc:"Whether users may cut the power of their machines."`
	DomainAccounts           bool   `json:"allowuserviewalldomainaccounts" doc:"Whether users see the other accounts of their domain."`
	DynamicRoles             bool   `json:"dynamicrolesenabled" doc:"Whether roles can be changed."`
	Kubernetes               bool   `json:"kubernetesserviceenabled" doc:"Whether there is the Kubernetes service."`
	DynamicScaling           bool   `json:"dynamicscalingenabled" doc:"Whether running machines can change their size."`
	PageSize                 int64  `json:"defaultuipagesize" doc:"How many items a page of the console has."`
	StatsUserOnly            bool   `json:"instancesstatsuseronly" doc:"Whether statistics are kept for users' machines only."`
	APILimitInterval         *int   `json:"apilimitinterval,omitempty" doc:"The seconds in which a caller may make apilimitmax requests; absent where requests are not limited."`
	APILimitMax              *int   `json:"apilimitmax,omitempty" doc:"How many requests a caller may make in that time; absent where requests are not limited."`
	Pending
}
