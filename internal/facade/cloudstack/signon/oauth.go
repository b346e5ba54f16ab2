package signon

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/oidc"
	"github.com/virga-cloud/virga/internal/saml"
	"github.com/virga-cloud/virga/internal/secret"
)

// Translator translates for the services that know who vouches for users.
type Translator struct {
	OIDC *oidc.Service
	SAML *saml.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleCall(m, cs.RegisterOAuthProvider, t.registerProvider)
	api.HandleCall(m, cs.UpdateOAuthProvider, t.updateProvider)
	api.HandleCall(m, cs.DeleteOAuthProvider, t.deleteProvider)
	api.HandleList(m, cs.ListOAuthProvider, t.listProviders)
	api.HandleCall(m, cs.AuthorizeOAuthSSO, t.authorizeOAuth)
	api.HandleCall(m, cs.GetSPMetadata, t.spMetadata)
	api.HandleList(m, cs.ListIDPs, t.listIDPs)
	api.HandleCall(m, cs.AuthorizeSAMLSSO, t.authorizeSAML)
	api.HandleList(m, cs.ListSAMLAuthorization, t.listSAML)
}

// Doors are the commands by which somebody comes in, or goes.
func (t Translator) Doors() []front.Door {
	const cookie = "oauthlogin"
	always := func(front.Visit) bool { return true }
	return []front.Door{
		{Command: cs.StartOAuthLogin, Cookie: cookie, Page: true, Visit: t.startOAuth},
		{Command: cs.VerifyOAuthCode, Cookie: cookie, Tries: always, Visit: t.verifyOAuth},
		{Command: cs.OAuthLogin, Cookie: cookie, Page: true, Tries: always, Visit: t.loginOAuth},
		{Command: cs.SAMLSSO, Cookie: "samllogin", Visit: t.ssoSAML, Tries: func(v front.Visit) bool {
			return v.Params[samlResponse] != "" || v.Params[ticket] != ""
		}},
		{Command: cs.SAMLSLO, Visit: t.sloSAML, Tries: func(v front.Visit) bool {
			return v.Params[samlRequest] != "" || v.Params[samlResponse] == "" && !v.Session.IsEmpty()
		}},
		{Command: cs.ListAndSwitchSAMLAccount, Inside: true, Visit: t.switchSAML, Tries: func(v front.Visit) bool {
			return v.Params["userid"] != ""
		}},
	}
}

func (t Translator) registerProvider(ctx context.Context, in cs.RegisterOAuthProviderIn) (api.Success, error) {
	r := oidc.Registration{
		Name: in.Provider, Description: in.Description, ClientID: in.ClientID, Secret: secret.New(in.SecretKey), RedirectURI: in.RedirectURI,
	}
	for _, d := range in.Details {
		if d.Issuer != "" && r.Issuer != "" {
			return api.Success{}, fault.Invalidf("details name two issuers, %s and %s: a provider has one", r.Issuer, d.Issuer)
		}
		r.Issuer += d.Issuer
	}
	_, err := t.OIDC.Register(ctx, r)
	return api.Success{Success: err == nil}, err
}

func (t Translator) updateProvider(ctx context.Context, in cs.UpdateOAuthProviderIn) (cs.OAuthProvider, error) {
	p, err := t.OIDC.Update(ctx, in.ID, oidc.Registration{
		Description: in.Description, ClientID: in.ClientID, Secret: secret.New(in.SecretKey), RedirectURI: in.RedirectURI, Enabled: in.Enabled,
	})
	return providerOut(p), err
}

func (t Translator) deleteProvider(ctx context.Context, in cs.DeleteOAuthProviderIn) (api.Success, error) {
	err := t.OIDC.Delete(ctx, in.ID)
	return api.Success{Success: err == nil}, err
}

func (t Translator) listProviders(ctx context.Context, in cs.ListOAuthProviderIn) (api.Page[cs.OAuthProvider], error) {
	f := oidc.Filter{ID: in.ID, Name: in.Provider, Keyword: in.Keyword}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.OIDC.Providers(ctx, f)
	return look.Page(found, total, providerOut), err
}

func providerOut(p oidc.Provider) cs.OAuthProvider {
	return cs.OAuthProvider{
		ID: p.ID, Provider: p.Name, Name: p.Name, Description: p.Description, ClientID: p.ClientID, RedirectURI: p.RedirectURI,
		Issuer: p.Issuer, Enabled: p.Enabled,
	}
}

func (t Translator) authorizeOAuth(ctx context.Context, in cs.AuthorizeOAuthSSOIn) (api.Success, error) {
	err := t.OIDC.Authorize(ctx, in.UserID, in.Enable)
	return api.Success{Success: err == nil}, err
}

func (t Translator) startOAuth(ctx context.Context, v front.Visit) (none front.Outcome, _ error) {
	in, err := api.Decode(cs.StartOAuthLogin, v.Params, api.NoOne)
	if err != nil {
		return none, err
	}
	b, err := t.OIDC.Begin(ctx, in.Provider)
	if err != nil {
		return none, err
	}
	return front.Outcome{Answer: cs.OAuthStart{URL: b.URL, State: b.State}, Cookie: &b.Cookie}, nil
}

func (t Translator) verifyOAuth(ctx context.Context, v front.Visit) (none front.Outcome, _ error) {
	in, err := api.Decode(cs.VerifyOAuthCode, v.Params, api.NoOne)
	if err != nil {
		return none, err
	}
	email, err := t.OIDC.Email(ctx, oidc.Return{Provider: in.Provider, Code: secret.New(in.SecretCode), State: in.State, Cookie: v.Cookie})
	if err != nil {
		return none, err
	}
	return front.Outcome{Answer: cs.OAuthEmail{Email: email}}, nil
}

func (t Translator) loginOAuth(ctx context.Context, v front.Visit) (none front.Outcome, _ error) {
	in, err := api.Decode(cs.OAuthLogin, v.Params, api.NoOne)
	if err != nil {
		return none, err
	}
	entry, err := t.OIDC.Entry(ctx, oidc.Login{
		Return: oidc.Return{Provider: in.Provider, Code: secret.New(in.SecretCode), State: in.State, Cookie: v.Cookie},
		Email:  in.Email, Domain: in.Domain, DomainID: in.DomainID,
	})
	if err != nil {
		return none, err
	}
	return front.Outcome{Enter: &entry, Cookie: new(secret.String)}, nil
}
