package account

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Kind is what is counted and limited per account. Its text is stored.
type Kind string

// The kinds.
const (
	VMs       Kind = "vm"
	CPUs      Kind = "cpu"
	MemoryMB  Kind = "memory_mb"
	Volumes   Kind = "volume"
	PrimaryGB Kind = "primary_gb"
	Networks  Kind = "network"
)

// Use is how much of each kind is taken or given back. Kinds that are not in it are left alone.
type Use map[Kind]int64

// Count is how much of a kind an account uses and may use.
type Count struct {
	Used    int64
	Maximum int64 // Unlimited for no limit
}

// Unlimited is the maximum of what is not limited.
const Unlimited = -1

// Counts holds an account's count of every kind.
type Counts map[Kind]Count

// Take counts what is being allocated for an account against its limits, in the transaction that allocates. It fails with
// fault.Limit, naming the kind, the limit and what was asked, and then the transaction must not go on.
func Take(ctx context.Context, tx db.Tx, account uid.Account, use Use) error { panic("soon") }

// Give takes back what [Take] counted, in the transaction that frees. Giving more than was taken is a defect and an error.
func Give(ctx context.Context, tx db.Tx, account uid.Account, use Use) error { panic("soon") }

// Limits gives the counts of accounts, in one query.
func Limits(ctx context.Context, q db.Tx, accounts ...uid.Account) (map[uid.Account]Counts, error) {
	panic("soon")
}
