package cloudstack

import "github.com/virga-cloud/virga/api"

func (f *Facade) registerOfferings(m *api.Mux) {
	f.registerServiceOfferings(m)
	f.registerDiskOfferings(m)
}
