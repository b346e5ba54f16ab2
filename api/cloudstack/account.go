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
	CleanUp     bool        `api:"iscleanuprequired" doc:"Shows only accounts that are removed while what they own is not yet."`
	ListAll     bool        `api:"listall" doc:"Shows every account the caller may see, not only the caller's own."`
}

// Account is an account. A limit without an end is the word Unlimited, and so is what it leaves.
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

	VMLimit     string `json:"vmlimit" doc:"How many machines the account may have."`
	VMTotal     int64  `json:"vmtotal" doc:"How many machines the account has."`
	VMAvailable string `json:"vmavailable" doc:"How many more machines the account may have."`
	VMRunning   int    `json:"vmrunning" doc:"How many of the account's machines are running."`
	VMStopped   int    `json:"vmstopped" doc:"How many of the account's machines are stopped."`

	CPULimit     string `json:"cpulimit" doc:"How many CPUs the account may have."`
	CPUTotal     int64  `json:"cputotal" doc:"How many CPUs the account has."`
	CPUAvailable string `json:"cpuavailable" doc:"How many more CPUs the account may have."`

	MemoryLimit     string `json:"memorylimit" doc:"How much memory the account may have, in MB."`
	MemoryTotal     int64  `json:"memorytotal" doc:"How much memory the account has, in MB."`
	MemoryAvailable string `json:"memoryavailable" doc:"How much more memory the account may have, in MB."`

	VolumeLimit     string `json:"volumelimit" doc:"How many volumes the account may have."`
	VolumeTotal     int64  `json:"volumetotal" doc:"How many volumes the account has."`
	VolumeAvailable string `json:"volumeavailable" doc:"How many more volumes the account may have."`

	PrimaryStorageLimit     string `json:"primarystoragelimit" doc:"How much primary storage the account may have, in GB."`
	PrimaryStorageTotal     int64  `json:"primarystoragetotal" doc:"How much primary storage the account has, in GB."`
	PrimaryStorageAvailable string `json:"primarystorageavailable" doc:"How much more primary storage the account may have, in GB."`

	NetworkLimit     string `json:"networklimit" doc:"How many networks the account may have."`
	NetworkTotal     int64  `json:"networktotal" doc:"How many networks the account has."`
	NetworkAvailable string `json:"networkavailable" doc:"How many more networks the account may have."`

	IPLimit     string `json:"iplimit" doc:"How many public addresses the account may have."`
	IPTotal     int64  `json:"iptotal" doc:"How many public addresses the account has."`
	IPAvailable string `json:"ipavailable" doc:"How many more public addresses the account may have."`

	TemplateLimit     string `json:"templatelimit" doc:"How many templates and ISOs the account may have."`
	TemplateTotal     int64  `json:"templatetotal" doc:"How many templates and ISOs the account has."`
	TemplateAvailable string `json:"templateavailable" doc:"How many more templates and ISOs the account may have."`

	SecondaryStorageLimit     string  `json:"secondarystoragelimit" doc:"How much secondary storage the account may have, in GB."`
	SecondaryStorageTotal     float64 `json:"secondarystoragetotal" doc:"How much secondary storage the account has, in GB."`
	SecondaryStorageAvailable string  `json:"secondarystorageavailable" doc:"How much more secondary storage the account may have, in GB."`

	SnapshotLimit     string `json:"snapshotlimit" doc:"How many snapshots the account may have, once there are any."`
	SnapshotTotal     int64  `json:"snapshottotal" doc:"How many snapshots the account has. There are none yet."`
	SnapshotAvailable string `json:"snapshotavailable" doc:"How many more snapshots the account may have."`

	ProjectLimit     string `json:"projectlimit" doc:"How many projects the account may have, once there are any."`
	ProjectTotal     int64  `json:"projecttotal" doc:"How many projects the account has. There are none yet."`
	ProjectAvailable string `json:"projectavailable" doc:"How many more projects the account may have."`

	VPCLimit     string `json:"vpclimit" doc:"How many VPCs the account may have, once there are any."`
	VPCTotal     int64  `json:"vpctotal" doc:"How many VPCs the account has. There are none yet."`
	VPCAvailable string `json:"vpcavailable" doc:"How many more VPCs the account may have."`

	DefaultZoneID uid.Zone          `json:"defaultzoneid,omitempty" doc:"The ID of the zone that the account's things go to where none is named; absent where there is no such zone."`
	ReceivedBytes *int64            `json:"receivedbytes,omitempty" doc:"How many bytes the account's networks have received; absent while nothing is measured."`
	SentBytes     *int64            `json:"sentbytes,omitempty" doc:"How many bytes the account's networks have sent; absent while nothing is measured."`
	Details       map[string]string `json:"accountdetails,omitempty" doc:"What else is known of the account, where something is."`
	CleanUp       bool              `json:"iscleanuprequired" doc:"Whether the account is removed while what it owns is not yet."`

	Users []User `json:"user,omitempty" doc:"The account's users."`
	Pending
}
