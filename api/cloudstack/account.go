package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// ListAccounts shows accounts.
var ListAccounts = api.List[ListAccountsIn, Account]{
	Name: "listAccounts", Noun: "Account", Role: api.Everyone, Object: "account",
	Doc: "Lists accounts, with what they use and may use.",
}

// ListAccountsIn chooses accounts.
type ListAccountsIn struct {
	api.Paging
	ID          uid.Account `api:"id" doc:"Shows only the account with this ID."`
	Name        string      `api:"name" doc:"Shows only the account of this name."`
	State       string      `api:"state" doc:"Shows only accounts in this state: enabled, disabled or locked."`
	AccountType *int        `api:"accounttype" doc:"Shows only accounts of this type: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	DomainID    uid.Domain  `api:"domainid" doc:"Shows only accounts of this domain."`
	Recursive   bool        `api:"isrecursive" doc:"Shows accounts of subdomains, too."`
	CleanUp     *bool       `api:"iscleanuprequired" doc:"Shows only accounts that are being deleted and still own something, or with false only the others."`
	Details     []string    `api:"details" doc:"How much to show of each account: min leaves out what it uses and may use; all and resource show it, as nothing does."`
	KeyAccess   string      `api:"apikeyaccess,one=ENABLED|DISABLED|INHERIT,since=4.20.1.0" doc:"Shows only accounts of which this is said about their users' keys."`
	ListAll     bool        `api:"listall" doc:"Shows every account the caller may see, not only the caller's own."`
}

// Provisioners are who may make accounts and users, and remove them.
const Provisioners = api.RootAdmin | api.ResourceAdmin

// CreateAccount makes an account.
var CreateAccount = api.Call[CreateAccountIn, Account]{
	Name: "createAccount", Noun: "Account", Role: Provisioners, Object: "account", Event: "ACCOUNT.CREATE", Creates: true,
	Doc: "Makes an account and its first user.",
}

// CreateAccountIn says what account to make.
type CreateAccountIn struct {
	api.Once
	AccountType   *int              `api:"accounttype" doc:"What the account may do: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin. Nobody gives more than the own."`
	RoleID        uid.Role          `api:"roleid,since=4.9.0" doc:"The ID of the account's role. Without it, the default role of accounttype, which is not needed where a role is named. Nobody gives more than the own role has."`
	Username      string            `api:"username,required" doc:"The name that the first user signs in under, unique in its domain."`
	Password      string            `api:"password,required,max=1024,secret" doc:"The first user's password, as plain text."`
	FirstName     string            `api:"firstname,required" doc:"The first user's first name."`
	LastName      string            `api:"lastname,required" doc:"The first user's last name."`
	Email         string            `api:"email,required" doc:"The first user's mail address."`
	Account       string            `api:"account" doc:"The name of the account, unique in its domain. Without it the username."`
	DomainID      uid.Domain        `api:"domainid" doc:"The ID of the domain that the account is in. Without it the caller's."`
	Timezone      string            `api:"timezone" doc:"The name of the first user's time zone, as in Europe/Vienna."`
	NetworkDomain string            `api:"networkdomain" doc:"The DNS domain of the account's networks. Without it the domain's."`
	Details       map[string]string `api:"accountdetails,map" doc:"What else to note of the account, by name."`
	AccountID     uid.Account       `api:"accountid,admin" doc:"The ID to give the account, where another system has chosen it."`
	UserID        uid.User          `api:"userid,admin" doc:"The ID to give the first user, where another system has chosen it."`
}

// UpdateAccount changes an account.
var UpdateAccount = api.Call[UpdateAccountIn, Account]{
	Name: "updateAccount", Noun: "Account", Role: Provisioners, Object: "account", Event: "ACCOUNT.UPDATE",
	Doc: "Changes what an account is called, and what is noted of it.",
}

// UpdateAccountIn names the account, and what to change.
type UpdateAccountIn struct {
	Named
	NewName       string            `api:"newname" doc:"Its new name, unique in its domain."`
	RoleID        uid.Role          `api:"roleid,since=4.9.0" doc:"The ID of its new role, which says its type, too. Nobody gives more than the own role has, or changes the role of the own account."`
	NetworkDomain *string           `api:"networkdomain" doc:"The DNS domain of its networks from now on; empty for the domain's."`
	Details       map[string]string `api:"accountdetails,map" doc:"What else to note of it, by name. What is noted under other names stays."`
	KeyAccess     string            `api:"apikeyaccess,admin,one=ENABLED|DISABLED|INHERIT,since=4.20.1.0" doc:"Whether its users' keys may sign requests, where nothing is said of the user; INHERIT leaves it to the setting api.key.access."`
}

// Named names an account, by its ID or by its name and domain.
type Named struct {
	ID       uid.Account `api:"id" doc:"The ID of the account."`
	Account  string      `api:"account" doc:"The name of the account, where it is not named by its ID. Goes together with domainid."`
	DomainID uid.Domain  `api:"domainid" doc:"The ID of the domain of the account that is named. Without it the caller's."`
}

// EnableAccount lets an account act again.
var EnableAccount = api.Call[EnableAccountIn, Account]{
	Name: "enableAccount", Noun: "Account", Role: api.Admins, Object: "account", Event: "ACCOUNT.ENABLE",
	Doc: "Lets the users of an account that was disabled or locked sign in again. Its machines stay as they are.",
}

// EnableAccountIn names the account.
type EnableAccountIn struct{ Named }

// LockAccount locks an account.
var LockAccount = api.Call[LockAccountIn, Account]{
	Name: "lockAccount", Noun: "Account", Role: api.Admins, Object: "account", Event: "ACCOUNT.DISABLE",
	Doc: "Keeps the users of an account from signing in and from using their keys. Its machines go on running.",
}

// LockAccountIn names the account.
type LockAccountIn struct {
	Account  string     `api:"account,required" doc:"The name of the account."`
	DomainID uid.Domain `api:"domainid,required" doc:"The ID of the account's domain."`
}

// DisableAccount disables or locks an account.
var DisableAccount = api.Job[DisableAccountIn, Account]{
	Name: "disableAccount", Noun: "Account", Role: api.Admins, Object: "account", Event: "ACCOUNT.DISABLE",
	Doc: "Keeps the users of an account from signing in and from using their keys, at once, and stops its machines.",
}

// DisableAccountIn names the account.
type DisableAccountIn struct {
	Named
	Lock bool `api:"lock,required" doc:"Only lock it: its machines go on running."`
}

// DeleteAccount removes an account.
var DeleteAccount = api.Job[DeleteAccountIn, api.Success]{
	Name: "deleteAccount", Noun: "Account", Role: Provisioners, Event: "ACCOUNT.DELETE",
	Doc: "Removes an account with its users and all that it owns: machines, volumes, networks, templates, security groups and SSH key pairs. " +
		"What can't be removed, the job's error names; the account stays closed then, and it is tried again from time to time.",
}

// DeleteAccountIn names the account.
type DeleteAccountIn struct {
	ID uid.Account `api:"id,required" doc:"The ID of the account."`
}

// MarkDefaultZoneForAccount marks a zone as an account's default.
var MarkDefaultZoneForAccount = api.Job[MarkDefaultZoneForAccountIn, Account]{
	Name: "markDefaultZoneForAccount", Noun: "Account", Role: api.RootOnly, Object: "account", Event: "ACCOUNT.MARK.DEFAULT.ZONE", Since: "4.0.0",
	Doc: "Marks a zone as the one that clients offer the users of an account first.",
}

// MarkDefaultZoneForAccountIn names the account and the zone.
type MarkDefaultZoneForAccountIn struct {
	Account  string     `api:"account,required" doc:"The name of the account."`
	DomainID uid.Domain `api:"domainid,required" doc:"The ID of the account's domain."`
	ZoneID   uid.Zone   `api:"zoneid,required" doc:"The ID of the zone, which the account must be able to use."`
}

// Account is an account.
type Account struct {
	ID            uid.Account `json:"id" doc:"The ID of the account."`
	Name          string      `json:"name" doc:"The name of the account."`
	Type          int         `json:"accounttype" doc:"0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	DomainID      uid.Domain  `json:"domainid" doc:"The ID of the account's domain."`
	Domain        string      `json:"domain,omitempty" doc:"The name of the account's domain."`
	DomainPath    string      `json:"domainpath,omitempty" doc:"The path of the account's domain, from ROOT."`
	State         string      `json:"state" doc:"enabled, disabled or locked."`
	NetworkDomain string      `json:"networkdomain,omitempty" doc:"The DNS domain of the account's networks."`
	Created       api.Time    `json:"created,omitzero" doc:"When the account was made."`
	KeyAccess     string      `json:"apikeyaccess" doc:"Whether its users' keys may sign requests: ENABLED, DISABLED, or INHERIT where the setting api.key.access says it."`
	InRole

	Resources
	VMRunning *int `json:"vmrunning,omitempty" doc:"How many of the account's machines are running."`
	VMStopped *int `json:"vmstopped,omitempty" doc:"How many of the account's machines are stopped."`

	DefaultZoneID uid.Zone          `json:"defaultzoneid,omitempty" doc:"The ID of the zone that an administrator has marked as the account's default, for clients to offer first; absent where none is, or it is gone."`
	ReceivedBytes *int64            `json:"receivedbytes,omitempty" doc:"How many bytes have come from outside to the public addresses of the account's networks, those that are no more too, as their virtual routers count them."`
	SentBytes     *int64            `json:"sentbytes,omitempty" doc:"How many bytes have gone out by those addresses."`
	Details       map[string]string `json:"accountdetails,omitempty" doc:"What else is known of the account, where something is."`
	CleanUp       bool              `json:"iscleanuprequired" doc:"Whether the account is being deleted and something that it owns is still there."`

	Users []User `json:"user,omitempty" doc:"The account's users."`
	Pending
}
