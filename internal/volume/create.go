package volume

import (
	"context"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// CreateIn says what data volume to make. Zero fields are left to the service.
type CreateIn struct {
	Name     string // the volume's id unless given
	Zone     uid.Zone
	Offering uid.DiskOffering
	GB       int64 // where the offering leaves the size open
	Owner    account.For
	Snapshot uid.Snapshot // what it is to begin with; "" for nothing
}

// Source is a snapshot that volumes are made from.
type Source struct {
	Name     string
	Zone     uid.Zone
	Bytes    int64            // the least that a volume made from it has
	Offering uid.DiskOffering // of the volume that it is of; "" for none
}

// Sources gives a snapshot that the caller in ctx may make a volume from, and keeps it from being removed before the transaction's end.
type Sources func(ctx context.Context, tx db.Tx, id uid.Snapshot) (Source, error)

// MadeFrom says who knows the snapshots. It is set once, before the first volume is made.
func (s *Service) MadeFrom(sources Sources) { s.sources = sources }

// creation is the state of making a volume.
type creation struct {
	Volume uid.Volume `json:"volume"`

	in *CreateIn // for Accept only
}

// Create begins to make a data volume that no machine has, and gives its id and that of the job. It has no disk yet: that is
// made when the volume is first attached to a machine whose disks have a place.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.Volume, op.ID, error) {
	id := uid.New[uid.Volume]()
	q := request(ctx, id, "createVolume")
	q.Fresh = true
	job, _, err := s.create.Start(ctx, q, creation{Volume: id, in: &in})
	return id, job, err
}

func (s *Service) createPlan() *op.Plan[creation] {
	return op.New[creation]("volume.create").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, c *creation) error {
			v, err := s.Draft(ctx, tx, c.Volume, *c.in)
			if err != nil {
				return err
			}
			v.State = Creating
			if err := Insert(ctx, tx, []Volume{v}); err != nil {
				return err
			}
			if err := Announce(ctx, tx, q, v, event.VolumeCreate, "creating"); err != nil {
				return err
			}
			return account.Take(ctx, tx, v.Account, v.Use())
		}, func(ctx context.Context, tx db.Tx, c *creation) error { return Discard(ctx, tx, c.Volume) }).
		Tx("finish", func(ctx context.Context, tx db.Tx, c *creation) error {
			return SetState(ctx, tx, c.Volume, Allocated)
		}, nil)
}

// Draft checks what the caller in ctx wants and makes a volume of it, which is not stored or counted yet.
func (s *Service) Draft(ctx context.Context, tx db.Tx, id uid.Volume, in CreateIn) (Volume, error) {
	if in.Name == "" {
		in.Name = string(id)
	}
	if n := utf8.RuneCountInString(in.Name); n > 255 {
		return Volume{}, fault.Invalidf("the name has %d characters; want at most 255", n)
	}
	if in.Offering == "" && in.Snapshot == "" {
		return Volume{}, fault.Invalidf("name the disk offering of the volume in diskofferingid, or what it is made from in snapshotid")
	}
	if in.Snapshot != "" {
		return s.draftFrom(ctx, tx, id, in)
	}
	owner, err := s.Accounts.Owner(ctx, tx, in.Owner)
	if err != nil {
		return Volume{}, err
	}
	if in.Zone == "" {
		return Volume{}, fault.Invalidf("name the zone of the volume in zoneid")
	}
	z, err := zone.Usable(ctx, tx, in.Zone, owner.Domain)
	if err != nil {
		return Volume{}, err
	}
	off, err := offering.DeployableDisk(ctx, tx, in.Offering, z.ID)
	if err != nil {
		return Volume{}, err
	}
	bytes, err := s.SizeOf(off, in.GB)
	return Volume{
		ID: id, Account: owner.Account, Domain: owner.Domain, Zone: z.ID, DiskOffering: off.ID, Name: in.Name, Type: Data,
		State: Allocated, Size: bytes, Created: tx.Now,
	}, err
}

// draftFrom is Draft for a volume that begins as a snapshot: in its zone, as large at least, and of the same offering unless another one
// is named.
func (s *Service) draftFrom(ctx context.Context, tx db.Tx, id uid.Volume, in CreateIn) (Volume, error) {
	from, err := s.sources(ctx, tx, in.Snapshot)
	if err != nil {
		return Volume{}, err
	}
	owner, err := s.Accounts.Owner(ctx, tx, in.Owner)
	if err != nil {
		return Volume{}, err
	}
	if in.Zone != "" && in.Zone != from.Zone {
		return Volume{}, fault.Invalidf("snapshot %q is in zone %s: volumes are made from it there and not in zone %s", from.Name, from.Zone, in.Zone)
	}
	if _, err := zone.Usable(ctx, tx, from.Zone, owner.Domain); err != nil {
		return Volume{}, err
	}
	v := Volume{
		ID: id, Account: owner.Account, Domain: owner.Domain, Zone: from.Zone, DiskOffering: from.Offering, Name: in.Name, Type: Data,
		State: Allocated, Size: from.Bytes, Created: tx.Now, Snapshot: in.Snapshot,
	}
	switch {
	case in.Offering != "":
		off, err := offering.DeployableDisk(ctx, tx, in.Offering, from.Zone)
		if err != nil {
			return Volume{}, err
		}
		if v.DiskOffering = off.ID; off.Customized && in.GB == 0 {
			in.GB = Gigabytes(from.Bytes)
		}
		if v.Size, err = s.SizeOf(off, in.GB); err != nil {
			return Volume{}, err
		}
	case in.GB != 0:
		if err := CheckGB("size", in.GB); err != nil {
			return Volume{}, err
		}
		v.Size = in.GB * GB
	}
	if v.Size < from.Bytes {
		return Volume{}, fault.Invalidf("%d GB are too little for what snapshot %q holds (%d GB)", Gigabytes(v.Size), from.Name,
			Gigabytes(from.Bytes))
	}
	return v, s.CheckMax(Gigabytes(v.Size))
}

// SizeOf is the size in bytes of a new volume of an offering; gb is what the user says, 0 for nothing.
func (s *Service) SizeOf(off offering.Disk, gb int64) (int64, error) {
	if err := CheckGB("size", gb); err != nil {
		return 0, err
	}
	least, most := setting.CustomDiskMin.Of(s.Settings), setting.CustomDiskMax.Of(s.Settings)
	switch {
	case off.Customized && gb == 0:
		return 0, fault.Invalidf("disk offering %q leaves the size to you: give size in GB", off.Name)
	case !off.Customized && gb != 0 && gb != off.SizeGB:
		return 0, fault.Invalidf("disk offering %q has a fixed size of %d GB; leave out size %d", off.Name, off.SizeGB, gb)
	case off.Customized && (gb < least || gb > most):
		return 0, fault.Invalidf("size %d GB is out of bounds: disks whose size is left to you have %d to %d GB here", gb, least, most)
	case !off.Customized:
		gb = off.SizeGB
	}
	return gb * GB, s.CheckMax(gb)
}

// CheckMax refuses a disk of more GB than the operator lets any have.
func (s *Service) CheckMax(gb int64) error {
	if most := setting.MaxVolumeSize.Of(s.Settings); gb > most {
		return fault.Invalidf("a disk of %d GB is too big: the most that one may have here is %d GB", gb, most)
	}
	return nil
}

// MaxGB is more than one disk on any of the hypervisors can have, and little enough that sums of bytes don't overflow.
const MaxGB = 65_536

// CheckGB refuses a size that no disk can have; 0 is a size that was not given.
func CheckGB(parameter string, gb int64) error {
	if gb < 0 || gb > MaxGB {
		return fault.Invalidf("%s %d is no size of a disk: want 1 to %d GB", parameter, gb, MaxGB)
	}
	return nil
}

// Discard takes back a volume that has no disk: its row is removed, and what it counted for is given back.
func Discard(ctx context.Context, tx db.Tx, id uid.Volume) error {
	v, err := Locked(ctx, tx, auth.Scope{All: true}, id)
	if err != nil {
		return err
	}
	if err := Remove(ctx, tx, id); err != nil {
		return err
	}
	return account.Give(ctx, tx, v.Account, v.Use())
}
