package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/cloudstack-go/v2/cloudstack"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// belongings are what a tenant has, by its ids, as the clients are told them.
type belongings struct {
	Machine string `json:"machine"`
	Volume  string `json:"volume"` // the machine's
	Disk    string `json:"disk"`   // attached to nothing
	Network string `json:"network"`
	KeyPair string `json:"keypair"` // its name
}

// tenancy is what one client is told: who it is, what it has, and what others have, which is no business of its.
type tenancy struct {
	Endpoint  string       `json:"endpoint"`
	APIKey    string       `json:"apikey"`
	SecretKey string       `json:"secretkey"`
	Account   string       `json:"account"`
	Own       belongings   `json:"own"`
	Others    []belongings `json:"others"`

	client *api.Client
}

// Three clients that others have written use one cloud at the same time, each as a tenant of its own: each sees and changes what it has,
// and nothing that the other two have, whose ids it knows.
func TestClientsOfThreeTenants(t *testing.T) {
	t.Parallel()
	p := startDev(t)
	names := []string{"red", "green", "blue"}
	all := map[string]*tenancy{}
	for _, name := range names {
		all[name] = newTenancy(t, p, name)
	}
	for _, name := range names {
		for _, other := range names {
			if other != name {
				all[name].Others = append(all[name].Others, all[other].Own)
			}
		}
	}
	before := snapshots(t, all)
	running := []*script{
		startScript(t, "tenant_cs.py", "python-cs", "cs", all["red"]), startScript(t, "tenant_libcloud.py", "libcloud", "libcloud", all["green"]),
	}
	withApache(t, all["blue"])
	for _, one := range running {
		if err := one.Wait(); err != nil || one.out.String() != "ok\n" {
			t.Errorf("%v: %v, %s", one.Args, err, &one.out)
		}
	}
	after := snapshots(t, all)
	for what, was := range before {
		if after[what] != was {
			t.Errorf("%s: there was\n%s\nand is\n%s", what, was, after[what])
		}
	}
}

// script is a client that is at work.
type script struct {
	*exec.Cmd
	out bytes.Buffer
}

func startScript(t *testing.T, name, capability, module string, as *tenancy) *script {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tenant.json")
	text, err := json.Marshal(as)
	must(t, err)
	must(t, os.WriteFile(file, text, 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	s := &script{Cmd: exec.CommandContext(ctx, python(t, capability, module), filepath.Join("testdata", "clients", name), file)}
	s.Stdout, s.Stderr = &s.out, &s.out
	must(t, s.Start())
	return s
}

func newTenancy(t *testing.T, p *process, name string) *tenancy {
	t.Helper()
	ctx, root := context.Background(), p.client()
	domain, err := api.Do(ctx, root, cs.CreateDomain, cs.CreateDomainIn{Name: name})
	must(t, err)
	made, err := api.Do(ctx, root, cs.CreateAccount, cs.CreateAccountIn{
		Username: name, Password: "secret-42", FirstName: "a", LastName: "b", Email: "a@example.org", DomainID: domain.ID, AccountType: new(0),
	})
	must(t, err)
	keys, err := api.Do(ctx, root, cs.RegisterUserKeys, cs.RegisterUserKeysIn{ID: made.Users[0].ID})
	must(t, err)
	c := p.client()
	c.APIKey, c.SecretKey = keys.APIKey, keys.SecretKey
	tn := &tenancy{Endpoint: c.Endpoint, APIKey: c.APIKey, SecretKey: c.SecretKey, Account: name, client: c}

	wish := wanted(t, c)
	wish.Name = name + "-machine"
	vm, err := api.Run(ctx, c, cs.DeployVirtualMachine, wish)
	must(t, err)
	disks, err := api.Fetch(ctx, c, cs.ListDiskOfferings, cs.ListDiskOfferingsIn{Name: "Small"})
	must(t, err)
	disk, err := api.Run(ctx, c, cs.CreateVolume, cs.CreateVolumeIn{Name: name + "-disk", DiskOfferingID: disks.Items[0].ID, ZoneID: wish.ZoneID})
	must(t, err)
	_, err = api.Run(ctx, c, cs.AttachVolume, cs.AttachVolumeIn{ID: disk.ID, VMID: vm.ID}) // as the clients will: it is made then
	must(t, err)
	_, err = api.Run(ctx, c, cs.DetachVolume, cs.DetachVolumeIn{ID: disk.ID})
	must(t, err)
	roots, err := api.Fetch(ctx, c, cs.ListVolumes, cs.ListVolumesIn{VMID: vm.ID})
	must(t, err)
	_, err = api.Do(ctx, c, cs.CreateSSHKeyPair, cs.CreateSSHKeyPairIn{Name: name + "-keys"})
	must(t, err)
	tn.Own = belongings{
		Machine: string(vm.ID), Volume: string(roots.Items[0].ID), Disk: string(disk.ID), Network: string(wish.NetworkIDs[0]), KeyPair: name + "-keys",
	}
	return tn
}

// snapshots are what the tenants have, as they see it themselves.
func snapshots(t *testing.T, all map[string]*tenancy) map[string]string {
	t.Helper()
	out := map[string]string{}
	for name, one := range all {
		for _, command := range []string{"listVirtualMachines", "listVolumes", "listNetworks", "listSSHKeyPairs", "listTags"} {
			params := api.Params{"listall": "true"}
			if command == "listVirtualMachines" {
				params["details"] = "group,nics,secgrp,tmpl,servoff,diskoff,iso,volume,affgrp" // all but what it uses, which is never the same
			}
			raw, err := one.client.Call(context.Background(), command, params)
			must(t, err)
			out[command+" of "+name] = string(raw)
		}
	}
	return out
}

// withApache is what the two scripts do, by Apache's library for Go.
func withApache(t *testing.T, me *tenancy) {
	s := cloudstack.NewAsyncClient(me.Endpoint, me.APIKey, me.SecretKey, false,
		cloudstack.WithHTTPClient(&http.Client{Timeout: time.Minute}), cloudstack.WithAsyncTimeout(120))
	for range 3 {
		machines := s.VirtualMachine.NewListVirtualMachinesParams()
		machines.SetListall(true)
		vms, err := s.VirtualMachine.ListVirtualMachines(machines)
		must(t, err)
		volumes := s.Volume.NewListVolumesParams()
		volumes.SetListall(true)
		disks, err := s.Volume.ListVolumes(volumes)
		must(t, err)
		networks := s.Network.NewListNetworksParams()
		networks.SetListall(true)
		nets, err := s.Network.ListNetworks(networks)
		must(t, err)
		pairs := s.SSH.NewListSSHKeyPairsParams()
		pairs.SetListall(true)
		keys, err := s.SSH.ListSSHKeyPairs(pairs)
		must(t, err)
		var got []string
		for _, vm := range vms.VirtualMachines {
			got = append(got, vm.Id)
		}
		for _, v := range disks.Volumes {
			got = append(got, v.Id)
		}
		for _, n := range nets.Networks {
			got = append(got, n.Id)
		}
		for _, k := range keys.SSHKeyPairs {
			got = append(got, k.Name)
		}
		want := []string{me.Own.Machine, me.Own.Volume, me.Own.Disk, me.Own.Network, me.Own.KeyPair}
		slices.Sort(got)
		if slices.Sort(want); !slices.Equal(got, want) {
			t.Errorf("listed %v, want %v", got, want)
		}
		for _, other := range me.Others {
			apacheMeets(t, s, me, other)
		}
	}
	attach := s.Volume.NewAttachVolumeParams(me.Own.Disk, me.Own.Machine)
	if v, err := s.Volume.AttachVolume(attach); err != nil || v.Virtualmachineid != me.Own.Machine {
		t.Errorf("attached the own disk: %+v, %v", v, err)
	}
	detach := s.Volume.NewDetachVolumeParams()
	detach.SetId(me.Own.Disk)
	_, err := s.Volume.DetachVolume(detach)
	must(t, err)
}

// apacheMeets tries to see and to change what somebody else has.
func apacheMeets(t *testing.T, s *cloudstack.CloudStackClient, me *tenancy, other belongings) {
	t.Helper()
	if vm, n, err := s.VirtualMachine.GetVirtualMachineByID(other.Machine); err == nil || n > 0 {
		t.Errorf("sees another's machine: %+v", vm)
	}
	if v, n, err := s.Volume.GetVolumeByID(other.Disk); err == nil || n > 0 {
		t.Errorf("sees another's volume: %+v", v)
	}
	tag := s.Resourcetags.NewCreateTagsParams([]string{other.Machine}, "UserVm", map[string]string{"a": "b"})
	for what, err := range map[string]error{
		"stop":             second(s.VirtualMachine.StopVirtualMachine(s.VirtualMachine.NewStopVirtualMachineParams(other.Machine))),
		"destroy":          second(s.VirtualMachine.DestroyVirtualMachine(s.VirtualMachine.NewDestroyVirtualMachineParams(other.Machine))),
		"attach a disk to": second(s.Volume.AttachVolume(s.Volume.NewAttachVolumeParams(me.Own.Disk, other.Machine))),
		"attach the disk":  second(s.Volume.AttachVolume(s.Volume.NewAttachVolumeParams(other.Disk, me.Own.Machine))),
		"delete the disk":  second(s.Volume.DeleteVolume(s.Volume.NewDeleteVolumeParams(other.Disk))),
		"delete network":   second(s.Network.DeleteNetwork(s.Network.NewDeleteNetworkParams(other.Network))),
		"delete key pair":  second(s.SSH.DeleteSSHKeyPair(s.SSH.NewDeleteSSHKeyPairParams(other.KeyPair))),
		"tag":              second(s.Resourcetags.CreateTags(tag)),
	} {
		if err == nil || !strings.HasPrefix(err.Error(), "CloudStack API error 431 ") && !strings.HasPrefix(err.Error(), "CloudStack API error 531 ") {
			t.Errorf("%s of somebody else: %v, want the error 431 or 531", what, err)
		}
	}
}

func second[T any](_ T, err error) error { return err }
