package cli

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// command is a command of the API, wherever the knowledge of it comes from.
type command struct {
	entry
	Doc, Since string
	Async      bool
	Kind       string // the kind of thing whose ids it answers with; "" where that is not known
	Params     []param
	Fields     []string // of what it answers with
}

// param is a parameter of a command.
type param struct {
	Name, Doc, Since string
	Type             string // a word of listApis
	Required         bool
	OneOf            []string
	Of               string   // the kind of thing an id stands for; "" where that is not known
	Related          []string // commands that answer with such ids
	Fields           []string // of an entry of a map
}

// entry is what a command is called.
type entry struct {
	Name       string // as the API has it
	Verb, Noun string // in lower case
}

// catalogue is the commands there are. A command is loaded when it is asked for: most runs of the program need one.
type catalogue struct {
	entries []entry // by verb and noun
	load    func(name string) (*command, error)
	loaded  map[string]*command
}

func newCatalogue(names []string, load func(name string) (*command, error)) *catalogue {
	c := &catalogue{load: load, loaded: map[string]*command{}}
	for _, name := range names {
		if e := entryOf(name); e.Noun != "" && word(name) { // login and logout are no deeds but ways in and out
			c.entries = append(c.entries, e)
		}
	}
	slices.SortFunc(c.entries, func(a, b entry) int { return cmp.Or(cmp.Compare(a.Verb, b.Verb), cmp.Compare(a.Noun, b.Noun)) })
	return c
}

// entryOf cuts a command's name before its first letter that isn't small: listZones is list and zones.
func entryOf(name string) entry {
	cut := strings.IndexFunc(name, func(r rune) bool { return !unicode.IsLower(r) })
	if cut < 0 {
		cut = len(name)
	}
	return entry{Name: name, Verb: name[:cut], Noun: strings.ToLower(name[cut:])}
}

// contract is the catalogue that is compiled in: Virga's own.
func contract() *catalogue {
	byName := make(map[string]api.Command, len(cs.All))
	names := make([]string, 0, len(cs.All))
	for _, c := range cs.All {
		name := api.NameOf(c)
		byName[name], names = c, append(names, name)
	}
	return newCatalogue(names, func(name string) (*command, error) { return described(byName[name].Describe()), nil })
}

func described(d *api.Description) *command {
	c := &command{entry: entryOf(d.Name), Doc: d.Doc, Since: d.Since, Async: d.Kind == api.KindJob, Kind: d.AnswerKind()}
	for _, p := range d.Params() {
		one := param{Name: p.Name, Doc: p.Doc, Since: p.Since, Type: p.Type, Required: p.Required, OneOf: p.OneOf, Of: p.Of}
		for _, f := range p.Fields {
			one.Fields = append(one.Fields, f.Name)
		}
		c.Params = append(c.Params, one)
	}
	for _, f := range d.Fields() {
		c.Fields = append(c.Fields, f.Name)
	}
	return c
}

// verbs are all verbs.
func (c *catalogue) verbs() []string {
	var out []string
	for _, e := range c.entries {
		if len(out) == 0 || out[len(out)-1] != e.Verb {
			out = append(out, e.Verb)
		}
	}
	return out
}

// nouns are what can be done a verb to.
func (c *catalogue) nouns(verb string) []string {
	var out []string
	for _, e := range c.entries {
		if e.Verb == verb {
			out = append(out, e.Noun)
		}
	}
	return out
}

// command gives one of the commands by its name.
func (c *catalogue) command(name string) (*command, error) {
	if known := c.loaded[name]; known != nil {
		return known, nil
	}
	found, err := c.load(name)
	if err == nil {
		c.loaded[name] = found
	}
	return found, err
}

// find reads the command that words begin with: a verb and a noun, or its name in the API. In words that name a verb alone the
// command is nil.
func (c *catalogue) find(words []string) (found *command, rest []string, err error) {
	first := strings.ToLower(words[0])
	for _, e := range c.entries {
		if strings.ToLower(e.Name) == first {
			found, err = c.command(e.Name)
			return found, words[1:], err
		}
	}
	nouns := c.nouns(first)
	if nouns == nil {
		return nil, nil, usagef("there is no command %q%s", words[0], orElse(meant(first, c.verbs()), "'virga help' shows what there is"))
	}
	if len(words) == 1 {
		return nil, nil, nil
	}
	if strings.Contains(words[1], "=") {
		return nil, nil, usagef("%q: parameters come after a noun, virga %s NOUN %s", words[1], first, words[1])
	}
	second, rest := words[1], words[2:] //nolint:gosec // there are two: with one, the verb was explained above
	noun := strings.ToLower(second)
	for _, e := range c.entries {
		if e.Verb == first && e.Noun == noun {
			found, err = c.command(e.Name)
			return found, rest, err
		}
	}
	return nil, nil, usagef("there is no command %q%s", first+" "+second,
		orElse(meantAfter(first+" ", noun, nouns), "'virga "+first+" -h' shows what there is"))
}

// param gives the parameter that a name means, with what comes after the name where it is a map's: "[0].key" or ".key".
func (c *command) param(name string) (p *param, path string) {
	base := name
	if i := strings.IndexAny(name, "[."); i > 0 {
		base, path = name[:i], name[i:]
	}
	for i := range c.Params {
		if strings.EqualFold(c.Params[i].Name, base) && (path == "" || c.Params[i].Type == "map") {
			return &c.Params[i], path
		}
	}
	return nil, ""
}

// sorted are the parameters in the order they are shown: those that must be given, then the others by name.
func (c *command) sorted() []param {
	out := slices.Clone(c.Params)
	slices.SortStableFunc(out, func(a, b param) int {
		if a.Required != b.Required {
			if a.Required {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Name, b.Name)
	})
	return out
}

func (c *command) paramNames() []string {
	var out []string
	for _, p := range c.Params {
		out = append(out, p.Name)
	}
	return out
}

// word tells whether a name is one as APIs have them. Another cloud's may be anything, and are shown, and typed by completion.
func word(name string) bool {
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z') && !strings.ContainsRune("_-.", r)
	})
}
