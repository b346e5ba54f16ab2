package project

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type roleRow struct {
	bun.BaseModel `bun:"table:project_roles,alias:r"`
	Role
}

type ruleRow struct {
	bun.BaseModel `bun:"table:project_role_permissions,alias:p"`
	Rule
}

var (
	rolesByID = db.PrepareMany("select * from project_roles where id in (?)")
	rulesByID = db.PrepareMany("select * from project_role_permissions where id in (?)")
	rulesEach = db.PrepareMany("select * from project_role_permissions where role_id in (?) order by role_id, position")
)

// RolesByID gives project roles by their ids, in one query.
func RolesByID(ctx context.Context, q db.Tx, ids []uid.ProjectRole) (map[uid.ProjectRole]Role, error) {
	found, err := db.ByID(ctx, q, rolesByID, ids, func(r roleRow) (uid.ProjectRole, Role) { return r.ID, r.Role })
	if err != nil {
		return nil, fmt.Errorf("find project roles: %w", err)
	}
	return found, nil
}

// RulesByID gives rules of project roles by their ids, in one query.
func RulesByID(ctx context.Context, q db.Tx, ids []uid.ProjectRolePermission) (map[uid.ProjectRolePermission]Rule, error) {
	found, err := db.ByID(ctx, q, rulesByID, ids, func(r ruleRow) (uid.ProjectRolePermission, Rule) { return r.ID, r.Rule })
	if err != nil {
		return nil, fmt.Errorf("find rules of project roles: %w", err)
	}
	return found, nil
}

// rulesOf gives the rules of roles, in order.
func rulesOf(ctx context.Context, q db.Tx, ids []uid.ProjectRole) (map[uid.ProjectRole][]Rule, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // no roles have no rules
	}
	of := map[uid.ProjectRole][]Rule{}
	rows, err := db.Rows[ruleRow](ctx, q, rulesEach, ids)
	for _, r := range rows {
		of[r.Role] = append(of[r.Role], r.Rule)
	}
	return of, err
}

// rulesIn gives the rules of one role of a project, or ("") of all, in order.
func rulesIn(ctx context.Context, q db.Tx, of uid.Project, id uid.ProjectRole) ([]Rule, error) {
	var rows []ruleRow
	s := q.NewSelect().Model(&rows).Where("p.role_id in (select id from project_roles where project_id = ?)", of).Order("p.role_id", "p.position")
	db.Equal(s, "p.role_id", id)
	if err := s.Scan(ctx); err != nil {
		return nil, fmt.Errorf("read the rules of the roles of project %s: %w", of, err)
	}
	out := make([]Rule, len(rows))
	for i, r := range rows {
		out[i] = r.Rule
	}
	return out, nil
}

func countRoles(ctx context.Context, tx db.Tx, of uid.Project) (n int, err error) {
	err = tx.NewRaw("select count(*) from project_roles where project_id = ?", of).Scan(ctx, &n)
	return n, err
}

// countUses counts the members and the open invitations that have a role.
func countUses(ctx context.Context, tx db.Tx, id uid.ProjectRole) (members, invited int, err error) {
	err = tx.NewRaw(`select (select count(*) from project_members where role_id = ?),
		(select count(*) from project_invitations where role_id = ? and state = ? and expires > ?)`, id, id, Pending, tx.Now).
		Scan(ctx, &members, &invited)
	return members, invited, err
}

func insertRole(ctx context.Context, tx db.Tx, r Role) error {
	_, err := tx.NewInsert().Model(&roleRow{Role: r}).Exec(ctx)
	return err
}

func saveRole(ctx context.Context, tx db.Tx, r Role) error {
	_, err := tx.NewUpdate().Model(&roleRow{Role: r}).Column("name", "description").WherePK().Exec(ctx)
	return err
}

// deleteRole removes a role with its rules.
func deleteRole(ctx context.Context, tx db.Tx, id uid.ProjectRole) error {
	if _, err := tx.NewRaw("delete from project_role_permissions where role_id = ?", id).Exec(ctx); err != nil {
		return err
	}
	_, err := tx.NewRaw("delete from project_roles where id = ?", id).Exec(ctx)
	return err
}

// setRules gives a role these rules and no others.
func setRules(ctx context.Context, tx db.Tx, id uid.ProjectRole, rules []Rule) error {
	if _, err := tx.NewRaw("delete from project_role_permissions where role_id = ?", id).Exec(ctx); err != nil || len(rules) == 0 {
		return err
	}
	rows := make([]ruleRow, len(rules))
	for i, r := range rules {
		rows[i].Rule = r
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

func listRoles(ctx context.Context, q db.Tx, f RoleFilter) ([]Role, int, error) {
	var rows []roleRow
	s := q.NewSelect().Model(&rows).Where("r.project_id = ?", f.Project).Order("r.id")
	db.Equal(s, "r.id", f.ID)
	db.Equal(s, "r.name", f.Name)
	db.Like(s, f.Keyword, "r.name", "r.description")
	total, err := db.Page(ctx, s, f.Offset, f.Limit)
	out := make([]Role, len(rows))
	for i, r := range rows {
		out[i] = r.Role
	}
	return out, total, err
}
