package house

import (
	"go/ast"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const (
	fileLines    = 800
	packageLines = 4000
	methods      = 8
)

// listLines is what a file of a package that is a list may have: the bound that the package has not.
const listLines = 300

// lists are packages that may have any number of lines, since they are a list and no thought.
var lists = map[string]string{
	"api/cloudstack": "a contract is one package for its clients; it grows by a file for each noun, and each can be read alone",
}

// checkSizes measures files, and packages without their tests. Generated files may be any size.
func checkSizes(t *tree, found *findings) {
	for dir, files := range t.packages() {
		sum := 0
		for _, f := range files {
			if ast.IsGenerated(f.File) {
				continue
			}
			most := fileLines
			if lists[dir] != "" {
				most = listLines
			}
			if f.lines > most {
				found.in(f.path, f.lines, "%d lines are more than %d: it holds more than one thought", f.lines, most)
			}
			if !strings.HasSuffix(f.path, "_test.go") {
				sum += f.lines
			}
		}
		if sum > packageLines && lists[dir] == "" {
			found.in(dir, sum, "%d lines are more than %d: it is more than one package", sum, packageLines)
		}
	}
}

// checkDocs wants one doc comment for each package, in one place.
func checkDocs(t *tree, found *findings) {
	for dir, files := range t.packages() {
		var docs []*file
		for _, f := range files {
			if f.Doc != nil && !strings.HasSuffix(f.path, "_test.go") {
				docs = append(docs, f)
			}
		}
		switch {
		case len(docs) == 0:
			found.in(dir, 0, "nothing says what this package is for: write it in doc.go, for somebody new")
		case len(docs) > 1:
			found.at(docs[1].Package, "a second package comment; the first is in %s", docs[0].path)
		default:
			want := "Package " + docs[0].Name.Name
			if docs[0].Name.Name == "main" {
				want = "Command " + path.Base(dir)
			}
			if !strings.HasPrefix(docs[0].Doc.Text(), want+" ") {
				found.at(docs[0].Package, "the package comment must begin with %q", want)
			}
		}
	}
}

// outside is what comes in from outside, so that a test can say what it is: the name, by package, and what to do instead.
var outside = map[string]map[string]string{
	"time": {
		"Now": clock, "Since": clock, "Until": clock,
	},
	"os": {
		"Getenv": environment, "LookupEnv": environment, "Environ": environment, "ExpandEnv": environment,
	},
}

const (
	clock       = "the time comes from a db.Clock, or from the transaction (tx.Now)"
	environment = "cmd reads the environment and hands on what it found"
)

// checkOutside looks for time, chance and environment that a test could not set. Timers may be used: they measure a pause and
// not the hour.
func checkOutside(t *tree, found *findings) {
	for _, f := range t.files {
		if f.test || strings.HasPrefix(f.dir, "cmd/") || strings.HasPrefix(f.dir, "internal/tools/") {
			continue
		}
		for imported, pos := range f.imports {
			if imported == "math/rand" || imported == "math/rand/v2" {
				found.at(pos, "%s: chance comes in from outside, and secrets from crypto/rand", imported)
			}
		}
		for pkg, names := range outside {
			called(f, pkg, func(s *ast.SelectorExpr) {
				if instead := names[s.Sel.Name]; instead != "" {
					found.at(s.Pos(), "%s.%s: %s", pkg, s.Sel.Name, instead)
				}
			})
		}
	}
}

// called looks at every name of an imported package that a file uses.
func called(f *file, importPath string, look func(*ast.SelectorExpr)) {
	name := f.name(importPath)
	if name == "" {
		return
	}
	walk(f, func(s *ast.SelectorExpr) {
		if of, ok := s.X.(*ast.Ident); ok && of.Name == name {
			look(s)
		}
	})
}

func checkSleep(t *tree, found *findings) {
	for _, f := range t.files {
		called(f, "time", func(s *ast.SelectorExpr) {
			if s.Sel.Name == "Sleep" {
				found.at(s.Pos(), "time.Sleep: tests wait for what they wait for (a channel, synctest), code for a timer or its context")
			}
		})
	}
}

func checkInit(t *tree, found *findings) {
	for _, f := range t.files {
		for _, d := range f.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				found.at(fn.Pos(), "init runs unasked and in no visible order: make it a function that somebody calls")
			}
		}
	}
}

var (
	emptyPackages = strings.Fields("util utils common model models type types helper helpers manager managers misc shared base pkg")
	emptyTypes    = regexp.MustCompile(`^Base[A-Z]|[a-z](Manager|Impl|DAO|DTO|Helper|Util|Utils)$`)
	getter        = regexp.MustCompile(`^Get[A-Z]`)
)

// checkNames looks for names that say nothing.
func checkNames(t *tree, found *findings) {
	for _, f := range t.files {
		if slices.Contains(emptyPackages, strings.TrimSuffix(f.Name.Name, "_test")) {
			found.at(f.Name.Pos(), "a package called %s gathers everything: name it after what it gives", f.Name.Name)
		}
		walk(f, func(s *ast.TypeSpec) {
			if emptyTypes.MatchString(s.Name.Name) {
				found.at(s.Pos(), "%s: say what it is, not what pattern it follows", s.Name.Name)
			}
		})
		walk(f, func(fn *ast.FuncDecl) {
			if getter.MatchString(fn.Name.Name) && !f.test {
				found.at(fn.Pos(), "%s: leave out Get", fn.Name.Name)
			}
		})
	}
}

func checkInterfaces(t *tree, found *findings) {
	for _, f := range t.files {
		walk(f, func(s *ast.TypeSpec) {
			if i, ok := s.Type.(*ast.InterfaceType); ok && i.Methods.NumFields() > methods {
				found.at(s.Pos(), "%s has %d methods; with more than %d it can hardly be implemented twice", s.Name.Name, i.Methods.NumFields(), methods)
			}
		})
	}
}

// checkSkips wants every skipped test to say what the machine lacks, so that a run that requires it can be told to fail.
func checkSkips(t *tree, found *findings) {
	for _, f := range t.files {
		if f.name("testing") == "" {
			continue
		}
		walk(f, func(c *ast.CallExpr) {
			s, ok := c.Fun.(*ast.SelectorExpr)
			if !ok || !slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) {
				return
			}
			if len(c.Args) > 0 {
				if l, ok := c.Args[0].(*ast.BasicLit); ok && l.Kind == token.STRING {
					if text, err := strconv.Unquote(l.Value); err == nil && strings.HasPrefix(text, "needs ") {
						return
					}
				}
			}
			found.at(c.Pos(), `a skipped test says what it needs: t.Skip("needs …")`)
		})
	}
}
