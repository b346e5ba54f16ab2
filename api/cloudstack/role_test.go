package cloudstack_test

import (
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// otherRoles are commands that other callers may use than in 4.1, and why.
var otherRoles = map[string]string{
	"addHost":                       "a host serves the whole cloud: machines of any tenant may run on it",
	"deleteHost":                    "as addHost",
	"configureVirtualRouterElement": "it is the whole zone's: one domain's admin could switch off the routers of all",
	"listVirtualRouterElements":     "as configureVirtualRouterElement",
	"migrateVolume":                 "it names a storage pool, and who does not see these can't name one",
	"recoverVirtualMachine":         "as later: the setting allow.user.expunge.recover.vm says whether users may",
}

// The commands of 4.1 are open to whom they were open to then. testdata/roles-4.1.tsv has the sum of the role bits of each, "-" where
// nobody was given it.
func TestRolesAreThoseOf41(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/roles-4.1.tsv")
	if err != nil {
		t.Fatal(err)
	}
	then := map[string]api.Role{}
	for line := range strings.Lines(string(text)) {
		name, bits, _ := strings.Cut(strings.TrimSpace(line), "\t")
		if bits == "-" {
			continue // what became of it later counts
		}
		n, err := strconv.Atoi(bits)
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		then[name] = api.Role(n)
	}
	for _, one := range cs.All {
		d := one.Describe()
		was, known := then[d.Name]
		switch why := otherRoles[d.Name]; {
		case d.Session || !known:
		case d.Role != was && why == "":
			t.Errorf("%s is for %s, and in 4.1 it was for %s", d.Name, d.Role, was)
		case d.Role == was && why != "":
			t.Errorf("%s is for whom it was in 4.1: take it out of the list of others", d.Name)
		}
	}
}

// Who reaches farther may use what those may use who reach less far, so that admins can do for their users what these can do, and
// give the roles of these.
func TestRolesAreNested(t *testing.T) {
	t.Parallel()
	for _, one := range cs.All {
		d := one.Describe()
		for _, pair := range [][2]api.Role{{api.User, api.DomainAdmin}, {api.DomainAdmin, api.ResourceAdmin}, {api.ResourceAdmin, api.RootAdmin}} {
			if d.Role.Allows(pair[0]) && !d.Role.Allows(pair[1]) {
				t.Errorf("%s is for %s, and not for %s", d.Name, pair[0], pair[1])
			}
		}
	}
}
