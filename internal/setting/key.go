package setting

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

// Category is the heading that a setting stands under, in CloudStack's words.
type Category string

// The categories.
const (
	Advanced        Category = "Advanced"
	Alerts          Category = "Alert"
	AccountDefaults Category = "Account Defaults"
	DomainDefaults  Category = "Domain Defaults"
	ProjectDefaults Category = "Project Defaults"
	Network         Category = "Network"
	Storage         Category = "Storage"
	Secure          Category = "Secure"
)

// Setting is a setting without the type of its value.
type Setting struct {
	Name     string // CloudStack's
	Category Category
	Group    string // the part of the cloud that it steers, Compute for instance
	Doc      string
	Scopes   []Scope // what can have a value of its own; empty for settings of the whole cloud only
	// Kind is the kind of value: Number, Decimal, Boolean, String or Select.
	Kind string
	// Choices are the values that there are, where they can be listed.
	Choices []string

	sealed   bool                      // see the function of that name
	fallback any                       // the default
	parse    func(string) (any, error) // its error ends the sentence "the value of … must be"
	format   func(any) string
}

// Default is the value, as text, where nobody changed it.
func (s *Setting) Default() string { return s.format(s.fallback) }

// Takes tells whether things of a scope can have a value of their own.
func (s *Setting) Takes(scope Scope) bool { return scope == Global || slices.Contains(s.Scopes, scope) }

// read turns text into the setting's value, or refuses it.
func (s *Setting) read(text string) (any, error) {
	if s.sealed {
		v, err := s.parse(text)
		if err != nil {
			return nil, fault.Invalidf("this is no value for the setting %s: it must be %v", s.Name, err)
		}
		return v, nil
	}
	v, err := s.parse(strings.TrimSpace(text))
	if err != nil {
		return nil, fault.Invalidf("%q is no value for the setting %s: it must be %v", text, s.Name, err)
	}
	return v, nil
}

// Key is a setting whose value is a T.
type Key[T any] struct{ *Setting }

// all is every setting that is declared, by name.
var all = map[string]*Setting{}

// declared is what each constructor of keys ends with: a setting that is declared is listed, checked and changed by the API.
func declared[T any](s Setting) Key[T] {
	if all[s.Name] != nil {
		panic("setting: " + s.Name + " is declared twice")
	}
	all[s.Name] = &s
	return Key[T]{&s}
}

// Of gives the value: that of the first place which has one of its own (a domain that has none has that of the nearest above it),
// or else the cloud's, or else the default. It asks no database, but for what lies above a domain, once. With nil settings it is the
// default.
func (k Key[T]) Of(s *Settings, places ...Place) T {
	return s.value(k.Setting, places).(T)
}

// Initially makes v the value where nobody changed the setting, in the place of the default in the code.
func (k Key[T]) Initially(v T) Initial { return Initial{k.Setting, v} }

// Initial is the value that a setting has on a server where nobody changed it.
type Initial struct {
	setting *Setting
	value   any
}

func whole(s Setting, fallback, least, most int64) Key[int64] {
	s.Kind, s.fallback = "Number", fallback
	s.format = func(v any) string { return strconv.FormatInt(v.(int64), 10) }
	s.parse = func(text string) (any, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < least || n > most {
			return nil, fmt.Errorf("a whole number %s", between(least, most))
		}
		return n, nil
	}
	return declared[int64](s)
}

func decimal(s Setting, fallback, least, most float64) Key[float64] {
	s.Kind, s.fallback = "Decimal", fallback
	s.format = func(v any) string { return strconv.FormatFloat(v.(float64), 'f', -1, 64) }
	s.parse = func(text string) (any, error) {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil || !(n >= least && n <= most) { // in this form NaN is refused, too
			return nil, fmt.Errorf("a number from %v to %v", least, most)
		}
		return n, nil
	}
	return declared[float64](s)
}

func flag(s Setting, fallback bool) Key[bool] {
	s.Kind, s.fallback = "Boolean", fallback
	s.Choices = []string{"true", "false"}
	s.format = func(v any) string { return strconv.FormatBool(v.(bool)) }
	s.parse = func(text string) (any, error) {
		switch strings.ToLower(text) {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
		return nil, errors.New("true or false")
	}
	return declared[bool](s)
}

// text is a setting of any text that valid, which gives what would be right, lets pass.
func text(s Setting, fallback string, valid func(string) error) Key[string] {
	s.Kind, s.fallback = "String", fallback
	s.format = func(v any) string { return v.(string) }
	s.parse = func(text string) (any, error) { return text, valid(text) }
	return declared[string](s)
}

// choice is a setting with one of some values; the first is the default.
func choice(s Setting, values ...string) Key[string] {
	k := text(s, values[0], func(text string) error {
		if slices.Contains(values, text) {
			return nil
		}
		return fmt.Errorf("one of %s", strings.Join(values, ", "))
	})
	k.Kind, k.Choices = "Select", values
	return k
}

// span is a setting of a time that is written as a number of units.
func span(s Setting, unit, fallback, least time.Duration) Key[time.Duration] {
	name := map[time.Duration]string{
		time.Millisecond: " milliseconds", time.Second: " seconds", time.Minute: " minutes", 24 * time.Hour: " days",
	}[unit]
	s.Kind, s.fallback = "Number", fallback
	s.format = func(v any) string {
		return strconv.FormatFloat(v.(time.Duration).Seconds()/unit.Seconds(), 'f', -1, 64)
	}
	lowest, highest := int64(least/unit), int64(math.MaxInt32)
	if days := int64(100 * 365 * 24 * time.Hour / unit); days < highest {
		highest = days // a century, which a duration still holds
	}
	s.parse = func(text string) (any, error) {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < lowest || n > highest {
			return nil, fmt.Errorf("a whole number of%s %s", name, between(lowest, highest))
		}
		return time.Duration(n) * unit, nil
	}
	return declared[time.Duration](s)
}

func between(least, most int64) string {
	if most == math.MaxInt64 {
		return fmt.Sprintf("from %d on", least)
	}
	return fmt.Sprintf("from %d to %d", least, most)
}
