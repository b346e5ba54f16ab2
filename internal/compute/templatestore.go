package compute

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// OfTemplate counts the machines in some zones that were made from a template, or have an ISO in their CD drive, and are not expunged.
func OfTemplate(ctx context.Context, q db.Tx, id uid.Template, zones []uid.Zone) (int, error) {
	n, err := q.NewSelect().Model((*vmRow)(nil)).
		Where("(v.template_id = ? or v.iso_id = ?) and v.zone_id in (?) and v.removed is null", id, id, bun.List(zones)).Count(ctx)
	return int(n), err
}
