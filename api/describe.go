package api

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Kind says how a command answers.
type Kind string

// The kinds of commands.
const (
	KindCall Kind = "call" // with its outcome
	KindJob  Kind = "job"  // with a job's id
	KindList Kind = "list" // with a page of items
)

// Description is a declared command without its Go types.
type Description struct {
	Name, Noun, Doc string
	Role            Role
	Object          string // the name round the outcome, or of an item
	Event, Since    string
	Kind            Kind
	Creates         bool // makes a thing; a job answers with its id at once
	Session         bool // handled outside the mux
	Open            bool // for who has not signed in, too

	in     *inputs
	out    *shape
	dryRun *shape // of what a job answers with that is only tried; nil for none
	other  *form  // in which a list shows its items where it is asked to; nil for none
}

// form is how the items of a list are shown.
type form struct {
	object string
	shape  *shape
}

// Param is a parameter as the reference shows it.
type Param struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"` // a word of listApis: boolean, integer, long, float, string, uuid, list, map, date
	Doc      string   `json:"doc"`
	Since    string   `json:"since,omitempty"`
	Of       string   `json:"of,omitempty"` // the kind of thing an id names ("virtual machine")
	Length   int      `json:"length"`       // in characters
	Required bool     `json:"required,omitempty"`
	Admin    bool     `json:"admin,omitempty"`
	Secret   bool     `json:"secret,omitempty"`
	OneOf    []string `json:"oneof,omitempty"`
	Fields   []Param  `json:"fields,omitempty"` // of an entry of a map parameter
}

// Field is a field of an answer as the reference shows it.
type Field struct {
	Name   string  `json:"name"`
	Type   string  `json:"type"` // a word of listApis: string, integer, long, float, boolean, date, list, set, map …
	Doc    string  `json:"doc"`
	Since  string  `json:"since,omitempty"`
	Admin  bool    `json:"admin,omitempty"`  // shown to root admins only
	Always bool    `json:"always,omitempty"` // never left out
	Fields []Field `json:"fields,omitempty"` // of nested objects
}

// FormFields is another form of a list's items as the reference shows it.
type FormFields struct {
	Object string  `json:"object"`
	Fields []Field `json:"fields"`
}

var descriptions sync.Map // Command → *Description

// describe walks a declaration, once per value.
func describe[In, Out any](c Command, d Description) *Description {
	if known, ok := descriptions.Load(c); ok {
		return known.(*Description)
	}
	d.check()
	d.in, d.out = inputsOf(reflect.TypeFor[In]()), shapeFor[Out]()
	d.checkOnce()
	known, _ := descriptions.LoadOrStore(c, &d)
	return known.(*Description)
}

func (d *Description) check() {
	switch {
	case d.Name == "" || strings.ContainsAny(d.Name, " <>\"&/"):
		panic("api: a command without a proper name: " + d.Name)
	case d.Doc == "" || d.Noun == "":
		panic("api: " + d.Name + " has no Doc or no Noun")
	case d.Kind == KindList && d.Object == "":
		panic("api: list " + d.Name + " has no Object")
	case d.other != nil && (d.other.object == "" || d.other.object == d.Object):
		panic("api: list " + d.Name + " has another form without an Object of its own")
	}
}

// checkOnce holds what creates, and only that, to being repeatable.
func (d *Description) checkOnce() {
	if has := d.in.byKey[onceKey] != nil; has != d.Creates {
		panic("api: " + d.Name + ": Creates and an input that embeds Once go together")
	}
}

const onceKey = "idempotencykey"

// Params are the parameters in the order of their declaration.
func (d *Description) Params() []Param { return d.in.describe() }

// Fields are the fields of the outcome, or of an item, in the order of their declaration.
func (d *Description) Fields() []Field { return d.out.describe(nil) }

// AnswerKind is the kind of thing whose id the outcome, or an item, has ("virtual machine"); "" for none.
func (d *Description) AnswerKind() string { return d.out.idKind() }

// DryRun are the fields of the answer to a job that is only tried, nil where there is none.
func (d *Description) DryRun() []Field {
	if d.dryRun == nil {
		return nil
	}
	return d.dryRun.describe(nil)
}

// OtherForm is the other form of a list's items, nil where there is none.
func (d *Description) OtherForm() *FormFields {
	if d.other == nil {
		return nil
	}
	return &FormFields{d.other.object, d.other.shape.describe(nil)}
}

func (in *inputs) describe() []Param {
	out := make([]Param, 0, len(in.params))
	for _, p := range in.params {
		one := Param{Name: p.name, Type: p.word(), Doc: p.doc, Since: p.since, Of: p.of(), Length: p.length,
			Required: p.required, Admin: p.admin, Secret: p.secret, OneOf: p.oneOf}
		if p.items != nil {
			one.Fields = p.items.describe()
		}
		out = append(out, one)
	}
	return out
}

// of is the kind of thing that the ids in a parameter stand for, "" where there are none.
func (p *param) of() string { return idKind(elemType(p.typ)) }

// idKind is the kind of thing a type of ids names, "" for any other type.
func idKind(t reflect.Type) string {
	if !isID(t) {
		return ""
	}
	return reflect.Zero(t).Interface().(interface{ Kind() string }).Kind()
}

// describe leaves out the fields of a type inside itself.
func (s *shape) describe(inside []*shape) []Field {
	if slices.Contains(inside, s) {
		return nil
	}
	out := make([]Field, 0, len(s.fields))
	for _, f := range s.fields {
		one := Field{Name: f.name, Type: f.word(), Doc: f.doc, Since: f.since, Admin: f.admin, Always: !f.optional}
		if f.shape != nil {
			one.Fields = f.shape.describe(append(inside, s))
		}
		out = append(out, one)
	}
	return out
}
