package cloudtest_test

import (
	"testing"
	"time"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/hypervisor"
)

// Who has registered an image sees how much of it has come.
func TestTemplateProgress(t *testing.T) {
	t.Parallel()
	o := cloudtest.Options{Broken: true} // it ends before the image is there
	cloudtest.Each(t, o, func(t *testing.T, c *cloudtest.Cloud) {
		sandbox := c.Sandbox(t)
		user, _ := c.Tenant(t, "red", "ann", auth.User)
		must(t, c.World.Script(t.Context(), hypervisor.Rule{Command: hypervisor.CommandFetchImage, Wait: time.Hour}))
		made, err := listed(t, user, cs.RegisterTemplate, cs.RegisterTemplateIn{
			Name: "mine", URL: "https://example.org/mine.vhd", Format: "vhd", Hypervisor: "simulator", ZoneID: string(sandbox.Zone),
		})
		must(t, err)
		if made[0].Status != "Downloading" {
			t.Errorf("at first it is %q", made[0].Status)
		}
		for _, one := range []struct {
			come hypervisor.Fetched
			want string
		}{
			{hypervisor.Fetched{Bytes: 7 << 20}, "7 MB Downloaded"}, {hypervisor.Fetched{Bytes: 8 << 20, Of: 20 << 20}, "40% Downloaded"},
			{hypervisor.Fetched{Bytes: 20 << 20, Of: 20 << 20}, "Installing Template"},
		} {
			c.World.Coming(made[0].ID, one.come)
			for range time.Tick(20 * time.Millisecond) {
				mine, err := listed(t, user, cs.ListTemplates, cs.ListTemplatesIn{Filter: "self"})
				must(t, err)
				if len(mine) != 1 || mine[0].Ready {
					t.Fatalf("%+v", mine)
				}
				if mine[0].Status == one.want {
					break
				}
			}
		}
	})
}
