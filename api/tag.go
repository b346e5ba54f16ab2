package api

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
)

// defaultLength is how many characters a parameter may have when its tag says nothing.
const defaultLength = 255

// options is what a tag says after the name.
type options struct {
	required, admin, secret, end, lines, isMap, set bool
	since                                           string
	length                                          int
	entries                                         int
	oneOf                                           []string
}

// parseOptions reads the options of one tag. The error names the wrong one.
func parseOptions(words []string) (o options, err error) {
	o.length, o.entries = defaultLength, maxEntries
	for _, word := range words {
		key, value, valued := strings.Cut(word, "=")
		switch {
		case key == "required" && !valued:
			o.required = true
		case key == "admin" && !valued:
			o.admin = true
		case key == "secret" && !valued:
			o.secret = true
		case key == "end" && !valued:
			o.end = true
		case key == "lines" && !valued:
			o.lines = true
		case key == "map" && !valued:
			o.isMap = true
		case key == "set" && !valued:
			o.set = true
		case key == "since" && value != "":
			o.since = value
		case key == "one" && value != "":
			o.oneOf = strings.Split(value, "|")
		case key == "max" && value != "":
			if o.length, err = strconv.Atoi(value); err != nil || o.length < 1 {
				return o, fmt.Errorf("max=%s is not a positive number", value)
			}
		case key == "entries" && value != "":
			if o.entries, err = strconv.Atoi(value); err != nil || o.entries < 1 {
				return o, fmt.Errorf("entries=%s is not a positive number", value)
			}
		default:
			return o, fmt.Errorf("unknown option %q", word)
		}
	}
	return o, nil
}

// wrong panics about a declaration.
func wrong(t reflect.Type, field string, format string, args ...any) {
	panic(fmt.Sprintf("api: %s.%s: %s", t, field, fmt.Sprintf(format, args...)))
}

// embeds calls each for every field of a struct, going into embedded structs. It panics on an embedded struct that can't
// be told from a field: with two things of one Go name the language hides one of them, and a parameter is silently lost.
func embeds(t reflect.Type, each func(f reflect.StructField)) {
	seen := map[string]string{}
	var walk func(at reflect.Type, index []int)
	walk = func(at reflect.Type, index []int) {
		for i := range at.NumField() {
			f := at.Field(i)
			f.Index = append(append([]int(nil), index...), i)
			if other, dup := seen[f.Name]; dup {
				wrong(at, f.Name, "the Go name is used in %s as well", other)
			}
			seen[f.Name] = at.String()
			switch {
			case !f.Anonymous:
				if !f.IsExported() {
					wrong(at, f.Name, "not exported")
				}
				each(f)
			case f.Type.Kind() != reflect.Struct:
				wrong(at, f.Name, "only structs can be embedded, by value")
			default:
				walk(f.Type, f.Index)
			}
		}
	}
	walk(t, nil)
}
