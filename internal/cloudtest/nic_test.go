package cloudtest_test

import (
	"slices"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/uid"
)

// A machine's NICs are listed by device, as the machine shows them, to who sees the machine.
func TestListNics(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		blue, _ := c.Tenant(t, "blue", "blue", auth.User)
		in := box.Deploy()
		for _, name := range []string{"front", "back"} {
			n, err := api.Do(ctx, red, cs.CreateNetwork, cs.CreateNetworkIn{
				Name: name, OfferingID: box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"], ZoneID: box.Zone,
			})
			must(t, err)
			in.NetworkIDs = append(in.NetworkIDs, n.ID)
		}
		vm := run(t, red, cs.DeployVirtualMachine, in)
		see := func(in cs.ListNicsIn) (ids []uid.NIC) {
			t.Helper()
			found, err := listed(t, red, cs.ListNics, in)
			must(t, err)
			for _, nic := range found {
				if i := slices.IndexFunc(vm.NICs, func(n cs.NIC) bool { return n == nic.NIC }); i < 0 || nic.VMID != vm.ID {
					t.Errorf("%+v is none of %+v", nic, vm.NICs)
				}
				ids = append(ids, nic.ID)
			}
			return ids
		}
		both := []uid.NIC{vm.NICs[0].ID, vm.NICs[1].ID}
		for _, one := range []struct {
			in   cs.ListNicsIn
			want []uid.NIC
		}{
			{cs.ListNicsIn{}, both}, {cs.ListNicsIn{ID: both[1]}, both[1:]}, {cs.ListNicsIn{NetworkID: in.NetworkIDs[0]}, both[:1]},
			{cs.ListNicsIn{Paging: api.Paging{Page: 2, PageSize: 1}}, both[1:]}, {cs.ListNicsIn{Paging: api.Paging{Keyword: "back"}}, both[1:]},
		} {
			one.in.VMID = vm.ID
			if got := see(one.in); !slices.Equal(got, one.want) {
				t.Errorf("%+v shows %v, want %v", one.in, got, one.want)
			}
		}
		_, err := listed(t, blue, cs.ListNics, cs.ListNicsIn{VMID: vm.ID})
		refusedWith(t, err, 431, string(vm.ID))
	})
}
