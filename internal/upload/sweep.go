package upload

import (
	"context"
	"errors"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Sweep abandons uploads that did not begin in time, or stand still, and removes what is left of those that are over: in vain, or for a
// volume whose disk has been made, or that was deleted. It is a keeper's.
func (s *Service) Sweep(ctx context.Context) error {
	ctx = auth.With(ctx, auth.System())
	late, err := expired(ctx, s.DB.Read(), s.DB.Now())
	if err != nil {
		return err
	}
	if err := s.abandon(ctx, late, "nothing came in time; delete it and upload it again"); err != nil {
		return err
	}
	left, err := over(ctx, s.DB.Read(), "")
	if err != nil {
		return err
	}
	return s.clear(ctx, left)
}

// EndOf ends an account's uploads. What is being taken is left to its job, and what a volume is to be made from to the volume's deletion.
func (s *Service) EndOf(ctx context.Context, id uid.Account) error {
	ctx = auth.With(ctx, auth.System())
	open, err := openOf(ctx, s.DB.Read(), id)
	if err != nil {
		return err
	}
	if err := s.abandon(ctx, open, "its account is being deleted"); err != nil {
		return err
	}
	left, err := over(ctx, s.DB.Read(), id)
	if err != nil {
		return err
	}
	return s.clear(ctx, left)
}

func (s *Service) abandon(ctx context.Context, all []Upload, why string) error {
	for _, u := range all {
		if err := s.end(ctx, u, image.UploadAbandoned, why); err != nil {
			return err
		}
	}
	return nil
}

// clear removes what has come, and then what is known of it. One store that can't be reached does not keep the others.
func (s *Service) clear(ctx context.Context, all []Upload) (failed error) {
	for _, u := range all {
		err := s.remove(ctx, u)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			gone, err := removeOver(ctx, tx, u.ID, u.State)
			if err != nil || !gone || u.Kind != Volume {
				return err
			}
			return volume.Emptied(ctx, tx, volume.Volume{ID: u.Volume, Account: u.Account}, u.Stored)
		})
		failed = errors.Join(failed, err)
	}
	return failed
}
