package cloudtest_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/hypervisor/vnet/vnettest"
	"github.com/virga-cloud/virga/uid"
)

// A machine is told what it is by a drive where its default network has no router that tells it, and only there.
func TestConfigDrive(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		box, o := c.Sandbox(t), operator{c, t}
		byDrive := made(o, cs.CreateNetworkOffering, cs.CreateNetworkOfferingIn{
			Name: "by drive", GuestType: "Isolated", TrafficType: "Guest", Enable: true, Services: []string{"UserData", "Dhcp"},
			Providers: []cs.ServiceProviderIn{{Service: "UserData", Provider: "ConfigDrive"}, {Service: "Dhcp", Provider: "ConfigDrive"}},
		})
		network := func(name string, offering uid.NetworkOffering) uid.Network {
			t.Helper()
			return made(o, cs.CreateNetwork, cs.CreateNetworkIn{Name: name, ZoneID: box.Zone, OfferingID: offering}).ID
		}
		flat := network("flat", box.NetworkOffering["DefaultL2NetworkOffering"])
		routed := network("routed", box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"])
		driven := network("driven", byDrive.ID)
		called(t, c.Client, cs.RegisterSSHKeyPair, cs.RegisterSSHKeyPairIn{Name: "desk", PublicKey: publicKey})
		script := "#!/bin/sh\necho hello\n"
		deploy := func(name string, says bool, networks ...uid.Network) (cs.VirtualMachine, map[string][]byte) {
			t.Helper()
			in := box.Deploy()
			if in.Name, in.NetworkIDs = name, networks; says {
				in.UserData, in.KeyPair = base64.StdEncoding.EncodeToString([]byte(script)), "desk"
			}
			vm := run(t, c.Client, cs.DeployVirtualMachine, in)
			told, err := c.World.Machine(t.Context(), vm.ID)
			must(t, err)
			return vm, told.Drive
		}
		for name, networks := range map[string][]uid.Network{"in-routed": {routed}, "in-both": {routed, driven}} {
			if _, drive := deploy(name, true, networks...); drive != nil {
				t.Errorf("%s, which a router tells, has the drive %v", name, drive)
			}
		}
		if _, drive := deploy("silent", false, flat); drive != nil {
			t.Errorf("nothing is to be told, and there is the drive %v", drive)
		}
		if _, drive := deploy("asked", false, driven); len(drive) == 0 {
			t.Error("its network's offering says that there is a drive, and there is none")
		}
		inFlat, drive := deploy("in-flat", true, flat, routed)
		if string(drive["cloudstack/userdata/user_data.txt"]) != script || string(drive["cloudstack/metadata/instance_id.txt"]) != string(inFlat.ID) ||
			string(drive["cloudstack/metadata/service_offering.txt"]) != inFlat.ServiceOfferingName ||
			string(drive["cloudstack/metadata/availability_zone.txt"]) != inFlat.ZoneName {
			t.Errorf("on the drive is %q", drive)
		}
		inDriven, moved := deploy("in-driven", true, driven)
		run(t, c.Client, cs.MigrateVirtualMachine, cs.MigrateVirtualMachineIn{VMID: inDriven.ID, AutoSelect: true})
		if after, err := c.World.Machine(t.Context(), inDriven.ID); err != nil || len(after.Drive) != len(moved) {
			t.Errorf("moved, it has %d files, and had %d: %v", len(after.Drive), len(moved), err)
		}
		vnettest.Needs(t, "cloud-init")
		flatly, statically := readByCloudInit(t, drive), readByCloudInit(t, moved)
		card := inDriven.NICs[0]
		if flatly.User != script || flatly.Meta.UUID != string(inFlat.ID) || flatly.Meta.Hostname != "in-flat" || flatly.Meta.Zone != inFlat.ZoneName ||
			len(flatly.Meta.Keys) != 1 || len(flatly.Network.Networks) != 2 || flatly.Network.Networks[0].Type != "ipv4_dhcp" {
			t.Errorf("cloud-init finds %+v", flatly)
		}
		if n := statically.Network; len(n.Networks) != 1 || n.Networks[0].Type != "ipv4" || n.Networks[0].IP != card.IPAddress ||
			n.Networks[0].Netmask != card.Netmask || len(n.Networks[0].Routes) != 1 || n.Networks[0].Routes[0].Gateway != card.Gateway ||
			len(n.Links) != 1 || n.Links[0].MAC != card.MACAddress || len(n.Services) == 0 {
			t.Errorf("of its network cloud-init finds %+v, and its card is %+v", n, card)
		}
		if !slices.ContainsFunc(statically.Config.Config, func(one map[string]any) bool { return one["mac_address"] == card.MACAddress }) {
			t.Errorf("cloud-init would set up %+v", statically.Config)
		}
	})
}

// drive is what cloud-init makes of a config drive.
type drive struct {
	User string
	Meta struct {
		UUID     string            `json:"uuid"`
		Hostname string            `json:"hostname"`
		Zone     string            `json:"availability_zone"`
		Keys     map[string]string `json:"public_keys"`
	}
	Network struct {
		Links []struct {
			MAC string `json:"ethernet_mac_address"`
		} `json:"links"`
		Networks []struct {
			Type    string `json:"type"`
			IP      string `json:"ip_address"`
			Netmask string `json:"netmask"`
			Routes  []struct {
				Gateway string `json:"gateway"`
			} `json:"routes"`
		} `json:"networks"`
		Services []map[string]string `json:"services"`
	}
	Config struct {
		Config []map[string]any `json:"config"`
	}
}

func readByCloudInit(t *testing.T, files map[string][]byte) (d drive) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, name)
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, content, 0o600))
	}
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", `
import json, sys
from cloudinit.sources.DataSourceConfigDrive import read_config_drive
from cloudinit.sources.helpers.openstack import convert_net_json
found = read_config_drive(sys.argv[1])
net = found["networkdata"]
macs = {l["ethernet_mac_address"]: "eth%d" % i for i, l in enumerate(net["links"])}
print(json.dumps({"User": found["userdata"].decode(), "Meta": found["metadata"], "Network": net, "Config": convert_net_json(net, known_macs=macs)}))
`, dir).Output()
	if err != nil {
		t.Fatalf("cloud-init: %v: %s", err, out)
	}
	must(t, json.Unmarshal(out, &d))
	return d
}
