package api

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/uid"
)

// codec reads and writes the text of one kind of parameter.
type codec struct {
	word string // the kind's name in listApis
	// blank says that an empty text means the parameter is absent.
	blank bool
	// set puts the meaning of the text into v.
	set func(v reflect.Value, text string) error
	// text is what set would read as v; "" and false for a v that is absent.
	text func(v reflect.Value) (string, bool)
}

var (
	timeType  = reflect.TypeFor[time.Time]()
	typedType = reflect.TypeFor[uid.Typed]()

	errValue = errors.New("not a value of this kind")
	errID    = errors.New("not an id")
)

// codecOf gives the codec of a field's type, nil if there is none.
func codecOf(t reflect.Type) *codec {
	switch t.Kind() {
	case reflect.Pointer:
		c := codecOf(t.Elem())
		if c == nil || t.Elem().Kind() == reflect.Slice || t.Elem().Kind() == reflect.Pointer {
			return nil
		}
		return pointer(c)
	case reflect.Slice:
		switch t.Elem().Kind() {
		case reflect.String, reflect.Int64, reflect.Int:
			return commaList(codecOf(t.Elem()))
		}
		return nil
	default:
		return scalar(t)
	}
}

func scalar(t reflect.Type) *codec {
	switch {
	case t == timeType:
		return dateCodec
	case isID(t):
		return idCodec
	case t.PkgPath() != "":
		return nil // a named type promises more than its kind: nothing here would keep the promise
	}
	switch t.Kind() {
	case reflect.Bool:
		return boolCodec
	case reflect.Int:
		return intCodec("integer", 32)
	case reflect.Int64:
		return intCodec("long", 64)
	case reflect.Float64:
		return floatCodec
	case reflect.String:
		return stringCodec
	}
	return nil
}

// isID tells whether t is one of package uid's types.
func isID(t reflect.Type) bool { return t.Kind() == reflect.String && t.Implements(typedType) }

var stringCodec = &codec{
	word: "string",
	set:  func(v reflect.Value, text string) error { v.SetString(text); return nil },
	text: func(v reflect.Value) (string, bool) { return v.String(), v.String() != "" },
}

// boolCodec reads booleans as Java does: "true" in any case is true, everything else is false.
var boolCodec = &codec{
	word: "boolean",
	set:  func(v reflect.Value, text string) error { v.SetBool(strings.EqualFold(text, "true")); return nil },
	text: func(v reflect.Value) (string, bool) { return strconv.FormatBool(v.Bool()), v.Bool() },
}

var idCodec = &codec{
	word:  "uuid",
	blank: true,
	set: func(v reflect.Value, text string) error {
		id := strings.ToLower(text)
		if !uid.Valid(id) {
			return errID
		}
		v.SetString(id)
		return nil
	},
	text: func(v reflect.Value) (string, bool) { return v.String(), v.String() != "" },
}

func intCodec(word string, bits int) *codec {
	return &codec{
		word:  word,
		blank: true,
		set: func(v reflect.Value, text string) error {
			n, err := strconv.ParseInt(text, 10, bits)
			v.SetInt(n)
			return err
		},
		text: func(v reflect.Value) (string, bool) { return strconv.FormatInt(v.Int(), 10), v.Int() != 0 },
	}
}

var floatCodec = &codec{
	word:  "float",
	blank: true,
	set: func(v reflect.Value, text string) error {
		n, err := strconv.ParseFloat(text, 64)
		if err == nil && (n != n || n-n != 0) { // NaN and the infinities parse, but mean nothing here
			return errValue
		}
		v.SetFloat(n)
		return err
	},
	text: func(v reflect.Value) (string, bool) {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), v.Float() != 0
	},
}

// pointer makes a codec whose absence is nil: a zero that was given is kept apart from nothing.
func pointer(c *codec) *codec {
	return &codec{
		word:  c.word,
		blank: c.blank,
		set: func(v reflect.Value, text string) error {
			v.Set(reflect.New(v.Type().Elem()))
			return c.set(v.Elem(), text)
		},
		text: func(v reflect.Value) (string, bool) {
			if v.IsNil() {
				return "", false
			}
			text, _ := c.text(v.Elem())
			return text, true
		},
	}
}

// commaList makes a codec for values with commas between them. Empty values are dropped.
func commaList(c *codec) *codec {
	if c == nil {
		return nil
	}
	return &codec{
		word:  "list",
		blank: true,
		set: func(v reflect.Value, text string) error {
			for part := range strings.SplitSeq(text, ",") {
				if strings.TrimSpace(part) == "" { // as a whole parameter that is blank
					continue
				}
				item := reflect.New(v.Type().Elem()).Elem()
				if err := c.set(item, part); err != nil {
					return err
				}
				v.Set(reflect.Append(v, item))
			}
			return nil
		},
		text: func(v reflect.Value) (string, bool) {
			parts := make([]string, v.Len())
			for i := range parts {
				parts[i], _ = c.text(v.Index(i))
			}
			return strings.Join(parts, ","), len(parts) > 0
		},
	}
}
