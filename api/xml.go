package api

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// WriteXML writes the envelope as XML. The root carries the version as cloud-stack-version. It is the same tree as the JSON,
// with an empty element in place of each plain field that JSON leaves out.
func (a Answer) WriteXML(w io.Writer, version string) error {
	out := &xmlWriter{w: w, role: a.body.role}
	out.root(a.envelope, version)
	if a.list {
		a.writeItemsXML(out)
	} else {
		a.body.writeXML(out)
	}
	out.close(a.envelope)
	return out.flush()
}

func (a Answer) writeItemsXML(out *xmlWriter) {
	if a.count == 0 {
		return
	}
	out.element("count", strconv.Itoa(a.count))
	for i := range a.items.Len() {
		out.open(a.body.object)
		out.fields(a.body.shape, a.items.Index(i))
		out.close(a.body.object)
		if out.flush() != nil {
			return
		}
	}
}

func (b *body) writeXML(out *xmlWriter) {
	if b.object != "" {
		out.open(b.object)
	}
	out.fields(b.shape, b.value)
	if b.object != "" {
		out.close(b.object)
	}
}

// xmlWriter writes pieces of XML and keeps the first error.
type xmlWriter struct {
	w    io.Writer
	role Role
	buf  []byte // what is not sent yet
	err  error
}

func (x *xmlWriter) text(s string) { x.buf = append(x.buf, s...) }

// flush sends what was written.
func (x *xmlWriter) flush() error {
	if x.err == nil {
		_, x.err = x.w.Write(x.buf)
	}
	x.buf = x.buf[:0]
	return x.err
}

func (x *xmlWriter) root(name, version string) {
	x.text(xml.Header[:len(xml.Header)-1] + "<" + name + ` cloud-stack-version="`)
	x.escaped(version)
	x.text(`">`)
}

func (x *xmlWriter) open(name string)  { x.buf = append(append(append(x.buf, '<'), name...), '>') }
func (x *xmlWriter) close(name string) { x.buf = append(append(append(x.buf, "</"...), name...), '>') }

// escaped writes a text. Those with anything in them but plain ASCII, which are rare, are encoding/xml's.
func (x *xmlWriter) escaped(s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '<' || c == '>' || c == '&' || c == '"' || c == '\'' {
			out := bytes.NewBuffer(x.buf)
			_ = xml.EscapeText(out, []byte(s)) // a buffer takes everything
			x.buf = out.Bytes()
			return
		}
	}
	x.text(s)
}

func (x *xmlWriter) element(name, text string) {
	x.open(name)
	x.escaped(text)
	x.close(name)
}

// fields writes the fields of a struct that the caller's role may see.
func (x *xmlWriter) fields(s *shape, v reflect.Value) {
	for _, f := range s.fields {
		if f.admin && !x.role.Allows(RootAdmin) {
			continue
		}
		x.field(f, v.FieldByIndex(f.index))
	}
}

func (x *xmlWriter) field(f *wireField, v reflect.Value) {
	switch f.kind {
	case kindList:
		for i := range v.Len() {
			x.one(f, f.elem, v.Index(i))
		}
	case kindMap:
		x.mapping(f.name, v.Interface().(map[string]string))
	default:
		x.one(f, f.kind, v)
	}
}

// one writes one element: a field's, or one of a list's.
func (x *xmlWriter) one(f *wireField, kind fieldKind, v reflect.Value) {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			if kind != kindObject {
				x.element(f.name, "")
			}
			return
		}
		v = v.Elem()
	}
	switch kind {
	case kindObject:
		x.open(f.name)
		x.fields(f.shape, v)
		x.close(f.name)
	case kindResult:
		x.open(f.name)
		if b := v.Interface().(Result).body; b != nil {
			role := x.role
			x.role = b.role
			b.writeXML(x)
			x.role = role
		}
		x.close(f.name)
	default:
		x.element(f.name, plainText(f, v))
	}
}

// plainText is the text of a scalar; "" for what JSON would leave out.
func plainText(f *wireField, v reflect.Value) string {
	switch {
	case f.kind != kindList && f.optional && f.typ.Kind() != reflect.Pointer && v.IsZero():
		return ""
	case v.Type() == wireTime:
		return v.Interface().(Time).String()
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'f', -1, 64)
	default: // kindOf lets only whole numbers through
		return strconv.FormatInt(v.Int(), 10)
	}
}

// mapping writes an element per entry, in the order of the names.
func (x *xmlWriter) mapping(name string, entries map[string]string) {
	if len(entries) == 0 {
		return
	}
	x.open(name)
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		x.element(elementName(key), entries[key])
	}
	x.close(name)
}

// elementName makes any text a name of an element: what XML doesn't allow in one becomes _xHHHH_, as SQL/XML has it.
func elementName(key string) string {
	var out strings.Builder
	for i, c := range key {
		switch {
		case c == '_' || c < unicode.MaxASCII && unicode.IsLetter(c):
			out.WriteRune(c)
		case i > 0 && (c == '-' || c == '.' || c >= '0' && c <= '9'):
			out.WriteRune(c)
		default:
			fmt.Fprintf(&out, "_x%04X_", c)
		}
	}
	if out.Len() == 0 {
		return "_"
	}
	return out.String()
}
