package cloudtest_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// Keys that were deleted don't work any more once that was answered, on no server; those that stay never fail meanwhile.
func TestKeysRotateWhileTheyAreUsed(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{NoSeed: true}, func(t *testing.T, c *cloudtest.Cloud) {
		other := httptest.NewServer(c.Another(c.DB, c.World, op.Options{Name: "other"}).Handler())
		defer other.Close()
		stays, _ := c.Tenant(t, "red-domain", "red-user", auth.User)
		users, err := api.Fetch(t.Context(), stays, cs.ListUserKeys, cs.ListUserKeysIn{})
		must(t, err)
		id := users.Items[0].UserID
		there := func(by *api.Client) *api.Client {
			copied := *by
			copied.Endpoint = other.URL + "/client/api"
			return &copied
		}
		over := make(chan struct{})
		var working sync.WaitGroup
		for _, by := range []*api.Client{stays, there(stays)} {
			working.Go(func() {
				for {
					select {
					case <-over:
						return
					default:
					}
					if _, err := by.Call(t.Context(), "listZones", nil); err != nil {
						t.Errorf("keys that stay: %v", err)
						return
					}
				}
			})
		}
		for range 10 {
			made, err := api.Do(t.Context(), stays, cs.RegisterUserKeys, cs.RegisterUserKeysIn{ID: id, Name: "next"})
			must(t, err)
			next := c.ClientOf(account.Keys{APIKey: made.APIKey, Secret: secret.New(made.SecretKey)})
			for _, by := range []*api.Client{next, there(next)} {
				_, err = by.Call(t.Context(), "listZones", nil)
				must(t, err)
			}
			_, err = api.Run(t.Context(), stays, cs.DeleteUserKeys, cs.UserKeyPairID{ID: made.ID})
			must(t, err)
			for _, by := range []*api.Client{next, there(next)} {
				_, err = by.Call(t.Context(), "listZones", nil)
				if e, ok := errors.AsType[*api.RemoteError](err); !ok || e.Code != http.StatusUnauthorized {
					t.Errorf("keys that were deleted: %v", err)
				}
			}
		}
		close(over)
		working.Wait()
	})
}

// A role that names commands of root admins gives users no way to tell what there is from what there is not.
func TestNamedCommandsTellNothing(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	role, err := api.Do(t.Context(), c.Client, cs.ImportRole, cs.ImportRoleIn{Name: "prober", Type: "User", Rules: []cs.RoleRule{
		{Rule: "deleteRolePermission", Permission: "allow"}, {Rule: "updateRolePermission", Permission: "allow"}, {Rule: "updateRole", Permission: "allow"},
		{Rule: "deleteRole", Permission: "allow"},
	}})
	must(t, err)
	ctx := auth.With(t.Context(), auth.System())
	_, u, err := c.Accounts.CreateAccount(ctx, account.CreateAccountIn{Name: "prober", Username: "prober", Password: secret.New(cloudtest.Password), Role: role.ID})
	must(t, err)
	keys, err := c.Accounts.RegisterKeys(ctx, u.ID)
	must(t, err)
	rules, err := api.Fetch(t.Context(), c.Client, cs.ListRolePermissions, cs.ListRolePermissionsIn{RoleID: role.ID})
	must(t, err)
	for command, params := range map[string]api.Params{
		"deleteRolePermission": {"id": string(rules.Items[0].ID)}, "deleteRole": {"id": string(role.ID)}, "updateRole": {"id": string(role.ID), "name": "x"},
		"updateRolePermission": {"roleid": string(role.ID), "ruleid": string(rules.Items[0].ID), "permission": "deny"},
	} {
		_, there := c.ClientOf(keys).Call(t.Context(), command, params)
		for name := range params {
			if strings.HasSuffix(name, "id") {
				params[name] = string(uid.New[uid.Role]())
			}
		}
		_, nowhere := c.ClientOf(keys).Call(t.Context(), command, params)
		if there == nil || nowhere == nil || there.Error() != nowhere.Error() {
			t.Errorf("%s tells what there is: %v\nfrom what there is not: %v", command, there, nowhere)
		}
	}
}

// Each job has one record of its end in the audit log, and the record of the call that began it has the same event.
func TestJobsHaveTheirEndsInTheAuditLog(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 1}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		vm := run(t, c.Client, cs.DeployVirtualMachine, box.Deploy())
		must(t, c.World.Script(t.Context(), hypervisor.Rule{Command: hypervisor.CommandStop, Fault: "broken", Kind: fault.Conflict}))
		if _, err := c.Client.Call(t.Context(), "stopVirtualMachine", api.Params{"id": string(vm.ID)}); err == nil {
			t.Error("a stop that can't be was done")
		}
		must(t, c.World.Script(t.Context(), hypervisor.Rule{Command: hypervisor.CommandStop}))
		run(t, c.Client, cs.CreateVolume, cs.CreateVolumeIn{Name: "v", DiskOfferingID: box.DiskOffering["Small"], ZoneID: box.Zone})
		var lines []struct{ Command, State, Result, Began string }
		must(t, c.DB.Read().NewRaw(`with log as (
				select kind, command, result, event_id, job_id, user_id, remote from audit_inbox
				union all select kind, command, result, event_id, job_id, user_id, remote from audit_log)
			select o.command, o.state, e.result, c.result as began from operations o
			left join log e on e.kind = 'end' and e.job_id = o.id and e.user_id = o.user_id
			left join log c on c.kind = 'call' and c.event_id = e.event_id and c.command = o.command and c.remote <> ''
			where o.command <> '' order by o.id`).Scan(t.Context(), &lines))
		const both = "done/done"
		want := map[string]string{"deployVirtualMachine": both, "createVolume": both}
		for _, l := range lines {
			if l.Command == "stopVirtualMachine" {
				if l.Began != "done" || l.Result == "" || l.Result == "done" {
					t.Errorf("a stop that failed: %+v", l)
				}
				continue
			}
			if got := l.Began + "/" + l.Result; got != want[l.Command] {
				t.Errorf("%s is recorded as %s, want %s", l.Command, got, want[l.Command])
			}
		}
		if len(lines) != 3 {
			t.Errorf("%d jobs have records: %+v", len(lines), lines)
		}
	})
}

// FuzzLogin looks for a login that lets somebody in who should not be, or that breaks something.
func FuzzLogin(f *testing.F) {
	c := cloudtest.New(f, dbtest.SQLite(f), cloudtest.Options{NoSeed: true})
	_, a := c.Tenant(f, "red-domain", "red-user", auth.User)
	domain := string(a.Domain)
	for _, seed := range [][4]string{
		{"red-user", cloudtest.Password, "/red-domain/", ""}, {"red-user", cloudtest.Password, "", domain}, {"red-user", "", "/red-domain/", ""},
		{"red-user", cloudtest.Password, "", ""}, {"system", "", "", ""}, {"admin", cloudtest.Password, "ROOT", ""}, {"admin", cloudtest.Password + "\x00", "", ""},
		{"red-user' or '1'='1", "x", "/red-domain/", "' or 1=1 --"}, {"RED-USER", cloudtest.Password, "red-domain//", strings.ToUpper(domain)},
		{"red-user", strings.Repeat("x", 2000), "/red-domain/../", "\xff"}, {"*", "*", "%", "_"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	handler, n := c.Handler(), 0
	f.Fuzz(func(t *testing.T, username, password, path, id string) {
		form := url.Values{"command": {"login"}, "response": {"json"}, "username": {username}, "password": {password}, "domain": {path}, "domainId": {id}}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/client/api", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		n++
		r.RemoteAddr = netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String() + ":1"
		out := httptest.NewRecorder()
		handler.ServeHTTP(out, r)
		switch out.Code {
		case http.StatusOK:
			red := username == "red-user" && (strings.EqualFold(id, domain) || id == "" && strings.HasSuffix(strings.Trim(path, "/"), "red-domain"))
			if password != cloudtest.Password || username != "admin" && !red {
				t.Errorf("%q, %q, %q, %q comes in: %s", username, password, path, id, out.Body)
			}
		case 431, 430, 531:
			if len(out.Result().Cookies()) > 0 {
				t.Errorf("%q, %q, %q, %q is refused with %v: %s", username, password, path, id, out.Result().Cookies(), out.Body)
			}
		default:
			t.Errorf("%q, %q, %q, %q: %d %s", username, password, path, id, out.Code, out.Body)
		}
	})
}
