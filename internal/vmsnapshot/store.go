package vmsnapshot

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the snapshots that can have tags.
var Taggable = tag.Kind{Type: tag.VMSnapshot, Table: "vm_snapshots", Live: "removed is null"}

type snapshotRow struct {
	bun.BaseModel `bun:"table:vm_snapshots,alias:n"`
	Snapshot
}

func insert(ctx context.Context, tx db.Tx, n Snapshot) error {
	_, err := tx.NewInsert().Model(&snapshotRow{Snapshot: n}).Exec(ctx)
	return err
}

// find gives a snapshot within a scope that is not removed.
func find(ctx context.Context, q db.Tx, scope auth.Scope, id uid.VMSnapshot) (Snapshot, error) {
	var row snapshotRow
	err := scope.Where(q.NewSelect().Model(&row), "n").Where("n.id = ? and n.removed is null", id).Scan(ctx)
	if db.IsNone(err) {
		return Snapshot{}, fault.Missing(id)
	}
	return row.Snapshot, err
}

var ofMachine = db.Prepare("select * from vm_snapshots where vm_id = ? and removed is null order by id")

// Of gives a machine's snapshots, the oldest first.
func Of(ctx context.Context, q db.Tx, id uid.VM) ([]Snapshot, error) {
	var rows []snapshotRow
	err := q.Select(ctx, ofMachine, &rows, id)
	return shown(rows), err
}

// NamesOf gives the names of a machine's snapshots, the oldest first.
func NamesOf(ctx context.Context, q db.Tx, id uid.VM) ([]string, error) {
	has, err := Of(ctx, q, id)
	var names []string
	for _, n := range has {
		names = append(names, n.DisplayName)
	}
	return names, err
}

func shown(rows []snapshotRow) []Snapshot {
	out := make([]Snapshot, len(rows))
	for i, r := range rows {
		out[i] = r.Snapshot
	}
	return out
}

func setState(ctx context.Context, tx db.Tx, id uid.VMSnapshot, s State) error {
	_, err := tx.NewRaw("update vm_snapshots set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

// setCurrent makes a snapshot the one that its machine has come from, and Ready.
func setCurrent(ctx context.Context, tx db.Tx, id uid.VMSnapshot) error {
	_, err := tx.NewRaw(`update vm_snapshots set current = false where current and id <> ?
		and vm_id = (select vm_id from vm_snapshots where id = ?)`, id, id).Exec(ctx)
	if err != nil {
		return err
	}
	_, err = tx.NewRaw("update vm_snapshots set state = ?, current = true where id = ?", Ready, id).Exec(ctx)
	return err
}

// adopt gives the children of a snapshot to its parent.
func adopt(ctx context.Context, tx db.Tx, n Snapshot) error {
	_, err := tx.NewRaw("update vm_snapshots set parent_id = nullif(?, '') where parent_id = ? and removed is null", n.Parent, n.ID).Exec(ctx)
	return err
}

func setRemoved(ctx context.Context, tx db.Tx, id uid.VMSnapshot) error {
	_, err := tx.NewRaw("update vm_snapshots set state = ?, current = false, removed = ? where id = ?", Removed, tx.Now, id).Exec(ctx)
	if err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.VMSnapshot, id)
}

// Forget records that a machine has no snapshots any more.
func Forget(ctx context.Context, tx db.Tx, id uid.VM) error {
	has, err := Of(ctx, tx, id)
	if err != nil {
		return err
	}
	for _, n := range has {
		if err := setRemoved(ctx, tx, n.ID); err != nil {
			return err
		}
	}
	return nil
}

// ByID gives snapshots by their ids, removed ones too, in one query. The caller has checked who may see them.
func ByID(ctx context.Context, q db.Tx, ids []uid.VMSnapshot) (map[uid.VMSnapshot]Snapshot, error) {
	out := map[uid.VMSnapshot]Snapshot{}
	if len(ids) == 0 {
		return out, nil
	}
	var rows []snapshotRow
	err := q.NewSelect().Model(&rows).Where("n.id in (?)", bun.List(ids)).Scan(ctx)
	for _, r := range rows {
		out[r.ID] = r.Snapshot
	}
	return out, err
}

// Filter says which snapshots a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope   auth.Scope
	IDs     []uid.VMSnapshot
	Name    string // that it is shown by
	VM      uid.VM
	State   State
	Tags    tag.Wanted
	Keyword string // in its names or its description
	Offset  int
	Limit   int // 0 or less: all
}

// List gives a page of snapshots, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Snapshot, int, error) {
	var rows []snapshotRow
	q := f.Scope.Where(s.DB.Read().NewSelect().Model(&rows), "n").Where("n.removed is null").Order("n.id")
	db.In(q, "n.id", f.IDs)
	f.Tags.Where(q, tag.VMSnapshot, "n.id")
	db.Equal(q, "n.display_name", f.Name)
	db.Equal(q, "n.vm_id", f.VM)
	db.Equal(q, "n.state", f.State)
	db.Like(q, f.Keyword, "n.name", "n.display_name", "n.description")
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	return shown(rows), n, err
}
