package cloudtest_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/uid"
)

// estate is a tenant with something of every kind. All names in it begin with the tenant's.
type estate struct {
	name        string
	user, admin *api.Client
	domain      uid.Domain
}

// account is the name of the tenant's user's account.
func (e *estate) account() string { return e.name + "-user" }

// newEstate makes a tenant and all that it owns.
func newEstate(t *testing.T, c *cloudtest.Cloud, box cloudtest.Sandbox, name string) *estate {
	t.Helper()
	e := &estate{name: name}
	user, acct := c.Tenant(t, name+"-domain", name+"-user", auth.User)
	e.user, e.domain = user, acct.Domain
	e.admin, _ = c.Tenant(t, name+"-domain", name+"-admin", auth.DomainAdmin)
	call := caller(t)
	own := string(acct.Domain)
	call(c.Client, "createServiceOffering", api.Params{"name": name + "-service", "displaytext": name + "-service", "cpunumber": "1", "cpuspeed": "100",
		"memory": "128", "domainid": own})
	call(c.Client, "createDiskOffering", api.Params{"name": name + "-disk", "displaytext": name + "-disk", "disksize": "1", "domainid": own})
	call(c.Client, "createNetworkOffering", api.Params{"name": name + "-net", "displaytext": name + "-net", "guestiptype": "Isolated",
		"traffictype": "GUEST", "supportedservices": "Dhcp", "serviceproviderlist[0].service": "Dhcp",
		"serviceproviderlist[0].provider": "VirtualRouter", "domainid": own})
	call(c.Client, "createZone", api.Params{"name": name + "-zone", "networktype": "Advanced", "dns1": "192.0.2.53", "internaldns1": "192.0.2.53",
		"domainid": own})
	furnishTenant(t, c, user, box, name, name+"-user")
	return e
}

// caller calls commands that must succeed.
func caller(t *testing.T) func(by *api.Client, command string, params api.Params) {
	return func(by *api.Client, command string, params api.Params) {
		t.Helper()
		_, err := by.Call(t.Context(), command, params)
		must(t, err)
	}
}

// furnishTenant makes something of every kind for an account whose client it is.
func furnishTenant(t *testing.T, c *cloudtest.Cloud, user *api.Client, box cloudtest.Sandbox, name, account string) {
	t.Helper()
	furnishFor(t, c, user, box, name, "", func(item map[string]any) bool { return item["account"] == account })
}

// furnishFor makes something of every kind in a project, or without one for the account whose client it is. What it has made its lists are
// told from what is for everybody by its owner.
func furnishFor(t *testing.T, c *cloudtest.Cloud, user *api.Client, box cloudtest.Sandbox, name, project string, isOwn func(item map[string]any) bool) {
	t.Helper()
	call := caller(t)
	own := api.Params{}
	if project != "" {
		own["projectid"] = project
	}
	first := func(list string) string { return ownID(t, user, list, own, isOwn) }
	in := func(pairs ...string) api.Params { return with(own, pairs...) }
	call(user, "createSSHKeyPair", in("name", name+"-key"))
	call(user, "registerTemplate", in("name", name+"-template", "displaytext", name, "format", "QCOW2", "hypervisor", "Simulator",
		"url", "http://192.0.2.1/"+name+".qcow2", "zoneid", string(box.Zone)))
	call(user, "deployVirtualMachine", in("name", name+"-vm", "zoneid", string(box.Zone), "templateid", string(box.Template),
		"serviceofferingid", string(box.Small), "diskofferingid", string(box.DiskOffering["Small"]), "keypair", name+"-key", "group", name+"-group"))
	call(user, "createVolume", in("name", name+"-volume", "zoneid", string(box.Zone), "diskofferingid", string(box.DiskOffering["Small"])))
	call(user, "createSnapshot", api.Params{"volumeid": first("listVolumes"), "name": name + "-snapshot"})
	call(user, "createVMSnapshot", api.Params{"virtualmachineid": first("listVirtualMachines"), "name": name + "-kept", "description": name})
	furnishRules(t, user, in, first)
	for kind, list := range taggedBy {
		call(user, "createTags", api.Params{"resourcetype": kind, "resourceids": first(list), "tags[0].key": name + "-" + kind,
			"tags[0].value": name + "-value", "customer": name + "-customer"})
	}
	for kind, list := range map[string]string{"UserVm": "listVirtualMachines", "Volume": "listVolumes", "Network": "listNetworks"} {
		call(c.Client, "addResourceDetail", api.Params{"resourcetype": kind, "resourceid": first(list),
			"details[0].key": name + "-" + kind, "details[0].value": name + "-detail"})
	}
	vm := first("listVirtualMachines")
	call(c.Client, "addResourceDetail", api.Params{"resourcetype": "UserVm", "resourceid": vm, "fordisplay": "false",
		"details[0].key": "hidden", "details[0].value": "hidden"})
	call(user, "addAnnotation", api.Params{"entitytype": "VM", "entityid": vm, "annotation": name + "-remark"})
	call(user, "stopVirtualMachine", api.Params{"id": vm, "forced": "true"})
	call(user, "startVirtualMachine", api.Params{"id": vm})
}

// furnishRules makes a rule of every kind on addresses of the network that the first machine is in.
func furnishRules(t *testing.T, user *api.Client, in func(...string) api.Params, first func(list string) string) {
	t.Helper()
	call := caller(t)
	vm, net := first("listVirtualMachines"), first("listNetworks")
	addresses := make([]string, 2)
	for i := range addresses {
		addresses[i] = makes(t, user, "associateIpAddress", api.Params{"networkid": net})
	}
	tag := func(kind, id string) {
		call(user, "createTags", api.Params{"resourcetype": kind, "resourceids": id, "tags[0].key": "rule", "tags[0].value": "made"})
	}
	tag("PortForwardingRule", makes(t, user, "createPortForwardingRule", api.Params{"ipaddressid": addresses[0], "protocol": "tcp", "publicport": "22",
		"privateport": "22", "virtualmachineid": vm}))
	tag("FirewallRule", makes(t, user, "createFirewallRule", api.Params{"ipaddressid": addresses[0], "protocol": "icmp"}))
	balancer := makes(t, user, "createLoadBalancerRule", api.Params{"publicipid": addresses[0], "name": "web", "publicport": "80", "privateport": "80",
		"algorithm": "roundrobin"})
	call(user, "assignToLoadBalancerRule", api.Params{"id": balancer, "virtualmachineids": vm})
	call(user, "createLBStickinessPolicy", api.Params{"lbruleid": balancer, "name": "keep", "methodname": "SourceBased"})
	call(user, "enableStaticNat", api.Params{"ipaddressid": addresses[1], "virtualmachineid": vm})
	call(user, "createIpForwardingRule", api.Params{"ipaddressid": addresses[1], "protocol": "udp", "startport": "53"})
	tag("FirewallRule", makes(t, user, "createEgressFirewallRule", api.Params{"networkid": net, "protocol": "tcp", "startport": "25"}))
	for _, side := range []string{"Ingress", "Egress"} {
		call(user, "authorizeSecurityGroup"+side, api.Params{"securitygroupid": first("listSecurityGroups"), "protocol": "icmp", "icmptype": "8",
			"icmpcode": "-1", "cidrlist": "198.51.100.0/24"})
	}
}

// makes calls a command that makes something, waits for its job, and gives the id.
func makes(t *testing.T, by *api.Client, command string, params api.Params) string {
	t.Helper()
	raw, err := by.Call(t.Context(), command, params)
	must(t, err)
	var out map[string]map[string]any
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s gave %s: %v", command, raw, err)
	}
	for _, thing := range out {
		return thing["id"].(string)
	}
	return ""
}

// project gives the tenant a project that its user administers, with a role and an invitation.
func (e *estate) project(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	projectFor(t, c, e.user, e.name, e.name+"-admin")
}

func projectFor(t *testing.T, c *cloudtest.Cloud, by *api.Client, name, invited string) (id string) {
	t.Helper()
	made := func(command string, params api.Params) string {
		t.Helper()
		raw, err := by.Call(t.Context(), command, params)
		must(t, err)
		var thing struct {
			ID   string              `json:"id"`
			Role struct{ ID string } `json:"projectrole"`
			Rule struct{ ID string } `json:"projectrolepermission"`
		}
		must(t, json.Unmarshal(raw, &thing))
		return thing.ID + thing.Role.ID + thing.Rule.ID
	}
	made("createProject", api.Params{"name": name + "-project"})
	id = ownID(t, by, "listProjects", nil, func(item map[string]any) bool { return item["name"] == name+"-project" })
	role := made("createProjectRole", api.Params{"projectid": id, "name": name + "-role"})
	made("createProjectRolePermission", api.Params{"projectid": id, "projectroleid": role, "rule": "list*", "permission": "allow"})
	_, err := c.Client.Call(t.Context(), "updateConfiguration", api.Params{"name": "project.invite.required", "value": "true"})
	must(t, err)
	made("addUserToProject", api.Params{"projectid": id, "username": invited, "projectroleid": role})
	return id
}

// taggedBy are types of things that can have tags, with the lists that show a tenant's own.
var taggedBy = map[string]string{
	"UserVm": "listVirtualMachines", "Volume": "listVolumes", "Snapshot": "listSnapshots", "VMSnapshot": "listVMSnapshot", "Network": "listNetworks", "SecurityGroup": "listSecurityGroups",
	"LoadBalancer":    "listLoadBalancerRules",
	"PublicIpAddress": "listPublicIpAddresses",
}

func firstID(t *testing.T, by *api.Client, command string) string {
	t.Helper()
	items, err := items(t, by, described(command), nil)
	must(t, err)
	return items[0]["id"].(string)
}

// ownID is the first id that a list shows of what is somebody's own: some show what is for everybody, too.
func ownID(t *testing.T, by *api.Client, command string, params api.Params, isOwn func(item map[string]any) bool) string {
	t.Helper()
	all, err := items(t, by, described(command), params)
	must(t, err)
	for _, item := range all {
		if isOwn(item) {
			return item["id"].(string)
		}
	}
	t.Fatalf("%s %v shows nothing of one's own", command, params)
	return ""
}

func described(command string) *api.Description {
	if d := descriptions()[command]; d != nil {
		return d
	}
	panic("there is no command " + command)
}

var descriptions = sync.OnceValue(func() map[string]*api.Description {
	all := map[string]*api.Description{}
	for _, one := range cs.All {
		d := one.Describe()
		all[d.Name] = d
	}
	return all
})

// items are those of a list.
func items(t *testing.T, by *api.Client, d *api.Description, params api.Params) ([]map[string]any, error) {
	t.Helper()
	raw, err := by.Call(t.Context(), d.Name, params)
	if err != nil {
		return nil, err
	}
	var answer map[string]json.RawMessage
	must(t, json.Unmarshal(raw, &answer))
	var out []map[string]any
	if answer[d.Object] != nil {
		must(t, json.Unmarshal(answer[d.Object], &out))
	}
	return out, nil
}

// openTo tells whether a command is there for who calls as a client of that role, by the API's own endpoint.
func openTo(d *api.Description, role api.Role) bool { return !d.Session && d.Role.Allows(role) }

func has(d *api.Description, name string) bool {
	return slices.ContainsFunc(d.Params(), func(p api.Param) bool { return p.Name == name })
}

// wide are the ways to ask a list for all there is: one, or one for each value of what must be said.
func wide(d *api.Description) []api.Params {
	all := []api.Params{{}}
	if has(d, "listall") {
		all[0]["listall"] = "true"
	}
	for _, p := range d.Params() {
		if p.Name == "resourcetype" && p.Required {
			p.OneOf = []string{"UserVm", "Nic", "Volume", "Network", "PublicIpAddress", "User"}
		} else if p.OneOf == nil || !strings.HasSuffix(p.Name, "filter") {
			continue
		}
		var each []api.Params
		for _, one := range p.OneOf {
			for _, params := range all {
				each = append(each, with(params, p.Name, one))
			}
		}
		all = each
	}
	return all
}

func with(params api.Params, pairs ...string) api.Params {
	out := api.Params{}
	maps.Copy(out, params)
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = pairs[i+1]
	}
	return out
}

func idOf(item map[string]any) string {
	id, _ := item["id"].(string)
	return id
}
