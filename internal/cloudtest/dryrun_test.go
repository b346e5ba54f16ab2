package cloudtest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// census counts all rows of a cloud that a deployment could leave, and sums what it could take.
func census(t *testing.T, c *cloudtest.Cloud) string {
	t.Helper()
	var lines []string
	for _, query := range []string{
		"select count(*) from vms", "select count(*) from volumes", "select count(*) from nics", "select count(*) from networks",
		"select count(*) from free_ips", "select count(*) from events", "select count(*) from operations", "select count(*) from once_keys",
		"select coalesce(sum(vm_used + cpu_used + memory_mb_used + volume_used + primary_gb_used + public_ip_used), 0) from resource_counts", "select sum(memory_used) from hosts", "select sum(bytes_used) from storage_pools",
		"select coalesce(sum(next_ip), 0) from networks", "select sum(next) from vlan_ranges", "select count(*) from vlans_free",
		"select count(*) from public_ips where state <> 'Free'", "select coalesce(sum(next), 0) from counters",
	} {
		var n int64
		must(t, c.DB.Read().NewRaw(query).Scan(t.Context(), &n))
		lines = append(lines, fmt.Sprintf("%s: %d", query, n))
	}
	return strings.Join(lines, "\n")
}

func change(t *testing.T, c *cloudtest.Cloud, statements ...string) {
	t.Helper()
	must(t, c.DB.Write(context.Background(), func(ctx context.Context, tx db.Tx) error {
		for _, s := range statements {
			if _, err := tx.NewRaw(s).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}

// try asks for a dry run; wish changes what is asked for.
func try(ctx context.Context, client *api.Client, in cs.DeployVirtualMachineIn, wish ...func(*cs.DeployVirtualMachineIn)) (cs.Placement, error) {
	in.DryRun = true
	for _, w := range wish {
		w(&in)
	}
	return api.Try[cs.Placement](ctx, client, cs.DeployVirtualMachine, in)
}

// A dry run says where a machine would go and leaves nothing at all; users are told the outcome only, and whoever would be
// refused is refused.
func TestDryRun(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 3}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := t.Context(), c.Sandbox(t)
		change(t, c, "update hosts set resource_state = 'Maintenance' where name like '%.0'", "update hosts set tags = 'gpu' where name like '%.1'")
		user, _ := c.Tenant(t, "", "trier", auth.User)
		before := census(t, c)

		r, err := try(ctx, c.Client, box.Deploy(), func(in *cs.DeployVirtualMachineIn) { in.DiskOfferingID = box.DiskOffering["Small"] })
		must(t, err)
		if !r.Feasible || len(r.Hosts) != 2 || *r.Considered != 3 || *r.Suitable != 2 || len(r.Dropped) != 1 || r.Dropped[0].Reason != "in maintenance" ||
			r.Summary != "there is room for this machine: 2 would do of 3 hosts: 1 in maintenance" {
			t.Errorf("an admin's: %+v", r)
		}
		for i, h := range r.Hosts {
			if h.Rank != i+1 || h.PodName == "" || h.ClusterName == "" || h.HostName == "" || len(h.Parts) == 0 || len(h.Pools) != 2 ||
				h.Pools[0].Volume != "ROOT" || h.Pools[1].Volume != "DATADISK" || h.Pools[0].Name == "" {
				t.Errorf("host %d: %+v", i, h)
			}
		}
		r, err = try(ctx, user, box.Deploy(), func(in *cs.DeployVirtualMachineIn) { in.StartVM = new(false) })
		must(t, err)
		if !r.Feasible || r.Summary != "there is room for this machine" || r.Hosts != nil || r.Dropped != nil || r.Groups != nil || r.Considered != nil ||
			r.Suitable != nil || r.Algorithm != "" {
			t.Errorf("a user's: %+v", r)
		}
		for text, wish := range map[string]func(*cs.DeployVirtualMachineIn){
			"no host with id":        func(in *cs.DeployVirtualMachineIn) { in.HostID = uid.Host(box.Zone) },
			"userdata is not base64": func(in *cs.DeployVirtualMachineIn) { in.UserData = "§" },
		} {
			if _, err := try(ctx, c.Client, box.Deploy(), wish); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("want %s, got %v", text, err)
			}
		}

		change(t, c, "update hosts set memory_total = 500 where name like '%.1'", "update hosts set cpu_total = 100 where name like '%.2'")
		r, err = try(ctx, user, box.Deploy())
		must(t, err)
		if r.Feasible || r.Hosts != nil || r.Dropped != nil ||
			r.Summary != "no host has room for this machine (500 MHz, 512 MB): hosts are not in use or without enough CPU or without enough memory" {
			t.Errorf("a user's, with no room: %+v", r)
		}
		r, err = try(ctx, c.Client, box.Deploy())
		must(t, err)
		if r.Feasible || !strings.Contains(r.Summary, "1 not enough CPU (need 500 MHz, 100 free)") || len(r.Dropped) != 3 || len(r.Groups) != 3 {
			t.Errorf("an admin's, with no room: %+v", r)
		}
		change(t, c, "update hosts set memory_total = memory_mb where name like '%.1'", "update hosts set cpu_total = cpu_cores * cpu_speed where name like '%.2'")
		if after := census(t, c); after != before {
			t.Errorf("before\n%s\nafter\n%s", before, after)
		}
	})
}

// A machine goes where its offering's tags are, its disks where theirs are, and it is started again there.
func TestTagsAndLocalStorage(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Hosts: 3, Rest: []string{"storage-overprovisioning"}})
	ctx, box := t.Context(), c.Sandbox(t)
	change(t, c, "update hosts set tags = 'gpu,fast' where name like '%.2'",
		"update service_offerings set host_tags = 'fast', storage_type = 'local', storage_tags = 'ssd' where name = 'Small Instance'",
		`insert into storage_pools (id, zone_id, pod_id, cluster_id, host_id, name, url, type, scope, state, bytes_total, tags, created)
			select '00000000-0000-7000-8000-00000000000' || substr(h.name, length(h.name), 1), h.zone_id, h.pod_id, h.cluster_id, h.id, 'local ' || h.name,
			'file:///local', 'Filesystem', 'HOST', 'Up', 1099511627776, case when h.name like '%.2' then 'ssd' else '' end, h.created from hosts h`)
	for range 2 {
		vm, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, box.Deploy())
		must(t, err)
		if !strings.HasSuffix(vm.HostName, ".2") {
			t.Errorf("the machine is on %s", vm.HostName)
		}
		_, err = api.Run(ctx, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		must(t, err)
		vm, err = api.Run(ctx, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
		must(t, err)
		if !strings.HasSuffix(vm.HostName, ".2") {
			t.Errorf("the machine starts again on %s", vm.HostName)
		}
	}
	change(t, c, "update hosts set tags = 'fast', resource_state = 'Disabled' where name like '%.2'")
	_, err := api.Run(ctx, c.Client, cs.DeployVirtualMachine, box.Deploy())
	if err == nil || !strings.Contains(err.Error(), `3 hosts: 2 without host tag "fast", 1 disabled`) {
		t.Error(err)
	}
}
