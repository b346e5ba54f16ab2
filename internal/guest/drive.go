package guest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Drive gives the files of the drive that tells a machine what it is where no router does: by path, as CloudStack lays them out
// (cloudstack/userdata/user_data.txt, cloudstack/metadata/instance_id.txt), as OpenStack does (openstack/latest) and as NoCloud does (nocloud):
// these two are what cloud-init reads. A machine on its way to another host gets the same files there.
func (s Source) Drive(ctx context.Context, q db.Tx, vm uid.VM) (map[string][]byte, error) {
	m, err := machineOf(ctx, q, vm)
	if err != nil {
		return nil, fmt.Errorf("find what machine %s is told: %w", vm, err)
	}
	files := map[string][]byte{"openstack/latest/vendor_data.json": []byte("{}"), "nocloud/user-data": nil}
	if m.UserData != "" {
		data, err := base64.StdEncoding.DecodeString(m.UserData)
		if err != nil {
			return nil, err
		}
		files["cloudstack/userdata/user_data.txt"], files["openstack/latest/user_data"] = data, data
		files["nocloud/user-data"] = data
	}
	first := m.first()
	says := m.says(vm, first, "")
	for name, value := range says {
		files["cloudstack/metadata/"+strings.ReplaceAll(name, "-", "_")+".txt"] = []byte(value)
	}
	if files["nocloud/meta-data"], err = hypervisor.NoCloud(says); err != nil {
		return nil, err
	}
	if files["nocloud/network-config"], err = json.MarshalIndent(m.plan(), "", " "); err != nil {
		return nil, err
	}
	err = put(files, "meta_data", map[string]any{
		"uuid": vm, "name": m.Name, "hostname": m.Name, "availability_zone": m.Zone, "public_keys": m.keys(),
		"meta": map[string]string{"service-offering": m.Offering, "cloud-identifier": cloudIdentifier},
	})
	if err == nil {
		err = put(files, "network_data", m.wires())
	}
	return files, err
}

// put adds one of OpenStack's documents.
func put(files map[string][]byte, name string, document any) (err error) {
	files["openstack/latest/"+name+".json"], err = json.MarshalIndent(document, "", " ")
	return err
}

// machine is what is to be told of one.
type machine struct {
	Name, Offering, Zone, UserData, SSHKeys string

	cards []wire
}

// says is what a machine may know of itself, under the names of the metadata. known is the address by which it is known outside.
func (m machine) says(vm uid.VM, ip, known string) map[string]string {
	return map[string]string{
		"service-offering": m.Offering, "availability-zone": m.Zone, "local-ipv4": ip, "local-hostname": m.Name, "public-ipv4": known,
		"public-hostname": known, "instance-id": string(vm), "vm-id": string(vm), "public-keys": m.SSHKeys, "cloud-identifier": cloudIdentifier,
	}
}

// first is the address on the machine's default network; "" where it has none.
func (m machine) first() string {
	for _, c := range m.cards {
		if c.Default && c.IP != 0 {
			return c.IP.String()
		}
	}
	return ""
}

// keys are the public keys as OpenStack has them, each under a name.
func (m machine) keys() map[string]string {
	out := map[string]string{}
	for i, key := range strings.FieldsFunc(m.SSHKeys, func(r rune) bool { return r == '\n' }) {
		out[fmt.Sprintf("key-%d", i+1)] = key
	}
	return out
}

// stated tells whether a drive says which address a card has. A card whose network gives addresses itself, or which is not known to have one,
// asks for it by DHCP; the others have what the cloud has given them.
func (c wire) stated() bool { return !c.Serves && c.IP != 0 }

// servers are the name servers that a card's machine is to ask: those of its default network.
func (c wire) servers() (all []string) {
	for _, server := range []string{c.DNS1, c.DNS2} {
		if c.Default && c.stated() && server != "" {
			all = append(all, server)
		}
	}
	return all
}

// wires is OpenStack's network_data.json.
func (m machine) wires() map[string]any {
	links, networks, servers := []any{}, []any{}, []any{}
	for _, c := range m.cards {
		link := fmt.Sprintf("nic%d", c.Device)
		links = append(links, map[string]any{"id": link, "type": "phy", "ethernet_mac_address": c.MAC})
		one := map[string]any{"id": "net-" + link, "link": link, "type": "ipv4_dhcp"}
		if c.stated() {
			one["type"], one["ip_address"], one["netmask"] = "ipv4", c.IP.String(), c.Netmask
			if c.Default && c.Gateway != "" {
				one["routes"] = []any{map[string]string{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": c.Gateway}}
			}
		}
		for _, server := range c.servers() {
			servers = append(servers, map[string]string{"type": "dns", "address": server})
		}
		networks = append(networks, one)
	}
	return map[string]any{"links": links, "networks": networks, "services": servers}
}

// plan is the same as cloud-init's own network configuration, version 1. It names the cards.
func (m machine) plan() map[string]any {
	cards := []any{}
	for _, c := range m.cards {
		subnet := map[string]any{"type": "dhcp4"}
		if c.stated() {
			subnet = map[string]any{"type": "static", "address": c.IP.String(), "netmask": c.Netmask}
			if c.Default && c.Gateway != "" {
				subnet["gateway"] = c.Gateway
			}
			if servers := c.servers(); len(servers) > 0 {
				subnet["dns_nameservers"] = servers
			}
		}
		cards = append(cards, map[string]any{
			"type": "physical", "name": fmt.Sprintf("eth%d", c.Device), "mac_address": c.MAC, "subnets": []any{subnet},
		})
	}
	return map[string]any{"version": 1, "config": cards}
}
