package cloudtest_test

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// limited says for each type of resource, by its number, what makes one more of it. (There are no VPCs yet.)
var limited = map[int]struct{ word, by string }{
	0: {"user_vm", "deployVirtualMachine"}, 1: {"public_ip", "associateIpAddress"}, 2: {"volume", "createVolume"}, 3: {"snapshot", "createSnapshot"},
	4: {"template", "registerTemplate"}, 5: {"project", "createProject"}, 6: {"network", "createNetwork"}, 8: {"cpu", "deployVirtualMachine"},
	9: {"memory", "deployVirtualMachine"}, 10: {"primary_storage", "createVolume"}, 11: {"secondary_storage", "createSnapshot"},
}

// Every limit is obeyed where it is set, at an account, a domain or a project, and -1 takes it away, both with the next request.
func TestEveryLimitIsObeyed(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box := c.Sandbox(t)
	red := newEstate(t, c, box, "red")
	call := caller(t)
	call(red.user, "createProject", api.Params{"name": "shop"})
	shop := firstID(t, red.user, "listProjects")
	furnishFor(t, c, red.user, box, "shop", shop, func(item map[string]any) bool { return item["projectid"] == shop })
	made := 0
	for _, level := range []struct {
		what, refusal string
		place         api.Params // of the limit
		owner         api.Params // of what is made
	}{
		{"account", "the account's limit of", api.Params{"account": red.account(), "domainid": string(red.domain)}, api.Params{}},
		{"domain", "the limit of domain ROOT/red-domain of", api.Params{"domainid": string(red.domain)}, api.Params{}},
		{"project", "the project's limit of", api.Params{"projectid": shop}, api.Params{"projectid": shop}},
	} {
		own := func(list string) string {
			return ownID(t, red.user, list, level.owner, func(item map[string]any) bool { return item["account"] != nil || item["projectid"] == shop })
		}
		what := map[string]api.Params{
			"deployVirtualMachine": {"zoneid": string(box.Zone), "templateid": string(box.Template), "serviceofferingid": string(box.Small), "startvm": "false",
				"networkids": own("listNetworks")},
			"createVolume":       {"zoneid": string(box.Zone), "diskofferingid": string(box.DiskOffering["Small"])},
			"associateIpAddress": {"networkid": own("listNetworks")},
			"createSnapshot":     {"volumeid": own("listVolumes")},
			"registerTemplate": {"displaytext": "t", "format": "QCOW2", "hypervisor": "Simulator", "url": "http://192.0.2.1/t.qcow2",
				"zoneid": string(box.Zone)},
			"createNetwork": {"displaytext": "n", "zoneid": string(box.Zone),
				"networkofferingid": string(box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"])},
			"createProject": {},
		}
		for kind, r := range limited {
			if level.what == "project" && r.word == "project" {
				continue // a project administers none
			}
			most := func(n string) {
				t.Helper()
				in := maps.Clone(level.place)
				in["resourcetype"], in["max"] = fmt.Sprint(kind), n
				call(c.Client, "updateResourceLimit", in)
			}
			more := func() error {
				made++
				in := maps.Clone(what[r.by])
				if r.by != "createProject" && r.by != "createSnapshot" && r.by != "associateIpAddress" { // what these are for says whose it is
					maps.Copy(in, level.owner)
				}
				if r.by != "associateIpAddress" {
					in["name"] = fmt.Sprintf("more-%d", made)
				}
				_, err := red.user.Call(t.Context(), r.by, in)
				return err
			}
			most("0")
			if err := more(); err == nil || !strings.Contains(err.Error(), level.refusal) || !strings.Contains(err.Error(), "("+r.word+") is 0: ") {
				t.Errorf("%s of the %s are limited to 0, and %s says: %v", r.word, level.what, r.by, err)
			}
			most("-1")
			if err := more(); err != nil {
				t.Errorf("%s of %s are not limited, and %s says: %v", r.word, level.what, r.by, err)
			}
		}
	}
	for l, err := range api.All(t.Context(), red.user, cs.ListResourceLimits, cs.ListResourceLimitsIn{}) {
		must(t, err)
		if kind, err := strconv.Atoi(l.Type); err != nil || limited[kind].word != l.TypeName && l.TypeName != "vpc" {
			t.Errorf("%s has the number %s: say in limited what makes one more of it", l.TypeName, l.Type)
		}
	}
	if made != 2*(3*len(limited)-1) {
		t.Errorf("%d tries", made)
	}
}
