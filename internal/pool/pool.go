package pool

import (
	"context"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Pool is primary storage that all hosts of a cluster reach.
type Pool struct {
	ID         uid.Pool    `bun:",pk"`
	Zone       uid.Zone    `bun:"zone_id"`
	Pod        uid.Pod     `bun:"pod_id"`
	Cluster    uid.Cluster `bun:"cluster_id"`
	Name       string
	URL        string `bun:"url"`
	Type       string // Filesystem, SharedMountPoint
	Scope      string // CLUSTER
	State      string // Up, Maintenance
	BytesTotal int64
	BytesUsed  int64 // allocated to volumes
	Tags       string
	Created    time.Time
	Removed    time.Time `bun:",nullzero"`
}

// Service keeps storage pools.
type Service struct{ db *db.DB }

// New makes a service.
func New(d *db.DB) *Service { return &Service{d} }

// Create adds a pool; its id and times are filled in.
func (s *Service) Create(ctx context.Context, p Pool) (Pool, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		p.ID, p.Created = uid.New[uid.Pool](), tx.Now
		return insert(ctx, tx, p)
	})
	return p, err
}
