package secgroup

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// note is that hosts are to be told of a group: those of its own machines, or those that have rules about it. Notes are only added
// and removed, so that deployments don't wait for each other; what one says may be said by many.
type note struct {
	ID    string            `bun:",pk"`
	Group uid.SecurityGroup `bun:"group_id"`
	Rules bool              // its rules are others; else its members
}

type noteRow struct {
	bun.BaseModel `bun:"table:security_group_notes"`
	note
}

//nolint:dupword // columns
var noteEach = db.Prepare(`insert into security_group_notes (id, group_id, rules)
	select cast(? as text) || m.group_id, m.group_id, false from security_group_vms m where m.vm_id = ?`)

// noteMembers notes that the members of all groups of a machine are others.
func noteMembers(ctx context.Context, tx db.Tx, vm uid.VM) error {
	return tx.Later(ctx, noteEach, string(uid.New[uid.SecurityGroup]())+"/", vm)
}

func noteGroup(ctx context.Context, tx db.Tx, id uid.SecurityGroup, rules bool) error {
	_, err := tx.NewInsert().Model(&noteRow{note: note{ID: string(uid.New[uid.SecurityGroup]()), Group: id, Rules: rules}}).Exec(ctx)
	return err
}

func noted(ctx context.Context, q db.Tx, limit int) (notes []note, err error) {
	err = q.NewRaw("select id, group_id, rules from security_group_notes order by id limit ?", limit).Scan(ctx, &notes)
	return notes, err
}

func spread(ctx context.Context, tx db.Tx, notes []note) error {
	ids := make([]string, len(notes))
	for i, n := range notes {
		ids[i] = n.ID
	}
	_, err := tx.NewRaw("delete from security_group_notes where id in (?)", bun.List(ids)).Exec(ctx)
	return err
}
