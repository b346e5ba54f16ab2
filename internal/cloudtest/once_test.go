package cloudtest_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/uid"
)

// The same request under the same key gets the same thing, another one is refused, and another user's key is another key.
func TestIdempotencyKeys(t *testing.T) {
	t.Parallel()
	cloudtest.Each(t, cloudtest.Options{}, func(t *testing.T, c *cloudtest.Cloud) {
		red, _ := c.Tenant(t, "red", "red", auth.User)
		box := c.Sandbox(t)
		in := box.Deploy()
		in.IdempotencyKey = "first"
		first, err := api.Start(t.Context(), red, cs.DeployVirtualMachine, in)
		must(t, err)
		again, err := api.Start(t.Context(), red, cs.DeployVirtualMachine, in)
		must(t, err)
		if again != first {
			t.Errorf("repeated: %+v, want %+v", again, first)
		}
		other := in
		other.Name = "other"
		_, err = api.Start(t.Context(), red, cs.DeployVirtualMachine, other)
		refusedWith(t, err, 431, "other parameters")
		network := cs.CreateNetworkIn{Name: "n", OfferingID: box.NetworkOffering["DefaultIsolatedNetworkOffering"], ZoneID: in.ZoneID}
		network.IdempotencyKey = "first"
		_, err = api.Do(t.Context(), red, cs.CreateNetwork, network)
		refusedWith(t, err, 431, "deployVirtualMachine")
		admins, err := api.Do(t.Context(), c.Client, cs.CreateNetwork, network)
		must(t, err)
		repeated, err := api.Do(t.Context(), c.Client, cs.CreateNetwork, network)
		must(t, err)
		if repeated.ID != admins.ID {
			t.Errorf("made %s, repeated %s", admins.ID, repeated.ID)
		}

		// What was refused has made nothing, so it can be made later.
		wrong := network
		wrong.IdempotencyKey, wrong.Gateway = "second", "10.1.1.300"
		_, err = api.Do(t.Context(), c.Client, cs.CreateNetwork, wrong)
		refusedWith(t, err, 431, "10.1.1.300")
		wrong.Gateway = ""
		_, err = api.Do(t.Context(), c.Client, cs.CreateNetwork, wrong)
		must(t, err)

		// Twenty at the same moment make one.
		network.IdempotencyKey = "third"
		var made sync.Map
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				n, err := api.Do(t.Context(), c.Client, cs.CreateNetwork, network)
				if err != nil {
					t.Error(err)
				}
				made.Store(n.ID, true)
			})
		}
		all.Wait()
		var ids []uid.Network
		made.Range(func(id, _ any) bool { ids = append(ids, id.(uid.Network)); return true })
		if len(ids) != 1 {
			t.Errorf("made %v", ids)
		}
		end(t, c, first.JobID)
	})
}

func refusedWith(t *testing.T, err error, code int, text string) {
	t.Helper()
	e, ok := err.(*api.RemoteError) //nolint:errorlint // the client gives it as it is
	if !ok || e.Code != code || !strings.Contains(e.Text, text) {
		t.Errorf("got %v, want error %d with %q", err, code, text)
	}
}
