package api

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"unicode/utf8"
)

// Params are the parameters of one request as the facade merged them, names as they came. Where two names differ only by
// case, the one that sorts last counts (the lower-case one).
type Params map[string]string

// param is one parameter of an input struct.
type param struct {
	options
	name  string // as documented
	key   string // lower case: what a request's name is compared with
	doc   string
	index []int
	typ   reflect.Type
	codec *codec  // nil for maps
	items *inputs // for slices of structs
}

// inputs is the decoding and encoding plan of an input struct.
type inputs struct {
	typ    reflect.Type
	params []*param
	byKey  map[string]*param
	paging []int // where Paging is embedded; nil if it isn't
}

var (
	inputPlans  sync.Map // reflect.Type → *inputs
	pagingType  = reflect.TypeFor[Paging]()
	stringMap   = reflect.TypeFor[map[string]string]()
	forbidInKey = "[].,= "
)

// inputsOf walks an input struct, once per type. It panics on a wrong declaration.
func inputsOf(t reflect.Type) *inputs {
	if known, ok := inputPlans.Load(t); ok {
		return known.(*inputs)
	}
	if t.Kind() != reflect.Struct {
		panic(fmt.Sprintf("api: input %s is not a struct", t))
	}
	in := &inputs{typ: t, byKey: map[string]*param{}}
	embeds(t, func(f reflect.StructField) { in.add(newParam(t, f)) })
	if f, ok := t.FieldByName("Paging"); ok && f.Anonymous && f.Type == pagingType {
		in.paging = f.Index
	}
	known, _ := inputPlans.LoadOrStore(t, in)
	return known.(*inputs)
}

func (in *inputs) add(p *param) {
	if in.byKey[p.key] != nil {
		wrong(in.typ, p.name, "declared twice")
	}
	in.byKey[p.key] = p
	in.params = append(in.params, p)
}

func newParam(t reflect.Type, f reflect.StructField) *param {
	words := strings.Split(f.Tag.Get("api"), ",")
	o, err := parseOptions(words[1:])
	p := &param{options: o, name: words[0], key: strings.ToLower(words[0]), doc: f.Tag.Get("doc"), index: f.Index, typ: f.Type}
	switch {
	case err != nil:
		wrong(t, f.Name, "%v", err)
	case p.name == "" || strings.ContainsAny(p.name, forbidInKey):
		wrong(t, f.Name, "no name, or one with %q in it", forbidInKey)
	case p.doc == "":
		wrong(t, f.Name, "no doc tag")
	case o.set:
		wrong(t, f.Name, "set is for answers")
	case f.Type.Kind() == reflect.Slice && f.Type.Elem().Kind() == reflect.Struct && f.Type.Elem() != timeType:
		p.items = inputsOf(f.Type.Elem())
		p.items.checkNested()
	case f.Type != stringMap:
		p.codec = codecOf(f.Type)
		if p.codec == nil {
			wrong(t, f.Name, "type %s can't be a parameter", f.Type)
		}
	}
	p.checkOptions(t, f)
	return p
}

func (p *param) checkOptions(t reflect.Type, f reflect.StructField) {
	switch {
	case p.isMap && !p.mapped():
		wrong(t, f.Name, "map on a %s", f.Type)
	case p.end && f.Type != timeType:
		wrong(t, f.Name, "end on a %s", f.Type)
	case p.oneOf != nil && !p.isText():
		wrong(t, f.Name, "one= on a %s", f.Type)
	case p.entries != maxEntries && !p.mapped():
		wrong(t, f.Name, "entries= on a %s", f.Type)
	case p.length != defaultLength && !p.isText() && !p.isFreeForm() && !p.isWords():
		wrong(t, f.Name, "max= on a %s", f.Type)
	}
}

// checkNested refuses what name[i].field=value can't carry.
func (in *inputs) checkNested() {
	for _, p := range in.params {
		if p.mapped() {
			wrong(in.typ, p.name, "a map inside a map parameter")
		}
	}
}

// mapped tells whether the parameter travels as name[i].field=value.
func (p *param) mapped() bool { return p.codec == nil }

func (p *param) isText() bool { return p.codec != nil && p.codec.word == "string" }

// isFreeForm tells whether the parameter is a map of any names.
func (p *param) isFreeForm() bool { return p.mapped() && p.items == nil }

// word is the parameter's type in listApis.
func (p *param) word() string {
	if p.mapped() {
		return "map"
	}
	return p.codec.word
}

// isWords tells whether the parameter is a list of texts.
func (p *param) isWords() bool {
	return p.typ.Kind() == reflect.Slice && p.typ.Elem().Kind() == reflect.String && !isID(p.typ.Elem())
}

// tooLong tells whether a value has more characters than the parameter takes. Only texts have a limit of their own, and so do those
// in a free-form map, each, and those of a list, together; other kinds are limited by what they can mean.
func (p *param) tooLong(value string) bool {
	return (p.isText() || p.isFreeForm() || p.isWords()) && utf8.RuneCountInString(value) > p.length
}
