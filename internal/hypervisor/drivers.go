package hypervisor

import (
	"maps"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/fault"
)

// Drivers are the drivers that this process has, by the hypervisor's name as the API spells it ("Simulator", "KVM").
type Drivers map[string]Driver

// Find is the driver for a hypervisor; upper and lower case are the same. It is fault.Unavailable when there is none.
func (d Drivers) Find(hypervisor string) (Driver, error) {
	for name, driver := range d {
		if strings.EqualFold(name, hypervisor) {
			return driver, nil
		}
	}
	return nil, fault.Unavailablef("no driver for hypervisor %q here; there is: %s", hypervisor, strings.Join(d.Names(), ", "))
}

// Names are the hypervisors' names, sorted.
func (d Drivers) Names() []string { return slices.Sorted(maps.Keys(d)) }
