package image

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

type templateRow struct {
	bun.BaseModel `bun:"table:templates,alias:t"`
	Template
}

type placeRow struct {
	bun.BaseModel `bun:"table:template_zones,alias:z"`
	Place
}

// entryRow is a template in a zone.
type entryRow struct {
	bun.BaseModel `bun:"table:templates,alias:t"`
	Template
	ZoneID       uid.Zone
	StoreID      uid.ImageStore `bun:",nullzero"`
	State        State
	Problem      string
	StoredBytes  int64
	ComeBytes    int64
	ComeOf       int64
	PlaceRemoved bool
}

const entryColumns = "z.zone_id, z.store_id, z.state, z.problem, z.stored_bytes, z.come_bytes, z.come_of, z.removed is not null as place_removed"

func (r entryRow) template() Template {
	t := r.Template
	t.Zone, t.Ready = r.ZoneID, r.State == Ready && !r.PlaceRemoved
	t.Place = Place{
		Template: t.ID, Zone: r.ZoneID, Store: r.StoreID, State: r.State, Problem: r.Problem, Stored: r.StoredBytes,
		Come: r.ComeBytes, ComeOf: r.ComeOf,
	}
	return t
}

func insert(ctx context.Context, tx db.Tx, row any) error {
	_, err := tx.NewInsert().Model(row).Exec(ctx)
	return err
}

func insertPlaces(ctx context.Context, tx db.Tx, places []Place) error {
	if len(places) == 0 {
		return nil
	}
	rows := make([]placeRow, len(places))
	for i, p := range places {
		rows[i].Place = p
	}
	return insert(ctx, tx, &rows)
}

var findEntry = db.Prepare("select t.*, " + entryColumns + ` from templates t join template_zones z on z.template_id = t.id
	where t.id = ? and z.zone_id = ? and t.removed is null and z.removed is null`)

// entry gives a template in a zone.
func entry(ctx context.Context, q db.Tx, id uid.Template, zone uid.Zone) (Template, error) {
	var rows []entryRow
	if err := q.Select(ctx, findEntry, &rows, id, zone); err != nil {
		return Template{}, err
	}
	if len(rows) == 0 {
		return Template{}, fault.Missing(id)
	}
	return rows[0].template(), nil
}

// find gives a template that is not removed and that the caller may see: owned, in reach, or public.
func find(ctx context.Context, q db.Tx, caller auth.Caller, id uid.Template) (Template, error) {
	var row templateRow
	err := q.NewSelect().Model(&row).Where("t.id = ? and t.removed is null", id).Scan(ctx)
	switch {
	case db.IsNone(err):
		return Template{}, fault.Missing(id)
	case err != nil || row.Public || caller.IsRoot():
		return row.Template, err
	}
	mine, err := caller.Reach().Where(q.NewSelect().Model((*templateRow)(nil)), "t").Where("t.id = ?", id).Exists(ctx)
	if err == nil && !mine {
		err = fault.Missing(id)
	}
	return row.Template, err
}

// ownLocked gives a template that is the caller's to change, and keeps others from changing it until the transaction's end.
func ownLocked(ctx context.Context, tx db.Tx, caller auth.Caller, id uid.Template) (Template, error) {
	var row templateRow
	q := caller.Reach().Where(tx.NewSelect().Model(&row), "t").Where("t.id = ? and t.removed is null", id)
	err := tx.Lock(q).Scan(ctx)
	if !db.IsNone(err) {
		return row.Template, err
	}
	if t, err := find(ctx, tx, caller, id); err == nil {
		return Template{}, fault.Deniedf("template %q is not yours to change", t.Name)
	}
	return Template{}, fault.Missing(id)
}

// placesOf gives where a template is, by zone.
func placesOf(ctx context.Context, q db.Tx, id uid.Template) ([]Place, error) {
	var rows []placeRow
	err := q.NewSelect().Model(&rows).Where("z.template_id = ? and z.removed is null", id).Order("z.zone_id").Scan(ctx)
	out := make([]Place, len(rows))
	for i, r := range rows {
		out[i] = r.Place
	}
	return out, err
}

func setPlace(ctx context.Context, tx db.Tx, p Place) error {
	_, err := tx.NewRaw(`update template_zones set state = ?, problem = ?, stored_bytes = ?
		where template_id = ? and zone_id = ? and removed is null`,
		p.State, p.Problem, p.Stored, p.Template, p.Zone).Exec(ctx)
	return err
}

// setCome notes how much of an image has come that is still to be fetched.
func setCome(ctx context.Context, tx db.Tx, id uid.Template, z uid.Zone, come hypervisor.Fetched) error {
	_, err := tx.NewRaw(`update template_zones set come_bytes = ?, come_of = ?
		where template_id = ? and zone_id = ? and state = ? and removed is null`, come.Bytes, come.Of, id, z, Waiting).Exec(ctx)
	return err
}

// Advance moves an image in a zone from a state to that of p, and tells whether it was in it.
func Advance(ctx context.Context, tx db.Tx, p Place, from State) (bool, error) {
	done, err := tx.NewRaw(`update template_zones set state = ?, problem = ?
		where template_id = ? and zone_id = ? and state = ? and removed is null`, p.State, p.Problem, p.Template, p.Zone, from).Exec(ctx)
	if err != nil {
		return false, err
	}
	n, err := done.RowsAffected()
	return n > 0, err
}

func setSize(ctx context.Context, tx db.Tx, id uid.Template, bytes int64) error {
	if _, err := tx.NewRaw("update templates set size = ? where id = ?", bytes, id).Exec(ctx); err != nil {
		return err
	}
	return known.Forget(ctx, tx)
}

func setDeleting(ctx context.Context, tx db.Tx, id uid.Template, zones []uid.Zone) error {
	_, err := tx.NewRaw("update template_zones set state = ? where template_id = ? and zone_id in (?) and removed is null",
		Deleting, id, bun.List(zones)).Exec(ctx)
	return err
}

func removePlaces(ctx context.Context, tx db.Tx, id uid.Template, zones []uid.Zone) error {
	_, err := tx.NewRaw("update template_zones set removed = ? where template_id = ? and zone_id in (?) and removed is null",
		tx.Now, id, bun.List(zones)).Exec(ctx)
	return err
}

func removeTemplate(ctx context.Context, tx db.Tx, id uid.Template) error {
	if _, err := tx.NewRaw("update templates set removed = ? where id = ?", tx.Now, id).Exec(ctx); err != nil {
		return err
	}
	if err := known.Forget(ctx, tx); err != nil {
		return err
	}
	if err := tag.Forget(ctx, tx, tag.ISO, id); err != nil { // it is one of the two
		return err
	}
	return tag.Forget(ctx, tx, tag.Template, id)
}

// Deployable gives a template or ISO that the caller in ctx may make a machine from in a zone: owned, in reach or public, and
// ready there. In a transaction nobody deletes it before the end.
func Deployable(ctx context.Context, q db.Tx, id uid.Template, zone uid.Zone) (Template, error) {
	if err := q.Rely(ctx, id); err != nil {
		return Template{}, err
	}
	caller := auth.From(ctx)
	t, err := entry(ctx, q, id, zone)
	if fault.Is(err, fault.NotFound) {
		if t, err = find(ctx, q, caller, id); err == nil {
			err = fault.Invalidf("%s %q is not in this zone", t.noun(), t.Name)
		}
		return Template{}, err
	}
	if err == nil && !t.Public && !caller.IsRoot() {
		_, err = find(ctx, q, caller, id)
	}
	switch {
	case err != nil:
		return Template{}, err
	case !t.Ready:
		return Template{}, t.notReady()
	}
	return t, nil
}

func (t Template) notReady() error {
	return fault.Conflictf("%s %q is not ready yet", t.noun(), t.Name)
}

// Visible gives a template or ISO that the caller in ctx may see, wherever it is.
func Visible(ctx context.Context, q db.Tx, id uid.Template) (Template, error) {
	return find(ctx, q, auth.From(ctx), id)
}

var (
	byIDs = db.PrepareMany("select * from templates where id in (?)")
	known = db.Remember("templates", func(ctx context.Context, q db.Tx, ids []uid.Template) (map[uid.Template]Template, error) {
		return db.ByID(ctx, q, byIDs, ids, func(r templateRow) (uid.Template, Template) { return r.ID, r.Template })
	})
)

// ByID gives templates by their ids, removed ones too, in one query. Where they are is left out.
func ByID(ctx context.Context, q db.Tx, ids []uid.Template) (map[uid.Template]Template, error) {
	return known.Find(ctx, q, ids)
}
