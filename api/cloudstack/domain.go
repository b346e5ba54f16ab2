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
	State         string     `json:"state" doc:"Active or Inactive."`
	Created       api.Time   `json:"created,omitzero" doc:"When the domain was made."`
	Pending
}
