package vrouter_test

import (
	"context"
	"testing"

	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/hypervisortest"
	"github.com/virga-cloud/virga/internal/hypervisor/vrouter"
	"github.com/virga-cloud/virga/uid"
)

// side is the network's side of a driver, and no more.
type side struct {
	hypervisor.Driver
	*vrouter.Network
}

// Recover finds what runs: there are no machines.
func (s side) Recover(ctx context.Context) error { return s.RecoverNetwork(ctx, nil) }

// A real host's routers and rules pass what every driver passes.
func TestExam(t *testing.T) {
	t.Parallel()
	hypervisortest.RunNetwork(t, func(t *testing.T) hypervisortest.Env {
		s := newSite(t, "haproxy")
		driver := func() side { return side{Network: vrouter.NewNetwork(s.fabric, s.routers)} }
		return hypervisortest.Env{
			Driver: driver(), Hosts: []uid.Host{s.config.Host},
			Reopen: func(t *testing.T) hypervisor.Driver {
				t.Helper()
				s.restart()
				return driver()
			},
		}
	})
}
