package cloudtest_test

import (
	"context"
	"strings"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/uid"
)

// A machine with disks out of another host's reach goes there all the same, if there is room for them: those disks are copied, and no others.
func TestMigrateCopy(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{Hosts: 2, Rest: []string{"storage-overprovisioning"}}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box := auth.With(context.Background(), auth.System()), c.Sandbox(t)
		change(t, c, "update service_offerings set storage_type = 'local', storage_tags = 'ssd' where name = 'Small Instance'",
			`insert into storage_pools (id, zone_id, pod_id, cluster_id, host_id, name, url, type, scope, state, bytes_total, tags, created)
				select '00000000-0000-7000-8000-00000000000' || substr(h.name, length(h.name), 1), h.zone_id, h.pod_id, h.cluster_id, h.id,
				'local ' || h.name, 'file:///local', 'Filesystem', 'HOST', 'Up', 1099511627776, 'ssd', h.created from hosts h`)
		disks, err := listed(t, c.Client, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{Name: "Small"})
		must(t, err)
		deploy := box.Deploy()
		deploy.DiskOfferingID = disks[0].ID
		vm := run(t, c.Client, cs.DeployVirtualMachine, deploy)
		pools := func() (root, data uid.Pool) {
			t.Helper()
			for _, err := range cloudtest.Check(ctx, c.DB, c.World) {
				t.Errorf("not whole: %v", err)
			}
			volumes, err := listed(t, c.Client, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID})
			must(t, err)
			for _, v := range volumes {
				if v.Type == "ROOT" {
					root = v.StorageID
				} else {
					data = v.StorageID
				}
			}
			return root, data
		}
		hosts, err := listed(t, c.Client, cs.ListHosts, cs.ListHostsIn{})
		must(t, err)
		other := hosts[0].ID
		if other == vm.HostID {
			other = hosts[1].ID
		}
		root, data := pools()
		in := cs.MigrateVirtualMachineIn{VMID: vm.ID, HostID: other}

		// Without room for the disk there it stays, and so it does with snapshots, which are in its disks.
		change(t, c, "update storage_pools set tags = '' where host_id <> '"+string(vm.HostID)+"'")
		refused(t, c.Client, cs.MigrateVirtualMachine, in, 533, "no primary storage for")
		change(t, c, "update storage_pools set tags = 'ssd', bytes_total = 1024 where host_id <> '"+string(vm.HostID)+"'")
		refused(t, c.Client, cs.MigrateVirtualMachine, in, 533, "not enough primary storage")
		change(t, c, "update storage_pools set bytes_total = 1099511627776 where host_id is not null")
		kept := run(t, c.Client, cs.CreateVMSnapshot, cs.CreateVMSnapshotIn{VMID: vm.ID})
		refused(t, c.Client, cs.MigrateVirtualMachine, in, 431, "deleteVMSnapshot before")
		run(t, c.Client, cs.DeleteVMSnapshot, cs.DeleteVMSnapshotIn{ID: kept.ID})
		if r, d := pools(); r != root || d != data {
			t.Errorf("its disks are in %s and %s, were in %s and %s", r, d, root, data)
		}

		moved := run(t, c.Client, cs.MigrateVirtualMachine, in)
		r, d := pools()
		if moved.State != "Running" || moved.HostID != other || r == root || d != data {
			t.Errorf("it is %s on %s, with disks in %s and %s; they were in %s and %s", moved.State, moved.HostID, r, d, root, data)
		}
		// And back, to wherever there is room; the pool of its own host is the one it reaches.
		back := run(t, c.Client, cs.MigrateVirtualMachine, cs.MigrateVirtualMachineIn{VMID: vm.ID, AutoSelect: true})
		if r, d := pools(); back.HostID != vm.HostID || r != root || d != data {
			t.Errorf("it is on %s, with disks in %s and %s; want %s, %s and %s", back.HostID, r, d, vm.HostID, root, data)
		}
		// Maintenance does not copy disks: who wants a host to be free has not asked for that.
		job, err := c.Machines.Vacate(ctx, vm.ID)
		must(t, err)
		result, err := c.Engine.Wait(ctx, job)
		must(t, err)
		if result.Err() == nil || !strings.Contains(result.FaultDetail, "out of reach of storage pool") {
			t.Errorf("it has left its host: %v %s", result.Err(), result.FaultDetail)
		}
		pools()

		// A cluster's pool is left behind as well, where another cluster has room: not if both are the same place.
		change(t, c, `insert into clusters (id, zone_id, pod_id, name, hypervisor, cluster_type, allocation_state, managed_state, cpu_overcommit, memory_overcommit, created)
			select '00000000-0000-7000-8000-0000000000c2', zone_id, pod_id, 'second', hypervisor, cluster_type, allocation_state, managed_state, cpu_overcommit,
			memory_overcommit, created from clusters limit 1`,
			"update hosts set cluster_id = '00000000-0000-7000-8000-0000000000c2' where id = '"+string(other)+"'",
			`insert into storage_pools (id, zone_id, pod_id, cluster_id, name, url, type, scope, state, bytes_total, tags, created)
			select '00000000-0000-7000-8000-0000000000d2', zone_id, pod_id, '00000000-0000-7000-8000-0000000000c2', 'second', url, type, scope, state,
			bytes_total, tags, created from storage_pools where id = '`+string(data)+"'")
		refused(t, c.Client, cs.MigrateVirtualMachine, in, 431, "both are the same place")
		change(t, c, "update storage_pools set url = 'sharedmountpoint://localhost/second' where id = '00000000-0000-7000-8000-0000000000d2'")
		run(t, c.Client, cs.MigrateVirtualMachine, in)
		if r, d := pools(); r == root || d != "00000000-0000-7000-8000-0000000000d2" {
			t.Errorf("its disks are in %s and %s", r, d)
		}

		// Where it could go is told, and why not; an admin may say where its disks are to be.
		find := func() cs.HostForMigration {
			t.Helper()
			found, err := listed(t, c.Client, cs.FindHostsForMigration, cs.FindHostsForMigrationIn{VMID: vm.ID})
			must(t, err)
			if len(found) != 1 || found[0].ID != vm.HostID {
				t.Fatalf("it could go to %+v", found)
			}
			return found[0]
		}
		if h := find(); !*h.Suitable || !*h.EnoughCapacity || !h.StorageMotion || h.Obstacle != "" {
			t.Errorf("host %s is suitable %v, with motion %v: %s", h.Name, *h.Suitable, h.StorageMotion, h.Obstacle)
		}
		_, err = c.Client.Call(ctx, "updateHost", map[string]string{"id": string(vm.HostID), "allocationstate": "Disable"})
		must(t, err)
		if h := find(); *h.Suitable || h.Obstacle != "disabled" {
			t.Errorf("disabled it is suitable %v: %s", *h.Suitable, h.Obstacle)
		}
		_, err = c.Client.Call(ctx, "updateHost", map[string]string{"id": string(vm.HostID), "allocationstate": "Enable"})
		must(t, err)
		volumes, err := listed(t, c.Client, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID, Type: "DATADISK"})
		must(t, err)
		with := cs.MigrateVirtualMachineWithVolumeIn{VMID: vm.ID}
		refused(t, c.Client, cs.MigrateVirtualMachineWithVolume, with, 431, "autoselect=true")
		with.MigrateTo = []cs.DiskToPool{{Volume: uid.New[uid.Volume](), Pool: data}}
		refused(t, c.Client, cs.MigrateVirtualMachineWithVolume, with, 431, "is no disk of virtual machine")
		with.MigrateTo = []cs.DiskToPool{{Volume: volumes[0].ID, Pool: data}, {Volume: volumes[0].ID, Pool: data}}
		refused(t, c.Client, cs.MigrateVirtualMachineWithVolume, with, 431, "twice")
		with.MigrateTo = []cs.DiskToPool{{Volume: volumes[0].ID, Pool: root}}
		refused(t, c.Client, cs.MigrateVirtualMachineWithVolume, with, 431, "a host's own")
		const third uid.Pool = "00000000-0000-7000-8000-0000000000d4"
		change(t, c, `insert into storage_pools (id, zone_id, pod_id, cluster_id, name, url, type, scope, state, bytes_total, tags, created)
			select '`+string(third)+`', zone_id, pod_id, cluster_id, 'third', 'sharedmountpoint://localhost/third', type, scope, state, 1099511627776, '',
			created from storage_pools where id = '`+string(data)+"'")
		with.MigrateTo[0].Pool = third
		moved = run(t, c.Client, cs.MigrateVirtualMachineWithVolume, with)
		if _, d := pools(); moved.State != "Running" || moved.HostID != vm.HostID || d != third {
			t.Errorf("it is %s on %s, with its data disk in %s", moved.State, moved.HostID, d)
		}
		run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		refused(t, c.Client, cs.MigrateVirtualMachineWithVolume, with, 431, "can't be migrated")
		_, err = c.Client.Call(ctx, "findHostsForMigration", map[string]string{"virtualmachineid": string(vm.ID)})
		if err == nil {
			t.Error("one that is stopped could be moved")
		}
	})
}
