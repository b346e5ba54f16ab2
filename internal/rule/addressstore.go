package rule

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// addressIn gives an address that somebody in a scope has.
func addressIn(ctx context.Context, q db.Tx, scope auth.Scope, id uid.PublicIP) (a network.Address, err error) {
	var row struct {
		bun.BaseModel `bun:"table:public_ips,alias:a"`
		network.Address
	}
	err = scope.Where(q.NewSelect().Model(&row), "a").Where("a.id = ? and a.state <> ? and a.vm_id is null", id, network.Free).Scan(ctx)
	if db.IsNone(err) {
		err = fault.Missing(id)
	}
	return row.Address, err
}
