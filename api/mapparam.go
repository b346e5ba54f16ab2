package api

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// maxEntries is how many entries a map or list of structs may have when its tag says nothing.
const maxEntries = 100

// indexed is one name[index].field=value.
type indexed struct {
	index        int
	field, value string
}

// splitMapName takes name[index].field apart. The field keeps its case.
func splitMapName(name, value string) (indexed, error) {
	malformed := &Error{Code: CodeMalformed, Text: fmt.Sprintf("Unable to decode parameter %s; if specifying an object array, "+
		"please use parameter[index].field=XXX, e.g. userGroupList[0].group=httpGroup", printable(name))}
	_, rest, bracket := strings.Cut(name, "[")
	index, field, closed := strings.Cut(rest, "]")
	field, dotted := strings.CutPrefix(field, ".")
	if !bracket || !closed || !dotted || field == "" || strings.ContainsAny(field, "[]") || strings.ContainsFunc(field, isControl) {
		return indexed{}, malformed
	}
	n, err := strconv.ParseUint(index, 10, 31)
	if err != nil {
		return indexed{}, malformed
	}
	return indexed{index: int(n), field: field, value: value}, nil
}

// fillMap reads a map parameter: a free-form map, or a slice of structs in the order of the indexes.
func (r *request) fillMap(p *param, v reflect.Value) error {
	entries := r.maps[p.key]
	switch {
	case len(entries) == 0 && p.required:
		return r.missing(p)
	case len(entries) == 0:
		return nil
	case p.admin && r.role&RootAdmin == 0:
		return r.reserved(p)
	case p.isFreeForm():
		return fillFreeForm(p, freeForm(entries), v)
	}
	groups := byIndex(entries)
	if err := checkEntries(p, len(groups)); err != nil {
		return err
	}
	for _, group := range groups {
		item := reflect.New(p.items.typ).Elem()
		if err := r.fillItem(p, group, item); err != nil {
			return err
		}
		v.Set(reflect.Append(v, item))
	}
	return nil
}

// fillFreeForm bounds what is stored as it comes: max= of the parameter's tag is for each value, and for each name.
func fillFreeForm(p *param, given map[string]string, v reflect.Value) error {
	if err := checkEntries(p, len(given)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(given)) {
		if p.tooLong(name) {
			return invalid("A name of more than the max allowed length %d in param: %s", p.length, p.name)
		}
		if p.tooLong(given[name]) {
			return invalid("Value greater than max allowed length %d for param: %s, entry %s", p.length, p.name, name)
		}
	}
	v.Set(reflect.ValueOf(given))
	return nil
}

func checkEntries(p *param, n int) error {
	if n > p.entries {
		return invalid("Param %s has %d entries, but at most %d are allowed", p.name, n, p.entries)
	}
	return nil
}

func (r *request) fillItem(p *param, group []indexed, item reflect.Value) error {
	one := &request{command: r.command, role: r.role, plain: map[string]string{}}
	for _, entry := range group {
		one.plain[strings.ToLower(entry.field)] = entry.value
	}
	for _, field := range p.items.params {
		if err := one.fill(field, item.FieldByIndex(field.index)); err != nil {
			return err
		}
	}
	return nil
}

// byIndex cuts sorted entries into those of one index each.
func byIndex(entries []indexed) [][]indexed {
	var groups [][]indexed
	for i, entry := range entries {
		if i == 0 || entries[i-1].index != entry.index {
			groups = append(groups, nil)
		}
		last := len(groups) - 1
		groups[last] = append(groups[last], entry)
	}
	return groups
}

// freeForm reads both spellings of a map: d[0].key=k with d[0].value=v is one entry k; any other d[0].name=v is an entry
// of that name.
func freeForm(entries []indexed) map[string]string {
	out := map[string]string{}
	for _, group := range byIndex(entries) {
		fields := map[string]string{}
		for _, entry := range group {
			fields[entry.field] = entry.value
		}
		key, named := fields["key"]
		value, valued := fields["value"]
		if named && (len(fields) == 1 || valued && len(fields) == 2) {
			out[key] = value
			continue
		}
		maps.Copy(out, fields)
	}
	return out
}

// encode writes an input struct as the parameters that decode to it.
func (in *inputs) encode(v reflect.Value) Params {
	out := Params{}
	for _, p := range in.params {
		field := v.FieldByIndex(p.index)
		switch {
		case p.items != nil:
			p.encodeItems(field, out)
		case p.mapped():
			encodeFreeForm(p.name, field.Interface().(map[string]string), out)
		default:
			if text, given := p.codec.text(field); given {
				out[p.name] = text
			}
		}
	}
	return out
}

func (p *param) encodeItems(v reflect.Value, out Params) {
	for i := range v.Len() {
		for name, value := range p.items.encode(v.Index(i)) {
			out[fmt.Sprintf("%s[%d].%s", p.name, i, name)] = value
		}
	}
}

// encodeFreeForm uses key and value, which any name can travel in.
func encodeFreeForm(name string, entries map[string]string, out Params) {
	for i, key := range slices.Sorted(maps.Keys(entries)) {
		out[fmt.Sprintf("%s[%d].key", name, i)] = key
		out[fmt.Sprintf("%s[%d].value", name, i)] = entries[key]
	}
}
