package cloudtest_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

const tagsOfZone = "select count(*) from tags where resource_id = (select zone_id from physical_networks where id = ?)"

func TestStormTagCreate(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.Tags.Create(ctx, tag.In{Type: tag.Zone, Resources: []string{string(p.Zone)}, Tags: []tag.Pair{{Key: "a", Value: "1"}, {Key: "b", Value: "2"}}})
		},
		count: tagsOfZone, there: 2,
	})
}

func TestStormTagDelete(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.Tags.Delete(ctx, tag.In{Type: tag.Zone, Resources: []string{string(p.Zone)}})
		},
		before: `insert into tags (resource_type, resource_id, key, value, created)
			select 'Zone', zone_id, 'a', '1', created from physical_networks where name = 'storm'`,
		count: tagsOfZone, nothing: 1,
	})
}

// Tags are never left of what is gone, whoever was faster.
func TestTagsOfWhatIsDeletedMeanwhile(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx := auth.With(context.Background(), auth.System())
		box := c.Sandbox(t)
		disks, _, err := c.Offerings.Disks(ctx, offering.Filter{Name: "Small"})
		must(t, err)
		var all sync.WaitGroup
		for range 6 {
			id, job, err := c.Volumes.Create(ctx, volume.CreateIn{Zone: box.Zone, Offering: disks[0].ID})
			must(t, err)
			end(t, c, job)
			for n := range 3 {
				all.Go(func() {
					_, err := c.Tags.Create(ctx, tag.In{Type: tag.Volume, Resources: []string{string(id)}, Tags: []tag.Pair{{Key: fmt.Sprint(n), Value: "x"}}})
					if err != nil && !fault.Is(err, fault.NotFound) {
						t.Error(err)
					}
				})
			}
			all.Go(func() {
				job, err := c.Volumes.Delete(ctx, id)
				if err == nil {
					_, err = c.Engine.Wait(ctx, job)
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		_, n, err := c.Tags.List(ctx, tag.Filter{Scope: auth.Scope{All: true}})
		if must(t, err); n != 0 {
			t.Errorf("%d tags are left", n)
		}
	})
}

// A machine's tags go when it is expunged, its network's and address's when these go, and a group keeps its tags under a new ID.
func TestTagsGoWithTheirThings(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	newEstate(t, c, c.Sandbox(t), "red")
	call := func(command string, params api.Params) {
		t.Helper()
		_, err := c.Client.Call(t.Context(), command, params)
		must(t, err)
	}
	types := func() (out []string) {
		t.Helper()
		found, err := items(t, c.Client, described("listTags"), api.Params{"listall": "true"})
		must(t, err)
		for _, one := range found {
			out = append(out, one["resourcetype"].(string))
		}
		slices.Sort(out)
		return out
	}
	id := func(list string) string {
		found, err := items(t, c.Client, described(list), api.Params{"listall": "true", "tags[0].key": "red-" + typeOf(list)})
		must(t, err)
		if len(found) != 1 {
			t.Fatalf("%s shows %d with its tag", list, len(found))
		}
		return found[0]["id"].(string)
	}
	group := id("listSecurityGroups")
	another := string(uid.New[uid.SecurityGroup]())
	call("updateSecurityGroup", api.Params{"id": group, "customid": another})
	if id("listSecurityGroups") != another {
		t.Error("the group lost its tag")
	}
	network := id("listNetworks")
	call("destroyVirtualMachine", api.Params{"id": id("listVirtualMachines"), "expunge": "true"})
	if got := types(); slices.Contains(got, "UserVm") || !slices.Contains(got, "Network") {
		t.Errorf("left when the machine is gone: %v", got)
	}
	call("deleteNetwork", api.Params{"id": network})
	if got := types(); slices.Contains(got, "Network") || slices.Contains(got, "PublicIpAddress") || !slices.Contains(got, "SecurityGroup") {
		t.Errorf("left when the network is gone: %v", got)
	}
	accounts, err := items(t, c.Client, described("listAccounts"), api.Params{"name": "red-user", "listall": "true"})
	must(t, err)
	call("deleteAccount", api.Params{"id": accounts[0]["id"].(string)})
	if got := types(); len(got) > 0 {
		t.Errorf("left of the account: %v", got)
	}
}

// typeOf is the type of things that a list shows.
func typeOf(list string) string {
	for kind, by := range taggedBy {
		if by == list {
			return kind
		}
	}
	return ""
}
