package house

import (
	_ "embed"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// checks are the rules of the house, by the name that exceptions use.
var checks = map[string]func(*tree, *findings){
	"import":    checkImports,
	"part":      checkParts,
	"sql":       checkSQL,
	"table":     checkTables,
	"doc":       checkDocs,
	"size":      checkSizes,
	"outside":   checkOutside,
	"init":      checkInit,
	"name":      checkNames,
	"interface": checkInterfaces,
	"tag":       checkTags,
	"sleep":     checkSleep,
	"skip":      checkSkips,
	"link":      checkLinks,
	"snippet":   checkSnippets,
	"setting":   checkSettings,
}

func TestHouse(t *testing.T) {
	t.Parallel()
	r := ours(t)
	for _, broke := range r.broke {
		t.Error(broke)
	}
	allowed := exceptions(t)
	for name, check := range checks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			all := &findings{t: r}
			check(r, all)
			for _, f := range all.list {
				if e := find(allowed, name, f.path); e != nil {
					e.used = true
					if f.amount > e.amount {
						t.Errorf("%s (the exception allows %d)", f, e.amount)
					}
					if f.amount < e.amount {
						t.Errorf("%s: is down to %d: lower the exception's %d", f.path, f.amount, e.amount)
					}
					continue
				}
				t.Error(f)
			}
			for _, e := range allowed {
				if e.check == name && !e.used {
					t.Errorf("%s does not need its exception any more: take it out", e.path)
				}
			}
		})
	}
}

//go:embed testdata/exceptions.txt
var exceptionList string

// exception lets one file or package break one rule.
type exception struct {
	check, path string
	amount      int // for sizes: the lines there may be
	reason      string
	used        bool
}

func exceptions(t *testing.T) []*exception {
	t.Helper()
	var all []*exception
	for line := range strings.Lines(exceptionList) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 4 || checks[words[0]] == nil {
			t.Errorf("exceptions.txt: want check, path, amount and reason: %q", line)
			continue
		}
		amount, err := strconv.Atoi(words[2])
		if err != nil {
			t.Errorf("exceptions.txt: the amount of %q: %v", line, err)
		}
		all = append(all, &exception{check: words[0], path: words[1], amount: amount, reason: strings.Join(words[3:], " ")})
	}
	return all
}

func find(all []*exception, check, path string) *exception {
	i := slices.IndexFunc(all, func(e *exception) bool { return e.check == check && e.path == path })
	if i < 0 {
		return nil
	}
	return all[i]
}
