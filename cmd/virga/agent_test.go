package main_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/porttest"
	"github.com/virga-cloud/virga/uid"
)

// A host joins by its agent, runs a machine, and is found again when its agent or its server comes back; when it is deleted it is out.
func TestAgent(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	data, at := filepath.Join(t.TempDir(), "cloud"), porttest.Free(t)
	p := startDev(t, "--data", data, "--agents", at, "--hosts", "1")
	c := p.client()
	zones, err := api.Fetch(ctx, c, cs.ListZones, cs.ListZonesIn{})
	must(t, err)
	pods, err := api.Fetch(ctx, c, cs.ListPods, cs.ListPodsIn{})
	must(t, err)
	zone, pod := zones.Items[0].ID, pods.Items[0].ID
	clusters, err := api.Fetch(ctx, c, cs.AddCluster, cs.AddClusterIn{Name: "real", Type: "CloudManaged", Hypervisor: "KVM", PodID: pod, ZoneID: zone})
	must(t, err)
	cluster := clusters.Items[0].ID
	token, err := api.Do(ctx, c, cs.CreateAgentToken, cs.CreateAgentTokenIn{ClusterID: cluster, HostTags: []string{"fast"}})
	must(t, err)
	if want := "virga agent --server " + at + " --data /var/lib/virga --token " + token.Token; token.Command != want {
		t.Errorf("the command is %q, want %q", token.Command, want)
	}
	home := filepath.Join(t.TempDir(), "host")
	agent := func(args ...string) *process {
		return launch(t, append([]string{"agent", "--server", at, "--data", home, "--name", "kvm1", "--listen", "127.0.0.9", "--hosts", "sim"}, args...)...)
	}
	a := agent("--token", token.Token)
	awaitHost(t, a, c, "kvm1", "Up")
	a.until("the host's agent to be known", func() bool { return strings.Contains(a.out.String(), "in the service of") })
	host := awaitHost(t, a, c, "kvm1", "Up")
	if host.ClusterID != cluster || host.Tags != "fast" || host.Version == "" || host.IPAddress != "127.0.0.9" || host.Hypervisor != "KVM" || host.Capabilities != "sim" {
		t.Errorf("the host is %+v", host)
	}
	tokens, err := api.Fetch(ctx, c, cs.ListAgentTokens, cs.ListAgentTokensIn{State: "Used"})
	must(t, err)
	if len(tokens.Items) != 1 || tokens.Items[0].Token != "" || tokens.Items[0].Command != "" || tokens.Items[0].HostID != host.ID {
		t.Errorf("used tokens: %+v", tokens.Items)
	}

	vm := deployOn(t, c, host)
	reboots := func(why string) {
		t.Helper()
		if _, err := api.Run(ctx, c, cs.RebootVirtualMachine, cs.RebootVirtualMachineIn{ID: vm}); err != nil {
			t.Fatalf("%s: %v\n%s", why, err, a.out)
		}
	}
	reboots("at first")
	a.kill()
	a = agent()
	a.until("the agent's return", func() bool { return strings.Contains(a.out.String(), "in the service of") })
	reboots("after the agent was killed")
	p.stop(os.Interrupt)
	p = startDev(t, "--data", data, "--agents", at, "--hosts", "1")
	c = p.client()
	awaitHost(t, a, c, "kvm1", "Up")
	a.until("the agent to dial in again", func() bool { return strings.Count(a.out.String(), "in the service of") > 1 })
	reboots("after the server was started anew")

	_, err = api.Do(ctx, c, cs.DeleteHost, cs.DeleteHostIn{ID: host.ID, Forced: true})
	must(t, err)
	a.until("words for what was deleted", func() bool {
		return strings.Contains(a.out.String(), "does not let the agent of host "+string(host.ID)+" in")
	})
	a.stop(os.Interrupt)
	again := launch(t, "agent", "--server", at, "--data", filepath.Join(t.TempDir(), "other"), "--hosts", "sim", "--token", token.Token)
	<-again.done
	if !strings.Contains(again.out.String(), "has been used") {
		t.Errorf("the token a second time: %s", again.out)
	}
}

// awaitHost waits until a host is there, in a state.
func awaitHost(t *testing.T, p *process, c *api.Client, name, state string) (h cs.Host) {
	t.Helper()
	p.until(name+" "+state, func() bool {
		hosts, err := api.Fetch(context.Background(), c, cs.ListHosts, cs.ListHostsIn{Name: name})
		must(t, err)
		if len(hosts.Items) > 0 {
			h = hosts.Items[0]
		}
		return h.State == state
	})
	return h
}

// deployOn gives a host's cluster what machines need, and deploys one there.
func deployOn(t *testing.T, c *api.Client, h cs.Host) uid.VM {
	t.Helper()
	ctx := t.Context()
	_, err := api.Do(ctx, c, cs.CreateStoragePool, cs.CreateStoragePoolIn{
		Name: "real", URL: "SharedMountPoint://localhost/real", ZoneID: h.ZoneID, PodID: h.PodID, ClusterID: h.ClusterID,
	})
	must(t, err)
	templates, err := api.Fetch(ctx, c, cs.RegisterTemplate, cs.RegisterTemplateIn{
		Name: "real", DisplayText: "real", Format: "QCOW2", Hypervisor: "KVM", URL: "http://192.0.2.1/real.qcow2", ZoneID: string(h.ZoneID),
	})
	must(t, err)
	offerings, err := api.Fetch(ctx, c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{})
	must(t, err)
	p := cs.DeployVirtualMachineIn{ZoneID: h.ZoneID, TemplateID: templates.Items[0].ID, ServiceOfferingID: offerings.Items[0].ID, HostID: h.ID}
	vm, err := api.Run(ctx, c, cs.DeployVirtualMachine, p)
	must(t, err)
	if vm.State != "Running" || vm.HostID != h.ID {
		t.Errorf("the machine is %s on %s", vm.State, vm.HostName)
	}
	return vm.ID
}
