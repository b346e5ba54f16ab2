package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerJobs(m *api.Mux) {
	api.HandleCall(m, cs.QueryAsyncJobResult, f.queryJob)
	api.HandleList(m, cs.ListAsyncJobs, f.listJobs)
	api.HandleCall(m, cs.CancelAsyncJob, f.cancelJob)
}

func (f *Facade) queryJob(ctx context.Context, in cs.QueryAsyncJobResultIn) (cs.AsyncJob, error) {
	caller := auth.From(ctx)
	r, err := op.Find(ctx, f.DB.Read(), caller.Reach(), in.JobID)
	if err != nil {
		return cs.AsyncJob{}, err
	}
	names, err := f.Owned.AccountNames(ctx, 1, func(int) uid.Account { return r.AccountID })
	if err != nil {
		return cs.AsyncJob{}, err
	}
	job := jobOut(r, names[r.AccountID], caller)
	if r.State == op.Done {
		job.ResultType = resultType
		job.Result, err = f.outcome(ctx, r, caller)
	}
	return job, err
}

// outcome shows what a job that is done was about, as it is now. When it is gone by now, or was never to be seen, all that is
// left to say is that the job succeeded.
func (f *Facade) outcome(ctx context.Context, r op.Record, caller auth.Caller) (api.Result, error) {
	if e, ok := f.mux.Find(r.Command); !ok || e.Kind != api.KindJob {
		return api.Succeeded(""), nil
	}
	result, err := f.mux.JobResult(ctx, r.Command, r.SubjectID, front.RoleOf(caller))
	if fault.Is(err, fault.NotFound) {
		return api.Succeeded("what the job was about is no longer there"), nil
	}
	return result, err
}

func (f *Facade) listJobs(ctx context.Context, in cs.ListAsyncJobsIn) (api.Page[cs.AsyncJob], error) {
	scope, err := f.Owned.Scope(ctx, in.Scope, in.ResourceID != "")
	if err != nil {
		return api.Page[cs.AsyncJob]{}, err
	}
	filter := op.Filter{
		Scope: scope, Since: in.StartDate, Subject: in.ResourceID, Kind: in.ResourceType, Keyword: in.Keyword, OnlyOpen: true,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	records, total, err := op.List(ctx, f.DB.Read(), filter)
	if err != nil {
		return api.Page[cs.AsyncJob]{}, err
	}
	names, err := f.Owned.AccountNames(ctx, len(records), func(i int) uid.Account { return records[i].AccountID })
	caller := auth.From(ctx)
	return look.Page(records, total, func(r op.Record) cs.AsyncJob { return jobOut(r, names[r.AccountID], caller) }), err
}

func (f *Facade) cancelJob(ctx context.Context, in cs.CancelAsyncJobIn) (api.Success, error) {
	err := f.Engine.Cancel(ctx, auth.From(ctx).Reach(), in.JobID)
	return api.Success{Success: err == nil}, err
}

// resultType is the jobresulttype of every job that has an outcome.
const resultType = "object"

// jobOut shows a job, but for what a job that is done was about.
func jobOut(r op.Record, owner account.Name, caller auth.Caller) cs.AsyncJob {
	out := cs.AsyncJob{
		AccountID: r.AccountID, Account: owner.Account, DomainID: r.DomainID, DomainPath: owner.DomainPath, UserID: r.UserID,
		Cmd: r.Command, Status: jobStatus(r.State), ProcStatus: r.Step, InstanceType: r.SubjectKind, InstanceID: r.SubjectID,
		Created: api.At(r.Created), Step: r.StepName, State: string(r.State), JobID: r.ID,
	}
	if !r.Open() {
		out.Completed = api.At(r.Finished)
	}
	if out.Status == cs.JobFailed {
		err := r.Err()
		if err == nil {
			err = fault.New(fault.Internal, "the job failed without a reason")
		}
		code, text := front.Failure(err, caller.IsRoot(), "job "+string(r.ID))
		out.ResultCode, out.ResultType, out.Result = code, resultType, api.Failed(code, text)
	}
	return out
}

// jobStatus is what clients look at in order to know whether to go on waiting. A stuck job has ended for them: it goes on only
// after an operator has seen to it, which may be never. (Its jobstate says what it is.)
func jobStatus(s op.State) int {
	switch s {
	case op.Done:
		return cs.JobSucceeded
	case op.Failed, op.Stuck:
		return cs.JobFailed
	default:
		return cs.JobPending
	}
}
