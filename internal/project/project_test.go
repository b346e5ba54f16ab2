package project

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// all are the ordinary users.
var all = []string{"ann", "amy", "bob", "cid", "eve"}

// An account belongs to a project with all its users, a user by itself; whoever leaves reaches it no more.
func TestMembers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.project("web")
		w.same("at first", w.in(id, "any", all...), "ann", "amy")
		add := func(as string, in AddIn) error { _, err := w.projects.Add(w.as(as), id, in); return err }
		drop := func(as string, in RemoveIn) error { _, err := w.projects.RemoveMember(w.as(as), id, in); return err }
		for _, r := range []struct {
			what string
			err  error
			want fault.Kind
		}{
			{"somebody else adds himself", add("cid", AddIn{Account: "cid"}), fault.NotFound},
			{"another domain's account", add("ann", AddIn{Account: "eve"}), fault.NotFound},
			{"another domain's user", add("ann", AddIn{Username: "eve"}), fault.NotFound},
			{"the cloud's own", add("ann", AddIn{Account: "system"}), fault.NotFound},
			{"an account", add("ann", AddIn{Account: "bob"}), ""},
			{"the same account again", add("amy", AddIn{Account: "bob"}), fault.Conflict},
			{"a user of it by himself, too", add("ann", AddIn{Username: "bob"}), ""},
			{"that user again", add("ann", AddIn{Username: "bob"}), fault.Conflict},
			{"a member who administers nothing adds", add("bob", AddIn{Account: "cid"}), fault.Denied},
			{"a member who administers nothing removes", drop("bob", RemoveIn{Account: "ann"}), fault.Denied},
			{"a domain's admin adds", add("aadmin", AddIn{Username: "cid"}), ""},
		} {
			w.want(r.what, r.err, r.want)
		}
		w.same("then", w.in(id, "any", all...), "ann", "amy", "bob", "cid")
		w.want("an account goes", drop("ann", RemoveIn{Account: "bob"}), "")
		w.same("its user is one by himself", w.in(id, "any", "bob"), "bob")
		w.want("it is gone", drop("ann", RemoveIn{Account: "bob"}), fault.NotFound)
		w.want("a user takes himself out", drop("bob", RemoveIn{User: w.users["bob"]}), "")
		w.want("and is out", drop("bob", RemoveIn{User: w.users["bob"]}), fault.NotFound)
		w.same("in the end", w.in(id, "any", all...), "ann", "amy", "cid")
		w.must(w.accounts.DeleteUser(w.as("aadmin"), w.users["cid"]))
		members, err := membersOf(t.Context(), w.db.Read(), id)
		if err != nil || len(members) != 1 {
			t.Errorf("a user that was deleted is still a member: %v, %v", members, err)
		}
	})
}

// A project always has somebody who administers it, and counts for each account that does.
func TestAdministrators(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id, to := w.project("web"), new(bool)
		update := func(as string, in UpdateIn) error { _, err := w.projects.Update(w.as(as), id, in); return err }
		counts := func(what string, ann, bob int64) {
			t.Helper()
			if a, b := w.counted("ann"), w.counted("bob"); a != ann || b != bob {
				t.Errorf("%s: %d projects count for ann, %d for bob; want %d and %d", what, a, b, ann, bob)
			}
		}
		counts("at first", 1, 0)
		_, err := w.projects.RemoveMember(w.as("ann"), id, RemoveIn{Account: "ann"})
		w.want("the only one leaves", err, fault.Conflict)
		w.want("the only one steps back", update("ann", UpdateIn{Account: "ann", Admin: to}), fault.Conflict)
		w.want("one who is no member", update("ann", UpdateIn{Account: "bob"}), fault.NotFound)
		_, err = w.projects.Add(w.as("ann"), id, AddIn{Username: "bob"})
		w.must(err)
		w.want("a member makes himself one", update("bob", UpdateIn{User: w.users["bob"]}), fault.Denied)
		counts("a member", 1, 0)
		*to = true
		w.want("a second one", update("ann", UpdateIn{User: w.users["bob"], Admin: to}), "")
		counts("a second one", 1, 1)
		w.want("in whose place?", update("ann", UpdateIn{User: w.users["bob"]}), fault.Conflict)
		*to = false
		w.want("he takes over", update("bob", UpdateIn{Account: "ann", Admin: to}), "")
		counts("he took over", 0, 1)
		w.want("and gives it back", update("bob", UpdateIn{Account: "ann"}), "")
		counts("he gave it back", 1, 0)
		w.want("he has nothing to say", update("bob", UpdateIn{Name: "bobs"}), fault.Denied)
		err = w.db.Write(w.as("aadmin"), func(ctx context.Context, tx db.Tx) error { return Leave(ctx, tx, w.of["ann"], "") })
		w.want("the account of the only one goes", err, fault.Conflict)
		counts("it stays", 1, 0)
	})
}

// The limit of projects is of those that an account administers, whoever of it does.
func TestLimitOfProjects(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.set(setting.MaxProjects.Name, "2")
		w.project("one")
		_, _, err := w.projects.Create(w.as("amy"), CreateIn{Name: "two", User: w.users["amy"]})
		w.want("within the limit", err, "")
		_, _, err = w.projects.Create(w.as("ann"), CreateIn{Name: "three"})
		w.want("beyond it", err, fault.Limit)
		bobs, _, err := w.projects.Create(w.as("bob"), CreateIn{Name: "three"})
		w.must(err)
		_, err = w.projects.Add(w.as("bob"), bobs, AddIn{Account: "ann"})
		w.want("a member may be in any number", err, "")
		_, err = w.projects.Add(w.as("bob"), bobs, AddIn{Username: "amy", Admin: true})
		w.want("but not administer it", err, fault.Limit)
		w.set(setting.UsersCreateProjects.Name, "false")
		_, _, err = w.projects.Create(w.as("cid"), CreateIn{Name: "four"})
		w.want("only admins may", err, fault.Denied)
	})
}

// Who is invited becomes a member by accepting, as long as the invitation is good; nobody else does.
func TestInvitations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.set(setting.InvitesRequired.Name, "true")
		w.set(setting.InviteTimeout.Name, "60")
		id := w.project("web")
		invite := func(in AddIn) error { _, err := w.projects.Add(w.as("ann"), id, in); return err }
		answer := func(as string, in AnswerIn) error { _, err := w.projects.Answer(w.as(as), id, in); return err }
		open := func(as string) int {
			t.Helper()
			_, n, err := w.projects.Invitations(w.as(as), InvitationFilter{Scope: auth.Scope{Account: auth.From(w.as(as)).Account}, Active: true})
			w.must(err)
			return n
		}
		w.want("an account", invite(AddIn{Account: "bob"}), "")
		w.want("twice", invite(AddIn{Account: "bob"}), fault.Conflict)
		w.want("a user", invite(AddIn{Username: "cid"}), "")
		if bob, cid, amy := open("bob"), open("cid"), open("amy"); bob != 1 || cid != 1 || amy != 0 {
			t.Errorf("bob sees %d, cid %d, amy %d invitations", bob, cid, amy)
		}
		w.same("invited only", w.in(id, "any", all...), "ann", "amy")
		for _, r := range []struct {
			what, as string
			in       AnswerIn
			want     fault.Kind
		}{
			{"not invited", "eve", AnswerIn{}, fault.NotFound},
			{"for another account", "cid", AnswerIn{Account: "bob"}, fault.NotFound},
			{"for another user", "bob", AnswerIn{User: w.users["cid"]}, fault.NotFound},
			{"for no user", "bob", AnswerIn{User: uid.New[uid.User]()}, fault.NotFound},
			{"who administers the project", "ann", AnswerIn{Account: "bob"}, fault.NotFound},
			{"accepted for the account", "bob", AnswerIn{}, ""},
			{"once is enough", "bob", AnswerIn{}, fault.NotFound},
			{"declined by the user", "cid", AnswerIn{Decline: true}, ""},
			{"he can't think better of it", "cid", AnswerIn{}, fault.NotFound},
		} {
			w.want(r.what, answer(r.as, r.in), r.want)
		}
		w.same("accepted", w.in(id, "any", all...), "ann", "amy", "bob")
		w.want("invited again", invite(AddIn{Username: "cid"}), "")
		w.pass(time.Minute)
		if n := open("cid"); n != 0 {
			t.Errorf("%d invitations are open that have expired", n)
		}
		w.want("too late", answer("cid", AnswerIn{}), fault.Conflict)
		w.want("the expired one is not in the way", invite(AddIn{Username: "cid"}), "")
		w.pass(59 * time.Second)
		w.want("an admin answers for his domain", answer("aadmin", AnswerIn{User: w.users["cid"]}), "")
		w.same("in the end", w.in(id, "any", all...), "ann", "amy", "bob", "cid")
		found, _, err := w.projects.Invitations(w.as("ann"), InvitationFilter{Scope: auth.From(w.as("ann")).Reach(), Project: id})
		w.must(err)
		for _, i := range found {
			_, err := w.projects.DeleteInvitation(w.as("bob"), i.ID)
			w.want("a member deletes an invitation", err, fault.NotFound)
			_, err = w.projects.DeleteInvitation(w.as("ann"), i.ID)
			w.want("who administers the project does", err, "")
		}
		if len(found) != 2 {
			t.Errorf("who administers the project sees %d invitations", len(found))
		}
	})
}

// A role says which commands a member may use; that of the user goes before that of its account, and the first rule that matches decides.
func TestRoles(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id, other := w.project("web"), w.project("other")
		role := func(name string, patterns ...Rule) uid.ProjectRole {
			t.Helper()
			r, err := w.projects.CreateRole(w.as("ann"), Role{Project: id, Name: name})
			w.must(err)
			for _, p := range patterns {
				p.Role = r
				_, err := w.projects.AddRule(w.as("ann"), id, p)
				w.must(err)
			}
			return r
		}
		reader := role("reader", Rule{Pattern: "listEvents"}, Rule{Pattern: "list*", Allow: true})
		writer := role("writer", Rule{Pattern: "*", Allow: true})
		nothing := role("nothing")
		_, err := w.projects.Add(w.as("ann"), id, AddIn{Account: "bob", Role: writer})
		w.must(err)
		_, err = w.projects.Add(w.as("ann"), id, AddIn{Username: "bob", Role: reader})
		w.must(err)
		_, err = w.projects.Add(w.as("ann"), id, AddIn{Account: "cid", Role: nothing})
		w.must(err)
		for command, want := range map[string][]string{
			"listVolumes": {"ann", "amy", "bob"}, "listEvents": {"ann", "amy"}, "deployVirtualMachine": {"ann", "amy"},
			"queryAsyncJobResult": {"ann", "amy", "bob", "cid"},
		} {
			w.same(command, w.in(id, command, all...), want...)
		}
		_, err = w.projects.RemoveMember(w.as("ann"), id, RemoveIn{User: w.users["bob"]})
		w.must(err)
		w.same("his account's role is left", w.in(id, "deployVirtualMachine", all...), "ann", "amy", "bob")

		rules, err := w.projects.Rules(w.as("ann"), id, reader)
		w.must(err)
		_, err = w.projects.AddRule(w.as("ann"), id, Rule{Role: reader, Pattern: "LIST*"})
		w.want("the same rule again", err, fault.Conflict)
		ids := []uid.ProjectRolePermission{rules[1].ID, rules[0].ID}
		w.want("all of them in another order", w.projects.OrderRules(w.as("ann"), id, reader, ids), "")
		w.want("not all", w.projects.OrderRules(w.as("ann"), id, reader, ids[:1]), fault.Invalid)
		w.want("one twice", w.projects.OrderRules(w.as("ann"), id, reader, []uid.ProjectRolePermission{ids[0], ids[0]}), fault.Invalid)
		w.want("of another project", w.projects.OrderRules(w.as("ann"), other, reader, ids), fault.NotFound)
		w.want("of another role", w.projects.TurnRule(w.as("ann"), id, writer, ids[0], false), fault.NotFound)
		w.want("by who administers nothing", w.projects.TurnRule(w.as("bob"), id, reader, ids[0], false), fault.Denied)
		w.want("one that members have", w.projects.DeleteRole(w.as("ann"), id, writer), fault.Conflict)
		w.want("through another project", w.projects.DeleteRole(w.as("ann"), other, reader), fault.NotFound)
		w.want("one that nobody has", w.projects.DeleteRole(w.as("ann"), id, reader), "")
		_, err = w.projects.Add(w.as("ann"), other, AddIn{Account: "bob", Role: writer})
		w.want("a role of another project", err, fault.NotFound)
		_, err = w.projects.CreateRole(w.as("ann"), Role{Project: id, Name: "writer"})
		w.want("a name that there is", err, fault.Conflict)
		w.want("a pattern that is none", errors.Join(func() error {
			_, err := w.projects.AddRule(w.as("ann"), id, Rule{Role: writer, Pattern: "list virtual"})
			return err
		}()), fault.Invalid)
	})
}

// Nothing is made in a project that is suspended or closed; who is no member can't tell it from one that there is not.
func TestSuspended(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		id := w.project("web")
		_, err := w.projects.Add(w.as("ann"), id, AddIn{Account: "bob"})
		w.must(err)
		suspend := func(as string) error {
			return w.db.Write(w.as(as), func(ctx context.Context, tx db.Tx) error { _, err := w.projects.Suspend(ctx, tx, id); return err })
		}
		makes := func(as string) error {
			return w.db.Write(w.as(as), func(ctx context.Context, tx db.Tx) error {
				_, err := w.accounts.Owner(ctx, tx, account.For{Project: id})
				return err
			})
		}
		starts := func() error {
			return w.db.Write(w.as("ann"), func(ctx context.Context, tx db.Tx) error { return MayRun(ctx, tx, account.OfProject(id)) })
		}
		activate := func(as string) error { _, err := w.projects.Activate(w.as(as), id); return err }
		shut := func(as string, cleanup bool) (already bool, err error) {
			err = w.db.Write(w.as(as), func(ctx context.Context, tx db.Tx) error {
				_, already, err = w.projects.Close(ctx, tx, id, cleanup)
				return err
			})
			return already, err
		}
		w.want("made", makes("bob"), "")
		w.want("by a stranger", makes("cid"), fault.NotFound)
		w.want("suspended by a member", suspend("bob"), fault.Denied)
		w.want("by a stranger", suspend("cid"), fault.NotFound)
		w.want("by who administers it", suspend("ann"), "")
		w.want("made in a suspended one", makes("bob"), fault.Conflict)
		w.want("started in a suspended one", starts(), fault.Conflict)
		w.same("it is still seen", w.in(id, "any", all...), "ann", "amy", "bob")
		w.want("activated by a member", activate("bob"), fault.Denied)
		w.want("by a stranger", activate("eve"), fault.NotFound)
		w.want("by who administers it", activate("amy"), "")
		w.want("started", starts(), "")

		w.must(w.db.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			return account.Take(ctx, tx, account.OfProject(id), administering)
		}))
		_, err = shut("ann", false)
		w.want("one that is not empty", err, fault.Conflict)
		w.want("it is as it was", makes("bob"), "")
		_, err = shut("bob", true)
		w.want("closed by a member", err, fault.Denied)
		already, err := shut("ann", true)
		w.want("closed", err, "")
		again, err := shut("aadmin", true)
		w.want("closed again", err, "")
		if already || !again {
			t.Errorf("it was closed already: %v, then %v", already, again)
		}
		w.want("made in a closed one", makes("bob"), fault.Conflict)
		w.want("activated", activate("ann"), fault.Conflict)
		_, err = w.projects.Update(w.as("bob"), id, UpdateIn{Name: "x"})
		w.want("who may not change it is told that first", err, fault.Denied)
		w.must(w.db.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
			if err := account.Give(ctx, tx, account.OfProject(id), administering); err != nil {
				return err
			}
			if err := Remove(ctx, tx, id); err != nil {
				return err
			}
			return account.Remove(ctx, tx, account.OfProject(id))
		}))
		w.same("it is gone", w.in(id, "any", all...))
		w.want("it is gone", activate("ann"), fault.NotFound)
		if n := w.counted("ann"); n != 0 {
			t.Errorf("%d projects count for ann", n)
		}
		w.project("web") // the name is free
	})
}
