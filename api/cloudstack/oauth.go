package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// RegisterOAuthProvider makes a provider known.
var RegisterOAuthProvider = api.Call[RegisterOAuthProviderIn, api.Success]{
	Name: "registerOauthProvider", Noun: "Single sign-on", Role: api.RootOnly, Event: "OAUTH.PROVIDER.REGISTER", Since: "4.19.0",
	Doc: "Makes a provider known that vouches for users: google, github, or any OpenID Connect provider by its issuer URL.",
}

// RegisterOAuthProviderIn describes the provider.
type RegisterOAuthProviderIn struct {
	Provider    string                 `api:"provider,required,max=32" doc:"What the provider is called: google and github are known by these names, any other name goes together with an issuer."`
	Description string                 `api:"description,required" doc:"What sign-in pages say about it."`
	ClientID    string                 `api:"clientid,required" doc:"The ID by which the provider knows this cloud."`
	SecretKey   string                 `api:"secretkey,required,max=1024,secret" doc:"The secret by which it knows this cloud. It is kept encrypted and never shown."`
	RedirectURI string                 `api:"redirecturi,required,max=1024" doc:"The URL of the page to which the provider sends browsers back."`
	Details     []OAuthProviderDetails `api:"details,map" doc:"More about the provider: details[0].issuer."`
}

// OAuthProviderDetails is more about a provider.
type OAuthProviderDetails struct {
	Issuer string `api:"issuer,max=1024" doc:"The issuer URL of an OpenID Connect provider, under which it tells about itself; for github the URL of a GitHub Enterprise site."`
}

// UpdateOAuthProvider changes a provider.
var UpdateOAuthProvider = api.Call[UpdateOAuthProviderIn, OAuthProvider]{
	Name: "updateOauthProvider", Noun: "Single sign-on", Role: api.RootOnly, Object: "oauthprovider", Event: "OAUTH.PROVIDER.UPDATE", Since: "4.19.0",
	Doc: "Changes a provider. What is not named stays.",
}

// UpdateOAuthProviderIn says what to change.
type UpdateOAuthProviderIn struct {
	ID          uid.OAuthProvider `api:"id,required" doc:"The ID of the provider."`
	Description string            `api:"description" doc:"What sign-in pages say about it."`
	ClientID    string            `api:"clientid" doc:"The ID by which the provider knows this cloud."`
	SecretKey   string            `api:"secretkey,max=1024,secret" doc:"The secret by which it knows this cloud."`
	RedirectURI string            `api:"redirecturi,max=1024" doc:"The URL of the page to which the provider sends browsers back."`
	Enabled     *bool             `api:"enabled" doc:"Whether users come in by it."`
}

// DeleteOAuthProvider forgets a provider.
var DeleteOAuthProvider = api.Call[DeleteOAuthProviderIn, api.Success]{
	Name: "deleteOauthProvider", Noun: "Single sign-on", Role: api.RootOnly, Event: "OAUTH.PROVIDER.DELETE", Since: "4.19.0",
	Doc: "Forgets a provider. The users who came by it stay, and so do their sessions until they end.",
}

// DeleteOAuthProviderIn names the provider.
type DeleteOAuthProviderIn struct {
	ID uid.OAuthProvider `api:"id,required" doc:"The ID of the provider."`
}

// ListOAuthProvider shows providers.
var ListOAuthProvider = api.List[ListOAuthProviderIn, OAuthProvider]{
	Name: "listOauthProvider", Noun: "Single sign-on", Role: api.Everyone, Object: "oauthprovider", Since: "4.19.0", Open: true,
	Doc: "Lists providers: to root admins all, to anybody else those by which one can sign in now.",
}

// ListOAuthProviderIn chooses providers.
type ListOAuthProviderIn struct {
	api.Paging
	ID       uid.OAuthProvider `api:"id" doc:"Shows only the provider with this ID."`
	Provider string            `api:"provider" doc:"Shows only the provider called so."`
}

// OAuthProvider is who vouches for users.
type OAuthProvider struct {
	ID          uid.OAuthProvider `json:"id" doc:"The ID of the provider."`
	Provider    string            `json:"provider" doc:"What it is called."`
	Name        string            `json:"name" doc:"What it is called."`
	Description string            `json:"description" doc:"What sign-in pages say about it."`
	ClientID    string            `json:"clientid" doc:"The ID by which the provider knows this cloud. It is no secret: browsers show it."`
	SecretKey   string            `json:"secretkey,omitempty" doc:"Absent: the secret is never shown."`
	RedirectURI string            `json:"redirecturi" doc:"The URL of the page to which the provider sends browsers back."`
	Issuer      string            `json:"issuer" doc:"The URL that the provider goes by. Virga's own."`
	Enabled     bool              `json:"enabled" doc:"Whether users come in by it."`
	Pending
}

// AuthorizeOAuthSSO says who comes in by providers.
var AuthorizeOAuthSSO = api.Call[AuthorizeOAuthSSOIn, api.Success]{
	Name: "authorizeOauthSso", Noun: "Single sign-on", Role: api.Admins, Event: "USER.UPDATE",
	Doc: "Lets a user come in by OAuth providers, and by its password no more; or by its password again. It ends the user's sessions. " +
		"Virga's own: in CloudStack anybody comes in whose e-mail address is a user's.",
}

// AuthorizeOAuthSSOIn names the user.
type AuthorizeOAuthSSOIn struct {
	UserID uid.User `api:"userid,required" doc:"The ID of the user, but not the own one."`
	Enable bool     `api:"enable,required" doc:"Whether the user comes in by OAuth providers."`
}

// StartOAuthLogin begins a way in by a provider.
var StartOAuthLogin = api.Call[StartOAuthLoginIn, OAuthStart]{
	Name: "startOauthLogin", Noun: "Single sign-on", Role: api.Everyone, Object: "oauthlogin", Session: true,
	Doc: "Begins to sign in by a provider: send the browser to the URL of the answer within ten minutes. By POST only, from pages of the same site. Virga's own.",
}

// StartOAuthLoginIn names the provider.
type StartOAuthLoginIn struct {
	Provider string `api:"provider,required,max=32" doc:"What the provider is called."`
}

// OAuthStart is where a browser goes.
type OAuthStart struct {
	URL   string `json:"url" doc:"The page of the provider on which the user signs in. It sends the browser back to redirecturi, with the parameters code and state."`
	State string `json:"state" doc:"What state has to be then."`
}

// VerifyOAuthCode tells who has signed in at a provider.
var VerifyOAuthCode = api.Call[VerifyOAuthCodeIn, OAuthEmail]{
	Name: "verifyOAuthCodeAndGetUser", Noun: "Single sign-on", Role: api.Everyone, Object: "oauthemail", Since: "4.19.0", Session: true,
	Doc: "Tells the e-mail address of who has signed in at a provider, as the provider has verified it. oauthlogin takes the same code afterwards.",
}

// VerifyOAuthCodeIn is with what the browser came back.
type VerifyOAuthCodeIn struct {
	Provider   string `api:"provider,required,max=32" doc:"What the provider is called."`
	SecretCode string `api:"secretcode,max=4096,secret" doc:"The code with which the browser came back. It can't do without."`
	State      string `api:"state,max=128" doc:"The state with which it came back. It can't do without. Virga's own."`
}

// OAuthEmail is who has signed in at a provider.
type OAuthEmail struct {
	Email string `json:"email" doc:"The e-mail address."`
}

// OAuthLogin opens a session.
var OAuthLogin = api.Call[OAuthLoginIn, LoginOut]{
	Name: "oauthlogin", Noun: "Single sign-on", Role: api.Everyone, Event: "USER.LOGIN", Since: "4.19.0", Session: true,
	Doc: "Begins a session for who has signed in at a provider, as login does. By POST only, from pages of the same site.",
}

// OAuthLoginIn is who came back, and as which user. Without a domain the user must be the only one of that address.
type OAuthLoginIn struct {
	Provider   string     `api:"provider,required,max=32" doc:"What the provider is called."`
	Email      string     `api:"email,required" doc:"The e-mail address, as verifyOAuthCodeAndGetUser tells it."`
	SecretCode string     `api:"secretcode,max=4096,secret" doc:"The code with which the browser came back, good for one session. It can't do without."`
	State      string     `api:"state,max=128" doc:"The state with which it came back. It can't do without. Virga's own."`
	Domain     string     `api:"domain,max=4096" doc:"The path of the user's domain, from ROOT."`
	DomainID   uid.Domain `api:"domainId" doc:"The ID of the user's domain; it counts more than the path."`
}
