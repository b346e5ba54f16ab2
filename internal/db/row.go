package db

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/uptrace/bun/schema"
)

// Insert adds a row, given as a pointer to a bun model, by a statement that is prepared once per model: where machines are
// made by the hundred a second, writing their values out and parsing them again is a good part of the work. Zero fields
// that are tagged nullzero become null. Like [Tx.Later] it does not wait for PostgreSQL.
func (tx Tx) Insert(ctx context.Context, model any) error {
	v := reflect.ValueOf(model).Elem()
	s, fields := tx.db.inserting(v.Type())
	args := make([]any, len(fields))
	for i, f := range fields {
		value, err := columnValue(f, v)
		if err != nil {
			return fmt.Errorf("write column %s: %w", f.Name, err)
		}
		args[i] = value
	}
	return tx.Later(ctx, s, args...)
}

type insertion struct {
	*Statement
	fields []*schema.Field
}

var insertions sync.Map // reflect.Type → insertion

func (d *DB) inserting(model reflect.Type) (*Statement, []*schema.Field) {
	if known, ok := insertions.Load(model); ok {
		return known.(insertion).Statement, known.(insertion).fields
	}
	table := d.reader.Table(model)
	columns := make([]string, len(table.Fields))
	for i, f := range table.Fields {
		columns[i] = string(f.SQLName)
	}
	marks := strings.Repeat("?, ", len(columns)-1) + "?"
	s := Prepare(fmt.Sprintf("insert into %s (%s) values (%s)", table.SQLName, strings.Join(columns, ", "), marks))
	known, _ := insertions.LoadOrStore(model, insertion{s, table.Fields})
	return known.(insertion).Statement, known.(insertion).fields
}

// columnValue is a field as drivers take it: what is neither a number, a text, a truth value nor a time is JSON.
func columnValue(f *schema.Field, row reflect.Value) (value any, err error) {
	v := reflect.Indirect(f.Value(row))
	if !v.IsValid() || f.NullZero && v.IsZero() {
		return value, err
	}
	switch known := v.Interface().(type) {
	case time.Time, []byte:
		return known, nil
	case driver.Valuer:
		return known.Value()
	}
	switch v.Kind() {
	case reflect.String:
		value = v.String()
	case reflect.Bool:
		value = v.Bool()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		value = v.Int()
	case reflect.Float32, reflect.Float64:
		value = v.Float()
	default:
		var text []byte
		text, err = json.Marshal(v.Interface())
		value = string(text)
	}
	return value, err
}
