package op

import (
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

type operationRow struct {
	bun.BaseModel `bun:"table:operations,alias:o"`
	Record
}

type stepRow struct {
	bun.BaseModel `bun:"table:operation_steps,alias:s"`
	StepRecord
}

const columns = `id, plan, thing, state, step, step_name, data, owner, fence, turn, run_at, command, user_id, account_id, domain_id,
	subject_kind, subject_id, event_id, created, updated`

// insertFirst gives an operation its turn and its owner at once, where nothing is open on its thing. Somebody may start
// another one on the same thing in the same moment: the unique index decides.
var insertFirst = db.PrepareEach(`insert into operations (`+columns+`)
	select ?, ?, ?, ?, 0, ?, ?, ?, 1, true, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?
	where not exists (select 1 from operations where thing = ? and finished is null)
	on conflict (thing) where turn and finished is null do nothing`, `insert into operations (`+columns+`)
	select ?::text, ?::text, ?::text, ?::text, 0, ?::text, ?::text, ?::text, 1, true, ?::timestamptz, ?::text, ?::text, ?::text, ?::text,
		?::text, ?::text, ?::text, ?::timestamptz, ?::timestamptz
	where not exists (select 1 from operations where thing = ? and finished is null)
	on conflict (thing) where turn and finished is null do nothing`)

var insertQueued = db.Prepare(`insert into operations (` + columns + `)
	values (?, ?, ?, ?, 0, ?, ?, '', 0, false, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

// insertFresh is insertFirst for a thing that only this operation knows.
var insertFresh = db.Prepare(`insert into operations (` + columns + `)
	values (?, ?, ?, ?, 0, ?, ?, ?, 1, true, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)

// insert adds an operation. It is owned at once where its thing is free, or fresh, and queued where it is not.
func insert(ctx context.Context, tx db.Tx, r *Record, owner string, fresh bool) error {
	head := []any{r.ID, r.Plan, r.Thing, r.State, r.StepName, r.Data}
	tail := []any{
		r.RunAt, r.Command, r.UserID, r.AccountID, r.DomainID, r.SubjectKind, r.SubjectID, r.EventID, r.Created, r.Updated,
	}
	if fresh {
		r.Turn, r.Owner, r.Fence = true, owner, 1
		return tx.Later(ctx, insertFresh, slices.Concat(head, []any{owner}, tail)...)
	}
	n, err := tx.Run(ctx, insertFirst, slices.Concat(head, []any{owner}, tail, []any{r.Thing})...)
	if err != nil {
		return err
	}
	if n == 1 {
		r.Turn, r.Owner, r.Fence = true, owner, 1
		return nil
	}
	var stuck ID
	err = tx.NewRaw("select id from operations where thing = ? and finished is null and state = 'stuck' limit 1", r.Thing).Scan(ctx, &stuck)
	if err == nil {
		return fault.Conflictf("job %s on this is stuck; an administrator must look at it first", stuck)
	}
	if !db.IsNone(err) {
		return err
	}
	_, err = tx.Run(ctx, insertQueued, slices.Concat(head, tail)...)
	return err
}

// refuseOpen refuses a thing that some operation is working on.
func refuseOpen(ctx context.Context, tx db.Tx, thing Key) error {
	var other Record
	err := tx.NewRaw("select id, command from operations where thing = ? and finished is null order by id limit 1", thing).
		Scan(ctx, &other.ID, &other.Command)
	if db.IsNone(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return fault.Conflictf("job %s (%s) is working on this; wait for it to end, or cancel it", other.ID, other.Command)
}

// claim takes up to limit operations whose turn it is and that nobody owns. One that was cancelled before its turn is taken
// without having it: all it does is to give up what its Accept did.
func claim(ctx context.Context, tx db.Tx, owner string, limit int) ([]Record, error) {
	skip := ""
	if tx.Postgres {
		skip = "for update skip locked"
	}
	var rows []operationRow
	err := tx.NewRaw(`update operations set owner = ?, fence = fence + 1, turn = (turn or not canceled), updated = ? where id in (
		select o.id from operations o where o.finished is null and o.owner = '' and o.state <> 'stuck' and o.run_at <= ?
		and (o.turn or o.canceled or not exists (select 1 from operations p where p.thing = o.thing and p.finished is null
			and p.id <> o.id and (p.turn or p.id < o.id)))
		order by o.run_at, o.id limit ? `+skip+`) returning *`, owner, tx.Now, tx.Now, limit).Scan(ctx, &rows)
	records := make([]Record, len(rows))
	for i, row := range rows {
		records[i] = row.Record
	}
	return records, err
}

// change is what is recorded of an operation at the end of a step.
type change struct {
	old     Record   // as it is
	record  Record   // as it shall be
	release bool     // give it back: somebody takes it at RunAt
	steps   []string // those that ran
	action  string   // do or undo, of all of them
	stepErr error
}

// A record is saved under the condition that the operation is still this server's under this fence, and stands where the
// change began (it does not after a commit whose answer was lost), in a state that is not an end. It does not ask whether the operation
// is finished: for that, PostgreSQL would look through the index of all open ones.
var (
	saveRecord = db.PrepareMust(`update operations set state = ?, step = ?, step_name = ?, data = ?, attempt = ?, tried_since = ?, run_at = ?,
		updated = ?, fault_kind = ?, fault_text = ?, fault_detail = ?, owner = ?, finished = ?, seq = ?
		where id = ? and fence = ? and owner = ? and state = ? and step = ? and attempt = ?`)
	insertStep = db.Prepare("insert into operation_steps (operation_id, seq, name, action, error, at) values (?, ?, ?, ?, ?, ?)")
)

// save records a change, and fails with errFenced, perhaps as late as at the commit, where the condition is not met.
func save(ctx context.Context, tx db.Tx, c change) error {
	r, owner := c.record, c.record.Owner
	if c.release {
		owner = ""
	}
	lost := func(context.Context, db.Tx) error { return errFenced }
	err := tx.Must(ctx, saveRecord, lost,
		r.State, r.Step, r.StepName, r.Data, r.Attempt, r.TriedSince, r.RunAt, tx.Now,
		r.FaultKind, r.FaultText, r.FaultDetail, owner, r.Finished, r.Seq,
		r.ID, r.Fence, r.Owner, c.old.State, c.old.Step, c.old.Attempt)
	text := ""
	if c.stepErr != nil {
		text = c.stepErr.Error()
	}
	for i, step := range c.steps {
		if err == nil {
			err = tx.Later(ctx, insertStep, r.ID, c.old.Seq+int64(i)+1, step, c.action, text, tx.Now)
		}
	}
	return err
}

// Find is one operation within a scope.
func Find(ctx context.Context, q db.Tx, scope auth.Scope, id ID) (Record, error) {
	var row operationRow
	err := scope.Where(q.NewSelect().Model(&row), "o").Where("o.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		return Record{}, fault.Missing(id)
	}
	return row.Record, err
}

// Steps are the steps that an operation ran, in order.
func Steps(ctx context.Context, q db.Tx, id ID) ([]StepRecord, error) {
	var rows []stepRow
	err := q.NewSelect().Model(&rows).Where("operation_id = ?", id).Order("seq").Scan(ctx)
	steps := make([]StepRecord, len(rows))
	for i, row := range rows {
		steps[i] = row.StepRecord
	}
	return steps, err
}

// Filter says which operations a list shows.
type Filter struct {
	Scope     auth.Scope
	Since     time.Time
	Subject   string
	Kind      string // of the subject
	Keyword   string // in the command's name
	OnlyOpen  bool
	OnlyStuck bool
	Offset    int
	Limit     int // 0: all
}

// List gives a page of operations, oldest first, and how many there are in all.
func List(ctx context.Context, q db.Tx, f Filter) ([]Record, int, error) {
	var rows []operationRow
	s := f.Scope.Where(q.NewSelect().Model(&rows), "o")
	if !f.Since.IsZero() {
		s.Where("o.created >= ?", f.Since)
	}
	if f.Subject != "" {
		s.Where("o.subject_id = ?", f.Subject)
	}
	if f.Kind != "" {
		s.Where("lower(o.subject_kind) = lower(?)", f.Kind)
	}
	db.Like(s, f.Keyword, "o.command")
	if f.OnlyOpen {
		s.Where("o.finished is null")
	}
	if f.OnlyStuck {
		s.Where("o.finished is null and o.state = ?", Stuck)
	}
	n, err := db.PageByID(ctx, s.Order("o.id"), f.Offset, f.Limit)
	records := make([]Record, len(rows))
	for i, row := range rows {
		records[i] = row.Record
	}
	return records, n, err
}

var openOn = db.PrepareMany("select id, subject_id from operations where subject_id in (?) and finished is null order by id")

// OpenOn gives, for each of some subjects, the newest job that is still open on it; subjects without one are left out.
func OpenOn(ctx context.Context, q db.Tx, subjects []string) (map[string]ID, error) {
	return db.ByID(ctx, q, openOn, subjects, func(r operationRow) (string, ID) { return r.SubjectID, r.ID })
}

// Expire removes operations that ended before a time, at most limit of them, and tells how many it removed.
func Expire(ctx context.Context, tx db.Tx, before time.Time, limit int) (int64, error) {
	var ids []ID
	err := tx.NewRaw("select id from operations where finished is not null and finished < ? limit ?", before, limit).Scan(ctx, &ids)
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	if _, err := tx.NewRaw("delete from operation_steps where operation_id in (?)", bun.List(ids)).Exec(ctx); err != nil {
		return 0, err
	}
	return db.Changed(tx.NewRaw("delete from operations where id in (?)", bun.List(ids)).Exec(ctx))
}
