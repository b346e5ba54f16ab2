package audit

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
)

// batch is how many records one transaction links, or removes: few enough that nobody waits long for the writer.
const batch = 500

// Mark says where the chain begins or ends: the number and the hash of the last record that was removed, or linked. It is sealed with
// the key file, so that who has the database alone can't make another.
type Mark struct {
	Name string
	Seq  int64
	Hash string
	Seal string
}

const (
	begin = "begin"
	end   = "end"
)

func (m Mark) text() string { return strconv.FormatInt(m.Seq, 10) + " " + m.Hash }

func (m Mark) context() string { return "audit_marks.seal/" + m.Name }

func (m Mark) sealed(box *secret.Box) Mark {
	m.Seal = box.Seal(m.text(), m.context())
	return m
}

// Link puts the records that have come since into the chain. One at a time does it, whoever that is.
func Link(ctx context.Context, d *db.DB, box *secret.Box) error {
	for linked := int64(batch); linked == batch; {
		err := d.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
			linked, err = link(ctx, tx, box)
			return err
		})
		if err != nil {
			return fmt.Errorf("link the audit log: %w", err)
		}
	}
	return nil
}

func link(ctx context.Context, tx db.Tx, box *secret.Box) (int64, error) {
	at, err := lockMark(ctx, tx, end)
	if err != nil {
		return 0, err
	}
	records, err := waiting(ctx, tx, batch)
	if err != nil || len(records) == 0 {
		return 0, err
	}
	ids := make([]string, len(records))
	for i := range records {
		r := &records[i]
		ids[i] = r.ID
		at.Seq++
		r.Seq, r.Prev = at.Seq, at.Hash
		r.Hash = r.hash()
		at.Hash = r.Hash
	}
	if err := add(ctx, tx, records); err != nil {
		return 0, err
	}
	if err := forget(ctx, tx, ids); err != nil {
		return 0, err
	}
	return int64(len(records)), putMark(ctx, tx, at.sealed(box))
}

// Expire removes records that are older than they are kept from the chain's beginning, a batch of them, and tells how many.
func Expire(ctx context.Context, tx db.Tx, box *secret.Box, before time.Time) (int64, error) {
	at, err := lockMark(ctx, tx, begin)
	if err != nil {
		return 0, err
	}
	oldest, err := read(ctx, tx, at.Seq, batch)
	if err != nil {
		return 0, err
	}
	n := int64(0)
	for _, r := range oldest {
		if !r.Time.Before(before) {
			break
		}
		at.Seq, at.Hash = r.Seq, r.Hash
		n++
	}
	if n == 0 {
		return 0, nil
	}
	if err := cut(ctx, tx, at.Seq); err != nil {
		return 0, err
	}
	return n, putMark(ctx, tx, at.sealed(box))
}

// opens tells whether the mark is what this cloud has written.
func (m Mark) opens(box *secret.Box) bool {
	text, err := box.Open(m.Seal, m.context())
	return err == nil && text.Reveal() == m.text()
}
