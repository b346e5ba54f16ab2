package volume

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/uid"
)

// ResizeIn says what size a volume is to have: the offering's, or the user's where that leaves it open.
type ResizeIn struct {
	Offering uid.DiskOffering // "": the one that it has
	GB       int64            // 0: the offering's
	Shrink   bool             // less would do, too
}

// resizing is the state of giving a volume another size. The difference is counted from the request on.
type resizing struct {
	Volume   uid.Volume       `json:"volume"`
	Was      State            `json:"was"`
	From     int64            `json:"from"` // bytes
	To       int64            `json:"to"`
	Pool     uid.Pool         `json:"pool,omitempty"` // that has the disk
	Offering uid.DiskOffering `json:"offering,omitempty"`

	in *ResizeIn // for Accept only
}

// Resize begins to give a volume another size. A disk grows, also that of a machine that runs, and never shrinks; what is no more than
// a wish can become smaller, too.
func (s *Service) Resize(ctx context.Context, id uid.Volume, in ResizeIn) (op.ID, error) {
	q, err := s.requestOn(ctx, id, "resizeVolume")
	if err != nil {
		return "", err
	}
	job, _, err := s.resize.Start(ctx, q, resizing{Volume: id, in: &in})
	return job, err
}

// requestOn is the request for an operation on a volume's disk.
func (s *Service) requestOn(ctx context.Context, id uid.Volume, command string) (op.Request, error) {
	key, err := s.KeyOf(ctx, id)
	q := request(ctx, id, command)
	q.Thing = key
	return q, err
}

// KeyOf is the [Key] of a volume that the caller in ctx reaches.
func (s *Service) KeyOf(ctx context.Context, id uid.Volume) (op.Key, error) {
	found, _, err := s.List(ctx, Filter{Scope: auth.From(ctx).Reach(), IDs: []uid.Volume{id}})
	if err == nil && len(found) == 0 {
		err = fault.Missing(id)
	}
	if err != nil {
		return op.Key(""), err
	}
	return Key(id, found[0].VM), nil
}

func (s *Service) resizePlan() *op.Plan[resizing] {
	return op.New[resizing]("volume.resize").
		Accept(s.beginResize, unresized).
		Do("resize", s.resizeDisk, nil). // a disk that has grown stays so: the next attempt finds it as large as it is to be
		Tx("finish", resized, nil)
}

func (s *Service) beginResize(ctx context.Context, tx db.Tx, q *op.Request, r *resizing) error {
	v, holder, err := s.Work(ctx, tx, q, r.Volume, "resized")
	if err != nil {
		return err
	}
	r.Was, r.From, r.Pool = v.State, v.Size, v.Pool
	if r.To, r.Offering, err = s.sizeFor(ctx, tx, v, *r.in); err != nil {
		return err
	}
	if err := holder.Unkept("one of its disks is resized"); err != nil {
		return err
	}
	if more := r.To - r.From; more > 0 {
		if v.Pool != "" {
			room, err := pool.Reserve(ctx, tx, v.Pool, more)
			if err != nil {
				return err
			}
			if !room {
				return fault.Fullf("the primary storage that volume %q lies in has no room for %d GB more", v.Name, Gigabytes(more))
			}
		}
		if err := account.Take(ctx, tx, v.Account, grown(r.From, r.To)); err != nil {
			return err
		}
	}
	if err := Settle(ctx, tx, v.ID, v.State, Resizing); err != nil {
		return err
	}
	return Announce(ctx, tx, q, v, event.VolumeResize, "resizing")
}

// grown is what a volume counts for more after it has grown.
func grown(from, to int64) limit.Use {
	return limit.Use{limit.PrimaryGB: Gigabytes(to) - Gigabytes(from)}
}

// unresized gives back what was taken for more room. Where the machine has taken the volume along, its end gives back what it was.
func unresized(ctx context.Context, tx db.Tx, r *resizing) error {
	found, err := ByID(ctx, tx, []uid.Volume{r.Volume})
	if err != nil {
		return err
	}
	if more := r.To - r.From; more > 0 {
		if r.Pool != "" {
			if err := pool.Release(ctx, tx, r.Pool, more); err != nil {
				return err
			}
		}
		if err := account.Give(ctx, tx, found[r.Volume].Account, grown(r.From, r.To)); err != nil {
			return err
		}
	}
	return Settle(ctx, tx, r.Volume, Resizing, r.Was)
}

func resized(ctx context.Context, tx db.Tx, r *resizing) error {
	v, err := Locked(ctx, tx, auth.Scope{All: true}, r.Volume)
	if err != nil {
		return err
	}
	if err := setSize(ctx, tx, r.Volume, r.To, r.Offering); err != nil {
		return err
	}
	if r.To < r.From {
		if err := account.Give(ctx, tx, v.Account, grown(r.To, r.From)); err != nil {
			return err
		}
	}
	return Settle(ctx, tx, r.Volume, Resizing, r.Was)
}

// sizeFor is the size in bytes that a volume is to have, and its offering then.
func (s *Service) sizeFor(ctx context.Context, tx db.Tx, v Volume, in ResizeIn) (int64, uid.DiskOffering, error) {
	to, off := in.GB*GB, v.DiskOffering
	err := CheckGB("size", in.GB)
	switch {
	case err != nil:
	case in.GB == 0 && in.Offering == "":
		err = fault.Invalidf("give the size in GB that volume %q is to have, or the diskofferingid that says it", v.Name)
	case v.Type == Root && in.Offering != "":
		if _, err = offering.DeployableDisk(ctx, tx, in.Offering, v.Zone); err != nil {
			break
		}
		err = fault.Invalidf("volume %q is a root disk, which is as its machine's service offering says: leave out diskofferingid and give size",
			v.Name)
	case v.Type == Root, in.Offering == "" && v.DiskOffering == "":
		err = s.CheckMax(in.GB)
	default:
		to, off, err = s.offered(ctx, tx, v, in)
	}
	if err == nil && to < v.Size && (v.Pool != "" || v.Type == Root || v.Snapshot != "") {
		err = fault.Invalidf("volume %q has %d GB already: want more than that, not %d", v.Name, Gigabytes(v.Size), Gigabytes(to))
		if in.Shrink {
			err = fault.Invalidf("volume %q has %d GB and can't have %d: no disk is made smaller here, since what a guest keeps at its end "+
				"would be lost; make a smaller volume and copy what matters", v.Name, Gigabytes(v.Size), Gigabytes(to))
		}
	}
	return to, off, err
}

// offered is the size that a data disk has by an offering: its own, or another one that wants it to lie where it does.
func (s *Service) offered(ctx context.Context, tx db.Tx, v Volume, in ResizeIn) (int64, uid.DiskOffering, error) {
	known, err := offering.DisksByID(ctx, tx, []uid.DiskOffering{cmp.Or(v.DiskOffering, in.Offering)})
	if err != nil {
		return 0, "", err
	}
	off := known[v.DiskOffering]
	if in.Offering != "" && in.Offering != v.DiskOffering {
		was := off
		if off, err = offering.DeployableDisk(ctx, tx, in.Offering, v.Zone); err != nil {
			return 0, "", err
		}
		if v.Pool != "" && v.DiskOffering != "" && off.StorageType != was.StorageType {
			return 0, "", fault.Conflictf("volume %q lies in %s storage, and disk offering %q wants %s storage", v.Name, was.StorageType, off.Name,
				off.StorageType)
		}
		if err := fits(ctx, tx, v, off); err != nil {
			return 0, "", err
		}
	}
	if !off.Customized && in.GB != 0 && in.GB != off.SizeGB {
		return 0, "", fault.Invalidf("disk offering %q has a fixed size of %d GB: name one in diskofferingid that has %d GB, or leaves the size open",
			off.Name, off.SizeGB, in.GB)
	}
	to, err := s.SizeOf(off, in.GB)
	return to, off.ID, err
}

// fits refuses an offering whose tags the pool does not have in which a volume lies.
func fits(ctx context.Context, q db.Tx, v Volume, off offering.Disk) error {
	if v.Pool == "" || off.Tags == "" {
		return nil
	}
	pools, err := pool.ByID(ctx, q, []uid.Pool{v.Pool})
	if err != nil {
		return err
	}
	has := strings.Split(pools[v.Pool].Tags, ",")
	for want := range strings.SplitSeq(off.Tags, ",") {
		if !slices.Contains(has, want) {
			return fault.Conflictf("disk offering %q wants storage with the tag %q, which that of volume %q does not have", off.Name, want, v.Name)
		}
	}
	return nil
}

// resizeDisk makes the disk as large as it is to be. A volume without one needs nothing.
func (s *Service) resizeDisk(ctx context.Context, r *resizing) error {
	if r.Pool == "" || r.To == r.From {
		return nil
	}
	found, err := ByID(ctx, s.DB.Read(), []uid.Volume{r.Volume})
	if err != nil {
		return err
	}
	v := found[r.Volume]
	if !v.Removed.IsZero() {
		return fault.Conflictf("volume %q was deleted with its machine meanwhile", v.Name)
	}
	d, err := s.Reach(ctx, v)
	if err != nil {
		return err
	}
	resizer, can := d.Driver.(hypervisor.Resizer)
	if !can {
		return fault.Conflictf("%s hosts can't resize disks", d.Kind)
	}
	return Again(resizer.ResizeDisk(ctx, d.Host, d.Ref, r.To))
}

// Reverted records that a volume has been taken back to a snapshot, with the size that it had then: it has not shrunk since.
func Reverted(ctx context.Context, tx db.Tx, id uid.Volume, bytes int64) error {
	v, err := Locked(ctx, tx, auth.Scope{All: true}, id)
	if err != nil {
		return err
	}
	if bytes < v.Size {
		if err := setSize(ctx, tx, id, bytes, v.DiskOffering); err != nil {
			return err
		}
		if err := pool.Release(ctx, tx, v.Pool, v.Size-bytes); err != nil {
			return err
		}
		if err := account.Give(ctx, tx, v.Account, grown(bytes, v.Size)); err != nil {
			return err
		}
	}
	return Settle(ctx, tx, id, Reverting, Ready)
}
