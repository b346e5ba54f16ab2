package migration

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Copy is a volume's disk on its way to another pool. There is room for it in both.
type Copy struct {
	Volume uid.Volume `json:"volume"`
	From   uid.Pool   `json:"from"`
	To     uid.Pool   `json:"to"`
	Bytes  int64      `json:"bytes"`
}

// Side is one of a copy's pools.
type Side func(Copy) uid.Pool

// Old is where the disk comes from.
func Old(c Copy) uid.Pool { return c.From }

// New is where it goes to.
func New(c Copy) uid.Pool { return c.To }

// Drop removes the disks on a side.
func Drop(ctx context.Context, volumes *volume.Service, copies []Copy, on Side) error {
	for _, c := range copies {
		if err := volumes.DropFrom(ctx, c.Volume, on(c)); err != nil {
			return err
		}
	}
	return nil
}

// Release gives back the room for the disks on a side.
func Release(ctx context.Context, tx db.Tx, copies []Copy, on Side) error {
	for _, c := range copies {
		if err := pool.Release(ctx, tx, on(c), c.Bytes); err != nil {
			return err
		}
	}
	return nil
}
