package cloudstack

import (
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

	AccountType *int `api:"accounttype" doc:"Shows only users of accounts of this type: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
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
	Doc: "Makes a new pair of keys for a user to sign requests with. The old pair stops working at once.",
}

// RegisterUserKeysIn names the user.
type RegisterUserKeysIn struct {
	ID uid.User `api:"id,required" doc:"The ID of the user."`
}

// GetUserKeys shows a user's keys.
var GetUserKeys = api.Call[GetUserKeysIn, UserKeys]{
	Name: "getUserKeys", Noun: "User", Role: api.Everyone, Object: "userkeys", Since: "4.10.0",
	Doc: "Shows the pair of keys that a user signs requests with.",
}

// GetUserKeysIn names the user.
type GetUserKeysIn struct {
	ID uid.User `api:"id,required" doc:"The ID of the user."`
}

// UserKeys is a pair of keys.
type UserKeys struct {
	APIKey    string `json:"apikey,omitempty" doc:"The key that names the user in a request."`
	SecretKey string `json:"secretkey,omitempty" doc:"The key that signs requests."`
	Access    string `json:"apikeyaccess,omitempty" doc:"Whether the user may sign requests; absent, since every user may."`
	Pending
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
	IsBelow     bool        `json:"iscallerchilddomain" doc:"Whether the user is of a domain below the caller's."`
	Pending
}
