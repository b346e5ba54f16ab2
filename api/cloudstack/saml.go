package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// SAMLSSO signs in by an identity provider.
var SAMLSSO = api.Call[SAMLSSOIn, LoginOut]{
	Name: "samlSso", Noun: "Single sign-on", Role: api.Everyone, Event: "USER.LOGIN", Session: true,
	Doc: "Signs in by a SAML identity provider. It is for browsers: the answer sends the browser to the provider, which sends it back here " +
		"with a SAMLResponse; then a session begins as with login, its cookies are set, and the browser is sent to saml2.redirect.url.",
}

// SAMLSSOIn names the provider.
type SAMLSSOIn struct {
	IDP    string `api:"idpid,max=1024" doc:"The entity ID of the provider: see listIdps. Without it that of saml2.default.idpid."`
	Domain string `api:"domain,max=4096" doc:"The path of the user's domain, from ROOT. Without it the user of that name who was authorized first. Virga's own."`
}

// SAMLSLO signs out.
var SAMLSLO = api.Call[api.None, LogoutOut]{
	Name: "samlSlo", Noun: "Single sign-on", Role: api.Everyone, Event: "USER.LOGOUT", Session: true,
	Doc: "Ends the session, here and at the SAML identity provider. It is for browsers: the answer sends the browser to the provider, or to " +
		"saml2.redirect.url. Providers send their own logout requests here, by POST.",
}

// GetSPMetadata shows what identity providers have to know.
var GetSPMetadata = api.Call[api.None, SPMetadata]{
	Name: "getSPMetadata", Noun: "Single sign-on", Role: api.Everyone, Object: "spmetadata", Open: true,
	Doc: "Shows what SAML identity providers have to know of this cloud.",
}

// SPMetadata is what identity providers have to know.
type SPMetadata struct {
	Metadata string `json:"metadata" doc:"An XML document, of SAML's metadata."`
	Pending
}

// ListIDPs shows identity providers.
var ListIDPs = api.List[api.None, IDP]{
	Name: "listIdps", Noun: "Single sign-on", Role: api.Everyone, Object: "idp", Open: true,
	Doc: "Lists the SAML identity providers by which users sign in.",
}

// IDP is an identity provider.
type IDP struct {
	ID      string `json:"id" doc:"The entity ID of the provider."`
	OrgName string `json:"orgName" doc:"The name of the organization."`
	OrgURL  string `json:"orgUrl" doc:"The URL of the organization."`
	Pending
}

// AuthorizeSAMLSSO says who comes in by identity providers.
var AuthorizeSAMLSSO = api.Call[AuthorizeSAMLSSOIn, api.Success]{
	Name: "authorizeSamlSso", Noun: "Single sign-on", Role: api.Admins, Event: "USER.UPDATE",
	Doc: "Lets a user come in by a SAML identity provider, and by its password no more; or not any more by it either. It ends the user's sessions.",
}

// AuthorizeSAMLSSOIn names user and provider.
type AuthorizeSAMLSSOIn struct {
	UserID   uid.User `api:"userid,required" doc:"The ID of the user, but not the own one."`
	Enable   bool     `api:"enable,required" doc:"Whether the user comes in by the provider."`
	EntityID string   `api:"entityid,max=1024" doc:"The entity ID of the provider: see listIdps. Without it that of saml2.default.idpid."`
}

// ListSAMLAuthorization shows who comes in by identity providers.
var ListSAMLAuthorization = api.List[ListSAMLAuthorizationIn, SAMLAuthorization]{
	Name: "listSamlAuthorization", Noun: "Single sign-on", Role: api.Admins, Object: "samlauthorization",
	Doc: "Lists the users in the caller's reach who come in by a SAML identity provider, or did.",
}

// ListSAMLAuthorizationIn chooses users.
type ListSAMLAuthorizationIn struct {
	api.Paging
	UserID uid.User `api:"userid" doc:"Shows only this user."`
}

// SAMLAuthorization is whether a user comes in by an identity provider.
type SAMLAuthorization struct {
	UserID uid.User `json:"userid" doc:"The ID of the user."`
	IDP    string   `json:"idpid" doc:"The entity ID of the provider."`
	Status bool     `json:"status" doc:"Whether the user comes in by it."`
	Pending
}

// ListAndSwitchSAMLAccount goes on as another user of the same person.
var ListAndSwitchSAMLAccount = api.Call[ListAndSwitchSAMLAccountIn, SAMLAccounts]{
	Name: "listAndSwitchSamlAccount", Noun: "Single sign-on", Role: api.Everyone, Event: "USER.LOGIN", Session: true,
	Doc: "Lists the users of that name, of all domains, who come in by the same SAML identity provider; with userid and domainid it ends the " +
		"session and begins one as that user.",
}

// ListAndSwitchSAMLAccountIn names the user to be.
type ListAndSwitchSAMLAccountIn struct {
	UserID   uid.User   `api:"userid" doc:"The ID of the user to go on as."`
	DomainID uid.Domain `api:"domainid" doc:"The ID of its domain. Goes together with userid."`
}

// SAMLAccounts are the users that one person is.
type SAMLAccounts struct {
	Accounts    []SAMLAccount `json:"samluseraccount,omitempty" doc:"The users."`
	Success     bool          `json:"success" doc:"Whether the command succeeded."`
	DisplayText string        `json:"displaytext,omitempty" doc:"Absent: success says it."`
	Pending
}

// SAMLAccount is one of them.
type SAMLAccount struct {
	UserID      uid.User   `json:"userId" doc:"The ID of the user."`
	UserName    string     `json:"userName" doc:"The name of the user."`
	DomainID    uid.Domain `json:"domainId" doc:"The ID of the user's domain."`
	DomainName  string     `json:"domainName" doc:"The name of the domain."`
	DomainPath  string     `json:"domainPath" doc:"The path of the domain."`
	AccountName string     `json:"accountName" doc:"The name of the user's account."`
	IDP         string     `json:"idpId" doc:"The entity ID of the provider."`
}
