package cloud_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloud"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/secret"
)

func boxIn(dir string) cloud.SandboxIn {
	return cloud.SandboxIn{
		Config: cloud.Config{
			Dir: dir, World: filepath.Join(dir, "world.db"), Name: "box", PasswordCost: auth.TestCost(),
			DBOptions: db.Options{Clock: time.Now, NoSync: true}, Pace: sim.Options{Boot: time.Millisecond},
		},
		Admin: account.BootstrapIn{Password: secret.New("password"), Keys: true}, Seed: &cloud.SeedIn{Hosts: 2},
	}
}

// sandbox opens a sandbox in a folder, and gives a client with its administrator's keys.
func sandbox(t testing.TB, dir string) (*cloud.Sandbox, *api.Client) {
	t.Helper()
	s, err := cloud.OpenSandbox(t.Context(), boxIn(dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	server := httptest.NewServer(s.Handler())
	t.Cleanup(server.Close)
	keys := s.Admin().Keys
	return s, &api.Client{Endpoint: server.URL + "/client/api", APIKey: keys.APIKey, SecretKey: keys.Secret.Reveal(), PollInterval: time.Millisecond}
}

func deployIn(t testing.TB, c *api.Client) cs.DeployVirtualMachineIn {
	t.Helper()
	zones, err := api.Fetch(t.Context(), c, cs.ListZones, cs.ListZonesIn{})
	must(t, err)
	offerings, err := api.Fetch(t.Context(), c, cs.ListServiceOfferings, cs.ListServiceOfferingsIn{})
	must(t, err)
	templates, err := api.Fetch(t.Context(), c, cs.ListTemplates, cs.ListTemplatesIn{Filter: "featured"})
	must(t, err)
	return cs.DeployVirtualMachineIn{ZoneID: zones.Items[0].ID, ServiceOfferingID: offerings.Items[0].ID, TemplateID: templates.Items[0].ID}
}

func machines(t testing.TB, c *api.Client) int {
	t.Helper()
	page, err := api.Fetch(t.Context(), c, cs.ListVirtualMachines, cs.ListVirtualMachinesIn{})
	must(t, err)
	return page.Count
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A sandbox that was put back has what it began with, under the same ids and keys, on its hosts too; and it can be used again.
func TestSandboxReset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, c := sandbox(t, dir)
	for range 2 {
		in := deployIn(t, c)
		vm, err := api.Run(t.Context(), c, cs.DeployVirtualMachine, in)
		must(t, err)
		if _, err := api.Start(t.Context(), c, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID}); err != nil { // a job under way
			t.Fatal(err)
		}
		done, err := api.Do(t.Context(), c, cs.ResetSandbox, cs.ResetSandboxIn{})
		must(t, err)
		if n := machines(t, c); !done.Success || n != 0 {
			t.Errorf("%+v, and %d machines", done, n)
		}
		if again := deployIn(t, c); again.ZoneID != in.ZoneID {
			t.Errorf("zone %s became %s", in.ZoneID, again.ZoneID)
		}
		world, err := s.Cloud().World.Inspect(t.Context())
		must(t, err)
		if len(world.Guests)+len(world.Disks) > 0 {
			t.Errorf("on the hosts is left: %+v", world)
		}
	}
	_, err := api.Run(t.Context(), c, cs.DeployVirtualMachine, deployIn(t, c))
	must(t, err)
	s.Close()
	_, c = sandbox(t, dir) // a new start goes on, and still knows its beginning
	if n := machines(t, c); n != 1 {
		t.Errorf("%d machines after a restart", n)
	}
	_, err = api.Do(t.Context(), c, cs.ResetSandbox, cs.ResetSandboxIn{})
	must(t, err)
	if n := machines(t, c); n != 0 {
		t.Errorf("%d machines after a reset that followed a restart", n)
	}
}

// Requests in the middle of a reset are served, or told to come again; resets at the same time come one after the other.
func TestSandboxResetUnderLoad(t *testing.T) {
	t.Parallel()
	_, c := sandbox(t, t.TempDir())
	in := deployIn(t, c)
	ctx, stop := context.WithCancel(t.Context())
	var busy, resets sync.WaitGroup
	for range 4 {
		busy.Go(func() {
			for ctx.Err() == nil {
				_, err := api.Start(ctx, c, cs.DeployVirtualMachine, in)
				var remote *api.RemoteError
				if err != nil && ctx.Err() == nil && errors.As(err, &remote) && strings.Contains(remote.Error(), "not found") {
					t.Error(err) // everything that it names is there before and after
				}
			}
		})
	}
	for range 3 {
		resets.Go(func() {
			if _, err := api.Do(t.Context(), c, cs.ResetSandbox, cs.ResetSandboxIn{}); err != nil {
				var remote *api.RemoteError // of a life of the cloud that another reset has ended
				if !errors.As(err, &remote) && !strings.Contains(err.Error(), http.StatusText(http.StatusServiceUnavailable)) {
					t.Error(err)
				}
			}
		})
	}
	resets.Wait()
	stop()
	busy.Wait()
	_, err := api.Do(t.Context(), c, cs.ResetSandbox, cs.ResetSandboxIn{})
	must(t, err)
	_, err = api.Run(t.Context(), c, cs.DeployVirtualMachine, in)
	must(t, err)
}

// BenchmarkReset tells how long it takes to put a sandbox with a few machines back to its beginning.
func BenchmarkReset(b *testing.B) {
	_, c := sandbox(b, b.TempDir())
	in := deployIn(b, c)
	for range b.N {
		b.StopTimer()
		for range 5 {
			if _, err := api.Run(b.Context(), c, cs.DeployVirtualMachine, in); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		if _, err := api.Do(b.Context(), c, cs.ResetSandbox, cs.ResetSandboxIn{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/reset")
}

// A reset that a dying process left half done is finished by the next start, and not beside a living process.
func TestSandboxResetHalfDone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, c := sandbox(t, dir)
	_, err := api.Run(t.Context(), c, cs.DeployVirtualMachine, deployIn(t, c))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "resetting"), nil, 0o600))
	if _, err := cloud.OpenSandbox(t.Context(), boxIn(dir)); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Fatal("a second process has the folder, too:", err)
	}
	if n := machines(t, c); n != 1 {
		t.Errorf("the living one has %d machines", n)
	}
	s.Close()
	must(t, os.Remove(filepath.Join(dir, "world.db"))) // as if it had ended before this was there again
	s, c = sandbox(t, dir)
	world, err := s.Cloud().World.Inspect(t.Context())
	must(t, err)
	if n := machines(t, c); n != 0 || len(world.Hosts) != 2 || len(world.Guests) != 0 {
		t.Errorf("%d machines; on the hosts: %+v", n, world)
	}
	s.Close()
	_, c = sandbox(t, dir) // once only
	_, err = api.Run(t.Context(), c, cs.DeployVirtualMachine, deployIn(t, c))
	must(t, err)
}
