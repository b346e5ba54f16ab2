package event

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

const (
	completeInto = `insert into events (id, type, level, state, description, account_id, domain_id, user_id, resource_type, resource_id,
		parent_id, created) `
	completeFrom = ` account_id, domain_id, user_id, resource_type, resource_id, id, `
)

// complete copies the Scheduled event; one that has expired since leaves nothing to complete.
var complete = db.PrepareEach(
	completeInto+"select ?, type, coalesce(?, level), ?, ? || description || ?,"+completeFrom+"? from events where id = ?",
	completeInto+"select ?::text, type, coalesce(?::text, level), ?::text, ?::text || description || ?::text,"+completeFrom+
		"?::timestamptz from events where id = ?")

// Complete records that the job which the event scheduled announced has ended; failure is why it failed, "" if it did not.
func Complete(ctx context.Context, tx db.Tx, scheduled uid.Event, failure string) error {
	var level any
	before, after := "done: ", ""
	if failure != "" {
		level, before, after = string(Error), "failed: ", ": "+failure
	}
	return tx.Later(ctx, complete, uid.New[uid.Event](), level, Completed, before, after, tx.Now, scheduled)
}
