package api

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

// entries are n entries of a map parameter, each with these fields.
func entries(name string, n int, fields map[string]string) Params {
	p := Params{}
	for i := range n {
		for field, value := range fields {
			p[fmt.Sprintf("%s[%d].%s", name, i, strings.ReplaceAll(field, "#", fmt.Sprint(i)))] = strings.ReplaceAll(value, "#", fmt.Sprint(i))
		}
	}
	return p
}

func TestMapBounds(t *testing.T) {
	t.Parallel()
	fits, long := strings.Repeat("ä", 255), strings.Repeat("ä", 256)
	for name, c := range map[string]struct {
		given Params
		want  string
	}{
		"as many as there may be":  {entries("details", 100, map[string]string{"key": "k#", "value": "v"}), ""},
		"one too many":             {entries("details", 101, map[string]string{"key": "k#", "value": "v"}), "Param details has 101 entries, but at most 100 are allowed"},
		"too many at one index":    {entries("details", 51, map[string]string{"a#": "v", "b#": "v"}), "Param details has 102 entries, but at most 100 are allowed"},
		"too many objects":         {entries("nets", 101, map[string]string{"networkid": aVM}), "Param nets has 101 entries, but at most 100 are allowed"},
		"as long as it may be":     {Params{"details[0]." + fits: fits}, ""},
		"a value that is too long": {Params{"details[0].a": long}, "Value greater than max allowed length 255 for param: details, entry a"},
		"a named value":            {Params{"details[0].key": "k", "details[0].value": long}, "Value greater than max allowed length 255 for param: details, entry k"},
		"a name that is too long":  {Params{"details[0].key": long}, "A name of more than the max allowed length 255 in param: details"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := decodeThing(c.given, Everyone)
			e, _ := errors.AsType[*Error](err)
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (e == nil || e.Code != CodeParameter || e.Text != c.want):
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// max= is for each value of a map.
func TestMapLength(t *testing.T) {
	t.Parallel()
	type in struct {
		Notes map[string]string `api:"notes,map,max=3" doc:"d"`
	}
	type out struct {
		ID string `json:"id" doc:"d"`
	}
	c := Call[in, out]{Name: "getNotes", Doc: "d.", Noun: "Note", Role: Everyone, Object: "note"}
	if _, err := Decode(c, Params{"notes[0].a": "123", "notes[1].b": "456"}, Everyone); err != nil {
		t.Error(err)
	}
	const want = "Value greater than max allowed length 3 for param: notes, entry b"
	if _, err := Decode(c, Params{"notes[0].a": "123", "notes[1].b": "4567"}, Everyone); err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}
