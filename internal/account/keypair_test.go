package account

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/uid"
)

// signs tells what becomes of a request that a pair signs.
func (w *world) signs(k Keys) error {
	_, _, err := w.ByKey(context.Background(), k.APIKey)
	return err
}

func TestSeveralPairsOfKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, id := w.as("auser"), w.users["auser"].ID
		plain, err := w.RegisterKeys(ctx, id)
		want(t, "the plain pair", err, "")
		now := w.clock()
		soon, err := w.AddKeys(ctx, KeysIn{User: id, Name: "soon", Starts: now.Add(time.Hour), Ends: now.Add(2 * time.Hour)})
		want(t, "a pair for later", err, "")
		nameless, err := w.AddKeys(ctx, KeysIn{User: id, Description: "for the backup"})
		want(t, "a pair without a name", err, "")
		if nameless.Name != string(nameless.ID) || nameless.Username != "auser" || nameless.DomainPath != "ROOT/a" {
			t.Errorf("a pair without a name: %+v", nameless)
		}
		for what, in := range map[string]KeysIn{
			"an end that has passed":  {Ends: now.Add(-time.Second)},
			"an end before the start": {Starts: now.Add(2 * time.Hour), Ends: now.Add(time.Hour)},
			"a name nobody can read":  {Name: " x"},
			"a rule that is none":     {Rules: []role.Rule{{Pattern: "list Zones", Allow: true}}},
		} {
			in.User = id
			_, err := w.AddKeys(ctx, in)
			want(t, what, err, fault.Invalid)
		}
		_, err = w.AddKeys(ctx, KeysIn{User: id, Name: "soon"})
		want(t, "a name twice", err, fault.Conflict)
		want(t, "the plain pair signs", w.signs(plain), "")
		want(t, "one that has not begun", w.signs(soon.Keys), fault.Unauthenticated)
		w.pass(time.Hour)
		want(t, "one that has begun", w.signs(soon.Keys), "")
		w.pass(time.Hour)
		want(t, "one that has ended", w.signs(soon.Keys), fault.Unauthenticated)

		pairs, total, err := w.KeyPairs(ctx, PairFilter{Scope: auth.From(ctx).Reach(), Limit: 2})
		if err != nil || total != 3 || len(pairs) != 2 || pairs[0].APIKey != plain.APIKey || pairs[1].APIKey != soon.APIKey {
			t.Errorf("the pairs: %d, %+v, %v", total, pairs, err)
		}
		if k, err := w.Keys(ctx, id); err != nil || k.APIKey != plain.APIKey {
			t.Errorf("the classic pair: %v, %v", k, err)
		}
		again, err := w.RegisterKeys(ctx, id)
		want(t, "the plain pair anew", err, "")
		want(t, "the old plain pair", w.signs(plain), fault.Unauthenticated)
		want(t, "the new plain pair", w.signs(again), "")
		want(t, "another pair", w.signs(nameless.Keys), "")
		want(t, "another's deletion", w.deleteKeys(w.as("auser2"), nameless.ID), fault.NotFound)
		want(t, "an admin below's deletion", w.deleteKeys(w.as("badmin"), nameless.ID), fault.NotFound)
		want(t, "the deletion", w.deleteKeys(w.as("aadmin"), nameless.ID), "")
		want(t, "a deleted pair", w.signs(nameless.Keys), fault.Unauthenticated)
		want(t, "the deletion again", w.deleteKeys(ctx, nameless.ID), fault.NotFound)
		for range maxPairs - 2 {
			_, err = w.AddKeys(ctx, KeysIn{User: id, Description: "one of many"})
			want(t, "one of many", err, "")
		}
		_, err = w.AddKeys(ctx, KeysIn{User: id, Description: "one too many"})
		want(t, "one too many", err, fault.Limit)
	})
}

// Nobody sees, makes or deletes pairs of somebody above, and lists show what could be registered.
func TestKeyPairsOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pairs := map[string]KeyPair{}
		for _, name := range []string{"admin", "aadmin", "ares", "auser", "auser2", "xuser", "buser"} {
			p, err := w.AddKeys(w.as(name), KeysIn{User: w.users[name].ID, Name: "robot"})
			want(t, "a pair of "+name, err, "")
			pairs[name] = p
		}
		for caller, sees := range map[string][]string{
			"admin": {"admin", "aadmin", "ares", "auser", "auser2", "xuser", "buser"}, "aadmin": {"aadmin", "ares", "auser", "auser2", "xuser"},
			"ares": {"ares", "auser", "auser2", "xuser"}, "auser": {"auser"}, "buser": {"buser"}, "xuser": {"xuser"},
		} {
			ctx := w.as(caller)
			found, _, err := w.KeyPairs(ctx, PairFilter{Scope: auth.From(ctx).Reach()})
			want(t, caller+" lists", err, "")
			var names []string
			for _, p := range found {
				names = append(names, p.Username)
			}
			if !slices.Equal(names, sees) {
				t.Errorf("%s sees pairs of %v, want %v", caller, names, sees)
			}
			for of, p := range pairs {
				_, err := w.KeyPair(ctx, p.ID)
				if mine := slices.Contains(sees, of); mine != (err == nil) {
					t.Errorf("%s asks for the pair of %s: %v", caller, of, err)
				} else if !mine {
					if w.deleteKeys(ctx, p.ID) == nil || w.signs(p.Keys) != nil {
						t.Errorf("%s deleted the pair of %s", caller, of)
					}
				}
			}
		}
	})
}

func TestKeyAccess(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		root, u := w.as("admin"), w.users["auser"]
		keys, err := w.RegisterKeys(root, u.ID)
		want(t, "keys", err, "")
		say := func(user, account KeyAccess) {
			t.Helper()
			want(t, "of the user", w.UpdateUser(root, u.ID, UserChange{KeyAccess: &user}), "")
			_, err := w.Update(root, Named{ID: u.Account}, Change{KeyAccess: &account})
			want(t, "of the account", err, "")
		}
		for _, row := range []struct {
			user, account KeyAccess
			kind          fault.Kind
		}{
			{KeysInherit, KeysInherit, ""},
			{KeysInherit, KeysDisabled, fault.Unauthenticated},
			{KeysEnabled, KeysDisabled, ""},
			{KeysDisabled, KeysEnabled, fault.Unauthenticated},
			{KeysInherit, KeysEnabled, ""},
		} {
			say(row.user, row.account)
			want(t, string("user "+row.user+", account "+row.account), w.signs(keys), row.kind)
		}
		disabled := KeysDisabled
		want(t, "by a domain admin", w.UpdateUser(w.as("aadmin"), u.ID, UserChange{KeyAccess: &disabled}), fault.Denied)
		_, err = w.Update(w.as("aadmin"), Named{ID: u.Account}, Change{KeyAccess: &disabled})
		want(t, "by a domain admin, of the account", err, fault.Denied)
		found, total, err := w.Users(root, UserFilter{Scope: auth.Scope{All: true}, Keys: &disabled})
		if err != nil || total != 0 {
			t.Errorf("users without keys: %v, %v", found, err)
		}
	})
}

// While the plain pair is made anew, requests are signed with the newest pair that is known: one is always good, and as soon as the new
// one is, the old one is not.
func TestRotationWhileCalling(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, id := w.as("auser"), w.users["auser"].ID
		first, err := w.RegisterKeys(ctx, id)
		want(t, "keys", err, "")
		var working sync.WaitGroup
		over := make(chan struct{})
		for range 4 {
			working.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					var good int
					err := w.db.Read().NewRaw("select count(*) from api_keys where user_id = ?", id).Scan(context.Background(), &good)
					if err != nil || good != 1 {
						t.Errorf("%d pairs are good: %v", good, err)
						return
					}
				}
			})
		}
		last := first
		for range 25 {
			next, err := w.RegisterKeys(ctx, id)
			want(t, "new keys", err, "")
			want(t, "the new keys", w.signs(next), "")
			want(t, "the old keys", w.signs(last), fault.Unauthenticated)
			last = next
		}
		close(over)
		working.Wait()

		// Several rotations at the same moment leave one pair, the last one's.
		made := make([]Keys, 8)
		for i := range made {
			working.Go(func() { made[i], _ = w.RegisterKeys(ctx, id) })
		}
		working.Wait()
		good := 0
		for _, k := range made {
			if w.signs(k) == nil {
				good++
			}
		}
		if good != 1 {
			t.Errorf("%d pairs are good after rotations at the same moment", good)
		}
	})
}

func (w *world) deleteKeys(ctx context.Context, id uid.KeyPair) error {
	return w.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		_, err := w.DeleteKeys(ctx, tx, id)
		return err
	})
}
