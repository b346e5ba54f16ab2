package cloudtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

func set(t *testing.T, c *cloudtest.Cloud, name, value string, place cs.SettingPlace) {
	t.Helper()
	got, err := api.Do(t.Context(), c.Client, cs.UpdateConfiguration, cs.UpdateConfigurationIn{Name: name, Value: value, SettingPlace: place})
	must(t, err)
	if value != "" && got.Value != value {
		t.Errorf("%s was set to %s and is %s", name, value, got.Value)
	}
}

// What is set on one server is known to the other, which knows it only from the database.
func TestSettingsReachEveryServer(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{NoSeed: true}, func(t *testing.T, c *cloudtest.Cloud) {
		other := c.Another(c.DB, c.World, op.Options{Name: "other"})
		stop, err := other.Settings.Start(t.Context(), 5*time.Millisecond)
		must(t, err)
		defer stop()
		reaches := func(want time.Duration) {
			t.Helper()
			tick := time.NewTicker(5 * time.Millisecond)
			defer tick.Stop()
			for range 10_000 { // most of a minute
				if setting.ExpungeDelay.Of(other.Settings) == want {
					return
				}
				<-tick.C
			}
			t.Errorf("the other server goes on with %v, want %v", setting.ExpungeDelay.Of(other.Settings), want)
		}
		set(t, c, "expunge.delay", "17", cs.SettingPlace{})
		if got := setting.ExpungeDelay.Of(c.Settings); got != 17*time.Second {
			t.Errorf("the server that was asked goes on with %v", got)
		}
		reaches(17 * time.Second)
		set(t, c, "expunge.delay", "", cs.SettingPlace{})
		reaches(24 * time.Hour)
	})
}

// Settings do what they say, without a restart.
func TestSettingsHaveEffect(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 2, Rest: []string{"watch", "expunge"}})
	ctx := auth.With(t.Context(), auth.System())

	set(t, c, "max.account.user.vms", "3", cs.SettingPlace{})
	set(t, c, "max.account.vpcs", "-1", cs.SettingPlace{})
	_, acct := c.Tenant(t, "", "late", auth.User)
	for a, err := range api.All(t.Context(), c.Client, cs.ListAccounts, cs.ListAccountsIn{ID: acct.ID}) {
		must(t, err)
		if a.VMLimit != "3" || a.VMAvailable != "3" || a.VPCLimit != "Unlimited" || a.IPLimit != "20" || a.SecondaryStorageLimit != "400" {
			t.Errorf("the new account's limits: %+v", a)
		}
	}

	in := smallIn(t, c, ctx, "10.1.0.1", "255.255.255.0")
	vm, job, err := c.Machines.Deploy(ctx, in)
	must(t, err)
	_, err = c.Engine.Wait(t.Context(), job)
	must(t, err)
	alerts := func(name string) (lasting, all int) {
		t.Helper()
		must(t, c.Keepers.Round(ctx, "watch"))
		for a, err := range api.All(t.Context(), c.Client, cs.ListAlerts, cs.ListAlertsIn{Name: name}) {
			must(t, err)
			all++
			if a.Resolved.IsZero() {
				lasting++
			}
			if a.Name != name || !strings.Contains(a.Description, "nearly full") {
				t.Errorf("alert %+v", a)
			}
		}
		return lasting, all
	}
	for kind, total := range map[int]int64{4: 15*256 + 249, 7: 4094 - 99} { // of the sandbox's public addresses and VLANs
		if full := one(t, c.Client, cs.ListCapacity, cs.ListCapacityIn{Type: &kind}); full.Total != total || full.Used != 1 || full.Allocated != 1 {
			t.Errorf("a network is there: capacity %+v", full)
		}
	}
	var cluster cs.SettingPlace
	for one, err := range api.All(t.Context(), c.Client, cs.ListClusters, cs.ListClustersIn{}) {
		must(t, err)
		cluster.ClusterID = one.ID
	}
	for name, alert := range map[string]string{
		"cluster.cpu.allocated.capacity.notificationthreshold":        "ALERT.CPU",
		"cluster.memory.allocated.capacity.notificationthreshold":     "ALERT.MEMORY",
		"zone.virtualnetwork.publicip.capacity.notificationthreshold": "ALERT.NETWORK.PUBLICIP",
	} {
		at := cluster
		if strings.HasPrefix(name, "zone.") {
			at = cs.SettingPlace{} // it is the same everywhere
		}
		if lasting, all := alerts(alert); lasting != 0 || all != 0 {
			t.Errorf("%s: %d alerts, %d last, on a cloud that is nearly empty", alert, all, lasting)
		}
		set(t, c, name, "0", at)
		alerts(alert)
		if lasting, all := alerts(alert); lasting != 1 || all != 1 {
			t.Errorf("%s: %d alerts, %d last, where nothing may be given away", alert, all, lasting)
		}
		set(t, c, name, "", at)
		if lasting, all := alerts(alert); lasting != 0 || all != 1 {
			t.Errorf("%s: %d alerts, %d last, after its cause went", alert, all, lasting)
		}
	}

	set(t, c, "expunge.delay", "60", cs.SettingPlace{})
	job, err = c.Machines.Destroy(ctx, vm, false)
	must(t, err)
	_, err = c.Engine.Wait(t.Context(), job)
	must(t, err)
	state := func() string {
		found, _, err := c.Machines.List(ctx, compute.Filter{Scope: auth.Scope{All: true}, IDs: []uid.VM{vm}})
		must(t, err)
		if len(found) == 0 {
			return "gone"
		}
		return string(found[0].State)
	}
	must(t, c.Keepers.Round(ctx, "expunge"))
	if got := state(); got != "Destroyed" {
		t.Errorf("before its time the machine is %s", got)
	}
	c.Clock.Forward(2 * time.Minute)
	must(t, c.Keepers.Round(ctx, "expunge"))
	open, err := op.OpenOn(ctx, c.DB.Read(), []string{string(vm)})
	must(t, err)
	if job := open[string(vm)]; job != "" {
		_, err = c.Engine.Wait(t.Context(), job)
		must(t, err)
	}
	if got := state(); got == "Destroyed" {
		t.Error("after its time the machine is still Destroyed")
	}

	set(t, c, "default.page.size", "1", cs.SettingPlace{})
	page, err := api.Fetch(ctx, c.Client, cs.ListConfigurations, cs.ListConfigurationsIn{})
	if err != nil || len(page.Items) != 1 || page.Count < 40 {
		t.Errorf("a page of one: %d of %d, %v", len(page.Items), page.Count, err)
	}
	_, err = api.Fetch(ctx, c.Client, cs.ListConfigurations, cs.ListConfigurationsIn{Paging: api.Paging{Page: 1, PageSize: 2}})
	if err == nil || !strings.Contains(err.Error(), "max allowed page size value: 1") {
		t.Errorf("a larger page: %v", err)
	}
}

func TestOldEventsGo(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	count := func() int {
		t.Helper()
		must(t, c.Keepers.Round(t.Context(), "event-purge"))
		_, n, err := event.List(t.Context(), c.DB.Read(), event.Filter{Scope: auth.Scope{All: true}})
		must(t, err)
		return n
	}
	young := count()
	if young == 0 {
		t.Fatal("a new cloud has no events")
	}
	c.Clock.Forward(14 * 24 * time.Hour)
	if n := count(); n != young {
		t.Errorf("after two weeks %d of %d events are left", n, young)
	}
	set(t, c, "event.purge.delay", "0", cs.SettingPlace{})
	c.Clock.Forward(48 * time.Hour)
	if n := count(); n != young+1 {
		t.Errorf("kept forever %d of %d events are left", n, young+1)
	}
	set(t, c, "event.purge.delay", "1", cs.SettingPlace{})
	if n := count(); n != 1 { // of this change: the other one was made 48 hours ago
		t.Errorf("after more than a day %d events are left, want that of the last change", n)
	}
}
