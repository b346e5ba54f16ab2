package house

import (
	"go/ast"
	"go/token"
	"io/fs"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// sqlPlaces may use SQL in any file. Everywhere else it is in files named *store.go, so that rules can be read without SQL
// and SQL without rules.
var sqlPlaces = map[string]string{
	"internal/db":             "it is the SQL layer",
	"internal/op":             "the engine is a state machine in SQL; its statements are its rules",
	"internal/hypervisor/sim": "its world is a database of its own, which nobody else looks into",
}

// building are the methods of bun that begin a query: reached through a db.Tx, so no import gives them away.
var building = strings.Fields("NewSelect NewInsert NewUpdate NewDelete NewRaw NewMerge NewValues")

func checkSQL(t *tree, found *findings) {
	for _, f := range t.files {
		if f.test || sqlPlaces[f.dir] != "" || strings.HasSuffix(f.path, "store.go") {
			continue
		}
		for imported, pos := range f.imports {
			if imported == "database/sql" || strings.HasPrefix(imported, "github.com/uptrace/bun") {
				found.at(pos, "%s is for files named *store.go: a service has rules and no SQL", imported)
			}
		}
		db := f.name(module + "internal/db")
		walk(f, func(s *ast.SelectorExpr) {
			of, _ := s.X.(*ast.Ident)
			switch {
			case slices.Contains(building, s.Sel.Name):
				found.at(s.Pos(), "%s: queries are made in files named *store.go", s.Sel.Name)
			case db != "" && of != nil && of.Name == db && strings.HasPrefix(s.Sel.Name, "Prepare"):
				found.at(s.Pos(), "%s.%s: statements are declared in files named *store.go", db, s.Sel.Name)
			case db != "" && of != nil && of.Name == db && s.Sel.Name == "Tx" && strings.HasPrefix(f.dir, "internal/facade/"):
				found.at(s.Pos(), "a facade hands d.Read() to look-ups and never has a transaction: what belongs together is a service's")
			}
		})
	}
}

var (
	sectionLine = regexp.MustCompile(`^-- (internal/\S+) -+$`)
	tableLine   = regexp.MustCompile(`(?i)^\s*(create|alter|drop)\s+table\s+(?:if\s+(?:not\s+)?exists\s+)?([a-z_]+)`)
	ownerLine   = regexp.MustCompile("^\\| `([a-z/]+)` \\|.*\\| ((?:`[a-z_]+`(?:, )?)+) \\|$")
	tableName   = regexp.MustCompile("`([a-z_]+)`")
	writing     = regexp.MustCompile(`(?i)\b(?:insert\s+into|delete\s+from|update)\s+([a-z_]+)`)
	reading     = regexp.MustCompile(`(?i)\b(?:from|join)\s+([a-z_]+)`)
	rowTag      = regexp.MustCompile(`\btable:([a-z_]+)`)
)

const (
	migrations = "internal/db/migrations"
	plan       = "docs/architecture.md"
)

// owners gives the tables that the migrations make, each with the package whose section it stands in.
func (t *tree) owners(found *findings) map[string]string {
	all := map[string]string{}
	files, _ := fs.Glob(t.fsys, migrations+"/*.sql")
	for _, name := range files {
		content, err := fs.ReadFile(t.fsys, name)
		if err != nil {
			found.in(name, 0, "%v", err)
			continue
		}
		section, n := "", 0
		for line := range strings.Lines(string(content)) {
			n++
			line = strings.TrimRight(line, "\r\n")
			if m := sectionLine.FindStringSubmatch(line); m != nil {
				section = m[1]
				continue
			}
			m := tableLine.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			f := finding{path: name, line: n}
			switch table := m[2]; {
			case section == "":
				f.text = table + " stands in no section: write -- internal/PACKAGE --- above it"
			case strings.EqualFold(m[1], "create") && all[table] != "":
				f.text = table + " is made a second time"
			case strings.EqualFold(m[1], "create"):
				all[table] = section
			case all[table] != section:
				f.text = table + " is not " + section + "'s to change: it belongs to " + all[table]
			}
			if f.text != "" {
				found.list = append(found.list, f)
			}
		}
	}
	return all
}

// checkTables holds the table of owners in the plan against the migrations, and the code against both.
func checkTables(t *tree, found *findings) {
	owners := t.owners(found)
	listed := map[string]string{}
	content, err := fs.ReadFile(t.fsys, plan)
	if err != nil {
		found.in(plan, 0, "%v", err)
	}
	for line := range strings.Lines(string(content)) {
		m := ownerLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		for _, table := range tableName.FindAllStringSubmatch(m[2], -1) {
			owner := "internal/" + m[1]
			if listed[table[1]] != "" {
				found.in(plan, 0, "%s is listed twice", table[1])
			}
			switch {
			case owners[table[1]] == "":
				found.in(plan, 0, "%s is given to %s, but no migration makes it", table[1], owner)
			case owners[table[1]] != owner:
				found.in(plan, 0, "%s is given to %s, but the migrations give it to %s", table[1], owner, owners[table[1]])
			}
			listed[table[1]] = m[1]
		}
	}
	for table, owner := range owners {
		if listed[table] == "" {
			found.in(plan, 0, "%s of %s is not in the table of owners", table, owner)
		}
	}
	for _, f := range t.files {
		if !f.test && f.dir != "internal/hypervisor/sim" {
			checkWrites(f, owners, found)
		}
	}
}

// checkWrites looks whether a file writes only to tables of its own package: as SQL in a string, as a table that a query
// changes, or through a row type. Reading others' tables below is fine, also through a row type; but a file that has one
// changes nothing.
func checkWrites(f *file, owners map[string]string, found *findings) {
	foreign := func(table string) string {
		if owner := owners[table]; owner != f.dir {
			return owner
		}
		return ""
	}
	var reads string // a row type's table of another package
	walk(f, func(field *ast.Field) {
		for _, m := range rowTag.FindAllStringSubmatch(tag(field, "bun"), -1) {
			if foreign(m[1]) != "" {
				reads = m[1]
			}
		}
	})
	walk(f, func(l *ast.BasicLit) {
		if l.Kind != token.STRING {
			return
		}
		text, err := strconv.Unquote(l.Value)
		if err != nil {
			return
		}
		for _, m := range reading.FindAllStringSubmatch(text, -1) {
			if owner := foreign(m[1]); level(f.dir) >= 0 && level(owner) > level(f.dir) {
				found.at(l.Pos(), "%s belongs to %s, which stands above: ask through an interface that it implements", m[1], owner)
			}
		}
		for _, m := range writing.FindAllStringSubmatch(text, -1) {
			if owner := foreign(m[1]); owner != "" {
				found.at(l.Pos(), "%s belongs to %s: ask that package to write it", m[1], owner)
			}
		}
	})
	walk(f, func(c *ast.CallExpr) {
		s, ok := c.Fun.(*ast.SelectorExpr)
		if !ok {
			return
		}
		if reads != "" && changing[s.Sel.Name] {
			found.at(c.Pos(), "%s in a file that reads %s through a row type: %s belongs to %s, so put changes into another file",
				s.Sel.Name, reads, reads, foreign(reads))
		}
		if inner, ok := s.X.(*ast.CallExpr); ok && (s.Sel.Name == "Table" || s.Sel.Name == "TableExpr") && len(c.Args) > 0 {
			made, _ := inner.Fun.(*ast.SelectorExpr)
			name, _ := c.Args[0].(*ast.BasicLit)
			if made == nil || name == nil || !changing[made.Sel.Name] {
				return
			}
			table, _, _ := strings.Cut(strings.Trim(name.Value, "\"`"), " ")
			if owner := foreign(table); owner != "" {
				found.at(c.Pos(), "%s belongs to %s: ask that package to write it", table, owner)
			}
		}
	})
}

// changing are bun's queries that change a table.
var changing = map[string]bool{"NewInsert": true, "NewUpdate": true, "NewDelete": true}

// tag is one key of a struct field's tag.
func tag(field *ast.Field, key string) string {
	if field.Tag == nil {
		return ""
	}
	return reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get(key)
}

// checkTags looks for wire tags in the domain. A struct that is stored as JSON (an operation's state, a list in a column) may
// have json tags: they keep its stored names when the Go names change. A struct that stands for a row or a thing may not.
func checkTags(t *tree, found *findings) {
	for _, f := range t.files {
		if f.test || level(f.dir) < 0 {
			continue
		}
		walk(f, func(s *ast.StructType) {
			row := slices.ContainsFunc(s.Fields.List, func(field *ast.Field) bool { return tag(field, "bun") != "" })
			for _, field := range s.Fields.List {
				if tag(field, "xml") != "" || tag(field, "api") != "" || row && tag(field, "json") != "" {
					found.at(field.Pos(), "a wire's tag: the domain knows no wire; facades have types for that")
				}
			}
		})
	}
}
