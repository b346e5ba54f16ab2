package cloudtest_test

import (
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// What an offering says of how fast disks may be, lists show and hosts are told: of the root disk by the service offering, of others
// by their disk offerings, at the machine's next start or when the disk is attached.
func TestIOLimits(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box, o := t.Context(), c.Sandbox(t), operator{c, t}
		size := made(o, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
			Name: "paced", CPUNumber: 1, CPUSpeed: 100, Memory: 128, IOLimitsIn: cs.IOLimitsIn{OpsRead: 500, OpsReadBurst: 2000},
		})
		if size.OpsRead != 500 || size.OpsReadBurst != 2000 || size.OpsReadSeconds != 1 || size.BytesRead != 0 {
			t.Errorf("the service offering shows %+v", size.IOLimits)
		}
		disk := made(o, cs.CreateDiskOffering, cs.CreateDiskOfferingIn{Name: "paced", Size: 1, IOLimitsIn: cs.IOLimitsIn{
			BytesRead: 10, BytesReadBurst: 20, BytesReadSeconds: 3, BytesWrite: 40, OpsWrite: 70,
		}})
		if want := (cs.IOLimits{
			IORates: cs.IORates{BytesRead: 10, BytesWrite: 40, OpsWrite: 70}, BytesReadBurst: 20, BytesReadSeconds: 3,
		}); disk.IOLimits != want || one(t, c.Client, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{ID: disk.ID}).IOLimits != want {
			t.Errorf("the disk offering shows %+v", disk.IOLimits)
		}
		in := box.Deploy()
		in.ServiceOfferingID, in.DiskOfferingID = size.ID, disk.ID
		vm := run(t, c.Client, cs.DeployVirtualMachine, in)
		told := func(device int) (of hypervisor.IOLimits) {
			t.Helper()
			m, err := c.World.Machine(ctx, vm.ID)
			must(t, err)
			for _, d := range m.Disks {
				if d.Device == device {
					return d.Limits
				}
			}
			t.Errorf("the machine has no disk %d", device)
			return of
		}
		root := hypervisor.IOLimits{ReadOps: hypervisor.IOLimit{Rate: 500, Burst: 2000, Seconds: 1}}
		data := hypervisor.IOLimits{
			ReadBytes: hypervisor.IOLimit{Rate: 10, Burst: 20, Seconds: 3}, WriteBytes: hypervisor.IOLimit{Rate: 40},
			WriteOps: hypervisor.IOLimit{Rate: 70},
		}
		if told(0) != root || told(1) != data {
			t.Errorf("the host was told %+v and %+v", told(0), told(1))
		}
		volumes, err := listed(t, c.Client, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID})
		must(t, err)
		for _, v := range volumes {
			if want := map[string]cs.IORates{"ROOT": size.IORates, "DATADISK": disk.IORates}[v.Type]; v.IORates != want {
				t.Errorf("%s shows %+v, want %+v", v.Type, v.IORates, want)
			}
		}

		changed := made(o, cs.UpdateDiskOffering, cs.UpdateDiskOfferingIn{ID: disk.ID, IOLimitsChange: cs.IOLimitsChange{
			BytesReadBurst: new(int64(0)), BytesWrite: new(int64(50)), BytesWriteBurst: new(int64(60)), BytesWriteSeconds: new(int64(9)),
		}})
		if want := (cs.IOLimits{
			IORates: cs.IORates{BytesRead: 10, BytesWrite: 50, OpsWrite: 70}, BytesWriteBurst: 60, BytesWriteSeconds: 9,
		}); changed.IOLimits != want {
			t.Errorf("changed to %+v", changed.IOLimits)
		}
		if told(1) != data {
			t.Errorf("before its next start the machine has %+v", told(1))
		}
		data.ReadBytes.Burst, data.ReadBytes.Seconds, data.WriteBytes = 0, 0, hypervisor.IOLimit{Rate: 50, Burst: 60, Seconds: 9}
		more := run(t, c.Client, cs.CreateVolume, cs.CreateVolumeIn{Name: "more", DiskOfferingID: disk.ID, ZoneID: box.Zone})
		run(t, c.Client, cs.AttachVolume, cs.AttachVolumeIn{ID: more.ID, VMID: vm.ID})
		if told(2) != data {
			t.Errorf("attached with %+v", told(2))
		}
		run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
		run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: vm.ID})
		if told(0) != root || told(1) != data {
			t.Errorf("started with %+v and %+v", told(0), told(1))
		}

		for _, bad := range []struct {
			in   cs.IOLimitsIn
			text string
		}{
			{cs.IOLimitsIn{BytesRead: -1}, "bytesreadrate -1"},
			{cs.IOLimitsIn{BytesWriteBurst: 5}, "byteswriteratemax 5"},
			{cs.IOLimitsIn{OpsRead: 5, OpsReadBurst: 4}, "iopsreadratemax 4 is less"},
			{cs.IOLimitsIn{OpsWrite: 5, OpsWriteSeconds: 4}, "iopswriteratemaxlength 4"},
		} {
			refuses(o, cs.CreateDiskOffering, cs.CreateDiskOfferingIn{Name: "bad", Size: 1, IOLimitsIn: bad.in}, bad.text)
			refuses(o, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
				Name: "bad", CPUNumber: 1, CPUSpeed: 100, Memory: 128, IOLimitsIn: bad.in,
			}, bad.text)
		}
		refuses(o, cs.UpdateDiskOffering, cs.UpdateDiskOfferingIn{
			ID: disk.ID, IOLimitsChange: cs.IOLimitsChange{BytesWrite: new(int64(61))},
		}, "byteswriteratemax 60 is less")
	})
}

// A host is told whether an offering limits the CPU, and how fast each network card may be: the first one by the service offering or
// the setting, the others by their networks' offerings.
func TestCPUAndNetworkLimits(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		ctx, box, o := t.Context(), c.Sandbox(t), operator{c, t}
		fast := made(o, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
			Name: "fast", CPUNumber: 1, CPUSpeed: 100, Memory: 128, NetworkRate: 750, LimitCPU: true,
		})
		slow := made(o, cs.CreateNetworkOffering, cs.CreateNetworkOfferingIn{
			Name: "slow", GuestType: "Isolated", TrafficType: "Guest", NetworkRate: 30, Enable: true, Services: []string{"Dhcp"},
			Providers: []cs.ServiceProviderIn{{Service: "Dhcp", Provider: "VirtualRouter"}},
		})
		in := box.Deploy()
		for _, n := range []cs.CreateNetworkIn{
			{Name: "one", ZoneID: box.Zone, OfferingID: box.NetworkOffering["DefaultIsolatedNetworkOffering"]},
			{Name: "two", ZoneID: box.Zone, OfferingID: slow.ID},
		} {
			in.NetworkIDs = append(in.NetworkIDs, made(o, cs.CreateNetwork, n).ID)
		}
		told := func(id uid.VM) (limited bool, rates [2]int) {
			t.Helper()
			m, err := c.World.Machine(ctx, id)
			if must(t, err); len(m.NICs) != 2 {
				t.Fatalf("it has %d cards", len(m.NICs))
			}
			return m.LimitCPU, [2]int{m.NICs[0].Mbps, m.NICs[1].Mbps}
		}
		plain := run(t, c.Client, cs.DeployVirtualMachine, in)
		if limited, rates := told(plain.ID); limited || rates != [2]int{200, 30} {
			t.Errorf("a machine of an offering that says nothing: %v, %v", limited, rates)
		}
		in.ServiceOfferingID = fast.ID
		vm := run(t, c.Client, cs.DeployVirtualMachine, in)
		if limited, rates := told(vm.ID); !limited || rates != [2]int{750, 30} {
			t.Errorf("a machine of one that says it: %v, %v", limited, rates)
		}
		made(o, cs.UpdateConfiguration, cs.UpdateConfigurationIn{Name: "vm.network.throttling.rate", Value: "0", SettingPlace: cs.SettingPlace{ZoneID: box.Zone}})
		for id, want := range map[uid.VM]int{plain.ID: 0, vm.ID: 750} {
			run(t, c.Client, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: id})
			run(t, c.Client, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: id})
			if _, rates := told(id); rates != [2]int{want, 30} {
				t.Errorf("after the setting was changed: %v, want %d", rates, want)
			}
		}
	})
}

// An offering's planner counts for its machines in the place of the setting.
func TestDeploymentPlanner(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	box, o := c.Sandbox(t), operator{c, t}
	for planner, want := range map[string]string{"userdispersingplanner": "userdispersing", "FirstFitPlanner": "firstfit", "": "random"} {
		size := made(o, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
			Name: "by " + planner, CPUNumber: 1, CPUSpeed: 100, Memory: 128, Planner: planner,
		})
		in := box.Deploy()
		in.ServiceOfferingID = size.ID
		p, err := try(t.Context(), c.Client, in)
		if must(t, err); p.Algorithm != want {
			t.Errorf("%q (shown as %q) places by %s, want %s", planner, size.Planner, p.Algorithm, want)
		}
	}
	if was := setting.AllocationAlgorithm.Of(c.Settings); was != "random" {
		t.Errorf("the setting is %s", was)
	}
	// Two machines of an account are kept apart, though the first host has room for both.
	in := box.Deploy()
	in.ServiceOfferingID = one(t, c.Client, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{Name: "by userdispersingplanner"}).ID
	if a, b := run(t, c.Client, cs.DeployVirtualMachine, in), run(t, c.Client, cs.DeployVirtualMachine, in); a.HostID == b.HostID {
		t.Errorf("both are on host %s", a.HostName)
	}
	refuses(o, cs.CreateServiceOffering, cs.CreateServiceOfferingIn{
		Name: "bad", CPUNumber: 1, CPUSpeed: 100, Memory: 128, Planner: "UserConcentratedPodPlanner",
	}, "want FirstFitPlanner or UserDispersingPlanner")
}
