package account

import (
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// State is whether an account or a user may sign in and act; its text is the wire's.
type State string

// The states of accounts and users. Locked accounts keep what runs but may not change it; no one signs in to either.
const (
	Enabled  State = "enabled"
	Disabled State = "disabled"
	Locked   State = "locked"
)

// KeyAccess says whether keys may sign requests; its text is the wire's, but for "", which is to inherit: users from their account,
// accounts from the setting api.key.access.
type KeyAccess string

// What can be said about the use of keys.
const (
	KeysInherit  KeyAccess = ""
	KeysEnabled  KeyAccess = "ENABLED"
	KeysDisabled KeyAccess = "DISABLED"
)

// DomainState is whether a domain is in use; its text is the wire's.
type DomainState string

// The states of domains. An inactive one is being removed.
const (
	Active   DomainState = "Active"
	Inactive DomainState = "Inactive"
)

// Root is the path of the domain that all others lie in.
const Root = "ROOT"

// Domain is a node in the tree of tenants: it holds accounts and further domains.
type Domain struct {
	ID            uid.Domain `bun:",pk"`
	Parent        uid.Domain `bun:"parent_id,nullzero"` // "" for ROOT
	Name          string
	Path          string // "ROOT/a/b"
	Level         int    // 0 for ROOT
	State         DomainState
	NetworkDomain string
	Created       time.Time
	Removed       time.Time `bun:",nullzero"` // zero while it exists

	ParentName  string `bun:",scanonly"`
	HasChildren bool   `bun:",scanonly"`
	// Totals is there for who fills it in, as package quota does: what its accounts, and those of the domains below, use together.
	Totals limit.Use `bun:"-"`
}

// Account is a tenant: what users of it make belongs to it.
type Account struct {
	ID            uid.Account `bun:",pk"`
	Domain        uid.Domain  `bun:"domain_id"`
	Name          string      // unique in its domain
	Type          auth.AccountType
	Role          uid.Role `bun:"role_id"` // of that type
	State         State
	NetworkDomain string
	DefaultZone   uid.Zone          `bun:"default_zone_id"` // "" for none
	Details       map[string]string // what else is noted of it
	KeyAccess     KeyAccess
	Closing       bool // it is being deleted, and may still own something
	Created       time.Time
	Removed       time.Time `bun:",nullzero"`

	DomainName string `bun:",scanonly"`
	DomainPath string `bun:",scanonly"`
	// Counts and Users are there in answers of [Dress] only.
	Counts limit.Counts `bun:"-"`
	Users  []User       `bun:"-"`
}

// User is somebody, or some program, that signs in and acts for an account.
type User struct {
	ID        uid.User    `bun:",pk"`
	Account   uid.Account `bun:"account_id"`
	Domain    uid.Domain  `bun:"domain_id"` // the account's
	Username  string      // unique in its domain
	Firstname string
	Lastname  string
	Email     string
	Timezone  string
	State     State
	Source    auth.Source `bun:",nullzero,default:'native'"` // "" in a new one: native
	Withdrawn bool        // it is disabled because its source has said so
	// Factor is whether it has a second factor, which FactorProvider gives; FactorMandated, whether an admin wants it to.
	Factor         FactorState
	FactorProvider string
	FactorMandated bool
	KeyAccess      KeyAccess
	Created        time.Time
	Removed        time.Time `bun:",nullzero"`

	AccountName  string           `bun:",scanonly"`
	AccountType  auth.AccountType `bun:",scanonly"`
	AccountRole  uid.Role         `bun:",scanonly"`
	AccountState State            `bun:",scanonly"`
	DomainName   string           `bun:",scanonly"`
	DomainPath   string           `bun:",scanonly"`
	APIKey       string           `bun:",scanonly"` // of the plain pair of keys; "" where none is registered
	// AccountKeyAccess is what a user inherits.
	AccountKeyAccess KeyAccess `bun:",scanonly"`
	// Joined and NoProjects are as in [auth.Caller], and known of callers only.
	Joined     bool `bun:",scanonly"`
	NoProjects bool `bun:",scanonly"`
}
