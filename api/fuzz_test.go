package api

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecode decodes any query. What decodes must encode to what decodes to the same.
func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"", "id=" + aVM + "&n=1&long=-1&f=1e3&on=TRUE", "from=2026-01-31&until=2026-01-31&ids=" + aVM, "words=a,b&numbers=1,2&one=RED",
		"details[0].key=a&details[0].value=b&details[1].x=y", "nets[1].networkid=" + aVM + "&nets[1].ip=10.0.0.1", "maybe=&mayben=0&text=",
		"page=1&pagesize=2", "nets[0].networkid=&x=%00",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		given := Params{}
		for name := range values {
			given[name] = values.Get(name)
		}
		in, err := decodeThing(given, RootAdmin)
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok {
				t.Errorf("%v is not an *Error", err)
			}
			return
		}
		again, err := decodeThing(getThing.Describe().in.encode(reflect.ValueOf(in)), RootAdmin)
		if err != nil {
			t.Fatalf("%+v: %v", in, err)
		}
		if !reflect.DeepEqual(in, again) {
			t.Errorf("%+v\nbecame %+v", in, again)
		}
	})
}

// FuzzMapParameter takes any name of a map parameter apart.
func FuzzMapParameter(f *testing.F) {
	for _, seed := range []string{"a[0].b", "a[0]", "a[", "a[x].b", "a[-1].b", "a[0][1].b", "[0].b", "a[99999999999].b", "a[0].b[c]", "a].b["} {
		f.Add(seed, "v")
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		entry, err := splitMapName(name, value)
		if err != nil {
			return
		}
		if entry.index < 0 || entry.field == "" || entry.value != value || !strings.HasSuffix(name, "]."+entry.field) {
			t.Errorf("%q: %+v", name, entry)
		}
	})
}

// FuzzXML writes any text, and any name of a map's entry: it must stay XML, and the text must come back.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{"", "a", "<a&b>", "\x00", "1x", "a b", "é", "]]>", "\xff", "-", "a:b"} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, key, text string) {
		var out bytes.Buffer
		a := AnswerOf(getThing, thing{ID: aVM, Name: text, Map: map[string]string{key: text}}, User)
		if err := a.WriteXML(&out, "v"); err != nil {
			t.Fatal(err)
		}
		var found []string
		dec := xml.NewDecoder(&out)
		for {
			token, err := dec.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%q, %q: %v", key, text, err)
			}
			if chars, ok := token.(xml.CharData); ok {
				found = append(found, string(chars))
			}
		}
		if want := xmlText(text); text != "" && (len(found) < 2 || found[1] != want) {
			t.Errorf("wrote %q, read %q", want, found)
		}
	})
}

// xmlText is what XML can carry of a text.
func xmlText(text string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xfffe || c == 0xffff {
			return '\ufffd'
		}
		return c
	}, text)
}
