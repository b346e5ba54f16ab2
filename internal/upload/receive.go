package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Where sealed texts belong.
const (
	metadataContext  = "uploads/metadata"
	signatureContext = "uploads/signature"
)

// Claim is what a sender says: all of it was told to who asked to send.
type Claim struct {
	ID        uid.Upload // from the address
	Metadata  string     // the id under the cloud's seal, which nobody else can make
	Signature string     // the id and the time, under the seal
	Expires   string
}

// ClaimOf is what the sender of an upload is to say.
func (s *Service) ClaimOf(u Upload) Claim {
	expires := u.Expires.UTC().Format(time.RFC3339Nano)
	return Claim{
		ID: u.ID, Expires: expires,
		Metadata: s.Box.Seal(string(u.ID), metadataContext), Signature: s.Box.Seal(string(u.ID)+" "+expires, signatureContext),
	}
}

// errSpent refuses whatever claim in the same words.
func errSpent() error {
	return fault.Deniedf("this address is no good, or has been used, or not with what was told with it: ask for another one with %s, %s or %s",
		Template.Command(), ISO.Command(), Volume.Command())
}

// Receive takes what a sender sends, and gives the job that finds out, once all has come, whether it is what it should be. Nothing is read
// from who has no claim, and a claim is not used up where there is nothing to read.
func (s *Service) Receive(ctx context.Context, c Claim, open func() (io.Reader, error)) (job op.ID, err error) {
	u, caller, err := s.claimed(ctx, c)
	if err != nil {
		return "", err
	}
	body, err := open()
	if err != nil {
		return "", err
	}
	ctx = auth.With(ctx, caller)
	err = s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.begin(ctx, tx, &u) })
	if err != nil {
		return "", err
	}
	n, err := s.pass(ctx, u, body)
	ctx = context.WithoutCancel(ctx) // what has come, or not, is so though the sender has gone
	if err == nil {
		job, _, err = s.take.Start(ctx, op.Request{
			Thing: u.key(), Caller: caller, Command: u.Kind.Command(), SubjectKind: string(u.Kind), SubjectID: u.Thing(),
		}, taking{Upload: u.ID, Received: n})
	}
	if err == nil {
		return job, nil
	}
	failed := s.end(ctx, u, image.UploadError, problem(err))
	return "", errors.Join(err, failed)
}

// problem is what users are told of an error.
func problem(err error) string {
	if known, ok := errors.AsType[*fault.Error](err); ok && known.Kind != fault.Internal {
		return known.Text
	}
	return "something went wrong here; upload it again"
}

// claimed gives what a claim is for, if it is still time, and who has asked for it may still send it.
func (s *Service) claimed(ctx context.Context, c Claim) (u Upload, caller auth.Caller, err error) {
	id, err := s.Box.Open(c.Metadata, metadataContext)
	if err != nil || id.Reveal() != string(c.ID) {
		return u, caller, errSpent()
	}
	signed, err := s.Box.Open(c.Signature, signatureContext)
	if err != nil || signed.Reveal() != string(c.ID)+" "+c.Expires {
		return u, caller, errSpent()
	}
	if u, err = find(ctx, s.DB.Read(), c.ID); fault.Is(err, fault.NotFound) {
		return u, caller, errSpent()
	} else if err != nil {
		return u, caller, err
	}
	if u.State != Waiting || !s.DB.Now().Before(u.Expires) {
		return u, caller, errSpent()
	}
	caller, may, err := s.Grants.Caller(ctx, u.User, u.Kind.Command())
	if fault.Is(err, fault.Unauthenticated) || err == nil && !may {
		return u, caller, errSpent()
	}
	if err != nil {
		return u, caller, err
	}
	there, err := s.there(auth.With(ctx, caller), u)
	if err == nil && !there {
		err = errSpent()
	}
	return u, caller, err
}

// there tells whether the caller in ctx still has what they are to send.
func (s *Service) there(ctx context.Context, u Upload) (bool, error) {
	reach := auth.From(ctx).Reach()
	if u.Kind == Volume {
		_, n, err := s.Volumes.List(ctx, volume.Filter{Scope: reach, IDs: []uid.Volume{u.Volume}})
		return n > 0, err
	}
	_, n, err := s.Images.Templates(ctx, image.Filter{
		Scope: reach, Which: image.Self, ISOs: u.Kind == ISO, IDs: []uid.Template{u.Template}, Zone: u.Zone,
	})
	return n > 0, err
}

// begin uses the claim up.
func (s *Service) begin(ctx context.Context, tx db.Tx, u *Upload) error {
	ours, err := move(ctx, tx, u.ID, Waiting, Receiving)
	if err == nil && ours {
		ours, err = u.advance(ctx, tx, image.NotUploaded, image.UploadInProgress, "")
	}
	if err != nil {
		return err
	}
	if !ours {
		return errSpent()
	}
	u.State = Receiving
	_, err = moving(ctx, tx, u.ID, 0, tx.Now.Add(setting.UploadTimeout.Of(s.Settings)))
	return err
}

// noted is how often it is written down how much has come.
const noted = 10 * time.Second

// pass gives what comes to a host, which has only a piece in memory, as this server has.
func (s *Service) pass(ctx context.Context, u Upload, body io.Reader) (n int64, err error) {
	taker, on, at, err := s.writer(ctx, u)
	if err != nil {
		return 0, err
	}
	most := s.most(u)
	told, piece := s.DB.Now(), make([]byte, hypervisor.MostPiece)
	for {
		got, read := fill(body, piece)
		if read != nil && read != io.EOF { //nolint:errorlint // no other is the end
			return n, brokenOff(n, read)
		}
		if n+int64(got) > most {
			return n, fault.Invalidf("it has more than the %d GB that may be uploaded here", most>>30)
		}
		if got > 0 {
			if err := taker.WriteStored(ctx, on, at, n, piece[:got]); ctx.Err() != nil {
				return n, brokenOff(n, ctx.Err()) // the sender has gone
			} else if err != nil {
				return n, fmt.Errorf("pass on %d bytes at %d: %w", got, n, err)
			}
		}
		if n += int64(got); read != nil {
			break
		}
		if now := s.DB.Now(); now.Sub(told) >= noted {
			told = now
			if err := s.note(ctx, u, n); err != nil {
				return n, err
			}
		}
	}
	if n == 0 {
		return 0, fault.Invalidf("the file has no bytes; upload another one")
	}
	return n, nil
}

// fill reads until there is a piece; io.EOF comes with the last one. io.ReadFull would not tell an end from what has broken off.
func fill(body io.Reader, piece []byte) (n int, err error) {
	for n < len(piece) && err == nil {
		var got int
		got, err = body.Read(piece[n:])
		n += got
	}
	return n, err
}

func brokenOff(after int64, why error) error {
	return fault.Invalidf("it broke off after %d bytes; upload it again", after).WithDetail("%v", why)
}

// note writes down how much has come. What was ended meanwhile does not go on.
func (s *Service) note(ctx context.Context, u Upload, n int64) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		on, err := moving(ctx, tx, u.ID, n, tx.Now.Add(setting.UploadTimeout.Of(s.Settings)))
		if err == nil && !on {
			err = fault.Conflictf("this upload was ended, as its owner was, or it stood still for too long")
		}
		return err
	})
}

// most is how many bytes may come.
func (s *Service) most(u Upload) int64 {
	if u.Kind == Volume {
		return setting.MaxVolumeUpload.Of(s.Settings) << 30
	}
	return setting.MaxImageSize.Of(s.Settings) << 30
}

// writer gives what takes what is sent, one of its hosts, and what they call it.
func (s *Service) writer(ctx context.Context, u Upload) (hypervisor.Taker, uid.Host, hypervisor.Stored, error) {
	if u.Kind == Volume {
		return s.Snapshots.Writer(ctx, u.kept())
	}
	return s.Images.Writer(ctx, u.Template, u.Zone)
}
