package cloudtest_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// ownedBy are the rows that belong to an account while it is there.
var ownedBy = []string{"vms", "volumes", "networks", "templates"}

// leftOf counts what there is of an account, itself not counted.
func leftOf(t *testing.T, c *cloudtest.Cloud, id uid.Account) (n int) {
	t.Helper()
	parts := []string{
		"(select count(*) from ssh_keypairs where account_id = '" + string(id) + "')",
		"(select count(*) from security_groups where account_id = '" + string(id) + "')",
		"(select count(*) from vm_groups where account_id = '" + string(id) + "')",
		"(select count(*) from ip_ranges where account_id = '" + string(id) + "')",
		"(select count(*) from public_ips where account_id = '" + string(id) + "' or free_for like '%" + string(id) + "')",
		"(select count(*) from settings where scope_id = '" + string(id) + "')",
		"(select count(*) from users where account_id = '" + string(id) + "' and removed is null)",
		"(select count(*) from api_keys k join users u on u.id = k.user_id where u.account_id = '" + string(id) + "')",
		"(select count(*) from sessions s join users u on u.id = s.user_id where u.account_id = '" + string(id) + "')",
	}
	for _, table := range ownedBy {
		parts = append(parts, "(select count(*) from "+table+" where account_id = '"+string(id)+"' and removed is null)")
	}
	must(t, c.DB.Read().NewRaw("select "+strings.Join(parts, " + ")).Scan(t.Context(), &n))
	return n
}

func goneAccount(t *testing.T, c *cloudtest.Cloud, id uid.Account) bool {
	t.Helper()
	_, there, err := account.Of(t.Context(), c.DB.Read(), id)
	must(t, err)
	return !there
}

// An account is deleted with all that it owns; its name is free, and nobody who had its keys is let in.
func TestDeleteAccount(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		red, blue := newEstate(t, c, box, "red"), newEstate(t, c, box, "blue")
		_, err := c.Client.Call(t.Context(), "createVlanIpRange", api.Params{"zoneid": string(box.Zone), "forvirtualnetwork": "true", "vlan": "51",
			"gateway": "198.51.100.1", "netmask": "255.255.255.0", "startip": "198.51.100.10", "endip": "198.51.100.12",
			"account": red.account(), "domainid": string(red.domain)})
		must(t, err)
		accounts := itemsOf(t, c, cs.ListAccounts, cs.ListAccountsIn{Name: red.account(), DomainID: red.domain})
		id := accounts[0].ID
		_, err = c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": setting.UsersViewDestroyed.Name, "value": "true", "accountid": string(id)})
		must(t, err)
		_, _, err = c.Sessions.Open(t.Context(), accounts[0].Users[0].ID)
		must(t, err)
		if leftOf(t, c, id) < 12 {
			t.Fatalf("it owns %d things only", leftOf(t, c, id))
		}
		began := c.Clock.Now()
		_, err = c.Client.Call(t.Context(), "deleteAccount", api.Params{"id": string(id)})
		must(t, err)
		if n := leftOf(t, c, id); n != 0 || !goneAccount(t, c, id) {
			t.Errorf("%d things are left of it", n)
		}
		if took := c.Clock.Now().Sub(began); took > 15*time.Second {
			t.Errorf("it took %s", took)
		}
		if _, err := red.user.Call(t.Context(), "listVirtualMachines", nil); err == nil {
			t.Error("its keys work")
		}
		happened, _, err := event.List(t.Context(), c.DB.Read(), event.Filter{Scope: auth.Scope{All: true}, ResourceID: string(id), Type: event.AccountDelete})
		must(t, err)
		if len(happened) != 2 {
			t.Errorf("%d events tell of it", len(happened))
		}
		c.Tenant(t, "red-domain", red.account(), auth.User) // the name is free
		if n, err := items(t, blue.user, described("listVirtualMachines"), nil); err != nil || len(n) != 1 {
			t.Errorf("the other tenant has %d machines, %v", len(n), err)
		}
	})
}

// A domain is deleted with all below it, where that is asked for; what operators keep for it is in the way.
func TestDeleteDomain(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		ctx := auth.With(context.Background(), auth.System())
		red := newEstate(t, c, box, "red")
		below, err := c.Accounts.CreateDomain(ctx, account.CreateDomainIn{Name: "red-below", Parent: red.domain})
		must(t, err)
		call := func(command string, params api.Params) error {
			_, err := c.Client.Call(t.Context(), command, params)
			return err
		}
		must(t, call("createAccount", api.Params{"accounttype": "0", "username": "red-deep", "password": "p", "firstname": "f", "lastname": "l",
			"email": "e@example.org", "domainid": string(below.ID)}))
		refusedSaying := func(text string, params api.Params) {
			t.Helper()
			if err := call("deleteDomain", params); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("deleteDomain %v: %v, which does not say %q", params, err, text)
			}
		}
		refusedSaying("has 3 accounts and 1 domain below it", api.Params{"id": string(red.domain)})
		refusedSaying("has 1 zone of its own", api.Params{"id": string(red.domain), "cleanup": "true"})
		refusedSaying("ROOT can't be deleted", api.Params{"id": string(auth.System().Domain), "cleanup": "true"})
		if _, err := items(t, red.user, described("listVirtualMachines"), nil); err != nil {
			t.Errorf("a refused deletion shut its user out: %v", err)
		}
		zones := itemsOf(t, c, cs.ListZones, cs.ListZonesIn{Name: "red-zone"})
		must(t, call("deleteZone", api.Params{"id": string(zones[0].ID)}))
		must(t, call("deleteDomain", api.Params{"id": string(red.domain), "cleanup": "true"}))
		var left int
		must(t, c.DB.Read().NewRaw(`select (select count(*) from domains where path like 'ROOT/red-domain%' and removed is null)
			+ (select count(*) from accounts a join domains d on d.id = a.domain_id where d.path like 'ROOT/red-domain%' and a.removed is null)
			+ (select count(*) from offering_domains where domain_id = ?)`, red.domain).Scan(ctx, &left))
		if left != 0 {
			t.Errorf("%d domains, accounts and offerings are left", left)
		}
		if found := itemsOf(t, c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{Name: "red-service"}); len(found) != 0 {
			t.Errorf("an offering that was for it alone is left: %+v", found)
		}
		empty, err := c.Accounts.CreateDomain(ctx, account.CreateDomainIn{Name: "red-domain"})
		must(t, err)
		must(t, call("deleteDomain", api.Params{"id": string(empty.ID)}))
	})
}

// What can't be freed is named; the account stays closed and is finished by the keeper.
func TestDeletionGoesOn(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Rest: []string{"account-cleanup"}})
	ctx := auth.With(context.Background(), auth.System())
	red := newEstate(t, c, c.Sandbox(t), "red")
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandStop, Fault: "the guest hangs", Kind: fault.Conflict}))
	_, err := c.Client.Call(t.Context(), "deleteZone", api.Params{"id": string(itemsOf(t, c, cs.ListZones, cs.ListZonesIn{Name: "red-zone"})[0].ID)})
	must(t, err)
	_, err = c.Client.Call(t.Context(), "deleteDomain", api.Params{"id": string(red.domain), "cleanup": "true"})
	if err == nil || !strings.Contains(err.Error(), "the guest hangs") || !strings.Contains(err.Error(), "red-vm") {
		t.Errorf("the deletion ended with %v", err)
	}
	closing := itemsOf(t, c, cs.ListAccounts, cs.ListAccountsIn{CleanUp: new(true), ListAll: true})
	if len(closing) != 1 || !closing[0].CleanUp || closing[0].State != "disabled" {
		t.Fatalf("to be cleaned up are %+v", closing)
	}
	if found := itemsOf(t, c, cs.ListDomains, cs.ListDomainsIn{ID: red.domain}); len(found) != 1 || found[0].State != "Inactive" {
		t.Errorf("the domain is %+v", found)
	}
	if _, err := c.Client.Call(t.Context(), "enableAccount", api.Params{"id": string(closing[0].ID)}); err == nil {
		t.Error("it was enabled again")
	}
	must(t, c.Keepers.Round(ctx, "account-cleanup")) // the guest hangs still
	waitForJobs(t, c)
	if goneAccount(t, c, closing[0].ID) {
		t.Error("it is gone while its guest hangs")
	}
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandStop}))
	must(t, c.Keepers.Round(ctx, "account-cleanup"))
	waitForJobs(t, c)
	if n := leftOf(t, c, closing[0].ID); n != 0 || !goneAccount(t, c, closing[0].ID) {
		t.Errorf("%d things are left of it", n)
	}
	if found := itemsOf(t, c, cs.ListDomains, cs.ListDomainsIn{ID: red.domain}); len(found) != 0 {
		t.Errorf("the domain is %+v", found)
	}
}

// waitForJobs waits for all jobs to end.
func waitForJobs(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	for {
		open, _, err := op.List(t.Context(), c.DB.Read(), op.Filter{Scope: auth.Scope{All: true}, OnlyOpen: true})
		must(t, err)
		if len(open) == 0 {
			return
		}
		_, err = c.Engine.Wait(t.Context(), open[0].ID)
		must(t, err)
	}
}

// While an account is deleted, its users and admins go on making all they can: in the end there is nothing of it, and what they were
// promised has failed or gone.
func TestDeletingAccountsThatAreUsed(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 8}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		for n := range 6 {
			name := "racer" + string(rune('a'+n))
			_, a := c.Tenant(t, "races", name, auth.User)
			users, _, err := c.Accounts.Users(t.Context(), account.UserFilter{Scope: auth.Scope{Account: a.ID}})
			must(t, err)
			caller, _, err := c.Accounts.ByUser(t.Context(), users[0].ID)
			must(t, err)
			user, root := auth.With(context.Background(), caller), auth.With(context.Background(), auth.System())
			deploy := func() error {
				_, _, err := c.Machines.Deploy(user, compute.DeployIn{Zone: box.Zone, Offering: box.Small, Template: box.Template})
				return err
			}
			must(t, deploy())
			uses := map[string]func() error{
				"deploy": deploy, "deploy another": deploy,
				"volume": func() error {
					_, _, err := c.Volumes.Create(user, volume.CreateIn{Name: "v", Zone: box.Zone, Offering: box.DiskOffering["Small"]})
					return err
				},
				"key pair": func() error { _, _, err := c.KeyPairs.Create(user, keypair.In{Name: "k"}); return err },
				"group":    func() error { _, err := c.Groups.Create(user, secgroup.CreateIn{Name: "g"}); return err },
				"keys":     func() error { _, err := c.Accounts.RegisterKeys(user, caller.User); return err },
				"user": func() error {
					_, err := c.Accounts.CreateUser(root, account.CreateUserIn{Account: name, Domain: a.Domain, Username: name + "2", Password: secret.New("p")})
					return err
				},
				"network": func() error {
					_, err := items(t, c.Client, described("listVirtualMachines"), api.Params{"account": name, "domainid": string(a.Domain)})
					return err
				},
			}
			gate := make(chan struct{})
			var all sync.WaitGroup
			for what, use := range uses {
				all.Go(func() {
					<-gate
					if err := use(); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Limit) &&
						what != "network" {
						t.Errorf("%s is neither done nor refused: %v", what, err)
					}
				})
			}
			var job op.ID
			all.Go(func() {
				<-gate
				var err error
				if job, err = c.Closing.DeleteAccount(root, a.ID); err != nil {
					t.Errorf("delete: %v", err)
				}
			})
			close(gate)
			all.Wait()
			r, err := c.Engine.Wait(t.Context(), job)
			must(t, err)
			if r.State != op.Done || leftOf(t, c, a.ID) != 0 {
				t.Errorf("the deletion ended %s (%v), %d things are left", r.State, r.Err(), leftOf(t, c, a.ID))
			}
		}
	})
}

// A disabled account's machines are stopped, a locked one's go on; enabled again, its users act and its machines are as they are.
func TestDisableAccount(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	user, a := c.Tenant(t, "red", "red-user", auth.User)
	admin, _ := c.Tenant(t, "red", "red-admin", auth.DomainAdmin)
	_, err := user.Call(t.Context(), "deployVirtualMachine", api.Params{"zoneid": string(box.Zone), "templateid": string(box.Template), "serviceofferingid": string(box.Small)})
	must(t, err)
	state := func() string {
		t.Helper()
		found, err := items(t, c.Client, described("listVirtualMachines"), api.Params{"listall": "true"})
		must(t, err)
		return found[0]["state"].(string)
	}
	for _, step := range []struct{ command, lock, account, machine string }{
		{"disableAccount", "true", "locked", "Running"}, {"enableAccount", "", "enabled", "Running"},
		{"disableAccount", "false", "disabled", "Stopped"}, {"enableAccount", "", "enabled", "Stopped"},
	} {
		params := api.Params{"id": string(a.ID)}
		if step.lock != "" {
			params["lock"] = step.lock
		}
		raw, err := admin.Call(t.Context(), step.command, params)
		must(t, err)
		if !strings.Contains(string(raw), `"state":"`+step.account+`"`) || state() != step.machine {
			t.Errorf("%v: the machine is %s, the answer %s", step, state(), raw)
		}
		if _, err := user.Call(t.Context(), "listZones", nil); (err == nil) != (step.account == "enabled") {
			t.Errorf("%v: its user asks: %v", step, err)
		}
	}
	users := itemsOf(t, c, cs.ListUsers, cs.ListUsersIn{Username: "red-user", Scope: api.Scope{ListAll: true}})
	raw, err := admin.Call(t.Context(), "disableUser", api.Params{"id": string(users[0].ID)})
	must(t, err)
	if !strings.Contains(string(raw), `"state":"disabled"`) {
		t.Errorf("disableUser shows %s", raw)
	}
	zone := api.Params{"account": "red-user", "domainid": string(a.Domain), "zoneid": string(box.Zone)}
	raw, err = c.Client.Call(t.Context(), "markDefaultZoneForAccount", zone)
	must(t, err)
	if !strings.Contains(string(raw), `"defaultzoneid":"`+string(box.Zone)+`"`) {
		t.Errorf("markDefaultZoneForAccount shows %s", raw)
	}
}
