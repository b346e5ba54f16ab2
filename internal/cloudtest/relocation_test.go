package cloudtest_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/op/optest"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// The pools that tests of moving disks add: of the cluster, and of another one.
const (
	secondPool uid.Pool = "00000000-0000-7000-8000-0000000000d2"
	farPool    uid.Pool = "00000000-0000-7000-8000-0000000000d3"
)

// addSecond adds a second pool to the cluster; addFar another cluster, without hosts, with a pool of its own.
const (
	addSecond = `insert into storage_pools (id, zone_id, pod_id, cluster_id, name, hypervisor, url, type, scope, state, bytes_total, tags, created)
		select '` + string(secondPool) + `', zone_id, pod_id, cluster_id, 'second', hypervisor, 'sharedmountpoint://localhost/second', type, scope, state,
		bytes_total, tags, created from storage_pools where scope = 'CLUSTER' order by id limit 1`
	addCluster = `insert into clusters (id, zone_id, pod_id, name, hypervisor, cluster_type, allocation_state, managed_state, cpu_overcommit,
		memory_overcommit, created) select '00000000-0000-7000-8000-0000000000c2', c.zone_id, c.pod_id, 'second', c.hypervisor, c.cluster_type,
		c.allocation_state, c.managed_state, c.cpu_overcommit, c.memory_overcommit, c.created from clusters c
		where c.id = (select cluster_id from storage_pools where id = '` + string(secondPool) + `')`
	addFar = `insert into storage_pools (id, zone_id, pod_id, cluster_id, name, hypervisor, url, type, scope, state, bytes_total, tags, created)
		select '` + string(farPool) + `', zone_id, pod_id, '00000000-0000-7000-8000-0000000000c2', 'far', hypervisor, 'sharedmountpoint://localhost/far', type,
		scope, state, bytes_total, tags, created from storage_pools where id = '` + string(secondPool) + `'`
)

// A volume with which nothing runs goes to a pool that fits it, alone or as its machine's root disk, and to no other; its machine starts with
// it there.
func TestMigrateVolume(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2, Basic: true, Rest: []string{"storage-overprovisioning"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
		red, _ := c.Tenant(t, "red", "red", auth.User)
		deploy := box.Deploy()
		deploy.DiskOfferingID = box.DiskOffering["Small"]
		vm := run(t, red, cs.DeployVirtualMachine, deploy)
		change(t, c, addSecond, addCluster, addFar)
		in := func(kind string) cs.Volume {
			t.Helper()
			for _, err := range cloudtest.Check(ctx, c.DB, c.World) {
				t.Errorf("not whole: %v", err)
			}
			found, err := listed(t, c.Client, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: kind})
			must(t, err)
			return found[0]
		}
		root, data := in("ROOT"), in("DATADISK")
		move := func(v cs.Volume, to uid.Pool) cs.MigrateVolumeIn {
			return cs.MigrateVolumeIn{VolumeID: v.ID, StorageID: to}
		}
		whole := cs.MigrateVirtualMachineIn{VMID: vm.ID, StorageID: secondPool}
		refused(t, red, cs.MigrateVolume, move(root, secondPool), 432, "")
		refused(t, c.Client, cs.MigrateVolume, move(root, secondPool), 431, "stop it first")
		refused(t, c.Client, cs.MigrateVirtualMachine, whole, 431, "stop it first")
		run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})

		wish := run(t, red, cs.CreateVolume, cs.CreateVolumeIn{Name: "wish", DiskOfferingID: box.DiskOffering["Small"], ZoneID: box.Zone})
		refused(t, c.Client, cs.MigrateVolume, move(wish, secondPool), 431, "no disk yet")
		refused(t, c.Client, cs.MigrateVolume, move(root, uid.New[uid.Pool]()), 431, "no storage pool")
		refused(t, c.Client, cs.MigrateVolume, move(root, root.StorageID), 431, "in that storage pool already")
		refused(t, c.Client, cs.MigrateVolume, move(root, farPool), 431, "no host reaches both")
		both := whole
		both.AutoSelect = true
		refused(t, c.Client, cs.MigrateVirtualMachine, both, 431, "leave out hostid and autoselect")
		for _, wrong := range []struct {
			set, back string
			code      int
			text      string
		}{
			{"state = 'Maintenance'", "state = 'Up'", 431, "in state Maintenance"},
			{"scope = 'HOST', host_id = (select max(id) from hosts)", "scope = 'CLUSTER', host_id = null", 431, "a host's own"},
			{"bytes_total = 1024", "bytes_total = 1099511627776", 533, "no room for the disk"},
			{"zone_id = '" + string(c.Basic(t).Zone) + "'", "zone_id = '" + string(box.Zone) + "'", 431, "in another zone"},
		} {
			change(t, c, "update storage_pools set "+wrong.set+" where id = '"+string(secondPool)+"'")
			refused(t, c.Client, cs.MigrateVolume, move(root, secondPool), wrong.code, wrong.text)
			change(t, c, "update storage_pools set "+wrong.back+" where id = '"+string(secondPool)+"'")
		}
		change(t, c, "update service_offerings set storage_tags = 'ssd' where name = 'Small Instance'")
		refused(t, c.Client, cs.MigrateVirtualMachine, whole, 431, `without the tag "ssd"`)
		change(t, c, "update service_offerings set storage_tags = '' where name = 'Small Instance'")
		kept := run(t, c.Client, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID})
		refused(t, c.Client, cs.MigrateVirtualMachine, whole, 431, "deleteVMSnapshot before")
		run(t, c.Client, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: kept.ID})
		// With a host in the other cluster the disk could go there, and then no host would reach both.
		change(t, c, "update hosts set cluster_id = '00000000-0000-7000-8000-0000000000c2' where id = (select max(id) from hosts where zone_id = '"+string(box.Zone)+"')")
		refused(t, c.Client, cs.MigrateVolume, move(root, farPool), 431, "no host reaches both")
		if r, d := in("ROOT"), in("DATADISK"); r.StorageID != root.StorageID || d.StorageID != data.StorageID || r.State != "Ready" {
			t.Errorf("after refusals the disks are %s in %s and %s; were in %s and %s", r.State, r.StorageID, d.StorageID, root.StorageID, data.StorageID)
		}

		if moved := run(t, c.Client, cs.MigrateVirtualMachine, whole); moved.ID != vm.ID || moved.State != "Stopped" {
			t.Errorf("the machine is %s %s", moved.ID, moved.State)
		}
		if moved := run(t, c.Client, cs.MigrateVolume, move(data, secondPool)); moved.StorageID != secondPool || moved.State != "Ready" || moved.VMID != vm.ID {
			t.Errorf("the data disk is %+v", moved)
		}
		if r, d := in("ROOT"), in("DATADISK"); r.StorageID != secondPool || d.StorageID != secondPool {
			t.Errorf("its disks are in %s and %s", r.StorageID, d.StorageID)
		}
		if again := run(t, red, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID}); again.State != "Running" {
			t.Errorf("it is %s", again.State)
		}
		run(t, red, cs.DetachVolume, cs.DetachVolumeIn{ID: data.ID})
		if moved := run(t, c.Client, cs.MigrateVolume, move(data, farPool)); moved.StorageID != farPool || moved.VMID != "" {
			t.Errorf("detached it is in %s", moved.StorageID)
		}
		events, err := listed(t, c.Client, cs.ListEvents, cs.ListEventsIn{Type: "VOLUME.MIGRATE", Scope: api.Scope{ListAll: true}})
		if must(t, err); len(events) < 4 {
			t.Errorf("events %+v", events)
		}
	})
}

// A volume is moved with all that is in the way of it, or stays where it is; what was copied on its way is gone.
func TestStormMigrateVolume(t *testing.T) {
	t.Parallel()
	imageStorm(t, func(t *testing.T, s *stormy, w *optest.World) {
		s.have(t, compute.Stopped)
		change(t, s.Cloud, addSecond)
		from := s.root(t).Pool
		look := func(want uid.Pool) func(t *testing.T) {
			return func(t *testing.T) {
				t.Helper()
				if v := s.root(t); v.State != volume.Ready || v.Pool != want {
					t.Errorf("the volume is %s in %s, want it in %s", v.State, v.Pool, want)
				}
				there, err := s.World.Inspect(s.ctx)
				if must(t, err); len(there.Snapshots) > 0 {
					t.Errorf("in stores there is %v", there.Snapshots)
				}
				for _, err := range cloudtest.Check(s.ctx, s.DB, s.World) {
					t.Errorf("not whole: %v", err)
				}
			}
		}
		w.Start = func(ctx context.Context) (op.ID, error) {
			return s.now.Relocation.Move(auth.With(ctx, auth.System()), s.root(t).ID, secondPool)
		}
		w.There, w.Nothing = look(secondPool), look(from)
	})
}
