package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// Owner is whose a thing is.
type Owner struct {
	Account    string     `json:"account,omitempty" doc:"The name of the account that owns it."`
	DomainID   uid.Domain `json:"domainid,omitempty" doc:"The ID of the owner's domain."`
	Domain     string     `json:"domain,omitempty" doc:"The name of the owner's domain."`
	DomainPath string     `json:"domainpath,omitempty" doc:"The path of the owner's domain, from ROOT."`

	ProjectID uid.Project `json:"projectid,omitempty" doc:"The ID of the project that owns it, where one does."`
	Project   string      `json:"project,omitempty" doc:"The name of that project."`
}

// Pending is the job that is at work on a thing, where there is one.
type Pending struct {
	JobID     uid.Op `json:"jobid,omitempty" doc:"The ID of the latest job at work on it; absent when there is none."`
	JobStatus *int   `json:"jobstatus,omitempty" doc:"The status of that job: 0 pending, 1 succeeded, 2 failed."`
}

// Infrastructure is who may see hosts and what they stand in.
const Infrastructure = api.RootAdmin | api.ResourceAdmin
