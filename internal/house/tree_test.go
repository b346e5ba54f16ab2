package house

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
)

// module is what the paths of our own packages begin with.
const module = "github.com/virga-cloud/virga/"

// tree is a repository, read and parsed.
type tree struct {
	fsys  fs.FS
	fset  *token.FileSet
	files []*file
	broke []string // files that don't parse
}

// file is a Go file. Its path and folder are relative to the repository's root.
type file struct {
	*ast.File
	path, dir string
	lines     int
	// test says that the file is only ever there in tests: a _test.go, or in a package that supports them.
	test bool
}

// support tells whether a package is there for the tests of others: it is called after what it tests.
func support(dir string) bool { return strings.HasSuffix(dir, "test") && dir != "test" }

// skipped are folders that hold no code of ours.
var skipped = []string{"testdata", "node_modules", "dist", "bin", "data"}

// load reads all Go files below the root of fsys.
func load(fsys fs.FS) (*tree, error) {
	t := &tree{fsys: fsys, fset: token.NewFileSet()}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (slices.Contains(skipped, d.Name()) || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		source, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(t.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.broke = append(t.broke, err.Error())
			return nil
		}
		dir := path.Dir(name)
		t.files = append(t.files, &file{
			File: parsed, path: name, dir: dir, lines: bytes.Count(source, []byte("\n")),
			test: strings.HasSuffix(name, "_test.go") || support(dir),
		})
		return nil
	})
	return t, err
}

// repository is this one.
var repository = sync.OnceValues(func() (*tree, error) {
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		return nil, err
	}
	return load(os.DirFS(root))
})

func ours(t *testing.T) *tree {
	t.Helper()
	r, err := repository()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// invented is a repository that exists only in a test, by file name.
func invented(t *testing.T, files map[string]string) *tree {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(content)}
	}
	r, err := load(fsys)
	if err != nil || len(r.broke) > 0 {
		t.Fatal(err, r.broke)
	}
	return r
}

// packages are the files of each package, by folder.
func (t *tree) packages() map[string][]*file {
	all := map[string][]*file{}
	for _, f := range t.files {
		all[f.dir] = append(all[f.dir], f)
	}
	return all
}

// name gives what a file calls an imported package, "" where it doesn't import it.
func (f *file) name(importPath string) string {
	for _, i := range f.Imports {
		switch {
		case strings.Trim(i.Path.Value, `"`) != importPath:
		case i.Name != nil:
			return i.Name.Name
		case path.Base(importPath) == "v2":
			return path.Base(path.Dir(importPath))
		default:
			return path.Base(importPath)
		}
	}
	return ""
}

// imports are the paths a file imports, each with its place.
func (f *file) imports(yield func(string, token.Pos) bool) {
	for _, i := range f.Imports {
		if !yield(strings.Trim(i.Path.Value, `"`), i.Pos()) {
			return
		}
	}
}

// walk looks at every node of a file.
func walk[N ast.Node](f *file, look func(N)) {
	ast.Inspect(f.File, func(n ast.Node) bool {
		if wanted, ok := n.(N); ok {
			look(wanted)
		}
		return true
	})
}

// findings are what a check has to say, each with its place.
type findings struct {
	t    *tree
	list []finding
}

type finding struct {
	path   string
	line   int // 0: the file or the package as a whole
	amount int // for what is measured
	text   string
}

func (f finding) String() string {
	if f.line == 0 {
		return f.path + ": " + f.text
	}
	return fmt.Sprintf("%s:%d: %s", f.path, f.line, f.text)
}

func (fs *findings) at(pos token.Pos, format string, args ...any) {
	p := fs.t.fset.Position(pos)
	fs.list = append(fs.list, finding{path: p.Filename, line: p.Line, text: fmt.Sprintf(format, args...)})
}

func (fs *findings) in(name string, amount int, format string, args ...any) {
	fs.list = append(fs.list, finding{path: name, amount: amount, text: fmt.Sprintf(format, args...)})
}
