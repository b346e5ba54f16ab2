package secgroup

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the groups that can have tags.
var Taggable = tag.Kind{Type: tag.SecurityGroup, Table: "security_groups"}

type groupRow struct {
	bun.BaseModel `bun:"table:security_groups,alias:g"`
	Group
}

func insert(ctx context.Context, tx db.Tx, g Group) error {
	_, err := tx.NewInsert().Model(&groupRow{Group: g}).Exec(ctx)
	return err
}

// update gives the group with an ID what g says, which may be another ID.
func update(ctx context.Context, tx db.Tx, id uid.SecurityGroup, g Group) error {
	if _, err := tx.NewRaw("update security_groups set id = ?, name = ? where id = ?", g.ID, g.Name, id).Exec(ctx); err != nil || g.ID == id {
		return err
	}
	for _, where := range []struct{ table, column string }{
		{"security_group_vms", "group_id"}, {"security_group_rules", "group_id"}, {"security_group_rules", "peer_id"},
	} {
		column := bun.Ident(where.column)
		_, err := tx.NewRaw("update ? set ? = ? where ? = ?", bun.Ident(where.table), column, g.ID, column, id).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return tag.Follow(ctx, tx, tag.SecurityGroup, id, g.ID)
}

func remove(ctx context.Context, tx db.Tx, id uid.SecurityGroup) error {
	if err := removeRulesOf(ctx, tx, id); err != nil {
		return err
	}
	if _, err := tx.NewRaw("delete from security_groups where id = ?", id).Exec(ctx); err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.SecurityGroup, id)
}

// find gives a group within a scope.
func find(ctx context.Context, q db.Tx, scope auth.Scope, id uid.SecurityGroup) (Group, error) {
	found, err := findAll(ctx, q, scope, []uid.SecurityGroup{id})
	if g, ok := found[id]; ok {
		return g, nil
	}
	if err == nil {
		err = fault.Missing(id)
	}
	return Group{}, err
}

// findAll gives those of some groups that lie in a scope.
func findAll(ctx context.Context, q db.Tx, scope auth.Scope, ids []uid.SecurityGroup) (map[uid.SecurityGroup]Group, error) {
	var rows []groupRow
	err := scope.Where(q.NewSelect().Model(&rows).Where("g.id in (?)", bun.List(ids)), "g").Scan(ctx)
	out := make(map[uid.SecurityGroup]Group, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Group
	}
	return out, err
}

var selectNamed = db.Prepare("select * from security_groups where account_id = ? and name = ?")

// findByName gives an account's group by its name.
func findByName(ctx context.Context, q db.Tx, owner uid.Account, name string) (Group, error) {
	var rows []groupRow
	if err := q.Select(ctx, selectNamed, &rows, owner, name); err != nil {
		return Group{}, err
	}
	if len(rows) == 0 {
		return Group{}, fault.NotFoundf("the account has no security group called %q", name)
	}
	return rows[0].Group, nil
}

var (
	joinGroup   = db.Prepare("insert into security_group_vms (vm_id, group_id) values (?, ?) on conflict do nothing")
	leaveGroups = db.Prepare("delete from security_group_vms where vm_id = ?")
)

func join(ctx context.Context, tx db.Tx, vm uid.VM, group uid.SecurityGroup) error {
	return tx.Later(ctx, joinGroup, vm, group)
}

func leave(ctx context.Context, tx db.Tx, vm uid.VM) error {
	return tx.Later(ctx, leaveGroups, vm)
}

func countMembers(ctx context.Context, tx db.Tx, id uid.SecurityGroup) (n int, err error) {
	err = tx.NewRaw("select count(*) from security_group_vms where group_id = ?", id).Scan(ctx, &n)
	return n, err
}

var byIDs = db.PrepareMany("select * from security_groups where id in (?)")

// ByID gives groups by their ids, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (map[uid.SecurityGroup]Group, error) {
	return db.ByID(ctx, q, byIDs, ids, func(r groupRow) (uid.SecurityGroup, Group) { return r.ID, r.Group })
}

var (
	groupsOf = db.PrepareMany(`select m.vm_id as machine, g.* from security_group_vms m join security_groups g on g.id = m.group_id
		where m.vm_id in (?) order by m.vm_id, g.name`)
	membersOf = db.PrepareMany("select vm_id, group_id from security_group_vms where group_id in (?) order by group_id, vm_id")
)

// Of gives the groups that machines are in, each machine's by name, in one query.
func Of(ctx context.Context, q db.Tx, vms []uid.VM) (map[uid.VM][]Group, error) {
	type joined struct {
		bun.BaseModel `bun:"table:security_groups,alias:g"`
		Group
		Machine uid.VM
	}
	rows, err := db.Rows[joined](ctx, q, groupsOf, vms)
	out := make(map[uid.VM][]Group, len(rows))
	for _, r := range rows {
		out[r.Machine] = append(out[r.Machine], r.Group)
	}
	return out, err
}

// Members gives the machines that are in groups, the oldest first, in one query.
func Members(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (map[uid.SecurityGroup][]uid.VM, error) {
	type member struct {
		VMID    uid.VM `bun:"vm_id"`
		GroupID uid.SecurityGroup
	}
	rows, err := db.Rows[member](ctx, q, membersOf, ids)
	out := make(map[uid.SecurityGroup][]uid.VM, len(ids))
	for _, r := range rows {
		out[r.GroupID] = append(out[r.GroupID], r.VMID)
	}
	return out, err
}

// List gives a page of groups, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Group, int, error) {
	var rows []groupRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "g").Order("g.id")
	db.Equal(q, "g.id", f.ID)
	f.Tags.Where(q, tag.SecurityGroup, "g.id")
	db.Equal(q, "g.name", f.Name)
	if f.VM != "" {
		q.Where("g.id in (select group_id from security_group_vms where vm_id = ?)", f.VM)
	}
	db.Like(q, f.Keyword, "g.name", "g.description")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	out := make([]Group, len(rows))
	for i, r := range rows {
		out[i] = r.Group
	}
	return out, n, err
}

// RemoveAllOf removes the groups of an account that is deleted and has no machines any more, its default one, too, and all rules that
// name them.
func RemoveAllOf(ctx context.Context, tx db.Tx, account uid.Account) error {
	if err := tx.Retire(ctx, guard(account)); err != nil {
		return err
	}
	var ids []uid.SecurityGroup
	if err := tx.NewRaw("select id from security_groups where account_id = ? order by id", account).Scan(ctx, &ids); err != nil {
		return err
	}
	for _, id := range ids {
		if err := removeRulesOf(ctx, tx, id); err != nil {
			return err
		}
		if err := forgetPeer(ctx, tx, id); err != nil {
			return err
		}
	}
	_, err := tx.NewRaw("delete from security_groups where account_id = ?", account).Exec(ctx)
	return err
}
