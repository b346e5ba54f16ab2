package cloudtest_test

import (
	"context"
	"net"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/alert"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/outside/bucket/buckettest"
	"github.com/virga-cloud/virga/internal/outside/idp/idptest"
	"github.com/virga-cloud/virga/uid"
)

// furnish puts something into the cloud for every filter to find.
func furnish(t *testing.T, c *cloudtest.Cloud) {
	t.Helper()
	box := c.Sandbox(t)
	red := newEstate(t, c, box, "red")
	newEstate(t, c, box, "blue").project(t, c)
	red.project(t, c)
	call := func(command string, params api.Params) {
		t.Helper()
		_, err := c.Client.Call(t.Context(), command, params)
		must(t, err)
	}
	call("importRole", api.Params{"name": "lookers", "type": "User", "rules[0].rule": "list*", "rules[0].permission": "allow", "description": "look"})
	call("registerUserKeys", api.Params{"id": firstID(t, c.Client, "listUsers"), "name": "robot", "rules[0].rule": "list*", "rules[0].permission": "allow"})
	call("addImageStoreS3", api.Params{"endpoint": buckettest.New(t).Endpoint, "bucket": buckettest.Bucket, "accesskey": buckettest.AccessKey,
		"secretkey": buckettest.SecretKey, "usehttps": "false"})
	call("registerOauthProvider", api.Params{"provider": "google", "description": "Google", "clientid": "c", "secretkey": "s", "redirecturi": "https://cloud.example.org/"})
	provider := idptest.New(t, c.Clock.Now)
	for name, value := range map[string]string{"saml2.enabled": "true", "saml2.idp.metadata.url": provider.Entity()} {
		call("updateConfiguration", api.Params{"name": name, "value": value})
	}
	c.Tenant(t, "", "by-saml", auth.User)
	bySAML := itemsOf(t, c, cs.ListUsers, cs.ListUsersIn{Username: "by-saml", Scope: api.Scope{ListAll: true}})
	call("authorizeSamlSso", api.Params{"userid": string(bySAML[0].ID), "enable": "true"})
	zone := string(box.Zone)
	call("addCluster", api.Params{"clustername": "agents", "zoneid": zone, "podid": firstID(t, c.Client, "listPods"), "hypervisor": "KVM",
		"clustertype": "CloudManaged"})
	call("createAgentToken", api.Params{"hosttags": "fast"})
	call("createAgentToken", api.Params{"hosttags": "slow", "clusterid": string(itemsOf(t, c, cs.ListClusters, cs.ListClustersIn{Name: "agents"})[0].ID)})
	call("createServiceOffering", api.Params{"name": "here", "displaytext": "here", "cpunumber": "1", "cpuspeed": "100", "memory": "128", "zoneid": zone})
	call("createDiskOffering", api.Params{"name": "here", "displaytext": "here", "disksize": "1", "zoneid": zone})
	call("createNetworkOffering", api.Params{"name": "here", "displaytext": "here", "guestiptype": "Isolated", "traffictype": "GUEST",
		"supportedservices": "Dhcp", "serviceproviderlist[0].service": "Dhcp", "serviceproviderlist[0].provider": "VirtualRouter", "zoneid": zone,
		"tags": "fibre"})
	call("createNetwork", api.Params{"name": "shared", "displaytext": "shared", "zoneid": zone, "vlan": "60", "gateway": "10.60.0.1",
		"netmask": "255.255.255.0", "startip": "10.60.0.10", "endip": "10.60.0.20",
		"networkofferingid": string(box.NetworkOffering["DefaultSharedNetworkOffering"])})
	call("createVlanIpRange", api.Params{"zoneid": zone, "forvirtualnetwork": "true", "vlan": "51", "gateway": "198.51.100.1",
		"netmask": "255.255.255.0", "startip": "198.51.100.10", "endip": "198.51.100.12", "account": red.account(), "domainid": string(red.domain)})
	basic := c.Basic(t)
	call("deployVirtualMachine", api.Params{"name": "grouped", "zoneid": string(basic.Zone), "templateid": string(basic.Template),
		"serviceofferingid": string(basic.Small)})
	own := func(list string, params api.Params) string {
		found, err := items(t, red.user, described(list), params)
		must(t, err)
		return found[0]["id"].(string)
	}
	call("createTags", api.Params{"resourcetype": "Template", "resourceids": own("listTemplates", api.Params{"templatefilter": "self"}),
		"tags[0].key": "system", "tags[0].value": "debian", "tags[1].key": "team", "tags[1].value": "a"})
	call("createTags", api.Params{"resourcetype": "Zone", "resourceids": zone, "tags[0].key": "region", "tags[0].value": "north"})
	isos, err := items(t, c.Client, described("listIsos"), api.Params{"isofilter": "featured"})
	must(t, err)
	call("createTags", api.Params{"resourcetype": "ISO", "resourceids": isos[0]["id"].(string), "tags[0].key": "system", "tags[0].value": "any"})
	call("deployVirtualMachine", api.Params{"name": "installed", "zoneid": zone, "templateid": isos[0]["id"].(string), "hypervisor": "Simulator",
		"serviceofferingid": string(box.Small), "diskofferingid": string(box.DiskOffering["Small"])})
	must(t, c.DB.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		return alert.Raise(ctx, tx, alert.Host, "a host", "host %s is away", "a host")
	}))
	directories(t, c, string(red.domain))
	keepBusy(t, c, uid.VM(firstID(t, red.user, "listVirtualMachines")))
}

// directories makes a directory known, and another one for a domain ("": none), of which nobody asks more than a connection.
func directories(t *testing.T, c *cloudtest.Cloud, domain string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { must(t, l.Close()) })
	_, port, err := net.SplitHostPort(l.Addr().String())
	must(t, err)
	all := []api.Params{{"hostname": "127.0.0.1", "port": port}}
	if domain != "" {
		all = append(all, api.Params{"hostname": "localhost", "port": port, "domainid": domain})
	}
	for _, params := range all {
		_, err := c.Client.Call(t.Context(), "addLdapConfiguration", params)
		must(t, err)
	}
}

// keepBusy has a job that works until the test's end.
func keepBusy(t *testing.T, c *cloudtest.Cloud, vm uid.VM) {
	t.Helper()
	ctx := auth.With(context.Background(), auth.System())
	must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandReboot, Fault: "not now"}))
	job, err := c.Machines.Reboot(ctx, vm, false)
	must(t, err)
	t.Cleanup(func() {
		must(t, c.World.Script(ctx, hypervisor.Rule{Command: hypervisor.CommandReboot}))
		end(t, c, job)
	})
}

// bases are what makes a list show all there is.
var bases = map[string]api.Params{
	"listTemplates": {"templatefilter": "all"}, "listIsos": {"isofilter": "all"}, "listServiceOfferings": {"state": "all"}, "listDiskOfferings": {"state": "all"},
	"listResourceDetails": {"resourcetype": "UserVm"},
}

// rules are the parameters that are not tried by the field of their own name. "*" is every list.
var rules = map[string]filter{
	"*.page":           {not: "tried by pages"},
	"*.pagesize":       {not: "tried by pages"},
	"*.listall":        {not: "says whose things, which TestMatrix tries"},
	"*.isrecursive":    {not: "says whose things, which TestMatrix tries"},
	"*.showcapacities": {not: "says what is shown of each"},
	"*.details":        {not: "says what is shown of each"},
	"*.account":        {beside: "domainid"},
	"*.ids":            {field: "id"},
	"*.keyword":        {field: "name", loose: true},
	"*.projectid":      {nothing: true},
	"*.tags":           {field: "tags.key"},
	"*.vpcid":          {nothing: true},

	"listProjects.account":                     {not: "shows the projects that the account belongs to, which the story of projects tries"},
	"listProjects.username":                    {not: "as account"},
	"listProjects.tags":                        {nothing: true},
	"listProjectAccounts.projectid":            {},
	"listProjectAccounts.userid":               {nothing: true},
	"listProjectAccounts.projectroleid":        {nothing: true},
	"listProjectAccounts.keyword":              {field: "account", loose: true},
	"listProjectInvitations.projectid":         {},
	"listProjectInvitations.keyword":           {field: "project", loose: true},
	"listProjectInvitations.activeonly":        {not: "chooses by time, which the test of package project tries"},
	"listProjectRoles.projectid":               {},
	"listProjectRoles.projectroleid":           {field: "id"},
	"listProjectRolePermissions.projectid":     {},
	"listProjectRolePermissions.projectroleid": {},
	"listAgentTokens.keyword":                  {field: "hosttags", loose: true},
	"listLdapConfigurations.keyword":           {field: "hostname", loose: true},
	"listResourceLimits.keyword":               {field: "resourcetypename", loose: true},
	"listResourceLimits.id":                    {nothing: true},
	"listResourceLimits.domainid":              {not: "alone it asks for the domain's own limits, which TestLimits tries"},
	"listAsyncJobs.keyword":                    {field: "cmd", loose: true},
	"listAsyncJobs.startdate":                  {value: "2000-01-01", other: "2038-01-01"},
	"listSamlAuthorization.keyword":            {value: "by-saml"},
	"listUsers.keyword":                        {field: "username", loose: true},
	"listUserKeys.keypairid":                   {field: "id"},
	"listUserKeys.apikeyfilter":                {field: "apikey"},
	"listUserKeys.showpermissions":             {not: "says what is shown of each"},
	"listDomainChildren.id":                    {field: "parentdomainid"},
	"listZones.available":                      {not: "chooses the zones where the caller's account has machines"},
	"listClusters.hypervisor":                  {field: "hypervisortype"},
	"listHosts.hahost":                         {nothing: true},
	"listHosts.virtualmachineid":               {from: "listVirtualMachines.id"},
	"listHypervisors.zoneid":                   {from: "listPods.zoneid"},
	"listStoragePools.hostid":                  {from: "listHosts.id"},
	"listStoragePools.status":                  {field: "state"},
	"listCapacity.keyword":                     {field: "name", loose: true},
	"listCapacity.podid":                       {from: "listPods.id"},
	"listCapacity.clusterid":                   {from: "listClusters.id"},
	"listCapacity.sortby":                      {not: "says in which order, and how deep"},
	"listCapacity.fetchlatest":                 {not: "the figures are always the latest"},
	"listServiceOfferings.virtualmachineid":    {from: "listVirtualMachines.id"},
	"listServiceOfferings.zoneid":              {from: "listZones.id", other: "-"},
	"listServiceOfferings.templateid":          {from: "listTemplates.id"},
	"listServiceOfferings.issystem":            {not: "says which of two lists it is"},
	"listServiceOfferings.systemvmtype":        {value: "domainrouter", with: api.Params{"issystem": "true"}},
	"listServiceOfferings.cpunumber":           {loose: true, other: "2000"},
	"listServiceOfferings.cpuspeed":            {loose: true, other: "200000"},
	"listServiceOfferings.memory":              {loose: true, other: "200000000"},
	"listDiskOfferings.zoneid":                 {from: "listZones.id", other: "-"},
	"listNetworkOfferings.zoneid":              {from: "listZones.id", other: "-"},
	"listNetworkOfferings.networkid":           {from: "listNetworks.id"},
	"listNetworkOfferings.sourcenatsupported":  {split: true},
	"listNetworkOfferings.istagged":            {split: true},
	"listNetworkOfferings.tags":                {},
	"listNetworkOfferings.supportedservices":   {field: "service.name"},
	"listVPCOfferings.supportedservices":       {field: "service.name"},
	"listIsos.isofilter":                       {not: "says whose things, which TestMatrix tries"},
	"listIsos.hypervisor":                      {nothing: true},
	"listIsos.imagestoreid":                    {nothing: true},
	"listIsos.oscategoryid":                    {from: "listOsTypes.oscategoryid"},
	"*.showremoved":                            {not: "shows more"},
	"listTemplates.imagestoreid":               {from: "listImageStores.id"},
	"listTemplates.oscategoryid":               {from: "listOsTypes.oscategoryid"},
	"listS3s.keyword":                          {field: "endpoint", loose: true},
	"listOsTypes.keyword":                      {field: "description", loose: true},
	"listImageStores.provider":                 {field: "providername"},
	"listNetworks.supportedservices":           {field: "service.name"},
	"listNetworks.forvpc":                      {split: true},
	"listNetworks.networkfilter":               {not: "says whose things, which TestMatrix tries"},
	"listTrafficTypes.keyword":                 {field: "traffictype", loose: true},
	"listSupportedNetworkServices.provider":    {field: "provider.name"},
	"listSupportedNetworkServices.service":     {field: "name"},
	"listPublicIpAddresses.keyword":            {field: "ipaddress", loose: true},
	"listPublicIpAddresses.allocatedonly":      {not: "shows more"},
	"listPublicIpAddresses.forloadbalancing":   {split: true},
	"listPortForwardingRules.account":          {from: "listVirtualMachines.account", with: api.Params{"domainid": "listVirtualMachines.domainid"}},
	"listPortForwardingRules.domainid":         {from: "listVirtualMachines.domainid"},
	"listPortForwardingRules.keyword":          {value: "tcp"},
	"listIpForwardingRules.account":            {from: "listVirtualMachines.account", with: api.Params{"domainid": "listVirtualMachines.domainid"}},
	"listIpForwardingRules.domainid":           {from: "listVirtualMachines.domainid"},
	"listIpForwardingRules.keyword":            {value: "udp"},
	"listFirewallRules.account":                {from: "listVirtualMachines.account", with: api.Params{"domainid": "listVirtualMachines.domainid"}},
	"listFirewallRules.domainid":               {from: "listVirtualMachines.domainid"},
	"listFirewallRules.keyword":                {field: "protocol", loose: true},
	"listEgressFirewallRules.account":          {from: "listVirtualMachines.account", with: api.Params{"domainid": "listVirtualMachines.domainid"}},
	"listEgressFirewallRules.domainid":         {from: "listVirtualMachines.domainid"},
	"listEgressFirewallRules.keyword":          {field: "protocol", loose: true},
	"listEgressFirewallRules.ipaddressid":      {from: "listPortForwardingRules.ipaddressid"},
	"listLoadBalancerRules.virtualmachineid":   {from: "listPortForwardingRules.virtualmachineid"},
	"listLoadBalancerRuleInstances.id":         {not: "says whose machines"},
	"listLoadBalancerRuleInstances.applied":    {not: "says what is shown, which TestRules tries"},
	"listLoadBalancerRuleInstances.lbvmips":    {not: "says what is shown of each"},
	"listLBStickinessPolicies.id":              {field: "stickinesspolicy.id"},
	"listLBStickinessPolicies.keyword":         {value: "keep"},
	"listLBStickinessPolicies.fordisplay":      {field: "stickinesspolicy.fordisplay"},
	"listRouters.clusterid":                    {from: "listClusters.id"},
	"listRouters.networkid":                    {field: "guestnetworkid"},
	"listRouters.forvpc":                       {split: true},
	"listRouters.version":                      {nothing: true},
	"listRouters.arch":                         {nothing: true},
	"listRouters.fetchhealthcheckresults":      {not: "says what is shown of each"},
	"listPublicIpAddresses.forvirtualnetwork":  {value: "false", other: "-"}, // public ones are shown anyway
	"listVirtualMachines.podid":                {from: "listPods.id"},
	"listVirtualMachines.clusterid":            {from: "listClusters.id"},
	"listVirtualMachines.storageid":            {from: "listStoragePools.id"},
	"listVirtualMachines.networkid":            {field: "nic.networkid"},
	"listVirtualMachines.securitygroupid":      {field: "securitygroup.id"},
	"listSecurityGroups.securitygroupname":     {field: "name"},
	"listSecurityGroups.virtualmachineid":      {field: "virtualmachineids"},
	"listVolumes.hostid":                       {from: "listVirtualMachines.hostid"},
	"findHostsForMigration.virtualmachineid":   {not: "says which machine is to move"},
	"listNics.nicid":                           {field: "id"},
	"listNics.keyword":                         {field: "networkname", loose: true},
	"listNics.fordisplay":                      {value: "true", other: "false"},
	"listVMSnapshot.vmsnapshotid":              {field: "id"},
	"listVMSnapshot.vmsnapshotids":             {field: "id"},
	"listVMSnapshot.name":                      {field: "displayname"},
	"listSnapshots.imagestoreid":               {field: "datastoreid"},
	"listEvents.keyword":                       {field: "description", loose: true},
	"listEvents.startdate":                     {value: "2000-01-01", other: "2038-01-01"},
	"listEvents.enddate":                       {value: "2038-01-01", other: "2000-01-01"},
	"listEvents.startid":                       {from: "listEvents.parentid"},
	"listEvents.archived":                      {nothing: true},
	"listEvents.entrytime":                     {value: "3600", other: "-", with: api.Params{"duration": "0"}},
	"listEvents.duration":                      {value: "0", other: "-", with: api.Params{"entrytime": "3600"}},
	"listVlanIpRanges.account":                 {from: "listVirtualMachines.account", with: api.Params{"domainid": "listVirtualMachines.domainid"}}, // red's
	"listVlanIpRanges.domainid":                {from: "listVirtualMachines.domainid"},
	"listVlanIpRanges.keyword":                 {field: "vlan", loose: true},
	"listPublicIpAddresses.networkid":          {from: "listVlanIpRanges.networkid", with: api.Params{"forvirtualnetwork": "false", "allocatedonly": "false"}},
	"listVirtualRouterElements.keyword":        {value: "VirtualRouter"}, // the provider's name
	"listAsyncJobs.resourceid":                 {field: "jobinstanceid", with: api.Params{"resourcetype": "listAsyncJobs.jobinstancetype"}},
	"listAsyncJobs.resourcetype":               {field: "jobinstancetype", with: api.Params{"resourceid": "listAsyncJobs.jobinstanceid"}},
	"listNetworks.account":                     {beside: "domainid", loose: true}, // with those that are for everybody
	"listNetworks.domainid":                    {loose: true},
	"listConfigurations.imagestoreuuid":        {not: "no setting has values of image stores, so nothing is shown for one, which TestMoreSettingsHaveEffect tries"},
	"listConfigurationGroups.keyword":          {field: "name", loose: true},
	"listConfigurationGroups.group":            {field: "name"},
	"listConfigurations.zoneid":                {from: "listZones.id"}, // whose own values are shown
	"listConfigurations.clusterid":             {from: "listClusters.id"},
	"listConfigurations.storageid":             {from: "listStoragePools.id"},
	"listConfigurations.accountid":             {from: "listAccounts.id"},
	"listConfigurations.domainid":              {from: "listDomains.id"},
	"listResourceDetails.keyword":              {field: "key", loose: true},
	"listResourceDetails.resourcetype":         {not: "says of which things the list is"},
	"listAnnotations.keyword":                  {field: "annotation", loose: true},
	"listAnnotations.entityid":                 {with: api.Params{"entitytype": "listAnnotations.entitytype"}},
	"listAnnotations.annotationfilter":         {not: "says whose annotations, which TestAnnotations tries"},
	"listTags.keyword":                         {field: "key", loose: true},
	"listAlerts.keyword":                       {field: "description", loose: true},
}
