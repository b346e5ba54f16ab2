package cloudtest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/quota"
	"github.com/virga-cloud/virga/internal/secret"
)

// Limits are listed by whose they are, set, obeyed, and shown with the account and the domain.
func TestLimits(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		red := newEstate(t, c, box, "red")
		limits := func(client *api.Client, in cs.ListResourceLimitsIn) (all []cs.ResourceLimit) {
			t.Helper()
			for l, err := range api.All(t.Context(), client, cs.ListResourceLimits, in) {
				must(t, err)
				all = append(all, l)
			}
			return all
		}
		own := limits(red.user, cs.ListResourceLimitsIn{})
		if len(own) != 12 || own[0].TypeName != "user_vm" || own[0].Type != "0" || own[0].Max != 20 || own[0].Account != red.account() {
			t.Errorf("the own limits: %+v", own)
		}
		together := limits(c.Client, cs.ListResourceLimitsIn{Scope: api.Scope{DomainID: red.domain}, TypeName: "cpu"})
		if len(together) != 1 || together[0].Max != 80 || together[0].Account != "" || together[0].DomainID != red.domain {
			t.Errorf("the domain's: %+v", together)
		}
		has := len(limits(c.Client, cs.ListResourceLimitsIn{Scope: api.Scope{ListAll: true}, Paging: api.Paging{Page: 1, PageSize: 7}}))
		accounts := 0
		for _, err := range api.All(t.Context(), c.Client, cs.ListAccounts, cs.ListAccountsIn{ListAll: true}) {
			must(t, err)
			accounts++
		}
		if has != 12*accounts {
			t.Errorf("%d limits of %d accounts, seven to a page", has, accounts)
		}

		in := cs.UpdateResourceLimitIn{DomainID: red.domain, Type: new(0), Max: new(int64(0))}
		set, err := api.Do(t.Context(), c.Client, cs.UpdateResourceLimit, in)
		must(t, err)
		if set.Max != 0 || set.TypeName != "user_vm" || set.DomainID != red.domain {
			t.Errorf("set: %+v", set)
		}
		_, err = red.user.Call(t.Context(), "deployVirtualMachine", api.Params{
			"zoneid": string(box.Zone), "templateid": string(box.Template), "serviceofferingid": string(box.Small),
		})
		if err == nil || !strings.Contains(err.Error(), "the limit of domain ROOT/red-domain of virtual machines (user_vm) is 0") {
			t.Errorf("deployed beyond the domain's limit: %v", err)
		}
		in.Max = new(int64(-2))
		if _, err = api.Do(t.Context(), c.Client, cs.UpdateResourceLimit, in); err == nil {
			t.Error("a limit of -2 was set")
		}
		if _, err = api.Do(t.Context(), red.user, cs.UpdateResourceLimit, cs.UpdateResourceLimitIn{Account: red.account(), Type: new(0)}); err == nil {
			t.Error("a user set a limit")
		}
	})
}

// Counting anew finds what was counted wrongly, and nothing else, while others allocate.
func TestRecount(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		d, err := c.Accounts.CreateDomain(ctx, account.CreateDomainIn{Name: "counted"})
		must(t, err)
		a, _, err := c.Accounts.CreateAccount(ctx, account.CreateAccountIn{Domain: d.ID, Username: "counted", Password: secret.New("pw")})
		must(t, err)
		take := func() error {
			return c.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
				return account.Take(ctx, tx, a.ID, limit.Use{limit.Snapshots: 1})
			})
		}
		must(t, take()) // there are no snapshots: it is counted wrongly
		got, err := quota.Recount(ctx, c.DB, quota.Holder{Account: a.ID, Domain: d.ID})
		must(t, err)
		if got[limit.Snapshots].Used != 0 {
			t.Errorf("still wrong: %+v", got)
		}
		told := func() []cs.Event {
			return shownTo(t, c.Client, cs.ListEvents, cs.ListEventsIn{Type: "RESOURCE.COUNT.UPDATE", Scope: api.Scope{ListAll: true}})
		}
		want := fmt.Sprintf("counted anew what there is: snapshots of account %s: 0, not 1", a.ID)
		if all := told(); len(all) != 1 || all[0].Description != want || all[0].Account != a.Name {
			t.Errorf("told of it: %+v, want %q", all, want)
		}
		_, err = quota.Recount(ctx, c.DB, quota.Holder{Account: a.ID, Domain: d.ID}) // nobody has asked, and nothing was wrong
		must(t, err)
		shownTo(t, c.Client, cs.UpdateResourceCount, cs.UpdateResourceCountIn{Account: a.Name, DomainID: d.ID})
		if all := told(); len(all) != 2 || all[0].Description != "counted anew what there is: nothing was counted wrongly" {
			t.Errorf("told of a call: %+v", all)
		}
		var all sync.WaitGroup
		var taken atomic.Int64
		for range 30 {
			all.Go(func() {
				switch err := take(); {
				case err == nil:
					taken.Add(1)
				case !fault.Is(err, fault.Limit):
					t.Error(err)
				}
			})
			all.Go(func() {
				if _, err := quota.Recount(ctx, c.DB, quota.Holder{Domain: d.ID}, limit.VMs); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		counts, err := quota.Together(ctx, c.DB.Read(), d.ID)
		must(t, err)
		if n := counts[limit.Snapshots].Used; n != taken.Load() || n != 20 {
			t.Errorf("%d taken, %d counted", taken.Load(), n)
		}
		_, err = quota.Recount(ctx, c.DB, quota.Holder{Domain: d.ID})
		must(t, err)
		counts, err = quota.Together(ctx, c.DB.Read(), d.ID)
		must(t, err)
		if counts[limit.Snapshots].Used != 0 {
			t.Errorf("the domain is still wrong: %+v", counts)
		}
	})
}
