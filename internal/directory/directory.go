package directory

import (
	"net"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/secret"
)

// Directory says where a directory is, and how it is laid out.
type Directory struct {
	Servers    []Server // tried in turn; they are copies of each other
	Security   Security
	Truststore Truststore
	Timeout    time.Duration // of one answer

	Bind     string // who searches; "": nobody in particular
	Password secret.String
	BaseDN   string
	PageSize int

	Kind        Kind
	UserObject  string // the object class of users
	Username    string // the attribute that they sign in by; as the following ones
	Email       string
	Firstname   string
	Lastname    string
	MemberOf    string // "": users don't know their groups
	GroupObject string
	GroupMember string
	Nested      bool   // who is in a group is in the groups that this is in
	SearchGroup string // the DN of a group that all users are in; "": any
	Filter      string // that all users match; %u in it is the username; "": none
}

// Server is one of a directory's servers.
type Server struct {
	Host string
	Port int
}

// String is host:port.
func (s Server) String() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// Security says how connections are protected.
type Security string

// The kinds of protection; Auto is LDAPS where there is a truststore or the port is one of LDAPS, and otherwise nothing.
const (
	Auto     Security = "auto"
	LDAPS    Security = "ldaps"
	StartTLS Security = "starttls"
	Plain    Security = "none"
)

// Kind is what kind of directory it is.
type Kind string

// The kinds.
const (
	OpenLDAP        Kind = "openldap"
	ActiveDirectory Kind = "microsoftad"
)

// Person is a user of a directory.
type Person struct {
	DN        string
	Username  string
	Firstname string
	Lastname  string
	Email     string
	Unit      string // the names of what it is in, up to the base, the nearest first: "people", "people,north"
	Disabled  bool   // it may not sign in anywhere (Active Directory)

	groups []string // as it says itself
}

// Place is a part of a directory: a group, or an organizational unit with all below it.
type Place struct {
	Unit bool   // not a group
	DN   string // "": the whole directory
}
