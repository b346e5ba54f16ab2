package offering

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// MaxDiskGB is more than one disk on any of the hypervisors can have, and little enough that sums of bytes don't overflow.
const MaxDiskGB = 65_536

// Disk is a disk offering: what a volume gets.
type Disk struct {
	ID          uid.DiskOffering `bun:",pk"`
	Name        string
	DisplayText string
	SizeGB      int64 `bun:"size_gb"` // 0 where the user says it
	Customized  bool
	StorageType StorageType
	Tags        string   // with commas between them
	Hidden      bool     // from all but root admins
	Limits      IOLimits `bun:"io_limits,type:text"`
	Details     Details
	SortKey     int
	Scope
	State   State
	Created time.Time
	Removed time.Time `bun:",nullzero"`
}

// CreateDisk adds a disk offering. Its id and times are filled in, and what it leaves out: the display text, the state (Active)
// and the storage type (shared).
func (s *Service) CreateDisk(ctx context.Context, o Disk) (Disk, error) {
	if err := o.complete(); err != nil {
		return Disk{}, err
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		o.ID, o.Created = uid.New[uid.DiskOffering](), tx.Now
		if err := insert(ctx, tx, &diskRow{Disk: o}); err != nil {
			return err
		}
		return made(ctx, tx, string(o.ID), o.Scope, event.DiskOfferingCreate, "created disk offering", o.Name)
	})
	return o, err
}

// complete fills in what a disk offering leaves out and checks it.
func (o *Disk) complete() error {
	o.Tags = tags(o.Tags)
	o.restrict()
	if o.Details == nil {
		o.Details = Details{}
	}
	if o.DisplayText == "" {
		o.DisplayText = o.Name
	}
	if o.State == "" {
		o.State = Active
	}
	switch {
	case o.Customized && o.SizeGB != 0:
		return fault.Invalidf("users of a customized disk offering choose the size: leave out disksize %d, or customized", o.SizeGB)
	case !o.Customized && o.SizeGB == 0:
		return fault.Invalidf("give disksize in GB, or customized=true for an offering whose users choose it")
	case !o.Customized:
		if err := between("disksize", int(o.SizeGB), 1, MaxDiskGB); err != nil {
			return err
		}
	}
	if err := completeLimits(&o.Limits); err != nil {
		return err
	}
	return o.StorageType.complete()
}

// UpdateDisk changes a disk offering. Volumes keep what they have, but for the limits: machines go by them from their next start on.
func (s *Service) UpdateDisk(ctx context.Context, id uid.DiskOffering, c Change) (Disk, error) {
	var o Disk
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var row diskRow
		if err := findLocked(ctx, tx, id, &row); err != nil {
			return err
		}
		c.apply(common{&row.Name, &row.DisplayText, &row.SortKey, &row.State, &row.Tags, &row.Scope})
		set(&row.Hidden, c.Hidden)
		c.Limits.apply(&row.Limits)
		if err := completeLimits(&row.Limits); err != nil {
			return err
		}
		o = row.Disk
		return save(ctx, tx, &row, changed{event.DiskOfferingEdit, "disk offering", o.Name, string(id), c, o.Scope})
	})
	return o, err
}

// DeleteDisk removes a disk offering: nothing new is made from it, and what was goes on.
func (s *Service) DeleteDisk(ctx context.Context, id uid.DiskOffering) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		var row diskRow
		if err := findLocked(ctx, tx, id, &row); err != nil {
			return err
		}
		if err := remove(ctx, tx, "disk_offerings", string(id)); err != nil {
			return err
		}
		return announce(ctx, tx, event.DiskOfferingDelete, "deleted disk offering", row.Name, string(id))
	})
}

// DeployableDisk gives the disk offering that the caller in ctx may make a volume from in a zone.
func DeployableDisk(ctx context.Context, q db.Tx, id uid.DiskOffering, zone uid.Zone) (Disk, error) {
	o, err := FindDisk(ctx, q, id)
	if err != nil {
		return Disk{}, err
	}
	if err := o.offered(ctx, q, id, zone); err != nil {
		return Disk{}, err
	}
	if o.State != Active {
		return Disk{}, fault.Conflictf("disk offering %q is %s: it is not for new volumes", o.Name, o.State)
	}
	return o, nil
}
