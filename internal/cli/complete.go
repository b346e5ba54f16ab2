package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/bench"
)

// completion prints a shell's script.
func (r *runner) completion(words []string) error {
	scripts := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}
	if len(words) != 1 || scripts[words[0]] == "" {
		return usagef("want completion bash, completion zsh or completion fish")
	}
	_, err := fmt.Fprint(r.Stdout, scripts[words[0]])
	return err
}

// The scripts hand over what is typed so far and offer what comes back: of bash the line, since bash takes words apart at "="
// and knows no explanations; of the others the words.
const (
	bashScript = `_virga() {
	local IFS=$'\n'
	COMPREPLY=($("${COMP_WORDS[0]}" complete --bash -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -o nospace -F _virga virga
`
	zshScript = `#compdef virga
_virga() {
	local line value doc
	local -a plain=() plaindoc=() more=() moredoc=()
	while IFS=$'\t' read -r value doc; do
		if [[ $value == *[=.] ]]; then
			more+=("$value"); moredoc+=("$value  $doc")
		else
			plain+=("$value"); plaindoc+=("$value  $doc")
		fi
	done < <("${words[1]}" complete -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)
	(( $#more )) && compadd -V more -S '' -l -d moredoc -a more
	(( $#plain )) && compadd -V plain -l -d plaindoc -a plain
}
if [ "$funcstack[1]" = _virga ]; then _virga "$@"; else compdef _virga virga; fi
`
	fishScript = `function __virga_complete
	set -l words (commandline -opc) (commandline -ct)
	virga complete -- $words[2..-1] 2>/dev/null
end
complete -c virga -f -k -a '(__virga_complete)'
`
)

// completeWords answers a shell that asks what may stand where the user is typing: a line for each candidate, with its
// explanation after a tab.
func (r *runner) completeWords(ctx context.Context, args []string) error {
	bash := len(args) > 0 && args[0] == "--bash"
	if bash {
		args = args[1:]
	}
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	words := args
	if bash {
		words = lex(strings.Join(args, " ")).words
		if len(words) > 0 {
			words = words[1:]
		}
	}
	if len(words) == 0 {
		words = []string{""}
	}
	var b strings.Builder
	current := words[len(words)-1]
	for _, c := range r.complete(ctx, words) {
		switch {
		case bash:
			b.WriteString(bashWord(c, current) + "\n")
		case c.Doc != "":
			b.WriteString(c.Value + "\t" + clean(firstSentence(c.Doc)) + "\n")
		default:
			b.WriteString(c.Value + "\n")
		}
	}
	_, err := fmt.Fprint(r.Stdout, b.String())
	return err
}

// bashWord is a candidate as bash puts it in: without what stands before the last "=" or ":", where bash has taken the word
// apart, with spaces escaped, and with a space behind it if the word is whole.
func bashWord(c Candidate, current string) string {
	text := c.Value
	if cut := strings.LastIndexAny(current, "=:"); cut >= 0 && cut < len(text) {
		text = text[cut+1:]
	}
	text = raw(text, 0)
	if !c.More {
		text += " "
	}
	return text
}

// complete gives what may stand in the place of the last word. The other words are before it.
func (r *runner) complete(ctx context.Context, words []string) []Candidate {
	current := words[len(words)-1]
	f, before, err := takeFlags(words[:len(words)-1])
	if err != nil {
		return r.flagValues(words[:len(words)-1], current)
	}
	if r.settings == nil {
		if r.open(f.profile) != nil {
			return nil
		}
	}
	if len(before) > 0 && before[0] == "help" {
		before = before[1:]
	}
	var all []Candidate
	switch {
	case strings.HasPrefix(current, "-"):
		for _, flag := range []string{"--help", "--no-wait", "--output", "--profile"} {
			all = append(all, Candidate{Value: flag})
		}
	case len(before) == 0:
		all = r.firstWords()
	default:
		found, rest, err := r.catalog.find(before)
		switch {
		case err != nil:
			all = r.ownWords(before)
		case found == nil && len(before) == 1:
			all = r.nounWords(strings.ToLower(before[0]))
		case found != nil:
			return r.argument(ctx, found, rest, current)
		}
	}
	return begins(all, current)
}

func begins(all []Candidate, current string) []Candidate {
	var out []Candidate
	for _, c := range all {
		if strings.HasPrefix(strings.ToLower(c.Value), strings.ToLower(current)) {
			out = append(out, c)
		}
	}
	return out
}

// flagValues are the values of a flag that stands last.
func (r *runner) flagValues(words []string, current string) []Candidate {
	var all []Candidate
	switch words[len(words)-1] {
	case "-o", "--output":
		for _, o := range outputs {
			all = append(all, Candidate{Value: o})
		}
	case "-p", "--profile":
		if r.open("") == nil {
			all = r.profileNames()
		}
	}
	return begins(all, current)
}

func (r *runner) profileNames() []Candidate {
	var all []Candidate
	for name, p := range r.settings.Profiles {
		all = append(all, Candidate{Value: name, Doc: p.Endpoint})
	}
	return all
}

func (r *runner) firstWords() []Candidate {
	var all []Candidate
	for _, verb := range r.catalog.verbs() {
		all = append(all, Candidate{Value: verb})
	}
	for _, o := range own {
		all = append(all, Candidate{Value: o.name, Doc: o.doc})
	}
	if r.inShell {
		return append(all, Candidate{Value: "exit", Doc: "Leave the shell."})
	}
	for _, h := range r.Houses {
		all = append(all, Candidate{Value: h.Name, Doc: h.Doc})
	}
	return all
}

// ownWords are what comes after a command of the program's own.
func (r *runner) ownWords(before []string) []Candidate {
	choices := map[string][]string{
		"completion": {"bash", "zsh", "fish"}, "profile": {"list", "show", "use"}, "set": {"output", "profile"}, "set output": outputs,
		"bench": {bench.Lists, bench.Deploy, bench.Lifecycle},
	}[strings.Join(before, " ")]
	var all []Candidate
	for _, c := range choices {
		all = append(all, Candidate{Value: c})
	}
	switch strings.Join(before, " ") {
	case "set profile", "profile use", "profile show":
		all = r.profileNames()
	case "login":
		for _, name := range []string{"url", "username", "password", "domain", "apikey", "secretkey"} {
			all = append(all, Candidate{Value: name + "=", More: true})
		}
	}
	return all
}

func (r *runner) nounWords(verb string) []Candidate {
	var all []Candidate
	for _, e := range r.catalog.entries {
		if e.Verb != verb {
			continue
		}
		one := Candidate{Value: e.Noun}
		if c, err := r.catalog.command(e.Name); err == nil {
			one.Doc = c.Doc
		}
		all = append(all, one)
	}
	return all
}

// argument completes a parameter of a command: its name, those first that must be given, or its value.
func (r *runner) argument(ctx context.Context, c *command, before []string, current string) []Candidate {
	given := api.Params{}
	for _, word := range before {
		if name, value, ok := strings.Cut(word, "="); ok {
			given[strings.ToLower(name)] = value
		}
	}
	name, typed, valued := strings.Cut(current, "=")
	if !valued {
		var all []Candidate
		for _, p := range c.sorted() {
			if _, has := given[strings.ToLower(p.Name)]; !has {
				end := "="
				if p.Type == "map" {
					end = "[0]."
				}
				all = append(all, Candidate{Value: p.Name + end, Doc: p.Doc, More: true})
			}
		}
		return begins(append(all, Candidate{Value: filterWord + "=", Doc: "The fields to show.", More: true}), current)
	}
	if strings.EqualFold(name, filterWord) {
		done, last := cutLast(typed)
		var all []Candidate
		for _, f := range c.Fields {
			all = append(all, Candidate{Value: name + "=" + done + f, More: true})
		}
		return begins(all, name+"="+done+last)
	}
	p, _ := c.param(name)
	if p == nil {
		return nil
	}
	done := ""
	if p.Type == "list" {
		done, typed = cutLast(typed)
	}
	var all []Candidate
	for _, v := range r.values(ctx, c, p, given) {
		if len(typed) > 0 && strings.HasPrefix(v.Doc, typed) && idLike.MatchString(v.Doc) { // an id is being typed
			v.Value, v.Doc = v.Doc, v.Value
		}
		v.Value = name + "=" + done + v.Value
		all = append(all, v)
	}
	return begins(all, name+"="+done+typed)
}

// cutLast cuts a list before its last item.
func cutLast(list string) (done, last string) {
	i := strings.LastIndexByte(list, ',') + 1
	return list[:i], list[i:]
}
