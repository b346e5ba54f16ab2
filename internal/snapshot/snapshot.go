package snapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// State is where a snapshot stands.
type State string

// The states. They are CloudStack's words: a snapshot that can be used is BackedUp.
const (
	Creating   State = "Creating"
	BackedUp   State = "BackedUp"
	Destroying State = "Destroying"
	Destroyed  State = "Destroyed"
)

// Manual is the type of snapshots that somebody asked for, the only one that there is.
const Manual = "MANUAL"

// Snapshot is what was on a volume at a moment.
type Snapshot struct {
	ID         uid.Snapshot   `bun:",pk"`
	Account    uid.Account    `bun:"account_id"`
	Domain     uid.Domain     `bun:"domain_id"`
	Zone       uid.Zone       `bun:"zone_id"`
	Volume     uid.Volume     `bun:"volume_id"` // which may be removed long since
	Store      uid.ImageStore `bun:"store_id"`
	Hypervisor string         // whose hosts handle it
	Name       string
	State      State
	Size       int64 // bytes of a disk made from it
	Stored     int64 `bun:"stored_bytes"` // that it takes in its store
	Created    time.Time
	Removed    time.Time `bun:",nullzero"`
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Accounts *account.Service
	Hosts    *host.Service
	Images   *image.Service
	Volumes  *volume.Service
}

// Service keeps snapshots.
type Service struct {
	Parts

	create *op.Runner[taking]
	remove *op.Runner[removal]
	revert *op.Runner[reverting]
	image  *op.Runner[imaging]
}

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.create = op.Register(p.Engine, s.createPlan())
	s.remove = op.Register(p.Engine, s.removePlan())
	s.revert = op.Register(p.Engine, s.revertPlan())
	s.image = op.Register(p.Engine, s.imagePlan())
	return s
}

// request is what all operations on a snapshot have in common.
func request(ctx context.Context, key op.Key, id uid.Snapshot, command string) op.Request {
	return op.Request{Thing: key, Caller: auth.From(ctx), Command: command, SubjectKind: "Snapshot", SubjectID: string(id)}
}

// announce writes the Scheduled event of an operation on a snapshot and tells the engine whose it is.
func announce(ctx context.Context, tx db.Tx, q *op.Request, n Snapshot, kind event.Kind, doing string) (err error) {
	q.Account, q.Domain = n.Account, n.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s snapshot %s (%s) of volume %s", doing, n.Name, n.ID, n.Volume),
		Account: n.Account, Domain: n.Domain, User: q.Caller.User, ResourceID: string(n.ID),
	})
	return err
}

// ref is the snapshot as drivers know it.
func (s *Service) ref(ctx context.Context, n Snapshot) (hypervisor.SnapshotRef, error) {
	stores, err := image.StoresByID(ctx, s.DB.Read(), []uid.ImageStore{n.Store})
	return hypervisor.SnapshotRef{Snapshot: n.ID, Store: n.Store, StoreURL: stores[n.Store].URL}, err
}
