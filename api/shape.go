package api

import (
	"encoding"
	"encoding/json"
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

	label  string                     // the name as JSON has it, with the colon
	absent func(v reflect.Value) bool // whether JSON leaves it out; nil: never
	json   jsonField
}

// shape is the plan of a wire struct.
type shape struct {
	typ    reflect.Type
	fields []*wireField
}

var (
	shapeMu    sync.Mutex
	shapes     = map[reflect.Type]*shape{}
	wireTime   = reflect.TypeFor[Time]()
	wireResult = reflect.TypeFor[Result]()

	marshalsJSON = reflect.TypeFor[json.Marshaler]()
	marshalsText = reflect.TypeFor[encoding.TextMarshaler]()
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
	omitEmpty, omitZero := slices.Contains(words, "omitempty"), slices.Contains(words, "omitzero")
	w := &wireField{
		name: words[0], label: `"` + words[0] + `":`, doc: f.Tag.Get("doc"), index: f.Index, typ: f.Type,
		optional: omitEmpty || omitZero, absent: absence(f.Type, omitEmpty, omitZero),
	}
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
	w.json = jsonOf(f.Type)
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
	if t.Implements(marshalsJSON) || t.Implements(marshalsText) {
		return "", "", nil // nobody would ask it how it wants to be written
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

func shapeFor[T any]() *shape { return shapeOf(reflect.TypeFor[T]()) }
