package api

import (
	"bytes"
	"fmt"
	"strings"
)

// generated stands at the top of every page, so that nobody edits one.
const generated = "<!-- Generated from the declarations in api/cloudstack by make generate. -->\n\n"

func (r *Reference) markdownIndex() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s# API reference\n\nCloudStack API, level %s: every command of `/client/api`. The same is in "+
		"[openapi.json](openapi.json); [cloudstack.json](cloudstack.json) is the whole contract.\n", generated, r.Version)
	for _, n := range r.nouns {
		fmt.Fprintf(&out, "\n## [%s](%s.md)\n\n", n.Name, n.Slug)
		for _, d := range n.Commands {
			fmt.Fprintf(&out, "- [%s](%s.md#%s) – %s\n", d.Name, n.Slug, strings.ToLower(d.Name), d.Doc)
		}
	}
	return out.Bytes()
}

func (n noun) markdown() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s# %s\n", generated, n.Name)
	for _, d := range n.Commands {
		fmt.Fprintf(&out, "\n## %s\n\n%s\n\n%s\n", d.Name, d.Doc, facts(d))
		if params := d.Params(); len(params) > 0 {
			out.WriteString("\n| parameter | type | |\n|---|---|---|\n")
			writeParams(&out, "", params)
		}
		out.WriteString("\n| answer | type | |\n|---|---|---|\n")
		writeFields(&out, "", d.Fields())
		if f := d.OtherForm(); f != nil {
			fmt.Fprintf(&out, "\n| %s | type | |\n|---|---|---|\n", f.Object)
			writeFields(&out, "", f.Fields)
		}
	}
	return out.Bytes()
}

func writeParams(out *bytes.Buffer, prefix string, params []Param) {
	for _, p := range params {
		row(out, prefix+p.Name, p.Type, paramDoc(p))
		writeParams(out, prefix+p.Name+"[n].", p.Fields)
	}
}

func writeFields(out *bytes.Buffer, prefix string, fields []Field) {
	for _, f := range fields {
		row(out, prefix+f.Name, f.Type, fieldDoc(f))
		writeFields(out, prefix+f.Name+".", f.Fields)
	}
}

func row(out *bytes.Buffer, name, kind, doc string) {
	fmt.Fprintf(out, "| `%s` | %s | %s |\n", name, kind, strings.ReplaceAll(doc, "|", `\|`))
}
