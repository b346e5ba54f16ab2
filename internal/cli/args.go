package cli

import (
	"slices"
	"strconv"
	"strings"

	"github.com/virga-cloud/virga/api"
)

// flags are what a command line says about itself and not about the cloud.
type flags struct {
	help    bool
	noWait  bool
	output  string
	profile string
}

// outputs are the ways to show an answer.
var outputs = []string{"text", "table", "json", "csv"}

// takeFlags takes the flags out of a command line, wherever they stand. After "--" there are none.
func takeFlags(args []string) (f flags, words []string, err error) {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return f, append(words, args[i+1:]...), nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			words = append(words, arg)
			continue
		}
		name, value, valued := strings.Cut(arg, "=")
		switch name {
		case "-h", "-help", "--help":
			f.help = true
			continue
		case "--no-wait":
			f.noWait = true
			continue
		case "-o", "--output", "-p", "--profile":
		default:
			return f, nil, usagef("there is no flag %s%s; parameters are given as name=value", name,
				meant(name, []string{"--help", "--no-wait", "--output", "--profile"}))
		}
		if !valued {
			if i++; i == len(args) {
				return f, nil, usagef("%s: what is missing is its value", name)
			}
			value = args[i]
		}
		if strings.HasSuffix(name, "p") || strings.HasSuffix(name, "profile") {
			f.profile = value
		} else if f.output, err = outputOf(value); err != nil {
			return f, nil, err
		}
	}
	return f, words, nil
}

func outputOf(value string) (string, error) {
	value = strings.ToLower(value)
	if !slices.Contains(outputs, value) {
		return "", usagef("output %q: want %s", value, strings.Join(outputs, ", "))
	}
	return value, nil
}

// given are the parameters of one command line.
type given struct {
	params api.Params
	filter []string // the fields to show; nil for all
}

// filterWord is the one key that is for the command line: filter=id,name.
const filterWord = "filter"

// read takes words of the form name=value for the parameters of a command. Names are the contract's whatever their case, and a
// map's entries are put as the API wants them.
func (c *command) read(words []string) (given, error) {
	g := given{params: api.Params{}}
	maps := map[string][]string{}
	for i := 0; i < len(words); i++ {
		name, value, ok := strings.Cut(words[i], "=")
		if !ok || name == "" {
			return g, usagef("%q: parameters are given as name=value%s", words[i], c.bare(words[i]))
		}
		if p, _ := c.param(filterWord); strings.EqualFold(name, filterWord) && p == nil {
			// "filter=id, name" comes as several words.
			for strings.HasSuffix(value, ",") && i+1 < len(words) && !strings.Contains(words[i+1], "=") {
				i++
				value += words[i]
			}
			fields, err := c.fields(value)
			if err != nil {
				return g, err
			}
			g.filter = fields
			continue
		}
		p, path := c.param(name)
		if p == nil {
			return g, usagef("%s %s takes no %q%s", c.Verb, c.Noun, name, meantName(name, c.paramNames()))
		}
		key := p.Name
		if path != "" {
			before := len(maps[p.Name])
			for k, v := range p.entry(path, value, &before) {
				if err := g.set(k, v); err != nil {
					return g, err
				}
			}
			if strings.HasPrefix(path, ".") {
				maps[p.Name] = append(maps[p.Name], path)
			}
			continue
		}
		if err := g.set(key, value); err != nil {
			return g, err
		}
	}
	return g, c.complete(g.params)
}

func (g *given) set(name, value string) error {
	if _, twice := g.params[name]; twice {
		return usagef("%s is given twice", name)
	}
	g.params[name] = value
	return nil
}

// bare explains a word that stands alone, where it is easy to see what was meant.
func (c *command) bare(word string) string {
	if p, _ := c.param(word); p != nil {
		return ": " + p.Name + "=…"
	}
	return ""
}

// meantName is meant, for the names of parameters and fields.
func meantName(name string, names []string) string {
	if len(names) == 0 {
		return "; it takes nothing"
	}
	return orElse(meant(name, names), "-h shows what it takes")
}

// entry puts an entry of a map as the API wants it: details.cpu=2 is details[0].cpu=2, and where entries are pairs of key and
// value, as those of tags are, tags.env=test is tags[0].key=env and tags[0].value=test. What has an index already is as it is.
func (p *param) entry(path, value string, before *int) map[string]string {
	name, free := strings.CutPrefix(path, ".")
	if !free {
		return map[string]string{p.Name + path: value}
	}
	pair := slices.Contains(p.Fields, "key") && slices.Contains(p.Fields, "value") || p.Fields == nil && p.Name == "tags"
	if pair {
		at := p.Name + "[" + strconv.Itoa(*before) + "]"
		return map[string]string{at + ".key": name, at + ".value": value}
	}
	return map[string]string{p.Name + "[0]." + name: value}
}

// complete looks whether everything is there that must be.
func (c *command) complete(params api.Params) error {
	var missing []string
	for _, p := range c.Params {
		if !p.Required {
			continue
		}
		has := slices.ContainsFunc(keys(params), func(k string) bool { return k == p.Name || strings.HasPrefix(k, p.Name+"[") })
		if !has {
			missing = append(missing, p.Name)
		}
	}
	if missing == nil {
		return nil
	}
	return usagef("%s %s needs %s as well; 'virga %s %s -h' explains", c.Verb, c.Noun, strings.Join(missing, ", "), c.Verb, c.Noun)
}

func keys(params api.Params) []string {
	out := make([]string, 0, len(params))
	for k := range params {
		out = append(out, k)
	}
	return out
}

// fields reads a filter. A field may be of a thing inside: nic.ipaddress.
func (c *command) fields(value string) ([]string, error) {
	var out []string
	for name := range strings.SplitSeq(value, ",") {
		if name = strings.ToLower(strings.TrimSpace(name)); name == "" {
			continue
		}
		top, _, _ := strings.Cut(name, ".")
		known := slices.ContainsFunc(c.Fields, func(f string) bool { return strings.EqualFold(f, top) })
		if len(c.Fields) > 0 && !known {
			return nil, usagef("filter: %s %s answers with no %q%s", c.Verb, c.Noun, name,
				orElse(meant(top, c.Fields), "it answers with "+strings.Join(c.Fields, ", ")))
		}
		out = append(out, name)
	}
	if out == nil {
		return nil, usagef("filter: want names of fields, id,name for instance")
	}
	return out, nil
}
