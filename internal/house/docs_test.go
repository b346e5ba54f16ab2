package house

import (
	"go/ast"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// markdown gives the text of every page: those at the root, and all in docs.
func (t *tree) markdown() (map[string]string, error) {
	pages := map[string]string{}
	for _, root := range []string{".", "docs"} {
		err := fs.WalkDir(t.fsys, root, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && name == root:
				return nil // no such folder
			case err != nil:
				return err
			case d.IsDir() && root == "." && name != ".":
				return fs.SkipDir
			case d.IsDir() || path.Ext(name) != ".md":
				return nil
			}
			content, err := fs.ReadFile(t.fsys, name)
			pages[name] = string(content)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return pages, nil
}

var (
	fenced    = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading   = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	notAnchor = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	mention   = regexp.MustCompile("`(?:make|scripts/|internal/|api/|uid/|cmd/)[^`\n]*`")
	target    = regexp.MustCompile(`(?m)^([a-z-]+):`)
)

// checkLinks follows every relative link, and looks whether the folders, scripts and make targets that the pages name are
// there. The generated reference pages have a test of their own.
func checkLinks(t *tree, found *findings) {
	pages, err := t.markdown()
	if err != nil {
		found.in("docs", 0, "%v", err)
	}
	makefile, _ := fs.ReadFile(t.fsys, "Makefile")
	targets := map[string]bool{}
	for _, m := range target.FindAllStringSubmatch(string(makefile), -1) {
		targets[m[1]] = true
	}
	tests := t.tests()
	for name, text := range pages {
		if strings.HasPrefix(name, "docs/reference/") {
			continue
		}
		text = fenced.ReplaceAllString(text, "")
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if why := t.follow(name, m[1], pages); why != "" {
				found.in(name, 0, "the link to %s: %s", m[1], why)
			}
		}
		for _, m := range proof.FindAllString(text, -1) {
			if !tests[m] {
				found.in(name, 0, "there is no test %s", m)
			}
		}
		for _, m := range mention.FindAllString(text, -1) {
			words := strings.Fields(strings.Trim(m, "`"))
			switch {
			case words[0] == "make" && len(words) > 1 && !targets[words[1]]:
				found.in(name, 0, "make has no target %s", words[1])
			case words[0] != "make" && !strings.ContainsAny(words[0], "<*{…") && !t.there(words[0]):
				found.in(name, 0, "there is no %s", words[0])
			}
		}
	}
}

// proof is the name of a test, which a page says to show something.
var proof = regexp.MustCompile(`\b(?:Test|Fuzz|Benchmark)[A-Z]\w+\b`)

// tests are the names of all tests.
func (t *tree) tests() map[string]bool {
	names := map[string]bool{}
	for _, f := range t.files {
		for _, d := range f.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && f.test {
				names[d.Name.Name] = true
			}
		}
	}
	return names
}

// coming are places that pages may name before they are there. One that has come is taken out.
var coming []string

func (t *tree) there(name string) bool {
	name = strings.TrimSuffix(strings.TrimSuffix(name, "..."), "/")
	if _, err := fs.Stat(t.fsys, name); err == nil {
		return true
	}
	return slices.ContainsFunc(coming, func(c string) bool { return name == c || strings.HasPrefix(name, c+"/") })
}

// follow says what is wrong with a link, "" if nothing is.
func (t *tree) follow(from, to string, pages map[string]string) string {
	u, err := url.Parse(to)
	if err != nil {
		return err.Error()
	}
	if u.Scheme != "" {
		return ""
	}
	name := from
	if u.Path != "" {
		name = path.Join(path.Dir(from), u.Path)
	}
	if _, err := fs.Stat(t.fsys, name); err != nil {
		return "nothing is there"
	}
	if u.Fragment == "" {
		return ""
	}
	for _, m := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(pages[name], ""), -1) {
		anchor := strings.ReplaceAll(notAnchor.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")
		if anchor == u.Fragment {
			return ""
		}
	}
	return "no such heading there"
}

var (
	qualified = regexp.MustCompile(`(?:^|[^.\w])([a-z]+)\.([A-Z]\w*)`)
	declared  = regexp.MustCompile(`(?m)^(?:var|type|func) ([A-Z]\w*)`)
)

// checkSnippets looks whether what the Go snippets of the pages use of our packages is there. What a page itself declares may be
// missing: it shows how to add it.
func checkSnippets(t *tree, found *findings) {
	pages, err := t.markdown()
	if err != nil {
		found.in("docs", 0, "%v", err)
	}
	known := t.exported()
	for name, text := range pages {
		own := map[string]bool{}
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			own[m[1]] = true
		}
		for _, block := range fenced.FindAllStringSubmatch(text, -1) {
			if block[1] != "go" {
				continue
			}
			for _, m := range qualified.FindAllStringSubmatch(block[2], -1) {
				if names := known[m[1]]; names != nil && !names[m[2]] && !own[m[2]] {
					found.in(name, 0, "a snippet uses %s.%s, which is not there", m[1], m[2])
				}
			}
		}
	}
}

// exported gives the exported names of our packages, by package name.
func (t *tree) exported() map[string]map[string]bool {
	all := map[string]map[string]bool{}
	for _, f := range t.files {
		if strings.HasSuffix(f.path, "_test.go") || f.Name.Name == "main" {
			continue
		}
		names := all[f.Name.Name]
		if names == nil {
			names = map[string]bool{}
			all[f.Name.Name] = names
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					names[d.Name.Name] = true
				}
			case *ast.GenDecl:
				for _, s := range d.Specs {
					switch s := s.(type) {
					case *ast.TypeSpec:
						names[s.Name.Name] = true
					case *ast.ValueSpec:
						for _, n := range s.Names {
							names[n.Name] = true
						}
					}
				}
			}
		}
	}
	if cs := all["cloudstack"]; cs != nil { // cs is what everybody calls api/cloudstack
		all["cs"] = maps.Clone(cs)
	}
	return all
}
