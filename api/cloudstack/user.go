package cloudstack

import (
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListUsers shows users.
var ListUsers = api.List[ListUsersIn, User]{
	Name: "listUsers", Noun: "User", Role: api.Admins, Object: "user",
	Doc: "Lists users.",
}

// ListUsersIn chooses users.
type ListUsersIn struct {
	api.Paging
	api.Scope
	ID       uid.User `api:"id" doc:"Shows only the user with this ID."`
	Username string   `api:"username" doc:"Shows only the user of this name."`
	State    string   `api:"state" doc:"Shows only users in this state: enabled, disabled or locked."`

	AccountType *int   `api:"accounttype" doc:"Shows only users of accounts of this type: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	Source      string `api:"usersource,one=native|ldap|saml2|saml2disabled|oauth2,since=4.21.0.0" doc:"Shows only users for whom this vouches when they sign in."`
	KeyAccess   string `api:"apikeyaccess,one=ENABLED|DISABLED|INHERIT,since=4.20.1.0" doc:"Shows only users of whom this is said about their keys."`
}

// CreateUser makes a user.
var CreateUser = api.Call[CreateUserIn, User]{
	Name: "createUser", Noun: "User", Role: Provisioners, Object: "user", Event: "USER.CREATE", Creates: true,
	Doc: "Makes one more user of an account.",
}

// CreateUserIn says what user to make.
type CreateUserIn struct {
	api.Once
	Account   string     `api:"account,required" doc:"The name of the account that the user acts for."`
	DomainID  uid.Domain `api:"domainid" doc:"The ID of the account's domain. Without it the caller's."`
	Username  string     `api:"username,required" doc:"The name to sign in under, unique in the domain."`
	Password  string     `api:"password,required,max=1024,secret" doc:"The password, as plain text."`
	FirstName string     `api:"firstname,required" doc:"The first name."`
	LastName  string     `api:"lastname,required" doc:"The last name."`
	Email     string     `api:"email,required" doc:"The mail address."`
	Timezone  string     `api:"timezone" doc:"The name of the user's time zone, as in Europe/Vienna."`
	UserID    uid.User   `api:"userid,admin" doc:"The ID to give the user, where another system has chosen it."`
}

// UpdateUser changes a user.
var UpdateUser = api.Call[UpdateUserIn, User]{
	Name: "updateUser", Noun: "User", Role: api.Everyone, Object: "user", Event: "USER.UPDATE",
	Doc: "Changes a user: the own one, or one of an account that may not do more than the caller's. A new password ends the user's sessions.",
}

// UpdateUserIn names the user, and what to change.
type UpdateUserIn struct {
	ID              uid.User `api:"id,required" doc:"The ID of the user."`
	Username        string   `api:"username" doc:"The new name to sign in under, unique in the domain."`
	Password        string   `api:"password,max=1024,secret" doc:"The new password, as plain text."`
	CurrentPassword string   `api:"currentpassword,max=1024,secret,since=4.18" doc:"The caller's present password, without which nobody changes the own one."`
	FirstName       string   `api:"firstname" doc:"The new first name."`
	LastName        string   `api:"lastname" doc:"The new last name."`
	Email           string   `api:"email" doc:"The new mail address."`
	Timezone        *string  `api:"timezone" doc:"The name of the user's time zone from now on, as in Europe/Vienna; empty for none."`
	UserAPIKey      string   `api:"userapikey,admin,secret" doc:"The key that is to name the user in a request. Goes together with usersecretkey."`
	UserSecretKey   string   `api:"usersecretkey,admin,secret" doc:"The key that is to sign the user's requests. Goes together with userapikey."`
	KeyAccess       string   `api:"apikeyaccess,admin,one=ENABLED|DISABLED|INHERIT,since=4.20.1.0" doc:"Whether the user's keys may sign requests; INHERIT leaves it to the account."`
	Mandate2FA      *bool    `api:"mandate2fa,since=4.18.0.0" doc:"Whether the user must have a second factor; true ends the sessions of one that has none. Nobody says so of the own user."`
}

// DeleteUser removes a user.
var DeleteUser = api.Call[UserID, api.Success]{
	Name: "deleteUser", Noun: "User", Role: Provisioners, Event: "USER.DELETE",
	Doc: "Removes a user with its keys and sessions. What it has made is its account's, and stays.",
}

// UserID names a user.
type UserID struct {
	ID uid.User `api:"id,required" doc:"The ID of the user."`
}

// LockUser locks a user.
var LockUser = api.Call[UserID, User]{
	Name: "lockUser", Noun: "User", Role: api.Admins, Object: "user", Event: "USER.LOCK",
	Doc: "Keeps a user from signing in and from using its keys. With the last user that is enabled its account is locked, too.",
}

// DisableUser disables a user.
var DisableUser = api.Job[UserID, User]{
	Name: "disableUser", Noun: "User", Role: api.Admins, Object: "user", Event: "USER.DISABLE",
	Doc: "Keeps a user from signing in and from using its keys, at once, and ends its sessions.",
}

// EnableUser lets a user act again.
var EnableUser = api.Call[UserID, User]{
	Name: "enableUser", Noun: "User", Role: api.Admins, Object: "user", Event: "USER.ENABLE",
	Doc: "Lets a user that was disabled or locked sign in again, and its account, too.",
}

// MoveUser moves a user into another account.
var MoveUser = api.Call[MoveUserIn, api.Success]{
	Name: "moveUser", Noun: "User", Role: Provisioners, Event: "USER.MOVE", Since: "4.11.0",
	Doc: "Moves a user into another account of its domain, whose things it works with from then on. What it has made stays where it is; its sessions end.",
}

// MoveUserIn names the user and the account.
type MoveUserIn struct {
	ID        uid.User    `api:"id,required" doc:"The ID of the user."`
	AccountID uid.Account `api:"accountid" doc:"The ID of the account."`
	Account   string      `api:"account" doc:"The name of the account in the user's domain, where it is not named by its ID."`
}

// GetUser shows whose a key is.
var GetUser = api.Call[GetUserIn, User]{
	Name: "getUser", Noun: "User", Role: api.RootOnly, Object: "user",
	Doc: "Shows the user that signs requests with a key, and the key's secret.",
}

// GetUserIn names the user.
type GetUserIn struct {
	UserAPIKey string `api:"userapikey,required,secret" doc:"The key that names the user in a request."`
}

// RegisterUserKeys gives a user a new pair of keys.
var RegisterUserKeys = api.Call[RegisterUserKeysIn, UserKeys]{
	Name: "registerUserKeys", Noun: "User", Role: api.Everyone, Object: "userkeys", Event: "REGISTER.USER.KEY",
	Doc: "Makes a pair of keys for a user to sign requests with. With nothing but the user it is the plain pair, in the place of the one that " +
		"there is, which stops working at the same moment. With anything else it is one more, beside those that there are.",
}

// RegisterUserKeysIn names the user.
type RegisterUserKeysIn struct {
	ID          uid.User   `api:"id,required" doc:"The ID of the user."`
	Name        string     `api:"name,since=4.23.0" doc:"The name of one more pair, unique among the user's. Without it the pair's ID."`
	Description string     `api:"description,max=1024,since=4.23.0" doc:"What the pair is for."`
	StartDate   time.Time  `api:"startdate,since=4.23.0" doc:"From when on the pair works; without it at once."`
	EndDate     time.Time  `api:"enddate,end,since=4.23.0" doc:"When the pair stops working; without it never."`
	Rules       []RoleRule `api:"rules,map,entries=100,since=4.23.0" doc:"Which of the commands that the user may use the pair is for: the first rule that matches decides, and what none matches is denied. Without rules it is for all of them."`
}

// GetUserKeys shows a user's keys.
var GetUserKeys = api.Call[UserID, UserKeys]{
	Name: "getUserKeys", Noun: "User", Role: api.Everyone, Object: "userkeys", Since: "4.10.0",
	Doc: "Shows a user's plain pair of keys, or where there is none the latest. listUserKeys shows all.",
}

// UserKeys is a pair of keys.
type UserKeys struct {
	APIKey    string `json:"apikey,omitempty" doc:"The key that names the user in a request."`
	SecretKey string `json:"secretkey,omitempty" doc:"The key that signs requests."`
	Access    *bool  `json:"apikeyaccess,omitempty" doc:"Whether the user's keys may sign requests."`

	ID          uid.KeyPair   `json:"id,omitempty" doc:"The ID of the pair."`
	Name        string        `json:"name,omitempty" doc:"The name of the pair; the plain one has none."`
	Description string        `json:"description,omitempty" doc:"What the pair is for."`
	StartDate   api.Time      `json:"startdate,omitzero" doc:"From when on the pair works, where that was said."`
	EndDate     api.Time      `json:"enddate,omitzero" doc:"When the pair stops working, where that was said."`
	Created     api.Time      `json:"created,omitzero" doc:"When the pair was made."`
	State       string        `json:"state,omitempty" doc:"ENABLED, or PENDING before its start, or EXPIRED after its end."`
	UserID      uid.User      `json:"userid,omitempty" doc:"The ID of the user."`
	Username    string        `json:"username,omitempty" doc:"The name of the user."`
	AccountID   uid.Account   `json:"accountid,omitempty" doc:"The ID of the user's account."`
	AccountName string        `json:"accountname,omitempty" doc:"The name of the user's account."`
	AccountType string        `json:"accounttype,omitempty" doc:"The type of the account: NORMAL, ADMIN, DOMAIN_ADMIN or RESOURCE_DOMAIN_ADMIN."`
	DomainID    uid.Domain    `json:"domainid,omitempty" doc:"The ID of the account's domain."`
	Domain      string        `json:"domain,omitempty" doc:"The name of the account's domain."`
	DomainPath  string        `json:"domainpath,omitempty" doc:"The path of the account's domain, from ROOT."`
	RoleID      uid.Role      `json:"roleid,omitempty" doc:"The ID of the account's role."`
	RoleName    string        `json:"rolename,omitempty" doc:"The name of the account's role."`
	RoleType    string        `json:"roletype,omitempty" doc:"For what type of accounts the role is."`
	Permissions []UserKeyRule `json:"permissions,omitempty" doc:"The rules of the pair, where they were asked for and it has some."`
	Pending
}

// UserKeyRule is a rule of a pair of keys.
type UserKeyRule struct {
	Rule        string `json:"rule" doc:"The name of a command, in which * stands for anything."`
	Permission  string `json:"permission" doc:"allow or deny."`
	Description string `json:"description,omitempty" doc:"What the rule is for."`
}

// ListUserKeys shows pairs of keys.
var ListUserKeys = api.List[ListUserKeysIn, UserKeys]{
	Name: "listUserKeys", Noun: "User", Role: api.Everyone, Object: "userapikey", Since: "4.23.0",
	Doc: "Lists the caller's pairs of keys, or those of another user, with their secrets: only pairs that the caller could register. " +
		"A caller that signs with a pair that has rules sees none that is for more.",
}

// ListUserKeysIn chooses pairs.
type ListUserKeysIn struct {
	api.Paging
	UserID          uid.User    `api:"userid" doc:"Shows the pairs of this user, not the caller's."`
	KeyPairID       uid.KeyPair `api:"keypairid" doc:"Shows only the pair with this ID, whose ever it is."`
	APIKey          string      `api:"apikeyfilter,secret" doc:"Shows only the pair with this API key."`
	ShowPermissions bool        `api:"showpermissions" doc:"Shows the rules of each pair, too."`
	ListAll         bool        `api:"listall" doc:"Shows the pairs of all users that the caller may act for."`
}

// ListUserKeyRules shows what a pair of keys is for.
var ListUserKeyRules = api.List[UserKeyPairID, UserKeyRule]{
	Name: "listUserKeyRules", Noun: "User", Role: api.Everyone, Object: "keypermission", Since: "4.23.0",
	Doc: "Lists the rules of a pair of keys, in the order in which they are asked; none where it is for all that the user may do.",
}

// UserKeyPairID names a pair of keys.
type UserKeyPairID struct {
	ID uid.KeyPair `api:"keypairid,required" doc:"The ID of the pair."`
}

// DeleteUserKeys takes a pair of keys away.
var DeleteUserKeys = api.Job[UserKeyPairID, api.Success]{
	Name: "deleteUserKeys", Noun: "User", Role: api.Everyone, Event: "DELETE.USER.KEY", Since: "4.23.0",
	Doc: "Takes a pair of keys from its user. It stops working at once.",
}

// User is a user.
type User struct {
	ID          uid.User    `json:"id" doc:"The ID of the user."`
	Username    string      `json:"username" doc:"The name of the user."`
	FirstName   string      `json:"firstname,omitempty" doc:"The user's first name."`
	LastName    string      `json:"lastname,omitempty" doc:"The user's last name."`
	Email       string      `json:"email,omitempty" doc:"The user's mail address."`
	Created     api.Time    `json:"created,omitzero" doc:"When the user was made."`
	State       string      `json:"state" doc:"enabled, disabled or locked."`
	Account     string      `json:"account" doc:"The name of the user's account."`
	AccountID   uid.Account `json:"accountid" doc:"The ID of the user's account."`
	AccountType int         `json:"accounttype" doc:"The type of the account: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	DomainID    uid.Domain  `json:"domainid" doc:"The ID of the user's domain."`
	Domain      string      `json:"domain,omitempty" doc:"The name of the user's domain."`
	Timezone    string      `json:"timezone,omitempty" doc:"The name of the user's time zone."`
	APIKey      string      `json:"apikey,omitempty" doc:"The key that names the user in a request."`
	SecretKey   string      `json:"secretkey,omitempty" api:"admin" doc:"The key that signs requests; in the answer of getUser only."`
	TwoFactor   bool        `json:"is2faenabled" doc:"Whether the user has a second factor."`
	Mandated    bool        `json:"is2famandated" doc:"Whether the user must have one."`
	IsBelow     bool        `json:"iscallerchilddomain" doc:"Whether the user is of a domain below the caller's."`
	Source      string      `json:"usersource" doc:"Who vouches for the user when it signs in: native for a password that is kept here, ldap, saml2, saml2disabled or oauth2."`
	KeyAccess   string      `json:"apikeyaccess" doc:"Whether the user's keys may sign requests: ENABLED, DISABLED, or INHERIT where the account says it."`
	InRole
	Pending
}
