package extraction

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// linkContext is where sealed addresses belong.
const linkContext = "extractions/link"

// Link is what opens an extraction: its id under the cloud's seal, which nobody else can make, or make fit another one.
func (s *Service) Link(e Extraction) string { return s.Box.Seal(string(e.ID), linkContext) }

// errSpent refuses whatever link in the same words.
func errSpent() error {
	return fault.Deniedf("this address is no good, or not any more: ask for another one with %s, %s or %s", Template.Command(), ISO.Command(),
		Volume.Command())
}

// File is what is downloaded. One at a time reads.
type File struct {
	Extraction
	Size   int64
	Ending string // of its name

	ctx   context.Context //nolint:containedctx // it is as long as the request that reads
	giver hypervisor.Giver
	host  uid.Host
	what  hypervisor.Stored
	at    int64
	data  []byte        // that is there already, from at on
	rest  io.ReadCloser // what follows; nil where it is read in pieces
}

// Open gives what a link is for, if it is still time, and who has asked for the link may still have it.
func (s *Service) Open(ctx context.Context, link string) (*File, error) {
	id, err := s.Box.Open(link, linkContext)
	if err != nil {
		return nil, errSpent()
	}
	e, err := find(ctx, s.DB.Read(), uid.Extraction(id.Reveal()))
	if fault.Is(err, fault.NotFound) {
		return nil, errSpent()
	}
	if err != nil {
		return nil, err
	}
	if e.State != Ready || !s.DB.Now().Before(e.Expires) {
		return nil, errSpent()
	}
	if err := s.granted(ctx, e); err != nil {
		return nil, err
	}
	f := &File{Extraction: e, ctx: ctx}
	if e.Kind == Volume {
		f.giver, f.host, f.what, err = s.Snapshots.Reader(ctx, e.copied())
	} else {
		f.giver, f.host, f.what, err = s.Images.Reader(ctx, e.Template, e.Zone)
	}
	if err != nil {
		return nil, err
	}
	first, err := f.giver.ReadStored(ctx, f.host, f.what, 0, hypervisor.MostPiece)
	f.Size, f.Ending, f.data = first.Size, first.Ending, first.Data
	return f, err
}

// granted refuses a link whose user may not use the command any more, or may not have the thing.
func (s *Service) granted(ctx context.Context, e Extraction) error {
	caller, may, err := s.Grants.Caller(ctx, e.User, e.Kind.Command())
	if fault.Is(err, fault.Unauthenticated) || err == nil && !may {
		return errSpent()
	}
	if err != nil {
		return err
	}
	ctx = auth.With(ctx, caller)
	var n int
	ready := true
	if e.Kind == Volume {
		_, n, err = s.Volumes.List(ctx, volume.Filter{Scope: caller.Reach(), IDs: []uid.Volume{e.Volume}})
	} else {
		_, n, err = s.Images.Templates(ctx, image.Filter{
			Scope: caller.Reach(), Which: image.Self, ISOs: e.Kind == ISO, IDs: []uid.Template{e.Template}, Zone: e.Zone, Ready: &ready,
		})
	}
	if err == nil {
		err = s.allowed(ctx, s.DB.Read(), caller, e, e.Template) // where a volume came from was looked at before it was copied
	}
	if err == nil && n == 0 || fault.Is(err, fault.Denied) {
		return errSpent()
	}
	return err
}

// FileName is what the file is called, without its ending.
func (e Extraction) FileName() string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\\\"", r) || r < ' ' || r == 0x7f {
			return '_'
		}
		return r
	}, e.Name)
}

// Seek implements io.Seeker.
func (f *File) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += f.at
	case io.SeekEnd:
		offset += f.Size
	}
	if offset < 0 {
		return 0, errors.New("before the beginning")
	}
	if offset != f.at {
		f.at, f.data = offset, nil
		if f.rest != nil {
			_ = f.rest.Close()
			f.rest = nil
		}
	}
	return offset, nil
}

// stream reads from where no pieces are needed, and tells whether this is so.
func (f *File) stream(p []byte) (n int, can bool, err error) {
	if f.rest == nil {
		s, can := f.giver.(hypervisor.Streamer)
		if !can {
			return 0, false, nil
		}
		if f.rest, err = s.StreamStored(f.ctx, f.what, f.at); err != nil || f.rest == nil {
			return 0, err != nil, err
		}
	}
	n, err = f.rest.Read(p)
	if f.at += int64(n); n > 0 {
		return n, true, nil
	}
	if errors.Is(err, io.EOF) { // before the end
		err = io.ErrUnexpectedEOF
	}
	return 0, true, err
}

// Read implements io.Reader.
func (f *File) Read(p []byte) (int, error) {
	if len(f.data) == 0 {
		if f.at >= f.Size {
			return 0, io.EOF
		}
		if n, read, err := f.stream(p); read {
			return n, err
		}
		piece, err := f.giver.ReadStored(f.ctx, f.host, f.what, f.at, hypervisor.MostPiece)
		if err != nil {
			return 0, err
		}
		if piece.Size != f.Size || len(piece.Data) == 0 {
			return 0, fmt.Errorf("what is read has %d bytes now and had %d", piece.Size, f.Size)
		}
		f.data = piece.Data
	}
	n := copy(p, f.data)
	f.at, f.data = f.at+int64(n), f.data[n:]
	return n, nil
}
