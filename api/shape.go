package api

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// fieldKind is how a field of an answer looks on the wire.
type fieldKind string

const (
	kindString  fieldKind = "string"
	kindInteger fieldKind = "integer"
	kindLong    fieldKind = "long"
	kindFloat   fieldKind = "float"
	kindBoolean fieldKind = "boolean"
	kindDate    fieldKind = "date"
	kindMap     fieldKind = "map"
	kindList    fieldKind = "list"   // of strings, numbers or structs
	kindObject  fieldKind = "object" // one struct
	kindResult  fieldKind = "responseobject"
)

// wireField is one field of a wire struct.
type wireField struct {
	name     string
	doc      string
	since    string
	admin    bool // shown to root admins only
	optional bool // left out of JSON where it has no value
	set      bool // listApis says set instead of list
	index    []int
	typ      reflect.Type
	kind     fieldKind
	elem     fieldKind // what a list is of
	shape    *shape    // of structs, and of lists of structs
}

// shape is the plan of a wire struct.
type shape struct {
	typ    reflect.Type
	fields []*wireField
	// secrets tells, once it has been looked for, whether hides is true: every object of every list asks.
	secrets func() bool
}

var (
	shapeMu    sync.Mutex
	shapes     = map[reflect.Type]*shape{}
	wireTime   = reflect.TypeFor[Time]()
	wireResult = reflect.TypeFor[Result]()
)

// shapeOf walks a wire struct, once per type. It panics on a wrong declaration.
func shapeOf(t reflect.Type) *shape {
	shapeMu.Lock()
	defer shapeMu.Unlock()
	return walkShape(t)
}

// walkShape puts a shape on the list before its fields are known, so that a type may contain itself.
func walkShape(t reflect.Type) *shape {
	if known := shapes[t]; known != nil {
		return known
	}
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("api: wire type %s is not a struct", t))
	}
	s := &shape{typ: t}
	s.secrets = sync.OnceValue(func() bool { return s.hides(map[*shape]bool{}) })
	shapes[t] = s
	names := map[string]bool{}
	embeds(t, func(f reflect.StructField) {
		w := newWireField(t, f)
		if names[w.name] {
			wrong(t, f.Name, "%s is declared twice", w.name)
		}
		names[w.name] = true
		s.fields = append(s.fields, w)
	})
	return s
}

func newWireField(t reflect.Type, f reflect.StructField) *wireField {
	words := strings.Split(f.Tag.Get("json"), ",")
	w := &wireField{name: words[0], doc: f.Tag.Get("doc"), index: f.Index, typ: f.Type,
		optional: slices.Contains(words, "omitempty") || slices.Contains(words, "omitzero")}
	if tag := f.Tag.Get("api"); tag != "" {
		o, err := parseOptions(strings.Split(tag, ","))
		if err != nil {
			wrong(t, f.Name, "%v", err)
		}
		w.admin, w.set, w.since = o.admin, o.set, o.since
	}
	w.kind, w.elem, w.shape = kindOf(f.Type)
	switch {
	case w.name == "" || w.name == "-":
		wrong(t, f.Name, "no name in a json tag")
	case w.doc == "":
		wrong(t, f.Name, "no doc tag")
	case w.kind == "":
		wrong(t, f.Name, "type %s can't be in an answer", f.Type)
	case w.admin && !w.optional:
		wrong(t, f.Name, "shown to admins only, but without omitempty others would see a zero")
	case (w.kind == kindDate || w.kind == kindResult) && !slices.Contains(words, "omitzero"):
		wrong(t, f.Name, "a %s needs omitzero to be left out", f.Type)
	}
	return w
}

// kindOf says what a Go type is on the wire; "" for what can't be there.
func kindOf(t reflect.Type) (kind, elem fieldKind, s *shape) {
	switch t {
	case wireTime:
		return kindDate, "", nil
	case wireResult:
		return kindResult, "", nil
	case stringMap:
		return kindMap, "", nil
	}
	switch t.Kind() {
	case reflect.Pointer:
		return kindOf(t.Elem())
	case reflect.Slice:
		elem, _, s = kindOf(t.Elem())
		if elem == kindList || elem == kindMap || elem == "" {
			return "", "", nil
		}
		return kindList, elem, s
	case reflect.Struct:
		return kindObject, "", walkShape(t)
	case reflect.String:
		return kindString, "", nil
	case reflect.Bool:
		return kindBoolean, "", nil
	case reflect.Int, reflect.Int32:
		return kindInteger, "", nil
	case reflect.Int64:
		return kindLong, "", nil
	case reflect.Float64:
		return kindFloat, "", nil
	}
	return "", "", nil
}

// word is the field's type in listApis.
func (w *wireField) word() string {
	switch {
	case w.set:
		return "set"
	case w.kind == kindObject:
		return strings.ToLower(w.shape.typ.Name()) + "response"
	}
	return string(w.kind)
}

// hides tells whether a struct has anything, at any depth, that only root admins see.
func (s *shape) hides(seen map[*shape]bool) bool {
	if seen[s] {
		return false
	}
	seen[s] = true
	for _, f := range s.fields {
		if f.admin || f.shape != nil && f.shape.hides(seen) {
			return true
		}
	}
	return false
}

// forRole gives v as a caller of that role may see it: v itself for root admins, else a copy with the admins' fields zero.
func (s *shape) forRole(v reflect.Value, role Role) reflect.Value {
	if role.Allows(RootAdmin) || !s.secrets() {
		return v
	}
	out := reflect.New(s.typ).Elem()
	out.Set(v)
	for _, f := range s.fields {
		field := out.FieldByIndex(f.index)
		switch {
		case f.admin:
			field.SetZero()
		case f.shape != nil:
			field.Set(f.redacted(field, role))
		}
	}
	return out
}

// redacted copies a nested struct, or a list of them, without the admins' fields.
func (w *wireField) redacted(v reflect.Value, role Role) reflect.Value {
	switch {
	case v.Kind() == reflect.Struct:
		return w.shape.forRole(v, role)
	case v.IsNil():
		return v
	case v.Kind() == reflect.Pointer:
		out := reflect.New(w.shape.typ)
		out.Elem().Set(w.shape.forRole(v.Elem(), role))
		return out
	}
	out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
	for i := range v.Len() {
		out.Index(i).Set(w.redacted(v.Index(i), role))
	}
	return out
}

func shapeFor[T any]() *shape { return shapeOf(reflect.TypeFor[T]()) }
