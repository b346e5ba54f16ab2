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

// TaggableRules are the rules that can have tags.
var TaggableRules = tag.Kind{Type: tag.SecurityGroupRule, Table: "security_group_rules"}

type ruleRow struct {
	bun.BaseModel `bun:"table:security_group_rules,alias:r"`
	Rule
}

func insertRules(ctx context.Context, tx db.Tx, rules []Rule) error {
	rows := make([]ruleRow, len(rules))
	for i, r := range rules {
		rows[i].Rule = r
	}
	_, err := tx.NewInsert().Model(&rows).Exec(ctx)
	return err
}

// putBack writes rules again that were taken away, if what they are of and about is still there.
func putBack(ctx context.Context, tx db.Tx, rules []Rule) error {
	for _, r := range rules {
		there, err := ByID(ctx, tx, []uid.SecurityGroup{r.Group, r.Peer})
		if err != nil {
			return err
		}
		if _, ok := there[r.Group]; !ok {
			continue
		}
		if _, ok := there[r.Peer]; !ok && r.Peer != "" {
			continue
		}
		if err := insertRules(ctx, tx, []Rule{r}); err != nil {
			return err
		}
	}
	return nil
}

func removeRules(ctx context.Context, tx db.Tx, rules []Rule) error {
	for _, r := range rules {
		if _, err := tx.NewRaw("delete from security_group_rules where id = ?", r.ID).Exec(ctx); err != nil {
			return err
		}
		if err := tag.Forget(ctx, tx, tag.SecurityGroupRule, r.ID); err != nil {
			return err
		}
	}
	return nil
}

// removeRulesOf removes all rules of a group, in which no machine is.
func removeRulesOf(ctx context.Context, tx db.Tx, id uid.SecurityGroup) error {
	of, err := RulesOf(ctx, tx, []uid.SecurityGroup{id})
	if err != nil {
		return err
	}
	return removeRules(ctx, tx, of[id])
}

// forgetPeer removes all rules about a group, which goes.
func forgetPeer(ctx context.Context, tx db.Tx, id uid.SecurityGroup) error {
	var rows []ruleRow
	if err := tx.NewSelect().Model(&rows).Where("r.peer_id = ?", id).Order("r.id").Scan(ctx); err != nil {
		return err
	}
	for _, r := range rows {
		if err := noteGroup(ctx, tx, r.Group, true); err != nil {
			return err
		}
	}
	return removeRules(ctx, tx, rulesOf(rows))
}

func rulesOf(rows []ruleRow) []Rule {
	out := make([]Rule, len(rows))
	for i, r := range rows {
		out[i] = r.Rule
	}
	return out
}

// findRule gives a rule of a group within a scope.
func findRule(ctx context.Context, q db.Tx, scope auth.Scope, id uid.SecurityGroupRule, egress bool) (Rule, error) {
	var row ruleRow
	err := scope.Where(q.NewSelect().Model(&row), "r").Where("r.id = ? and r.egress = ?", id, egress).Scan(ctx)
	switch {
	case db.IsNone(err) && egress:
		err = fault.Missing(uid.SecurityGroupEgressRule(id))
	case db.IsNone(err):
		err = fault.Missing(id)
	}
	return row.Rule, err
}

var rulesOfMany = db.PrepareMany("select * from security_group_rules where group_id in (?) order by group_id, id")

// RulesOf gives the rules of groups, the oldest first, in one query.
func RulesOf(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (map[uid.SecurityGroup][]Rule, error) {
	rows, err := db.Rows[ruleRow](ctx, q, rulesOfMany, ids)
	out := make(map[uid.SecurityGroup][]Rule, len(ids))
	for _, r := range rows {
		out[r.Group] = append(out[r.Group], r.Rule)
	}
	return out, err
}

var batches = db.PrepareMany("select * from security_group_rules where batch_id in (?) order by id")

// Batches gives the rules that were made together with some, which were the first of each.
func Batches(ctx context.Context, q db.Tx, ids []uid.SecurityGroupRule) (map[uid.SecurityGroupRule][]Rule, error) {
	rows, err := db.Rows[ruleRow](ctx, q, batches, ids)
	out := make(map[uid.SecurityGroupRule][]Rule, len(ids))
	for _, r := range rows {
		out[r.Batch] = append(out[r.Batch], r.Rule)
	}
	return out, err
}

// naming gives the names of other groups that have rules about one.
func naming(ctx context.Context, q db.Tx, id uid.SecurityGroup) (names []string, err error) {
	err = q.NewRaw(`select distinct g.name from security_group_rules r join security_groups g on g.id = r.group_id
		where r.peer_id = ? and r.group_id <> ? order by g.name limit 10`, id, id).Scan(ctx, &names)
	return names, err
}

// groupsNaming gives the groups that have rules about some.
func groupsNaming(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (by []uid.SecurityGroup, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err = q.NewRaw("select distinct group_id from security_group_rules where peer_id in (?)", bun.List(ids)).Scan(ctx, &by)
	return by, err
}
