package role

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type roleRow struct {
	bun.BaseModel `bun:"table:roles,alias:r"`
	Role
}

type ruleRow struct {
	bun.BaseModel `bun:"table:role_permissions,alias:p"`
	Rule
}

var (
	allRoles  = db.Prepare("select * from roles where removed is null order by id")
	rolesByID = db.PrepareMany("select * from roles where id in (?)")
	rulesEach = db.PrepareMany("select * from role_permissions where role_id in (?) order by role_id, position")
	rulesByID = db.PrepareMany("select * from role_permissions where id in (?)")
)

// readRoles gives the roles that are in the table, the oldest first.
func readRoles(ctx context.Context, q db.Tx) ([]Role, error) {
	var rows []roleRow
	err := q.Select(ctx, allRoles, &rows)
	out := make([]Role, len(rows))
	for i, r := range rows {
		out[i] = r.Role
	}
	return out, err
}

// rolesOf finds roles in the table, removed ones too.
func rolesOf(ctx context.Context, q db.Tx, ids []uid.Role) (map[uid.Role]Role, error) {
	return db.ByID(ctx, q, rolesByID, ids, func(r roleRow) (uid.Role, Role) { return r.ID, r.Role })
}

// readRules gives the rules of roles that are in the table, in order.
func readRules(ctx context.Context, q db.Tx, ids []uid.Role) (map[uid.Role][]Rule, error) {
	of := map[uid.Role][]Rule{}
	rows, err := db.Rows[ruleRow](ctx, q, rulesEach, ids)
	for _, r := range rows {
		of[r.Role] = append(of[r.Role], r.Rule)
	}
	return of, err
}

// RulesByID gives rules by their ids, in one query. Those of the roles that every cloud has are not among them.
func RulesByID(ctx context.Context, q db.Tx, ids []uid.RolePermission) (map[uid.RolePermission]Rule, error) {
	return db.ByID(ctx, q, rulesByID, ids, func(r ruleRow) (uid.RolePermission, Rule) { return r.ID, r.Rule })
}

// lockRole counts one more change of a role, which keeps others from changing it before the transaction's end. There is none of a
// role that is not there.
func lockRole(ctx context.Context, tx db.Tx, id uid.Role) (Role, error) {
	n, err := db.Changed(tx.NewRaw("update roles set version = version + 1 where id = ? and removed is null", id).Exec(ctx))
	if err != nil || n == 0 {
		return Role{}, err
	}
	found, err := rolesOf(ctx, tx, []uid.Role{id})
	return found[id], err
}

func roleNamed(ctx context.Context, q db.Tx, name string) (Role, error) {
	var row roleRow
	err := q.NewSelect().Model(&row).Where("r.name = ? and r.removed is null", name).Scan(ctx)
	return row.Role, err
}

func insertRole(ctx context.Context, tx db.Tx, r Role) error {
	_, err := tx.NewInsert().Model(&roleRow{Role: r}).Exec(ctx)
	return err
}

// putRole writes what can change of a role, but for its rules and version.
func putRole(ctx context.Context, tx db.Tx, r Role) error {
	_, err := tx.NewUpdate().Model(&roleRow{Role: r}).Column("name", "description", "type", "state", "public", "removed").WherePK().Exec(ctx)
	return err
}

// insertRules adds rules, each at its position.
func insertRules(ctx context.Context, tx db.Tx, rules ...Rule) error {
	if len(rules) == 0 {
		return nil
	}
	rows := make([]ruleRow, len(rules))
	for i, r := range rules {
		rows[i].Rule = r
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// deleteRules removes all rules of a role.
func deleteRules(ctx context.Context, tx db.Tx, id uid.Role) error {
	_, err := tx.NewRaw("delete from role_permissions where role_id = ?", id).Exec(ctx)
	return err
}
