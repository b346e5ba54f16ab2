package cloudtest_test

import (
	"os"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/datacenter"
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
	r, err := os.Open(name)
	must(t, err)
	defer func() { _ = r.Close() }()
	f, err := datacenter.Read(r)
	must(t, err)
	counts := map[datacenter.Verb]int{}
	must(t, datacenter.Apply(t.Context(), c.Client, f, datacenter.Options{DryRun: dry, Report: func(c datacenter.Change) {
		counts[c.Verb]++
		t.Log(c)
	}}))
	return counts
}
