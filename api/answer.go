package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
)

// Answer is what a command has to say: the whole envelope, written object by object.
type Answer struct {
	envelope string
	body     body
	list     bool
	count    int
	items    reflect.Value // a slice, for lists
}

// body is a wire struct and the name it stands under.
type body struct {
	object string // "": its fields stand directly in what surrounds them
	shape  *shape
	value  reflect.Value
	role   Role
}

// Envelope is the name of the envelope of a command's answers and errors.
func Envelope(command string) string {
	name := strings.ToLower(command)
	if of, odd := envelopes[name]; odd {
		name = of
	}
	return name + "response"
}

// envelopes are those of commands that CloudStack has always answered under another name; clients look for it.
var envelopes = map[string]string{
	"addldapconfiguration": "ldapconfiguration", "deleteldapconfiguration": "ldapconfiguration", "listldapconfigurations": "ldapconfiguration",
	"revokesecuritygroupingress": "revokesecuritygroupingress", "revokesecuritygroupegress": "revokesecuritygroupegress",
	"listldapusers": "ldapuser", "searchldap": "ldapuser", "importldapusers": "ldapuser", "ldapcreateaccount": "createaccount",
	"deleteiso": "deleteisos", "getuploadparamsforvolume": "postuploadvolume", "getuploadparamsfortemplate": "postuploadtemplate",
	"getuploadparamsforiso": "postuploadiso",
}

// AnswerOf makes the answer of a command that a facade handles by itself (login, logout) from a value of its wire type.
// It panics when out is of another type.
func AnswerOf(c Command, out any, role Role) Answer {
	d := c.Describe()
	if reflect.TypeOf(out) != d.out.typ {
		panic(fmt.Sprintf("api: %s answers with %s, not %T", d.Name, d.out.typ, out))
	}
	return d.answer(reflect.ValueOf(out), role)
}

func (d *Description) answer(out reflect.Value, role Role) Answer {
	return Answer{envelope: Envelope(d.Name), body: body{object: d.Object, shape: d.out, value: out, role: role}}
}

func (d *Description) page(count int, items reflect.Value, role Role) Answer {
	return Answer{envelope: Envelope(d.Name), body: body{object: d.Object, shape: d.out, role: role},
		list: true, count: max(count, items.Len()), items: items}
}

// otherPage is page for items in the list's other form.
func (d *Description) otherPage(count int, items any, role Role) Answer {
	v := reflect.ValueOf(items)
	if d.other == nil || v.Kind() != reflect.Slice || v.Type().Elem() != d.other.shape.typ {
		panic(fmt.Sprintf("api: %s has no other form of %T", d.Name, items))
	}
	a := d.page(count, v, role)
	a.body.object, a.body.shape = d.other.object, d.other.shape
	return a
}

// dryRunObject is the name round what a job answers with that was only tried.
const dryRunObject = "dryrun"

func (d *Description) started(s Started, role Role) Answer {
	if s.DryRun != nil {
		v := reflect.ValueOf(s.DryRun)
		if d.dryRun == nil || d.dryRun.typ != v.Type() {
			panic(fmt.Sprintf("api: %s has no dry run that answers with %s", d.Name, v.Type()))
		}
		return Answer{envelope: Envelope(d.Name), body: body{object: dryRunObject, shape: d.dryRun, value: v, role: role}}
	}
	var out any = onlyStarted{JobID: s.JobID}
	if d.Creates {
		out = started{ID: s.ID, JobID: s.JobID}
	}
	v := reflect.ValueOf(out)
	return Answer{envelope: Envelope(d.Name), body: body{shape: shapeOf(v.Type()), value: v}}
}

// Failed makes the error that stands in place of a job's result.
func Failed(code int, text string) Result {
	v := reflect.ValueOf(failure{Code: code, Text: text})
	return Result{body: &body{shape: shapeOf(v.Type()), value: v}}
}

// Succeeded makes the result of a job that has no thing to show, or whose thing is gone by now. The text may be empty.
func Succeeded(text string) Result {
	v := reflect.ValueOf(Success{Success: true, DisplayText: text})
	return Result{body: &body{shape: shapeOf(v.Type()), value: v}}
}

type failure struct {
	Code int    `json:"errorcode" doc:"The error's code."`
	Text string `json:"errortext" doc:"What went wrong."`
}

// Result is the outcome of a finished job, the field jobresult of queryAsyncJobResult. The zero Result is left out:
// declare the field as `json:"jobresult,omitzero"`.
type Result struct {
	body *body           // to be written
	raw  json.RawMessage // as read by a client
}

// IsZero tells whether there is no result.
func (r Result) IsZero() bool { return r.body == nil && r.raw == nil }

// Raw is the JSON of a result that was read from an answer.
func (r Result) Raw() json.RawMessage { return r.raw }

// MarshalJSON writes the object in its wrapper, {"success":true}, or errorcode and errortext.
func (r Result) MarshalJSON() ([]byte, error) {
	switch {
	case r.body != nil:
		out := &jsonWriter{role: r.body.role}
		r.body.writeJSON(out)
		return out.buf, out.err
	case r.raw != nil:
		return r.raw, nil
	}
	return []byte("null"), nil
}

// UnmarshalJSON keeps the text.
func (r *Result) UnmarshalJSON(text []byte) error {
	r.raw = bytes.Clone(text)
	return nil
}

// WriteJSON writes the envelope as JSON, without spaces and with at most some items of a list in memory.
func (a Answer) WriteJSON(w io.Writer) error {
	out := &jsonWriter{w: w, role: a.body.role}
	out.text(`{"` + a.envelope + `":`)
	if a.list {
		a.writeItems(out)
	} else {
		a.body.writeJSON(out)
	}
	out.text("}")
	return out.flush()
}

// writeItems writes a page. Clients rely on both oddities: an empty list has no count, and a page beyond the end has
// nothing else.
func (a Answer) writeItems(out *jsonWriter) {
	if a.count == 0 {
		out.text("{}")
		return
	}
	out.text(`{"count":` + strconv.Itoa(a.count))
	n := a.items.Len()
	if n > 0 {
		out.text(`,"` + a.body.object + `":[`)
		// Large pages are written by all processors together: each writes the text of some items, which is sent in its turn.
		writers := make([]*jsonWriter, min(runtime.GOMAXPROCS(0), (n+together-1)/together))
		for i := range writers {
			writers[i] = &jsonWriter{role: out.role}
		}
		for from := 0; from < n && out.err == nil; from += together * len(writers) {
			a.writeTogether(out, writers, from)
		}
		out.text("]")
	}
	out.text("}")
}

// together is how many items one processor writes before they are sent.
const together = 32

// writeTogether writes the items from one on, as many for each writer as they write together.
func (a Answer) writeTogether(out *jsonWriter, writers []*jsonWriter, from int) {
	var all sync.WaitGroup
	write := func(w *jsonWriter, from int) {
		for i := from; i < min(from+together, a.items.Len()); i++ {
			if i > 0 {
				w.text(",")
			}
			w.object(a.body.shape, a.items.Index(i))
		}
	}
	for k, w := range writers[1:] {
		all.Go(func() {
			defer func() {
				if panicked := recover(); panicked != nil {
					w.fail(fmt.Errorf("panic: %v\n%s", panicked, debug.Stack()))
				}
			}()
			write(w, from+(k+1)*together)
		})
	}
	write(writers[0], from)
	all.Wait()
	for _, w := range writers {
		if out.fail(w.err); out.flush() != nil {
			return
		}
		out.buf, w.buf = w.buf, out.buf
		if out.flush() != nil {
			return
		}
	}
}

func (b *body) writeJSON(out *jsonWriter) {
	if b.object != "" {
		out.text(`{"` + b.object + `":`)
	}
	out.object(b.shape, b.value)
	if b.object != "" {
		out.text("}")
	}
}
