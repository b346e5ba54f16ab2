package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListDomains shows domains.
var ListDomains = api.List[ListDomainsIn, Domain]{
	Name: "listDomains", Noun: "Domain", Role: api.Admins, Object: "domain",
	Doc: "Lists domains.",
}

// ListDomainsIn chooses domains.
type ListDomainsIn struct {
	api.Paging
	ID      uid.Domain `api:"id" doc:"Shows only the domain with this ID."`
	Name    string     `api:"name" doc:"Shows only domains of this name."`
	Level   *int       `api:"level" doc:"Shows only domains at this depth; ROOT is 0."`
	ListAll bool       `api:"listall" doc:"Shows every domain the caller may see, not only the caller's own."`
	Details []string   `api:"details" doc:"How much to show of each domain: min leaves out what its accounts use; all and resource show it, as nothing does."`
}

// ListDomainChildren shows the domains below one.
var ListDomainChildren = api.List[ListDomainChildrenIn, Domain]{
	Name: "listDomainChildren", Noun: "Domain", Role: api.Admins, Object: "domain",
	Doc: "Lists the domains below one.",
}

// ListDomainChildrenIn chooses domains.
type ListDomainChildrenIn struct {
	api.Paging
	ID        uid.Domain `api:"id" doc:"The ID of the domain whose children to show. Without it the caller's."`
	Name      string     `api:"name" doc:"Shows only domains of this name."`
	Recursive bool       `api:"isrecursive" doc:"Shows all domains below, not only those right below."`
	ListAll   bool       `api:"listall" doc:"As isrecursive, where no id is given."`
}

// CreateDomain makes a domain.
var CreateDomain = api.Call[CreateDomainIn, Domain]{
	Name: "createDomain", Noun: "Domain", Role: api.RootOnly, Object: "domain", Event: "DOMAIN.CREATE", Creates: true,
	Doc: "Makes a domain.",
}

// CreateDomainIn says what domain to make.
type CreateDomainIn struct {
	api.Once
	Name          string     `api:"name,required" doc:"The name, without slashes, unique in the domain above."`
	ParentID      uid.Domain `api:"parentdomainid" doc:"The ID of the domain above. Without it the caller's."`
	NetworkDomain string     `api:"networkdomain" doc:"The DNS domain of networks in it. Without it that of the domain above."`
	DomainID      uid.Domain `api:"domainid" doc:"The ID to give the domain, where another system has chosen it."`
}

// UpdateDomain changes a domain.
var UpdateDomain = api.Call[UpdateDomainIn, Domain]{
	Name: "updateDomain", Noun: "Domain", Role: api.RootOnly, Object: "domain", Event: "DOMAIN.UPDATE",
	Doc: "Changes a domain. With its name, the paths of all domains below change.",
}

// UpdateDomainIn names the domain, and what to change.
type UpdateDomainIn struct {
	ID            uid.Domain `api:"id,required" doc:"The ID of the domain."`
	Name          string     `api:"name" doc:"Its new name."`
	NetworkDomain *string    `api:"networkdomain" doc:"The DNS domain of networks that are made in it from now on; empty for that of the domain above."`
}

// DeleteDomain removes a domain.
var DeleteDomain = api.Job[DeleteDomainIn, api.Success]{
	Name: "deleteDomain", Noun: "Domain", Role: api.RootOnly, Event: "DOMAIN.DELETE",
	Doc: "Removes a domain: one that is empty, or with cleanup also one with domains below it and accounts, which are removed with all that they own. " +
		"What can't be removed, the job's error names; the domain stays inactive then, and it is tried again from time to time.",
}

// DeleteDomainIn names the domain.
type DeleteDomainIn struct {
	ID      uid.Domain `api:"id,required" doc:"The ID of the domain."`
	Cleanup bool       `api:"cleanup" doc:"Whether to remove what is in it."`
}

// Domain is a domain.
type Domain struct {
	ID            uid.Domain `json:"id" doc:"The ID of the domain."`
	Name          string     `json:"name" doc:"The name of the domain."`
	Level         int        `json:"level" doc:"The depth of the domain; ROOT is 0."`
	ParentID      uid.Domain `json:"parentdomainid,omitempty" doc:"The ID of the domain above; ROOT has none."`
	ParentName    string     `json:"parentdomainname,omitempty" doc:"The name of the domain above."`
	HasChild      bool       `json:"haschild" doc:"Whether there are domains below."`
	NetworkDomain string     `json:"networkdomain,omitempty" doc:"The DNS domain of the domain's networks."`
	Path          string     `json:"path" doc:"The names of the domains from ROOT to this one, with slashes between them."`
	State         string     `json:"state" doc:"Active; or Inactive while it is being deleted."`
	Created       api.Time   `json:"created,omitzero" doc:"When the domain was made."`
	Resources
	Pending
}
