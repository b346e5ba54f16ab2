package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

func (f *Facade) registerTwoFactor(m *api.Mux) {
	api.HandleCall(m, cs.SetUpTwoFactor, f.setUpTwoFactor)
	api.HandleCall(m, cs.ValidateTwoFactor, f.validateTwoFactor)
	api.HandleList(m, cs.ListTwoFactorProviders, f.listTwoFactorProviders)
}

func (f *Facade) setUpTwoFactor(ctx context.Context, in cs.SetUpTwoFactorIn) (cs.TwoFactorSetup, error) {
	var u account.User
	var key secret.String
	var err error
	switch off := in.Enable != nil && !*in.Enable; {
	case off:
		u, err = f.Accounts.DropFactor(ctx, in.UserID, secret.New(in.Code))
	case in.Code != "":
		err = fault.Invalidf("codefor2fa goes together with enable=false; validateUserTwoFactorAuthenticationCode takes the first code")
	default:
		u, key, err = f.Accounts.SetUpFactor(ctx, in.UserID, in.Provider)
	}
	return cs.TwoFactorSetup{ID: u.ID, Username: u.Username, AccountID: u.Account, SecretCode: key.Reveal()}, err
}

func (f *Facade) validateTwoFactor(ctx context.Context, in cs.ValidateTwoFactorIn) (api.Success, error) {
	err := front.Unproved(f.Accounts.GiveFactor(ctx, secret.New(in.Code)))
	return api.Success{Success: err == nil}, err
}

func (f *Facade) listTwoFactorProviders(_ context.Context, in cs.ListTwoFactorProvidersIn) (out api.Page[cs.TwoFactorProvider], _ error) {
	for _, name := range account.FactorProviders() {
		if in.Name == "" || in.Name == name {
			out.Items = append(out.Items, cs.TwoFactorProvider{Name: name, Description: "Codes of an authenticator app that change every 30 seconds"})
		}
	}
	out.Count = len(out.Items)
	return out, nil
}
