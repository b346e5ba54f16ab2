package cloudtest_test

import (
	"maps"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/uid"
)

// said is what commands must be told besides ids, so that they could be done, by the parameter's name.
var said = map[string]string{
	"publickey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIIiSvG3VqDxTq0qkWVJ0mZ0mXcG2gQY2mWb6mA8jS1pU",
	"url":       "http://192.0.2.1/x.qcow2", "format": "QCOW2", "hypervisor": "Simulator",
}

// needs are parameters that commands need besides those that the contract says they must have. "$" stands for a thing of the caller's of
// the parameter's kind, "$account" for the name of its account.
var needs = map[string]api.Params{
	"deployVirtualMachine":             {"templateid": "$"},
	"createVolume":                     {"zoneid": "$", "diskofferingid": "$"},
	"createTemplate":                   {"snapshotid": "$"},
	"registerTemplate":                 {"zoneid": "$"},
	"getUploadParamsForTemplate":       {"zoneid": "$"},
	"getUploadParamsForIso":            {"zoneid": "$"},
	"getUploadParamsForVolume":         {"zoneid": "$"},
	"deleteSecurityGroup":              {"id": "$"},
	"authorizeSecurityGroupIngress":    {"securitygroupid": "$", "cidrlist": "203.0.113.0/24"},
	"authorizeSecurityGroupEgress":     {"securitygroupid": "$", "cidrlist": "203.0.113.0/24"},
	"createUser":                       {"account": "$account"},
	"markDefaultZoneForAccount":        {"account": "$account"},
	"moveUser":                         {"account": "$account"},
	"createTags":                       {"tags[0].key": "k", "tags[0].value": "v"},
	"configureSimulator":               {"name": "StartCommand", "value": "none"},
	"updateConfiguration":              {"name": "vm.network.throttling.rate", "value": "100"},
	"resetConfiguration":               {"name": "vm.network.throttling.rate"},
	"setupUserTwoFactorAuthentication": {"enable": "false"},
	"updateNetworkOffering":            {"id": "$"},
	"addAnnotation":                    {"entitytype": "VM", "entityid": "$vm"},
	"addResourceDetail":                {"details[0].key": "k", "details[0].value": "v"},
	"listResourceDetails":              {"resourcetype": "UserVm"},
	"removeResourceDetail":             {"resourcetype": "UserVm"},
	"migrateVirtualMachine":            {"autoselect": "true"},
	"migrateVirtualMachineWithVolume":  {"autoselect": "true"},
	"resetSSHKeyForVirtualMachine":     {"keypair": "x"},
}

// together is what is said besides with a parameter: "-" for nothing, "$account" for the name of an account in the domain that it names,
// "$red" for red's account, "$other" for another user that the caller may change, "$basic" and "$template" for the zone of basic
// networking and its template, "$grouped" for a machine of the caller's in that; "$project" and "$projectrole" for the project, and its
// role, that what the caller has belongs to.
var together = map[string]api.Params{
	"*.domainid":                                          {"account": "$account"},
	"detachVolume.virtualmachineid":                       {"deviceid": "0"},
	"createRole.roleid":                                   {"type": "-"},
	"createVlanIpRange.networkid":                         {"forvirtualnetwork": "false"},
	"createVlanIpRange.podid":                             {"forvirtualnetwork": "false"},
	"moveUser.accountid":                                  {"id": "$other", "account": "-"},
	"createTemplate.volumeid":                             {"snapshotid": "-"},
	"registerTemplate.zoneids":                            {"zoneid": "-"},
	"updateRolePermission.roleid":                         {"ruleid": "$", "permission": "deny"},
	"updateRolePermission.ruleid":                         {"permission": "deny"},
	"updateAccount.roleid":                                {"id": "$red"},
	"updateConfiguration.accountid":                       {"name": "allow.user.view.destroyed.vm", "value": "true"},
	"updateConfiguration.domainid":                        {"name": "allow.user.view.destroyed.vm", "value": "true", "account": "-"},
	"updateConfiguration.clusterid":                       {"name": "cpu.overprovisioning.factor", "value": "2"},
	"updateConfiguration.storageid":                       {"name": "storage.overprovisioning.factor", "value": "2"},
	"resetConfiguration.accountid":                        {"name": "allow.user.view.destroyed.vm"},
	"resetConfiguration.domainid":                         {"name": "allow.user.view.destroyed.vm", "account": "-"},
	"resetConfiguration.clusterid":                        {"name": "cpu.overprovisioning.factor"},
	"resetConfiguration.storageid":                        {"name": "storage.overprovisioning.factor"},
	"deployVirtualMachine.securitygroupids":               {"zoneid": "$basic", "templateid": "$template"},
	"updateVirtualMachine.securitygroupids":               {"id": "$grouped"},
	"addAccountToProject.projectid":                       {"account": "$account"},
	"*.projectroleid":                                     {"projectid": "$project"},
	"*.projectrolepermissionid":                           {"projectid": "$project", "projectroleid": "$projectrole"},
	"updateProjectRolePermission.projectrolepermissionid": {"projectid": "$project", "projectroleid": "$projectrole", "permission": "deny"},
	"updateProjectRolePermission.projectid":               {"projectrolepermissionid": "$", "permission": "deny"},
	"addAccountToProject.projectroleid":                   {"projectid": "$project", "account": "$account"},
	"updateProjectRolePermission.projectroleid":           {"projectid": "$project", "projectrolepermissionid": "$", "permission": "deny"},
	"*.ruleorder":                                         {"projectid": "$project", "projectroleid": "$projectrole"},
	"migrateVirtualMachine.storageid":                     {"autoselect": "-"},
	"deleteProjectRole.id":                                {"projectid": "$project"},
	"updateProjectRole.id":                                {"projectid": "$project"},
	"deleteProjectRolePermission.id":                      {"projectid": "$project"},
}

// fill gives what a command must be told so that it could be done: things of the caller's own, or everybody's.
func (s *shard) fill(d *api.Description, p person) api.Params {
	params := api.Params{}
	if has(d, "listall") {
		params["listall"] = "true"
	}
	maps.Copy(params, bases[d.Name])
	if d.Name == "listTemplates" || d.Name == "listIsos" {
		params[map[string]string{"listTemplates": "templatefilter", "listIsos": "isofilter"}[d.Name]] = "executable"
	}
	for _, one := range creates {
		if one.command == d.Name {
			maps.Copy(params, one.params)
		}
	}
	maps.Copy(params, needs[d.Name])
	for _, q := range d.Params() {
		if value, given := params[q.Name]; given && !strings.HasPrefix(value, "$") || !given && !q.Required {
			continue
		}
		switch kind := kindIn(q); {
		case q.Type == "map" && q.Fields == nil: // needs says what is in it
		case q.Fields != nil:
			for _, f := range q.Fields {
				if f.Required {
					params[q.Name+"[0]."+f.Name] = "x"
				}
			}
		case kind != "":
			params[q.Name] = s.own(p, d, kind)
		case params[q.Name] == "$vm":
			params[q.Name] = s.own(p, d, "virtual machine")
		case params[q.Name] == "$account":
			params[q.Name] = s.accountOf(p.home)
		case q.OneOf != nil:
			params[q.Name] = q.OneOf[0]
		case said[q.Name] != "":
			params[q.Name] = said[q.Name]
		case q.Type == "string":
			params[q.Name] = "x"
		default:
			params[q.Name] = "1"
		}
	}
	return params
}

// own is a thing of a kind that the caller may use.
func (s *shard) own(p person, d *api.Description, kind string) string {
	switch kind {
	case "zone":
		return string(s.box.Zone)
	case "service offering":
		return string(s.box.Small)
	case "disk offering":
		return string(s.box.DiskOffering["Small"])
	case "network offering":
		return string(s.box.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"])
	case "template":
		if d.Name != "deleteTemplate" {
			return string(s.box.Template)
		}
	case "user":
		return string(p.user)
	}
	if id := s.example(kind, p.home); id != "" {
		return id
	}
	if ids := s.of[kind]; len(ids) > 0 {
		return ids[0]
	}
	return string(uid.New[uid.VM]())
}

// isAdmins tells whether a parameter is there for root admins only.
func (s *shard) isAdmins(d *api.Description, name string) bool {
	for _, p := range d.Params() {
		if p.Name == name {
			return p.Admin
		}
	}
	return false
}

// beside fills in what is said with a parameter that names a thing.
func (s *shard) beside(params, more api.Params, d *api.Description, p person, x thing) {
	for name, value := range more {
		switch value {
		case "-":
			delete(params, name)
			continue
		case "$account":
			if has(d, "account") {
				params[name] = s.accountOf(x.tenant)
			}
			continue
		case "$red":
			value = string(s.accounts["red-user"])
		case "$template":
			value = string(s.basic.Template)
		case "$":
			for _, q := range d.Params() {
				if q.Name == name {
					value = s.own(p, d, q.Of)
				}
			}
		case "$other":
			value = string(p.user)
			for _, id := range s.of["user"] {
				if u := s.things[id]; u.User != p.user && relationTo(p, u) == holds && (u.Domain == p.domain || value == string(p.user)) {
					value = id
				}
			}
		case "$project", "$projectrole":
			if !has(d, name) {
				continue
			}
			kind := map[string]string{"$project": "project", "$projectrole": "project role"}[value]
			if value = s.own(p, d, kind); relationTo(p, x) != stranger {
				value = s.example(kind, x.tenant)
			}
		case "$basic":
			value = string(s.basic.Zone)
		case "$grouped":
			value = s.named("virtual machine", p.home+"-grouped")
		}
		params[name] = value
	}
}

// accountOf is the name of a tenant's account.
func (s *shard) accountOf(tenant string) string {
	if _, ok := s.accounts[tenant+"-user"]; ok {
		return tenant + "-user"
	}
	return "admin"
}

func (s *shard) named(kind, name string) string {
	for _, id := range s.of[kind] {
		if s.things[id].Name == name {
			return id
		}
	}
	return ""
}

// unshown are parameters by which what is the caller's can't be told from what is not there, and why. "*" is every command; what stands
// after "/" is a kind of thing or "public".
var unshown = map[string]string{
	"*.zoneid":                                  "the tenants' zones are empty",
	"login.domainId":                            "a login that fails says nothing",
	"listAndSwitchSamlAccount.userid":           "only who has come in by SAML goes on as another user",
	"listAndSwitchSamlAccount.domainid":         "only who has come in by SAML goes on as another user",
	"listEvents.resourceid":                     "not everything has events of its own",
	"updateProject.userid":                      "not everybody is a member",
	"updateProjectInvitation.userid":            "not everybody is invited",
	"listProjectInvitations.userid":             "not everybody is invited",
	"listProjectAccounts.userid":                "not everybody is a member",
	"listProjectAccounts.projectroleid":         "no member has one",
	"updateProjectInvitation.projectid":         "the invitations are others' to answer",
	"createProject.userid":                      "the caller's own account has no such user",
	"deleteUserFromProject.userid":              "not everybody is a member",
	"listAsyncJobs.resourceid":                  "no job is at work",
	"listAgentTokens.clusterid":                 "the clusters are for simulated hosts, which have no agents",
	"listIsos.id":                               "no tenant has an ISO",
	"listIsos.imagestoreid":                     "no tenant has an ISO",
	"listTemplates.id/public":                   "an ISO is no template",
	"listTemplates.ids/public":                  "an ISO is no template",
	"createTags.resourceids/public":             "an ISO is no template",
	"deleteTags.resourceids/public":             "an ISO is no template",
	"listTags.resourceid":                       "not everything has tags",
	"listNics.networkid":                        "the machine is in one network, and has no card in others",
	"listNics.nicid":                            "the card is of another machine than the one that is asked about",
	"listDomainChildren.id":                     "it has none",
	"listVirtualMachines.isoid":                 "nothing is made from tenants' own templates",
	"listVirtualMachines.templateid":            "nothing is made from tenants' own templates",
	"listVirtualMachines.userid":                "not every user has made one",
	"addAnnotation.entityid/public":             "an ISO is no template",
	"listAnnotations.entityid":                  "not everything has remarks",
	"listAnnotations.userid":                    "not everybody has made remarks",
	"listResourceDetails.resourceid":            "not everything has details",
	"removeResourceDetail.resourceid/public":    "an ISO is no template",
	"addResourceDetail.resourceid/public":       "an ISO is no template",
	"updateConfiguration.imagestoreuuid":        "there is no setting of image stores",
	"resetConfiguration.imagestoreid":           "there is no setting of image stores",
	"oauthlogin.domainId":                       "a login that fails says nothing",
	"deleteLdapConfiguration.domainid":          "no tenant has a directory",
	"listLdapConfigurations.domainid":           "no tenant has a directory",
	"importLdapUsers.roleid":                    "the directory is asked before",
	"linkAccountToLdap.roleid":                  "the directory is asked before",
	"ldapCreateAccount.accountid":               "the directory is asked before",
	"ldapCreateAccount.roleid":                  "the directory is asked before",
	"ldapCreateAccount.userid":                  "the directory is asked before",
	"listVirtualMachines.securitygroupid":       "not every group has machines",
	"listVirtualMachines.podid":                 "no machine runs",
	"listVirtualMachines.clusterid":             "no machine runs",
	"listVirtualMachines.hostid":                "no machine runs",
	"listVolumes.hostid":                        "no machine runs",
	"createVlanIpRange.podid":                   "the network is asked for before",
	"listVirtualMachines.networkid/public":      "what is not seen there",
	"listVirtualMachines.serviceofferingid":     "nothing is made of tenants' own offerings",
	"listVolumes.serviceofferingid":             "nothing is made of tenants' own offerings",
	"listVolumes.diskofferingid":                "nothing is made of tenants' own offerings",
	"listNetworks.networkofferingid":            "nothing is made of tenants' own offerings",
	"listPublicIpAddresses.networkid":           "no address is given to a machine of it",
	"listPublicIpAddresses.associatednetworkid": "some networks have none",
	"listVlanIpRanges.domainid":                 "most domains have none",
	"listVlanIpRanges.networkid":                "tenants' networks have none",
	"listVlanIpRanges.podid":                    "the first pod has none",
	"listSecurityGroups.virtualmachineid":       "the first machine of each is in none",
	"destroyVirtualMachine.volumeids":           "a volume must be on that machine",
	"updateSecurityGroup.customid":              "the group's own id",
	"updateIpAddress.customid":                  "another address's id",
	"updateFirewallRule.customid":               "another rule's id",
	"updateEgressFirewallRule.customid":         "another rule's id",
	"updateLBStickinessPolicy.customid":         "another policy's id",
	"updatePortForwardingRule.customid":         "another rule's id",
	"updateLoadBalancerRule.customid":           "another rule's id",
	"listPortForwardingRules.ipaddressid":       "not every address has such rules",
	"listIpForwardingRules.ipaddressid":         "not every address has such rules",
	"listFirewallRules.ipaddressid":             "not every address has such rules",
	"listLoadBalancerRules.publicipid":          "not every address has such rules",
	"listPortForwardingRules.networkid/public":  "shared networks have no router",
	"listFirewallRules.networkid/public":        "shared networks have no router",
	"listEgressFirewallRules.networkid/public":  "shared networks have no router",
	"listLoadBalancerRules.networkid/public":    "shared networks have no router",
	"listRouters.networkid/public":              "shared networks have no router",
	"disassociateIpAddress.accountid":           "the address is another account's",
	"deletePortForwardingRule.accountid":        "the rule is another account's",
	"deleteIpForwardingRule.accountid":          "the rule is another account's",
	"deleteFirewallRule.accountid":              "the rule is another account's",
	"deleteEgressFirewallRule.accountid":        "the rule is another account's",
	"updatePortForwardingRule.ipaddressid":      "the rule is on another address",
	"listRouters.hostid":                        "not every host has routers",
	"migrateVirtualMachine.hostid":              "no machine runs",
	"migrateVirtualMachineWithVolume.hostid":    "no machine runs",

	"migrateVirtualMachineWithVolume.migrateto[0].volume": "no machine runs",
	"migrateVirtualMachineWithVolume.migrateto[0].pool":   "no machine runs",
}

func (s *shard) isUnshown(d *api.Description, name string, x thing) bool {
	if x.project != "" && has(d, "projectid") && d.Kind == api.KindList && name != "id" && name != "ids" && name != "projectid" {
		return true // lists show what belongs to a project by its ID, or where projectid names the project
	}
	of := x.Kind
	if x.Public {
		of = "public"
	}
	for _, key := range []string{d.Name + "." + name, "*." + name} {
		if unshown[key] != "" || unshown[key+"/"+of] != "" {
			return true
		}
	}
	return false
}

// byName calls a command with names of other tenants in the place of ids.
func (s *shard) byName(t *testing.T, d *api.Description) {
	t.Helper()
	const nobody = "nobody-user"
	for _, p := range s.people {
		for _, q := range d.Params() {
			isAccount := q.Name == "account"
			if q.Type != "string" || q.Of != "" || q.OneOf != nil || d.Session || !isAccount && !readsOnly(d) || d.Name == "addAccountToProject" {
				continue // members are taken by their names, of the project's domain
			}
			for name, owner := range s.accounts {
				x := s.things[string(owner)]
				if !strings.HasSuffix(name, "-user") || relationTo(p, x) != stranger {
					continue
				}
				params := s.fill(d, p)
				if isAccount && has(d, "domainid") {
					params["domainid"] = string(x.Domain)
				}
				if !isAccount {
					name = x.tenant
				}
				try := func(value string) reply {
					params[q.Name] = value
					s.cases++
					a := s.call(t, d, p, byKeys, params)
					changed := s.undo(t)
					if len(really(d, changed)) > 0 && has(d, "domainid") {
						t.Errorf("%s %v by %s changes %v", d.Name, params, p.what, changed)
					}
					s.tells(t, d, p, byKeys, params, a, changed)
					return a
				}
				got, want := try(name), try(nobody)
				if s.but(got, name) != s.but(want, nobody) && isAccount {
					t.Errorf("%s %s=%s by %s: %v\n\twant what the name of nobody gets: %v", d.Name, q.Name, name, p.what, got, want)
				}
			}
		}
	}
}

// widely asks a list for all it shows, in every way.
func (s *shard) widely(t *testing.T, d *api.Description) {
	t.Helper()
	if !readsOnly(d) {
		return
	}
	for _, p := range s.people {
		for _, more := range wide(d) {
			for _, way := range []api.Params{{}, {"listall": "false"}, {"isrecursive": "true"}} {
				params := s.fill(d, p)
				maps.Copy(params, more)
				if has(d, "listall") {
					maps.Copy(params, way)
				}
				s.cases++
				s.tells(t, d, p, byKeys, params, s.call(t, d, p, byKeys, params), s.undo(t))
			}
		}
	}
}
