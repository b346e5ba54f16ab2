package extraction

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// extracting is the state of making something ready to be downloaded.
type extracting struct {
	Extraction uid.Extraction `json:"extraction"`
	Volume     uid.Volume     `json:"volume,omitempty"`

	of Extraction // for Accept only: kind, template or volume, and zone
}

// OfTemplate begins to make a template or an ISO ready to be downloaded as it is in a zone's store, in any unless one is given.
func (s *Service) OfTemplate(ctx context.Context, kind Kind, id uid.Template, zone uid.Zone) (uid.Extraction, op.ID, error) {
	return s.begin(ctx, op.On("template", id), Extraction{Kind: kind, Template: id, Zone: zone})
}

// OfVolume begins to copy a volume, with which no machine runs, and to make the copy ready to be downloaded. An earlier copy goes.
func (s *Service) OfVolume(ctx context.Context, id uid.Volume, zone uid.Zone) (uid.Extraction, op.ID, error) {
	key, err := s.Volumes.KeyOf(ctx, id)
	if err != nil {
		return "", "", err
	}
	return s.begin(ctx, key, Extraction{Kind: Volume, Volume: id, Zone: zone})
}

func (s *Service) begin(ctx context.Context, key op.Key, e Extraction) (uid.Extraction, op.ID, error) {
	e.ID = uid.New[uid.Extraction]()
	job, _, err := s.create.Start(ctx, op.Request{
		Thing: key, Caller: auth.From(ctx), Command: e.Kind.Command(), SubjectKind: string(e.Kind), SubjectID: string(e.ID),
	}, extracting{Extraction: e.ID, Volume: e.Volume, of: e})
	return e.ID, job, err
}

func (s *Service) plan() *op.Plan[extracting] {
	return op.New[extracting]("extraction.create").
		Accept(s.accept, discard).
		Do("clear", s.clear, nil). // an earlier address is good for nothing from then on, whatever becomes of this one
		Do("copy", s.copy, s.drop).
		Tx("finish", s.finish, nil)
}

func (s *Service) accept(ctx context.Context, tx db.Tx, q *op.Request, x *extracting) error {
	e := x.of
	from := e.Template
	var err error
	if e.Kind == Volume {
		from, err = s.acceptVolume(ctx, tx, q, &e)
	} else {
		err = acceptImage(ctx, tx, q, &e)
	}
	if err != nil {
		return err
	}
	if err := s.allowed(ctx, tx, q.Caller, e, from); err != nil {
		return err
	}
	e.User, e.State, e.Created, e.Expires = q.Caller.User, Creating, tx.Now, tx.Now
	if err := insert(ctx, tx, e); err != nil {
		return err
	}
	return announce(ctx, tx, q, e)
}

// allowed refuses what may not leave the cloud: what its owner did not make extractable, and disks that are made of such. Root admins may all.
func (s *Service) allowed(ctx context.Context, q db.Tx, caller auth.Caller, e Extraction, from uid.Template) error {
	if caller.IsRoot() {
		return nil
	}
	if setting.ExtractionDisabled.Of(s.Settings) {
		return fault.Deniedf("nothing may be downloaded here but by root admins (setting %s)", setting.ExtractionDisabled.Name)
	}
	if from == "" {
		return nil
	}
	known, err := image.ByID(ctx, q, []uid.Template{from})
	switch t := known[from]; {
	case err != nil:
		return err
	case t.Extractable && t.Type != image.System:
		return nil
	case e.Kind == Volume:
		return fault.Deniedf("volume %q may not be downloaded: it is made from template %q, which is not extractable", e.Name, t.Name)
	default:
		return fault.Deniedf("%q may not be downloaded: it was registered without isextractable", t.Name)
	}
}

func acceptImage(ctx context.Context, tx db.Tx, q *op.Request, e *Extraction) error {
	t, err := image.Own(ctx, tx, q.Caller, e.Template, e.Zone)
	if err != nil {
		return err
	}
	if t.IsISO() != (e.Kind == ISO) {
		return fault.Invalidf("%q is no %s: use %s or %s as it is one", t.Name, e.Kind, Template.Command(), ISO.Command())
	}
	e.Account, e.Domain, e.Name, e.Zone, e.Store, e.Hypervisor = t.Account, t.Domain, t.Name, t.Zone, t.Place.Store, t.Hypervisor
	return nil
}

// acceptVolume takes a volume with which no machine runs, and tells what template it came from.
func (s *Service) acceptVolume(ctx context.Context, tx db.Tx, q *op.Request, e *Extraction) (from uid.Template, err error) {
	v, holder, err := s.Volumes.Work(ctx, tx, q, e.Volume, "downloaded")
	switch {
	case err != nil:
		return "", err
	case v.Zone != e.Zone:
		return "", fault.NotFoundf("volume %q is not in zone %s", v.Name, e.Zone)
	case holder.Host != "":
		return "", fault.Conflictf("virtual machine %q runs with volume %q; stop it or detach the volume first", holder.Name, v.Name)
	case v.Pool == "":
		return "", fault.Conflictf("volume %q has nothing on it: its disk is made when a machine first starts with it", v.Name)
	}
	e.Account, e.Domain, e.Name = v.Account, v.Domain, v.Name
	if e.Store, err = image.StoreFor(ctx, tx, v.Zone); err != nil {
		return "", err
	}
	if e.Store == "" {
		return "", fault.Conflictf("zone %s has no image store: add one with addSecondaryStorage or addImageStore first", v.Zone)
	}
	if _, e.Hypervisor, err = volume.Through(ctx, tx, v.Pool); err != nil {
		return "", err
	}
	if err := volume.Settle(ctx, tx, v.ID, v.State, volume.Copying); err != nil {
		return "", err
	}
	return snapshot.Origin(ctx, tx, v.ID)
}

func discard(ctx context.Context, tx db.Tx, x *extracting) error {
	if err := remove(ctx, tx, x.Extraction); err != nil || x.Volume == "" {
		return err
	}
	return volume.Settle(ctx, tx, x.Volume, volume.Copying, volume.Ready)
}

// clear removes earlier copies of the volume.
func (s *Service) clear(ctx context.Context, x *extracting) error {
	if x.Volume == "" {
		return nil
	}
	earlier, err := ofVolume(ctx, s.DB.Read(), x.Volume)
	if err != nil {
		return err
	}
	return s.endAll(ctx, earlier)
}

func (s *Service) copy(ctx context.Context, x *extracting) error {
	if x.Volume == "" {
		return nil
	}
	e, err := find(ctx, s.DB.Read(), x.Extraction)
	if err == nil {
		_, err = s.Snapshots.Copy(ctx, e.copied())
	}
	return err
}

func (s *Service) drop(ctx context.Context, x *extracting) error {
	if x.Volume == "" {
		return nil
	}
	e, err := find(ctx, s.DB.Read(), x.Extraction)
	if err == nil {
		err = s.Snapshots.DropFrom(ctx, e.copied())
	}
	return err
}

func (s *Service) finish(ctx context.Context, tx db.Tx, x *extracting) error {
	if err := setReady(ctx, tx, x.Extraction, tx.Now.Add(setting.ExtractURLExpiry.Of(s.Settings))); err != nil || x.Volume == "" {
		return err
	}
	return volume.Settle(ctx, tx, x.Volume, volume.Copying, volume.Ready)
}
