package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// SQLite's driver fetches a value in a third of a microsecond, several locks and calls each; a page of a list has 20,000. So
// rows of lists are read packed: SQLite itself joins a row's values into one text, with bytes between them that no UTF-8
// contains, and the text is cut up here. That takes half the time.
const (
	packEnd  = "\xff" // between two values
	packNull = "\xfe" // for null
)

// packing is how the rows of one kind of query are packed and cut up: it depends on the columns, which are known once such a
// query has been run.
type packing struct {
	columns []column // nil: these can't be packed
	values  string   // the expression
}

var errPacked = errors.New("a packed row has not the columns that it should have")

// packings are those known, by what tells which columns a query has: see [headOf], or a Statement and its model.
var packings sync.Map // of any, packing

type packingKey struct {
	of    any // a query's head or a *Statement
	model reflect.Type
}

// headOf is a query's text up to where its rows come from, which is what tells its columns: bun writes the model's table so.
func headOf(query string, table *schema.Table) (string, bool) {
	head, _, found := strings.Cut(query, ` FROM "`+table.Name+`" AS `)
	return head, found
}

// newPacking finds out whether columns can be packed: texts, numbers without fractions, truth values and times can.
func newPacking(columns []column, names []string) packing {
	var b strings.Builder
	for i, c := range columns {
		switch t := c.field.StructField.Type; {
		case t.Kind() == reflect.Float32, t.Kind() == reflect.Float64: // as text they would lose digits
			return packing{}
		case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
			return packing{}
		case t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Float64:
			return packing{}
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString("coalesce(\"" + names[i] + "\", x'fe')")
	}
	return packing{columns: columns, values: "concat_ws(x'ff', " + b.String() + ")"}
}

// learn remembers how rows are packed, having seen the first ones of their kind.
func learn(d *bun.DB, key any, model reflect.Type, rows *sql.Rows) error {
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	columns, err := columnsOf(d, model, len(names), func(i int) string { return names[i] })
	if err == nil {
		packings.Store(key, newPacking(columns, names))
	}
	return err
}

// readPacked reads the rows of a query on SQLite into dest, a pointer to an empty slice of bun models. run runs the query, wrapped
// as it is told.
func readPacked(d *bun.DB, key, dest any, run func(before, after string) (*sql.Rows, error)) error {
	slice := reflect.ValueOf(dest).Elem()
	if known, ok := packings.Load(key); ok && known.(packing).columns != nil {
		err := known.(packing).read(slice, run)
		if !errors.Is(err, errPacked) {
			return err
		}
		slice.SetZero()
	}
	rows, err := run("", "")
	if err != nil {
		return err
	}
	if err := learn(d, key, slice.Type().Elem(), rows); err != nil {
		_ = rows.Close()
		return err
	}
	return readRows(d, rows, dest)
}

func (p packing) read(slice reflect.Value, run func(before, after string) (*sql.Rows, error)) error {
	rows, err := run("select "+p.values+" from (", ")")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	var line string
	for rows.Next() {
		if err := rows.Scan(&line); err != nil {
			return err
		}
		if err := p.cut(slice, line); err != nil {
			return err
		}
	}
	return rows.Err()
}

// cut puts a packed row into a new row of a slice.
func (p packing) cut(slice reflect.Value, line string) error {
	if strings.Count(line, packEnd) != len(p.columns)-1 {
		return errPacked
	}
	n := slice.Len()
	slice.Grow(1)
	slice.SetLen(n + 1)
	row := slice.Index(n)
	for _, c := range p.columns {
		value, rest, _ := strings.Cut(line, packEnd)
		line = rest
		if err := c.putText(row, value); err != nil {
			return err
		}
	}
	return nil
}

// putText is put for a value that SQLite has written as text.
func (c column) putText(row reflect.Value, value string) error {
	if value == packNull {
		return c.put(row, nil)
	}
	switch {
	case c.plain == reflect.Int || c.plain == reflect.Int64:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			return fmt.Errorf("read column %s: %w", c.field.Name, err)
		}
		row.FieldByIndex(c.field.Index).SetInt(n)
		return nil
	case c.plain == reflect.Bool:
		row.FieldByIndex(c.field.Index).SetBool(value != "0")
		return nil
	case c.isTime:
		t, err := time.Parse(timeFormat, value)
		if err != nil {
			return fmt.Errorf("read column %s: %w", c.field.Name, err)
		}
		row.FieldByIndex(c.field.Index).Set(reflect.ValueOf(t.UTC()))
		return nil
	}
	return c.put(row, value) // texts, and what is stored as JSON
}

// packer runs bun's queries on SQLite outside transactions.
type packer struct{ bun.IConn }

// QueryContext runs a query; the rows of lists it reads packed.
func (p packer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	w := wantedIn(ctx)
	if w == nil || len(args) > 0 {
		return p.IConn.QueryContext(ctx, query, args...)
	}
	model := reflect.TypeOf(w.into).Elem().Elem()
	head, found := headOf(query, w.d.Table(model))
	if !found {
		return p.IConn.QueryContext(ctx, query)
	}
	return w.finish(readPacked(w.d, packingKey{head, model}, w.into, func(before, after string) (*sql.Rows, error) {
		return p.IConn.QueryContext(ctx, before+query+after)
	}))
}

// ResolveConn makes bun use it.
func (p packer) ResolveConn(context.Context, bun.Query) bun.IConn { return p }

// Close is there because bun's interface has it.
func (p packer) Close() error { return nil }
