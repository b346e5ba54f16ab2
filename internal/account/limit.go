package account

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/auth"
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
	// Snapshots, like the kinds after them, have limits, but there are none of the things yet: nothing is counted.
	Snapshots Kind = "snapshot"
	Projects  Kind = "project"
	VPCs      Kind = "vpc"
)

// Unlimited is the maximum of what is not limited.
const Unlimited = -1

// kinds are all kinds. The maximum is what a new account gets.
var kinds = []struct {
	kind    Kind
	name    string
	maximum setting.Key[int64]
}{
	{VMs, "virtual machines", setting.MaxVMs},
	{CPUs, "CPU cores", setting.MaxCPUs},
	{MemoryMB, "MB of memory", setting.MaxMemory},
	{Volumes, "volumes", setting.MaxVolumes},
	{PrimaryGB, "GB of primary storage", setting.MaxPrimary},
	{Networks, "networks", setting.MaxNetworks},
	{PublicIPs, "public IP addresses", setting.MaxPublicIPs},
	{Templates, "templates and ISOs", setting.MaxTemplates},
	{SecondaryGB, "GB of secondary storage", setting.MaxSecondary},
	{Snapshots, "snapshots", setting.MaxSnapshots},
	{Projects, "projects", setting.MaxProjects},
	{VPCs, "VPCs", setting.MaxVPCs},
}

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

// Take counts what is being allocated for an account against its limits, in the transaction that allocates. It fails with
// fault.Limit, naming the kind, the limit and what was asked; the failure may come as late as at the commit ([db.Tx.Must]).
// That happens at the transaction's end ([db.Statement.Hot]).
func Take(ctx context.Context, tx db.Tx, account uid.Account, use Use) error {
	if err := use.check(); err != nil {
		return fmt.Errorf("count what account %s takes: %w", account, err)
	}
	return count(ctx, tx, account, use, false, func(ctx context.Context, q db.Tx) error {
		if closing, err := isClosing(ctx, q, account); err == nil && closing {
			return errClosing()
		}
		all, err := Limits(ctx, q, account)
		if err != nil {
			return err
		}
		if all[account] == nil {
			return fmt.Errorf("account %s has no counts", account)
		}
		for _, k := range kinds {
			c, n := all[account][k.kind], use[k.kind]
			if c.Maximum >= 0 && c.Maximum-c.Used < n {
				return fault.Limitf("the account's limit of %s (%s) is %d: %d are in use, %d more were asked for",
					k.name, k.kind, c.Maximum, c.Used, n)
			}
		}
		return db.ErrAgain // there is room by now
	})
}

// Give takes back what [Take] counted, in the transaction that frees. Giving more than was taken is a defect and an error.
func Give(ctx context.Context, tx db.Tx, account uid.Account, use Use) error {
	if err := use.check(); err != nil {
		return fmt.Errorf("count what account %s gives back: %w", account, err)
	}
	return count(ctx, tx, account, use, true, func(context.Context, db.Tx) error {
		return fmt.Errorf("account %s gives back %v, more than it has taken", account, use)
	})
}

// Limits gives the counts of accounts, in one query.
func Limits(ctx context.Context, q db.Tx, accounts ...uid.Account) (map[uid.Account]Counts, error) {
	all, err := counts(ctx, q, accounts)
	if err != nil {
		return nil, fmt.Errorf("read limits: %w", err)
	}
	return all, nil
}

// defaults are the maxima of a new account.
func (s *Service) defaults(t auth.AccountType) map[Kind]int64 {
	maxima := make(map[Kind]int64, len(kinds))
	for _, k := range kinds {
		maxima[k.kind] = k.maximum.Of(s.settings)
		if t == auth.RootAdmin {
			maxima[k.kind] = Unlimited
		}
	}
	return maxima
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
