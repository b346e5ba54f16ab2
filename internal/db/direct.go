package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"zombiezen.com/go/sqlite"
)

// direct reads rows of lists from SQLite without database/sql and its driver, which need a third of a microsecond for each value,
// in locks, calls and boxes: a page has 20,000. Its connections are others to the same file, through another door of the same
// library.
type direct struct {
	path  string
	slots chan struct{} // one for each query under way
	mu    sync.Mutex
	idle  []*sqlite.Conn
	done  bool
}

func newDirect(path string) *direct {
	return &direct{path: path, slots: make(chan struct{}, readers)}
}

// take gives a connection; the one that was used last, whose memory is the warmest.
func (r *direct) take(ctx context.Context) (*sqlite.Conn, error) {
	select {
	case r.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.idle); n > 0 {
		c := r.idle[n-1]
		r.idle = r.idle[:n-1]
		return c, nil
	}
	c, err := r.open()
	if err != nil {
		<-r.slots
	}
	return c, err
}

func (r *direct) open() (*sqlite.Conn, error) {
	if r.done {
		return nil, sql.ErrConnDone
	}
	c, err := sqlite.OpenConn(r.path, sqlite.OpenReadWrite) // only who may write may look after the log
	if err != nil {
		return nil, err
	}
	c.SetBusyTimeout(busyTimeout)
	for _, pragma := range []string{
		"pragma query_only = 1", fmt.Sprintf("pragma cache_size = -%d", readerCacheKB), fmt.Sprintf("pragma mmap_size = %d", readerMapped),
	} {
		s, _, err := c.PrepareTransient(pragma)
		if err == nil {
			_, err = s.Step()
			err = errors.Join(err, s.Finalize())
		}
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
	}
	return c, nil
}

func (r *direct) giveBack(c *sqlite.Conn) {
	r.mu.Lock()
	if r.done {
		_ = c.Close()
	} else {
		r.idle = append(r.idle, c)
	}
	r.mu.Unlock()
	<-r.slots
}

// close ends the connections, those at work with their queries, and waits for these.
func (r *direct) close() {
	r.mu.Lock()
	r.done = true
	for _, c := range r.idle {
		_ = c.Close()
	}
	r.idle = nil
	r.mu.Unlock()
	for range cap(r.slots) {
		r.slots <- struct{}{}
	}
	for range cap(r.slots) {
		<-r.slots
	}
}

// read runs a query and reads its rows into dest, a pointer to an empty slice of bun models. A query that is the same each time is
// kept by the connection, which parses it once.
func (r *direct) read(ctx context.Context, d *bun.DB, dest any, query string, kept bool, args ...any) (err error) {
	c, err := r.take(ctx)
	if err != nil {
		return err
	}
	defer r.giveBack(c)
	if ended := ctx.Done(); ended != nil {
		c.SetInterrupt(ended)
		defer c.SetInterrupt(nil)
	}
	var s *sqlite.Stmt
	if kept {
		s, err = c.Prepare(query)
	} else {
		s, _, err = c.PrepareTransient(query)
	}
	if err != nil {
		return interrupted(ctx, err)
	}
	defer func() {
		if kept {
			err = errors.Join(err, s.Reset())
		} else {
			err = errors.Join(err, s.Finalize())
		}
	}()
	for i, arg := range args {
		if err := bind(s, i+1, arg); err != nil {
			return err
		}
	}
	return interrupted(ctx, readSteps(s, d, reflect.ValueOf(dest).Elem()))
}

// interrupted gives the context's error for that of a query which it has ended.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func bind(s *sqlite.Stmt, at int, arg any) error {
	value, err := driver.DefaultParameterConverter.ConvertValue(arg)
	if err != nil {
		return fmt.Errorf("argument %d: %w", at, err)
	}
	switch v := value.(type) {
	case nil:
		s.BindNull(at)
	case string:
		s.BindText(at, v)
	case int64:
		s.BindInt64(at, v)
	case bool:
		s.BindBool(at, v)
	case float64:
		s.BindFloat(at, v)
	case []byte:
		s.BindBytes(at, v)
	default:
		return fmt.Errorf("argument %d: a %T is nothing that SQLite knows", at, value)
	}
	return nil
}

// readSteps reads the rows of a statement into a slice.
func readSteps(s *sqlite.Stmt, d *bun.DB, slice reflect.Value) error {
	columns, err := columnsOf(d, slice.Type().Elem(), s.ColumnCount(), s.ColumnName)
	if err != nil {
		return err
	}
	for {
		more, err := s.Step()
		if err != nil || !more {
			return err
		}
		n := slice.Len()
		slice.Grow(1)
		slice.SetLen(n + 1)
		row := slice.Index(n)
		for i, c := range columns {
			if err := c.putColumn(row, s, i); err != nil {
				return err
			}
		}
	}
}

// putColumn is put for a column of SQLite's present row.
func (c column) putColumn(row reflect.Value, s *sqlite.Stmt, i int) error {
	kind := s.ColumnType(i)
	switch {
	case kind == sqlite.TypeNull:
		return c.put(row, nil)
	case kind == sqlite.TypeText && c.plain == reflect.String:
		row.FieldByIndex(c.field.Index).SetString(s.ColumnText(i))
		return nil
	case kind == sqlite.TypeText && c.isTime:
		t, err := time.Parse(timeFormat, s.ColumnText(i))
		if err != nil {
			return fmt.Errorf("read column %s: %w", c.field.Name, err)
		}
		row.FieldByIndex(c.field.Index).Set(reflect.ValueOf(t.UTC()))
		return nil
	case kind == sqlite.TypeText:
		return c.put(row, s.ColumnText(i))
	case kind == sqlite.TypeInteger && c.plain == reflect.Bool:
		row.FieldByIndex(c.field.Index).SetBool(s.ColumnBool(i))
		return nil
	case kind == sqlite.TypeInteger:
		return c.put(row, s.ColumnInt64(i))
	case kind == sqlite.TypeFloat:
		return c.put(row, s.ColumnFloat(i))
	}
	bytes := make([]byte, s.ColumnLen(i))
	s.ColumnBytes(i, bytes)
	return c.put(row, bytes)
}

// sqliteConn runs bun's queries on SQLite outside transactions.
type sqliteConn struct {
	bun.IConn
	direct *direct
}

// QueryContext runs a query; the rows of lists it reads directly.
func (c sqliteConn) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	w := wantedIn(ctx)
	if w == nil || len(args) > 0 {
		return c.IConn.QueryContext(ctx, query, args...)
	}
	return w.finish(c.direct.read(ctx, w.d, w.into, query, false))
}

// ResolveConn makes bun use it.
func (c sqliteConn) ResolveConn(context.Context, bun.Query) bun.IConn { return c }

// Close is there because bun's interface has it.
func (c sqliteConn) Close() error { return nil }
