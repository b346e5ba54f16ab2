package signon

import (
	"context"
	"net/url"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/front"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/outside/idp"
	"github.com/virga-cloud/virga/internal/saml"
	"github.com/virga-cloud/virga/internal/secret"
)

// The parameters with which a browser comes back.
const (
	samlResponse = "SAMLResponse"
	samlRequest  = "SAMLRequest"
	ticket       = "ticket"
)

// ssoSAML sends a browser to a provider; takes what it brings back, which any site can have it bring, and sends it on to this command
// once more, now by the cloud's own word, so that the cookie comes along that it was sent away with; and lets it in.
func (t Translator) ssoSAML(ctx context.Context, v front.Visit) (none front.Outcome, _ error) {
	switch {
	case v.Params[samlResponse] != "" && v.Post:
		ticketed, err := t.SAML.Receive(ctx, v.Params[samlResponse])
		if err != nil {
			return none, err
		}
		return front.Outcome{Redirect: "/client/api?" + url.Values{"command": {cs.SAMLSSO.Name}, ticket: {ticketed.Reveal()}}.Encode()}, nil
	case v.Params[samlResponse] != "":
		return none, fault.Invalidf("a SAMLResponse comes by POST only")
	case v.Params[ticket] != "":
		entry, err := t.SAML.Entry(ctx, v.Params[ticket], v.Cookie)
		if err != nil {
			return none, err
		}
		return front.Outcome{Enter: &entry, Redirect: t.SAML.Home(), Cookie: new(secret.String)}, nil
	}
	in, err := api.Decode(cs.SAMLSSO, v.Params, api.NoOne)
	if err != nil {
		return none, err
	}
	page, cookie, err := t.SAML.Begin(ctx, in.IDP, in.Domain)
	if err != nil {
		return none, err
	}
	return front.Outcome{Redirect: page, Cookie: &cookie}, nil
}

func (t Translator) sloSAML(ctx context.Context, v front.Visit) (none front.Outcome, err error) {
	switch {
	case v.Params[samlResponse] != "": // the provider says that it has done so; the session here has ended before
		return front.Outcome{Redirect: t.SAML.Home()}, nil
	case v.Params[samlRequest] != "" && !v.Post:
		return none, fault.Invalidf("a SAMLRequest comes by POST only")
	case v.Params[samlRequest] != "":
		page, err := t.SAML.SignOut(ctx, v.Params[samlRequest])
		return front.Outcome{Redirect: page}, err
	}
	page, err := t.SAML.Leave(ctx, v.Session)
	return front.Outcome{Redirect: page, Leave: true}, err
}

func (t Translator) spMetadata(ctx context.Context, _ api.None) (cs.SPMetadata, error) {
	text, err := t.SAML.Metadata(ctx)
	return cs.SPMetadata{Metadata: text}, err
}

func (t Translator) listIDPs(ctx context.Context, _ api.None) (api.Page[cs.IDP], error) {
	list, err := t.SAML.IDPs(ctx)
	return look.Page(list, len(list), func(p idp.Provider) cs.IDP { return cs.IDP{ID: p.ID, OrgName: p.OrgName, OrgURL: p.OrgURL} }), err
}

func (t Translator) authorizeSAML(ctx context.Context, in cs.AuthorizeSAMLSSOIn) (api.Success, error) {
	err := t.SAML.Authorize(ctx, in.UserID, in.Enable, in.EntityID)
	return api.Success{Success: err == nil}, err
}

func (t Translator) listSAML(ctx context.Context, in cs.ListSAMLAuthorizationIn) (api.Page[cs.SAMLAuthorization], error) {
	f := saml.Filter{User: in.UserID, Keyword: in.Keyword}
	f.Offset, f.Limit = look.Window(in.Paging)
	list, total, err := t.SAML.Authorizations(ctx, f)
	return look.Page(list, total, func(a saml.Authorization) cs.SAMLAuthorization {
		return cs.SAMLAuthorization{UserID: a.UserID, IDP: a.IDP, Status: a.Source == auth.SAML2}
	}), err
}

func (t Translator) switchSAML(ctx context.Context, v front.Visit) (none front.Outcome, _ error) {
	in, err := api.Decode(cs.ListAndSwitchSAMLAccount, v.Params, api.NoOne)
	switch {
	case err != nil:
		return none, err
	case (in.UserID == "") != (in.DomainID == ""):
		return none, fault.Invalidf("userid and domainid go together")
	case in.UserID != "":
		entry, err := t.SAML.Switch(ctx, in.UserID, in.DomainID)
		if err != nil {
			return none, err
		}
		return front.Outcome{Enter: &entry, Answer: cs.SAMLAccounts{Success: true}}, nil
	}
	persons, err := t.SAML.Persons(ctx)
	if err != nil {
		return none, err
	}
	out := cs.SAMLAccounts{Success: true}
	for _, p := range persons {
		out.Accounts = append(out.Accounts, cs.SAMLAccount{
			UserID: p.User, UserName: p.Username, DomainID: p.Domain, DomainName: p.DomainName, DomainPath: p.DomainPath,
			AccountName: p.Account, IDP: p.IDP,
		})
	}
	return front.Outcome{Answer: out}, nil
}
