package event

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

var findEvent = db.Prepare("select * from events where id = ?")

// Complete records that the job which the event scheduled announced has ended; failure is why it failed, "" if it did not.
func Complete(ctx context.Context, tx db.Tx, scheduled uid.Event, failure string) error {
	var rows []struct {
		bun.BaseModel `bun:"table:events,alias:e"`
		Event
	}
	if err := tx.Select(ctx, findEvent, &rows, scheduled); err != nil {
		return fmt.Errorf("find the event that scheduled a job: %w", err)
	}
	if len(rows) == 0 {
		return nil // it has expired since
	}
	row := rows[0]
	e := row.Event
	e.ID, e.Parent, e.State, e.Description = "", row.ID, Completed, "done: "+row.Description
	if failure != "" {
		e.Level, e.Description = Error, "failed: "+row.Description+": "+failure
	}
	_, err := Write(ctx, tx, e)
	return err
}
