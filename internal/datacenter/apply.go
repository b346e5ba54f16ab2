package datacenter

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
)

// Caller sends commands: an [api.Client].
type Caller interface {
	// Call sends a command and gives what is inside the answer's envelope, or the result of the job that it started.
	Call(ctx context.Context, command string, params api.Params) (json.RawMessage, error)
}

// Verb is what became of a thing.
type Verb string

// The verbs.
const (
	Created Verb = "create"
	Changed Verb = "change"
	Same    Verb = "same"   // it is as the file wants it
	Differs Verb = "differ" // it is not, and there is no way to change it
)

// Change is what became of one thing of the file, or would become in a dry run.
type Change struct {
	Verb Verb
	Kind string // "pod"
	Name string
	In   string   // what it is in: "zone Z1", "" for nothing
	What []string // what was or would be changed, or differs: "gateway 10.0.0.1 -> 10.0.0.2"
}

// String is a line for people.
func (c Change) String() string {
	text := fmt.Sprintf("%-6s %s %s", c.Verb, c.Kind, c.Name)
	if c.In != "" {
		text += " in " + c.In
	}
	if len(c.What) > 0 {
		text += ": " + strings.Join(c.What, ", ")
	}
	return text
}

// Options say how to apply a file.
type Options struct {
	DryRun bool              // change nothing
	Report func(Change)      // is told of each thing, in order
	Note   func(text string) // is told what was understood otherwise than it is written, and what was left out
}

// Apply brings the cloud behind c into the shape that the file describes. It stops at the first command that is refused; what was
// made before stays, and the next time goes on from there.
func Apply(ctx context.Context, c Caller, f *File, o Options) error {
	r := &run{ctx: ctx, caller: c, o: o}
	if r.o.Report == nil {
		r.o.Report = func(Change) {}
	}
	if r.o.Note == nil {
		r.o.Note = func(string) {}
	}
	for _, n := range f.Notes {
		r.o.Note(n)
	}
	r.settings(f.Settings, "", "", "")
	for _, z := range f.Zones {
		r.zone(z)
	}
	for _, off := range f.ServiceOfferings {
		r.serviceOffering(off)
	}
	for _, off := range f.DiskOfferings {
		r.diskOffering(off)
	}
	return r.err
}

// run is one application of a file. After its first error it does nothing any more.
type run struct {
	ctx    context.Context //nolint:containedctx // it lives as long as one call of Apply
	caller Caller
	o      Options
	err    error
}

// thing is an item of a list, as it came.
type thing map[string]any

func (t thing) id() string { return t.text("id") }

// text is a field as a text; of a list its first value.
func (t thing) text(field string) string {
	switch v := t[field].(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return strconv.FormatBool(v)
	case json.Number:
		return v.String()
	case []any:
		if len(v) == 0 {
			return ""
		}
		return thing{"": v[0]}.text("")
	default:
		return fmt.Sprint(v)
	}
}

// call sends a command. In a dry run only those that change nothing are sent.
func (r *run) call(command string, params api.Params) json.RawMessage {
	if r.err != nil {
		return nil
	}
	out, err := r.caller.Call(r.ctx, command, params)
	if err != nil {
		r.err = fmt.Errorf("%s %s: %w", command, shown(params), err)
	}
	return out
}

// secrets are parameters that no message shows.
var secrets = []string{"password"}

func shown(params api.Params) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		value := params[name]
		if slices.Contains(secrets, name) {
			value = "***"
		}
		words = append(words, name+"="+value)
	}
	return strings.Join(words, " ")
}

// list gives all items of a list.
func (r *run) list(command, object string, params api.Params) (all []thing) {
	const size = 500
	for page := 1; r.err == nil; page++ {
		p := maps.Clone(params)
		if p == nil {
			p = api.Params{}
		}
		p["page"], p["pagesize"] = strconv.Itoa(page), strconv.Itoa(size)
		raw := r.call(command, p)
		if r.err != nil {
			return nil
		}
		var items []thing
		if r.err = field(raw, object, &items); r.err != nil {
			return nil
		}
		all = append(all, items...)
		if len(items) < size {
			break
		}
	}
	return all
}

// field reads one field of an answer; one that is not there is left alone.
func field(raw json.RawMessage, name string, into any) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return fmt.Errorf("the answer is no object: %w", err)
	}
	field, ok := fields[name]
	if !ok {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(field)))
	d.UseNumber()
	return d.Decode(into)
}

// noun is a kind of things: by which commands they are listed, made and changed, and how their answers are to be read.
type noun struct {
	kind   string // as people call it
	list   string // the command
	object string // the name of an item in answers
	made   string // the same in the answer to create, where it is another
	key    string // the parameter that names one: "name"
	create string
	update string // "" where they can't be changed

	fields  map[string]string // the answer's fields of parameters that are called otherwise there; "" for one that isn't shown
	mutable []string          // the parameters that update takes
	sets    map[string]string // what update calls those of them that it calls otherwise
	hidden  []string          // parameters that no answer shows, and that are only given at creation

	// alike tells whether a thing has a value that answers show in another form; nil where they show all as it is given.
	alike func(t thing, param, value string) bool
	// said is what update wants to be told in the place of a parameter's value, by "parameter value" in small letters.
	said map[string]string
}

// field is the answer's name for a parameter.
func (n noun) field(param string) string {
	if f, ok := n.fields[param]; ok {
		return f
	}
	return param
}

// find gives the thing of that name, nil when there is none.
func (n noun) find(have []thing, name string) thing {
	for _, t := range have {
		if same(t.text(n.field(n.key)), name) {
			return t
		}
	}
	return nil
}

// same compares values as texts: the API gives numbers and truth values now and then as text.
func same(a, b string) bool {
	if strings.EqualFold(a, b) {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	if errX == nil && errY == nil {
		return x == y
	}
	return strings.Contains(a+b, ",") && slices.Equal(words(a), words(b))
}

func words(list string) []string {
	var out []string
	for w := range strings.SplitSeq(list, ",") {
		out = append(out, strings.TrimSpace(w))
	}
	slices.Sort(out)
	return out
}

// wanted is one thing as the file has it.
type wanted struct {
	name   string
	within string     // what it is in, for people
	where  api.Params // how the list finds those in the same place, and where it is made: both
	only   api.Params // for making it only
	params api.Params // what it is to be; "" is not looked at
}

// isNew is the id of a thing that a dry run would have made.
const isNew = "(new)"

// ensure makes the thing, or changes it where it differs, and gives it as it was found; a thing that was made has its id only.
func (r *run) ensure(n noun, w wanted) (t thing, made bool) {
	if r.err != nil {
		return nil, false
	}
	for name, value := range w.params {
		if value == "" {
			delete(w.params, name)
		}
	}
	var have thing
	if !r.isNew(w.where) {
		have = n.find(r.list(n.list, n.object, w.where), w.name)
	}
	if r.err != nil {
		return nil, false
	}
	if have == nil {
		return r.make(n, w), true
	}
	r.adjust(n, w, have)
	return have, false
}

// isNew tells whether the things are in one that a dry run would have made.
func (r *run) isNew(where api.Params) bool {
	for _, value := range where {
		if value == isNew {
			return true
		}
	}
	return false
}

func (r *run) make(n noun, w wanted) thing {
	r.o.Report(Change{Verb: Created, Kind: n.kind, Name: w.name, In: w.within})
	if r.o.DryRun {
		return thing{"id": isNew}
	}
	params := api.Params{n.key: w.name}
	for _, from := range []api.Params{w.where, w.only, w.params} {
		maps.Copy(params, from)
	}
	raw := r.call(n.create, params)
	if r.err != nil {
		return nil
	}
	object := cmp.Or(n.made, n.object)
	var one thing
	var many []thing
	if field(raw, object, &many) == nil && len(many) > 0 { // some commands answer with a list of one
		return many[0]
	}
	if r.err = field(raw, object, &one); r.err == nil && one.id() == "" {
		r.err = fmt.Errorf("%s: the answer has no %s", n.create, object)
	}
	return one
}

// adjust changes what differs and can be changed.
func (r *run) adjust(n noun, w wanted, have thing) {
	change := api.Params{}
	var what, stuck []string
	for _, name := range slices.Sorted(maps.Keys(w.params)) {
		value := w.params[name]
		if slices.Contains(n.hidden, name) {
			continue
		}
		is := have.text(n.field(name))
		if same(is, value) || n.alike != nil && n.alike(have, name, value) {
			continue
		}
		text := fmt.Sprintf("%s %s -> %s", name, orNone(is), value)
		if !slices.Contains(n.mutable, name) {
			stuck = append(stuck, text)
			continue
		}
		change[cmp.Or(n.sets[name], name)] = cmp.Or(n.said[strings.ToLower(name+" "+value)], value)
		what = append(what, text)
	}
	if len(stuck) > 0 {
		r.o.Report(Change{Verb: Differs, Kind: n.kind, Name: w.name, In: w.within, What: stuck})
	}
	switch {
	case len(what) > 0:
		r.o.Report(Change{Verb: Changed, Kind: n.kind, Name: w.name, In: w.within, What: what})
		if !r.o.DryRun {
			change["id"] = have.id()
			r.call(n.update, change)
		}
	case len(stuck) == 0:
		r.o.Report(Change{Verb: Same, Kind: n.kind, Name: w.name, In: w.within})
	}
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}
