package api

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"unsafe"
)

// jsonWriter writes JSON as encoding/json does without its escaping for HTML, byte for byte, and leaves out what the role may
// not see. It is quicker because each wire type says once how its fields are written (see [shape]), and because nothing is
// made that is not written: a page of a list is some 20,000 fields.
type jsonWriter struct {
	w    io.Writer
	role Role
	buf  []byte // what is not sent yet: an object at most
	err  error  // the first one
	// lists are the last lists of objects that were written, by their fields: the services of five hundred networks of the same
	// offering are the same list, and are written out once.
	lists map[*listKey]writtenList
}

// listKey tells the fields that have lists of objects apart.
type listKey struct{ of reflect.Type }

// writtenList is a list with its text. What an answer is made of doesn't change while it is written.
type writtenList struct {
	at   unsafe.Pointer
	n    int
	text []byte
}

// jsonField writes one value.
type jsonField func(j *jsonWriter, v reflect.Value)

// text writes a piece of JSON as it is.
func (j *jsonWriter) text(s string) { j.buf = append(j.buf, s...) }

// flush sends what was written, unless there was a mistake in it.
func (j *jsonWriter) flush() error {
	if j.err == nil {
		_, j.err = j.w.Write(j.buf)
	}
	j.buf = j.buf[:0]
	return j.err
}

// object writes a struct.
func (j *jsonWriter) object(s *shape, v reflect.Value) {
	admin := j.role.Allows(RootAdmin)
	j.buf = append(j.buf, '{')
	begin := len(j.buf)
	for _, f := range s.fields {
		if f.admin && !admin {
			continue
		}
		field := v.FieldByIndex(f.index)
		if f.absent != nil && f.absent(field) {
			continue
		}
		if len(j.buf) > begin {
			j.buf = append(j.buf, ',')
		}
		j.buf = append(j.buf, f.label...)
		f.json(j, field)
	}
	j.buf = append(j.buf, '}')
}

// jsonOf says how values of a type are written that [kindOf] knows.
func jsonOf(t reflect.Type) jsonField {
	switch t {
	case wireTime:
		return func(j *jsonWriter, v reflect.Value) { j.time(v.Interface().(Time)) }
	case wireResult:
		return func(j *jsonWriter, v reflect.Value) { j.result(v.Interface().(Result)) }
	case stringMap:
		return func(j *jsonWriter, v reflect.Value) { j.mapping(v.Interface().(map[string]string)) }
	}
	switch t.Kind() {
	case reflect.Pointer:
		return pointerJSON(jsonOf(t.Elem()))
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			return sharedJSON(t, sliceJSON(jsonOf(t.Elem())))
		}
		return sliceJSON(jsonOf(t.Elem()))
	case reflect.Struct:
		s := walkShape(t)
		return func(j *jsonWriter, v reflect.Value) { j.object(s, v) }
	case reflect.String:
		return func(j *jsonWriter, v reflect.Value) { j.string(v.String()) }
	case reflect.Bool:
		return func(j *jsonWriter, v reflect.Value) { j.buf = strconv.AppendBool(j.buf, v.Bool()) }
	case reflect.Float64:
		return func(j *jsonWriter, v reflect.Value) { j.float(v.Float()) }
	default: // kindOf lets only whole numbers through
		return func(j *jsonWriter, v reflect.Value) { j.buf = strconv.AppendInt(j.buf, v.Int(), 10) }
	}
}

func pointerJSON(of jsonField) jsonField {
	return func(j *jsonWriter, v reflect.Value) {
		if v.IsNil() {
			j.text("null")
			return
		}
		of(j, v.Elem())
	}
}

func sliceJSON(of jsonField) jsonField {
	return func(j *jsonWriter, v reflect.Value) {
		if v.IsNil() {
			j.text("null")
			return
		}
		j.buf = append(j.buf, '[')
		for i := range v.Len() {
			if i > 0 {
				j.buf = append(j.buf, ',')
			}
			of(j, v.Index(i))
		}
		j.buf = append(j.buf, ']')
	}
}

// sharedJSON writes lists that may be the same in many items.
func sharedJSON(t reflect.Type, write jsonField) jsonField {
	key := &listKey{t}
	return func(j *jsonWriter, v reflect.Value) {
		last := j.lists[key]
		if v.Len() > 0 && last.at == v.UnsafePointer() && last.n == v.Len() {
			j.buf = append(j.buf, last.text...)
			return
		}
		begin := len(j.buf)
		write(j, v)
		if j.lists == nil {
			j.lists = map[*listKey]writtenList{}
		}
		j.lists[key] = writtenList{v.UnsafePointer(), v.Len(), append(last.text[:0], j.buf[begin:]...)}
	}
}

// absence says when a field is left out; nil for never.
func absence(t reflect.Type, omitEmpty, omitZero bool) func(v reflect.Value) bool {
	switch {
	case omitZero && t == wireTime:
		return func(v reflect.Value) bool { return v.Interface().(Time).IsZero() }
	case omitZero:
		return reflect.Value.IsZero
	case !omitEmpty:
		return nil
	}
	switch t.Kind() {
	case reflect.Map, reflect.Slice:
		return func(v reflect.Value) bool { return v.Len() == 0 }
	case reflect.Struct:
		return nil // a struct is never empty
	}
	return reflect.Value.IsZero
}

// string writes a text in quotes. Those with anything in them but plain ASCII, which are rare, are encoding/json's.
func (j *jsonWriter) string(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			j.standard(s)
			return
		}
	}
	j.buf = append(append(append(j.buf, '"'), s...), '"')
}

// float writes a number; its rules for exponents are encoding/json's own. What is no number is an error.
func (j *jsonWriter) float(f float64) { j.standard(f) }

// standard leaves a value to encoding/json, whose line end is cut off.
func (j *jsonWriter) standard(v any) {
	out := bytes.NewBuffer(j.buf)
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		j.fail(err)
		return
	}
	j.buf = bytes.TrimSuffix(out.Bytes(), []byte("\n"))
}

func (j *jsonWriter) fail(err error) {
	if j.err == nil {
		j.err = err
	}
}

func (j *jsonWriter) time(t Time) {
	if t.IsZero() {
		j.text("null")
		return
	}
	j.buf = append(t.UTC().AppendFormat(append(j.buf, '"'), timeLayout), '"')
}

// mapping writes the entries in the order of their names.
func (j *jsonWriter) mapping(entries map[string]string) {
	if entries == nil {
		j.text("null")
		return
	}
	j.buf = append(j.buf, '{')
	for i, key := range slices.Sorted(maps.Keys(entries)) {
		if i > 0 {
			j.buf = append(j.buf, ',')
		}
		j.string(key)
		j.buf = append(j.buf, ':')
		j.string(entries[key])
	}
	j.buf = append(j.buf, '}')
}

// result writes what a job was about, as the role may see it that asked for it.
func (j *jsonWriter) result(r Result) {
	text, err := r.MarshalJSON()
	if err != nil {
		j.fail(err)
	}
	j.buf = append(j.buf, text...)
}
