package host

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Clusters makes the cluster that a host is added to, where there is none of its name yet.
type Clusters interface {
	AddCluster(ctx context.Context, tx db.Tx, c zone.Cluster) (zone.Cluster, error)
}

// LocalStorage keeps the storage that hosts have for themselves.
type LocalStorage interface {
	// AddLocal makes the pool of a host that has joined a zone with local storage.
	AddLocal(ctx context.Context, tx db.Tx, h Host, url string, bytes int64) error
	// DropLocal removes the pools of a host that goes; it is fault.Conflict while something is in them.
	DropLocal(ctx context.Context, tx db.Tx, h Host) error
}

// Machines names some of the machines on a host, and tells how many there are.
type Machines func(ctx context.Context, tx db.Tx, on uid.Host) (some []string, total int, err error)

// Clear stops the machines of a host, with volumes destroys those in its own storage, and returns when that is done.
type Clear func(ctx context.Context, on uid.Host, volumes bool) error

// ClearedBy says how hosts are cleared that are deleted by force.
func (s *Service) ClearedBy(c Clear) { s.clear = c }

// Leave has what was on a host, and is no more, go elsewhere, in the transaction in which the host is removed.
type Leave func(ctx context.Context, tx db.Tx, on uid.Host) error

// LeftBy says what is to go elsewhere when a host is removed.
func (s *Service) LeftBy(l Leave) { s.leave = l }

// CountIn counts the hosts of a place: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	n, err := countIn(ctx, tx, p)
	return []zone.Count{{Thing: "host", N: n}}, err
}
