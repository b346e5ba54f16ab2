package wire

import (
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/compute"
)

// Machine shows what a machine's own row says.
func Machine(vm compute.VM) cs.VirtualMachine {
	pairs := strings.Split(vm.KeyPairs, "\n")
	return cs.VirtualMachine{
		ID: vm.ID, Name: vm.Name, DisplayName: vm.DisplayName, UserID: vm.User, Created: api.At(vm.Created), State: string(vm.State),
		HAEnabled: vm.HAEnabled, ZoneID: vm.Zone, HostID: vm.Host, TemplateID: vm.Template, ServiceOfferingID: vm.Offering,
		CPUNumber: vm.CPUNumber, CPUSpeed: vm.CPUSpeed, Memory: vm.MemoryMB, OSTypeID: vm.OSType, GuestOSID: vm.OSType,
		Hypervisor: vm.Hypervisor, InstanceName: vm.InstanceName, Details: vm.Details,
		Dynamic: vm.Dynamic, LastUpdated: api.At(vm.Updated), KeyPair: pairs[0], KeyPairs: strings.Join(pairs, ","),
	}
}
