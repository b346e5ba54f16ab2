package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// Login begins a session.
var Login = api.Call[LoginIn, LoginOut]{
	Name: "login", Noun: "Session", Role: api.Everyone, Event: "USER.LOGIN", Session: true,
	Doc: "Begins a session. The answer comes with a cookie; later requests send the cookie and the session key.",
}

// LoginIn says who wants in. The domain is given by id or by path; without either it is ROOT.
type LoginIn struct {
	Username string     `api:"username,required" doc:"The name of the user."`
	Password string     `api:"password,required,secret" doc:"The password, as plain text."`
	Domain   string     `api:"domain,max=4096" doc:"The path of the user's domain, from ROOT. Without domain and domainId: ROOT."`
	DomainID uid.Domain `api:"domainId" doc:"The ID of the user's domain; it counts more than the path."`
}

// LoginOut is the new session. Everything but the timeout is a string, as clients have always found it.
type LoginOut struct {
	Timeout        int        `json:"timeout" doc:"The seconds without a request after which the session ends."`
	UserID         uid.User   `json:"userid" doc:"The ID of the user."`
	Username       string     `json:"username" doc:"The name of the user."`
	FirstName      string     `json:"firstname" doc:"The user's first name."`
	LastName       string     `json:"lastname" doc:"The user's last name."`
	Account        string     `json:"account" doc:"The name of the user's account."`
	DomainID       uid.Domain `json:"domainid" doc:"The ID of the user's domain."`
	Type           string     `json:"type" doc:"The type of the account: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	Registered     string     `json:"registered" doc:"Whether the user has confirmed a registration: true or false."`
	SessionKey     string     `json:"sessionkey" doc:"What later requests of this session send as sessionkey."`
	Timezone       string     `json:"timezone,omitempty" doc:"The name of the user's time zone, where one is set."`
	TimezoneOffset string     `json:"timezoneoffset,omitempty" doc:"The hours between that zone and UTC, now."`

	TwoFactor         string `json:"is2faenabled" doc:"Whether the user signs in with a second factor, or has to set one up: true or false."`
	TwoFactorVerified string `json:"is2faverified" doc:"Whether the session may do everything: false until the second factor is given to validateUserTwoFactorAuthenticationCode."`
	TwoFactorProvider string `json:"providerfor2fa,omitempty" doc:"What gives the second factor; absent where it is to be set up first."`
	TwoFactorIssuer   string `json:"issuerfor2fa,omitempty" doc:"Under which name the second factor's app shows the account."`
	Server            string `json:"managementserverid,omitempty" doc:"The ID of the server that holds the session: absent, since all do."`
	Pending
}

// Logout ends the caller's session.
var Logout = api.Call[api.None, LogoutOut]{
	Name: "logout", Noun: "Session", Role: api.Everyone, Event: "USER.LOGOUT", Session: true,
	Doc: "Ends the session.",
}

// LogoutOut confirms the end.
type LogoutOut struct {
	Description string `json:"description" doc:"The word success."`
	Pending
}
