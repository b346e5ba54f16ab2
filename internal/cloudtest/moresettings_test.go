package cloudtest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/setting"
)

// What used to be fixed does what its setting says, at once.
func TestMoreSettingsHaveEffect(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 2, Rest: []string{"watch", "resource-counts"}})
	ctx := auth.With(t.Context(), auth.System())
	box := c.Sandbox(t)
	does := func(says, command string, params ...string) {
		t.Helper()
		_, err := c.Client.Call(t.Context(), command, with(nil, params...))
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%s %v: %v; want …%s…", command, params, err, says)
		}
	}
	set1 := func(name, value string) { t.Helper(); set(t, c, name, value, cs.SettingPlace{}) }
	zone := string(box.Zone)

	pod := func(name string) []string {
		return []string{"name", name, "zoneid", zone, "gateway", "198.18.0.1", "netmask", "255.255.255.0", "startip", "198.18.0.2", "endip", "198.18.0.9"}
	}
	does("", "createPod", pod("one")...)
	does("overlaps", "createPod", pod("two")...)
	set1("check.pod.cidrs", "false")
	does("", "createPod", pod("two")...)

	vm := string(run(t, c.Client, cs.DeployVirtualMachine, box.Deploy()).ID)
	long := strings.Repeat("QUJD", 8193)
	does("32772 characters; it may have 32768", "updateVirtualMachine", "id", vm, "userdata", long)
	does("vm.userdata.max.length", "deployVirtualMachine", "zoneid", zone, "serviceofferingid", string(box.Small), "templateid", string(box.Template), "userdata", long)
	set1("vm.userdata.max.length", "1048576")
	does("", "updateVirtualMachine", "id", vm, "userdata", strings.Repeat("QUJD", 262144))

	cluster := []string{"clustername", "kvm", "zoneid", zone, "podid", firstID(t, c.Client, "listPods"), "hypervisor", "KVM", "clustertype", "CloudManaged"}
	set1("hypervisor.list", "Simulator, VMware")
	does("hypervisor.list", "addCluster", cluster...)
	set1("hypervisor.list", "kvm")
	does("", "addCluster", cluster...)

	offering := func(name string) []string {
		return []string{"name", name, "displaytext", name, "guestiptype", "Isolated", "traffictype", "GUEST", "supportedservices", "Dhcp",
			"serviceproviderlist[0].service", "Dhcp", "serviceproviderlist[0].provider", "VirtualRouter"}
	}
	does("", "createNetworkOffering", offering("slow")...)
	set1("network.throttling.rate", "77")
	does("", "createNetworkOffering", offering("fast")...)
	for name, rate := range map[string]int{"slow": 200, "fast": 77} {
		if o := one(t, c.Client, cs.ListNetworkOfferings, cs.ListNetworkOfferingsIn{Name: name}); o.NetworkRate != rate {
			t.Errorf("%s: %d Mbit/s, want %d", name, o.NetworkRate, rate)
		}
	}

	names := func() (out []string) {
		for _, item := range must1(items(t, c.Client, described("listDiskOfferings"), nil))(t) {
			if name := item["name"].(string); name == "first" || name == "last" {
				out = append(out, name)
			}
		}
		return out
	}
	for name, key := range map[string]string{"first": "1", "last": "9"} {
		does("", "createDiskOffering", "name", name, "displaytext", name, "disksize", "1")
		id := one(t, c.Client, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{Name: name}).ID
		does("", "updateDiskOffering", "id", string(id), "sortkey", key)
	}
	if got := names(); !slices.Equal(got, []string{"first", "last"}) {
		t.Errorf("ascending: %v", got)
	}
	set1("sortkey.algorithm", "false")
	if got := names(); !slices.Equal(got, []string{"last", "first"}) {
		t.Errorf("descending: %v", got)
	}

	kind := func() string {
		resp, err := http.Get(c.Client.Endpoint + "?command=listApis&response=json")
		must(t, err)
		must(t, resp.Body.Close())
		return resp.Header.Get("Content-Type")
	}
	if got := kind(); got != "application/json; charset=UTF-8" {
		t.Errorf("JSON is %s", got)
	}
	set1("json.content.type", "text/javascript")
	if got := kind(); got != "text/javascript" {
		t.Errorf("JSON is %s", got)
	}

	// Alerts of what runs out: each with its threshold at 0, where something is used, and none with it at 1.
	c.Sandbox(t).Deploy()
	for name, alert := range map[string]string{
		"zone.vlan.capacity.notificationthreshold": "ALERT.NETWORK.VLAN", "cluster.storage.capacity.notificationthreshold": "ALERT.STORAGE",
		"pod.privateip.capacity.notificationthreshold": "ALERT.NETWORK.PRIVATEIP", "zone.secstorage.capacity.notificationthreshold": "ALERT.STORAGE.SECONDARY",
	} {
		lasting := func() (n int) {
			must(t, c.Keepers.Round(ctx, "watch"))
			for a, err := range api.All(t.Context(), c.Client, cs.ListAlerts, cs.ListAlertsIn{Name: alert}) {
				must(t, err)
				if a.Resolved.IsZero() {
					n++
					if !strings.Contains(a.Description, "is nearly full") || strings.Contains(a.Description, "-7") {
						t.Errorf("alert: %s", a.Description)
					}
				}
			}
			return n
		}
		set1(name, "1")
		before := lasting()
		set1(name, "0")
		full := anyUsed(t, c, alert)
		if after := lasting(); before != 0 || (after > 0) != full {
			t.Errorf("%s: %d alerts, then %d, and something is used: %v", name, before, after, full)
		}
	}

	must(t, c.Keepers.Round(ctx, "resource-counts")) // is off
	change(t, c, "update resource_counts set vm_used = vm_used + 5")
	set1("resourcecount.check.interval", "1")
	must(t, c.Keepers.Round(ctx, "resource-counts"))
	for _, err := range cloudtest.Check(ctx, c.DB, c.World) {
		t.Errorf("after the count: %v", err)
	}
	if got := setting.PingInterval.Of(c.Settings); got != 10*time.Second {
		t.Errorf("hosts are asked every %v", got)
	}
	does("has no effect here", "updateConfiguration", "name", "router.ram.size", "value", "1")
	does("has no effect here", "resetConfiguration", "name", "router.ram.size")
	does("can't be set for a single imagestore", "updateConfiguration", "name", "expunge.delay", "value", "1", "imagestoreuuid", firstID(t, c.Client, "listImageStores"))
	if none := must1(items(t, c.Client, described("listConfigurations"), api.Params{"imagestoreuuid": firstID(t, c.Client, "listImageStores")}))(t); len(none) > 0 {
		t.Errorf("%d settings of an image store", len(none))
	}
	set(t, c, "allow.user.view.destroyed.vm", "true", cs.SettingPlace{DomainID: auth.System().Domain})
	client, acct := c.Tenant(t, "below", "viewer", auth.User)
	for _, place := range []cs.SettingPlace{{DomainID: acct.Domain}, {AccountID: acct.ID}} {
		if got := one(t, c.Client, cs.ListConfigurations, cs.ListConfigurationsIn{Name: "allow.user.view.destroyed.vm", SettingPlace: place}).Value; got != "true" {
			t.Errorf("%+v shows %s", place, got)
		}
	}
	can, err := api.Do(t.Context(), client, cs.ListCapabilities, api.None{})
	must(t, err)
	if !can.UserViewDestroyed {
		t.Error("an account has not what its domain's parent says")
	}
	does("", "resetConfiguration", "name", "allow.user.view.destroyed.vm", "domainid", string(auth.System().Domain))
	if got := one(t, c.Client, cs.ListConfigurations, cs.ListConfigurationsIn{Name: "allow.user.view.destroyed.vm", SettingPlace: cs.SettingPlace{AccountID: acct.ID}}).Value; got != "false" {
		t.Errorf("reset it is %s", got)
	}
}

// anyUsed tells whether anything is used of the capacity that an alert is about.
func anyUsed(t *testing.T, c *cloudtest.Cloud, alert string) bool {
	t.Helper()
	kind := map[string]int{"ALERT.NETWORK.VLAN": 7, "ALERT.STORAGE": 2, "ALERT.NETWORK.PRIVATEIP": 5, "ALERT.STORAGE.SECONDARY": 6}[alert]
	for _, one := range itemsOf(t, c, cs.ListCapacity, cs.ListCapacityIn{Type: &kind}) {
		if one.Used > 0 {
			return true
		}
	}
	return false
}
