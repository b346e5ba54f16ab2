package upload

import (
	"cmp"
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// taking is the state of making of what has come what it is to be.
type taking struct {
	Upload   uid.Upload `json:"upload"`
	Received int64      `json:"received"`
	Bytes    int64      `json:"bytes,omitempty"`
	Stored   int64      `json:"stored,omitempty"`
	Problem  string     `json:"problem,omitempty"` // why it can't be taken, however often one tries
}

func (s *Service) plan() *op.Plan[taking] {
	return op.New[taking]("upload.take").
		Accept(s.accept, s.fail).
		Do("take", s.takeIt, s.drop).
		Tx("finish", s.finish, nil)
}

func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, k *taking) error {
	u, err := find(ctx, tx, k.Upload)
	if err != nil {
		return err
	}
	ours, err := move(ctx, tx, u.ID, Receiving, Taking)
	if err == nil && !ours {
		err = fault.Conflictf("this upload was ended, as its owner was, or it stood still for too long")
	}
	if err != nil {
		return err
	}
	if err := setReceived(ctx, tx, u.ID, k.Received); err != nil {
		return err
	}
	q.Account, q.Domain = u.Account, u.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: events[u.Kind], State: event.Scheduled, Description: fmt.Sprintf("taking the upload of %s %s (%s)", u.Kind, u.Name, u.Thing()),
		Account: u.Account, Domain: u.Domain, User: q.Caller.User, ResourceID: u.Thing(),
	})
	return err
}

// fail leaves the template, ISO or volume as one whose upload was in vain, until it is deleted.
func (s *Service) fail(ctx context.Context, tx db.Tx, k *taking) error {
	u, err := find(ctx, tx, k.Upload)
	if err != nil {
		return err
	}
	if _, err := move(ctx, tx, u.ID, Taking, Ended); err != nil {
		return err
	}
	why := cmp.Or(k.Problem, "what was uploaded could not be taken, as its job says; delete it and upload it again")
	_, err = u.advance(ctx, tx, image.UploadInProgress, image.UploadError, why)
	return err
}

// takeIt has a host look at what has come and give it its place. What trying again would not help with is kept for the user to read.
func (s *Service) takeIt(ctx context.Context, k *taking) error {
	u, err := find(ctx, s.DB.Read(), k.Upload)
	if err != nil {
		return err
	}
	taker, on, at, err := s.writer(ctx, u)
	if err != nil {
		return err
	}
	most := s.most(u)
	if u.Kind == Volume {
		most = setting.MaxVolumeSize.Of(s.Settings) << 30
	}
	report, err := taker.TakeStored(ctx, on, at, hypervisor.Sent{Format: u.Format, Checksum: u.Checksum, MostBytes: most, Bytes: k.Received})
	switch {
	case fault.Is(err, fault.Unavailable):
		return op.Retry(err)
	case fault.Is(err, fault.Conflict), fault.Is(err, fault.Invalid):
		k.Problem = err.Error()
		return nil
	}
	k.Bytes, k.Stored = report.Bytes, report.StoredBytes
	return err
}

func (s *Service) drop(ctx context.Context, k *taking) error {
	u, err := find(ctx, s.DB.Read(), k.Upload)
	if err != nil {
		return err
	}
	return s.remove(ctx, u)
}

// remove removes what has come from the store. What is not to be there any more anyway has gone with its own deletion.
func (s *Service) remove(ctx context.Context, u Upload) error {
	if u.Kind == Volume {
		return s.Snapshots.DropFrom(ctx, u.kept())
	}
	if err := s.Images.Drop(ctx, u.Template, u.Zone); !fault.Is(err, fault.NotFound) {
		return err
	}
	return nil
}

func (s *Service) finish(ctx context.Context, tx db.Tx, k *taking) error {
	if k.Problem != "" {
		return fault.Conflictf("%s", k.Problem)
	}
	u, err := find(ctx, tx, k.Upload)
	if err != nil {
		return err
	}
	if u.Kind == Volume {
		if err := setTaken(ctx, tx, u.ID, k.Stored); err != nil {
			return err
		}
		return s.Volumes.Uploaded(ctx, tx, u.Volume, k.Bytes, k.Stored)
	}
	if err := remove(ctx, tx, u.ID); err != nil {
		return err
	}
	return image.Made(ctx, tx, image.Place{Template: u.Template, Zone: u.Zone, Stored: k.Stored}, k.Bytes)
}
