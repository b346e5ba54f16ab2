package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/uid"
)

// Clients that we have not written, or that use nothing of ours, against the program as users run it.

// Those that only use things of their own share a cloud, and use it at the same time.
func TestClients(t *testing.T) {
	t.Parallel()
	p := startDev(t)
	for _, client := range []struct {
		script, capability, module string // the module is one that Python itself doesn't have
		alone                      bool
	}{
		{script: "recipe.py", capability: "python"},
		{script: "with_cs.py", capability: "python-cs", module: "cs"},
		{script: "with_libcloud.py", capability: "libcloud", module: "libcloud", alone: true}, // its machines go into any network that is there
	} {
		t.Run(client.script, func(t *testing.T) {
			t.Parallel()
			path, p := python(t, client.capability, client.module), p
			if client.alone {
				p = startDev(t)
			}
			if out := runScript(t, path, client.script, p.Keys); out != "ok\n" {
				t.Errorf("it says %q, want ok", out)
			}
		})
	}
	t.Run("curl.sh", func(t *testing.T) {
		t.Parallel()
		needs(t, "curl", "bash", "curl", "openssl")
		c := p.Creds
		out := runScript(t, "bash", "curl.sh", c.Endpoint, c.Username, c.Password, c.APIKey, c.SecretKey)
		if !strings.HasPrefix(out, "zone ") {
			t.Errorf("it says %q, want the zone it has found", out)
		}
	})
}

// python finds a Python that has a module: the first on the path may be another than the system's, which packages are for.
func python(t *testing.T, capability, module string) string {
	t.Helper()
	needs(t, capability, "python3")
	for _, path := range []string{"python3", "/usr/bin/python3"} {
		if module == "" || exec.Command(path, "-c", "import "+module).Run() == nil {
			return path
		}
	}
	missing(t, capability, "Python module "+module)
	return ""
}

// needs skips the test where a program is missing, unless VIRGA_REQUIRE asks for the capability.
func needs(t testing.TB, capability string, programs ...string) {
	t.Helper()
	for _, name := range programs {
		if _, err := exec.LookPath(name); err != nil {
			missing(t, capability, name)
		}
	}
}

func missing(t testing.TB, capability, what string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("VIRGA_REQUIRE"), ","), capability) {
		t.Fatalf("VIRGA_REQUIRE asks for %s, but there is no %s", capability, what)
	}
	t.Skipf("needs %s", what)
}

// runScript runs one of testdata/clients and gives what it says.
func runScript(t *testing.T, interpreter, script string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, interpreter, append([]string{filepath.Join("testdata", "clients", script)}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, &stderr)
	}
	return string(out)
}

// The typed client leads a machine through its life.
func TestClientGo(t *testing.T) {
	t.Parallel()
	p := startDev(t)
	c, ctx := p.client(), context.Background()
	wish := wanted(t, c)
	var ids []uid.VM
	for n := range 5 {
		wish.Name = fmt.Sprintf("vm-%d", n)
		vm, err := api.Run(ctx, c, cs.DeployVirtualMachine, wish)
		must(t, err)
		if vm.State != "Running" || vm.Name != wish.Name || len(vm.NICs) != 1 || vm.NICs[0].IPAddress == "" {
			t.Fatalf("deployed %+v, want it running, with that name and an address", vm)
		}
		ids = append(ids, vm.ID)
	}

	var listed []uid.VM
	in := cs.ListVirtualMachinesIn{Paging: api.Paging{PageSize: 2}}
	for vm, err := range api.All(ctx, c, cs.ListVirtualMachines, in) {
		must(t, err)
		listed = append(listed, vm.ID)
	}
	if slices.Sort(listed); !slices.Equal(listed, slices.Sorted(slices.Values(ids))) {
		t.Errorf("listed page by page %v, want %v", listed, ids)
	}
	page, err := api.Fetch(ctx, c, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{Paging: api.Paging{Page: 3, PageSize: 2}})
	if must(t, err); page.Count != 5 || len(page.Items) != 1 {
		t.Errorf("the third page has %d of %d, want 1 of 5", len(page.Items), page.Count)
	}

	id := ids[0]
	for _, step := range []struct {
		what string
		run  func() (cs.VirtualMachine, error)
		want string
	}{
		{"stop", func() (cs.VirtualMachine, error) {
			return api.Run(ctx, c, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: id})
		}, "Stopped"},
		{"start", func() (cs.VirtualMachine, error) {
			return api.Run(ctx, c, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: id})
		}, "Running"},
		{"reboot", func() (cs.VirtualMachine, error) {
			return api.Run(ctx, c, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: id})
		}, "Running"},
		{"destroy", func() (cs.VirtualMachine, error) {
			return api.Run(ctx, c, cs.DestroyVirtualMachine, cs.DestroyVirtualMachineIn{ID: id})
		}, "Destroyed"},
	} {
		vm, err := step.run()
		if must(t, err); vm.ID != id || vm.State != step.want {
			t.Errorf("%s gives %s %s, want %s %s", step.what, vm.ID, vm.State, id, step.want)
		}
	}
	_, err = api.Run(ctx, c, cs.StartVirtualMachine, cs.StartVirtualMachineIn{ID: id})
	if remote, ok := errors.AsType[*api.RemoteError](err); !ok || remote.Text == "" {
		t.Errorf("starting a destroyed machine gives %v, want an error of the server", err)
	}
	done, err := api.Run(ctx, c, cs.ExpungeVirtualMachine, cs.ExpungeVirtualMachineIn{ID: id})
	if must(t, err); !done.Success {
		t.Error("expunge gives no success")
	}
	_, err = api.Do(ctx, c, cs.QueryAsyncJobResult, cs.QueryAsyncJobResultIn{JobID: uid.New[uid.Op]()})
	if remote, ok := errors.AsType[*api.RemoteError](err); !ok || remote.HTTPStatus != 431 {
		t.Errorf("a job that never was gives %v, want status 431", err)
	}
}

// Apache's own library for Go, which many tools are made with, decodes every field by its type.
func TestClientCloudstackGo(t *testing.T) {
	t.Parallel()
	p := startDev(t)
	p.until("what hosts use", func() bool { // it is seen from time to time, and in what spy looks at from then on
		hosts, err := api.Fetch(t.Context(), p.client(), cs.ListHosts, cs.ListHostsIn{})
		must(t, err)
		return !slices.ContainsFunc(hosts.Items, func(h cs.Host) bool { return h.AverageLoad == nil })
	})
	spy := &spy{t: t}
	connect := func(t *testing.T) apache {
		return apache{t, p.Creds.Endpoint, cloudstack.NewAsyncClient(p.Creds.Endpoint, p.Creds.APIKey, p.Creds.SecretKey, false,
			cloudstack.WithHTTPClient(&http.Client{Transport: spy, Timeout: time.Minute}), cloudstack.WithAsyncTimeout(120))}
	}
	t.Run("life", func(t *testing.T) { // the library waits for seconds between two looks at a job
		for _, getOnly := range []bool{false, true} {
			t.Run(fmt.Sprintf("get=%v", getOnly), func(t *testing.T) {
				t.Parallel()
				s := connect(t)
				s.HTTPGETOnly = getOnly
				vm := s.deploy(fmt.Sprintf("web-%v", getOnly))
				s.lists(vm)
				s.life(vm.Id)
				s.errors(vm.Id)
			})
		}
	})
	s := connect(t)
	vm := s.deploy("slow")
	s.work(vm.Id, p.client())
	s.roles()
	s.end(vm)
	spy.check()
}

type apache struct {
	t        *testing.T
	endpoint string
	*cloudstack.CloudStackClient
}

func (s apache) deploy(name string) *cloudstack.VirtualMachine {
	t := s.t
	zones, err := s.Zone.ListZones(s.Zone.NewListZonesParams())
	must(t, err)
	zone, _, err := s.Zone.GetZoneByName(zones.Zones[0].Name)
	must(t, err)
	offering, _, err := s.ServiceOffering.GetServiceOfferingByName("Small Instance")
	must(t, err)
	featured := s.Template.NewListTemplatesParams("featured")
	templates, err := s.Template.ListTemplates(featured)
	must(t, err)
	template, _, err := s.Template.GetTemplateID(templates.Templates[0].Name, "featured", zone.Id)
	must(t, err)
	if template != templates.Templates[0].Id {
		t.Errorf("the template %q is %s by name and %s in the list", templates.Templates[0].Name, template, templates.Templates[0].Id)
	}
	_, _, err = s.Template.GetTemplateByID(template, "executable")
	must(t, err)
	kinds := s.NetworkOffering.NewListNetworkOfferingsParams()
	kinds.SetGuestiptype("Isolated")
	kinds.SetState("Enabled")
	offerings, err := s.NetworkOffering.ListNetworkOfferings(kinds)
	must(t, err)
	wish := s.Network.NewCreateNetworkParams("net of "+name, offerings.NetworkOfferings[0].Id, zone.Id)
	wish.SetDisplaytext("a~b*c [d] (e) ü")
	wish.SetGateway("10.20.0.1")
	wish.SetNetmask("255.255.255.0")
	made, err := s.Network.CreateNetwork(wish)
	must(t, err)
	network, _, err := s.Network.GetNetworkByName("net of " + name)
	if must(t, err); network.Id != made.Id || network.Displaytext != "a~b*c [d] (e) ü" || network.Gateway != "10.20.0.1" {
		t.Errorf("created the network %+v", network)
	}

	deploy := s.VirtualMachine.NewDeployVirtualMachineParams(offering.Id, template, zone.Id)
	deploy.SetName(name)
	deploy.SetDisplayname("a~b*c [d] (e) ü")
	deploy.SetNetworkids([]string{made.Id})
	deploy.SetUserdata("I2Nsb3VkLWNvbmZpZwo=")
	deploy.SetDetails(map[string]string{"a": "b"})
	got, err := s.VirtualMachine.DeployVirtualMachine(deploy)
	must(t, err)
	vm, n, err := s.VirtualMachine.GetVirtualMachineByID(got.Id)
	must(t, err)
	if n != 1 || vm.Name != name || vm.State != "Running" || vm.Displayname != "a~b*c [d] (e) ü" || got.State != "Running" {
		t.Errorf("deployed %+v, got %+v", got, vm)
	}
	if len(vm.Nic) != 1 || vm.Nic[0].Networkid != made.Id || !strings.HasPrefix(vm.Nic[0].Ipaddress, "10.20.0.") || !vm.Nic[0].Isdefault {
		t.Errorf("the machine's NICs are %+v", vm.Nic)
	}
	if vm.Cpunumber != offering.Cpunumber || vm.Memory != offering.Memory || vm.Hostname == "" || vm.Templateid != template {
		t.Errorf("the machine is %+v, its offering %+v", vm, offering)
	}
	if _, err := time.Parse("2006-01-02T15:04:05-0700", vm.Created); err != nil {
		t.Errorf("created: %v", err)
	}
	return vm
}

// lists asks for everything that can be listed, as a table where nothing but the type of an answer is looked at.
func (s apache) lists(vm *cloudstack.VirtualMachine) {
	t := s.t
	volumes := s.Volume.NewListVolumesParams()
	volumes.SetVirtualmachineid(vm.Id)
	got, err := s.Volume.ListVolumes(volumes)
	if must(t, err); got.Count != 1 || got.Volumes[0].Type != "ROOT" || got.Volumes[0].Size <= 0 || got.Volumes[0].Vmname != vm.Name {
		t.Errorf("the machine's volumes are %+v", got)
	}
	events := s.Event.NewListEventsParams()
	events.SetType("VM.CREATE")
	history, err := s.Event.ListEvents(events)
	if must(t, err); history.Count == 0 || history.Events[0].Account != "admin" {
		t.Errorf("the deployment's events are %+v", history)
	}
	pages := s.VirtualMachine.NewListVirtualMachinesParams()
	pages.SetListall(true)
	pages.SetPage(1)
	pages.SetPagesize(1)
	machines, err := s.VirtualMachine.ListVirtualMachines(pages)
	if must(t, err); len(machines.VirtualMachines) != 1 || machines.Count < 1 {
		t.Errorf("a page of one machine has %d of %d", len(machines.VirtualMachines), machines.Count)
	}
	pages.SetPage(1000)
	machines, err = s.VirtualMachine.ListVirtualMachines(pages)
	if must(t, err); len(machines.VirtualMachines) != 0 {
		t.Errorf("a page far beyond the end has %d machines", len(machines.VirtualMachines))
	}
	account, _, err := s.Account.GetAccountByName("admin")
	if must(t, err); account.Accounttype != 1 || account.Vmtotal < 1 || len(account.User) != 1 {
		t.Errorf("the account is %+v", account)
	}
	user, _, err := s.User.GetUserByID(account.User[0].Id)
	if must(t, err); user.Username != "admin" || user.Accountid != account.Id {
		t.Errorf("the user is %+v", user)
	}
	keys, err := s.User.GetUserKeys(s.User.NewGetUserKeysParams(user.Id))
	if must(t, err); keys.Apikey == "" || keys.Secretkey == "" {
		t.Error("the user has no keys")
	}
	domain, _, err := s.Domain.GetDomainByName("ROOT")
	if must(t, err); domain.Id != vm.Domainid {
		t.Errorf("ROOT is %s, but the machine's domain %s", domain.Id, vm.Domainid)
	}
	host, _, err := s.Host.GetHostByID(vm.Hostid)
	if must(t, err); host.Name != vm.Hostname || host.State != "Up" || host.Memorytotal <= 0 {
		t.Errorf("the machine's host is %+v", host)
	}
	cluster, _, err := s.Cluster.GetClusterByID(host.Clusterid)
	if must(t, err); cluster.Name != host.Clustername {
		t.Errorf("the host's cluster is %+v", cluster)
	}
	pod, _, err := s.Pod.GetPodByID(host.Podid)
	if must(t, err); pod.Name != host.Podname {
		t.Errorf("the host's pod is %+v", pod)
	}
	osTypes, err := s.GuestOS.ListOsTypes(s.GuestOS.NewListOsTypesParams())
	must(t, err)
	disks, err := s.DiskOffering.ListDiskOfferings(s.DiskOffering.NewListDiskOfferingsParams())
	must(t, err)
	hypervisors, err := s.Hypervisor.ListHypervisors(s.Hypervisor.NewListHypervisorsParams())
	must(t, err)
	commands, err := s.APIDiscovery.ListApis(s.APIDiscovery.NewListApisParams())
	must(t, err)
	if len(osTypes.OsTypes) == 0 || len(disks.DiskOfferings) == 0 || len(hypervisors.Hypervisors) == 0 || len(commands.Apis) == 0 {
		t.Errorf("listed %d OS types, %d disk offerings, %d hypervisors, %d commands, want some of each",
			len(osTypes.OsTypes), len(disks.DiskOfferings), len(hypervisors.Hypervisors), len(commands.Apis))
	}
	able, err := s.Configuration.ListCapabilities(s.Configuration.NewListCapabilitiesParams())
	if must(t, err); able.Capabilities.Cloudstackversion == "" {
		t.Errorf("the cloud's capabilities are %+v", able.Capabilities)
	}
	_, err = s.Asyncjob.ListAsyncJobs(s.Asyncjob.NewListAsyncJobsParams())
	must(t, err)
}

func (s apache) life(id string) {
	t, vms := s.t, s.VirtualMachine
	stopped, err := vms.StopVirtualMachine(vms.NewStopVirtualMachineParams(id))
	if must(t, err); stopped.State != "Stopped" || stopped.Id != id {
		t.Errorf("stop gives %+v", stopped)
	}
	job, err := s.Asyncjob.QueryAsyncJobResult(s.Asyncjob.NewQueryAsyncJobResultParams(stopped.JobID))
	if must(t, err); job.Jobstatus != 1 || job.Jobresulttype != "object" || job.Jobinstanceid != id || job.Cmd != "stopVirtualMachine" {
		job.Jobresult = nil
		t.Errorf("the job of stopVirtualMachine on %s is %+v", id, job)
	}
	started, err := vms.StartVirtualMachine(vms.NewStartVirtualMachineParams(id))
	if must(t, err); started.State != "Running" {
		t.Errorf("start gives %+v", started)
	}
	rebooted, err := vms.RebootVirtualMachine(vms.NewRebootVirtualMachineParams(id))
	if must(t, err); rebooted.State != "Running" {
		t.Errorf("reboot gives %+v", rebooted)
	}
	destroy := vms.NewDestroyVirtualMachineParams(id)
	destroy.SetExpunge(true)
	_, err = vms.DestroyVirtualMachine(destroy)
	must(t, err)
	if _, n, err := vms.GetVirtualMachineByID(id); err == nil || n != 0 || !strings.Contains(err.Error(), "No match found") {
		t.Errorf("an expunged machine: %d, %v", n, err)
	}
}

// errors are what the library makes of a refusal; tools look for its codes and words.
func (s apache) errors(gone string) {
	vms := s.VirtualMachine
	_, err := vms.StartVirtualMachine(vms.NewStartVirtualMachineParams(gone))
	if err == nil || !strings.HasPrefix(err.Error(), "CloudStack API error 431 (CSExceptionErrorCode: 4350)") {
		s.t.Errorf("start of an expunged machine: %v, want the error 431 with 4350", err)
	}
	_, err = s.VPN.ListVpnUsers(s.VPN.NewListVpnUsersParams())
	if err == nil || !strings.HasPrefix(err.Error(), "CloudStack API error 432 ") {
		s.t.Errorf("an unknown command: %v, want the error 432", err)
	}
	wrong := cloudstack.NewClient(s.endpoint, "nobody", "wrong", false)
	if _, err := wrong.Zone.ListZones(wrong.Zone.NewListZonesParams()); err == nil || !strings.HasPrefix(err.Error(), "CloudStack API error 401 ") {
		s.t.Errorf("wrong keys: %v, want the error 401", err)
	}
}

// work looks at jobs while they are at work, and at one that fails.
func (s apache) work(id string, c *api.Client) {
	t, vms := s.t, s.VirtualMachine
	behave := func(in cs.ConfigureSimulatorIn) {
		_, err := api.Do(context.Background(), c, cs.ConfigureSimulator, in)
		must(t, err)
	}
	behave(cs.ConfigureSimulatorIn{Name: "StopCommand", Value: "wait:8000", Count: 1}) // two looks take a moment, on a busy machine seconds
	impatient := cloudstack.NewClient(s.endpoint, c.APIKey, c.SecretKey, false).VirtualMachine
	begun, err := impatient.StopVirtualMachine(impatient.NewStopVirtualMachineParams(id))
	must(t, err)
	jobs, err := s.Asyncjob.ListAsyncJobs(s.Asyncjob.NewListAsyncJobsParams())
	must(t, err)
	if len(jobs.AsyncJobs) != 1 || jobs.AsyncJobs[0].JobID != begun.JobID || jobs.AsyncJobs[0].Jobstatus != 0 || jobs.AsyncJobs[0].Created == "" {
		t.Errorf("jobs at work: %+v, want %s", jobs.AsyncJobs, begun.JobID)
	}
	busy, _, err := vms.GetVirtualMachineByID(id)
	if must(t, err); busy.State != "Stopping" || busy.JobID != begun.JobID {
		t.Errorf("the machine is %s by the job %q, want Stopping by %s", busy.State, busy.JobID, begun.JobID)
	}
	_, err = s.GetAsyncJobResult(begun.JobID, 120)
	must(t, err)

	behave(cs.ConfigureSimulatorIn{Name: "StartCommand", Value: "conflict:no", Count: 1})
	_, err = vms.StartVirtualMachine(vms.NewStartVirtualMachineParams(id))
	if err == nil {
		t.Fatal("a machine starts on hosts that refuse")
	}
	text, found := strings.CutPrefix(err.Error(), "Undefined error: ") // what the library says of every job that fails
	var failure cloudstack.CSError
	if err := json.Unmarshal([]byte(text), &failure); !found || err != nil || failure.ErrorCode < 400 || failure.ErrorText == "" {
		t.Errorf("a job that fails gives %q, %+v, want an error's code and text", text, failure)
	}
}

// end removes everything, and takes the keys away from who has had them.
func (s apache) end(vm *cloudstack.VirtualMachine) {
	t, vms := s.t, s.VirtualMachine
	gone, err := vms.DestroyVirtualMachine(vms.NewDestroyVirtualMachineParams(vm.Id))
	if must(t, err); gone.State != "Destroyed" {
		t.Errorf("destroy gives %+v", gone)
	}
	expunged, err := vms.ExpungeVirtualMachine(vms.NewExpungeVirtualMachineParams(vm.Id))
	if must(t, err); !expunged.Success {
		t.Errorf("expunge gives %+v", expunged)
	}
	deleted, err := s.Network.DeleteNetwork(s.Network.NewDeleteNetworkParams(vm.Nic[0].Networkid))
	if must(t, err); !deleted.Success {
		t.Errorf("delete of the network gives %+v", deleted)
	}
	keys, err := s.User.RegisterUserKeys(s.User.NewRegisterUserKeysParams(vm.Userid))
	must(t, err)
	if _, err := s.Zone.ListZones(s.Zone.NewListZonesParams()); err == nil || !strings.HasPrefix(err.Error(), "CloudStack API error 401 ") {
		t.Errorf("the old keys: %v, want the error 401", err)
	}
	fresh := cloudstack.NewClient(s.endpoint, keys.Apikey, keys.Secretkey, false)
	if _, err := fresh.Zone.ListZones(fresh.Zone.NewListZonesParams()); err != nil {
		t.Errorf("the new keys: %v", err)
	}
	login := fresh.Authentication.NewLoginParams("password", "admin")
	session, err := fresh.Authentication.Login(login)
	if must(t, err); session.Sessionkey == "" || session.Userid != vm.Userid || session.Timeout <= 0 {
		t.Errorf("login gives %+v", session)
	}
}

// answers are what the library decodes the answers of commands into. What stands in an object of its own has the object's
// name beside the command's.
var answers = map[string]any{
	"listZones":                     cloudstack.ListZonesResponse{},
	"listPods":                      cloudstack.ListPodsResponse{},
	"listClusters":                  cloudstack.ListClustersResponse{},
	"listHosts":                     cloudstack.ListHostsResponse{},
	"listDomains":                   cloudstack.ListDomainsResponse{},
	"listAccounts":                  cloudstack.ListAccountsResponse{},
	"listUsers":                     cloudstack.ListUsersResponse{},
	"listEvents":                    cloudstack.ListEventsResponse{},
	"listRoles":                     cloudstack.ListRolesResponse{},
	"listRolePermissions":           cloudstack.ListRolePermissionsResponse{},
	"listVolumes":                   cloudstack.ListVolumesResponse{},
	"listOsTypes":                   cloudstack.ListOsTypesResponse{},
	"listTemplates":                 cloudstack.ListTemplatesResponse{},
	"listNetworks":                  cloudstack.ListNetworksResponse{},
	"listNetworkOfferings":          cloudstack.ListNetworkOfferingsResponse{},
	"listServiceOfferings":          cloudstack.ListServiceOfferingsResponse{},
	"listDiskOfferings":             cloudstack.ListDiskOfferingsResponse{},
	"listHypervisors":               cloudstack.ListHypervisorsResponse{},
	"listVirtualMachines":           cloudstack.ListVirtualMachinesResponse{},
	"listAsyncJobs":                 cloudstack.ListAsyncJobsResponse{},
	"listApis":                      cloudstack.ListApisResponse{},
	"listCapabilities":              cloudstack.ListCapabilitiesResponse{},
	"queryAsyncJobResult":           cloudstack.QueryAsyncJobResultResponse{},
	"createNetwork network":         cloudstack.CreateNetworkResponse{},
	"getUserKeys userkeys":          cloudstack.GetUserKeysResponse{},
	"deployVirtualMachine":          cloudstack.DeployVirtualMachineResponse{},
	"startVirtualMachine":           cloudstack.StartVirtualMachineResponse{},
	"stopVirtualMachine":            cloudstack.StopVirtualMachineResponse{},
	"rebootVirtualMachine":          cloudstack.RebootVirtualMachineResponse{},
	"destroyVirtualMachine":         cloudstack.DestroyVirtualMachineResponse{},
	"expungeVirtualMachine":         cloudstack.ExpungeVirtualMachineResponse{},
	"deleteNetwork":                 cloudstack.DeleteNetworkResponse{},
	"registerUserKeys userkeys":     cloudstack.RegisterUserKeysResponse{},
	"queryAsyncJobResult jobresult": cloudstack.VirtualMachine{},
}

// ownFields are those that only this cloud has, and those of 4.23, which is newer than the library.
var ownFields = func() map[string]bool {
	own := map[string]bool{
		"queryAsyncJobResult.jobstate": true, "queryAsyncJobResult.jobstep": true,
		"listAsyncJobs.asyncjobs.jobstate": true, "listAsyncJobs.asyncjobs.jobstep": true,
		"listHosts.host.averageload": true, // 4.1's; the library has cpuloadaverage, which is there, too
	}
	for field := range strings.FieldsSeq(`accountid accountname accounttype created domain domainid domainpath id roleid rolename roletype
		state userid username`) {
		own["getUserKeys."+field], own["registerUserKeys."+field] = true, true
	}
	return own
}()

// spy keeps what the server answers, to see what the library has overlooked in it: a field that it doesn't know is one that
// we have named wrongly, or that CloudStack doesn't have.
type spy struct {
	t    *testing.T
	mu   sync.Mutex
	seen map[string][]any // by command
}

// RoundTrip implements http.RoundTripper.
func (s *spy) RoundTrip(r *http.Request) (*http.Response, error) {
	params := r.URL.Query()
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(body)
		if err != nil {
			return nil, err
		}
		if params, err = url.ParseQuery(string(text)); err != nil {
			return nil, err
		}
	}
	res, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	res.Body = io.NopCloser(bytes.NewReader(text))
	var envelope map[string]any
	if err := errors.Join(err, json.Unmarshal(text, &envelope)); err != nil {
		return res, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil {
		s.seen = map[string][]any{}
	}
	for _, inner := range envelope {
		s.seen[params.Get("command")] = append(s.seen[params.Get("command")], inner)
	}
	return res, nil
}

func (s *spy) check() {
	unknown := map[string]bool{}
	for what, into := range answers {
		command, object, inside := strings.Cut(what, " ")
		if len(s.seen[command]) == 0 {
			s.t.Errorf("%s was never asked", command)
		}
		for _, answer := range s.seen[command] {
			if inside {
				answer = answer.(map[string]any)[object]
			}
			if object == "jobresult" && answer != nil {
				answer = answer.(map[string]any)["virtualmachine"]
			}
			strangers(command, answer, reflect.TypeOf(into), unknown)
		}
	}
	if !maps.Equal(unknown, ownFields) {
		s.t.Errorf("fields that the library doesn't know: %v, want %v", slices.Sorted(maps.Keys(unknown)), slices.Sorted(maps.Keys(ownFields)))
	}
}

// strangers finds the fields of an answer that the type it is decoded into hasn't.
func strangers(path string, answer any, into reflect.Type, found map[string]bool) {
	for into.Kind() == reflect.Pointer {
		into = into.Elem()
	}
	switch answer := answer.(type) {
	case []any:
		for _, element := range answer {
			strangers(path, element, into.Elem(), found)
		}
	case map[string]any:
		if into.Kind() != reflect.Struct {
			return
		}
		known := map[string]reflect.Type{}
		for field := range into.Fields() {
			known[field.Tag.Get("json")] = field.Type
		}
		for name, value := range answer {
			if inner, ok := known[name]; ok {
				strangers(path+"."+name, value, inner, found)
			} else {
				found[path+"."+name] = true
			}
		}
	}
}
