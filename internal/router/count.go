package router

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/zone"
)

// CountIn counts the routers that serve a pod: see [zone.Uses].
func CountIn(ctx context.Context, tx db.Tx, p zone.Place) ([]zone.Count, error) {
	if p.Pod == "" {
		return nil, nil
	}
	n, err := ofPod(ctx, tx, p.Pod)
	return []zone.Count{{Thing: "virtual router", N: n}}, err
}
