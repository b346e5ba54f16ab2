package snapshot

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// TemplateIn says what template to make, of a snapshot or of a volume. Of the template its id, owner, format, hypervisor and times are
// filled in, and its OS type where the volume's template has one.
type TemplateIn struct {
	image.Template
	Snapshot uid.Snapshot
	Volume   uid.Volume
	Zone     uid.Zone    // that it must be in; "" for any
	Owner    account.For // the volume's or snapshot's owner unless given
}

// imaging is the state of making a template. Of a volume a copy is made first, which goes again.
type imaging struct {
	Template uid.Template   `json:"template"`
	Zone     uid.Zone       `json:"zone"`
	Store    uid.ImageStore `json:"store"`
	Kind     string         `json:"kind"`             // the hypervisor
	Snapshot uid.Snapshot   `json:"snapshot"`         // the copy, where there is a volume
	Volume   uid.Volume     `json:"volume,omitempty"` // "" where the snapshot was there
	Bytes    int64          `json:"bytes,omitempty"`
	Stored   int64          `json:"stored,omitempty"`

	in *TemplateIn // for Accept only
}

// MakeTemplate begins to make a template, and gives its id and that of the job.
func (s *Service) MakeTemplate(ctx context.Context, in TemplateIn) (uid.Template, op.ID, error) {
	i := imaging{Template: uid.New[uid.Template](), Snapshot: in.Snapshot, Volume: in.Volume, in: &in}
	var key op.Key
	switch {
	case (in.Snapshot == "") == (in.Volume == ""):
		return "", "", fault.Invalidf("name what the template is to be made of: a snapshot in snapshotid, or a volume in volumeid")
	case in.Volume != "":
		var err error
		if key, err = s.Volumes.KeyOf(ctx, in.Volume); err != nil {
			return "", "", err
		}
		i.Snapshot = uid.New[uid.Snapshot]()
	default:
		key = op.On("snapshot", in.Snapshot) // so that it stays meanwhile
	}
	job, _, err := s.image.Start(ctx, op.Request{
		Thing: key, Caller: auth.From(ctx), Command: "createTemplate", SubjectKind: "Template", SubjectID: string(i.Template),
	}, i)
	return i.Template, job, err
}

func (s *Service) imagePlan() *op.Plan[imaging] {
	return op.New[imaging]("template.create").
		Accept(s.beginImage, func(ctx context.Context, tx db.Tx, i *imaging) error {
			if err := image.Discard(ctx, tx, i.Template, i.Zone); err != nil || i.Volume == "" {
				return err
			}
			return volume.Settle(ctx, tx, i.Volume, volume.Snapshotting, volume.Ready)
		}).
		Do("copy", s.copyVolume, s.dropCopy).
		Do("save", s.save, s.unsave).
		Do("clean", s.dropCopy, nil).
		Tx("finish", func(ctx context.Context, tx db.Tx, i *imaging) error {
			err := image.Made(ctx, tx, image.Place{Template: i.Template, Zone: i.Zone, Stored: i.Stored}, i.Bytes)
			if err != nil || i.Volume == "" {
				return err
			}
			return volume.Settle(ctx, tx, i.Volume, volume.Snapshotting, volume.Ready)
		}, nil)
}

func (s *Service) beginImage(ctx context.Context, tx db.Tx, q *op.Request, i *imaging) error {
	var owner account.Owner
	var of uid.Volume
	if i.Volume == "" {
		n, err := usable(ctx, tx, i.Snapshot)
		if err != nil {
			return err
		}
		owner, of = account.Owner{Account: n.Account, Domain: n.Domain}, n.Volume
		i.Zone, i.Store, i.Kind = n.Zone, n.Store, n.Hypervisor
	} else {
		v, err := s.fromVolume(ctx, tx, q, i)
		if err != nil {
			return err
		}
		owner, of = account.Owner{Account: v.Account, Domain: v.Domain}, v.ID
	}
	if i.in.Zone != "" && i.in.Zone != i.Zone {
		return fault.Invalidf("what the template is to be made of is in zone %s, and not in zone %s", i.Zone, i.in.Zone)
	}
	if i.in.Owner != (account.For{}) {
		var err error
		if owner, err = s.Accounts.Owner(ctx, tx, i.in.Owner); err != nil {
			return err
		}
	}
	t := i.in.Template
	t.ID, t.Account, t.Domain, t.Format, t.Hypervisor = i.Template, owner.Account, owner.Domain, "QCOW2", i.Kind
	if err := origin(ctx, tx, of, &t); err != nil {
		return err
	}
	q.Account, q.Domain = t.Account, t.Domain
	var err error
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.TemplateCreate, State: event.Scheduled, Description: fmt.Sprintf("creating template %s (%s) of volume %s", t.Name, t.ID, of),
		Account: t.Account, Domain: t.Domain, User: q.Caller.User, ResourceID: string(t.ID),
	})
	if err != nil {
		return err
	}
	return s.Images.Draft(ctx, tx, &t, image.Place{Zone: i.Zone, Store: i.Store})
}

// Origin is the template that what is on a volume came from, through snapshots, too; "" for none.
func Origin(ctx context.Context, q db.Tx, id uid.Volume) (uid.Template, error) {
	for {
		volumes, err := volume.ByID(ctx, q, []uid.Volume{id})
		v := volumes[id]
		if err != nil || v.Template != "" || v.Snapshot == "" {
			return v.Template, err
		}
		snapshots, err := ByID(ctx, q, []uid.Snapshot{v.Snapshot})
		if err != nil {
			return "", err
		}
		id = snapshots[v.Snapshot].Volume
	}
}

// origin notes which template the volume came from, and takes over what it says of the system inside.
func origin(ctx context.Context, tx db.Tx, id uid.Volume, t *image.Template) error {
	from, err := Origin(ctx, tx, id)
	if err != nil {
		return err
	}
	if t.Extractable = true; from == "" { // users may download their data disks, and so what is made of them
		return nil
	}
	known, err := image.ByID(ctx, tx, []uid.Template{from})
	t.Source, t.Extractable = from, known[from].Extractable
	if t.OSType == "" {
		t.OSType = known[from].OSType
	}
	return err
}

// fromVolume takes a volume that no machine runs with.
func (s *Service) fromVolume(ctx context.Context, tx db.Tx, q *op.Request, i *imaging) (volume.Volume, error) {
	v, holder, err := s.Volumes.Work(ctx, tx, q, i.Volume, "made a template of")
	switch {
	case err != nil:
		return v, err
	case holder.Host != "":
		return v, fault.Conflictf("virtual machine %q runs with volume %q: stop it first, or take a snapshot and make the template of that",
			holder.Name, v.Name)
	case v.Pool == "":
		return v, fault.Conflictf("volume %q has nothing on it: its disk is made when a machine first starts with it", v.Name)
	}
	i.Zone = v.Zone
	if i.Store, err = image.StoreFor(ctx, tx, v.Zone); err != nil {
		return v, err
	}
	if i.Store == "" {
		return v, fault.Conflictf("zone %s has no image store: add one with addSecondaryStorage or addImageStore first", v.Zone)
	}
	if _, i.Kind, err = volume.Through(ctx, tx, v.Pool); err != nil {
		return v, err
	}
	return v, volume.Settle(ctx, tx, v.ID, v.State, volume.Snapshotting)
}

// whole is the snapshot that a template is made of, as a row would say it.
func (i *imaging) whole() Snapshot {
	return Snapshot{ID: i.Snapshot, Volume: i.Volume, Zone: i.Zone, Store: i.Store, Hypervisor: i.Kind}
}

func (s *Service) copyVolume(ctx context.Context, i *imaging) error {
	if i.Volume == "" {
		return nil
	}
	_, err := s.Copy(ctx, i.whole())
	return err
}

func (s *Service) dropCopy(ctx context.Context, i *imaging) error {
	if i.Volume == "" {
		return nil
	}
	return s.DropFrom(ctx, i.whole())
}

func (s *Service) save(ctx context.Context, i *imaging) error {
	driver, on, err := s.snapshotter(ctx, i.whole())
	if err != nil {
		return err
	}
	if on == "" {
		return fault.Conflictf("the zone has no %s hosts any more", i.Kind)
	}
	ref, err := s.ref(ctx, i.whole())
	if err != nil {
		return err
	}
	report, err := driver.SaveImage(ctx, on, hypervisor.ImageRef{Template: i.Template, Store: i.Store, StoreURL: ref.StoreURL}, ref)
	i.Bytes, i.Stored = report.Bytes, report.StoredBytes
	return volume.Again(err)
}

func (s *Service) unsave(ctx context.Context, i *imaging) error {
	return s.Images.Drop(ctx, i.Template, i.Zone)
}
