package plant

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/meter"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/zone"
)

// Translator translates for the services of the plant.
type Translator struct {
	DB       *db.DB
	Owned    owned.Lists
	Zones    *zone.Service
	Hosts    *host.Service
	Pools    *pool.Service
	Images   *image.Service
	Networks *network.Service
	PhysNets *physnet.Service
	Machines *compute.Service
	Agents   *agent.Service
	Meter    *meter.Service
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	t.registerZones(m)
	t.registerPods(m)
	t.registerClusters(m)
	t.registerHosts(m)
	t.registerPools(m)
	t.registerCapacity(m)
	t.registerImageStores(m)
	t.registerPhysicalNetworks(m)
	t.registerNetworkProviders(m)
	t.registerVLANIPRanges(m)
}
