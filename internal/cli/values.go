package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/api"
)

// Candidate is something that may stand where the user is typing.
type Candidate struct {
	Value string // as it is typed, without quotes
	Doc   string // what it is; may be empty
	More  bool   // whether something follows at once, as a value does name=
}

const (
	liveTimeout = time.Second      // for asking the server while the user waits
	liveFor     = 10 * time.Second // how long an answer is used again
)

// values are what a parameter may have for a value: its choices, or the names of the things there are. A thing whose name is
// another's too goes by its id. Where the server doesn't answer soon there are none.
func (r *runner) values(ctx context.Context, c *command, p *param, given api.Params) []Candidate {
	var out []Candidate
	switch {
	case p.Type == "boolean":
		return []Candidate{{Value: "true"}, {Value: "false"}}
	case len(p.OneOf) > 0:
		for _, v := range p.OneOf {
			out = append(out, Candidate{Value: v})
		}
		return out
	case !p.names():
		return nil
	}
	lister, err := r.catalog.lister(c, p)
	if err != nil {
		return nil
	}
	items := r.live(ctx, lister, given)
	for _, item := range items {
		id, name := item.text("id"), title(item)
		switch {
		case id == "" || clean(id) != id: // it would be put into the line, and so onto the terminal
		case name == "" || len(called(items, name)) > 1:
			out = append(out, Candidate{Value: id, Doc: clean(name)})
		case clean(name) == name && !slices.ContainsFunc(out, func(c Candidate) bool { return c.Value == name }):
			out = append(out, Candidate{Value: name, Doc: id})
		}
	}
	return out
}

// live is what a list shows now, or showed a moment ago.
func (r *runner) live(ctx context.Context, lister *command, given api.Params) []object {
	if r.missing != nil {
		return nil
	}
	sum := sha256.Sum256([]byte(r.profile.Endpoint + " " + r.profile.APIKey + r.profile.Username + " " + lister.Name + " " + given["zoneid"]))
	file := r.cache("values/" + hex.EncodeToString(sum[:12]))
	if info, err := os.Stat(file); err == nil && r.Now().Sub(info.ModTime()) < liveFor {
		if text, err := os.ReadFile(file); err == nil {
			a, err := read(text)
			if err == nil {
				return a.items
			}
		}
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(r.Patience, liveTimeout))
	defer cancel()
	a, err := r.list(ctx, lister, api.Params{}, given)
	if err != nil {
		return nil
	}
	a.only(slices.Concat([]string{"id"}, naming, describing))
	_ = WriteFile(file, []byte(compact(object{{lister.Noun, asList(a.items)}}))) // without it the next time asks again
	return a.items
}

func asList(items []object) []any {
	out := make([]any, len(items))
	for i, item := range items {
		out[i] = item
	}
	return out
}

// example is a value to show in the help: one that works where the cloud says what it has.
func (r *runner) example(ctx context.Context, c *command, p *param) string {
	if values := r.values(ctx, c, p, nil); len(values) > 0 {
		return quote(values[0].Value)
	}
	name := strings.ToLower(p.Name)
	for _, e := range examples {
		if strings.HasSuffix(name, e.suffix) {
			return e.value
		}
	}
	switch p.Type {
	case "integer", "long", "float", "double", "short":
		return "1"
	case "date":
		return r.Now().UTC().Format("2006-01-02")
	case "uuid", "list":
		return strings.ToUpper(name)
	case "map":
		return "VALUE"
	}
	return "example"
}

// examples are values by what a parameter's name ends with.
var examples = []struct{ suffix, value string }{
	{"templatefilter", "executable"}, {"isofilter", "executable"}, {"gateway", "10.1.1.1"}, {"netmask", "255.255.255.0"}, {"cidr", "10.1.1.0/24"},
	{"cidrlist", "0.0.0.0/0"}, {"startip", "10.1.1.10"}, {"endip", "10.1.1.100"}, {"dns1", "192.0.2.53"}, {"ipaddress", "10.1.1.20"},
	{"displaytext", `"An example"`}, {"url", "http://example.org/"}, {"email", "someone@example.org"}, {"protocol", "tcp"}, {"port", "22"},
	{"networktype", "Advanced"}, {"hypervisor", "Simulator"}, {"password", "PASSWORD"}, {"publickey", `"ssh-ed25519 AAAA…"`},
}

// quote puts a value in quotes where a shell needs them.
func quote(value string) string {
	if value != "" && !strings.ContainsFunc(value, func(r rune) bool {
		return !strings.ContainsRune("-_./:,@%+=", r) && (r < '0' || r > '9' && r < 'A' || r > 'Z' && r < 'a' || r > 'z') && r < 128
	}) {
		return value
	}
	if !strings.ContainsAny(value, "\"$`\\!") {
		return `"` + value + `"`
	}
	return "'" + strings.ReplaceAll(value, "'", `'\''`) + "'"
}

// cached is where answers about a profile's cloud are kept.
func (r *runner) cached(p *profile) string {
	sum := sha256.Sum256([]byte(p.Endpoint))
	name := p.Name
	if name == "" {
		name = "default"
	}
	return r.cache("commands/" + strings.Map(fileLetter, name) + "-" + hex.EncodeToString(sum[:4]))
}

func fileLetter(r rune) rune {
	if r == '/' || r == 0 || r == '\\' {
		return '_'
	}
	return r
}

// line is a value of JSON on a line of its own.
func line(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	return append(text, '\n'), err
}
