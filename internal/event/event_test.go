package event_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/uid"
)

var (
	caller = auth.Caller{User: "u", Account: "a", Domain: "d", DomainPath: "ROOT/d"}
	all    = auth.Scope{All: true}
)

func write(t *testing.T, d *db.DB, ctx context.Context, e event.Event) (id uid.Event) {
	t.Helper()
	err := d.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		id, err = event.Write(ctx, tx, e)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := auth.With(context.Background(), caller)
		system := auth.System()
		given := event.Event{
			Type: event.VMStop, Level: event.Error, State: event.Scheduled, Description: "it's \"odd\" ?", Account: "a2", Domain: "d2",
			User: "u2", ResourceType: "Other", ResourceID: "vm", Parent: "p",
		}
		filled := event.Event{
			Type: event.VMStart, Level: event.Info, State: event.Completed, Account: "a", Domain: "d", User: "u", ResourceType: "VirtualMachine",
		}
		owned := filled
		owned.Account, owned.Domain = "a3", "d3"
		ours := filled
		ours.Type, ours.ResourceType = event.HostDown, "Host"
		ours.Account, ours.Domain, ours.User = system.Account, system.Domain, system.User
		for what, c := range map[string]struct {
			ctx         context.Context
			write, want event.Event
		}{
			"all given":       {ctx, given, given},
			"all filled in":   {ctx, event.Event{Type: event.VMStart}, filled},
			"another's thing": {ctx, event.Event{Type: event.VMStart, Account: "a3", Domain: "d3"}, owned},
			"nobody asked":    {context.Background(), event.Event{Type: event.HostDown}, ours},
		} {
			id := write(t, d, c.ctx, c.write)
			got, n, err := event.List(ctx, d.Read(), event.Filter{Scope: all, ID: id})
			if err != nil || n != 1 {
				t.Fatalf("%s: %d events, %v", what, n, err)
			}
			if got[0].Created.IsZero() {
				t.Errorf("%s: no time", what)
			}
			got[0].ID, got[0].Created = "", time.Time{}
			if diff := cmp.Diff(c.want, got[0]); diff != "" {
				t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
	})
}

func TestWriteRefuses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		for _, e := range []event.Event{{}, {Type: "VM.DANCE"}, {Type: event.VMStart, Account: "a"}} {
			err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				_, err := event.Write(ctx, tx, e)
				return err
			})
			if err == nil {
				t.Errorf("%+v was written", e)
			}
		}
		// An event of what did not happen is not there.
		boom := errors.New("boom")
		_ = d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			if _, err := event.Write(ctx, tx, event.Event{Type: event.VMStart}); err != nil {
				return err
			}
			return boom
		})
		if _, n, err := event.List(ctx, d.Read(), event.Filter{Scope: all}); n != 0 || err != nil {
			t.Errorf("%d events, %v; want none", n, err)
		}
	})
}

func TestList(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := context.Background()
		d1, d2 := uid.Domain("00000000-0000-7000-8000-0000000000d1"), uid.Domain("00000000-0000-7000-8000-0000000000d2")
		err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			_, err := tx.NewRaw(`insert into domains (id, name, path, level, state, created)
				values (?, 'd', 'ROOT/d', 1, 'Active', ?), (?, 'D', 'ROOT/D', 1, 'Active', ?)`, d1, tx.Now, d2, tx.Now).Exec(ctx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		var ids []uid.Event
		for i, e := range []event.Event{
			{Type: event.VMCreate, State: event.Scheduled, Account: "a", Domain: d1, ResourceID: "vm1"},
			{Type: event.VMCreate, State: event.Started, Account: "a", Domain: d1, ResourceID: "vm1"},
			{Type: event.VMCreate, Account: "a", Domain: d1, ResourceID: "vm1", Level: event.Error},
			{Type: event.NetworkCreate, Account: "b", Domain: d2, ResourceID: "n1", Description: "100% Done_"},
			{Type: event.UserLogin, Account: "c", Domain: d1},
		} {
			if i == 1 || i == 2 {
				e.Parent = ids[0]
			}
			if e.Description == "" {
				e.Description = fmt.Sprint("event ", i)
			}
			ids = append(ids, write(t, d, ctx, e))
		}
		stored, _, err := event.List(ctx, d.Read(), event.Filter{Scope: all})
		if err != nil {
			t.Fatal(err)
		}
		at := func(i int) time.Time { return stored[len(stored)-1-i].Created }
		for what, c := range map[string]struct {
			f     event.Filter
			want  []int // as written
			total int
		}{
			"all, the newest first": {event.Filter{Scope: all}, []int{4, 3, 2, 1, 0}, 5},
			"nothing in no scope":   {event.Filter{}, nil, 0},
			"a page":                {event.Filter{Scope: all, Offset: 1, Limit: 2}, []int{3, 2}, 5},
			"the last page":         {event.Filter{Scope: all, Offset: 4, Limit: 2}, []int{0}, 5},
			"beyond":                {event.Filter{Scope: all, Offset: 6, Limit: 2}, nil, 5},
			"an account's":          {event.Filter{Scope: auth.Scope{Account: "a"}}, []int{2, 1, 0}, 3},
			"a domain's":            {event.Filter{Scope: auth.Scope{Domain: d2}}, []int{3}, 1},
			"below a domain":        {event.Filter{Scope: auth.Scope{Under: "ROOT/d"}}, []int{4, 2, 1, 0}, 4},
			"by id, in scope":       {event.Filter{Scope: all, ID: ids[3]}, []int{3}, 1},
			"by id, out of scope":   {event.Filter{Scope: auth.Scope{Account: "a"}, ID: ids[3]}, nil, 0},
			"by type":               {event.Filter{Scope: all, Type: event.VMCreate}, []int{2, 1, 0}, 3},
			"by level":              {event.Filter{Scope: all, Level: event.Error}, []int{2}, 1},
			"by thing":              {event.Filter{Scope: all, ResourceType: "Network", ResourceID: "n1"}, []int{3}, 1},
			"in a state":            {event.Filter{Scope: all, State: event.Started}, []int{1}, 1},
			"begun and not done":    {event.Filter{Scope: all, Pending: &event.Pending{Most: time.Hour}}, nil, 0},
			"of a job":              {event.Filter{Scope: all, Parent: ids[0]}, []int{2, 1, 0}, 3},
			"keyword":               {event.Filter{Scope: all, Keyword: "0% dONE_"}, []int{3}, 1},
			"keyword in the type":   {event.Filter{Scope: all, Keyword: "user.log"}, []int{4}, 1},
			"no pattern":            {event.Filter{Scope: all, Keyword: "1%e"}, nil, 0},
			"from":                  {event.Filter{Scope: all, Start: at(0), End: at(4)}, []int{4, 3, 2, 1, 0}, 5},
			"before":                {event.Filter{Scope: all, End: at(0).Add(-time.Microsecond)}, nil, 0},
			"after":                 {event.Filter{Scope: all, Start: at(4).Add(time.Microsecond)}, nil, 0},
			"in another time zone":  {event.Filter{Scope: all, Start: at(0).In(time.FixedZone("", 7200))}, []int{4, 3, 2, 1, 0}, 5},
		} {
			got, total, err := event.List(ctx, d.Read(), c.f)
			if err != nil {
				t.Fatal(err)
			}
			var have, want []uid.Event
			for _, e := range got {
				have = append(have, e.ID)
			}
			for _, i := range c.want {
				want = append(want, ids[i])
			}
			if diff := cmp.Diff(want, have); diff != "" || total != c.total {
				t.Errorf("%s: total %d, want %d (-want +got):\n%s", what, total, c.total, diff)
			}
		}
	})
}

func TestPending(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		done := write(t, d, t.Context(), event.Event{Type: event.VMStart, State: event.Scheduled, ResourceID: "vm1"})
		open := write(t, d, t.Context(), event.Event{Type: event.VMStart, State: event.Scheduled, ResourceID: "vm2"})
		write(t, d, t.Context(), event.Event{Type: event.VMStart, State: event.Started, ResourceID: "vm2", Parent: open})
		write(t, d, t.Context(), event.Event{Type: event.VMStart, ResourceID: "vm1", Parent: done})
		for what, c := range map[string]struct {
			pending event.Pending
			want    []uid.Event
		}{
			"of the last hour": {event.Pending{Most: time.Hour}, []uid.Event{open}},
			"older":            {event.Pending{Least: time.Hour, Most: 2 * time.Hour}, nil},
		} {
			found, total, err := event.List(t.Context(), d.Read(), event.Filter{Scope: all, Pending: &c.pending})
			var got []uid.Event
			for _, e := range found {
				got = append(got, e.ID)
			}
			if err != nil || total != len(c.want) || !cmp.Equal(got, c.want) {
				t.Errorf("%s: %v of %d, %v; want %v", what, got, total, err, c.want)
			}
		}
	})
}

func TestExpire(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for range 5 {
			write(t, d, t.Context(), event.Event{Type: event.VMStart})
		}
		expire := func(before time.Duration, limit int) (n int64) {
			t.Helper()
			err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) (err error) {
				n, err = event.Expire(ctx, tx, tx.Now.Add(before), limit)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		if n := expire(-time.Hour, 10); n != 0 {
			t.Errorf("%d young events were removed", n)
		}
		newest, _, err := event.List(t.Context(), d.Read(), event.Filter{Scope: all, Limit: 1})
		if n := expire(time.Hour, 4); n != 4 || err != nil {
			t.Errorf("removed %d, %v; want the 4 of a batch", n, err)
		}
		left, _, err := event.List(t.Context(), d.Read(), event.Filter{Scope: all})
		if err != nil || len(left) != 1 || left[0].ID != newest[0].ID {
			t.Errorf("%+v are left, %v; want the newest", left, err)
		}
	})
}

func TestKinds(t *testing.T) {
	t.Parallel()
	kinds := event.Kinds()
	if len(kinds) < 30 || !slices.IsSorted(kinds) || !slices.Contains(kinds, event.SettingChange) {
		t.Errorf("kinds: %v", kinds)
	}
}
