package cloudtest_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
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
		for name, one := range map[string]struct {
			toldDrive
			is   cs.VirtualMachine
			said string
		}{"flat": {flatly, inFlat, script}, "static": {statically, inDriven, script}} {
			seed := one.Seed
			if seed.User != one.said || seed.ID != string(one.is.ID) || seed.Name != one.is.Name || len(seed.Keys) != 1 || !strings.HasPrefix(seed.Keys[0], "ssh-") ||
				len(seed.Net.Config) != len(one.is.NICs) {
				t.Errorf("%s: cloud-init's data source NoCloud finds %+v", name, seed)
				continue
			}
			for _, card := range seed.Net.Config {
				if subnets, err := json.Marshal(card["subnets"]); err != nil || strings.Contains(string(subnets), `"dhcp4"`) != (name == "flat") {
					t.Errorf("%s: NoCloud is told of the card %v: %s %v", name, card, subnets, err)
				}
			}
			if i := slices.IndexFunc(seed.State.Interfaces, func(i iface) bool { return i.MAC == one.is.NICs[0].MACAddress }); i < 0 {
				t.Errorf("%s: cloud-init would set up %+v", name, seed.State)
			} else if sub := seed.State.Interfaces[i].Subnets[0]; name == "static" && (sub.Address != card.IPAddress || sub.Gateway != card.Gateway || len(sub.DNS) == 0) {
				t.Errorf("cloud-init would set up %+v", sub)
			}
		}
		if !slices.ContainsFunc(statically.Config.Config, func(one map[string]any) bool { return one["mac_address"] == card.MACAddress }) {
			t.Errorf("cloud-init would set up %+v", statically.Config)
		}
	})
}

// toldDrive is what cloud-init makes of a config drive.
type toldDrive struct {
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
	Seed struct {
		User, ID, Name string
		Keys           []string
		Net            struct {
			Config []map[string]any `json:"config"`
		}
		State struct {
			Interfaces []iface
		}
	}
}

// iface is a card as cloud-init is about to set it up.
type iface struct {
	MAC     string `json:"mac_address"`
	Subnets []struct {
		Type    string   `json:"type"`
		Address string   `json:"address"`
		Gateway string   `json:"gateway"`
		DNS     []string `json:"dns_nameservers"`
	} `json:"subnets"`
}

func readByCloudInit(t *testing.T, files map[string][]byte) (d toldDrive) {
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
from cloudinit import helpers, util
from cloudinit.net.network_state import parse_net_config_data
from cloudinit.sources.DataSourceNoCloud import DataSourceNoCloud
def seed():
    # As the source reads a drive with its label, which is mounted for it.
    paths = helpers.Paths({"cloud_dir": sys.argv[1] + "/cloud", "run_dir": sys.argv[1] + "/cloud"})
    source = DataSourceNoCloud({"datasource": {"NoCloud": {"seedfrom": sys.argv[1] + "/nocloud/"}}}, None, paths)
    assert source._get_data()
    net = util.load_yaml(util.load_file(sys.argv[1] + "/nocloud/network-config"))
    state = parse_net_config_data(net)
    return {"User": source.userdata_raw.decode(), "ID": source.get_instance_id(), "Name": source.get_hostname().hostname, "Keys": source.get_public_ssh_keys(),
        "Net": net, "State": {"Interfaces": list(state.iter_interfaces())}}
found = read_config_drive(sys.argv[1])
net = found["networkdata"]
macs = {l["ethernet_mac_address"]: "eth%d" % i for i, l in enumerate(net["links"])}
print(json.dumps({"User": found["userdata"].decode(), "Meta": found["metadata"], "Network": net, "Config": convert_net_json(net, known_macs=macs), "Seed": seed()}))
`, dir).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			out = exit.Stderr
		}
		t.Fatalf("cloud-init: %v: %s", err, out)
	}
	must(t, json.Unmarshal(out, &d))
	return d
}
