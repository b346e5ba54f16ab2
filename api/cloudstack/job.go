package cloudstack

import (
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// QueryAsyncJobResult shows how a job is doing.
var QueryAsyncJobResult = api.Call[QueryAsyncJobResultIn, AsyncJob]{
	Name: "queryAsyncJobResult", Noun: "Job", Role: api.Everyone,
	Doc: "Shows a job: whether it is done, and its outcome.",
}

// QueryAsyncJobResultIn names the job.
type QueryAsyncJobResultIn struct {
	JobID uid.Op `api:"jobid,required" doc:"The ID of the job."`
}

// ListAsyncJobs shows jobs.
var ListAsyncJobs = api.List[ListAsyncJobsIn, AsyncJob]{
	Name: "listAsyncJobs", Noun: "Job", Role: api.Everyone, Object: "asyncjobs",
	Doc: "Lists jobs that are at work.",
}

// ListAsyncJobsIn chooses jobs.
type ListAsyncJobsIn struct {
	api.Paging
	api.Scope
	StartDate    time.Time `api:"startdate" doc:"Shows only jobs started on this date or later."`
	ResourceID   string    `api:"resourceid" doc:"Shows only jobs about the thing with this ID."`
	ResourceType string    `api:"resourcetype" doc:"Shows only jobs about things of this kind, VirtualMachine for instance."`
}

// CancelAsyncJob makes a job turn back. It is Virga's own.
var CancelAsyncJob = api.Call[CancelAsyncJobIn, api.Success]{
	Name: "cancelAsyncJob", Noun: "Job", Role: api.Everyone,
	Doc: "Cancels a job: what it has done so far is undone, step by step. On a stuck job it tries the undo that failed again.",
}

// CancelAsyncJobIn names the job.
type CancelAsyncJobIn struct {
	JobID uid.Op `api:"jobid,required" doc:"The ID of the job."`
}

// The values of AsyncJob.Status.
const (
	JobPending = iota
	JobSucceeded
	JobFailed
)

// AsyncJob is a job. Its id stands last, where CloudStack has it.
type AsyncJob struct {
	AccountID    uid.Account `json:"accountid,omitempty" doc:"The ID of the account that started the job."`
	Account      string      `json:"account,omitempty" doc:"The name of that account."`
	DomainID     uid.Domain  `json:"domainid,omitempty" doc:"The ID of that account's domain."`
	DomainPath   string      `json:"domainpath,omitempty" doc:"The path of that domain, from ROOT."`
	UserID       uid.User    `json:"userid,omitempty" doc:"The ID of the user who started the job."`
	Cmd          string      `json:"cmd" doc:"The command that started the job."`
	Status       int         `json:"jobstatus" doc:"0 while the job is at work, 1 when it succeeded, 2 when it failed."`
	ProcStatus   int         `json:"jobprocstatus" doc:"How many steps are done."`
	ResultCode   int         `json:"jobresultcode" doc:"0, or the code of the error that the job failed with."`
	ResultType   string      `json:"jobresulttype,omitempty" doc:"The word object once there is a result."`
	Result       api.Result  `json:"jobresult,omitzero" doc:"The outcome: the thing in its present state, success, or an error."`
	InstanceType string      `json:"jobinstancetype,omitempty" doc:"The kind of the thing the job is about."`
	InstanceID   string      `json:"jobinstanceid,omitempty" doc:"The ID of the thing the job is about."`
	Created      api.Time    `json:"created,omitzero" doc:"When the job was started."`
	Completed    api.Time    `json:"completed,omitzero" doc:"When the job was done."`
	Step         string      `json:"jobstep,omitempty" doc:"The name of the present step. Virga's own."`
	State        string      `json:"jobstate,omitempty" doc:"running, undoing, stuck, done or failed. Virga's own."`
	JobID        uid.Op      `json:"jobid" doc:"The ID of the job."`
}
