package cloudstack

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// AddLDAPConfiguration makes a directory known.
var AddLDAPConfiguration = api.Call[AddLDAPConfigurationIn, LDAPConfiguration]{
	Name: "addLdapConfiguration", Noun: "LDAP", Role: api.RootOnly, Object: "LdapAddConfiguration", Event: "LDAP.SERVER.ADD", Since: "4.2.0", Creates: true,
	Doc: "Makes a server of a directory known, after it was asked. How it is asked, and what it is asked for, say the settings ldap.*, which come first.",
}

// AddLDAPConfigurationIn says which server.
type AddLDAPConfigurationIn struct {
	api.Once
	Hostname string     `api:"hostname,required" doc:"The DNS name or the IP address of the server. Its certificate must be for this name."`
	Port     int        `api:"port,required" doc:"Its port: 389, or 636 for LDAPS."`
	DomainID uid.Domain `api:"domainid" doc:"The ID of the domain whose users it knows, and those of the domains below. Without it those of all domains that have no directory."`
}

// DeleteLDAPConfiguration forgets a directory.
var DeleteLDAPConfiguration = api.Call[DeleteLDAPConfigurationIn, LDAPConfiguration]{
	Name: "deleteLdapConfiguration", Noun: "LDAP", Role: api.RootOnly, Object: "LdapDeleteConfiguration", Event: "LDAP.SERVER.DELETE", Since: "4.2.0",
	Doc: "Forgets a server of a directory. Users that came from it stay, and can't sign in while no other server knows them.",
}

// DeleteLDAPConfigurationIn names the server.
type DeleteLDAPConfigurationIn struct {
	ID       uid.LDAPServer `api:"id" doc:"The ID of the server. Either this or hostname."`
	Hostname string         `api:"hostname" doc:"The name of the server, as it was added."`
	Port     int            `api:"port" doc:"Its port, where there are several of that name."`
	DomainID uid.Domain     `api:"domainid" doc:"The ID of the domain that it was added for. Without it, the one of all domains."`
}

// ListLDAPConfigurations shows directories.
var ListLDAPConfigurations = api.List[ListLDAPConfigurationsIn, LDAPConfiguration]{
	Name: "listLdapConfigurations", Noun: "LDAP", Role: api.RootOnly, Object: "LdapConfiguration", Since: "4.2.0",
	Doc: "Lists servers of directories: without a word, those for all domains that have none of their own.",
}

// ListLDAPConfigurationsIn chooses servers.
type ListLDAPConfigurationsIn struct {
	api.Paging
	ID       uid.LDAPServer `api:"id" doc:"Shows only the server with this ID, whose ever it is."`
	Hostname string         `api:"hostname" doc:"Shows only servers of this name."`
	Port     int            `api:"port" doc:"Shows only servers with this port."`
	DomainID uid.Domain     `api:"domainid" doc:"Shows the servers that were added for this domain."`
	ListAll  bool           `api:"listall,since=4.13.2" doc:"Shows the servers of every domain, too."`
}

// LDAPConfiguration is a server of a directory.
type LDAPConfiguration struct {
	ID       uid.LDAPServer `json:"id" doc:"The ID of the server."`
	Hostname string         `json:"hostname" doc:"Its DNS name or IP address."`
	Port     int            `json:"port" doc:"Its port."`
	DomainID uid.Domain     `json:"domainid,omitempty" doc:"The ID of the domain whose users it knows; absent where it is for all domains that have no directory."`
	Pending
}

// ListLDAPUsers shows a directory's people.
var ListLDAPUsers = api.List[ListLDAPUsersIn, LDAPUser]{
	Name: "listLdapUsers", Noun: "LDAP", Role: api.Admins, Object: "LdapUser", Since: "4.2.0",
	Doc: "Lists the people of a directory who are not disabled there: of a domain that is linked, those in what it is linked to.",
}

// ListLDAPUsersIn chooses people.
type ListLDAPUsersIn struct {
	api.Paging
	ListType   string     `api:"listtype,one=all|new" doc:"all, or new for those who are no users yet; what userfilter says counts more."`
	UserFilter string     `api:"userfilter,one=NoFilter|LocalDomain|AnyDomain|PotentialImport,since=4.13" doc:"NoFilter shows everybody; LocalDomain, who is no user of the domain yet; AnyDomain, who is none of any domain that the caller sees; PotentialImport, who may sign in to the domain since it is linked."`
	DomainID   uid.Domain `api:"domainid" doc:"The ID of the domain whose directory is asked. Without it the caller's; for root admins, the one of all domains."`
}

// SearchLDAP finds people of a directory.
var SearchLDAP = api.List[SearchLDAPIn, LDAPUser]{
	Name: "searchLdap", Noun: "LDAP", Role: api.RootOnly, Object: "LdapUser", Since: "4.2.0",
	Doc: "Finds the people of the directory of all domains by their usernames.",
}

// SearchLDAPIn says whom.
type SearchLDAPIn struct {
	api.Paging
	Query string `api:"query,required" doc:"Part of the username."`
}

// LDAPUser is somebody in a directory.
type LDAPUser struct {
	Username  string `json:"username" doc:"The name that the person signs in by."`
	FirstName string `json:"firstname,omitempty" doc:"The first name."`
	LastName  string `json:"lastname,omitempty" doc:"The last name."`
	Email     string `json:"email,omitempty" doc:"The mail address."`
	Principal string `json:"principal" doc:"The distinguished name of the person's entry."`
	Domain    string `json:"domain,omitempty" doc:"The names of the units that the entry is in, the nearest first."`
	Source    string `json:"conflictingusersource,omitempty" doc:"Who vouches for the user that has this name here already, ldap or native for instance; absent where there is none."`
	Pending
}

// ImportLDAPUsers makes users of a directory's people.
var ImportLDAPUsers = api.List[ImportLDAPUsersIn, LDAPUser]{
	Name: "importLdapUsers", Noun: "LDAP", Role: api.Admins, Object: "LdapUser", Event: "USER.CREATE", Since: "4.3.0",
	Doc: "Makes users of a directory's people, who sign in with their passwords there, and brings up to date who is one already: again and again, without harm. " +
		"It answers with those who are users now; names that belong to somebody else here are left out.",
}

// ImportLDAPUsersIn says whom, and what becomes of them.
type ImportLDAPUsersIn struct {
	api.Paging
	AccountType *int              `api:"accounttype" doc:"What accounts that are made may do: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin. Nobody gives more than the own."`
	RoleID      uid.Role          `api:"roleid" doc:"The ID of the role of accounts that are made. Either this or accounttype."`
	Account     string            `api:"account" doc:"The name of the account that all become users of; it is made where there is none. Without it each gets an account of the own name."`
	Details     map[string]string `api:"accountdetails,map" doc:"What else to note of accounts that are made, by name."`
	DomainID    uid.Domain        `api:"domainid" doc:"The ID of the domain that they come into. Without it the caller's; for root admins a domain below ROOT of the group's name, or else of the name of each one's unit, which is made where there is none."`
	Group       string            `api:"group" doc:"The name, or the distinguished name, of the group whose members they are. Without it, all."`
	Timezone    string            `api:"timezone" doc:"The name of the time zone of users that are made, as in Europe/Vienna."`
	Gone        string            `api:"gone,one=keep|disable" doc:"What becomes of users of the domain, or of account, whom the directory doesn't have any more: disable keeps them from signing in until they are back. Needs domainid, and goes with neither group nor keyword."`
}

// LDAPCreateAccount makes an account for somebody of a directory.
var LDAPCreateAccount = api.Call[LDAPCreateAccountIn, Account]{
	Name: "ldapCreateAccount", Noun: "LDAP", Role: api.RootOnly, Object: "account", Event: "ACCOUNT.CREATE", Since: "4.2.0", Creates: true,
	Doc: "Makes an account whose first user is somebody of a directory, and signs in with the password there.",
}

// LDAPCreateAccountIn says for whom, and what account.
type LDAPCreateAccountIn struct {
	api.Once
	Username      string            `api:"username,required" doc:"The name that the person signs in by."`
	AccountType   *int              `api:"accounttype" doc:"What the account may do: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	RoleID        uid.Role          `api:"roleid" doc:"The ID of the account's role. Either this or accounttype."`
	Account       string            `api:"account" doc:"The name of the account, unique in its domain. Without it the username."`
	DomainID      uid.Domain        `api:"domainid" doc:"The ID of the domain that the account is in. Without it the caller's."`
	NetworkDomain string            `api:"networkdomain" doc:"The DNS domain of the account's networks. Without it the domain's."`
	Details       map[string]string `api:"accountdetails,map" doc:"What else to note of the account, by name."`
	Timezone      string            `api:"timezone" doc:"The name of the user's time zone, as in Europe/Vienna."`
	AccountID     uid.Account       `api:"accountid" doc:"The ID to give the account, where another system has chosen it."`
	UserID        uid.User          `api:"userid" doc:"The ID to give the user, where another system has chosen it."`
}

// LDAPConfig sets the directory of all domains.
var LDAPConfig = api.Call[LDAPConfigIn, LDAPContext]{
	Name: "ldapConfig", Noun: "LDAP", Role: api.RootOnly, Object: "ldapconfig", Event: "LDAP.SERVER.ADD", Since: "3.0.0",
	Doc: "Sets the directory of all domains that have none, after it was asked: one server, in the place of those that there are, and how it is asked. " +
		"What is not named is set back. addLdapConfiguration and the settings ldap.* say the same.",
}

// LDAPConfigIn describes the directory.
type LDAPConfigIn struct {
	ListAll            bool   `api:"listall" doc:"Shows what is set, and sets nothing."`
	Hostname           string `api:"hostname" doc:"The DNS name or the IP address of the server; required without listall."`
	Port               int    `api:"port" doc:"Its port. Without it 389, or 636 with ssl."`
	SSL                *bool  `api:"ssl" doc:"Whether it is asked over TLS (LDAPS)."`
	SearchBase         string `api:"searchbase" doc:"The entry below which users and groups are looked for (ldap.basedn)."`
	QueryFilter        string `api:"queryfilter,max=1024" doc:"What users must match, (uid=%u) for instance (ldap.queryfilter)."`
	BindDN             string `api:"binddn,max=1024" doc:"The distinguished name of who searches (ldap.bind.principal)."`
	BindPassword       string `api:"bindpass,max=1024,secret" doc:"The password of who searches (ldap.bind.password)."`
	Truststore         string `api:"truststore,max=4095" doc:"The certificates that the server's is issued by: PEM with \\n where lines end, or the path of a file on the servers (ldap.truststore)."`
	TruststorePassword string `api:"truststorepass,max=1024,secret" doc:"The password of the truststore (ldap.truststore.password)."`
}

// LDAPRemove forgets the directory of all domains.
var LDAPRemove = api.Call[api.None, LDAPContext]{
	Name: "ldapRemove", Noun: "LDAP", Role: api.RootOnly, Object: "ldapremove", Event: "LDAP.SERVER.DELETE", Since: "3.0.1",
	Doc: "Forgets the directories of all domains, and sets back what is said of them. Domains keep directories of their own.",
}

// LDAPContext is the directory of all domains.
type LDAPContext struct {
	Hostname     string `json:"hostname,omitempty" doc:"The server; absent where there is none."`
	Port         string `json:"port,omitempty" doc:"Its port."`
	SSL          string `json:"ssl,omitempty" doc:"Whether it is asked over TLS (LDAPS): true or false."`
	SearchBase   string `json:"searchbase,omitempty" doc:"The entry below which users and groups are looked for."`
	QueryFilter  string `json:"queryfilter,omitempty" doc:"What users must match."`
	BindDN       string `json:"binddn,omitempty" doc:"The distinguished name of who searches."`
	BindPassword string `json:"bindpass,omitempty" doc:"Absent: it is never shown."`
	Pending
}

// LinkDomainToLDAP links a domain.
var LinkDomainToLDAP = api.Call[LinkDomainToLDAPIn, LDAPLink]{
	Name: "linkDomainToLdap", Noun: "LDAP", Role: api.RootOnly, Object: "LinkDomainToLdap", Event: "LDAP.LINK", Since: "4.6.0",
	Doc: "Links a domain to a group or a unit of its directory: whoever is in it can sign in to the domain, and has an account there from the first time on. " +
		"A domain has one such link; a new one takes its place.",
}

// LinkDomainToLDAPIn says what is linked to what.
type LinkDomainToLDAPIn struct {
	DomainID    uid.Domain `api:"domainid,required" doc:"The ID of the domain."`
	Type        string     `api:"type,required,one=GROUP|OU" doc:"Whether a group or a unit is linked."`
	LDAPDomain  string     `api:"ldapdomain,max=1024" doc:"The distinguished name of the group or unit."`
	Name        string     `api:"name,max=1024" doc:"As ldapdomain, which counts more."`
	AccountType int        `api:"accounttype,required" doc:"What accounts that are made may do: 0 user or 2 domain admin."`
	Admin       string     `api:"admin" doc:"The username of somebody in it, who gets an account of the domain's admins at once."`
}

// LinkAccountToLDAP links an account.
var LinkAccountToLDAP = api.Call[LinkAccountToLDAPIn, LDAPLink]{
	Name: "linkAccountToLdap", Noun: "LDAP", Role: api.Admins, Object: "linkAccountToLdap", Event: "LDAP.LINK", Since: "4.11.0",
	Doc: "Links an account to a group or a unit of its domain's directory: whoever is in it can sign in to the domain as a user of the account, and is moved there from another one. " +
		"Who is in those of several accounts can't sign in. Domain admins can link where their domain has a directory of its own.",
}

// LinkAccountToLDAPIn says what is linked to what.
type LinkAccountToLDAPIn struct {
	DomainID    uid.Domain `api:"domainid,required" doc:"The ID of the account's domain."`
	Account     string     `api:"account,required" doc:"The name of the account; it is made where there is none."`
	Type        string     `api:"type,one=GROUP|OU" doc:"Whether a group or a unit is linked. Without it a group."`
	LDAPDomain  string     `api:"ldapdomain,required,max=1024" doc:"The distinguished name of the group or unit."`
	AccountType *int       `api:"accounttype" doc:"What the account may do, if it is made: 0 user or 2 domain admin."`
	RoleID      uid.Role   `api:"roleid,since=4.19.1" doc:"The ID of its role, if it is made. Either this or accounttype."`
	Admin       string     `api:"admin" doc:"The username of somebody in it, who gets an account of the domain's admins at once."`
}

// UnlinkDomainFromLDAP ends a link.
var UnlinkDomainFromLDAP = api.Call[UnlinkDomainFromLDAPIn, api.Success]{
	Name: "unlinkDomainFromLdap", Noun: "LDAP", Role: api.RootOnly, Event: "LDAP.UNLINK", Since: "4.23.0",
	Doc: "Ends the link of a domain, or of an account, to its directory. Those who came by it stay users, but can't sign in by it.",
}

// UnlinkDomainFromLDAPIn names the domain.
type UnlinkDomainFromLDAPIn struct {
	DomainID uid.Domain `api:"domainid,required" doc:"The ID of the domain."`
	Account  string     `api:"account" doc:"The name of an account of the domain, whose link is ended in the place of the domain's."`
}

// LDAPLink is a link.
type LDAPLink struct {
	DomainID    uid.Domain  `json:"domainid" doc:"The ID of the domain."`
	Type        string      `json:"type" doc:"GROUP or OU."`
	LDAPDomain  string      `json:"ldapdomain" doc:"The distinguished name of the group or unit."`
	Name        string      `json:"name,omitempty" doc:"The name of the account that is linked; absent for a domain."`
	AccountType int         `json:"accounttype" doc:"What accounts that are made may do: 0 user, 1 root admin, 2 domain admin, 3 resource domain admin."`
	AccountID   uid.Account `json:"accountid,omitempty" doc:"The ID of the account that is linked; for a domain, of the admin's account, where one was made."`
	Pending
}
