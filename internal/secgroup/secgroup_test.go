package secgroup_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// world has two accounts, each with its default group.
type world struct {
	d        *db.DB
	groups   *secgroup.Service
	root     context.Context
	ann, bob auth.Caller
}

func newWorld(t *testing.T, d *db.DB) *world {
	t.Helper()
	accounts := account.New(account.Parts{DB: d, Hasher: auth.NewHasher(auth.TestCost())})
	engine := op.NewEngine(d, op.Options{Name: "test"})
	groups := secgroup.New(secgroup.Parts{DB: d, Accounts: accounts, Engine: engine, Documents: document.New(d, nil)})
	w := &world{d: d, groups: groups, root: auth.With(t.Context(), auth.System())}
	_, err := accounts.Bootstrap(t.Context(), account.BootstrapIn{Password: secret.New("password")})
	must(t, err)
	for name, caller := range map[string]*auth.Caller{"ann": &w.ann, "bob": &w.bob} {
		_, u, err := accounts.CreateAccount(w.root, account.CreateAccountIn{
			Name: name, Username: name, Password: secret.New("password"), Domain: auth.System().Domain,
		})
		must(t, err)
		*caller, _, err = accounts.ByUser(w.root, u.ID)
		must(t, err)
	}
	return w
}

func as(t *testing.T, c auth.Caller) context.Context { t.Helper(); return auth.With(t.Context(), c) }

// join puts a machine of an account into the groups that are wanted, as a deployment does.
func (w *world) join(ctx context.Context, vm uid.VM, owner uid.Account, want secgroup.Wanted) error {
	return w.d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		groups, err := want.Find(ctx, tx, auth.From(ctx).Reach(), owner)
		if err != nil {
			return err
		}
		return secgroup.Join(ctx, tx, vm, groups)
	})
}

func (w *world) leave(ctx context.Context, vm uid.VM) error {
	return w.d.Write(ctx, func(ctx context.Context, tx db.Tx) error { return secgroup.Leave(ctx, tx, vm) })
}

func TestGroups(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ann, bob, s := as(t, w.ann), as(t, w.bob), w.groups
		web, err := s.Create(ann, secgroup.CreateIn{Name: "web", Description: "Front ends"})
		must(t, err)
		_, err = s.Create(ann, secgroup.CreateIn{Name: "web"})
		refused(t, err, fault.Conflict, `called "web" already`)
		_, err = s.Create(ann, secgroup.CreateIn{Name: "default"})
		refused(t, err, fault.Conflict, `called "default" already`)
		_, err = s.Create(ann, secgroup.CreateIn{Name: " web"})
		refused(t, err, fault.Invalid, "no name")
		bobs, err := s.Create(bob, secgroup.CreateIn{Name: "web"})
		must(t, err)

		own := auth.Scope{Account: w.ann.Account}
		for _, c := range []struct {
			f    secgroup.Filter
			want string
		}{
			{secgroup.Filter{Scope: own}, "default web"},
			{secgroup.Filter{}, ""},
			{secgroup.Filter{Scope: own, Name: "web"}, "web"},
			{secgroup.Filter{Scope: own, ID: web}, "web"},
			{secgroup.Filter{Scope: own, ID: bobs}, ""},
			{secgroup.Filter{Scope: own, Keyword: "FRONT"}, "web"},
			{secgroup.Filter{Scope: own, Keyword: "Security"}, "default"},
		} {
			found, n, err := s.List(ann, c.f)
			must(t, err)
			var names []string
			for _, g := range found {
				names = append(names, g.Name)
			}
			if got := strings.Join(names, " "); got != c.want || n != len(found) {
				t.Errorf("%+v: %q, want %q", c.f, got, c.want)
			}
		}
		if page, n, err := s.List(ann, secgroup.Filter{Scope: auth.Scope{All: true}, Offset: 2, Limit: 2}); err != nil || n != 6 || len(page) != 2 {
			t.Errorf("second page: %d of %d, %v", len(page), n, err)
		}

		// Renaming, and the IDs that root admins choose.
		_, err = s.Update(bob, web, secgroup.Change{Name: "mine"})
		refused(t, err, fault.NotFound, string(web))
		_, err = s.Update(ann, web, secgroup.Change{Name: "default"})
		refused(t, err, fault.Conflict, `called "default" already`)
		all, _, err := s.List(ann, secgroup.Filter{Scope: own, Name: secgroup.Default})
		must(t, err)
		_, err = s.Update(ann, all[0].ID, secgroup.Change{Name: "mine"})
		refused(t, err, fault.Invalid, "can't be renamed")
		_, err = s.Update(ann, web, secgroup.Change{ID: uid.New[uid.SecurityGroup]()})
		refused(t, err, fault.Denied, "leave out customid")
		vm := uid.New[uid.VM]()
		must(t, w.join(ann, vm, w.ann.Account, secgroup.Wanted{IDs: []uid.SecurityGroup{web, web}}))
		_, err = s.Update(w.root, web, secgroup.Change{ID: bobs})
		refused(t, err, fault.Conflict, string(bobs))
		custom := uid.New[uid.SecurityGroup]()
		now, err := s.Update(w.root, web, secgroup.Change{Name: "front", ID: custom})
		must(t, err)
		members, err := secgroup.Members(ann, d.Read(), []uid.SecurityGroup{custom, web})
		must(t, err)
		if now != custom || len(members) != 1 || len(members[custom]) != 1 || members[custom][0] != vm {
			t.Errorf("group %s has %v", now, members)
		}

		// Deleting.
		refused(t, s.Delete(ann, secgroup.Which{}), fault.Invalid, "either the id or the name")
		refused(t, s.Delete(ann, secgroup.Which{ID: custom, Name: "front"}), fault.Invalid, "either the id or the name")
		refused(t, s.Delete(ann, secgroup.Which{Name: "default"}), fault.Invalid, "can't be deleted")
		refused(t, s.Delete(w.root, secgroup.Which{ID: all[0].ID}), fault.Invalid, "can't be deleted")
		refused(t, s.Delete(ann, secgroup.Which{Name: "front"}), fault.Conflict, "in use by 1 virtual machine:")
		refused(t, s.Delete(bob, secgroup.Which{ID: custom}), fault.NotFound, string(custom))
		refused(t, s.Delete(bob, secgroup.Which{Name: "front"}), fault.NotFound, `called "front"`)
		refused(t, s.Delete(w.root, secgroup.Which{ID: custom, Owner: account.For{Account: "bob", Domain: w.bob.Domain}}), fault.NotFound, string(custom))
		must(t, w.leave(ann, vm))
		must(t, s.Delete(w.root, secgroup.Which{ID: custom, Owner: account.For{Account: "ann", Domain: w.ann.Domain}}))
		must(t, s.Delete(bob, secgroup.Which{Name: "web"}))
		var kinds []string
		must(t, d.Read().NewRaw("select type from events where resource_id in (?, ?, ?) order by id", web, custom, bobs).Scan(ann, &kinds))
		if got := strings.Join(kinds, ","); got != "SG.CREATE,SG.CREATE,SG.UPDATE,SG.DELETE,SG.DELETE" {
			t.Errorf("events %s", got)
		}
	})
}

func TestMembers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ann, bob := as(t, w.ann), as(t, w.bob)
		web, err := w.groups.Create(ann, secgroup.CreateIn{Name: "web"})
		must(t, err)
		vms := []uid.VM{uid.New[uid.VM](), uid.New[uid.VM](), uid.New[uid.VM]()}
		must(t, w.join(ann, vms[0], w.ann.Account, secgroup.Wanted{}))
		must(t, w.join(w.root, vms[1], w.ann.Account, secgroup.Wanted{Names: []string{"web", "default"}}))
		must(t, w.join(bob, vms[2], w.bob.Account, secgroup.Wanted{}))
		refused(t, w.join(bob, vms[2], w.bob.Account, secgroup.Wanted{IDs: []uid.SecurityGroup{web}}), fault.NotFound, string(web))
		refused(t, w.join(w.root, vms[2], w.bob.Account, secgroup.Wanted{IDs: []uid.SecurityGroup{web}}), fault.Denied, "another account")
		refused(t, w.join(bob, vms[2], w.bob.Account, secgroup.Wanted{Names: []string{"default", "web"}}), fault.NotFound, `called "web"`)
		refused(t, secgroup.Wanted{IDs: []uid.SecurityGroup{web}, Names: []string{"web"}}.Check(), fault.Invalid, "use one of them")
		of, err := secgroup.Of(ann, d.Read(), vms)
		must(t, err)
		if len(of[vms[0]]) != 1 || of[vms[0]][0].Name != "default" || len(of[vms[1]]) != 2 || of[vms[1]][1].ID != web || len(of[vms[2]]) != 1 ||
			of[vms[2]][0].Account != w.bob.Account {
			t.Errorf("in groups %+v", of)
		}
		in, n, err := w.groups.List(ann, secgroup.Filter{Scope: auth.Scope{All: true}, VM: vms[1]})
		if must(t, err); n != 2 || len(in) != 2 {
			t.Errorf("the second machine is in %+v", in)
		}
	})
}

// A machine that joins a group while that gets another ID is in the group, whatever the ID.
func TestJoiningAGroupThatGetsAnotherID(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ann := as(t, w.ann)
		all, _, err := w.groups.List(ann, secgroup.Filter{Scope: auth.Scope{Account: w.ann.Account}})
		must(t, err)
		id := all[0].ID
		const rounds, machines = 10, 3
		for range rounds {
			var wait sync.WaitGroup
			for range machines {
				wait.Go(func() {
					if err := w.join(ann, uid.New[uid.VM](), w.ann.Account, secgroup.Wanted{}); err != nil {
						t.Error(err)
					}
				})
			}
			wait.Go(func() {
				if id, err = w.groups.Update(w.root, id, secgroup.Change{ID: uid.New[uid.SecurityGroup]()}); err != nil {
					t.Error(err)
				}
			})
			wait.Wait()
		}
		members, err := secgroup.Members(ann, d.Read(), []uid.SecurityGroup{id})
		if must(t, err); len(members[id]) != rounds*machines {
			t.Errorf("%d machines are in the group, want %d", len(members[id]), rounds*machines)
		}
	})
}

// A group that is deleted while machines join it is either there, with them, or not, and they get to know.
func TestJoiningADeletedGroup(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		ann := as(t, w.ann)
		for range 10 {
			id, err := w.groups.Create(ann, secgroup.CreateIn{Name: "race"})
			must(t, err)
			var all sync.WaitGroup
			var joined, deleted error
			all.Go(func() {
				joined = w.join(ann, uid.New[uid.VM](), w.ann.Account, secgroup.Wanted{Names: []string{"race"}})
			})
			all.Go(func() { deleted = w.groups.Delete(ann, secgroup.Which{ID: id}) })
			all.Wait()
			switch {
			case joined == nil && fault.Is(deleted, fault.Conflict):
				_, err := w.groups.Update(ann, id, secgroup.Change{Name: "was " + string(id)})
				must(t, err)
			case fault.Is(joined, fault.NotFound) && deleted == nil:
			default:
				t.Errorf("a group was deleted while a machine joined it: %v", errors.Join(joined, deleted))
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func refused(t *testing.T, err error, kind fault.Kind, says string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), says) {
		t.Errorf("got %v, want %s that says %q", err, kind, says)
	}
}
