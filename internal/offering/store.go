package offering

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

func insert(ctx context.Context, tx db.Tx, row any) error {
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

// Filter says which offerings a list shows. Zero fields don't restrict; those that a kind does not have are ignored.
type Filter struct {
	ID           string
	Name         string
	State        State
	System       *bool // service offerings, as the fields below
	SystemType   string
	MinCPU       int // at least so much; customized offerings count with their upper bounds
	MinMHz       int
	MinMemoryMB  int
	ChangeFrom   *Compute    // what a machine of this offering can be given instead, see [Compute.ChangesTo]
	RootBytes    int64       // whose root disks hold so much
	StorageType  StorageType // service and disk offerings, as the next two
	Zone         uid.Zone    // offered there
	Domain       uid.Domain  // offered to this domain by name
	DisplayText  string      // network offerings, as the fields below
	TrafficType  string
	Default      *bool
	SpecifyVLAN  *bool
	Availability string
	GuestType    GuestType
	ForVPC       *bool
	SourceNAT    *bool
	IPRanges     *bool    // whether its networks must be given their addresses
	Services     []string // has all of them
	Tagged       *bool    // whether it has any tag
	Tag          string
	ChangeNet    *Network // what a network of this offering can be given instead
	Keyword      string   // in name or display text
	Offset       int
	Limit        int // 0 or less: all
}

func where(q *bun.SelectQuery, column string, value *bool) {
	if value != nil {
		q.Where("? = ?", bun.Safe(column), *value)
	}
}

func find(ctx context.Context, q db.Tx, id uid.Typed, row any) error {
	err := q.NewSelect().Model(row).Where("o.id = ? and o.removed is null", id.String()).Scan(ctx)
	if db.IsNone(err) {
		return fault.Missing(id)
	}
	return err
}
