package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListResourceLimits shows limits.
var ListResourceLimits = api.List[ListResourceLimitsIn, ResourceLimit]{
	Name: "listResourceLimits", Noun: "Limit", Role: api.Everyone, Object: "resourcelimit",
	Doc: `Lists how much accounts and domains may have. Without a word these are the limits of the caller's own account; account and
domainid show those of that account, domainid alone those of the domain, and listall those of every account in reach.`,
}

// ListResourceLimitsIn chooses limits.
type ListResourceLimitsIn struct {
	api.Paging
	api.Scope
	InProject
	ID       *int64 `api:"id" doc:"Shows only the limit with this number. Limits have no numbers: it shows none."`
	Type     *int   `api:"resourcetype" doc:"Shows only limits of this type: 0 machines, 1 public addresses, 2 volumes, 3 snapshots, 4 templates and ISOs, 5 projects, 6 networks, 7 VPCs, 8 CPU cores, 9 memory in MB, 10 primary storage in GB, 11 secondary storage in GB."`
	TypeName string `api:"resourcetypename" doc:"Shows only limits of the type with this name: user_vm, public_ip, volume, snapshot, template, project, network, vpc, cpu, memory, primary_storage or secondary_storage."`
}

// UpdateResourceLimit sets a limit.
var UpdateResourceLimit = api.Call[UpdateResourceLimitIn, ResourceLimit]{
	Name: "updateResourceLimit", Noun: "Limit", Role: api.Admins, Object: "resourcelimit", Event: "RESOURCE.LIMIT.UPDATE",
	Doc: `Sets how much of one type an account, or the accounts of a domain together, may have. It holds at once. Who has more already keeps it
and gets no more. Nobody sets limits of the own account or domain but root admins.`,
}

// UpdateResourceLimitIn says whose limit to set, of what type.
type UpdateResourceLimitIn struct {
	Account   string      `api:"account" doc:"The name of the account; domainid says where it is. Without one: the domain's limit."`
	DomainID  uid.Domain  `api:"domainid" doc:"The ID of the domain that the account is in, or that has the limit. With an account, without it: the caller's."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project that has the limit."`
	Type      *int        `api:"resourcetype,required" doc:"The type: 0 machines, 1 public addresses, 2 volumes, 3 snapshots, 4 templates and ISOs, 5 projects, 6 networks, 7 VPCs, 8 CPU cores, 9 memory in MB, 10 primary storage in GB, 11 secondary storage in GB."`
	Max       *int64      `api:"max" doc:"How much; -1, as without it, sets no limit."`
}

// ResourceLimit is a limit.
type ResourceLimit struct {
	Owner
	Type     string `json:"resourcetype" doc:"The number of the type."`
	TypeName string `json:"resourcetypename" doc:"The name of the type."`
	Max      int64  `json:"max" doc:"How much; -1 for no limit."`
	Pending
}

// UpdateResourceCount counts anew.
var UpdateResourceCount = api.List[UpdateResourceCountIn, ResourceCount]{
	Name: "updateResourceCount", Noun: "Limit", Role: api.Admins, Object: "resourcecount",
	Doc: `Counts anew what an account, or a domain with all its accounts and those below it, has. Counts are kept with each change, so this
should never change any; it is for who doubts them.`,
}

// UpdateResourceCountIn says what to count.
type UpdateResourceCountIn struct {
	Account   string      `api:"account" doc:"The name of the account. Without one: all accounts of the domain and below it."`
	DomainID  uid.Domain  `api:"domainid,required" doc:"The ID of the domain, or of the account's."`
	ProjectID uid.Project `api:"projectid" doc:"The ID of the project."`
	Type      *int        `api:"resourcetype" doc:"Counts only this type: 0 machines, 1 public addresses, 2 volumes, 3 snapshots, 4 templates and ISOs, 5 projects, 6 networks, 7 VPCs, 8 CPU cores, 9 memory in MB, 10 primary storage in GB, 11 secondary storage in GB."`
}

// ResourceCount is how much there is.
type ResourceCount struct {
	Owner
	Type     string `json:"resourcetype" doc:"The number of the type."`
	TypeName string `json:"resourcetypename" doc:"The name of the type."`
	Count    int64  `json:"resourcecount" doc:"How much of it there is."`
	Pending
}
