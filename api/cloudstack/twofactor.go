package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// SetUpTwoFactor gives a user a second factor, or takes it away.
var SetUpTwoFactor = api.Call[SetUpTwoFactorIn, TwoFactorSetup]{
	Name: "setupUserTwoFactorAuthentication", Noun: "Session", Role: api.Everyone, Object: "setup2fa", Event: "USER.UPDATE", Since: "4.18.0",
	Doc: "Begins to give the own user a second factor: tell an authenticator app the secret of the answer, and give its code to " +
		"validateUserTwoFactorAuthenticationCode. With enable=false it takes one away.",
}

// SetUpTwoFactorIn says whose factor, and what to do.
type SetUpTwoFactorIn struct {
	Provider string   `api:"provider" doc:"What gives the second factor: see listUserTwoFactorAuthenticatorProviders. Without it that of user.2fa.default.provider."`
	Enable   *bool    `api:"enable" doc:"false takes the second factor away. Without it, true."`
	UserID   uid.User `api:"userid" doc:"The ID of the user whose second factor is taken away by an administrator. Without it the own."`
	Code     string   `api:"codefor2fa,max=32,secret" doc:"A code of the own second factor, which takes it away. Virga's own."`
}

// TwoFactorSetup is a second factor that was begun, or what is left of one.
type TwoFactorSetup struct {
	ID         uid.User    `json:"id" doc:"The ID of the user."`
	Username   string      `json:"username" doc:"The name of the user."`
	AccountID  uid.Account `json:"accountid" doc:"The ID of the user's account."`
	SecretCode string      `json:"secretcode,omitempty" doc:"The secret for the app, in base32. It is shown this once."`
	Pending
}

// ValidateTwoFactor takes the code of a second factor.
var ValidateTwoFactor = api.Call[ValidateTwoFactorIn, api.Success]{
	Name: "validateUserTwoFactorAuthenticationCode", Noun: "Session", Role: api.Everyone, Event: "USER.UPDATE", Since: "4.18.0",
	Doc: "Takes the code of the own second factor. A session that waits for it may do everything then; one that was begun is in force then.",
}

// ValidateTwoFactorIn has the code.
type ValidateTwoFactorIn struct {
	Code string `api:"codefor2fa,required,max=32,secret" doc:"The code that the app shows. Each is good for once."`
}

// ListTwoFactorProviders shows what gives second factors.
var ListTwoFactorProviders = api.List[ListTwoFactorProvidersIn, TwoFactorProvider]{
	Name: "listUserTwoFactorAuthenticatorProviders", Noun: "Session", Role: api.Everyone, Object: "providers", Since: "4.18.0",
	Doc: "Lists what gives second factors.",
}

// ListTwoFactorProvidersIn chooses providers.
type ListTwoFactorProvidersIn struct {
	Name string `api:"name" doc:"Shows only the provider of this name."`
}

// TwoFactorProvider is what gives second factors.
type TwoFactorProvider struct {
	Name        string `json:"name" doc:"The name of the provider."`
	Description string `json:"description" doc:"What it is."`
	Pending
}
