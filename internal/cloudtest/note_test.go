package cloudtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
)

const detailsOfZone = "select count(*) from resource_details where resource_id = (select zone_id from physical_networks where id = ?)"

func TestStormDetailAdd(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.Details.Add(ctx, detail.In{Type: "Zone", Resource: string(p.Zone), Details: map[string]string{"a": "1", "b": "2"}, Hidden: true})
		},
		count: detailsOfZone, there: 2,
	})
}

func TestStormDetailRemove(t *testing.T) {
	t.Parallel()
	stormPlant(t, plantStorm{
		start: func(ctx context.Context, s *stormy, p physnet.Network) (op.ID, error) {
			return s.now.Details.Remove(ctx, detail.In{Type: "Zone", Resource: string(p.Zone)}, "")
		},
		before: `insert into resource_details (resource_type, resource_id, key, value, display)
			select 'Zone', zone_id, 'a', '1', false from physical_networks where name = 'storm'`,
		count: detailsOfZone, nothing: 1,
	})
}

// What is noted of a thing is in one place: what its own list shows, listResourceDetails shows, and what is hidden from users is hidden
// in both. What is noted goes with the thing.
func TestDetails(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		red, blue := newEstate(t, c, box, "red"), newEstate(t, c, box, "blue")
		vm := firstID(t, red.user, "listVirtualMachines")
		volume := firstID(t, red.user, "listVolumes")
		change(t, c, "delete from resource_details", "update vms set details = '{}'") // the estates'
		does := func(by *api.Client, says, command string, params ...string) {
			t.Helper()
			_, err := by.Call(t.Context(), command, with(nil, params...))
			if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
				t.Errorf("%s %v: %v; want …%s…", command, params, err, says)
			}
		}
		shown := func(by *api.Client, params ...string) string {
			t.Helper()
			found, err := items(t, by, described("listResourceDetails"), with(nil, params...))
			must(t, err)
			var out []string
			for _, d := range found {
				out = append(out, fmt.Sprint(d["key"], "=", d["value"]))
			}
			return strings.Join(out, " ")
		}
		is := func(what, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		details := func(list string) string {
			t.Helper()
			for _, item := range must1(items(t, red.user, described(list), nil))(t) {
				if item["id"] == vm {
					return fmt.Sprint(item["details"])
				}
			}
			return "no machine"
		}
		add := func(kind, id, key, value string, more ...string) []string {
			return append([]string{"resourcetype", kind, "resourceid", id, "details[0].key", key, "details[0].value", value}, more...)
		}
		does(c.Client, "", "addResourceDetail", add("uservm", vm, "role", "db", "details[1].key", "rack", "details[1].value", "7")...)
		does(c.Client, "", "addResourceDetail", add("UserVm", vm, "cost", "high", "fordisplay", "false")...)
		does(c.Client, "", "addResourceDetail", add("Volume", volume, "raid", "10")...)
		does(c.Client, "", "addResourceDetail", add("Zone", string(box.Zone), "owner", "ops")...)
		is("the machine's own", details("listVirtualMachines"), "map[rack:7 role:db]")
		is("a user's", shown(red.user, "resourcetype", "UserVm"), "rack=7 role=db")
		is("hidden from a user", shown(red.user, "resourcetype", "UserVm", "fordisplay", "false"), "")
		is("root's", shown(c.Client, "resourcetype", "UserVm", "listall", "true"), "cost=high rack=7 role=db")
		is("root's hidden", shown(c.Client, "resourcetype", "UserVm", "listall", "true", "fordisplay", "false"), "cost=high")
		is("root's own account has none", shown(c.Client, "resourcetype", "UserVm"), "")
		is("by key", shown(red.admin, "resourcetype", "UserVm", "key", "role", "listall", "true"), "role=db")
		is("by value", shown(red.user, "resourcetype", "UserVm", "value", "7"), "rack=7")
		is("by keyword", shown(red.user, "resourcetype", "UserVm", "keyword", "RO"), "role=db")
		is("a page", shown(red.user, "resourcetype", "UserVm", "page", "2", "pagesize", "1"), "role=db")
		is("another tenant's", shown(blue.user, "resourcetype", "UserVm", "resourceid", vm, "listall", "true"), "")
		is("of a volume", shown(red.user, "resourcetype", "Volume", "resourceid", volume), "raid=10")
		is("of a zone, to a user", shown(red.user, "resourcetype", "Zone", "key", "owner"), "owner=ops")
		is("of a zone, to root", shown(c.Client, "resourcetype", "Zone", "key", "owner"), "owner=ops")
		is("of what is to come", shown(c.Client, "resourcetype", "Vpc"), "")
		does(c.Client, "", "addResourceDetail", add("Zone", string(box.Zone), "rent", "low", "fordisplay", "false")...)
		is("hidden of a zone, to a user", shown(red.user, "resourcetype", "Zone", "key", "rent"), "")
		is("of pools, to a user", shown(red.admin, "resourcetype", "Storage"), "")
		theirs := must1(c.Client.Call(t.Context(), "createDiskOffering", api.Params{
			"name": "red's", "displaytext": "red's", "disksize": "1", "domainid": string(red.domain), "details[0].key": "disk", "details[0].value": "ssd",
		}))(t)
		theirID := idIn.FindStringSubmatch(string(theirs))[1]
		does(c.Client, "", "addResourceDetail", add("DiskOffering", theirID, "price", "7", "fordisplay", "false")...)
		is("of an offering for a domain, to its user", shown(red.user, "resourcetype", "DiskOffering", "resourceid", theirID), "disk=ssd")
		is("of an offering for another domain", shown(blue.user, "resourcetype", "DiskOffering", "resourceid", theirID), "")
		is("of an offering for another domain, to an admin", shown(blue.admin, "resourcetype", "DiskOffering", "resourceid", theirID), "")
		is("to root", shown(c.Client, "resourcetype", "DiskOffering", "resourceid", theirID), "disk=ssd price=7")
		does(c.Client, "", "removeResourceDetail", "resourcetype", "DiskOffering", "resourceid", theirID)
		does(c.Client, "", "removeResourceDetail", "resourcetype", "Zone", "resourceid", string(box.Zone), "key", "rent")
		does(red.admin, "", "listResourceDetails", "resourcetype", "NetworkOffering")
		does(red.user, "", "listResourceDetails", "resourcetype", "GuestOs")

		does(c.Client, "", "addResourceDetail", add("UserVm", vm, "role", "web", "fordisplay", "false")...) // shown till now
		does(c.Client, "", "addResourceDetail", add("UserVm", vm, "cost", "low")...)                        // hidden till now
		is("moved", details("listVirtualMachines"), "map[cost:low rack:7]")
		is("moved, for root", shown(c.Client, "resourcetype", "UserVm", "resourceid", vm), "cost=low rack=7 role=web")

		does(c.Client, "can't have details", "addResourceDetail", add("Cat", vm, "a", "b")...)
		does(c.Client, "is the machine's size", "addResourceDetail", add("UserVm", vm, "cpuNumber", "9")...)
		does(c.Client, "no UserVm with id", "addResourceDetail", add("UserVm", volume, "a", "b")...)
		does(c.Client, "has no value", "addResourceDetail", add("UserVm", vm, "a", "")...)
		does(red.user, "", "listResourceDetails", "resourcetype", "User")
		does(red.user, "The given command", "addResourceDetail", add("UserVm", vm, "a", "b")...)
		does(c.Client, `no detail "a"`, "removeResourceDetail", "resourcetype", "UserVm", "resourceid", vm, "key", "a")
		does(c.Client, "", "removeResourceDetail", "resourcetype", "UserVm", "resourceid", vm, "key", "role")
		is("without one", shown(c.Client, "resourcetype", "UserVm", "resourceid", vm), "cost=low rack=7")
		does(c.Client, "", "removeResourceDetail", "resourcetype", "UserVm", "resourceid", vm)
		is("without any", details("listVirtualMachines"), "<nil>")

		for kind, list := range map[string]string{
			"Template": "listTemplates", "Network": "listNetworks", "PublicIpAddress": "listPublicIpAddresses", "User": "listUsers",
			"ServiceOffering": "listServiceOfferings", "DiskOffering": "listDiskOfferings", "NetworkOffering": "listNetworkOfferings",
			"Storage": "listStoragePools", "GuestOs": "listOsTypes",
		} {
			params := api.Params{}
			if kind == "Template" {
				params["templatefilter"] = "featured"
			}
			by := c.Client
			if has(described(list), "account") && kind != "Template" {
				by = red.admin
				params["listall"] = "true"
			}
			id := idOf(must1(items(t, by, described(list), params))(t)[0])
			does(c.Client, "", "addResourceDetail", add(kind, id, "a", "b")...)
			if got := shown(c.Client, "resourcetype", kind, "resourceid", id, "key", "a"); got != "a=b" {
				t.Errorf("a detail of a %s: %q", kind, got)
			}
			does(c.Client, "", "removeResourceDetail", "resourcetype", kind, "resourceid", id, "key", "a")
		}
		nic := must1(items(t, red.user, described("listVirtualMachines"), nil))(t)[0]["nic"].([]any)[0].(map[string]any)["id"].(string)
		does(c.Client, "", "addResourceDetail", add("Nic", nic, "speed", "fast")...)
		is("of a card", shown(red.user, "resourcetype", "Nic"), "speed=fast")

		does(c.Client, "", "destroyVirtualMachine", "id", vm, "expunge", "true")
		is("of a card that is gone", shown(red.user, "resourcetype", "Nic"), "")
		must(t, c.Details.Sweep(auth.With(t.Context(), auth.System())))
		var left []string
		must(t, c.DB.Read().NewRaw("select resource_type from resource_details").Scan(t.Context(), &left))
		if len(left) > 0 {
			t.Errorf("noted of what is gone: %v", left)
		}
	})
}

// Remarks are for who sees the thing, unless they are for root admins.
func TestAnnotations(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2}, func(t *testing.T, c *cloudtest.Cloud) {
		box := c.Sandbox(t)
		red, blue := newEstate(t, c, box, "red"), newEstate(t, c, box, "blue")
		vm := firstID(t, red.user, "listVirtualMachines")
		change(t, c, "delete from annotations") // the estates'
		does := func(by *api.Client, says, command string, params ...string) string {
			t.Helper()
			raw, err := by.Call(t.Context(), command, with(nil, params...))
			if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
				t.Errorf("%s %v: %v; want …%s…", command, params, err, says)
			}
			_, rest, _ := strings.Cut(string(raw), `"id":"`)
			id, _, _ := strings.Cut(rest, `"`)
			return id
		}
		shown := func(what string, by *api.Client, want string, params ...string) {
			t.Helper()
			found, err := items(t, by, described("listAnnotations"), with(nil, params...))
			must(t, err)
			var out []string
			for _, a := range found {
				out = append(out, fmt.Sprint(a["annotation"], "/", a["entityname"]))
			}
			if got := strings.Join(out, " "); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		on := func(kind, id, text string, more ...string) []string {
			return append([]string{"entitytype", kind, "entityid", id, "annotation", text}, more...)
		}
		redUser := must1(items(t, red.admin, described("listUsers"), api.Params{"listall": "true", "username": "red-user"}))(t)[0]["id"].(string)
		mine := does(red.user, "", "addAnnotation", on("vm", vm, "slow")...)
		theirs := does(red.admin, "", "addAnnotation", on("VM", vm, "patched")...)
		hidden := does(c.Client, "", "addAnnotation", on("VM", vm, "spammer", "adminsonly", "true")...)
		does(red.admin, "", "addAnnotation", on("DOMAIN", string(red.domain), "ours")...)
		does(c.Client, "", "addAnnotation", on("ZONE", string(box.Zone), "full")...)
		shown("the user's", red.user, "patched/red-vm slow/red-vm")
		shown("the own", red.user, "slow/red-vm", "annotationfilter", "self")
		shown("the admin's", red.admin, "ours/red-domain patched/red-vm slow/red-vm")
		shown("root's", c.Client, "spammer/red-vm patched/red-vm slow/red-vm", "entitytype", "VM", "entityid", vm)
		shown("by user", c.Client, "slow/red-vm", "userid", redUser)
		shown("by id", red.user, "patched/red-vm", "id", theirs)
		shown("by keyword", red.user, "slow/red-vm", "keyword", "LO")
		shown("hidden by id", red.user, "", "id", hidden)
		shown("another tenant's", blue.admin, "", "entitytype", "VM", "entityid", vm)
		shown("a page", red.user, "slow/red-vm", "page", "2", "pagesize", "1")

		does(blue.user, "no VM with id", "addAnnotation", on("VM", vm, "x")...)
		does(red.user, "no ZONE with id", "addAnnotation", on("ZONE", string(box.Zone), "x")...)
		does(red.user, "no DOMAIN with id", "addAnnotation", on("DOMAIN", string(red.domain), "x")...)
		does(red.admin, "no DOMAIN with id", "addAnnotation", on("DOMAIN", string(blue.domain), "x")...)
		does(red.user, "only root admins", "addAnnotation", on("VM", vm, "x", "adminsonly", "true")...)
		does(red.user, "can have annotations", "addAnnotation", on("CAT", vm, "x")...)
		does(red.user, "is empty", "addAnnotation", on("VM", vm, " ")...)
		does(red.user, "is empty", "addAnnotation", "entitytype", "VM", "entityid", vm)
		does(red.user, "its entitytype", "listAnnotations", "entityid", vm)
		does(red.user, "another user's", "removeAnnotation", "id", theirs)
		does(blue.admin, "", "listAnnotations")
		does(blue.admin, mine, "removeAnnotation", "id", mine) // it is not there
		does(red.user, hidden, "removeAnnotation", "id", hidden)
		does(red.user, "The given command", "updateAnnotationVisibility", "id", mine, "adminsonly", "true")

		does(c.Client, "", "updateAnnotationVisibility", "id", hidden, "adminsonly", "false")
		shown("shown now", red.user, "spammer/red-vm patched/red-vm slow/red-vm")
		does(red.user, "", "removeAnnotation", "id", mine)
		does(c.Client, "", "removeAnnotation", "id", theirs)
		shown("what is left", red.user, "spammer/red-vm")
		address := ownID(t, red.user, "listPublicIpAddresses", nil, func(item map[string]any) bool { return item["account"] == red.account() })
		marked := func(by *api.Client, list, id string, want bool) {
			t.Helper()
			item := must1(items(t, by, described(list), api.Params{"id": id}))(t)[0]
			if item["hasannotations"] != want {
				t.Errorf("%s says of %s that it has annotations: %v", list, id, item["hasannotations"])
			}
		}
		marked(c.Client, "listPublicIpAddresses", address, false)
		does(c.Client, "", "addAnnotation", on("PUBLIC_IP_ADDRESS", address, "noisy", "adminsonly", "true")...)
		marked(c.Client, "listPublicIpAddresses", address, true)
		marked(red.user, "listPublicIpAddresses", address, false)
		does(red.user, "", "addAnnotation", on("PUBLIC_IP_ADDRESS", address, "web")...)
		marked(red.user, "listPublicIpAddresses", address, true)
		marked(c.Client, "listImageStores", firstID(t, c.Client, "listImageStores"), false)
		found := must1(items(t, red.user, described("listAnnotations"), api.Params{"entitytype": "PUBLIC_IP_ADDRESS"}))(t)
		if name := fmt.Sprint(found[0]["entityname"]); strings.Count(name, ".") != 3 {
			t.Errorf("an address is called %s", name)
		}
		for kind, list := range map[string]string{
			"POD": "listPods", "CLUSTER": "listClusters", "HOST": "listHosts", "PRIMARY_STORAGE": "listStoragePools", "SECONDARY_STORAGE": "listImageStores",
			"SERVICE_OFFERING": "listServiceOfferings", "DISK_OFFERING": "listDiskOfferings", "NETWORK_OFFERING": "listNetworkOfferings",
			"VOLUME": "listVolumes", "NETWORK": "listNetworks", "SSH_KEYPAIR": "listSSHKeyPairs",
		} {
			by := c.Client
			if has(described(list), "account") {
				by = red.user
			}
			does(by, "", "addAnnotation", on(kind, firstID(t, by, list), "x")...)
		}
		marked(c.Client, "listImageStores", firstID(t, c.Client, "listImageStores"), true)
		does(c.Client, "", "destroyVirtualMachine", "id", vm, "expunge", "true")
		must(t, c.Annotations.Sweep(auth.With(t.Context(), auth.System())))
		shown("on what is gone", c.Client, "", "entitytype", "VM")
	})
}

func must1[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T { t.Helper(); must(t, err); return v }
}
