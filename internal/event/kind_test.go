package event

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// Write refuses kinds without a resource; none of ours may be forgotten, nor two have one name.
func TestEveryKindHasAResource(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "kind.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	declared := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); ok && kind.Name == "Kind" {
			declared++
			name, _ := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if Kind(name).Resource() == "" {
				t.Errorf("%s has no resource", spec.Names[0])
			}
		}
		return true
	})
	if declared == 0 || declared != len(resources) {
		t.Errorf("%d kinds are declared, %d have a resource", declared, len(resources))
	}
}
