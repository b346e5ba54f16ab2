package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Validate checks a JSON answer strictly against a command's declaration: the envelope, no field but the declared ones,
// every field of its type, and the rules of lists and jobs. An error body is not an answer of the declared kind.
func Validate(c Command, body []byte) error {
	d := c.Describe()
	var envelope map[string]any
	if err := decodeStrictly(body, &envelope); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	inner, ok := envelope[Envelope(d.Name)]
	if !ok || len(envelope) != 1 {
		return fmt.Errorf("%s: want %s and nothing else at the top", d.Name, Envelope(d.Name))
	}
	var err error
	switch d.Kind {
	case KindList:
		err = d.checkList(inner)
	case KindJob:
		err = d.checkStarted(inner)
	default:
		err = d.checkOutcome(inner)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	return nil
}

// ValidateResult checks the jobresult of a successful job in the same way.
func ValidateResult(c Command, jobresult []byte) error {
	d := c.Describe()
	var inner any
	err := decodeStrictly(jobresult, &inner)
	if err == nil {
		err = d.checkOutcome(inner)
	}
	if err != nil {
		return fmt.Errorf("result of %s: %w", d.Name, err)
	}
	return nil
}

// decodeStrictly keeps numbers as they are written, and refuses text after the value.
func decodeStrictly(text []byte, into any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if err := dec.Decode(into); err != nil {
		return err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the answer")
	}
	return nil
}

func (d *Description) checkOutcome(inner any) error {
	if d.Object == "" {
		return d.out.check(inner, "answer")
	}
	wrapper, ok := inner.(map[string]any)
	if !ok || len(wrapper) != 1 || wrapper[d.Object] == nil {
		return fmt.Errorf("want one %s, got %v", d.Object, inner)
	}
	return d.out.check(wrapper[d.Object], d.Object)
}

func (d *Description) checkStarted(inner any) error {
	if fields, ok := inner.(map[string]any); ok && d.dryRun != nil && fields[dryRunObject] != nil {
		return d.dryRun.check(fields[dryRunObject], dryRunObject)
	}
	if d.Creates {
		fields, _ := inner.(map[string]any)
		if id, _ := fields["id"].(string); id == "" {
			return errors.New("the job creates, but the answer has no id")
		}
		return shapeFor[started]().check(inner, "answer")
	}
	return shapeFor[onlyStarted]().check(inner, "answer")
}

func (d *Description) checkList(inner any) error {
	fields, ok := inner.(map[string]any)
	if !ok {
		return fmt.Errorf("want an object, got %v", inner)
	}
	if len(fields) == 0 {
		return nil
	}
	object, item := d.Object, d.out
	if d.other != nil && fields[d.other.object] != nil {
		object, item = d.other.object, d.other.shape
	}
	for name := range fields {
		if name != "count" && name != object {
			return fmt.Errorf("field %s beside count and %s", name, object)
		}
	}
	count, err := number(fields["count"])
	if err != nil || count < 1 {
		return fmt.Errorf("count is %v, want a number of at least 1; an empty list has no fields at all", fields["count"])
	}
	value, ok := fields[object]
	if !ok {
		return nil // a page beyond the end
	}
	items, ok := value.([]any)
	if !ok || len(items) == 0 || int64(len(items)) > count {
		return fmt.Errorf("%s has to be a list of 1 to %d items", object, count)
	}
	for i, one := range items {
		if err := item.check(one, fmt.Sprintf("%s[%d]", object, i)); err != nil {
			return err
		}
	}
	return nil
}

// check compares a decoded value with a wire struct. At says where it stands.
func (s *shape) check(value any, at string) error {
	given, ok := value.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: want an object, got %v", at, value)
	}
	declared := map[string]bool{}
	for _, f := range s.fields {
		declared[f.name] = true
		v, ok := given[f.name]
		switch {
		case !ok && !f.optional:
			return fmt.Errorf("%s.%s is missing", at, f.name)
		case !ok:
		default:
			if err := f.check(f.kind, v, at+"."+f.name); err != nil {
				return err
			}
		}
	}
	for name := range given {
		if !declared[name] {
			return fmt.Errorf("%s.%s is not declared", at, name)
		}
	}
	return nil
}

func (w *wireField) check(kind fieldKind, v any, at string) error {
	ok := false
	switch kind {
	case kindString:
		_, ok = v.(string)
	case kindBoolean:
		_, ok = v.(bool)
	case kindInteger, kindLong:
		_, err := number(v)
		ok = err == nil
	case kindFloat:
		_, ok = v.(json.Number)
	case kindDate:
		text, isText := v.(string)
		ok = isText && new(Time).UnmarshalJSON([]byte(`"`+text+`"`)) == nil
	case kindMap:
		return checkMap(v, at)
	case kindList:
		return w.checkList(v, at)
	case kindObject:
		return w.shape.check(v, at)
	case kindResult:
		return checkResult(v, at)
	}
	if !ok {
		return fmt.Errorf("%s: want a %s, got %v", at, kind, v)
	}
	return nil
}

func (w *wireField) checkList(v any, at string) error {
	items, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%s: want a list, got %v", at, v)
	}
	for i, item := range items {
		if err := w.check(w.elem, item, fmt.Sprintf("%s[%d]", at, i)); err != nil {
			return err
		}
	}
	return nil
}

func checkMap(v any, at string) error {
	entries, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: want a map, got %v", at, v)
	}
	for name, value := range entries {
		if _, ok := value.(string); !ok {
			return fmt.Errorf("%s.%s: want a string, got %v", at, name, value)
		}
	}
	return nil
}

// checkResult can't know which command the result is of: it wants one wrapped object, a success, or an error.
func checkResult(v any, at string) error {
	fields, ok := v.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: want an object, got %v", at, v)
	}
	switch {
	case fields["errorcode"] != nil:
		return shapeFor[failure]().check(v, at)
	case fields["success"] != nil:
		return shapeFor[Success]().check(v, at)
	case len(fields) != 1:
		return fmt.Errorf("%s: want one object in its wrapper, success or an error, got %v", at, v)
	}
	return nil
}

// number reads a JSON number without a fraction.
func number(v any) (int64, error) {
	n, ok := v.(json.Number)
	if !ok || strings.ContainsAny(n.String(), ".eE") {
		return 0, errors.New("not a whole number")
	}
	return n.Int64()
}
