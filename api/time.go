package api

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// timeLayout is how times stand in answers: an offset without a colon.
const timeLayout = "2006-01-02T15:04:05-0700"

// Time is a moment in an answer. The zero Time is left out: declare fields as `json:"created,omitzero"`.
type Time struct{ time.Time }

// At is t on the wire, in UTC and to the second.
func At(t time.Time) Time { return Time{t} }

// String is the wire form; "" for the zero Time.
func (t Time) String() string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// MarshalJSON writes the wire form as a string, null for the zero Time.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (t *Time) UnmarshalJSON(text []byte) (err error) {
	if string(text) == "null" {
		return nil
	}
	t.Time, err = time.Parse(`"`+timeLayout+`"`, string(text))
	return err
}

const dayLayout = "2006-01-02"

// dateLayouts are the forms a date parameter may have. Seconds may have a fraction in all of them.
var dateLayouts = []string{
	dayLayout,
	"2006-01-02 15:04:05",
	"2006-01-02T15:04:05Z0700",   // +0000, and Z
	"2006-01-02T15:04:05Z07:00",  // RFC 3339
	"2006-01-02T15:04:05Z-0700",  // CloudStack 4.1: a literal Z, then the offset
	"2006-01-02T15:04:05ZZ-0700", // what some clients made of that
}

// ParseDate reads a date in any form the API accepts, in UTC where the form has no zone. A date without a time is the
// start of that day, or its last second when end is set.
func ParseDate(text string, end bool) (time.Time, error) {
	for _, layout := range dateLayouts {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if end && layout == dayLayout {
			t = t.Add(24*time.Hour - time.Second)
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%q is not a date: want yyyy-MM-dd, yyyy-MM-dd HH:mm:ss or yyyy-MM-ddTHH:mm:ss+0000", text)
}

// dateCodec can't know of the end option: param.set completes a bare day.
var dateCodec = &codec{
	word:  "date",
	blank: true,
	set: func(v reflect.Value, text string) error {
		t, err := ParseDate(text, false)
		v.Set(reflect.ValueOf(t))
		return err
	},
	text: func(v reflect.Value) (string, bool) {
		t := v.Interface().(time.Time)
		return t.UTC().Format(time.RFC3339Nano), !t.IsZero()
	},
}

// isDay tells whether a date that parsed was given without a time.
func isDay(text string) bool { return len(text) == len(dayLayout) && !strings.ContainsAny(text, "T :") }
