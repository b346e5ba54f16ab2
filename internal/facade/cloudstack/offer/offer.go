package offer

import (
	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/vpc"
)

// Translator translates for these services.
type Translator struct {
	DB        *db.DB
	Offerings *offering.Service
	VPCs      *vpc.Service
	Networks  *network.Service // whose networks' offerings others can take the place of
	Machines  *compute.Service // whose machines' offerings others can take the place of
}

// Register gives the commands their handlers.
func (f Translator) Register(m *api.Mux) {
	f.registerServiceOfferings(m)
	f.registerDiskOfferings(m)
	f.registerNetworkOfferings(m)
	f.registerVPCOfferings(m)
}
