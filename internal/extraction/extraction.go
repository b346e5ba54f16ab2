package extraction

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/grant"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Kind is what can be downloaded.
type Kind string

// The kinds.
const (
	Template Kind = "Template"
	ISO      Kind = "Iso"
	Volume   Kind = "Volume"
)

// Command is the command by which one of a kind is asked for.
func (k Kind) Command() string { return "extract" + string(k) }

// events are, by kind, what is written down of it.
var events = map[Kind]event.Kind{Template: event.TemplateExtract, ISO: event.ISOExtract, Volume: event.VolumeExtract}

// State is where an extraction stands.
type State string

// The states.
const (
	Creating State = "Creating"
	Ready    State = "Ready"
)

// Extraction is something that can be downloaded for a while.
type Extraction struct {
	ID         uid.Extraction `bun:",pk"`
	Account    uid.Account    `bun:"account_id"`
	Domain     uid.Domain     `bun:"domain_id"`
	User       uid.User       `bun:"user_id"` // whose right it is, as long as it is
	Kind       Kind
	Template   uid.Template   `bun:"template_id,nullzero"` // or ISO
	Volume     uid.Volume     `bun:"volume_id,nullzero"`
	Zone       uid.Zone       `bun:"zone_id"`
	Store      uid.ImageStore `bun:"store_id"`
	Hypervisor string         // whose hosts handle a volume's copy
	Name       string         // of what is downloaded
	State      State
	Created    time.Time
	Expires    time.Time // after which nobody begins to download it
}

// copied is the copy of a volume as snapshots are kept: under the extraction's id.
func (e Extraction) copied() snapshot.Snapshot {
	return snapshot.Snapshot{ID: uid.Snapshot(e.ID), Volume: e.Volume, Zone: e.Zone, Store: e.Store, Hypervisor: e.Hypervisor}
}

// Parts are what a service works with.
type Parts struct {
	DB        *db.DB
	Engine    *op.Engine
	Box       *secret.Box // seals the addresses
	Settings  *setting.Settings
	Grants    grant.Grants
	Images    *image.Service
	Volumes   *volume.Service
	Snapshots *snapshot.Service
}

// Service gives out what is downloaded.
type Service struct {
	Parts

	create *op.Runner[extracting]
}

// New makes a service and registers its plan with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.create = op.Register(p.Engine, s.plan())
	return s
}

// announce writes the Scheduled event and tells the engine whose it is.
func announce(ctx context.Context, tx db.Tx, q *op.Request, e Extraction) (err error) {
	q.Account, q.Domain = e.Account, e.Domain
	about := string(e.Volume) + string(e.Template)
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: events[e.Kind], State: event.Scheduled, Description: fmt.Sprintf("preparing the download of %s %s (%s)", e.Kind, e.Name, about),
		Account: e.Account, Domain: e.Domain, User: q.Caller.User, ResourceID: about,
	})
	return err
}

// Sweep forgets what nobody may download any more, and removes its copies. It is a keeper's.
func (s *Service) Sweep(ctx context.Context) error {
	old, err := expired(ctx, s.DB.Read(), s.DB.Now())
	if err != nil {
		return err
	}
	return s.endAll(ctx, old)
}

// EndOf ends what can be downloaded of an account's things.
func (s *Service) EndOf(ctx context.Context, id uid.Account) error {
	all, err := of(ctx, s.DB.Read(), id)
	if err != nil {
		return err
	}
	return s.endAll(ctx, all)
}

// endAll removes copies, and then what is known of them.
func (s *Service) endAll(ctx context.Context, all []Extraction) error {
	ctx = auth.With(ctx, auth.System())
	for _, e := range all {
		if e.Volume != "" {
			if err := s.Snapshots.DropFrom(ctx, e.copied()); err != nil {
				return err
			}
		}
		if err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return remove(ctx, tx, e.ID) }); err != nil {
			return err
		}
	}
	return nil
}
