package house

import (
	"go/ast"
	"go/token"
	"strings"
)

const settings = "internal/setting"

// checkSettings looks for settings that nothing reads: what an operator can change must change something.
func checkSettings(t *tree, found *findings) {
	read := map[string]bool{}
	for _, f := range t.files {
		name := f.name(module + settings)
		if name == "" || f.test || f.dir == settings {
			continue
		}
		walk(f, func(s *ast.SelectorExpr) {
			if of, ok := s.X.(*ast.Ident); ok && of.Name == name {
				read[s.Sel.Name] = true
			}
		})
	}
	for _, f := range t.files {
		if f.dir != settings || f.test || !strings.HasSuffix(f.path, "keys.go") {
			continue
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			for _, s := range g.Specs {
				for _, key := range s.(*ast.ValueSpec).Names {
					if key.IsExported() && !read[key.Name] {
						found.in("setting."+key.Name, 0, "nothing reads this setting: read it where it matters, or take it out of %s", f.path)
					}
				}
			}
		}
	}
}
