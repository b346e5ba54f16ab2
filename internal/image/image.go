package image

import (
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Template is an image that machines are made from or that they have as their CD: a template or, of format ISO, an ISO. It is one
// thing in all zones that it is in; lists show it once for each, with where it is and how far it has come there (Place).
type Template struct {
	ID              uid.Template `bun:",pk"`
	Account         uid.Account  `bun:"account_id"`
	Domain          uid.Domain   `bun:"domain_id"`
	OSType          uid.OSType   `bun:"os_type_id"`
	Name            string
	DisplayText     string
	Hypervisor      string // "" of ISOs
	Format          string // QCOW2, RAW, VHD, OVA, VMDK, ISO
	Type            string // User, Builtin, System
	URL             string `bun:"url"`
	Checksum        string
	Source          uid.Template `bun:"source_id,nullzero"` // of the volume that it was made of
	Size            int64        // bytes of a disk made from it; 0 until it has been fetched somewhere
	Bits            int
	Tag             string // that hosts must have
	Details         map[string]string
	Public          bool `bun:"is_public"`
	Featured        bool `bun:"is_featured"`
	Extractable     bool `bun:"is_extractable"`
	CrossZones      bool // it is to be in every zone
	Bootable        bool
	RequiresHVM     bool `bun:"requires_hvm"`
	Scalable        bool // its guests' CPU and memory can grow while they run
	PasswordEnabled bool
	SSHKeyEnabled   bool `bun:"ssh_key_enabled"`
	Created         time.Time
	Removed         time.Time `bun:",nullzero"`

	Zone  uid.Zone `bun:"-"` // of the entry, where there is one
	Ready bool     `bun:"-"` // whether machines can be made from it there
	Place Place    `bun:"-"`
}

// Place is an image in a zone.
type Place struct {
	Template uid.Template   `bun:"template_id,pk"`
	Zone     uid.Zone       `bun:"zone_id,pk"`
	Store    uid.ImageStore `bun:"store_id,nullzero"` // "" for what the driver has anyway
	State    State
	Problem  string // why it Failed
	Stored   int64  `bun:"stored_bytes"` // that it takes in the store
	Come     int64  `bun:"come_bytes"`   // how much of it has come while it is Waiting, in bytes
	ComeOf   int64  `bun:"come_of"`      // of so many; 0 where that is not known
	Created  time.Time
	Removed  time.Time `bun:",nullzero"`
}

// State is how far an image has come in a zone.
type State string

// The states.
const (
	Waiting  State = "Waiting" // to be fetched or made, or being so
	Ready    State = "Ready"
	Failed   State = "Failed"
	Deleting State = "Deleting"

	// NotUploaded and what follows are of those that users upload.
	NotUploaded      State = "NotUploaded" // its user may send it still
	UploadInProgress State = "UploadInProgress"
	UploadError      State = "UploadError"
	UploadAbandoned  State = "UploadAbandoned" // nothing came for too long
)

// The types of images.
const (
	User    = "USER"
	Builtin = "BUILTIN" // it came with the cloud
	System  = "SYSTEM"  // for the cloud's own machines
)

// ISO is the format of ISOs; every other one is a template's.
const ISO = "ISO"

// IsISO tells whether it is an ISO.
func (t Template) IsISO() bool { return t.Format == ISO }

// noun is what users call it.
func (t Template) noun() string {
	if t.IsISO() {
		return "ISO"
	}
	return "template"
}

// OSType is an operating system that a template may hold.
type OSType struct {
	ID          uid.OSType     `bun:",pk"`
	Category    uid.OSCategory `bun:"category_id"`
	Description string
}

// OSCategory groups OS types.
type OSCategory struct {
	ID   uid.OSCategory `bun:",pk"`
	Name string
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Accounts *account.Service
	Hosts    *host.Service
	Settings *setting.Settings
	Box      *secret.Box // seals the keys of buckets
	Probe    Probe       // nil where nobody speaks with buckets
}

// Service keeps templates and ISOs, the stores that they are in, and OS types.
type Service struct {
	Parts
	fetch  *op.Runner[fetching]
	remove *op.Runner[removal]
	users  Users
	alsoIn []Uses
}

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.fetch = op.Register(p.Engine, s.fetchPlan())
	s.remove = op.Register(p.Engine, s.removePlan())
	return s
}
