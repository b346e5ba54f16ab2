package cli

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// object is a JSON object whose fields are in the order the server sent them.
type object []field

type field struct {
	name  string
	value any // nil, bool, json.Number, string, []any or object
}

// get gives a field, nil where there is none. Case doesn't count, since users type the names.
func (o object) get(name string) any {
	for _, f := range o {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return nil
}

// text gives a field as text, "" where there is none.
func (o object) text(name string) string {
	v := o.get(name)
	if v == nil {
		return ""
	}
	return plain(v)
}

// readJSON reads a value and keeps the order of fields.
func readJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return readValue(d)
}

func readValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return token, nil
	}
	if delim == '[' {
		list := []any{}
		for d.More() {
			v, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err = d.Token()
		return list, err
	}
	o := object{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		v, err := readValue(d)
		if err != nil {
			return nil, err
		}
		o = append(o, field{name.(string), v})
	}
	_, err = d.Token()
	return o, err
}

// answer is what a server said, as things to show.
type answer struct {
	raw   json.RawMessage
	noun  string   // what the things are called; "" where they have no name
	items []object // the things
	list  bool     // whether it is a list, of which there may be more
	count int      // how many there are in all
}

// read takes the things out of an answer: the items of a list, the one object inside, or the answer itself.
func read(raw json.RawMessage) (answer, error) {
	a := answer{raw: raw}
	v, err := readJSON(raw)
	if err != nil {
		return a, err
	}
	top, ok := v.(object)
	if !ok {
		a.items = []object{{{"value", v}}}
		return a, nil
	}
	var rest object
	for _, f := range top {
		if f.name != "count" {
			rest = append(rest, f)
		}
	}
	if len(rest) == 0 {
		a.list = true
		return a, nil
	}
	if len(rest) == 1 {
		switch inner := rest[0].value.(type) {
		case []any:
			a.noun, a.list, a.count = rest[0].name, true, len(inner)
			for _, v := range inner {
				item, ok := v.(object)
				if !ok {
					item = object{{a.noun, v}}
				}
				a.items = append(a.items, item)
			}
			if n, err := strconv.Atoi(top.text("count")); err == nil {
				a.count = n
			}
			return a, nil
		case object:
			a.noun, a.items, a.count = rest[0].name, []object{inner}, 1
			return a, nil
		}
	}
	a.items, a.count = []object{top}, 1
	return a, nil
}

// only keeps the fields of a filter, in its order.
func (a *answer) only(fields []string) {
	for i, item := range a.items {
		var kept object
		for _, name := range fields {
			kept = append(kept, field{name, pick(item, strings.Split(name, "."))})
		}
		a.items[i] = kept
	}
}

// pick follows a path into an object; what lies in several things of a list comes as a list.
func pick(v any, path []string) any {
	if len(path) == 0 {
		return v
	}
	switch v := v.(type) {
	case object:
		return pick(v.get(path[0]), path[1:])
	case []any:
		var out []any
		for _, one := range v {
			if got := pick(one, path); got != nil {
				out = append(out, got)
			}
		}
		return out
	}
	return nil
}

// plain is a value on one line.
func plain(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case []any:
		texts := make([]string, len(v))
		for i, one := range v {
			if _, deep := one.(object); deep {
				return compact(v)
			}
			texts[i] = plain(one)
		}
		return strings.Join(texts, ",")
	}
	return compact(v)
}

// compact is a value as JSON on one line.
func compact(v any) string {
	var b bytes.Buffer
	writeJSON(&b, v)
	return b.String()
}

func writeJSON(b *bytes.Buffer, v any) {
	switch v := v.(type) {
	case object:
		b.WriteByte('{')
		for i, f := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, f.name)
			b.WriteByte(':')
			writeJSON(b, f.value)
		}
		b.WriteByte('}')
	case []any:
		b.WriteByte('[')
		for i, one := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSON(b, one)
		}
		b.WriteByte(']')
	default:
		e := json.NewEncoder(b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			panic(err) // it is a string, a number or a boolean that was read from JSON
		}
		b.Truncate(b.Len() - 1) // the encoder's newline
	}
}
