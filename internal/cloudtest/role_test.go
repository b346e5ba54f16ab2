package cloudtest_test

import (
	"errors"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
)

// A change of a role is known at once to the server that was asked, and to the other one soon after; and an account with a role that
// the other one has never heard of is let in there at once.
func TestRolesReachEveryServer(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{NoSeed: true}, func(t *testing.T, c *cloudtest.Cloud) {
		other := c.Another(c.DB, c.World, op.Options{Name: "other"})
		failed := func(err error) { t.Errorf("the other server can't load the roles: %v", err) }
		stop, err := other.Roles.Start(t.Context(), 5*time.Millisecond, failed)
		must(t, err)
		defer stop()
		server := httptest.NewServer(other.Handler())
		defer server.Close()

		made, err := api.Do(t.Context(), c.Client, cs.ImportRole, cs.ImportRoleIn{
			Name: "lookers", Type: "User", Rules: []cs.RoleRule{{Rule: "list*", Permission: "allow"}},
		})
		must(t, err)
		ctx := auth.With(t.Context(), auth.System())
		_, u, err := c.Accounts.CreateAccount(ctx, account.CreateAccountIn{
			Name: "looker", Username: "looker", Password: secret.New(cloudtest.Password), Role: made.ID,
		})
		must(t, err)
		keys, err := c.Accounts.RegisterKeys(ctx, u.ID)
		must(t, err)
		here, there := c.ClientOf(keys), c.ClientOf(keys)
		there.Endpoint = server.URL + "/client/api"

		may := func(by *api.Client) bool {
			t.Helper()
			_, err := by.Call(t.Context(), "getCloudIdentifier", api.Params{"userid": string(u.ID)})
			if e, refused := errors.AsType[*api.RemoteError](err); refused && e.Code == 432 {
				return false
			}
			must(t, err)
			return true
		}
		reaches := func(want bool) {
			t.Helper()
			if may(here) != want {
				t.Errorf("the server that was asked: the command is allowed: %v", !want)
			}
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for range 10_000 { // most of a minute
				if may(there) == want {
					return
				}
				<-tick.C
			}
			t.Errorf("the other server: the command is allowed: %v", !want)
		}
		if _, err := there.Call(t.Context(), "listZones", nil); err != nil {
			t.Errorf("the other server does not know the role: %v", err)
		}
		reaches(false)
		rule, err := api.Do(t.Context(), c.Client, cs.CreateRolePermission, cs.CreateRolePermissionIn{
			RoleID: made.ID, Rule: "getCloud*", Permission: "allow",
		})
		must(t, err)
		reaches(true)
		_, err = api.Do(t.Context(), c.Client, cs.DeleteRolePermission, cs.RolePermissionID{ID: rule.ID})
		must(t, err)
		reaches(false)
	})
}
