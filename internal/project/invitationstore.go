package project

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

type invitationRow struct {
	bun.BaseModel `bun:"table:project_invitations,alias:i"`
	Invitation
}

func insertInvitation(ctx context.Context, tx db.Tx, i Invitation) error {
	_, err := tx.NewInsert().Model(&invitationRow{Invitation: i}).Exec(ctx)
	return err
}

// pendingFor is the invitation of somebody to a project that can be answered, or could be but for its age; the zero value for none.
func pendingFor(ctx context.Context, q db.Tx, m Member) (Invitation, error) {
	var row invitationRow
	err := q.NewSelect().Model(&row).
		Where("i.project_id = ? and i.account_id = ? and i.user_id = ? and i.state = ?", m.Project, m.Account, m.User, Pending).Scan(ctx)
	if db.IsNone(err) {
		err = nil
	}
	return row.Invitation, err
}

func forgetInvitations(ctx context.Context, tx db.Tx, m Member) error {
	_, err := tx.NewRaw("delete from project_invitations where project_id = ? and account_id = ? and user_id = ?", m.Project, m.Account, m.User).
		Exec(ctx)
	return err
}

func invitations(rows []invitationRow) []Invitation {
	out := make([]Invitation, len(rows))
	for i, r := range rows {
		out[i] = r.Invitation
	}
	return out
}

func setInvitation(ctx context.Context, tx db.Tx, id uid.ProjectInvitation, s InvitationState) error {
	_, err := tx.NewRaw("update project_invitations set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

func deleteInvitation(ctx context.Context, tx db.Tx, id uid.ProjectInvitation) (bool, error) {
	n, err := db.Changed(tx.NewRaw("delete from project_invitations where id = ?", id).Exec(ctx))
	return n == 1, err
}

// dropInvitations removes those of an account with all its users, or of one user.
func dropInvitations(ctx context.Context, tx db.Tx, id uid.Account, user uid.User) error {
	_, err := tx.NewRaw("delete from project_invitations where account_id = ? and (? = '' or user_id = ?)", id, user, user).Exec(ctx)
	return err
}

// InvitationsByID gives invitations by their ids.
func InvitationsByID(ctx context.Context, q db.Tx, ids []uid.ProjectInvitation) (map[uid.ProjectInvitation]Invitation, error) {
	var rows []invitationRow
	err := q.NewSelect().Model(&rows).Where("i.id in (?)", bun.List(ids)).Scan(ctx)
	out := make(map[uid.ProjectInvitation]Invitation, len(rows))
	for _, r := range rows {
		out[r.ID] = r.Invitation
	}
	return out, err
}

func (s *Service) listInvitations(ctx context.Context, f InvitationFilter) ([]Invitation, int, error) {
	var rows []invitationRow
	c, read := auth.From(ctx), s.db.Read()
	q := read.NewSelect().Model(&rows).ColumnExpr("i.*").Join("join projects p on p.id = i.project_id").
		Join("join accounts a on a.id = i.account_id").Join("join accounts pa on pa.id = p.account_id").Order("i.id")
	q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
		f.Scope.Of, f.Scope.More = auth.Anybody, nil
		f.Scope.WhereOwner(q, "i.account_id", "a.domain_id")
		if f.Scope.All {
			q.Where("1 = 1")
		}
		if c.Type == auth.User {
			q.Where("i.user_id in ('', ?)", c.User)
		}
		if len(c.Projects) > 0 && (f.Project != "" || f.ID != "") {
			q.WhereOr(`i.project_id in (?) and i.project_id in (select project_id from project_members
				where account_id = ? and user_id in ('', ?) and admin)`, bun.List(c.Projects), c.Account, c.User)
		}
		return q
	})
	db.Equal(q, "i.id", f.ID)
	db.Equal(q, "i.project_id", f.Project)
	db.Equal(q, "i.user_id", f.User)
	switch {
	case f.State == Pending || f.Active:
		q.Where("i.state = ? and i.expires > ?", Pending, read.Now)
		if f.Active && f.State != "" && f.State != Pending {
			q.Where("1 = 0")
		}
	case f.State == Expired:
		q.Where("i.state = ? and i.expires <= ?", Pending, read.Now)
	case f.State != "":
		q.Where("i.state = ?", f.State)
	}
	db.Like(q, f.Keyword, "pa.name")
	total, err := db.Page(ctx, q, f.Offset, f.Limit)
	return invitations(rows), total, err
}
