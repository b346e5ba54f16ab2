package db

import (
	"database/sql"
	"encoding/binary"
	"fmt"
	"reflect"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"
)

// column is where a column's values go in the fields of a bun model.
type column struct {
	field *schema.Field
	// plain is the kind of a field that scans nothing by itself. Texts, numbers and truth values go there as they come: nearly all
	// of a list's, some 20,000 to a page.
	plain  reflect.Kind
	isTime bool
}

var sqlScanner = reflect.TypeFor[sql.Scanner]()

// columnsOf finds the fields of n columns.
func columnsOf(d *bun.DB, model reflect.Type, n int, name func(i int) string) ([]column, error) {
	table := d.Table(model)
	columns := make([]column, n)
	for i := range columns {
		f, err := table.Field(name(i))
		if err != nil {
			return nil, err
		}
		columns[i] = column{field: f}
		if t := f.StructField.Type; !reflect.PointerTo(t).Implements(sqlScanner) {
			columns[i].plain, columns[i].isTime = t.Kind(), t == reflect.TypeFor[time.Time]()
		}
	}
	return columns, nil
}

// put puts a value that the database gave into its field.
func (c column) put(row reflect.Value, value any) error {
	switch v := value.(type) {
	case string:
		switch {
		case c.plain == reflect.String:
			row.FieldByIndex(c.field.Index).SetString(v)
			return nil
		case c.plain == reflect.Map && v == "{}":
			row.FieldByIndex(c.field.Index).Set(reflect.MakeMap(c.field.StructField.Type)) // as nearly all are
			return nil
		}
	case int64:
		if c.plain == reflect.Int || c.plain == reflect.Int64 {
			row.FieldByIndex(c.field.Index).SetInt(v)
			return nil
		}
	case bool:
		if c.plain == reflect.Bool {
			row.FieldByIndex(c.field.Index).SetBool(v)
			return nil
		}
	}
	if err := c.field.ScanValue(row, value); err != nil {
		return fmt.Errorf("read column %s: %w", c.field.Name, err)
	}
	return nil
}

// put puts a row's values into a new row of a slice.
func put(slice reflect.Value, columns []column, values []any) error {
	n := slice.Len()
	slice.Grow(1)
	slice.SetLen(n + 1)
	row := slice.Index(n)
	for i, c := range columns {
		if err := c.put(row, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// isSingle tells whether rows of that type are one value and no bun model.
func isSingle(row reflect.Type) bool {
	return row.Kind() != reflect.Struct || row == reflect.TypeFor[time.Time]()
}

// readRows reads rows into dest, a pointer to an empty slice of bun models, and closes them. It is what bun's ScanRows is, in half
// the time.
func readRows(d *bun.DB, rows *sql.Rows, dest any) error {
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	slice := reflect.ValueOf(dest).Elem()
	columns, err := columnsOf(d, slice.Type().Elem(), len(names), func(i int) string { return names[i] })
	if err != nil {
		return err
	}
	values, at := make([]any, len(names)), make([]any, len(names))
	for i := range values {
		at[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(at...); err != nil {
			return err
		}
		if err := put(slice, columns, values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// scan is readRows for PostgreSQL's own rows. They may be single values, too.
func scan(d *bun.DB, rows pgx.Rows, dest any) error {
	slice := reflect.ValueOf(dest).Elem()
	of := slice.Type().Elem()
	if isSingle(of) {
		for rows.Next() {
			value := reflect.New(of)
			if err := rows.Scan(value.Interface()); err != nil {
				return err
			}
			slice.Set(reflect.Append(slice, value.Elem()))
		}
		return rows.Err()
	}
	var columns []column
	for rows.Next() {
		var err error
		if columns == nil {
			described := rows.FieldDescriptions()
			columns, err = columnsOf(d, of, len(described), func(i int) string { return described[i].Name })
		}
		if err != nil {
			return err
		}
		if err := putRaw(slice, columns, rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// putRaw puts PostgreSQL's present row into a new row of a slice. What nearly all columns are is read from the wire right here; pgx
// reads the rest, which costs it a look at its types and an allocation for each value.
func putRaw(slice reflect.Value, columns []column, rows pgx.Rows) error {
	n := slice.Len()
	slice.Grow(1)
	slice.SetLen(n + 1)
	row, raw, described := slice.Index(n), rows.RawValues(), rows.FieldDescriptions()
	var values []any
	for i, c := range columns {
		known, err := c.putWire(row, described[i].DataTypeOID, described[i].Format == pgtype.BinaryFormatCode, raw[i])
		if err != nil {
			return err
		}
		if known {
			continue
		}
		if values == nil {
			if values, err = rows.Values(); err != nil {
				return err
			}
		}
		if err := c.put(row, values[i]); err != nil {
			return err
		}
	}
	return nil
}

// epoch is from when on PostgreSQL counts microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// putWire puts a value as it came over the wire into its field, if it is of a kind that is read here.
func (c column) putWire(row reflect.Value, oid uint32, inBinary bool, raw []byte) (known bool, err error) {
	switch {
	case raw == nil:
		return true, c.put(row, nil)
	case oid == pgtype.TextOID && c.plain == reflect.String:
		row.FieldByIndex(c.field.Index).SetString(string(raw))
		return true, nil
	case oid == pgtype.TextOID:
		return true, c.put(row, string(raw))
	case !inBinary:
		return false, nil
	case oid == pgtype.Int8OID && len(raw) == 8:
		number := wireNumber(raw)
		if c.plain == reflect.Int || c.plain == reflect.Int64 {
			row.FieldByIndex(c.field.Index).SetInt(number)
			return true, nil
		}
		return true, c.put(row, number)
	case oid == pgtype.BoolOID && c.plain == reflect.Bool && len(raw) == 1:
		row.FieldByIndex(c.field.Index).SetBool(raw[0] != 0)
		return true, nil
	case oid == pgtype.TimestamptzOID && c.isTime && len(raw) == 8:
		row.FieldByIndex(c.field.Index).Set(reflect.ValueOf(time.UnixMicro(epoch + wireNumber(raw)).UTC()))
		return true, nil
	}
	return false, nil
}

func wireNumber(raw []byte) int64 {
	return int64(binary.BigEndian.Uint64(raw))
}
