package pool

import (
	"context"
	"slices"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
)

// Want is what a disk asks of a pool.
type Want struct {
	Tags  string // all of them, with commas between
	Local bool   // on the host itself, and else on shared storage
}

// For gives the pools that a host reaches and where a disk like that may be made, the emptiest first.
func For(ctx context.Context, q db.Tx, h host.Host, w Want) ([]Pool, error) {
	pools, err := reachable(ctx, q, h)
	return slices.DeleteFunc(pools, func(p Pool) bool { return (p.Scope == HostOnly) != w.Local || !p.Tagged(w.Tags) }), err
}
