package project

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

type projectRow struct {
	bun.BaseModel `bun:"table:projects,alias:p"`
	Project
}

func insert(ctx context.Context, tx db.Tx, p Project) error {
	_, err := tx.NewInsert().Model(&projectRow{Project: p}).Exec(ctx)
	return err
}

func setDisplayText(ctx context.Context, tx db.Tx, id uid.Project, text string) error {
	_, err := tx.NewRaw("update projects set display_text = ? where id = ?", text, id).Exec(ctx)
	return err
}

// remove removes a project with its roles and invitations.
func remove(ctx context.Context, tx db.Tx, id uid.Project) error {
	for _, query := range []string{
		"delete from project_invitations where project_id = ?",
		"delete from project_role_permissions where role_id in (select id from project_roles where project_id = ?)",
		"delete from project_roles where project_id = ?",
	} {
		if _, err := tx.NewRaw(query, id).Exec(ctx); err != nil {
			return err
		}
	}
	_, err := tx.NewRaw("update projects set removed = ? where id = ? and removed is null", tx.Now, id).Exec(ctx)
	return err
}

// dressed adds what the project's account and domain know.
func dressed(q *bun.SelectQuery) *bun.SelectQuery {
	return q.ColumnExpr("p.*, a.name, a.state as account_state, a.closing, d.name as domain_name, d.path as domain_path").
		Join("join accounts a on a.id = p.account_id").Join("join domains d on d.id = p.domain_id")
}

// ByID gives projects by their ids, removed ones too.
func ByID(ctx context.Context, q db.Tx, ids []uid.Project) (map[uid.Project]Project, error) {
	var rows []projectRow
	err := dressed(q.NewSelect().Model(&rows)).Where("p.id in (?)", bun.List(ids)).Scan(ctx)
	out := make(map[uid.Project]Project, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Project
	}
	return out, err
}

// having keeps the projects to which a user of an account belongs, by itself or with the account; where the user is no particular one,
// anybody of the account does.
func having(q *bun.SelectQuery, column string, id uid.Account, user uid.User) {
	if user == "" {
		q.Where("? in (select project_id from project_members where account_id = ?)", bun.Safe(column), id)
		return
	}
	q.Where("? in (select project_id from project_members where account_id = ? and user_id in ('', ?))", bun.Safe(column), id, user)
}

func (s *Service) list(ctx context.Context, f Filter) ([]Project, int, error) {
	var rows []projectRow
	c := auth.From(ctx)
	q := dressed(s.db.Read().NewSelect().Model(&rows)).Where("p.removed is null").Order("p.id")
	switch {
	case f.Scope.Account == c.Account && f.Scope.Account != "":
		having(q, "p.id", c.Account, c.User)
	case f.Scope.Account != "":
		having(q, "p.id", f.Scope.Account, "")
	default:
		f.Scope.Of = auth.Anybody
		f.Scope.Where(q, "p")
	}
	db.Equal(q, "p.id", f.ID)
	db.Equal(q, "a.name", f.Name)
	db.Equal(q, "p.display_text", f.DisplayText)
	switch f.State {
	case "":
	case Disabled:
		q.Where("a.closing")
	case Suspended:
		q.Where("not a.closing and a.state <> ?", account.Enabled)
	case Active:
		q.Where("not a.closing and a.state = ?", account.Enabled)
	default:
		q.Where("1 = 0")
	}
	if f.Username != "" {
		q.Where(`p.id in (select m.project_id from project_members m join users u on u.account_id = m.account_id
			where u.username = ? and u.removed is null and m.user_id in ('', u.id))`, f.Username)
	}
	f.Tags.Where(q, tag.Project, "p.id")
	db.Like(q, f.Keyword, "a.name", "p.display_text")
	total, err := db.Page(ctx, q, f.Offset, f.Limit)
	out := make([]Project, len(rows))
	for i, r := range rows {
		out[i] = r.Project
	}
	return out, total, err
}
