package wire

import (
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/firmware"
)

// Machine shows what a machine's own row says.
func Machine(vm compute.VM) cs.VirtualMachine {
	pairs, firm := strings.Split(vm.KeyPairs, "\n"), "Bios"
	if firmware.Wanted(vm.Details) {
		firm = "Uefi"
	}
	return cs.VirtualMachine{
		ID: vm.ID, Name: vm.Name, DisplayName: vm.DisplayName, UserID: vm.User, Created: api.At(vm.Created), State: string(vm.State),
		HAEnabled: vm.HAEnabled, ZoneID: vm.Zone, HostID: vm.Host, TemplateID: vm.Template, ServiceOfferingID: vm.Offering,
		CPUNumber: vm.CPUNumber, CPUSpeed: vm.CPUSpeed, Memory: vm.MemoryMB, OSTypeID: vm.OSType, GuestOSID: vm.OSType,
		Hypervisor: vm.Hypervisor, InstanceName: vm.InstanceName, Details: vm.Details, BootType: firm, BootMode: strings.ToLower(firmware.Legacy),
		Dynamic: vm.Dynamic, LastUpdated: api.At(vm.Updated), KeyPair: pairs[0], KeyPairs: strings.Join(pairs, ","),
	}
}
