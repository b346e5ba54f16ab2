package wire

import (
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/uid"
)

// Owner shows whose a thing is. What belongs to a project belongs to no account that anybody could name.
func Owner(id uid.Account, name account.Name) cs.Owner {
	out := cs.Owner{Account: name.Account, DomainID: name.Domain, Domain: name.DomainName, DomainPath: name.DomainPath}
	if project, is := name.ProjectOf(id); is {
		out.Account, out.ProjectID, out.Project = "", project, name.Account
	}
	return out
}
