package cloudtest_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// shop is a project of red's, in which ann's account and the user bob are members.
type shop struct {
	*cloudtest.Cloud
	box           cloudtest.Sandbox
	red, ann, bob *api.Client
	users         map[string]string // their ids, by name
	id            string
}

func newShop(t *testing.T, c *cloudtest.Cloud) *shop {
	t.Helper()
	s := &shop{Cloud: c, box: c.Sandbox(t), users: map[string]string{}}
	s.red, _ = c.Tenant(t, "shops", "red", auth.User)
	s.ann, _ = c.Tenant(t, "shops", "ann", auth.User)
	s.bob, _ = c.Tenant(t, "shops", "bob", auth.User)
	var users []struct{ ID, Username string }
	must(t, c.DB.Read().NewRaw("select id, username from users").Scan(t.Context(), &users))
	for _, u := range users {
		s.users[u.Username] = u.ID
	}
	call := caller(t)
	call(s.red, "createProject", api.Params{"name": "shop"})
	s.id = firstID(t, s.red, "listProjects")
	call(s.red, "addAccountToProject", api.Params{"projectid": s.id, "account": "ann"})
	call(s.red, "addUserToProject", api.Params{"projectid": s.id, "username": "bob"})
	return s
}

func (s *shop) deploy(more ...string) api.Params {
	return with(api.Params{"projectid": s.id, "zoneid": string(s.box.Zone), "templateid": string(s.box.Template),
		"serviceofferingid": string(s.box.Small), "startvm": "false"}, more...)
}

// got is what a call gets, with an id in it made unknown.
func got(t *testing.T, by *api.Client, command string, params api.Params, id string) string {
	t.Helper()
	raw, err := by.Call(t.Context(), command, params)
	text := string(raw)
	if err != nil {
		text = err.Error()
	}
	return strings.ReplaceAll(text, id, "?")
}

// Who has left a project is a stranger to it with that commit: with keys and in a session that is open, by ID, by projectid, by job, and
// with an idempotency key that was good for what was made.
func TestExMember(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	s := newShop(t, c)
	call := caller(t)
	raw, err := s.bob.Call(t.Context(), "deployVirtualMachine", s.deploy("name", "vm"))
	must(t, err)
	var vm struct {
		VM struct{ ID string } `json:"virtualmachine"`
	}
	must(t, json.Unmarshal(raw, &vm))
	var job string
	must(t, c.DB.Read().NewRaw("select id from operations where subject_id = ?", vm.VM.ID).Scan(t.Context(), &job))
	key := api.Params{"projectid": s.id, "name": "key", "publickey": said["publickey"], "idempotencykey": "once"}
	call(s.bob, "registerSSHKeyPair", key)
	deploy := s.deploy("name", "twice", "idempotencykey", "twice")
	call(s.ann, "deployVirtualMachine", deploy)

	browsers := map[string]*browser{}
	for _, name := range []string{"ann", "bob"} {
		b := newBrowser(t, c.URL)
		if p := b.post(c.URL+"/client/api", api.Params{"command": "login", "username": name, "password": cloudtest.Password, "domain": "shops"}); p.status != http.StatusOK {
			t.Fatalf("%s: %+v", name, p)
		}
		browsers[name] = b
	}
	stranger := string(uid.New[uid.VM]())
	asks := []struct {
		command, name, id string
		more              []string
	}{
		{"listVirtualMachines", "projectid", s.id, nil}, {"listVirtualMachines", "id", vm.VM.ID, nil}, {"startVirtualMachine", "id", vm.VM.ID, nil},
		{"queryAsyncJobResult", "jobid", job, nil}, {"listProjects", "id", s.id, nil}, {"listProjectAccounts", "projectid", s.id, nil},
		{"createNetwork", "projectid", s.id, []string{"name", "n", "displaytext", "n", "zoneid", string(s.box.Zone), "networkofferingid",
			string(s.box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"])}},
	}
	ask := func(name string, isStranger bool) {
		t.Helper()
		b := browsers[name]
		for _, a := range asks {
			params := with(api.Params{a.name: a.id}, a.more...)
			none := with(params, a.name, stranger)
			for how, get := range map[string]func(api.Params, string) string{
				"keys": func(p api.Params, id string) string {
					return got(t, map[string]*api.Client{"ann": s.ann, "bob": s.bob}[name], a.command, p, id)
				},
				"session": func(p api.Params, id string) string {
					return strings.ReplaceAll(b.call(a.command, p).body, id, "?")
				},
			} {
				got, want := get(params, a.id), get(none, stranger)
				if (got == want) != isStranger {
					t.Errorf("%s %s=%s by %s with %s: %s\n\tan id that was never given gets: %s", a.command, a.name, a.id, name, how, got, want)
				}
			}
		}
	}
	ask("ann", false)
	ask("bob", false)
	call(s.red, "deleteAccountFromProject", api.Params{"projectid": s.id, "account": "ann"})
	call(s.red, "deleteUserFromProject", api.Params{"projectid": s.id, "userid": s.users["bob"]})
	ask("ann", true)
	ask("bob", true)
	for name, repeat := range map[string]func() (json.RawMessage, error){
		"bob's key pair": func() (json.RawMessage, error) { return s.bob.Call(t.Context(), "registerSSHKeyPair", key) },
		"ann's machine":  func() (json.RawMessage, error) { return s.ann.Call(t.Context(), "deployVirtualMachine", deploy) },
	} {
		if raw, err := repeat(); err == nil {
			t.Errorf("%s is shown again to who has left: %s", name, raw)
		}
	}
}

// A project role denies a command by the ID of a thing as well as by projectid, to a user and to an account; the own things are not in it.
func TestProjectRoleDenies(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	s := newShop(t, c)
	call := caller(t)
	call(s.red, "deployVirtualMachine", s.deploy("name", "shops"))
	vm := ownID(t, s.red, "listVirtualMachines", api.Params{"projectid": s.id}, func(map[string]any) bool { return true })
	call(s.red, "createProjectRole", api.Params{"projectid": s.id, "name": "r"})
	role := ownID(t, s.red, "listProjectRoles", api.Params{"projectid": s.id}, func(map[string]any) bool { return true })
	for _, r := range []string{"startVirtualMachine deny", "deployVirtualMachine deny", "list* allow", "*VirtualMachine allow"} {
		rule, permission, _ := strings.Cut(r, " ")
		call(s.red, "createProjectRolePermission", api.Params{"projectid": s.id, "projectroleid": role, "rule": rule, "permission": permission})
	}
	call(s.red, "deleteAccountFromProject", api.Params{"projectid": s.id, "account": "ann"})
	call(s.red, "addAccountToProject", api.Params{"projectid": s.id, "account": "ann", "projectroleid": role})
	call(s.red, "deleteUserFromProject", api.Params{"projectid": s.id, "userid": s.users["bob"]})
	call(s.red, "addUserToProject", api.Params{"projectid": s.id, "username": "bob", "projectroleid": role})
	stranger := string(uid.New[uid.VM]())
	for name, by := range map[string]*api.Client{"ann": s.ann, "bob": s.bob} {
		for _, r := range []struct {
			command, param, id string
			more               []string
			can                bool
		}{
			{"listVirtualMachines", "projectid", s.id, nil, true},
			{"listVirtualMachines", "id", vm, nil, true},
			{"startVirtualMachine", "id", vm, nil, false},
			{"stopVirtualMachine", "id", vm, nil, true},
			{"createTags", "resourceids", vm, []string{"resourcetype", "UserVm", "tags[0].key", "k", "tags[0].value", "v"}, false},
			{"deployVirtualMachine", "projectid", s.id, []string{"zoneid", string(s.box.Zone), "templateid", string(s.box.Template),
				"serviceofferingid", string(s.box.Small)}, false},
		} {
			params := with(api.Params{r.param: r.id}, r.more...)
			has, want := got(t, by, r.command, params, r.id), got(t, by, r.command, with(params, r.param, stranger), stranger)
			if (has != want) != r.can {
				t.Errorf("%s %s=%s by %s: %s\n\tan id that was never given gets: %s", r.command, r.param, r.id, name, has, want)
			}
		}
		call(by, "deployVirtualMachine", api.Params{"zoneid": string(s.box.Zone), "templateid": string(s.box.Template),
			"serviceofferingid": string(s.box.Small)}) // for itself: the role is the project's
	}
}
