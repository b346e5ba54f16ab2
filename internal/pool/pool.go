package pool

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Scope says who reaches a pool.
type Scope = string

// The scopes.
const (
	ClusterWide Scope = "CLUSTER" // all hosts of a cluster
	ZoneWide    Scope = "ZONE"    // all hosts of a zone that have the pool's hypervisor
	HostOnly    Scope = "HOST"    // one host: local storage
)

// The states that this version sets.
const (
	Up          = "Up"
	Maintenance = "Maintenance"
	Disabled    = "Disabled"
)

// DefaultPrimary is the one provider of primary storage.
const DefaultPrimary = "DefaultPrimary"

// Details are what operators note of a pool, by name.
type Details map[string]string

// Pool is primary storage.
type Pool struct {
	ID            uid.Pool    `bun:",pk"`
	Zone          uid.Zone    `bun:"zone_id"`
	Pod           uid.Pod     `bun:"pod_id,nullzero"`     // "" in zone scope
	Cluster       uid.Cluster `bun:"cluster_id,nullzero"` // "" in zone scope
	Host          uid.Host    `bun:"host_id,nullzero"`    // of local storage
	Name          string
	Hypervisor    string // whose hosts reach it
	URL           string `bun:"url"`
	Address       string // the URL's host
	Path          string
	Type          string // Filesystem, SharedMountPoint
	Scope         Scope
	State         string
	BytesPhysical int64 // what is there
	BytesTotal    int64 // what may be given out, over-provisioning applied
	BytesUsed     int64 // allocated to volumes
	Tags          string
	Provider      string
	Details       Details
	Created       time.Time
	Removed       time.Time `bun:",nullzero"`
}

// Service keeps storage pools.
type Service struct {
	db       *db.DB
	drivers  hypervisor.Drivers
	settings *setting.Settings
	volumes  Volumes
}

// Volumes counts the volumes in a pool.
type Volumes func(ctx context.Context, tx db.Tx, in uid.Pool) (int, error)

// Parts are what the service works with. Only the database is required.
type Parts struct {
	DB       *db.DB
	Drivers  hypervisor.Drivers // none: whoever adds a pool must say how large it is
	Settings *setting.Settings  // nil: the defaults
	Volumes  Volumes            // nil: a refusal says how many bytes are in use, and not how many volumes
}

// New makes a service.
func New(p Parts) *Service {
	return &Service{db: p.DB, drivers: p.Drivers, settings: p.Settings, volumes: p.Volumes}
}
