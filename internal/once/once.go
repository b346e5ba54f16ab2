package once

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Made is what a key has made.
type Made struct {
	User      uid.User `bun:"user_id,pk"`
	Key       string   `bun:",pk"`
	Command   string
	Digest    string // of the request's parameters
	Subject   string `bun:"subject_id"`   // the thing's id
	Operation uid.Op `bun:"operation_id"` // the job that makes it; "" where it was made at once
	Withdrawn bool   // see [Withdraw]
	Created   time.Time
}

// claim is a key on its way to the transaction that records it.
type claim struct{ key, command, digest string }

type claimKey struct{}

// With marks what follows as a request under a key. What it makes is recorded by [Record].
func With(ctx context.Context, key, command, digest string) context.Context {
	return context.WithValue(ctx, claimKey{}, claim{key, command, digest})
}

// Without marks what follows as made on the way to what the request is about: nothing of it is recorded.
func Without(ctx context.Context) context.Context { return context.WithValue(ctx, claimKey{}, nil) }

// Record notes, in the transaction that makes a thing, under which key it was asked for; without a key it does nothing. job is ""
// where the thing is made at once. A key that another request has just recorded is [ErrTaken]. It
// is called for what the command is about, by the method that opens the transaction, and not for what is made on the way.
func Record(ctx context.Context, tx db.Tx, subject string, job uid.Op) error {
	c, ok := ctx.Value(claimKey{}).(claim)
	if !ok {
		return nil
	}
	err := insert(ctx, tx, Made{
		User: auth.From(ctx).User, Key: c.key, Command: c.command, Digest: c.digest, Subject: subject, Operation: job, Created: tx.Now,
	})
	if db.IsUnique(err) && !db.IsLate(err) {
		return ErrTaken
	}
	return err
}

// ErrTaken says that another request has recorded the key since the caller looked for it.
var ErrTaken = fault.Conflictf("another request with this idempotency key was made at the same moment; repeat it to see its outcome")

// Find gives what the caller's key has made, or nil when it has made nothing. A key that stands for another request is
// fault.Conflict.
func Find(ctx context.Context, q db.Tx, key, command, digest string) (*Made, error) {
	made, err := find(ctx, q, auth.From(ctx).User, key)
	switch {
	case err != nil || made == nil:
		return nil, err
	case made.Command != command:
		return nil, fault.Conflictf("idempotency key %q was used for %s; choose a new key for each thing that is to be made", key, made.Command)
	case made.Digest != digest:
		return nil, fault.Conflictf("idempotency key %q was used for %s with other parameters; repeat them exactly, or choose a new key",
			key, command)
	case made.Withdrawn:
		return nil, fault.Conflictf("idempotency key %q was used, and what was made may not be yours any more: look for it in a list, or choose "+
			"a new key", key)
	}
	return made, nil
}

// Withdraw lets the keys that users have chosen until now show nothing any more: what was made with them may be out of their reach. The
// keys stay, so that nothing is made a second time.
func Withdraw(ctx context.Context, tx db.Tx, users ...uid.User) error {
	if len(users) == 0 {
		return nil
	}
	if err := withdraw(ctx, tx, users); err != nil {
		return fmt.Errorf("withdraw idempotency keys: %w", err)
	}
	return nil
}

// Forget removes keys recorded before a time, some at a time, and tells how many: their requests are not repeated any more.
func Forget(ctx context.Context, tx db.Tx, before time.Time, limit int) (int64, error) {
	return forget(ctx, tx, before, limit)
}

// Release gives a user's key free again, in the transaction that takes back what it has made: the request may be repeated.
func Release(ctx context.Context, tx db.Tx, user uid.User, subject string) error {
	return release(ctx, tx, user, subject)
}
