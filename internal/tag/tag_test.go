package tag_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Key pairs stand for things of any kind here: they are what this package may know that accounts own.
func TestTags(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		accounts := account.New(account.Parts{DB: d, Hasher: auth.NewHasher(auth.TestCost())})
		_, err := accounts.Bootstrap(t.Context(), account.BootstrapIn{Password: secret.New("password")})
		must(t, err)
		root := auth.With(t.Context(), auth.System())
		tenant := func(name string) (context.Context, auth.Caller) {
			_, u, err := accounts.CreateAccount(root, account.CreateAccountIn{
				Name: name, Username: name, Password: secret.New("password"), Domain: auth.System().Domain,
			})
			must(t, err)
			caller, _, err := accounts.ByUser(root, u.ID)
			must(t, err)
			return auth.With(t.Context(), caller), caller
		}
		ann, annCaller := tenant("ann")
		bob, _ := tenant("bob")
		keys := keypair.New(d, accounts)
		thing := func(by context.Context, name string) string {
			p, _, err := keys.Create(by, keypair.In{Name: name})
			must(t, err)
			return string(p.ID)
		}
		one, two, bobs := thing(ann, "one"), thing(ann, "two"), thing(bob, "one")
		e := op.NewEngine(d, op.Options{Name: "test"})
		s := tag.New(d, e, tag.Kind{Type: tag.VM, Table: "ssh_keypairs"}, tag.Kind{Type: tag.Zone, Table: "accounts", Common: true},
			tag.Kind{Type: tag.ISO, Table: "ssh_keypairs", Live: "name = 'one'"})
		stop, err := e.Start(t.Context())
		must(t, err)
		t.Cleanup(stop)
		in := func(kind tag.Type, ids string, tags ...string) tag.In {
			in := tag.In{Type: kind, Resources: strings.Split(ids, ","), Customer: "me"}
			for _, one := range tags {
				key, value, _ := strings.Cut(one, "=")
				in.Tags = append(in.Tags, tag.Pair{Key: key, Value: value})
			}
			return in
		}
		done := func(job op.ID, err error) {
			t.Helper()
			must(t, err)
			wait, cancel := context.WithTimeout(root, time.Minute)
			defer cancel()
			if r, err := e.Wait(wait, job); err != nil || r.State != op.Done || r.AccountID != annCaller.Account && r.SubjectKind != "Zone" {
				t.Fatalf("%+v, %v", r, err)
			}
		}
		done(s.Create(ann, in("uservm", two+","+strings.ToUpper(one)+","+one, "region=canada", "city=Toronto")))
		done(s.Create(root, in(tag.VM, one, "by=root")))
		done(s.Create(ann, in(tag.ISO, one, "city=Ottawa"))) // another kind's
		done(s.Create(root, in(tag.Zone, string(annCaller.Account), "city=Paris")))

		many := make([]string, tag.Most-2)
		for i := range many {
			many[i] = strconv.Itoa(i) + "=x"
		}
		for name, c := range map[string]struct {
			by   context.Context
			in   tag.In
			kind fault.Kind
			says string
		}{
			"another's":         {bob, in(tag.VM, one, "x=y"), fault.NotFound, "no UserVm with id " + one},
			"one is another's":  {bob, in(tag.VM, bobs+","+one, "x=y"), fault.NotFound, "no UserVm with id " + one},
			"nothing's":         {ann, in(tag.VM, string(uid.New[uid.VM]()), "x=y"), fault.NotFound, "no UserVm"},
			"not live":          {ann, in(tag.ISO, two, "x=y"), fault.NotFound, "no ISO"},
			"no id":             {ann, in(tag.VM, "7", "x=y"), fault.Invalid, `"7"`},
			"no such type":      {ann, in("Snapshot", one, "x=y"), fault.Invalid, "UserVm, Zone, ISO"},
			"there already":     {ann, in(tag.VM, two+","+one, "y=1", "city=Bonn"), fault.Conflict, `a tag "city" already`},
			"the same again":    {ann, in(tag.VM, one, "city=Toronto"), fault.Conflict, `a tag "city" already`},
			"twice":             {ann, in(tag.VM, one, "x=1", "x=2"), fault.Invalid, "twice"},
			"no key":            {ann, in(tag.VM, one, "=1"), fault.Invalid, "no key"},
			"no value":          {ann, in(tag.VM, one, "x"), fault.Invalid, "no value"},
			"no tags":           {ann, in(tag.VM, one), fault.Invalid, "no tags"},
			"too many":          {ann, in(tag.VM, one, many...), fault.Limit, "100 at most"},
			"a user on a zone":  {ann, in(tag.Zone, string(annCaller.Account), "x=y"), fault.Denied, "only root admins"},
			"nobody":            {t.Context(), in(tag.VM, one, "x=y"), fault.NotFound, "no UserVm"},
			"no resources":      {ann, tag.In{Type: tag.VM, Tags: []tag.Pair{{Key: "x", Value: "y"}}}, fault.Invalid, "no resourceids"},
			"an empty resource": {ann, in(tag.VM, "", "x=y"), fault.Invalid, `""`},
		} {
			if _, err := s.Create(c.by, c.in); !fault.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v", name, err)
			}
		}
		own := auth.Scope{Account: annCaller.Account}
		for _, c := range []struct {
			f    tag.Filter
			want int
		}{
			{tag.Filter{}, 0}, {tag.Filter{Scope: own}, 6}, {tag.Filter{Scope: auth.Scope{All: true}}, 7}, {tag.Filter{Scope: own, Key: "city"}, 3},
			{tag.Filter{Scope: own, Type: "iso"}, 1}, {tag.Filter{Scope: own, Resource: two}, 2}, {tag.Filter{Scope: own, Value: "canada"}, 2},
			{tag.Filter{Scope: own, Customer: "me"}, 6}, {tag.Filter{Scope: own, Customer: "you"}, 0}, {tag.Filter{Scope: own, Keyword: "TORON"}, 2},
			{tag.Filter{Scope: own, Type: "Backup"}, 0}, {tag.Filter{Scope: own, Limit: 1, Offset: 1}, 6},
		} {
			if got, n, err := s.List(ann, c.f); err != nil || n != c.want || c.f.Limit == 1 && len(got) != 1 {
				t.Errorf("%+v: %d, %v", c.f, n, err)
			}
		}
		if _, _, err := s.List(ann, tag.Filter{Scope: own, Type: "Cat"}); !fault.Is(err, fault.Invalid) {
			t.Errorf("a type that nobody knows: %v", err)
		}

		done(s.Delete(ann, in(tag.VM, one+","+two, "city=Bonn", "region=canada")))
		if _, err := s.Delete(ann, in(tag.VM, one, "region", "x")); !fault.Is(err, fault.NotFound) {
			t.Errorf("deleted again: %v", err)
		}
		if _, err := s.Delete(bob, in(tag.VM, one, "city")); !fault.Is(err, fault.NotFound) {
			t.Errorf("another's deleted: %v", err)
		}
		left := func(id string) (out []string) {
			found, err := tag.Of(root, d.Read(), tag.VM, []string{one, two})
			must(t, err)
			for _, one := range found[id] {
				out = append(out, one.Key+"="+one.Value)
			}
			return out
		}
		if got := strings.Join(left(one), " ") + "|" + strings.Join(left(two), " "); got != "by=root city=Toronto|city=Toronto" {
			t.Errorf("left: %s", got)
		}
		done(s.Delete(ann, in(tag.VM, one)))
		done(s.Delete(ann, in(tag.VM, one))) // all of none
		if got := left(one); len(got) != 0 {
			t.Errorf("left: %v", got)
		}
		must(t, d.Write(root, func(ctx context.Context, tx db.Tx) error {
			if err := tag.Follow(ctx, tx, tag.VM, uid.VM(two), uid.VM(one)); err != nil {
				return err
			}
			return tag.Forget(ctx, tx, tag.ISO, uid.Template(one))
		}))
		if got := left(one); len(got) != 1 {
			t.Errorf("followed: %v", got)
		}
		must(t, d.Write(root, func(ctx context.Context, tx db.Tx) error { return tag.RemoveAllOf(ctx, tx, annCaller.Account) }))
		if _, n, err := s.List(root, tag.Filter{Scope: auth.Scope{All: true}}); err != nil || n != 1 {
			t.Errorf("left when the account is gone: %d; %v", n, err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
