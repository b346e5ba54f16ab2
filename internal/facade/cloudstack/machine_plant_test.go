package cloudstack

import (
	"strings"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// A machine's whole life, as its owner and as an admin see it.
func TestMachineLife(t *testing.T) {
	t.Parallel()
	eachPlant(t, func(p *running) {
		id, vm := done(p, "red-user", cs.DeployVirtualMachine, p.basics("name=web", "displayname=The web", "diskofferingid="+string(p.disk.ID),
			"details[0].tier=gold", "ipaddress=10.7.0.9", "macaddress=02:00:00:AB:CD:EF", "userdata=aGVsbG8=")...)
		self := "id=" + id
		if got := only(p, "red-user", cs.ListVirtualMachines, self); got.Name != vm.Name || got.State != "Running" || vm.State != "Running" {
			t.Errorf("listed %+v, the job shows %+v", got, vm)
		}
		if vm.ID != uid.VM(id) || vm.DisplayName != "The web" || vm.Account != "red-user" || vm.DomainPath != "ROOT/red" || vm.Username != "red-user" ||
			vm.ZoneName != "north" || vm.TemplateName != "tiny" || vm.TemplateDisplayText != "a tiny one" || vm.TemplateFormat != "RAW" ||
			vm.TemplateType != "BUILTIN" || !vm.PasswordEnabled || vm.ServiceOfferingName != "small" || vm.CPUNumber != 1 || vm.CPUSpeed != 500 ||
			vm.Memory != 512 || vm.OSTypeID != p.osType || vm.GuestOSID != p.osType || vm.OSDisplayName != "CentOS 7" || vm.Hypervisor != "Simulator" ||
			!vm.HAEnabled || vm.RootDeviceID == nil || *vm.RootDeviceID != 0 || vm.Details["tier"] != "gold" || vm.IPAddress != "10.7.0.9" ||
			vm.Created.IsZero() || vm.JobID != "" {
			t.Errorf("%+v", vm)
		}
		if vm.HostID != "" || vm.HostName != "" || vm.InstanceName != "" {
			t.Errorf("a user sees where it runs: %+v", vm)
		}
		network := only(p, "red-user", cs.ListNetworks)
		nic := cs.NIC{
			ID: vm.NICs[0].ID, NetworkID: network.ID, NetworkName: "red-user-network", DeviceID: "0", Default: true, IPAddress: "10.7.0.9",
			Netmask: "255.255.0.0", Gateway: "10.7.0.1", MACAddress: "02:00:00:ab:cd:ef", TrafficType: "Guest", Type: "Isolated",
		}
		if len(vm.NICs) != 1 || vm.NICs[0] != nic {
			t.Errorf("NICs %+v, want %+v", vm.NICs, nic)
		}
		seen := only(p, "root", cs.ListVirtualMachines, self)
		if seen.HostID == "" || !strings.HasPrefix(seen.HostName, "h") || seen.InstanceName == "" || seen.NICs[0].BroadcastURI != "vlan://100" {
			t.Errorf("root sees %+v", seen)
		}
		if m, err := p.world.Machine(t.Context(), uid.VM(id)); err != nil || string(m.UserData) != "hello" {
			t.Errorf("the guest gets %q, %v", m.UserData, err)
		}
		p.checkDisks(vm)

		for _, step := range []struct{ state, who string }{{"Stopped", "red-user"}, {"Running", "red-admin"}, {"Running", "red-user"}} {
			var got cs.VirtualMachine
			switch {
			case step.state == "Stopped":
				_, got = done(p, step.who, cs.StopVirtualMachine, self, "forced=true")
			case step.who == "red-admin":
				_, got = done(p, step.who, cs.StartVirtualMachine, self)
			default:
				_, got = done(p, step.who, cs.RebootVirtualMachine, self)
			}
			if got.State != step.state {
				t.Errorf("%+v: %+v", step, got)
			}
		}
		failed(t, p.as("red-user", "deleteNetwork", "id="+string(network.ID)), "deletenetworkresponse", 431)
		failed(t, p.as("blue-user", "stopVirtualMachine", self), "stopvirtualmachineresponse", 431)
		failed(t, p.as("red-user", "startVirtualMachine", self, "hostid="+string(p.hosts[0].ID)), "startvirtualmachineresponse", 431)

		_, got := done(p, "red-user", cs.DestroyVirtualMachine, self)
		if got.State != "Destroyed" {
			t.Errorf("destroyed: %+v", got)
		}
		if _, n := list(p, "red-user", cs.ListVirtualMachines); n != 0 {
			t.Error("a user sees a destroyed machine")
		}
		if _, n := list(p, "root", cs.ListVirtualMachines, "listall=true", "state=present"); n != 0 {
			t.Error("a destroyed machine is present")
		}
		if got := only(p, "root", cs.ListVirtualMachines, "listall=true", "state=destroyed"); got.State != "Destroyed" {
			t.Errorf("%+v", got)
		}
		if _, gone := done(p, "root", cs.ExpungeVirtualMachine, self); !gone.Success {
			t.Error("expunge shows no success")
		}
		if v := only(p, "red-user", cs.ListVolumes); v.Type != "DATADISK" || v.VMID != "" || v.DeviceID != nil || v.VMName != "" {
			t.Errorf("the data disk that is left: %+v", v)
		}
		if _, gone := done(p, "red-user", cs.DeleteNetwork, "id="+string(network.ID)); !gone.Success {
			t.Error("deleteNetwork shows no success")
		}
	})
}

func (p *running) checkDisks(vm cs.VirtualMachine) {
	p.t.Helper()
	root := only(p, "root", cs.ListVolumes, "virtualmachineid="+string(vm.ID), "type=root", "podid="+string(p.pod.ID))
	if root.VMName != "web" || root.VMDisplayName != "The web" || root.VMState != "Running" || *root.DeviceID != 0 || root.Size != 2<<30 ||
		root.State != "Ready" || root.ServiceOfferingName != "small" || root.ServiceOfferingDisplayText != "a small one" || root.TemplateName != "tiny" ||
		root.TemplateDisplayText != "a tiny one" || root.StorageType != "shared" || root.Hypervisor != "Simulator" || root.Destroyed ||
		root.Storage != "store" || root.StorageID == "" || root.PodName != "pod" || root.ClusterName != "cluster" || root.ZoneName != "north" ||
		root.Account != "red-user" || root.Attached.IsZero() || root.Created.IsZero() || root.DiskOfferingID != "" {
		p.t.Errorf("root disk %+v", root)
	}
	data := only(p, "red-user", cs.ListVolumes, "diskofferingid="+string(p.disk.ID))
	if *data.DeviceID != 1 || data.Size != 5<<30 || data.DiskOfferingName != "five" || data.DiskOfferingDisplayText != "5 GB" || data.Storage != "" ||
		data.StorageID != "" || data.PodName != "" || data.ClusterName != "" || data.TemplateID != "" || data.StorageType != "shared" {
		p.t.Errorf("data disk %+v", data)
	}
}

func TestDeployNetworks(t *testing.T) {
	t.Parallel()
	eachPlant(t, func(p *running) {
		var networks []string
		for _, off := range []uid.NetworkOffering{p.natted.ID, p.l2.ID} {
			p.answer("red-user", cs.CreateNetwork, "name=net-"+string(off), "networkofferingid="+string(off), "zoneid="+string(p.zone.ID))
			networks = append(networks, string(only(p, "red-user", cs.ListNetworks, "networkofferingid="+string(off)).ID))
		}
		_, vm := done(p, "red-user", cs.DeployVirtualMachine, p.basics("networkids="+strings.Join(networks, ","), "ipaddress=10.7.0.20", "startvm=false")...)
		if vm.State != "Stopped" || len(vm.NICs) != 2 || vm.NICs[0].IPAddress != "10.7.0.20" || vm.NICs[1].Type != "L2" || vm.NICs[1].IPAddress != "" ||
			vm.NICs[1].Default || vm.NICs[1].DeviceID != "1" || vm.HostID != "" {
			t.Errorf("%+v", vm)
		}
		_, vm = done(p, "red-user", cs.DeployVirtualMachine, p.basics("iptonetworklist[0].networkid="+networks[1], "iptonetworklist[1].networkid="+networks[0],
			"iptonetworklist[1].ip=10.7.0.30", "iptonetworklist[1].mac=02:00:00:00:00:99")...)
		if vm.IPAddress != "" || vm.NICs[0].Type != "L2" || vm.NICs[1].IPAddress != "10.7.0.30" || vm.NICs[1].MACAddress != "02:00:00:00:00:99" {
			t.Errorf("%+v", vm)
		}
		if _, n := list(p, "red-user", cs.ListVirtualMachines, "networkid="+networks[1]); n != 2 {
			t.Errorf("%d machines in the L2 network", n)
		}
		for _, params := range [][]string{
			{"iptonetworklist[0].networkid=" + networks[0], "networkids=" + networks[0]},
			{"iptonetworklist[0].networkid=" + networks[0], "ipaddress=10.7.0.40"},
			{"networkids=" + networks[1], "ipaddress=10.7.0.40"},
			{"networkids=" + networks[0], "ipaddress=10.9.0.40"},
			{"networkids=" + networks[0] + "," + networks[0]},
			{"name=no_host_name"}, {"size=4"}, {"hostid=" + string(p.hosts[0].ID)}, {"rootdisksize=1"}, {"hypervisor=KVM"},
		} {
			failed(t, p.as("red-user", "deployVirtualMachine", p.basics(params...)...), "deployvirtualmachineresponse", 431)
		}
		_, vm = done(p, "root", cs.DeployVirtualMachine, p.basics("hostid="+string(p.hosts[1].ID), "account=red-user", "domainid="+
			string(p.tenants["red-user"].Domain), "networkids="+networks[0], "rootdisksize=3")...)
		if vm.HostName != "h2" || vm.Account != "red-user" || vm.Username != "admin" {
			t.Errorf("%+v", vm)
		}
		if v := only(p, "root", cs.ListVolumes, "virtualmachineid="+string(vm.ID)); v.Size != 3<<30 {
			t.Errorf("%+v", v)
		}
	})
}

func TestMachineParts(t *testing.T) {
	t.Parallel()
	eachPlant(t, func(p *running) {
		done(p, "red-user", cs.DeployVirtualMachine, p.basics()...)
		for details, want := range map[string][4]bool{
			"": {true, true, true, true}, "all": {true, true, true, true}, "min": {}, "nics": {true}, "servoff": {false, true},
			"tmpl,volume": {false, false, true, true}, "min,Nics": {true},
		} {
			vm := only(p, "red-user", cs.ListVirtualMachines, "details="+details)
			if got := [4]bool{vm.NICs != nil, vm.ServiceOfferingName != "", vm.TemplateName != "", vm.RootDeviceID != nil}; got != want {
				t.Errorf("details=%s: %v, want %v", details, got, want)
			}
		}
		e := failed(t, p.as("red-user", "listVirtualMachines", "details=everything"), "listvirtualmachinesresponse", 431)
		if !strings.Contains(e.Text, "all, min, nics") {
			t.Errorf("%q does not say what there is", e.Text)
		}
	})
}

func TestSimulatorObeys(t *testing.T) {
	t.Parallel()
	p := newPlant(t, dbtest.SQLite(t))
	rule := func(params ...string) reply { return p.as("root", "configureSimulator", params...) }
	p.answer("root", cs.ConfigureSimulator, "name=StartCommand", "value=conflict:no|wait:1", "count=1", "zoneid="+string(p.zone.ID),
		"podid="+string(p.pod.ID), "clusterid="+string(p.cluster.ID))
	ended := p.ended("red-user", p.begun("red-user", cs.DeployVirtualMachine, p.basics()...).JobID)
	if ended.Status != cs.JobFailed || !strings.Contains(ended.raw, "no") {
		t.Errorf("the deployment on faulty hosts: %d %s", ended.Status, ended.raw)
	}
	done(p, "red-user", cs.DeployVirtualMachine, p.basics()...)
	nowhere := string(uid.New[uid.Zone]())
	for _, params := range [][]string{
		{"name=MakeCoffee", "value=fault"}, {"name=StartCommand", "value=sing"}, {"name=StartCommand"},
		{"name=StartCommand", "value=fault", "zoneid=" + nowhere}, {"name=StartCommand", "value=fault", "podid=" + nowhere},
		{"name=StartCommand", "value=fault", "clusterid=" + nowhere}, {"name=StartCommand", "value=fault", "hostid=" + nowhere},
		{"name=StartCommand", "value=fault", "count=-1"},
	} {
		failed(t, rule(params...), "configuresimulatorresponse", 431)
	}
}
