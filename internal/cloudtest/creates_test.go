package cloudtest_test

import (
	"bytes"
	"errors"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/directory/directorytest"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
)

type creation struct {
	command string
	params  api.Params
	other   string // a parameter whose other value makes it another request
}

// creates says for each command that creates how it is called, in an order in which each finds what it needs. $name is the id that
// the command of that name made, or one of the sandbox's.
var creates = []creation{
	{"createDomain", api.Params{"name": "d"}, "name"},
	{"createAccount", api.Params{"username": "a", "password": "p", "firstname": "f", "lastname": "l", "email": "e@example.org", "accounttype": "0"}, "username"},
	{"createUser", api.Params{"account": "a", "username": "u", "password": "p", "firstname": "f", "lastname": "l", "email": "e@example.org"}, "username"},
	{"createZone", api.Params{"name": "z", "networktype": "Advanced", "dns1": "192.0.2.53", "internaldns1": "192.0.2.53", "guestcidraddress": "10.1.1.0/24"}, "name"},
	{"createPhysicalNetwork", api.Params{"name": "p", "zoneid": "$createZone", "vlan": "100-200"}, "name"},
	{"addTrafficType", api.Params{"physicalnetworkid": "$createPhysicalNetwork", "traffictype": "Public"}, "traffictype"},
	{"addNetworkServiceProvider", api.Params{"physicalnetworkid": "$createPhysicalNetwork", "name": "Netscaler"}, "name"},
	{"createVlanIpRange", api.Params{"zoneid": "$createZone", "physicalnetworkid": "$createPhysicalNetwork", "forvirtualnetwork": "true", "vlan": "50",
		"gateway": "198.51.100.1", "netmask": "255.255.255.0", "startip": "198.51.100.10", "endip": "198.51.100.20"}, "endip"},
	{"createRole", api.Params{"name": "r", "type": "User"}, "name"},
	{"importRole", api.Params{"name": "i", "type": "User", "rules[0].rule": "list*", "rules[0].permission": "allow"}, "name"},
	{"createRolePermission", api.Params{"roleid": "$createRole", "rule": "list*", "permission": "allow"}, "rule"},
	{"createProject", api.Params{"name": "p"}, "name"},
	{"createProjectRole", api.Params{"projectid": "$createProject", "name": "r"}, "name"},
	{"createProjectRolePermission", api.Params{"projectid": "$createProject", "projectroleid": "$createProjectRole", "rule": "list*", "permission": "allow"}, "rule"},
	{"createPod", api.Params{"name": "pod", "zoneid": "$createZone", "gateway": "192.0.2.1", "netmask": "255.255.255.0", "startip": "192.0.2.10",
		"endip": "192.0.2.20"}, "name"},
	{"addCluster", api.Params{"clustername": "c", "zoneid": "$createZone", "podid": "$createPod", "hypervisor": "Simulator", "clustertype": "CloudManaged"},
		"clustername"},
	{"addHost", api.Params{"zoneid": "$createZone", "podid": "$createPod", "clusterid": "$addCluster", "hypervisor": "Simulator", "url": "http://h1",
		"username": "u", "password": "p"}, "url"},
	{"createAgentToken", api.Params{"hosttags": "fast"}, "hosttags"},
	{"createStoragePool", api.Params{"name": "s", "zoneid": "$createZone", "podid": "$createPod", "clusterid": "$addCluster", "url": "file:///srv/one"}, "name"},
	{"addImageStore", api.Params{"name": "i", "provider": "Local", "zoneid": "$createZone", "url": "file:///srv/images"}, "name"},
	{"addImageStoreS3", api.Params{"endpoint": "$bucket", "bucket": buckettest.Bucket, "accesskey": buckettest.AccessKey, "secretkey": buckettest.SecretKey,
		"usehttps": "false"}, "bucket"},
	{"addS3", api.Params{"endpoint": "$otherBucket", "bucket": buckettest.Bucket, "accesskey": buckettest.AccessKey, "secretkey": buckettest.SecretKey,
		"usehttps": "false"}, "bucket"},
	{"addSecondaryStorage", api.Params{"zoneid": "$createZone", "url": "file:///srv/more"}, "url"},
	{"createServiceOffering", api.Params{"name": "o", "displaytext": "o", "cpunumber": "1", "cpuspeed": "500", "memory": "256"}, "name"},
	{"createDiskOffering", api.Params{"name": "d", "displaytext": "d", "disksize": "1"}, "name"},
	{"createNetworkOffering", api.Params{"name": "n", "displaytext": "n", "guestiptype": "Isolated", "traffictype": "GUEST", "supportedservices": "Dhcp",
		"serviceproviderlist[0].service": "Dhcp", "serviceproviderlist[0].provider": "VirtualRouter"}, "name"},
	{"createNetwork", api.Params{"name": "net", "displaytext": "net", "zoneid": "$zone", "networkofferingid": "$isolated"}, "name"},
	{"createSecurityGroup", api.Params{"name": "g"}, "name"},
	{"registerTemplate", api.Params{"name": "t", "displaytext": "t", "format": "VHD", "hypervisor": "Simulator", "url": "http://192.0.2.1/t.vhd",
		"zoneid": "$zone", "ostypeid": "$os"}, "name"},
	{"registerSSHKeyPair", api.Params{"name": "k", "publickey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIiSvG3VqDxTq0qkWVJ0mZ0mXcG2gQY2mWb6mA8jS1pU"}, "name"},
	{"createSSHKeyPair", api.Params{"name": "k2"}, "name"},
	{"createVolume", api.Params{"name": "v", "zoneid": "$zone", "diskofferingid": "$createDiskOffering"}, "name"},
	{"deployVirtualMachine", api.Params{"name": "vm", "zoneid": "$zone", "templateid": "$template", "serviceofferingid": "$createServiceOffering"}, "name"},
	{"createSnapshot", api.Params{"volumeid": "$root", "name": "s"}, "name"},
	{"createTemplate", api.Params{"snapshotid": "$createSnapshot", "name": "made", "ostypeid": "$os"}, "name"},
	{"createVMSnapshot", api.Params{"virtualmachineid": "$deployVirtualMachine", "name": "k"}, "name"},
	{"registerIso", api.Params{"name": "i", "url": "http://192.0.2.1/i.iso", "zoneid": "$zone"}, "name"},
	{"getUploadParamsForTemplate", api.Params{"name": "sent", "format": "QCOW2", "hypervisor": "Simulator", "zoneid": "$zone"}, "name"},
	{"getUploadParamsForIso", api.Params{"name": "sent", "format": "ISO", "zoneid": "$zone"}, "name"},
	{"getUploadParamsForVolume", api.Params{"name": "sent", "format": "QCOW2", "zoneid": "$zone"}, "name"},
	{"associateIpAddress", api.Params{"networkid": "$createNetwork"}, "ipaddress"},
	{"createIpForwardingRule", api.Params{"ipaddressid": "$associateIpAddress", "protocol": "tcp", "startport": "53"}, "startport"},
	{"createPortForwardingRule", api.Params{"ipaddressid": "$associateIpAddress", "protocol": "tcp", "publicport": "22", "privateport": "22",
		"virtualmachineid": "$deployVirtualMachine"}, "publicport"},
	{"createFirewallRule", api.Params{"ipaddressid": "$associateIpAddress", "protocol": "tcp", "startport": "443"}, "startport"},
	{"createEgressFirewallRule", api.Params{"networkid": "$createNetwork", "protocol": "tcp", "startport": "25"}, "startport"},
	{"createLoadBalancerRule", api.Params{"publicipid": "$associateIpAddress", "name": "web", "publicport": "80", "privateport": "80",
		"algorithm": "roundrobin"}, "name"},
	{"createLBStickinessPolicy", api.Params{"lbruleid": "$createLoadBalancerRule", "name": "keep", "methodname": "SourceBased"}, "name"},
	{"addAnnotation", api.Params{"entitytype": "VM", "entityid": "$deployVirtualMachine", "annotation": "slow"}, "annotation"},
}

// around is what is called before one of them, on the address that was made.
var around = map[string]map[string]api.Params{
	"createIpForwardingRule":   {"enableStaticNat": {}},
	"createPortForwardingRule": {"disableStaticNat": {}},
}

// createsOfLDAP are tried where there is a directory.
var createsOfLDAP = []creation{
	{"addLdapConfiguration", api.Params{"hostname": "127.0.0.1", "port": "$directory", "domainid": "$createDomain"}, "hostname"},
	{"ldapCreateAccount", api.Params{"username": "alice", "accounttype": "0"}, "username"},
}

// Every command that creates can be repeated under its idempotency key: the first thing is shown again and no second one is made. So
// none forgets to record it.
func TestEveryCreateCanBeRepeated(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		var declared, tried []string
		for _, one := range cs.All {
			if d := one.Describe(); d.Creates && (directorytest.There() || !strings.Contains(d.Name, "dap")) {
				declared = append(declared, d.Name)
			}
		}
		creates := creates
		if directorytest.There() {
			creates = append(slices.Clone(creates), createsOfLDAP...)
		}
		for _, one := range creates {
			tried = append(tried, one.command)
		}
		slices.Sort(declared)
		if sorted := slices.Sorted(slices.Values(tried)); !slices.Equal(declared, sorted) {
			t.Fatalf("commands that create: %v; tried here: %v", declared, sorted)
		}
		box := c.Sandbox(t)
		ids := map[string]string{
			"zone": string(box.Zone), "template": string(box.Template), "isolated": string(box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"]),
			"bucket": buckettest.New(t).Endpoint, "otherBucket": buckettest.New(t).Endpoint,
			"os": string(itemsOf(t, c, cs.ListOsTypes, cs.ListOsTypesIn{Description: "Other (64-bit)"})[0].ID),
		}
		if directorytest.There() {
			directory := directorytest.Start(t)
			ids["directory"] = strconv.Itoa(directory.Port)
			_, err := c.Client.Call(t.Context(), "ldapConfig", api.Params{"hostname": "127.0.0.1", "port": ids["directory"],
				"searchbase": directorytest.Base, "binddn": directorytest.Admin, "bindpass": directorytest.Password})
			must(t, err)
		}
		for _, one := range creates {
			params := api.Params{"idempotencykey": "key of " + one.command}
			for name, value := range one.params {
				if value[0] == '$' {
					value = ids[value[1:]]
				}
				params[name] = value
			}
			for command, params := range around[one.command] {
				params = with(params, "ipaddressid", ids["associateIpAddress"])
				if command == "enableStaticNat" {
					params["virtualmachineid"] = ids["deployVirtualMachine"]
				}
				_, err := c.Client.Call(t.Context(), command, params)
				must(t, err)
			}
			first, err := c.Client.Call(t.Context(), one.command, params)
			if err != nil {
				t.Fatalf("%s: %v", one.command, err)
			}
			ids[one.command] = idIn.FindStringSubmatch(string(first))[1]
			if one.command == "deployVirtualMachine" {
				ids["root"] = string(itemsOf(t, c, cs.ListVolumes, cs.ListVolumesIn{Type: "ROOT"})[0].ID)
			}
			again, err := c.Client.Call(t.Context(), one.command, params)
			if err != nil {
				t.Fatalf("%s, once more: %v", one.command, err)
			}
			if id := idIn.FindStringSubmatch(string(again)); id == nil || id[1] != ids[one.command] {
				t.Errorf("%s made %s\nand once more %s", one.command, first, again)
			}
			if bytes.Contains(again, []byte("PRIVATE KEY")) {
				t.Errorf("%s shows a private key twice", one.command)
			}
			other := maps.Clone(params)
			other[one.other] += "2"
			_, err = c.Client.Call(t.Context(), one.command, other)
			if e, ok := errors.AsType[*api.RemoteError](err); !ok || e.CSCode != 4375 {
				t.Errorf("%s under the same key with another %s: %v", one.command, one.other, err)
			}

			byHeader := *c.Client
			byHeader.HTTP = &http.Client{Transport: keyed(params["idempotencykey"])}
			delete(params, "idempotencykey")
			again, err = byHeader.Call(t.Context(), one.command, params)
			if err != nil {
				t.Fatalf("%s with the key as a header: %v", one.command, err)
			}
			if id := idIn.FindStringSubmatch(string(again)); id == nil || id[1] != ids[one.command] {
				t.Errorf("%s made %s\nand with the key as a header %s", one.command, first, again)
			}
			params["idempotencykey"] = "another"
			_, err = byHeader.Call(t.Context(), one.command, params)
			if e, ok := errors.AsType[*api.RemoteError](err); !ok || e.CSCode != 4350 || !strings.Contains(e.Error(), "differ") {
				t.Errorf("%s with a key as a header and another as a parameter: %v", one.command, err)
			}
		}
	})
}

// keyed sends an idempotency key with each request, as a header.
type keyed string

func (k keyed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Idempotency-Key", string(k))
	return http.DefaultTransport.RoundTrip(r)
}

// idIn finds the first id of an answer, which is that of what the answer is about.
var idIn = regexp.MustCompile(`"id":"([0-9a-f-]{36})"`)
