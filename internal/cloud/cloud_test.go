package cloud_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// Names that are stored with operations never change: an operation that another version began would not go on. A new plan
// adds lines here; a changed or missing line needs a reason why no stored operation can have it.
func TestStoredNames(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true, NoStart: true})
	got := strings.Join(c.Engine.Plans(), "\n") + "\n"
	const file = "testdata/plans.golden"
	if os.Getenv("VIRGA_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the stored names changed (VIRGA_UPDATE=1 writes them anew):\n%s", diff)
	}
}

// A seed that was broken off is completed by the next one, and a complete one is left as it is.
func TestSeedTwice(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 3}, func(t *testing.T, c *cloudtest.Cloud) {
		count := func() (n int) {
			t.Helper()
			err := c.DB.Read().NewRaw(`select (select count(*) from hosts) + (select count(*) from zones) + (select count(*) from pods)
				+ (select count(*) from clusters) + (select count(*) from templates) + (select count(*) from service_offerings)
				+ (select count(*) from disk_offerings) + (select count(*) from network_offerings) + (select count(*) from storage_pools)
				+ (select count(*) from physical_networks)`).Scan(t.Context(), &n)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := count()
		if err := c.Seed(t.Context(), seed(3)); err != nil {
			t.Fatal(err)
		}
		if after := count(); after != before {
			t.Errorf("%d rows became %d", before, after)
		}
		if err := c.Seed(t.Context(), seed(5)); err != nil {
			t.Fatal(err)
		}
		if after := count(); after != before+2 {
			t.Errorf("two more hosts made %d rows of %d", after, before)
		}
	})
}

func seed(hosts int) cloud.SeedIn { return cloud.SeedIn{Hosts: hosts} }
