package project

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type memberRow struct {
	bun.BaseModel `bun:"table:project_members,alias:m"`
	Member
}

func insertMember(ctx context.Context, tx db.Tx, m Member) error {
	_, err := tx.NewInsert().Model(&memberRow{Member: m}).Exec(ctx)
	return err
}

func deleteMember(ctx context.Context, tx db.Tx, m Member) error {
	_, err := tx.NewRaw("delete from project_members where project_id = ? and account_id = ? and user_id = ?", m.Project, m.Account, m.User).Exec(ctx)
	return err
}

func setAdmin(ctx context.Context, tx db.Tx, m Member, admin bool) error {
	_, err := tx.NewRaw("update project_members set admin = ? where project_id = ? and account_id = ? and user_id = ?",
		admin, m.Project, m.Account, m.User).Exec(ctx)
	return err
}

var (
	membersIn = db.Prepare("select * from project_members where project_id = ? order by created, account_id, user_id")
	// The roles of projects that are being deleted still count: what is left in them is still to be seen.
	myMemberships = db.Prepare("select * from project_members where account_id = ? and user_id in ('', ?) order by project_id, user_id")
	ofAccount     = db.Prepare(`select * from project_members where account_id = ? and (cast(? as text) = '' or user_id = ?)
		order by project_id, user_id`)
	adminsOf = db.PrepareMany("select * from project_members where project_id in (?) and admin order by created, account_id, user_id")
	isAdmin  = db.Prepare("select * from project_members where project_id = ? and account_id = ? and user_id in ('', ?) and admin")
)

func members(rows []memberRow) []Member {
	out := make([]Member, len(rows))
	for i, r := range rows {
		out[i] = r.Member
	}
	return out
}

func selected(ctx context.Context, q db.Tx, s *db.Statement, args ...any) ([]Member, error) {
	var rows []memberRow
	err := q.Select(ctx, s, &rows, args...)
	return members(rows), err
}

// membersOf are all members of a project.
func membersOf(ctx context.Context, q db.Tx, id uid.Project) ([]Member, error) {
	return selected(ctx, q, membersIn, string(id))
}

// memberships are those of a caller, by project, those of its account before its own.
func memberships(ctx context.Context, q db.Tx, c auth.Caller) ([]Member, error) {
	return selected(ctx, q, myMemberships, string(c.Account), string(c.User))
}

// membershipsOf are those of an account with all its users, or of one user, by project.
func membershipsOf(ctx context.Context, q db.Tx, id uid.Account, user uid.User) ([]Member, error) {
	return selected(ctx, q, ofAccount, string(id), string(user), string(user))
}

func administers(ctx context.Context, q db.Tx, c auth.Caller, id uid.Project) (bool, error) {
	found, err := selected(ctx, q, isAdmin, string(id), string(c.Account), string(c.User))
	return len(found) > 0, err
}

// usersOf are the users that belong to a project as a member does: the user itself, or all of the account.
func usersOf(ctx context.Context, q db.Tx, m Member) (found []uid.User, err error) {
	if m.User != "" {
		return []uid.User{m.User}, nil
	}
	err = q.NewRaw("select id from users where account_id = ?", m.Account).Scan(ctx, &found)
	return found, err
}

// AdminsOf gives who administers projects, in one query.
func AdminsOf(ctx context.Context, q db.Tx, ids []uid.Project) (map[uid.Project][]Member, error) {
	of := map[uid.Project][]Member{}
	rows, err := db.Rows[memberRow](ctx, q, adminsOf, ids)
	for _, r := range rows {
		of[r.Project] = append(of[r.Project], r.Member)
	}
	return of, err
}

func listMembers(ctx context.Context, q db.Tx, f MemberFilter) ([]Member, int, error) {
	var rows []memberRow
	s := q.NewSelect().Model(&rows).ColumnExpr("m.*").Join("join accounts a on a.id = m.account_id").Where("m.project_id = ?", f.Project).
		Order("m.created", "m.account_id", "m.user_id")
	db.Equal(s, "a.name", f.Account)
	db.Equal(s, "m.user_id", f.User)
	db.Equal(s, "m.role_id", f.Role)
	if f.Admin != nil {
		s.Where("m.admin = ?", *f.Admin)
	}
	db.Like(s, f.Keyword, "a.name")
	total, err := db.Page(ctx, s, f.Offset, f.Limit)
	return members(rows), total, err
}
