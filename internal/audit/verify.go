package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/secret"
)

// Report is what a verification has found.
type Report struct {
	Records     int64
	First, Last int64  // their numbers
	Head        string // the hash of the last
	Waiting     int    // records that are not in the chain yet, and so can't be verified
	Wrong       []string
}

// mostWrong is how much of what is wrong is told.
const mostWrong = 20

func (r *Report) wrong(format string, args ...any) {
	if len(r.Wrong) < mostWrong {
		r.Wrong = append(r.Wrong, fmt.Sprintf(format, args...))
	}
}

// see looks at the next record of a chain whose last record is known.
func (r *Report) see(next Record, seq int64, hash string) {
	if r.Records == 0 {
		r.First = next.Seq
	}
	r.Records++
	follows := next.Seq == seq+1
	switch {
	case next.Seq <= seq:
		r.wrong("record %d stands after record %d", next.Seq, seq)
	case next.Seq == seq+2:
		r.wrong("record %d is missing", seq+1)
	case !follows:
		r.wrong("records %d to %d are missing", seq+1, next.Seq-1)
	}
	switch {
	case next.hash() != next.Hash:
		r.wrong("record %d is not what was written: it has been changed, or was another one's", next.Seq)
	case follows && next.Prev != hash:
		r.wrong("record %d does not follow on record %d: one of the two has been put in another's place", next.Seq, seq)
	}
	r.Last, r.Head = next.Seq, next.Hash
}

// page is how many records are read at once.
const page = 2000

// Verify walks the chain in a database and looks whether every record is what was written and where it was written. With the key file
// (box) it also knows that beginning and end are the cloud's own; box is nil where that is not at hand.
func Verify(ctx context.Context, q db.Tx, box *secret.Box) (r Report, err error) {
	if r.Waiting, err = countWaiting(ctx, q); err != nil {
		return r, fmt.Errorf("count what waits: %w", err)
	}
	ends, err := marks(ctx, q)
	if err != nil {
		return r, fmt.Errorf("read the marks: %w", err)
	}
	first, last := ends[begin], ends[end]
	seq, hash := first.Seq, none
	if first.Seq > 0 {
		hash = first.Hash
		if box != nil && !first.opens(box) {
			r.wrong("the mark of the beginning, after record %d, was not made by this cloud: records may have been taken away there", first.Seq)
		}
	}
	err = each(ctx, q, seq, func(next Record) error {
		r.see(next, seq, hash)
		seq, hash = next.Seq, next.Hash
		return nil
	})
	switch {
	case err != nil:
		return r, err
	case last.Seq > seq:
		r.wrong("records %d to %d are missing at the end", seq+1, last.Seq)
	case last.Seq < seq || last.Seq > 0 && r.Records > 0 && last.Hash != hash:
		r.wrong("the mark of the end, at record %d, is not that of record %d", last.Seq, seq)
	}
	if box != nil && last.Seq > 0 && !last.opens(box) {
		r.wrong("the mark of the end, at record %d, was not made by this cloud: the chain may have been written anew", last.Seq)
	}
	return r, nil
}

// each gives the records after a number, in order.
func each(ctx context.Context, q db.Tx, seq int64, do func(Record) error) error {
	for {
		records, err := read(ctx, q, seq, page)
		if err != nil {
			return fmt.Errorf("read the audit log after record %d: %w", seq, err)
		}
		for _, next := range records {
			if err := do(next); err != nil {
				return err
			}
			seq = next.Seq
		}
		if len(records) < page {
			return nil
		}
	}
}

// Export writes the chain after a record, a line of JSON for each, and tells how many.
func Export(ctx context.Context, q db.Tx, after int64, to io.Writer) (n int64, err error) {
	out := bufio.NewWriter(to)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	err = each(ctx, q, after, func(r Record) error {
		n++
		r.Time = r.Time.UTC()
		return lines.Encode(r)
	})
	return n, errors.Join(err, out.Flush())
}

// VerifyFile is Verify for what Export has written. It may begin anywhere in the chain; with a database (q is not nil) it also looks
// whether the records are there as they are in the file, but for those that have been removed for their age.
func VerifyFile(ctx context.Context, from io.Reader, q *db.Tx) (r Report, err error) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	var seq int64
	var hash string
	for lines.Scan() {
		var next Record
		in := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		in.DisallowUnknownFields()
		if err := in.Decode(&next); err != nil {
			r.wrong("the line after record %d is no record: %v", seq, err)
			continue
		}
		if r.Records == 0 {
			seq, hash = next.Seq-1, next.Prev
		}
		r.see(next, seq, hash)
		seq, hash = next.Seq, next.Hash
	}
	if err := lines.Err(); err != nil || q == nil || r.Records == 0 {
		return r, err
	}
	there, err := read(ctx, *q, r.Last-1, 1)
	if err != nil {
		return r, fmt.Errorf("look for record %d: %w", r.Last, err)
	}
	ends, err := marks(ctx, *q)
	switch {
	case err != nil:
		return r, fmt.Errorf("read the marks: %w", err)
	case ends[begin].Seq >= r.Last: // too old to be there
	case len(there) == 0 || there[0].Seq != r.Last:
		r.wrong("record %d of the file is not in the database", r.Last)
	case there[0].Hash != r.Head:
		r.wrong("record %d in the database is another one than in the file: the chain has been written anew", r.Last)
	}
	return r, nil
}
