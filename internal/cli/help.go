package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// helpWidth is how wide a line of help is.
const helpWidth = 110

func (r *runner) helpAll() error {
	var b strings.Builder
	b.WriteString(`Usage: virga VERB NOUN [name=value …]
       virga COMMAND

The cloud's commands, by verb ('virga list -h' shows what can be listed):
`)
	wrap(&b, "  ", strings.Join(r.catalog.verbs(), " "))
	b.WriteString("\nCommands of its own:\n")
	for _, o := range own {
		entryLine(&b, o.name, o.doc, 14)
	}
	for _, h := range r.Houses {
		entryLine(&b, h.Name, h.Doc, 14)
	}
	b.WriteString(`
Flags, anywhere on the line:
  -o, --output FORMAT   text, table, json or csv
  -p, --profile NAME    the cloud to speak to
  --no-wait             don't wait for the end of a job
  -h, --help            explain the command

In the place of an ID a name does, if it is one thing's alone. filter=id,name shows these fields only.
`)
	_, err := io.WriteString(r.Stdout, b.String())
	return err
}

func (r *runner) helpOwn(name string) error {
	for _, o := range own {
		if o.name == name {
			_, err := fmt.Fprintf(r.Stdout, "virga %s\n%s\n%s", o.name, o.doc, ownHelp[name])
			return err
		}
	}
	return nil
}

// ownHelp is what is to be said of own commands besides.
var ownHelp = map[string]string{
	"login": `
  virga login url=http://cloud.example.org:8080/client/api username=ann domain=ROOT/sales
  virga login url=https://cloud.example.org apikey=… secretkey=…

url        The cloud's address.
username   With password, and domain where it isn't ROOT. What is missing is asked for.
apikey     With secretkey, in the place of a name and a password.
insecure   true takes a certificate that nobody has signed.
--profile  The name to keep it under; "default" otherwise.
`,
	"set": `
  virga set output table      how answers are shown: text, table, json or csv
  virga set profile test      the cloud that commands go to
`,
	"completion": `
  bash   source <(virga completion bash)
  zsh    source <(virga completion zsh)
  fish   virga completion fish | source
`,
}

func entryLine(b *strings.Builder, name, doc string, width int) {
	fmt.Fprintf(b, "  %s%s", name, strings.Repeat(" ", max(1, width-utf8.RuneCountInString(name))))
	var text strings.Builder
	wrap(&text, strings.Repeat(" ", width+2), doc)
	b.WriteString(strings.TrimLeft(text.String(), " "))
}

// wrap writes words in lines that begin with an indent.
func wrap(b *strings.Builder, indent, text string) {
	at := 0
	for word := range strings.FieldsSeq(text) {
		size := utf8.RuneCountInString(word)
		switch {
		case at == 0:
			b.WriteString(indent)
			at = len(indent)
		case at+1+size > helpWidth:
			b.WriteString("\n" + indent)
			at = len(indent)
		default:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at += size
	}
	b.WriteByte('\n')
}

// helpVerb shows what a verb can be said of.
func (r *runner) helpVerb(verb string) error {
	var b strings.Builder
	verb = strings.ToLower(verb)
	fmt.Fprintf(&b, "Usage: virga %s NOUN [name=value …]\n\n", verb)
	width := 0
	nouns := r.catalog.nouns(verb)
	for _, noun := range nouns {
		width = max(width, len(noun)+2)
	}
	for _, e := range r.catalog.entries {
		if e.Verb != verb {
			continue
		}
		c, err := r.catalog.command(e.Name)
		if err != nil {
			return err
		}
		entryLine(&b, e.Noun, firstSentence(c.Doc), width)
	}
	_, err := io.WriteString(r.Stdout, b.String())
	return err
}

func firstSentence(doc string) string {
	if i := strings.Index(doc, ". "); i >= 0 {
		return doc[:i+1]
	}
	return doc
}

// helpCommand explains a command: what it does, what it must be given and what it may be, and an example.
func (r *runner) helpCommand(ctx context.Context, c *command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "virga %s %s (%s)\n", c.Verb, c.Noun, c.Name)
	wrap(&b, "", c.Doc)
	if c.Async {
		b.WriteString("It is a job: virga waits for its end, unless --no-wait is given.\n")
	}
	params := c.sorted()
	width := 0
	for _, p := range params {
		width = max(width, len(p.Name)+2)
	}
	for i, p := range params {
		switch {
		case i == 0 && p.Required:
			b.WriteString("\nRequired args:\n")
		case !p.Required && (i == 0 || params[i-1].Required):
			b.WriteString("\nArgs:\n")
		}
		entryLine(&b, p.Name, p.explain(), width)
	}
	if len(params) == 0 {
		b.WriteString("\nIt takes nothing.\n")
	}
	fmt.Fprintf(&b, "\nExample:\n  virga %s %s", c.Verb, c.Noun)
	for _, p := range params {
		if p.Required || p.Name == "name" && c.Verb != "list" && c.Verb != "update" || p.Name == "listall" {
			value := r.example(ctx, c, &p)
			if p.Type == "map" {
				fmt.Fprintf(&b, " %s.NAME=%s", p.Name, value)
				continue
			}
			fmt.Fprintf(&b, " %s=%s", p.Name, value)
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(r.Stdout, b.String())
	return err
}

// explain is the type of a parameter and what it means.
func (p *param) explain() string {
	kind := p.Type
	switch {
	case len(p.OneOf) > 0:
		kind = strings.Join(p.OneOf, "|")
	case p.names() && p.Type != "uuid":
		kind = "IDs or names"
	case p.names():
		kind = "ID or name"
	}
	text := "(" + kind + ") " + p.Doc
	if p.Since != "" {
		text += " Since " + p.Since + "."
	}
	return text
}
