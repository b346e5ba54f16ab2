package document

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

var wantNewer = db.PrepareMany(`insert into host_documents (host_id, kind, wanted) select h.id, ?, 1 from hosts h
	where h.id in (?) and h.removed is null order by h.id
	on conflict (host_id, kind) do update set wanted = host_documents.wanted + 1 returning host_id, wanted`)

// Want asks for newer documents of some hosts, and gives their versions. They say all that was committed before, and what this
// transaction does; what others do at the same time they are to ask for themselves.
func Want(ctx context.Context, tx db.Tx, kind Kind, hosts ...uid.Host) (map[uid.Host]int64, error) {
	out := map[uid.Host]int64{}
	if len(hosts) == 0 {
		return out, nil
	}
	var rows []struct {
		HostID uid.Host
		Wanted int64
	}
	err := tx.Select(ctx, wantNewer, &rows, string(kind), db.Many(hosts))
	for _, r := range rows {
		out[r.HostID] = r.Wanted
	}
	return out, err
}

// Again asks for newer documents of all kinds of a host that may have lost those that it was given: it has come back.
func Again(ctx context.Context, tx db.Tx, id uid.Host) error {
	_, err := tx.NewRaw("update host_documents set wanted = wanted + 1 where host_id = ?", id).Exec(ctx)
	return err
}

// columns of a document, d, and of its host, h.
const columns = `select d.host_id, d.kind, d.wanted, d.applied, d.problem, h.name, h.zone_id as zone, h.hypervisor,
	h.removed is null and h.state = 'Up' as answers from host_documents d join hosts h on h.id = d.host_id `

var selectOne = db.Prepare(columns + "where d.host_id = ? and d.kind = ?")

// find gives how far a host is with a document.
func find(ctx context.Context, q db.Tx, id uid.Host, kind Kind) (Document, error) {
	var rows []Document
	if err := q.Select(ctx, selectOne, &rows, id, string(kind)); err != nil {
		return Document{}, err
	}
	if len(rows) == 0 {
		return Document{}, fault.Missing(id)
	}
	return rows[0], nil
}

// behind gives documents that hosts which answer have not got.
func behind(ctx context.Context, q db.Tx, limit int) (late []Document, err error) {
	err = q.NewRaw(columns+`where d.applied < d.wanted and h.removed is null and h.state = 'Up' order by d.host_id, d.kind limit ?`, limit).
		Scan(ctx, &late)
	return late, err
}

func setApplied(ctx context.Context, tx db.Tx, d Document) error {
	_, err := tx.NewRaw("update host_documents set applied = ?, problem = '' where host_id = ? and kind = ? and applied < ?",
		d.Wanted, d.Host, d.Kind, d.Wanted).Exec(ctx)
	return err
}

func setProblem(ctx context.Context, tx db.Tx, d Document, text string) error {
	_, err := tx.NewRaw("update host_documents set problem = ? where host_id = ? and kind = ?", text, d.Host, d.Kind).Exec(ctx)
	return err
}
