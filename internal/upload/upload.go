package upload

import (
	"context"
	"fmt"
	"time"

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

// Kind is what can be uploaded.
type Kind string

// The kinds.
const (
	Template Kind = "Template"
	ISO      Kind = "Iso"
	Volume   Kind = "Volume"
)

// Command is the command by which one of a kind is announced.
func (k Kind) Command() string { return "getUploadParamsFor" + string(k) }

// events are, by kind, what is written down when one has come.
var events = map[Kind]event.Kind{Template: event.TemplateUpload, ISO: event.ISOUpload, Volume: event.VolumeUpload}

// State is where an upload stands.
type State string

// The states. The template, ISO or volume has one that says the same to users.
const (
	Waiting   State = "Waiting"   // it may begin
	Receiving State = "Receiving" // it comes
	Taking    State = "Taking"    // all has come
	Taken     State = "Taken"     // for a volume whose disk is still to be made from it
	Ended     State = "Ended"     // in vain: what has come is to be removed
)

// Upload is something that a user sends, or is to send.
type Upload struct {
	ID         uid.Upload  `bun:",pk"`
	Account    uid.Account `bun:"account_id"`
	Domain     uid.Domain  `bun:"domain_id"`
	User       uid.User    `bun:"user_id"` // whose right it is, as long as it is
	Kind       Kind
	Template   uid.Template   `bun:"template_id,nullzero"` // or ISO
	Volume     uid.Volume     `bun:"volume_id,nullzero"`
	Zone       uid.Zone       `bun:"zone_id"`
	Store      uid.ImageStore `bun:"store_id"`
	Hypervisor string         // whose hosts handle it; "" of ISOs
	Format     string
	Checksum   string // that it must have; "" for any
	Name       string // of what is uploaded
	State      State
	Received   int64 // bytes
	Stored     int64 `bun:"stored_bytes"` // that what came for a volume takes in the store
	Created    time.Time
	Expires    time.Time // until when it may begin or, while it comes, go on
}

// Thing is the id of the template, ISO or volume.
func (u Upload) Thing() string { return string(u.Template) + string(u.Volume) }

// kept is what came for a volume as snapshots are kept: under the upload's id.
func (u Upload) kept() snapshot.Snapshot {
	return snapshot.Snapshot{ID: uid.Snapshot(u.ID), Volume: u.Volume, Zone: u.Zone, Store: u.Store, Hypervisor: u.Hypervisor}
}

// key is the key of the operation that takes it: that of the template's or volume's others.
func (u Upload) key() op.Key {
	if u.Kind == Volume {
		return volume.Key(u.Volume, "")
	}
	return op.On("template", u.Template)
}

// Parts are what a service works with.
type Parts struct {
	DB        *db.DB
	Engine    *op.Engine
	Box       *secret.Box // seals what senders say
	Settings  *setting.Settings
	Grants    grant.Grants
	Images    *image.Service
	Volumes   *volume.Service
	Snapshots *snapshot.Service
}

// Service takes in what users send.
type Service struct {
	Parts

	take *op.Runner[taking]
}

// New makes a service and registers its plan with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.take = op.Register(p.Engine, s.plan())
	return s
}

// advance moves the upload's template, ISO or volume from a state of uploads to another one, and tells whether it was in it.
func (u Upload) advance(ctx context.Context, tx db.Tx, from, to image.State, problem string) (bool, error) {
	if u.Kind == Volume {
		return volume.Advance(ctx, tx, u.Volume, volume.State(from), volume.State(to))
	}
	return image.Advance(ctx, tx, image.Place{Template: u.Template, Zone: u.Zone, State: to, Problem: problem}, from)
}

// end records that an upload that may begin, or comes, has been in vain, unless it isn't so any more.
func (s *Service) end(ctx context.Context, u Upload, as image.State, problem string) error {
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if is, err := move(ctx, tx, u.ID, u.State, Ended); err != nil || !is {
			return err
		}
		from := image.NotUploaded
		if u.State == Receiving {
			from = image.UploadInProgress
		}
		if there, err := u.advance(ctx, tx, from, as, problem); err != nil || !there {
			return err
		}
		_, err := event.Write(ctx, tx, event.Event{
			Type: events[u.Kind], Level: event.Error, Description: fmt.Sprintf("%s %s (%s) was not uploaded: %s", u.Kind, u.Name, u.Thing(), problem),
			Account: u.Account, Domain: u.Domain, User: u.User, ResourceID: u.Thing(),
		})
		return err
	})
}
