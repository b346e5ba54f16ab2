package compute

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// OfTemplate counts the machines in some zones that were made from a template, or have an ISO in their CD drive, and are not expunged. One
// that was installed from an ISO doesn't need it any more.
func OfTemplate(ctx context.Context, q db.Tx, id uid.Template, zones []uid.Zone) (int, error) {
	n, err := q.NewSelect().Model((*vmRow)(nil)).
		Where("(v.template_id = ? and not exists (select 1 from templates t where t.id = v.template_id and t.format = 'ISO') or v.iso_id = ?) "+
			"and v.zone_id in (?) and v.removed is null", id, id, bun.List(zones)).Count(ctx)
	return int(n), err
}

// setISO records what is in a machine's CD drive; "" for nothing.
func setISO(ctx context.Context, tx db.Tx, id uid.VM, iso uid.Template) error {
	_, err := tx.NewRaw("update vms set iso_id = nullif(?, ''), version = version + 1 where id = ?", iso, id).Exec(ctx)
	return err
}
