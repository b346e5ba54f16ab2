package limit

import (
	"context"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Kind is what is counted and limited per account. Its text is the beginning of its columns' names.
type Kind string

// The kinds.
const (
	VMs         Kind = "vm"
	CPUs        Kind = "cpu"
	MemoryMB    Kind = "memory_mb"
	Volumes     Kind = "volume"
	PrimaryGB   Kind = "primary_gb"
	Networks    Kind = "network"
	PublicIPs   Kind = "public_ip"
	Templates   Kind = "template" // and ISOs
	SecondaryGB Kind = "secondary_gb"
	Projects    Kind = "project" // that it administers
	Snapshots   Kind = "snapshot"
	// VPCs have limits, but there are none yet: nothing is counted.
	VPCs Kind = "vpc"
)

// Unlimited is the maximum of what is not limited.
const Unlimited = -1

// kindRow is what is to be known of a kind: its number and name in CloudStack's API, and the settings that say how much of it an
// account may have, a project, and a domain's accounts together, where nobody has set that.
type kindRow struct {
	kind     Kind
	number   int
	word     string
	name     string
	maximum  setting.Key[int64]
	project  setting.Key[int64]
	together setting.Key[int64]
}

// kinds are all kinds, by their numbers.
var kinds = []kindRow{
	{VMs, 0, "user_vm", "virtual machines", setting.MaxVMs, setting.MaxProjectVMs, setting.MaxDomainVMs},
	{PublicIPs, 1, "public_ip", "public IP addresses", setting.MaxPublicIPs, setting.MaxProjectPublicIPs, setting.MaxDomainPublicIPs},
	{Volumes, 2, "volume", "volumes", setting.MaxVolumes, setting.MaxProjectVolumes, setting.MaxDomainVolumes},
	{Snapshots, 3, "snapshot", "snapshots", setting.MaxSnapshots, setting.MaxProjectSnapshots, setting.MaxDomainSnapshots},
	{Templates, 4, "template", "templates and ISOs", setting.MaxTemplates, setting.MaxProjectTemplates, setting.MaxDomainTemplates},
	{Projects, 5, "project", "projects", setting.MaxProjects, setting.MaxProjects, setting.MaxDomainProjects},
	{Networks, 6, "network", "networks", setting.MaxNetworks, setting.MaxProjectNetworks, setting.MaxDomainNetworks},
	{VPCs, 7, "vpc", "VPCs", setting.MaxVPCs, setting.MaxProjectVPCs, setting.MaxDomainVPCs},
	{CPUs, 8, "cpu", "CPU cores", setting.MaxCPUs, setting.MaxProjectCPUs, setting.MaxDomainCPUs},
	{MemoryMB, 9, "memory", "MB of memory", setting.MaxMemory, setting.MaxProjectMemory, setting.MaxDomainMemory},
	{PrimaryGB, 10, "primary_storage", "GB of primary storage", setting.MaxPrimary, setting.MaxProjectPrimary, setting.MaxDomainPrimary},
	{SecondaryGB, 11, "secondary_storage", "GB of secondary storage", setting.MaxSecondary, setting.MaxProjectSecondary, setting.MaxDomainSecondary},
}

// Number is the kind's number in CloudStack's API.
func (k Kind) Number() int { return k.row().number }

// Word is the kind's name in CloudStack's API: user_vm.
func (k Kind) Word() string { return k.row().word }

// Name is what people call it: virtual machines.
func (k Kind) Name() string { return k.row().name }

func (k Kind) row() kindRow {
	i := slices.IndexFunc(kinds, func(r kindRow) bool { return r.kind == k })
	if i < 0 {
		return kindRow{number: -1}
	}
	return kinds[i]
}

func ref(k setting.Key[int64]) *settingRef { return &settingRef{name: k.Name, initial: k.Of(nil)} }

// Kinds gives every kind.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// Use is how much of each kind is taken or given back, never negative. Kinds that are not in it are left alone.
type Use map[Kind]int64

// Count is how much of a kind an account uses and may use.
type Count struct {
	Used    int64
	Maximum int64 // Unlimited for no limit
}

// Counts holds an account's count of every kind.
type Counts map[Kind]Count

// To is what is to be counted more, and less, when one use becomes another.
func (u Use) To(after Use) (more, less Use) {
	more, less = Use{}, Use{}
	for k, n := range after {
		if n > u[k] {
			more[k] = n - u[k]
		} else {
			less[k] = u[k] - n
		}
	}
	return more, less
}

// Refusal is the fault.Limit that says which limit u goes beyond, and whose that is; db.ErrAgain where there is room by now.
func (u Use) Refusal(c Counts, whose string) error {
	if c == nil {
		return fmt.Errorf("nothing is counted for what has %s", whose)
	}
	for _, k := range kinds {
		have, n := c[k.kind], u[k.kind]
		if have.Maximum >= 0 && have.Maximum-have.Used < n {
			return fault.Limitf("%s of %s (%s) is %d: %d are in use, %d more were asked for", whose, k.name, k.word, have.Maximum, have.Used, n)
		}
	}
	return db.ErrAgain // there is room by now
}

// Take counts, for an account or a domain, what is being allocated, against its limits. Where it may not have so much the transaction
// fails with what refuse gives, as late as at its commit ([db.Tx.Must]); counting happens at the transaction's end ([db.Statement.Hot]).
func Take[Holder uid.Account | uid.Domain](ctx context.Context, tx db.Tx, of Holder, use Use, refuse func(ctx context.Context, q db.Tx) error) error {
	if err := use.check(); err != nil {
		return fmt.Errorf("count what %s takes: %w", of, err)
	}
	return holdingOf(of).count(ctx, tx, string(of), use, false, refuse)
}

// Give takes back what [Take] counted, in the transaction that frees. Giving more than was taken is a defect and an error.
func Give[Holder uid.Account | uid.Domain](ctx context.Context, tx db.Tx, of Holder, use Use) error {
	if err := use.check(); err != nil {
		return fmt.Errorf("count what %s gives back: %w", of, err)
	}
	return holdingOf(of).count(ctx, tx, string(of), use, true, func(context.Context, db.Tx) error {
		return fmt.Errorf("%s gives back %v, more than it has taken", of, use)
	})
}

// SetMost sets the limit that an account or a domain has of a kind.
func SetMost[Holder uid.Account | uid.Domain](ctx context.Context, tx db.Tx, of Holder, kind Kind, most int64) error {
	if err := holdingOf(of).setMost(ctx, tx, string(of), kind, most); err != nil {
		return fmt.Errorf("set a limit of %s: %w", of, err)
	}
	return nil
}

// OfAccounts gives the counts of accounts, in one query.
func OfAccounts(ctx context.Context, q db.Tx, accounts ...uid.Account) (map[uid.Account]Counts, error) {
	all, err := counts(ctx, q, accountCounts(), accounts)
	if err != nil {
		return nil, fmt.Errorf("read limits: %w", err)
	}
	return all, nil
}

// OfDomains gives what the accounts of domains, and of those below, use and may use together. ROOT has none.
func OfDomains(ctx context.Context, q db.Tx, domains ...uid.Domain) (map[uid.Domain]Counts, error) {
	all, err := counts(ctx, q, domainCounts(), domains)
	if err != nil {
		return nil, fmt.Errorf("read limits of domains: %w", err)
	}
	return all, nil
}

func (u Use) check() error {
	known := map[Kind]bool{}
	for _, k := range kinds {
		known[k.kind] = true
	}
	for k, n := range u {
		if !known[k] || n < 0 {
			return fmt.Errorf("%d of %q can't be counted", n, k)
		}
	}
	return nil
}

// Without are counts of what has no limits.
func Without(use Use) Counts {
	counts := Counts{}
	for _, k := range Kinds() {
		counts[k] = Count{Used: use[k], Maximum: Unlimited}
	}
	return counts
}
