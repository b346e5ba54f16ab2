package cloudtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/datacenter"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// A file is applied, and applied again without effect; a dry run says the same and does nothing. Ours is the one that the how-to
// shows, the other is as users of CloudStack's test driver have them.
func TestApply(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		zone  string
		hosts int
		pool  string
	}{
		"../../docs/how-to/datacenter.yaml":   {"Lab", 2, "rack-1-a-disks"},
		"../datacenter/testdata/marvin.cfg":   {"Lab", 2, "PS0"},
		"../datacenter/testdata/basic.yaml":   {"Basic", 1, "basic-disks"},
		"../datacenter/testdata/changed.yaml": {"Lab", 3, "rack-1-a-disks"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cloudtest.Each(t, cloudtest.Options{NoSeed: true}, func(t *testing.T, cl *cloudtest.Cloud) {
				must(t, cl.SeedDefaults(t.Context()))
				if strings.HasSuffix(name, "changed.yaml") { // it changes what the how-to's file makes
					verbs(t, cl, "../../docs/how-to/datacenter.yaml", false)
				}
				would := verbs(t, cl, name, true)
				if zones := itemsOf(t, cl, cs.ListZones, cs.ListZonesIn{}); strings.HasSuffix(name, "changed.yaml") != (len(zones) == 1) {
					t.Fatalf("a dry run left %d zones", len(zones))
				}
				did := verbs(t, cl, name, false)
				if did[datacenter.Created]+did[datacenter.Changed] == 0 || would[datacenter.Created] < did[datacenter.Created] {
					t.Errorf("would %v, did %v", would, did)
				}
				again := verbs(t, cl, name, false)
				if again[datacenter.Created]+again[datacenter.Changed]+again[datacenter.Differs] != 0 {
					t.Errorf("once more: %v", again)
				}

				zones := itemsOf(t, cl, cs.ListZones, cs.ListZonesIn{})
				if len(zones) != 1 || zones[0].Name != c.zone || zones[0].AllocationState != "Enabled" {
					t.Errorf("zones %+v", zones)
				}
				if hosts := itemsOf(t, cl, cs.ListHosts, cs.ListHostsIn{Type: "Routing"}); len(hosts) != c.hosts || hosts[0].State != "Up" {
					t.Errorf("hosts %+v", hosts)
				}
				if pools := itemsOf(t, cl, cs.ListStoragePools, cs.ListStoragePoolsIn{Name: c.pool}); len(pools) != 1 {
					t.Errorf("pools %+v", pools)
				}
			})
		})
	}
}

func itemsOf[In, Item any](t *testing.T, c *cloudtest.Cloud, list api.List[In, Item], in In) []Item {
	t.Helper()
	page, err := api.Fetch(t.Context(), c.Client, list, in)
	must(t, err)
	return page.Items
}

// verbs applies a file and counts what became of its things.
func verbs(t *testing.T, c *cloudtest.Cloud, name string, dry bool) map[datacenter.Verb]int {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	counts := map[datacenter.Verb]int{}
	for _, change := range apply(t, c, string(text), dry) {
		counts[change.Verb]++
		t.Log(change)
	}
	return counts
}

func apply(t *testing.T, c *cloudtest.Cloud, text string, dry bool) (all []datacenter.Change) {
	t.Helper()
	f, err := datacenter.Read(strings.NewReader(text))
	must(t, err)
	must(t, datacenter.Apply(t.Context(), c.Client, f, datacenter.Options{DryRun: dry, Report: func(c datacenter.Change) { all = append(all, c) }}))
	return all
}

// What a file takes back is taken back, and what can't be is told: nothing that differs passes for the same.
func TestApplyTellsWhatDiffers(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	must(t, c.SeedDefaults(t.Context()))
	text, err := os.ReadFile("../../docs/how-to/datacenter.yaml")
	must(t, err)
	before := strings.NewReplacer("    guestcidraddress:", "    localstorageenabled: \"True\"\n    guestcidraddress:",
		"hosttags: ssd}", "hosttags: ssd, allocationstate: Disabled}",
		"memory: 1024}", "memory: 1024, hosttags: ssd, tags: slow}", "disksize: 10}", "disksize: 10, tags: slow}").Replace(string(text))
	after := strings.NewReplacer(`"True"`, "false", "allocationstate: Disabled", "allocationstate: Enabled",
		"file:///srv/virga/primary", "file:///srv/other", "vlan: 50", "vlan: 51", "name: lab-images", "name: pictures", "hosttags: ssd, tags: slow",
		"hosttags: \"ssd,gpu\", tags: fast", "tags: slow", "tags: fast", "memory: 1024", "memory: 2048").Replace(before)
	differs := func(text string, want ...string) {
		t.Helper()
		var got []string
		for _, change := range apply(t, c, text, false) {
			if change.Verb != datacenter.Same {
				got = append(got, change.String())
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Error(d)
		}
	}
	apply(t, c, before, false)
	differs(before)
	stuck := []string{
		"differ IP range 198.51.100.10 in zone Lab: vlan 50 -> 51",
		"differ primary storage rack-1-a-disks in cluster rack-1-a: url /srv/virga/primary -> file:///srv/other",
		"differ secondary storage file:///srv/virga/secondary in zone Lab: name lab-images -> pictures",
		"differ service offering Lab Small: memory 1024 -> 2048",
	}
	differs(after, "change zone Lab: localstorageenabled true -> false", stuck[0],
		"change host sim.rack-1-a.h0 in cluster rack-1-a: allocationstate Disabled -> Enabled", stuck[1], stuck[2], stuck[3],
		"change service offering Lab Small: hosttags ssd -> ssd,gpu, tags slow -> fast", "change disk offering Lab 10 GB: tags slow -> fast")
	differs(after, stuck...)
	h := itemsOf(t, c, cs.ListHosts, cs.ListHostsIn{Name: "sim.rack-1-a.h0"})[0]
	if h.ResourceState != "Enabled" {
		t.Errorf("the host is %s", h.ResourceState)
	}
	run(t, c.Client, cs.PrepareHostForMaintenance, cs.PrepareHostForMaintenanceIn{ID: h.ID})
	kept := itemsOf(t, c, cs.ListHosts, cs.ListHostsIn{ID: h.ID})[0].ResourceState
	differs(after, stuck[0], "differ host sim.rack-1-a.h0 in cluster rack-1-a: allocationstate "+kept+" -> Enabled", stuck[1], stuck[2], stuck[3])
}
