package image

import (
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/uid"
)

// Draft adds a template that is to be made of a disk of the cloud's own, in one place, where it is Waiting until it is [Made]. Its id and
// owner are there already; its other gaps are filled in.
func (s *Service) Draft(ctx context.Context, tx db.Tx, t *Template, at Place) error {
	t.Type, t.Created = User, tx.Now
	if err := s.check(ctx, t); err != nil {
		return err
	}
	at.State = Waiting
	return s.insert(ctx, tx, *t, []Place{at})
}

// Made records that a draft is there, with what it takes.
func Made(ctx context.Context, tx db.Tx, p Place, bytes int64) error {
	t, err := ownLocked(ctx, tx, auth.System(), p.Template)
	if err != nil {
		return err
	}
	p.State = Ready
	if err := setPlace(ctx, tx, p); err != nil {
		return err
	}
	if err := setSize(ctx, tx, t.ID, bytes); err != nil {
		return err
	}
	return account.Take(ctx, tx, t.Account, limit.Use{limit.SecondaryGB: gigabytes(p.Stored)})
}

// Discard takes back a draft.
func Discard(ctx context.Context, tx db.Tx, id uid.Template, zone uid.Zone) error {
	t, err := ownLocked(ctx, tx, auth.System(), id)
	if err != nil {
		return err
	}
	if err := removePlaces(ctx, tx, id, []uid.Zone{zone}); err != nil {
		return err
	}
	if err := removeTemplate(ctx, tx, id); err != nil {
		return err
	}
	return account.Give(ctx, tx, t.Account, limit.Use{limit.Templates: 1})
}
