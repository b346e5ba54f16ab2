package cloudtest_test

import (
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
)

// Lists remember the names that they show beside each item. Of what is renamed the next list shows the new name.
func TestListsShowNewNamesAtOnce(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		user, _ := c.Tenant(t, "old-domain", "old-name", auth.User)
		seen := run(t, user, cs.DeployVirtualMachine, c.Sandbox(t).Deploy())
		var vm cs.VirtualMachine // as the root admin sees it, with its host
		for one, err := range api.All(t.Context(), c.Client, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{ID: seen.ID}) {
			must(t, err)
			vm = one
		}
		list := func(command string) string {
			t.Helper()
			answer, err := c.Client.Call(t.Context(), command, api.Params{"listall": "true", "response": "json"})
			must(t, err)
			return string(answer)
		}
		for _, command := range []string{"listVirtualMachines", "listVolumes", "listNetworks"} {
			list(command)
		}
		for _, rename := range []struct {
			command, param string
			params         api.Params
		}{
			{"updateHost", "name", api.Params{"id": string(vm.HostID)}},
			{"updateUser", "username", api.Params{"id": string(vm.UserID)}},
			{"updateAccount", "newname", api.Params{"domainid": string(vm.DomainID), "account": vm.Account}},
			{"updateDomain", "name", api.Params{"id": string(vm.DomainID)}},
			{"updateZone", "name", api.Params{"id": string(vm.ZoneID)}},
			{"updateServiceOffering", "name", api.Params{"id": string(vm.ServiceOfferingID)}},
		} {
			name := "new-" + strings.ToLower(strings.TrimPrefix(rename.command, "update"))
			rename.params[rename.param] = name
			_, err := c.Client.Call(t.Context(), rename.command, rename.params)
			must(t, err)
			if all := list("listVirtualMachines"); !strings.Contains(all, name) {
				t.Errorf("after %s the list of machines shows %s", rename.command, all)
			}
		}
		for _, command := range []string{"listVolumes", "listNetworks"} {
			for _, name := range []string{"new-account", "new-domain", "new-zone"} {
				if all := list(command); !strings.Contains(all, name) {
					t.Errorf("%s does not show %s: %s", command, name, all)
				}
			}
		}
	})
}
