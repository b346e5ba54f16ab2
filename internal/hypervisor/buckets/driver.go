package buckets

import (
	"context"
	"encoding/json"
	"sync"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/remote"
	"github.com/virga-cloud/virga/internal/outside/bucket"
	"github.com/virga-cloud/virga/uid"
)

// Open gives the bucket of a store.
type Open func(ctx context.Context, id uid.ImageStore) (*bucket.Bucket, error)

// Driver is a [remote.Driver] that knows of buckets, too. What has to do with stores of other kinds goes on to the hosts as it is.
type Driver struct {
	*remote.Driver
	open Open

	mu     sync.Mutex
	coming map[hypervisor.Stored]*coming // uploads that go through this server
}

// New makes a driver.
func New(d *remote.Driver, open Open) *Driver {
	return &Driver{Driver: d, open: open, coming: map[hypervisor.Stored]*coming{}}
}

// In a bucket all that is a store's is below the store's id, so that clouds can share a bucket. What is there has a record beside it, and
// is there when that is.
const (
	imagesDir    = "images/"
	snapshotsDir = "snapshots/"
)

// thing is something in a store that is a bucket.
type thing struct {
	*bucket.Bucket
	hypervisor.Stored
	key string // without an ending
}

// record is what is known of a thing.
type record struct {
	From   string // where it came from
	Ending string
	Size   int64 // of the file
	hypervisor.ImageReport
}

// thing finds out what is meant; nil where the store is no bucket.
func (d *Driver) thing(ctx context.Context, s hypervisor.Stored) (*thing, error) {
	if !hypervisor.IsBucket(s.StoreURL) || ctx.Err() != nil {
		return nil, ctx.Err()
	}
	b, err := d.open(ctx, s.Store)
	if err != nil {
		return nil, err
	}
	t := &thing{Bucket: b, Stored: s, key: string(s.Store) + "/" + imagesDir + string(s.Template)}
	if s.Snapshot != "" {
		t.key = string(s.Store) + "/" + snapshotsDir + string(s.Snapshot)
	}
	return t, nil
}

func (d *Driver) image(ctx context.Context, i hypervisor.ImageRef) (*thing, error) {
	return d.thing(ctx, hypervisor.Stored{Store: i.Store, StoreURL: i.StoreURL, Template: i.Template})
}

func (d *Driver) snapshot(ctx context.Context, s hypervisor.SnapshotRef) (*thing, error) {
	return d.thing(ctx, hypervisor.Stored{Store: s.Store, StoreURL: s.StoreURL, Snapshot: s.Snapshot})
}

// staged is the thing as a host has it for a while.
func (t *thing) staged() hypervisor.Stored {
	s := t.Stored
	s.StoreURL = hypervisor.StagedURL(s.Store)
	return s
}

func (t *thing) stagedImage() hypervisor.ImageRef {
	return hypervisor.ImageRef{Template: t.Template, Store: t.Store, StoreURL: hypervisor.StagedURL(t.Store)}
}

func (t *thing) stagedSnapshot() hypervisor.SnapshotRef {
	return hypervisor.SnapshotRef{Snapshot: t.Snapshot, Store: t.Store, StoreURL: hypervisor.StagedURL(t.Store)}
}

// known gives what is known of the thing; nil where it is not there.
func (t *thing) known(ctx context.Context) (*record, error) {
	content, err := t.Get(ctx, t.key+".json")
	if fault.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // that is an answer
	}
	if err != nil {
		return nil, err
	}
	r := &record{}
	return r, json.Unmarshal(content, r)
}

// there is known for what must be there.
func (t *thing) there(ctx context.Context) (*record, error) {
	r, err := t.known(ctx)
	if err == nil && r == nil {
		err = fault.Conflictf("store %s has no %s%s", t.Store, t.Template, t.Snapshot)
	}
	return r, err
}

func (t *thing) note(ctx context.Context, r record) error {
	content, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return t.Put(ctx, t.key+".json", content)
}

// endings are what there may be of a thing: the record goes first, and what was sent and not taken last.
var endings = []string{".json", ".qcow2", ".iso", ".sent"}

// drop removes all that there is of a thing.
func (t *thing) drop(ctx context.Context) error {
	for _, ending := range endings {
		if err := t.Drop(ctx, t.key+ending); err != nil {
			return err
		}
	}
	return nil
}

// ship has a host send what it has made, and removes it there.
func (d *Driver) ship(ctx context.Context, host uid.Host, t *thing, r record) error {
	piece, err := d.Driver.ReadStored(ctx, host, t.staged(), 0, 0)
	if err != nil {
		return err
	}
	r.Size, r.Ending = piece.Size, piece.Ending
	err = t.Send(ctx, t.key+"."+r.Ending, r.Size, func(links []bucket.Part) ([]string, error) {
		parts := make([]hypervisor.Part, len(links))
		for i, l := range links {
			parts[i] = hypervisor.Part(l)
		}
		return d.SendStored(ctx, host, t.staged(), parts)
	})
	if err != nil {
		return err
	}
	if size, err := t.Size(ctx, t.key+"."+r.Ending); err != nil || size != r.Size {
		return firstOf(err, fault.Unavailablef("store %s has %d bytes of %s%s, and %d were sent", t.Store, size, t.Template, t.Snapshot, r.Size))
	}
	if err := t.note(ctx, r); err != nil {
		return err
	}
	return d.unstage(ctx, host, t)
}

// unstage removes what a host has of a thing. A host that does not answer removes it by itself when it is old.
func (d *Driver) unstage(ctx context.Context, host uid.Host, t *thing) (err error) {
	if t.Snapshot != "" {
		err = d.Driver.DropSnapshot(ctx, host, t.stagedSnapshot())
	} else {
		err = d.Driver.DropImage(ctx, host, t.stagedImage())
	}
	if fault.Is(err, fault.Unavailable) {
		return nil
	}
	return err
}

func firstOf(err, other error) error {
	if err != nil {
		return err
	}
	return other
}

// Reaches tells whether a store is reached without a host.
func (d *Driver) Reaches(s hypervisor.StoreRef) bool { return hypervisor.IsBucket(s.URL) }
