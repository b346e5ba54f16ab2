package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerAPILimits(m *api.Mux) {
	api.HandleCall(m, cs.GetAPILimit, f.getAPILimit)
	api.HandleCall(m, cs.ResetAPILimit, f.resetAPILimit)
}

func (f *Facade) getAPILimit(ctx context.Context, _ api.None) (cs.APILimit, error) {
	if !f.Limits.On() {
		return cs.APILimit{}, front.UnknownCommand(cs.GetAPILimit.Name)
	}
	caller := auth.From(ctx)
	names, err := account.Names(ctx, f.DB.Read(), []uid.Account{caller.Account})
	if err != nil {
		return cs.APILimit{}, err
	}
	status, err := f.Limits.Of(ctx, caller)
	return cs.APILimit{
		AccountID: caller.Account, Account: names[caller.Account].Account, Issued: int(status.Issued),
		Allowed: int(status.Allowed), ExpireAfter: status.Left.Milliseconds(),
	}, err
}

func (f *Facade) resetAPILimit(ctx context.Context, in cs.ResetAPILimitIn) (api.Success, error) {
	if !f.Limits.On() {
		return api.Success{}, front.UnknownCommand(cs.ResetAPILimit.Name)
	}
	err := f.Limits.Reset(ctx, in.Account)
	return api.Success{Success: err == nil}, err
}
