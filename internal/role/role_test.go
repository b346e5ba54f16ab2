package role

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

type world struct {
	*Service
	t    *testing.T
	root context.Context
	used map[uid.Role]int
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		w := &world{t: t, root: auth.With(context.Background(), auth.System()), used: map[uid.Role]int{}}
		d := dbtest.OpenAt(t, url, time.Now)
		w.Service = New(d, commands)
		w.UsedBy(func(_ context.Context, _ db.Tx, id uid.Role) (int, error) { return w.used[id], nil })
		test(w)
	})
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) wants(what string, err error, kind fault.Kind) {
	w.t.Helper()
	if kind == "" && err != nil || kind != "" && !fault.Is(err, kind) {
		w.t.Errorf("%s: %v, want %q", what, err, kind)
	}
}

// made imports a role with these rules.
func (w *world) made(name string, t auth.AccountType, rules string) uid.Role {
	w.t.Helper()
	id, err := w.Import(w.root, ImportIn{Name: name, Type: t, Rules: rulesFrom(rules)})
	w.must(err)
	return id
}

// with is a context in which somebody with that role calls.
func (w *world) with(id uid.Role) context.Context {
	w.t.Helper()
	found, err := ByID(w.root, w.db.Read(), []uid.Role{id})
	w.must(err)
	return auth.With(context.Background(), auth.Caller{User: "u", Account: "a", Domain: "d", DomainPath: "ROOT/d", Type: found[id].Type, Role: id})
}

// allowed are the commands that somebody with that role may use, by a server's memory.
func (w *world) allowed(s *Service, id uid.Role) string {
	w.t.Helper()
	out := set{}
	ctx := w.with(id)
	for _, c := range commands {
		ok, err := s.Allows(ctx, auth.From(ctx), c.Name)
		w.must(err)
		out[c.Name] = ok
	}
	return out.String()
}

func TestALifeOfARole(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		id, err := w.Create(w.root, CreateIn{Name: "operators", Type: new(auth.User), Private: true})
		w.must(err)
		if got := w.allowed(w.Service, id); got != "" {
			t.Errorf("a role without rules allows %s", got)
		}
		first, err := w.AddRule(w.root, Rule{Role: id, Pattern: "list*", Allow: true, Description: "lists"})
		w.must(err)
		second, err := w.AddRule(w.root, Rule{Role: id, Pattern: "listZones"})
		w.must(err)
		third, err := w.AddRule(w.root, Rule{Role: id, Pattern: "startMachine", Allow: true})
		w.must(err)
		allowed := func(want string) {
			t.Helper()
			if got := w.allowed(w.Service, id); got != want {
				t.Errorf("it allows %q, want %q", got, want)
			}
		}
		allowed("listZones startMachine")
		w.must(w.OrderRules(w.root, id, []uid.RolePermission{second, first, third}))
		allowed("startMachine")
		w.must(w.TurnRule(w.root, id, second, true))
		allowed("listZones startMachine")
		w.must(w.DeleteRule(w.root, third))
		allowed("listZones")
		rules, err := w.Rules(w.root, id)
		w.must(err)
		if len(rules) != 2 || rules[0].ID != second || !rules[0].Allow || rules[1].ID != first || rules[1].Description != "lists" {
			t.Errorf("its rules: %+v", rules)
		}

		w.must(w.Update(w.root, id, UpdateIn{Name: new("people"), Public: new(true), Type: new(auth.DomainAdmin)}))
		allowed("listZones listUsers")
		w.used[id] = 3
		w.wants("another type for a role in use", w.Update(w.root, id, UpdateIn{Type: new(auth.User)}), fault.Conflict)
		w.must(w.Update(w.root, id, UpdateIn{Description: new("who looks")}))
		w.must(w.SetState(w.root, id, Disabled))
		allowed("")
		w.must(w.SetState(w.root, id, Enabled))
		allowed("listZones listUsers")
		err = w.Delete(w.root, id)
		w.wants("delete a role in use", err, fault.Conflict)
		if err != nil && !strings.Contains(err.Error(), "3 accounts") {
			t.Errorf("it doesn't say by how many: %v", err)
		}
		delete(w.used, id)
		w.must(w.Delete(w.root, id))
		allowed("")
		w.wants("delete it again", w.Delete(w.root, id), fault.NotFound)
		w.wants("a rule for it", failureOf(w.AddRule(w.root, Rule{Role: id, Pattern: "x"})), fault.NotFound)
		_, err = w.Create(w.root, CreateIn{Name: "people", Type: new(auth.User)})
		w.wants("the name is free again", err, "")

		got, _, err := event.List(w.root, w.db.Read(), event.Filter{Scope: auth.Scope{All: true}})
		w.must(err)
		var kinds []string
		for _, e := range got {
			if e.ResourceID == string(id) {
				kinds = append(kinds, strings.TrimPrefix(string(e.Type), "ROLE."))
			}
		}
		slices.Sort(kinds)
		if want := strings.Fields("CREATE DELETE DISABLE ENABLE" + strings.Repeat(" PERMISSION.CREATE", 3) + " PERMISSION.DELETE" +
			strings.Repeat(" PERMISSION.UPDATE", 2) + strings.Repeat(" UPDATE", 2)); !slices.Equal(kinds, want) {
			t.Errorf("its events: %s", kinds)
		}
	})
}

func failureOf[T any](_ T, err error) error { return err }

func TestBadInputChangesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		mine := w.made("mine", auth.User, "list* -startMachine")
		other := w.made("other", auth.User, "list*")
		rules, err := w.Rules(w.root, mine)
		w.must(err)
		others, err := w.Rules(w.root, other)
		w.must(err)
		a, b := rules[0].ID, rules[1].ID
		root := auth.DefaultRole(auth.RootAdmin)
		state := func() string {
			all, _, err := w.List(w.root, Filter{})
			w.must(err)
			rules, err := w.Rules(w.root, "")
			w.must(err)
			return fmt.Sprint(all, rules)
		}
		before := state()
		create := func(in CreateIn) error { return failureOf(w.Create(w.root, in)) }
		load := func(in ImportIn) error { return failureOf(w.Import(w.root, in)) }
		add := func(r Rule) error { return failureOf(w.AddRule(w.root, r)) }
		for what, row := range map[string]struct {
			err  error
			kind fault.Kind
		}{
			"neither type nor role":    {create(CreateIn{Name: "x"}), fault.Invalid},
			"both":                     {create(CreateIn{Name: "x", Type: new(auth.User), From: mine}), fault.Invalid},
			"no such type":             {create(CreateIn{Name: "x", Type: new(auth.AccountType(4))}), fault.Invalid},
			"no name":                  {create(CreateIn{Name: " ", Type: new(auth.User)}), fault.Invalid},
			"an unseen name":           {create(CreateIn{Name: "a\u202eb", Type: new(auth.User)}), fault.Invalid},
			"a name that is taken":     {create(CreateIn{Name: "mine", Type: new(auth.User)}), fault.Conflict},
			"a default role's name":    {create(CreateIn{Name: "root ADMIN", Type: new(auth.User)}), fault.Conflict},
			"a copy of nothing":        {create(CreateIn{Name: "x", From: uid.New[uid.Role]()}), fault.NotFound},
			"no rules":                 {load(ImportIn{Name: "x"}), fault.Invalid},
			"rules that say nothing":   {load(ImportIn{Name: "x", Rules: rulesFrom("a.b")}), fault.Invalid},
			"the same rule twice":      {load(ImportIn{Name: "x", Rules: rulesFrom("a* -A*")}), fault.Conflict},
			"imported over one":        {load(ImportIn{Name: "mine", Rules: rulesFrom("a*")}), fault.Conflict},
			"imported over a default":  {load(ImportIn{Name: "User", Rules: rulesFrom("a*"), Forced: true}), fault.Conflict},
			"rename to a taken name":   {w.Update(w.root, mine, UpdateIn{Name: new("other")}), fault.Conflict},
			"update a default role":    {w.Update(w.root, root, UpdateIn{Name: new("x")}), fault.Conflict},
			"delete a default role":    {w.Delete(w.root, root), fault.Conflict},
			"disable a default role":   {w.SetState(w.root, root, Disabled), fault.Conflict},
			"a rule for a default one": {add(Rule{Role: root, Pattern: "x"}), fault.Conflict},
			"a rule that is there":     {add(Rule{Role: mine, Pattern: "LIST*"}), fault.Conflict},
			"a rule that is none":      {add(Rule{Role: mine, Pattern: "list Zones"}), fault.Invalid},
			"a rule of a default one":  {w.DeleteRule(w.root, uid.Named[uid.RolePermission](string(root), "*")), fault.NotFound},
			"turn another's rule":      {w.TurnRule(w.root, mine, others[0].ID, false), fault.NotFound},
			"an order with one less":   {w.OrderRules(w.root, mine, []uid.RolePermission{a}), fault.Invalid},
			"an order with one twice":  {w.OrderRules(w.root, mine, []uid.RolePermission{a, a}), fault.Invalid},
			"an order with another's":  {w.OrderRules(w.root, mine, []uid.RolePermission{a, b, others[0].ID}), fault.NotFound},
		} {
			w.wants(what, row.err, row.kind)
		}
		if after := state(); after != before {
			t.Errorf("something has changed:\n%s\n%s", before, after)
		}
	})
}

func TestImportReplaces(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		id := w.made("support", auth.User, "list*")
		again, err := w.Import(w.root, ImportIn{Name: "support", Type: auth.User, Description: "new", Rules: rulesFrom("-listZones st*"), Forced: true})
		w.must(err)
		if got := w.allowed(w.Service, id); again != id || got != "startMachine stopMachine" {
			t.Errorf("it is %s, was %s, and allows %q", again, id, got)
		}
		copied, err := w.Create(w.root, CreateIn{Name: "copy", From: auth.DefaultRole(auth.DomainAdmin)})
		w.must(err)
		rules, err := w.Rules(w.root, copied)
		w.must(err)
		if got := w.allowed(w.Service, copied); got != "listZones startMachine stopMachine listUsers" || len(rules) != 4 {
			t.Errorf("a copy allows %q by %d rules", got, len(rules))
		}
	})
}

// A change is known at once to the server that makes it, and to another one when it looks.
func TestServersLearnOfChanges(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		other := New(w.db, commands)
		w.must(other.Load(w.root))
		id := w.made("role", auth.User, "list*")
		if got := w.allowed(other, id); got != "listZones" {
			t.Errorf("a role that the other server has never seen allows %q", got)
		}
		rule, err := w.AddRule(w.root, Rule{Role: id, Pattern: "startMachine", Allow: true})
		w.must(err)
		if here, there := w.allowed(w.Service, id), w.allowed(other, id); here != "listZones startMachine" || there != "listZones" {
			t.Errorf("here %q, there %q", here, there)
		}
		for _, step := range []struct {
			do   func() error
			want string
		}{
			{func() error { return nil }, "listZones startMachine"},
			{func() error { return w.TurnRule(w.root, id, rule, false) }, "listZones"},
			{func() error { return w.Update(w.root, id, UpdateIn{Type: new(auth.RootAdmin)}) }, "listZones listUsers listHosts"},
			{func() error { return w.SetState(w.root, id, Disabled) }, ""},
			{func() error { return w.SetState(w.root, id, Enabled) }, "listZones listUsers listHosts"},
			{func() error { return w.Delete(w.root, id) }, ""},
		} {
			w.must(step.do())
			w.must(other.Load(w.root))
			if got := w.allowed(other, id); got != step.want {
				t.Errorf("the other server: %q, want %q", got, step.want)
			}
		}
	})
}

// Nobody gives, makes, changes or deletes what is more than they have.
func TestNoRoleGivesMoreThanItHas(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		roles := map[string]uid.Role{
			"root": auth.DefaultRole(auth.RootAdmin), "resource": auth.DefaultRole(auth.ResourceAdmin),
			"domain": auth.DefaultRole(auth.DomainAdmin), "user": auth.DefaultRole(auth.User),
			"looker":   w.made("looker", auth.User, "list*"),
			"narrow":   w.made("narrow", auth.DomainAdmin, "list* createAccount"),
			"hardware": w.made("hardware", auth.User, "listHosts"),
			"limited":  w.made("limited", auth.RootAdmin, "-createZone *"),
			"off":      w.made("off", auth.User, "list*"),
		}
		hidden, err := w.Create(w.root, CreateIn{Name: "hidden", Type: new(auth.User), Private: true})
		w.must(err)
		roles["hidden"] = hidden
		w.must(w.SetState(w.root, roles["off"], Disabled))
		names := []string{"root", "resource", "domain", "user", "looker", "narrow", "hardware", "limited", "off", "hidden"}
		for _, row := range []struct{ by, gives string }{
			{"root", "root resource domain user looker narrow hardware limited hidden"},
			{"limited", "resource domain user looker narrow hardware limited hidden"},
			{"resource", "resource user looker"},
			{"domain", "domain user looker"},
			{"narrow", "looker narrow"},
			{"user", "user looker"},
			{"looker", "looker"},
		} {
			ctx := w.with(roles[row.by])
			var gives, covers []string
			for _, name := range names {
				_, err := w.Grant(ctx, w.db.Read(), roles[name])
				if err == nil {
					gives = append(gives, name)
				} else if root := auth.From(ctx).IsRoot(); root && !fault.Is(err, fault.Denied) && name != "off" || !root && !fault.Is(err, fault.NotFound) &&
					name != "off" {
					t.Errorf("%s gives %s: %v", row.by, name, err)
				}
				found, err := ByID(ctx, w.db.Read(), []uid.Role{roles[name]})
				w.must(err)
				ok, err := w.Covers(ctx, w.db.Read(), found[roles[name]].Type, roles[name])
				w.must(err)
				if ok && name != "off" && (name != "hidden" || auth.From(ctx).IsRoot()) {
					covers = append(covers, name)
				}
			}
			if got := strings.Join(gives, " "); got != row.gives {
				t.Errorf("%s gives %s, want %s", row.by, got, row.gives)
			}
			if got := strings.Join(covers, " "); got != row.gives {
				t.Errorf("%s covers %s, want %s", row.by, got, row.gives)
			}
			var sees []string
			all, _, err := w.List(ctx, Filter{})
			w.must(err)
			for _, name := range names {
				if slices.ContainsFunc(all, func(r Role) bool { return r.ID == roles[name] }) {
					sees = append(sees, name)
				}
			}
			if got := strings.ReplaceAll(strings.Join(sees, " "), " off", ""); got != row.gives && !auth.From(ctx).IsRoot() {
				t.Errorf("%s sees %s, want %s", row.by, got, row.gives)
			}
		}

		limited, seer := w.with(roles["limited"]), w.made("seer", auth.RootAdmin, "list*")
		for what, err := range map[string]error{
			"an own role with more": failureOf(w.AddRule(w.with(seer), Rule{Role: seer, Pattern: "createZone", Allow: true})),
			"import":                failureOf(w.Import(limited, ImportIn{Name: "x", Type: auth.RootAdmin, Rules: rulesFrom("*")})),
			"import by name":        failureOf(w.Import(limited, ImportIn{Name: "x", Type: auth.User, Rules: rulesFrom("createZone")})),
			"a copy":                failureOf(w.Create(limited, CreateIn{Name: "x", From: roles["root"]})),
			"domain admins make":    failureOf(w.Create(w.with(roles["domain"]), CreateIn{Name: "x", Type: new(auth.User)})),
			"domain admins change":  w.SetState(w.with(roles["domain"]), roles["looker"], Disabled),
			"domain admins delete":  w.Delete(w.with(roles["resource"]), roles["looker"]),
			"nobody":                w.Delete(context.Background(), roles["looker"]),
		} {
			w.wants(what, err, fault.Denied)
		}
		rules, err := w.Rules(w.root, roles["limited"])
		w.must(err)
		w.wants("the own deny, turned", w.TurnRule(limited, roles["limited"], rules[0].ID, true), fault.Denied)
		w.wants("the own deny, last", w.OrderRules(limited, roles["limited"], []uid.RolePermission{rules[1].ID, rules[0].ID}), fault.Denied)
		w.wants("the own deny, gone", w.DeleteRule(limited, rules[0].ID), fault.Denied)
		if got := w.allowed(w.Service, roles["limited"]); strings.Contains(got, "createZone") {
			t.Errorf("it allows %s", got)
		}
		more := w.made("more", auth.User, "createZone")
		w.wants("to change one that has more", w.SetState(limited, more, Disabled), fault.Denied)
		w.wants("to delete one that has more", w.Delete(limited, more), fault.Denied)
		_, err = w.Create(limited, CreateIn{Name: "less", Type: new(auth.RootAdmin)})
		w.wants("one that has less", err, "")
	})
}

// Rules that are added at the same time have places of their own, and none is there twice.
func TestRulesAddedAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		id, err := w.Create(w.root, CreateIn{Name: "busy", Type: new(auth.User)})
		w.must(err)
		var all sync.WaitGroup
		var refused atomic.Int64
		for i := range 12 {
			all.Go(func() {
				_, err := w.AddRule(w.root, Rule{Role: id, Pattern: fmt.Sprint("list", i/2), Allow: true})
				if fault.Is(err, fault.Conflict) {
					refused.Add(1)
				} else if err != nil {
					w.t.Error(err)
				}
			})
		}
		all.Wait()
		rules, err := w.Rules(w.root, id)
		w.must(err)
		places := map[int64]bool{}
		for _, r := range rules {
			places[r.Position] = true
		}
		if len(rules) != 6 || len(places) != 6 || refused.Load() != 6 {
			w.t.Errorf("%d rules in %d places, %d refused", len(rules), len(places), refused.Load())
		}
	})
}

// A role has no more rules than a server can keep.
func TestRulesHaveALimit(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var rules []Rule
		for i := range maxRules {
			rules = append(rules, Rule{Pattern: fmt.Sprint("list", i)})
		}
		_, err := w.Import(w.root, ImportIn{Name: "x", Type: auth.User, Rules: append(rules, Rule{Pattern: "*"})})
		w.wants("import", err, fault.Limit)
		id, err := w.Import(w.root, ImportIn{Name: "x", Type: auth.User, Rules: rules})
		w.must(err)
		w.wants("one more", failureOf(w.AddRule(w.root, Rule{Role: id, Pattern: "*"})), fault.Limit)
	})
}
