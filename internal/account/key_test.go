package account

import (
	"context"
	"reflect"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, id := w.as("auser"), w.users["auser"].ID
		_, err := w.Keys(ctx, id)
		want(t, "keys before there are any", err, fault.NotFound)
		first, err := w.RegisterKeys(ctx, id)
		if err != nil || len(first.APIKey) != 86 || len(first.Secret.Reveal()) != 86 || first.APIKey == first.Secret.Reveal() {
			t.Fatalf("keys %q and %q, %v", first.APIKey, first.Secret.Reveal(), err)
		}
		c, key, err := w.ByKey(context.Background(), first.APIKey)
		if c.Key == "" {
			t.Error("the caller doesn't know by which keys")
		}
		c.Key = ""
		if err != nil || !reflect.DeepEqual(c, auth.From(ctx)) || !key.Equal(first.Secret) {
			t.Errorf("by key: %+v, %v", c, err)
		}
		var stored string
		if err := w.db.Read().NewRaw("select secret from api_keys where user_id = ?", id).Scan(ctx, &stored); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(stored, key.Reveal()) {
			t.Error("the database holds the secret in the clear")
		}
		second, err := w.RegisterKeys(ctx, id)
		want(t, "new keys", err, "")
		_, _, err = w.ByKey(context.Background(), first.APIKey)
		want(t, "the old key", err, fault.Unauthenticated)
		if got, err := w.Keys(ctx, id); err != nil || got.APIKey != second.APIKey || !got.Secret.Equal(second.Secret) {
			t.Errorf("keys: %+v, %v", got, err)
		}
		for _, bad := range []string{"", "x", "' or 1=1 --"} {
			_, _, err = w.ByKey(context.Background(), bad)
			want(t, "no key", err, fault.Unauthenticated)
		}
		for _, off := range []string{
			"update users set state = 'disabled' where username = 'auser'",
			"update accounts set state = 'locked' where name = 'auser'",
			"update domains set state = 'Inactive' where path = 'ROOT/a'",
		} {
			w.write(off)
			_, _, err = w.ByKey(context.Background(), second.APIKey)
			want(t, off, err, fault.Unauthenticated)
			w.write("update users set state = 'enabled'")
			w.write("update accounts set state = 'enabled'")
			w.write("update domains set state = 'Active'")
		}
	})
}

func TestCloudIdentity(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ctx, id := w.as("auser"), w.users["auser"].ID
		identity, signature, err := w.CloudIdentity(ctx, id)
		if err != nil || identity == "" || signature != "" {
			t.Errorf("before there are keys: %q, %q, %v", identity, signature, err)
		}
		keys, err := w.RegisterKeys(ctx, id)
		want(t, "keys", err, "")
		again, signature, err := w.CloudIdentity(w.as("admin"), id)
		if err != nil || again != identity || signature != auth.SignText(identity, keys.Secret) || len(signature) != 28 {
			t.Errorf("with keys: %q, %q, %v", again, signature, err)
		}
		_, _, err = w.CloudIdentity(w.as("buser"), id)
		want(t, "another's", err, fault.NotFound)
	})
}

// A sealed secret that somebody copies into another user's row opens nothing.
func TestKeysAreBoundToTheirUser(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		for _, name := range []string{"auser", "admin"} {
			if _, err := w.RegisterKeys(w.as(name), w.users[name].ID); err != nil {
				t.Fatal(err)
			}
		}
		w.write("update api_keys set secret = (select secret from api_keys where user_id = ?) where user_id = ?",
			w.users["auser"].ID, w.users["admin"].ID)
		if k, err := w.Keys(w.as("admin"), w.users["admin"].ID); err == nil {
			t.Errorf("opened: %+v", k)
		}
	})
}

// Who may handle whose keys: nobody those of someone who may do more, whatever the reach.
func TestKeysOfOthers(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.account("ROOT", "otheradmin", auth.RootAdmin)
		w.account("ROOT", "rootdomainadmin", auth.DomainAdmin)
		w.secondUser("auser", "colleague")
		w.users["system"] = User{ID: auth.System().User}
		for _, c := range []struct {
			caller, user string
			kind         fault.Kind
		}{
			{"", "auser", fault.Unauthenticated},
			{"auser", "auser", ""},
			{"auser", "colleague", fault.Denied},
			{"auser", "auser2", fault.NotFound},
			{"auser", "aadmin", fault.NotFound},
			{"auser", "admin", fault.NotFound},
			{"ares", "auser", ""},
			{"ares", "aadmin", fault.Denied},
			{"ares", "xadmin", fault.Denied},
			{"aadmin", "aadmin", ""},
			{"aadmin", "auser", ""},
			{"aadmin", "ares", ""},
			{"aadmin", "xadmin", ""},
			{"aadmin", "buser", fault.NotFound},
			{"aadmin", "abuser", fault.NotFound},
			{"aadmin", "Auser", fault.NotFound},
			{"aadmin", "admin", fault.NotFound},
			{"xadmin", "aadmin", fault.NotFound},
			{"rootdomainadmin", "rootuser", ""},
			{"rootdomainadmin", "buser", ""},
			{"rootdomainadmin", "admin", fault.Denied},
			{"rootdomainadmin", "system", fault.NotFound},
			{"admin", "otheradmin", ""},
			{"admin", "buser", ""},
			{"admin", "system", fault.NotFound},
		} {
			var before string
			id := w.users[c.user].ID
			ctx := w.as(c.caller)
			_ = w.db.Read().NewRaw("select api_key from api_keys where user_id = ?", id).Scan(ctx, &before)
			keys, err := w.RegisterKeys(ctx, id)
			want(t, c.caller+" registers keys of "+c.user, err, c.kind)
			if c.kind == "" {
				got, err := w.Keys(ctx, id)
				if err != nil || got.APIKey != keys.APIKey {
					t.Errorf("%s reads keys of %s: %v", c.caller, c.user, err)
				}
				continue
			}
			got, err := w.Keys(ctx, id)
			want(t, c.caller+" reads keys of "+c.user, err, c.kind)
			var after string
			_ = w.db.Read().NewRaw("select api_key from api_keys where user_id = ?", id).Scan(ctx, &after)
			if keys != (Keys{}) || got != (Keys{}) || before != after {
				t.Errorf("%s got keys of %s, or changed them", c.caller, c.user)
			}
		}
	})
}
