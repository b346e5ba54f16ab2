package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
)

// What an id may look like; anything else is a name. Numbers are the ids of very old clouds.
var idLike = regexp.MustCompile(`^(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|-?[0-9]+|)$`)

// names tells whether a parameter's values are ids, in whose place names may stand.
func (p *param) names() bool {
	return p.Type == "uuid" || p.Type == "list" && (p.Of != "" || strings.HasSuffix(strings.ToLower(p.Name), "ids")) || p.idsOrWord()
}

// idsOrWord tells whether a parameter takes ids with commas between them, or a word for all (projectid: -1): the API says no more than
// that it is a text.
func (p *param) idsOrWord() bool {
	return p.Type == "string" && (p.Name == "zoneid" || p.Name == "domainid" || p.Name == "projectid")
}

// forAll are the words, besides -1.
var forAll = []string{"all", "public"}

// resolve puts ids in the place of names.
func (r *runner) resolve(ctx context.Context, c *command, params api.Params) error {
	given := slices.Clone(c.Params)
	// The zone first: it narrows what the other names may mean.
	slices.SortStableFunc(given, func(a, b param) int { return -cmp.Compare(zoneFirst(a.Name), zoneFirst(b.Name)) })
	for _, p := range given {
		value, ok := params[p.Name]
		if !ok || !p.names() {
			continue
		}
		values := []string{value}
		if p.Type != "uuid" && !idLike.MatchString(value) {
			values = strings.Split(value, ",")
		}
		for i, name := range values {
			if idLike.MatchString(name) || p.idsOrWord() && p.Name != "projectid" && slices.Contains(forAll, strings.ToLower(name)) {
				continue
			}
			id, err := r.id(ctx, c, &p, name, params)
			if err != nil {
				return err
			}
			values[i] = id
		}
		params[p.Name] = strings.Join(values, ",")
	}
	return nil
}

func zoneFirst(name string) int {
	if name == "zoneid" {
		return 1
	}
	return 0
}

// id finds the id of the one thing of a name.
func (r *runner) id(ctx context.Context, c *command, p *param, name string, given api.Params) (string, error) {
	lister, err := r.catalog.lister(c, p)
	if errors.Is(err, errNoList) {
		return "", usagef("%s=%q: want an ID; %v", p.Name, name, err)
	}
	if err != nil {
		return "", err
	}
	var all []object
	for _, by := range []string{"name", "", "keyword"} {
		items, whole, err := r.things(ctx, lister, by, name, given)
		if err != nil {
			return "", err
		}
		if found := called(items, name); len(found) == 1 {
			return found[0].text("id"), nil
		} else if len(found) > 1 {
			return "", ambiguous(p, lister, name, found)
		}
		if all = append(all, items...); whole {
			break
		}
	}
	var names []string
	for _, item := range all {
		names = append(names, title(item))
	}
	return "", usagef("%s: there is no %s %q%s", p.Name, singular(lister.Noun), name, meant(name, names))
}

// things asks for the things a name may mean: by name or keyword where the list can, or all. whole says that it was everything
// there is.
func (r *runner) things(ctx context.Context, lister *command, by, name string, given api.Params) (items []object, whole bool, err error) {
	params := api.Params{}
	if by != "" {
		p, _ := lister.param(by)
		if p == nil {
			return nil, false, nil
		}
		params[p.Name] = name[strings.LastIndexByte(name, '/')+1:] // of a domain's path
	}
	a, err := r.list(ctx, lister, params, given)
	if err != nil {
		return nil, false, err
	}
	return a.items, by == "" && a.count <= len(a.items), nil
}

// everything is how many things a look-up asks for at once: as many as CloudStack gives by default.
const everything = "500"

// list asks a list for as much as it shows, and fills in what it cannot be asked without.
func (r *runner) list(ctx context.Context, lister *command, params, given api.Params) (answer, error) {
	for _, p := range lister.Params {
		switch {
		case params[p.Name] != "":
		case p.Name == "listall":
			params[p.Name] = "true"
		case p.Name == "page":
			params[p.Name], params["pagesize"] = "1", everything
		case p.Name == "templatefilter" || p.Name == "isofilter":
			params[p.Name] = "executable"
		case p.Name == "zoneid" && idLike.MatchString(given[p.Name]), p.Required && given[p.Name] != "":
			params[p.Name] = given[p.Name]
		case p.Required:
			return answer{}, usagef("want an ID: %s %s, where names are looked up, needs %s", lister.Verb, lister.Noun, p.Name)
		}
	}
	server, err := r.connect()
	if err != nil {
		return answer{}, err
	}
	raw, err := server.send(ctx, lister.Name, params)
	if err != nil {
		if remote, ok := errors.AsType[*api.RemoteError](err); ok {
			remote.Text = fmt.Sprintf("look up a name with %s: %s", lister.Name, remote.Text)
		}
		return answer{}, err
	}
	return read(raw)
}

// The fields that name a thing, and those that describe it well enough to be taken for a name.
var (
	naming     = []string{"name", "username", "ipaddress", "path"}
	describing = []string{"displayname", "displaytext", "description"}
)

// called are the things of a name, by its letters first and then without regard to case; a thing that is listed twice, as
// templates are that are in two zones, counts once.
func called(items []object, name string) []object {
	for _, fields := range [][]string{naming, describing} {
		for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
			var found []object
			for _, item := range items {
				is := slices.ContainsFunc(fields, func(f string) bool { return same(item.text(f), name) })
				known := slices.ContainsFunc(found, func(o object) bool { return o.text("id") == item.text("id") })
				if is && !known && item.text("id") != "" {
					found = append(found, item)
				}
			}
			if found != nil {
				return found
			}
		}
	}
	return nil
}

// title is what a thing is called, "" for a thing without a name.
func title(item object) string {
	for _, f := range append(slices.Clone(naming), describing...) {
		if text := item.text(f); text != "" {
			return text
		}
	}
	return ""
}

// apart are fields that tell things of one name apart.
var apart = []string{"account", "domain", "zonename", "state", "created"}

func ambiguous(p *param, lister *command, name string, found []object) error {
	var b strings.Builder
	for _, item := range found {
		fmt.Fprintf(&b, "\n  %s", item.text("id"))
		for _, f := range apart {
			if text := item.text(f); text != "" {
				fmt.Fprintf(&b, "  %s %s", f, text)
			}
		}
	}
	return usagef("%s: %d %s are called %q; give the ID of one:%s", p.Name, len(found), lister.Noun, name, &b)
}

// lister is the command that lists what the ids in a parameter stand for, errNoList where there is none. It is found by the name of
// the parameter (zoneid: listZones), which must agree with what is known of the kind of the ids; or by what listApis says is related.
func (c *catalogue) lister(of *command, p *param) (*command, error) {
	stem := strings.ToLower(p.Name)
	if stem = strings.TrimSuffix(strings.TrimSuffix(stem, "ids"), "id"); stem == "" {
		stem = singular(of.Noun)
	}
	type guess struct {
		name string
		fit  int
	}
	var guesses []guess
	for _, e := range c.entries {
		if e.Verb != "list" {
			continue
		}
		fit := fits(stem, singular(e.Noun))
		if slices.Contains(p.Related, e.Name) {
			fit += 3
		}
		if p.Of != "" || fit >= 2 {
			guesses = append(guesses, guess{e.Name, fit})
		}
	}
	slices.SortStableFunc(guesses, func(a, b guess) int { return cmp.Compare(b.fit, a.fit) })
	for _, g := range guesses {
		found, err := c.command(g.name)
		if err != nil || p.Of == "" || found.Kind == p.Of {
			return found, err
		}
	}
	return nil, errNoList
}

// errNoList says that there is no command that lists things of a kind.
var errNoList = errors.New("there is no list to look a name up in")

// fits judges how well a list's noun fits a parameter's name: 3 they are the same, 2 the name ends with the noun
// (newdiskofferingid), 1 the noun with the name (groupid), 0 neither.
func fits(stem, noun string) int {
	switch {
	case stem == noun:
		return 3
	case strings.HasSuffix(stem, noun):
		return 2
	case strings.HasSuffix(noun, stem):
		return 1
	}
	return 0
}

// singular takes the plural's ending off a noun.
func singular(noun string) string {
	switch {
	case strings.HasSuffix(noun, "ies"):
		return strings.TrimSuffix(noun, "ies") + "y"
	case strings.HasSuffix(noun, "sses"):
		return strings.TrimSuffix(noun, "es")
	case strings.HasSuffix(noun, "ss"):
		return noun
	}
	return strings.TrimSuffix(noun, "s")
}
