package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

type log struct {
	t   *testing.T
	d   *db.DB
	box *secret.Box
	n   int
}

func each(t *testing.T, test func(t *testing.T, l *log)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		box, err := secret.OpenBox(filepath.Join(t.TempDir(), "keys"))
		if err != nil {
			t.Fatal(err)
		}
		test(t, &log{t: t, d: d, box: box})
	})
}

func (l *log) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// fill writes the records of n calls and links them.
func (l *log) fill(n int) {
	l.t.Helper()
	for range n {
		l.n++
		ctx := auth.With(l.t.Context(), auth.System())
		c := &audit.Call{Command: fmt.Sprintf("do%d", l.n), Remote: "192.0.2.1", Request: "r", Named: "id=x"}
		ctx = audit.With(ctx, c)
		l.must(l.d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(audit.Note(ctx, tx, "it", "an event"), audit.Note(ctx, tx, "it", "another"))
		}))
		l.must(c.Settle(ctx, l.d, nil))
	}
	l.must(audit.Link(l.t.Context(), l.d, l.box))
}

func (l *log) verify() audit.Report {
	l.t.Helper()
	r, err := audit.Verify(l.t.Context(), l.d.Read(), l.box)
	l.must(err)
	return r
}

func (l *log) do(query string, args ...any) {
	l.t.Helper()
	l.must(l.d.Write(l.t.Context(), func(ctx context.Context, tx db.Tx) error {
		_, err := tx.NewRaw(query, args...).Exec(ctx)
		return err
	}))
}

// Whatever is done to a record, the verifier finds, and says where.
func TestTampering(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l *log) {
		l.fill(1200)
		if r := l.verify(); r.Wrong != nil || r.Records != 1200 || r.First != 1 || r.Last != 1200 || r.Waiting != 0 {
			t.Fatalf("untouched: %+v", r)
		}
		for _, row := range []struct{ what, query, back, found string }{
			{"a changed record", "update audit_log set result = 'denied' where seq = 700", "update audit_log set result = 'done' where seq = 700",
				"record 700 is not what was written"},
			{"another time", "update audit_log set username = 'nobody' where seq = 1", "update audit_log set username = 'system' where seq = 1",
				"record 1 is not what was written"},
			{"a record taken out", "update audit_log set seq = -seq where seq = 12", "update audit_log set seq = 12 where seq = -12", "record 12 is missing"},
			{"many taken out", "update audit_log set seq = -seq where seq between 12 and 20",
				"update audit_log set seq = -seq where seq < 0", "records 12 to 20 are missing"},
			{"the last ones taken away", "update audit_log set seq = -seq where seq > 1190", "update audit_log set seq = -seq where seq < 0",
				"records 1191 to 1200 are missing at the end"},
			{"the first ones taken away", "update audit_log set seq = -seq where seq < 4", "update audit_log set seq = -seq where seq < 0",
				"records 1 to 3 are missing"},
			{"another order", "update audit_log set seq = case seq when 30 then -31 else -30 end where seq in (30, 31)",
				"update audit_log set seq = case seq when 30 then -31 else -30 end where seq in (30, 31)", "record 30 is not what was written"},
			{"an end of one's own", "update audit_marks set seq = 1100, hash = (select hash from audit_log where seq = 1100) where name = 'end'",
				"update audit_marks set seq = 1200, hash = (select hash from audit_log where seq = 1200) where name = 'end'", "not made by this cloud"},
		} {
			l.do(row.query)
			if row.what == "another order" {
				l.do("update audit_log set seq = -seq where seq < 0")
			}
			if r := l.verify(); len(r.Wrong) == 0 || !strings.Contains(strings.Join(r.Wrong, "; "), row.found) {
				t.Errorf("%s: found %q, want %q", row.what, r.Wrong, row.found)
			}
			l.do(row.back)
			l.do("update audit_log set seq = -seq where seq < 0")
			if r := l.verify(); r.Wrong != nil {
				t.Fatalf("%s, and all as it was: %q", row.what, r.Wrong)
			}
		}
	})
}

// What was exported can be verified by itself, and against a database that somebody has written anew.
func TestExport(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l *log) {
		l.fill(50)
		var out bytes.Buffer
		n, err := audit.Export(t.Context(), l.d.Read(), 10, &out)
		if err != nil || n != 40 || strings.Count(out.String(), "\n") != 40 {
			t.Fatalf("%d records, %v", n, err)
		}
		file := out.String()
		lines := strings.SplitAfter(file, "\n")
		q := l.d.Read()
		for what, row := range map[string]struct{ text, found string }{
			"as it is":          {file, ""},
			"a changed line":    {strings.Replace(file, `"command":"do20"`, `"command":"do99"`, 1), "record 20 is not what was written"},
			"a line taken out":  {strings.Replace(file, lines[5], "", 1), "record 16 is missing"},
			"two lines swapped": {strings.Join(append(append([]string{}, lines[1], lines[0]), lines[2:]...), ""), "record 11 stands after record 12"},
			"something more":    {strings.Replace(file, `"kind"`, `"x":1,"kind"`, 1), "is no record"},
		} {
			r, err := audit.VerifyFile(t.Context(), strings.NewReader(row.text), &q)
			if err != nil || (row.found == "") != (len(r.Wrong) == 0) || !strings.Contains(strings.Join(r.Wrong, "; "), row.found) {
				t.Errorf("%s: %q, %v; want %q", what, r.Wrong, err, row.found)
			}
		}
		l.do("delete from audit_log")
		l.do("delete from audit_marks")
		l.fill(60)
		if r := l.verify(); r.Wrong != nil {
			t.Errorf("a chain that was written anew by the cloud itself: %q", r.Wrong)
		}
		r, err := audit.VerifyFile(t.Context(), strings.NewReader(file), &q)
		if err != nil || len(r.Wrong) != 1 || !strings.Contains(r.Wrong[0], "written anew") {
			t.Errorf("an old export against it: %q, %v", r.Wrong, err)
		}
	})
}

func TestExpire(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l *log) {
		l.fill(20)
		l.do("update audit_marks set seq = 5 where name = 'begin'") // there is none yet
		expire := func(before time.Time) (n int64) {
			t.Helper()
			l.must(l.d.Write(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
				n, err = audit.Expire(ctx, tx, l.box, before)
				return err
			}))
			return n
		}
		if n := expire(time.Unix(0, 0)); n != 0 {
			t.Errorf("%d young records removed", n)
		}
		if n := expire(l.d.Now().Add(time.Hour)); n != 20 {
			t.Errorf("%d old records removed", n)
		}
		l.fill(5)
		if r := l.verify(); r.Wrong != nil || r.First != 21 || r.Last != 25 {
			t.Errorf("after the removal: %+v", r)
		}
		l.do("delete from audit_log where seq < 23")
		l.do("update audit_marks set seq = 22, hash = (select prev from audit_log where seq = 23) where name = 'begin'")
		if r := l.verify(); len(r.Wrong) != 1 || !strings.Contains(r.Wrong[0], "beginning") {
			t.Errorf("a beginning of one's own: %q", r.Wrong)
		}
	})
}

// A call has one record, whatever becomes of its transaction, and a second one if it fails after it has done something.
func TestOneRecordForACall(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l *log) {
		refused := fault.Deniedf("no, %s", "canary")
		begin := func() (context.Context, *audit.Call) {
			c := &audit.Call{Command: "do"}
			return audit.With(t.Context(), c), c
		}
		ctx, c := begin()
		if err := l.d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return errors.Join(audit.Note(ctx, tx, "it", ""), refused)
		}); err == nil {
			t.Fatal("no error")
		}
		l.must(c.Settle(ctx, l.d, refused))
		ctx, c = begin()
		l.must(l.d.Write(ctx, func(ctx context.Context, tx db.Tx) error { return audit.Note(ctx, tx, "it", "") }))
		l.must(c.Settle(ctx, l.d, refused))
		ctx, c = begin()
		l.must(c.Settle(ctx, l.d, nil))
		l.must(l.d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			return audit.End(ctx, tx, audit.Ended{Command: "do", Failure: fault.Full})
		}))
		l.must(audit.Link(t.Context(), l.d, l.box))
		var out bytes.Buffer
		_, err := audit.Export(t.Context(), l.d.Read(), 0, &out)
		l.must(err)
		var results []string
		for line := range strings.Lines(out.String()) {
			_, after, _ := strings.Cut(line, `"result":"`)
			result, _, _ := strings.Cut(after, `"`)
			results = append(results, result)
		}
		if got := strings.Join(results, " "); got != "denied done denied done full" || strings.Contains(out.String(), "canary") {
			t.Errorf("the results are %s:\n%s", got, out.String())
		}
	})
}

// A server that goes on writing while its log is verified is not taken for somebody who tampers with it.
func TestVerifyBesideTheServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, l *log) {
		l.fill(3)
		l.must(l.d.Snapshot(t.Context(), func(ctx context.Context, q db.Tx) error {
			before, err := audit.Verify(ctx, q, l.box)
			l.must(err)
			l.fill(4)
			l.must(l.d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				_, err := audit.Expire(ctx, tx, l.box, tx.Now.Add(time.Hour))
				return err
			}))
			after, err := audit.Verify(ctx, q, l.box)
			if len(after.Wrong) > 0 || after.Records != 3 || before.Head != after.Head {
				t.Errorf("before %+v, after %+v", before, after)
			}
			return err
		}))
		if r := l.verify(); len(r.Wrong) > 0 || r.Records != 0 {
			t.Errorf("at the end %+v", r)
		}
	})
}
