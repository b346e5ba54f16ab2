package event

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Complete records that the job which the event scheduled announced has ended; failure is why it failed, "" if it did not.
func Complete(ctx context.Context, tx db.Tx, scheduled uid.Event, failure string) error {
	var row struct {
		bun.BaseModel `bun:"table:events,alias:e"`
		Event
	}
	err := tx.NewSelect().Model(&row).Where("e.id = ?", scheduled).Scan(ctx)
	if db.IsNone(err) {
		return nil // it has expired since
	}
	if err != nil {
		return fmt.Errorf("find the event that scheduled a job: %w", err)
	}
	e := row.Event
	e.ID, e.Parent, e.State, e.Description = "", row.ID, Completed, "done: "+row.Description
	if failure != "" {
		e.Level, e.Description = Error, "failed: "+row.Description+": "+failure
	}
	_, err = Write(ctx, tx, e)
	return err
}
