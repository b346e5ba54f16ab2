package api

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Reference is the documentation of a set of commands, made from nothing but their declarations.
type Reference struct {
	Version string // the API level
	nouns   []noun
}

// noun is a page of the reference.
type noun struct {
	Name, Slug string
	Commands   []*Description
}

// NewReference documents these commands.
func NewReference(version string, commands ...Command) *Reference {
	var all []*Description
	for _, c := range commands {
		all = append(all, c.Describe())
	}
	return newReference(version, all)
}

// Reference documents the commands that have a handler.
func (m *Mux) Reference(version string) *Reference { return newReference(version, m.served()) }

// OpenAPI is the OpenAPI 3.1 document of the commands that have a handler, as JSON.
func (m *Mux) OpenAPI(version string) []byte { return m.Reference(version).OpenAPI() }

func newReference(version string, all []*Description) *Reference {
	r := &Reference{Version: version}
	for _, d := range all {
		at := slices.IndexFunc(r.nouns, func(n noun) bool { return n.Name == d.Noun })
		if at < 0 {
			at = len(r.nouns)
			r.nouns = append(r.nouns, noun{Name: d.Noun, Slug: strings.ToLower(strings.ReplaceAll(d.Noun, " ", "-"))})
		}
		r.nouns[at].Commands = append(r.nouns[at].Commands, d)
	}
	slices.SortStableFunc(r.nouns, func(a, b noun) int { return cmp.Compare(a.Name, b.Name) })
	return r
}

// commands are all, page by page.
func (r *Reference) commands() []*Description {
	var out []*Description
	for _, n := range r.nouns {
		out = append(out, n.Commands...)
	}
	return out
}

// Files are the generated files of docs/reference by name: the pages as Markdown, the OpenAPI document, and the contract.
func (r *Reference) Files() map[string][]byte {
	files := map[string][]byte{
		"README.md":       r.markdownIndex(),
		"openapi.json":    r.OpenAPI(),
		"cloudstack.json": r.Contract(),
	}
	for _, n := range r.nouns {
		files[n.Slug+".md"] = n.markdown()
	}
	return files
}

// Contract is everything that is promised, as JSON: a change of it is a change for every client.
func (r *Reference) Contract() []byte {
	type command struct {
		Name    string  `json:"name"`
		Kind    Kind    `json:"kind"`
		Doc     string  `json:"doc"`
		Role    string  `json:"role"`
		Object  string  `json:"object,omitempty"`
		Event   string  `json:"event,omitempty"`
		Since   string  `json:"since,omitempty"`
		Creates bool    `json:"creates,omitempty"`
		Session bool    `json:"session,omitempty"`
		Open    bool    `json:"open,omitempty"`
		Params  []Param `json:"params"`
		Fields  []Field `json:"fields"`
		DryRun  []Field `json:"dryrun,omitempty"`

		Other *FormFields `json:"other,omitempty"`
	}
	var out []command
	for _, d := range r.commands() {
		out = append(out, command{d.Name, d.Kind, d.Doc, d.Role.String(), d.Object, d.Event, d.Since, d.Creates, d.Session, d.Open,
			d.Params(), d.Fields(), d.DryRun(), d.OtherForm()})
	}
	slices.SortFunc(out, func(a, b command) int { return cmp.Compare(a.Name, b.Name) })
	return indented(map[string]any{"version": r.Version, "commands": out})
}

func indented(v any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(v); err != nil {
		panic(err) // nothing but strings, numbers and booleans goes in
	}
	return out.Bytes()
}

// String says who the callers are.
func (r Role) String() string {
	switch r {
	case Everyone:
		return "everyone"
	case Admins:
		return "admins"
	}
	var words []string
	for _, one := range []struct {
		role Role
		word string
	}{{RootAdmin, "root admins"}, {ResourceAdmin, "resource domain admins"}, {DomainAdmin, "domain admins"}, {User, "users"}} {
		if r&one.role != 0 {
			words = append(words, one.word)
		}
	}
	return strings.Join(words, ", ")
}

// facts says in a line what else there is to know of a command.
func facts(d *Description) string {
	words := []string{"For " + d.Role.String() + "."}
	if d.Open {
		words[0] = "For everyone, signed in or not."
	}
	switch {
	case d.Creates && d.Kind == KindJob:
		words = append(words, "Answers at once with the new thing's id and a jobid; below is the job's result.")
	case d.Kind == KindJob:
		words = append(words, "Answers at once with a jobid; below is the job's result.")
	case d.other != nil:
		words = append(words, fmt.Sprintf("Answers with count and a list of %s, or of %s where that is asked for.", d.Object, d.other.object))
	case d.Kind == KindList:
		words = append(words, fmt.Sprintf("Answers with count and a list of %s.", d.Object))
	case d.Object != "":
		words = append(words, fmt.Sprintf("Answers with one %s.", d.Object))
	}
	if d.Event != "" {
		words = append(words, "Leaves the event "+d.Event+".")
	}
	if d.Since != "" {
		words = append(words, "Since "+d.Since+".")
	}
	return strings.Join(words, " ")
}

func paramDoc(p Param) string {
	words := []string{p.Doc}
	if p.Required {
		words = append([]string{"Required."}, words...)
	}
	if p.OneOf != nil {
		words = append(words, "One of "+strings.Join(p.OneOf, ", ")+".")
	}
	if (p.Type == "string" || p.Type == "list" && p.Of == "") && p.Length != defaultLength {
		words = append(words, fmt.Sprintf("At most %d characters.", p.Length))
	}
	if p.Admin {
		words = append(words, "For root admins only.")
	}
	if p.Since != "" {
		words = append(words, "Since "+p.Since+".")
	}
	return strings.Join(words, " ")
}

func fieldDoc(f Field) string {
	words := []string{f.Doc}
	if f.Admin {
		words = append(words, "Shown to root admins only.")
	}
	if f.Since != "" {
		words = append(words, "Since "+f.Since+".")
	}
	return strings.Join(words, " ")
}
