package volume

import (
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Expect adds a data volume that its user is to upload. It has no size before that is done.
func (s *Service) Expect(ctx context.Context, tx db.Tx, in CreateIn, upload uid.Upload) (Volume, error) {
	if n := utf8.RuneCountInString(in.Name); n > 255 {
		return Volume{}, fault.Invalidf("the name has %d characters; want at most 255", n)
	}
	owner, err := s.Accounts.Owner(ctx, tx, in.Owner)
	if err != nil {
		return Volume{}, err
	}
	z, err := zone.Usable(ctx, tx, in.Zone, owner.Domain)
	if err != nil {
		return Volume{}, err
	}
	v := Volume{
		ID: uid.New[uid.Volume](), Account: owner.Account, Domain: owner.Domain, Zone: z.ID, Upload: upload, Name: in.Name, Type: Data,
		State: NotUploaded, Created: tx.Now,
	}
	if in.Offering != "" {
		off, err := offering.DeployableDisk(ctx, tx, in.Offering, z.ID)
		if err != nil {
			return Volume{}, err
		}
		if !off.Customized {
			return Volume{}, fault.Invalidf("disk offering %q has a fixed size of %d GB, and what is uploaded has its own: name one that leaves the "+
				"size open", off.Name, off.SizeGB)
		}
		v.DiskOffering = off.ID
	}
	if err := Insert(ctx, tx, []Volume{v}); err != nil {
		return Volume{}, err
	}
	if _, err := event.Write(ctx, tx, event.Event{
		Type: event.VolumeUpload, Description: fmt.Sprintf("expecting the upload of volume %s (%s)", v.Name, v.ID),
		Account: v.Account, Domain: v.Domain, ResourceID: string(v.ID),
	}); err != nil {
		return Volume{}, err
	}
	return v, account.Take(ctx, tx, v.Account, v.Use())
}

// Uploaded records what came for a volume: a disk of so many bytes, of which so many GB are in a store of images.
func (s *Service) Uploaded(ctx context.Context, tx db.Tx, id uid.Volume, bytes, stored int64) error {
	v, err := Locked(ctx, tx, auth.Scope{All: true}, id)
	switch {
	case err != nil:
		return err
	case v.State != UploadInProgress:
		return fault.Conflictf("volume %q is %s, and not being uploaded any more", v.Name, v.State)
	}
	if err := s.CheckMax(Gigabytes(bytes)); err != nil {
		return err
	}
	if err := SetState(ctx, tx, v.ID, Allocated); err != nil {
		return err
	}
	if err := setSize(ctx, tx, v.ID, bytes, v.DiskOffering); err != nil {
		return err
	}
	return account.Take(ctx, tx, v.Account, limit.Use{limit.PrimaryGB: Gigabytes(bytes), limit.SecondaryGB: Gigabytes(stored)})
}

// Emptied records that what came for a volume is in the store no more.
func Emptied(ctx context.Context, tx db.Tx, v Volume, stored int64) error {
	if err := forgetUpload(ctx, tx, v.ID); err != nil {
		return err
	}
	return account.Give(ctx, tx, v.Account, limit.Use{limit.SecondaryGB: Gigabytes(stored)})
}
