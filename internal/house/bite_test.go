package house

import (
	"slices"
	"strings"
	"testing"
)

const sql = `-- internal/account ---
create table accounts (
-- internal/host ---
create table hosts (
`

const owners = "| `account` | who pays | `accounts` |\n| `host` | where machines run | `hosts` |\n"

// A rule that nothing breaks may be a rule that sees nothing: each is shown what it is there for, and what it must let pass.
func TestChecksBite(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, check string
		files       map[string]string
		want        []string // parts of what must be found, in any order; nothing else may be
	}{
		{"a package without a rule", "import", map[string]string{"internal/stuff/a.go": "package stuff"}, []string{"no rule says"}},
		{"downward", "import", map[string]string{
			"internal/host/a.go": `package host; import _ "` + module + `internal/zone"`,
		}, nil},
		{"upward", "import", map[string]string{
			"internal/zone/a.go": `package zone; import _ "` + module + `internal/host"`,
		}, []string{"internal/zone must not import internal/host"}},
		{"upward in a test", "import", map[string]string{
			"internal/zone/a_test.go": `package zone; import _ "` + module + `internal/host"`,
		}, []string{"internal/zone must not import internal/host"}},
		{"aids in tests", "import", map[string]string{
			"internal/zone/a_test.go": `package zone_test; import (_ "` + module + `internal/zone"; _ "` + module + `internal/db/dbtest")`,
		}, nil},
		{"aids outside tests", "import", map[string]string{
			"internal/cloud/a.go": `package cloud; import _ "` + module + `internal/hypervisor/hypervisortest"`,
		}, []string{"is for tests"}},
		{"a contract in the domain", "import", map[string]string{
			"internal/host/a.go": `package host; import _ "` + module + `api"; import _ "net/http"`,
		}, []string{"must not import api", "must not import net/http"}},
		{"a facade in a facade", "import", map[string]string{
			"internal/facade/vcloud/a.go": `package vcloud; import _ "` + module + `internal/facade/cloudstack"`,
		}, []string{"must not import internal/facade/cloudstack"}},
		{"a driver that looks things up", "import", map[string]string{
			"internal/hypervisor/kvm/a.go": `package kvm; import _ "` + module + `internal/host"`,
		}, []string{"must not import internal/host"}},
		{"all but the binary meets in cloud", "import", map[string]string{
			"internal/cloud/a.go": `package cloud; import (_ "` + module + `internal/facade/vcloud"; _ "` + module + `internal/closing"; _ "` + module + `api/vcloud")`,
		}, nil},

		{"an unknown part", "part", map[string]string{"uid/a.go": `package uid; import _ "example.org/left-pad"`}, []string{"is new here"}},
		{"a part in the wrong place", "part", map[string]string{
			"api/a.go":                 `package api; import _ "modernc.org/sqlite"`,
			"internal/db/a.go":         `package db; import _ "modernc.org/sqlite/lib"`,
			"internal/host/a_test.go":  `package host; import _ "pgregory.net/rapid"`,
			"internal/host/a.go":       `package host; import _ "pgregory.net/rapid"`,
			"internal/host/store_x.go": `package host; import _ "github.com/uptrace/bun"`,
		}, []string{"api/a.go:1: modernc.org/sqlite belongs in", "internal/host/a.go:1: pgregory.net/rapid belongs in TESTS"}},

		{"sql in a service", "sql", map[string]string{
			"internal/host/host.go":      `package host; import "database/sql"; func f(tx any) { tx.NewRaw("select 1") }`,
			"internal/host/hoststore.go": `package host; import "github.com/uptrace/bun"; func f(tx any) { tx.NewRaw("select 1") }`,
			"internal/host/list.go":      `package host; import base "` + module + `internal/db"; var q = base.Prepare("select 1")`,
		}, []string{"database/sql is for files", "NewRaw: queries are made in", "base.Prepare: statements are declared in"}},
		{"a transaction in a facade", "sql", map[string]string{
			"internal/facade/vcloud/a.go": `package vcloud; import "` + module + `internal/db"; func f(tx db.Tx) {}`,
		}, []string{"never has a transaction"}},

		{"owners agree", "table", map[string]string{plan: owners, migrations + "/1.sql": sql}, nil},
		{"owners differ", "table", map[string]string{plan: strings.Replace(owners, "`hosts`", "`accounts`, `guests`", 1), migrations + "/1.sql": sql}, []string{
			"accounts is listed twice", "guests is given to internal/host, but no migration", "hosts of internal/host is not in",
			"accounts is given to internal/host, but the migrations give it to internal/account",
		}},
		{"no section", "table", map[string]string{plan: "", migrations + "/1.sql": "create table free ("}, []string{"1.sql:1: free stands in no section"}},
		{"another's table changed", "table", map[string]string{plan: owners, migrations + "/1.sql": sql + "alter table accounts add x text;"}, []string{
			"1.sql:5: accounts is not internal/host's to change",
		}},
		{"another's table written", "table", map[string]string{
			plan: owners, migrations + "/1.sql": sql,
			"internal/host/store.go":     "package host; const a, b = `update hosts set x = 1`, `delete\nfrom accounts`",
			"internal/host/a.go":         "package host; const a = `select 1 from hosts join accounts`",
			"internal/account/store.go":  "package account; const a = `select 1 from hosts`",
			"internal/host/bstore.go":    "package host; func f(tx any) { tx.NewUpdate().Table(`accounts`); tx.NewUpdate().Table(`hosts`); tx.NewSelect().Table(`accounts`) }",
			"internal/host/readstore.go": "package host; type r struct { b int `bun:\"table:accounts,alias:a\"` }; func g(tx any) { tx.NewSelect() }",
			"internal/host/badstore.go":  "package host; type s struct { b int `bun:\"table:accounts,alias:a\"` }; func h(tx any) { tx.NewInsert() }",
		}, []string{
			"internal/host/store.go:1: accounts belongs to internal/account", "internal/host/bstore.go:1: accounts belongs to internal/account",
			"internal/host/badstore.go:1: NewInsert in a file that reads accounts", "internal/account/store.go:1: hosts belongs to internal/host, which stands above",
		}},

		{"no doc", "doc", map[string]string{"uid/a.go": "package uid", "uid/a_test.go": "// Package uid tests.\npackage uid"}, []string{"what this package is for"}},
		{"two docs", "doc", map[string]string{"uid/a.go": "// Package uid is.\npackage uid", "uid/b.go": "// Package uid is.\npackage uid"}, []string{"a second package comment"}},
		{"a licence for a doc", "doc", map[string]string{"uid/a.go": "// Copyright\npackage uid"}, []string{`must begin with "Package uid"`}},
		{"a command's doc", "doc", map[string]string{"cmd/virga/main.go": "// Command virga is a cloud.\npackage main"}, nil},

		{"a long file", "size", map[string]string{
			"uid/a.go": "package uid" + strings.Repeat("\n", 801),
			"uid/b.go": "// Code generated by hand. DO NOT EDIT.\n\npackage uid" + strings.Repeat("\n", 5000),
		}, []string{"801 lines are more than 800"}},
		{"a long file of a list", "size", map[string]string{"api/cloudstack/a.go": "package cloudstack" + strings.Repeat("\n", 301)},
			[]string{"301 lines are more than 300"}},
		{"a large package", "size", map[string]string{
			"uid/a.go": "package uid" + strings.Repeat("\n", 799), "uid/b.go": "package uid" + strings.Repeat("\n", 799),
			"uid/c.go": "package uid" + strings.Repeat("\n", 799), "uid/d.go": "package uid" + strings.Repeat("\n", 799),
			"uid/e.go": "package uid" + strings.Repeat("\n", 799), "uid/f.go": "package uid" + strings.Repeat("\n", 799),
		}, []string{"uid: 4794 lines are more than 4000"}},

		{"the world comes in", "outside", map[string]string{
			"uid/a.go":           `package uid; import ("os"; clock "time"; _ "math/rand/v2"); var a, b, c = clock.Now, os.Getenv, clock.NewTimer`,
			"uid/a_test.go":      `package uid; import "time"; var a = time.Now`,
			"cmd/virga/main.go":  `package main; import "os"; var a = os.Getenv`,
			"internal/db/x.go":   `package db; type t struct{}; func f(time t) { time.Now() }`,
			"api/apitest/now.go": `package apitest; import "time"; var a = time.Now`,
		}, []string{"time.Now: the time comes", "os.Getenv: cmd reads", "math/rand/v2: chance"}},
		{"sleep", "sleep", map[string]string{"uid/a_test.go": `package uid; import "time"; func f() { time.Sleep(1) }`}, []string{"time.Sleep"}},
		{"init", "init", map[string]string{"uid/a.go": "package uid; func init() {}; type t int; func (t) init() {}"}, []string{"init runs unasked"}},
		{"empty names", "name", map[string]string{
			"internal/util/a.go": "package util",
			"uid/a.go":           "package uid; type (HostManager int; BaseHost int; Manager int; Database int); func GetHost() {}; func Getaway() {}",
		}, []string{"a package called util", "HostManager", "BaseHost", "GetHost"}},
		{"a wide interface", "interface", map[string]string{
			"uid/a.go": "package uid; type (w interface { a(); b(); c(); d(); e(); f(); g(); h(); i() }; n interface { a() })",
		}, []string{"w has 9 methods"}},
		{"wire tags in the domain", "tag", map[string]string{
			"internal/host/a.go": "package host; type a struct { b int `bun:\"b\"`; c int `json:\"c\"` }; type s struct { b int `json:\"b\"` }",
			"api/a.go":           "package api; type a struct { b int `json:\"b\"` }",
		}, []string{"internal/host/a.go:1: a wire's tag"}},
		{"silent skips", "skip", map[string]string{
			"uid/a_test.go": `package uid; import "testing"; func f(t *testing.T) { t.Skip("needs a printer"); t.Skipf("needs %d", 2); t.Skip("flaky"); t.SkipNow() }`,
		}, []string{"a skipped test", "a skipped test"}},

		{"dead links", "link", map[string]string{
			"Makefile":      "test: x\n",
			"README.md":     "# A day\n[a](docs/a.md#b-c) [b](docs/b.md) [c](docs/a.md#c) [d](https://example.org/x) [e](#a-day)\n`make test` `make tea` `internal/tea/x.go` `api/<noun>.go` TestA TestTea",
			"uid/a_test.go": `package uid; func TestA() {}`,
			"docs/a.md":     "## B, c\n[up](../README.md)\n```\n[z](z.md)\n```\n",
		}, []string{"docs/b.md: nothing is there", "docs/a.md#c: no such heading", "make has no target tea", "there is no internal/tea", "there is no test TestTea"}},
		{"stale snippets", "snippet", map[string]string{
			"README.md":        "```go\nx := uid.New[uid.VM]()\nuid.Old()\nother.Thing()\n```\n```sh\nuid.Old\n```\n",
			"uid/a.go":         "package uid; type VM int; func New[T any]() T { panic(0) }",
			"uid/late_test.go": "package uid; func Old() {}",
		}, []string{"uid.Old, which is not there"}},
		{"idle settings", "setting", map[string]string{
			"internal/setting/keys.go":   "package setting; var A, B, C = 1, 2, 3; var own = C",
			"internal/zone/a.go":         `package zone; import "github.com/virga-cloud/virga/internal/setting"; var x = setting.A`,
			"internal/zone/zone_test.go": `package zone; import "github.com/virga-cloud/virga/internal/setting"; var y = setting.B`,
		}, []string{"setting.B: nothing reads", "setting.C: nothing reads"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			found := &findings{t: invented(t, c.files)}
			checks[c.check](found.t, found)
			left := slices.Clone(c.want)
			for _, f := range found.list {
				i := slices.IndexFunc(left, func(want string) bool { return strings.Contains(f.String(), want) })
				if i < 0 {
					t.Errorf("found: %s", f)
					continue
				}
				left = slices.Delete(left, i, i+1)
			}
			for _, want := range left {
				t.Errorf("did not find: %s", want)
			}
		})
	}
}

// A rule that no package can reach, or that has no reason, is a mistake.
func TestRules(t *testing.T) {
	t.Parallel()
	for i, r := range rules {
		if r.why == "" {
			t.Errorf("%s has no reason", r.packages)
		}
		some := strings.NewReplacer("/...", "/some", "DOMAIN", domain[0]).Replace(r.packages)
		if ruleOf(some) != &rules[i] {
			t.Errorf("%s stands behind a rule that takes its packages", r.packages)
		}
	}
	seen := map[string]bool{}
	for _, name := range domain {
		if seen[name] {
			t.Errorf("%s stands in the domain's order twice", name)
		}
		seen[name] = true
	}
}
