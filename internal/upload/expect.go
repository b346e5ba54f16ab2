package upload

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// OfImage adds a template or an ISO that the caller is to send, and gives what it is to be sent as.
func (s *Service) OfImage(ctx context.Context, in image.RegisterIn) (uid.Upload, error) {
	u := Upload{Kind: Template}
	if in.ISO {
		u.Kind = ISO
		if !strings.EqualFold(in.Format, image.ISO) {
			return "", fault.Invalidf("format %q: an ISO is uploaded as %s", in.Format, image.ISO)
		}
	}
	return s.expect(ctx, u, func(ctx context.Context, tx db.Tx, u *Upload) error {
		t, err := s.Images.Expect(ctx, tx, in)
		u.Account, u.Domain, u.Template, u.Zone, u.Store = t.Account, t.Domain, t.ID, t.Zone, t.Place.Store
		u.Hypervisor, u.Format, u.Checksum, u.Name = t.Hypervisor, t.Format, t.Checksum, t.Name
		return err
	})
}

// VolumeIn says what volume is to be sent. Its size is that of what comes.
type VolumeIn struct {
	volume.CreateIn
	Format   string
	Checksum string
	Store    uid.ImageStore // "": one of the zone's
}

// OfVolume adds a volume that the caller is to send, and gives what it is to be sent as.
func (s *Service) OfVolume(ctx context.Context, in VolumeIn) (uid.Upload, error) {
	if err := image.CheckSum(in.Checksum); err != nil {
		return "", err
	}
	return s.expect(ctx, Upload{Kind: Volume}, func(ctx context.Context, tx db.Tx, u *Upload) (err error) {
		v, err := s.Volumes.Expect(ctx, tx, in.CreateIn, u.ID)
		if err != nil {
			return err
		}
		if u.Store, err = image.StoreIn(ctx, tx, v.Zone, in.Store); err != nil {
			return err
		}
		u.Account, u.Domain, u.Volume, u.Zone, u.Name = v.Account, v.Domain, v.ID, v.Zone, v.Name
		u.Format, u.Checksum = strings.ToUpper(in.Format), in.Checksum
		u.Hypervisor, err = image.ForDisks(ctx, tx, v.Zone, u.Format)
		return err
	})
}

// expect adds an upload, with what it is of.
func (s *Service) expect(ctx context.Context, u Upload, of func(context.Context, db.Tx, *Upload) error) (uid.Upload, error) {
	u.ID, u.User, u.State = uid.New[uid.Upload](), auth.From(ctx).User, Waiting
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := of(ctx, tx, &u); err != nil {
			return err
		}
		u.Created, u.Expires = tx.Now, tx.Now.Add(setting.UploadTimeout.Of(s.Settings))
		if err := insert(ctx, tx, u); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(u.ID), "")
	})
	return u.ID, err
}
