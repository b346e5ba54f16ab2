package cloudstack

import (
	"context"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/address"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/agents"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/balancer"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/disk"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/ldap"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/machine"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/note"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/offer"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/plant"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/project"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/region"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/router"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/rule"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/secgroup"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/vmsnapshot"
)

// translators are the register functions, one per noun: each gives the commands of its noun their handlers.
func (f *Facade) translators() []func(*api.Mux) {
	return []func(*api.Mux){
		f.registerDiscovery,
		f.registerUsers,
		f.registerAccounts,
		f.registerLimits,
		f.registerRoles,
		f.registerDomains,
		f.registerEvents,
		f.registerAlerts,
		f.registerConfigurations,
		f.registerJobs,
		f.registerTwoFactor,
		ldap.Translator{DB: f.DB, LDAP: f.LDAP, Account: look.Show(f.DB.Read, account.ByID, f.accountsOut)}.Register,
		f.signOn().Register,
		f.registerAPILimits,
		project.Translator{DB: f.DB, Owned: f.Owned, Projects: f.Projects, Closing: f.Closing}.Register,
		region.Translator{Zones: f.Zones}.Register,
		plant.Translator{
			DB: f.DB, Owned: f.Owned, Zones: f.Zones, Hosts: f.Hosts, Pools: f.Pools, Images: f.Images, Networks: f.Networks,
			PhysNets: f.PhysNets, Machines: f.Machines, Agents: f.Agents, Meter: f.Meter,
		}.Register,
		agents.Translator{DB: f.DB, Agents: f.Agents, Dial: f.Dial}.Register,
		f.registerSimulator,
		offer.Translator{DB: f.DB, Offerings: f.Offerings, VPCs: f.VPCs, Networks: f.Networks, Machines: f.Machines}.Register,
		f.registerTemplates,
		f.registerKeyPairs,
		f.registerTags,
		note.Translator{DB: f.DB, Owned: f.Owned, Details: f.Details, Annotations: f.Annotations, Certificates: f.Certificates}.Register,
		secgroup.Translator{DB: f.DB, Owned: f.Owned, Groups: f.Groups}.Register,
		f.registerNetworks,
		rule.Translator{DB: f.DB, Owned: f.Owned, Rules: f.Rules}.Register,
		balancer.Translator{
			DB: f.DB, Owned: f.Owned, Accounts: f.Accounts, Rules: f.Rules, Machines: f.Machines,
			Shown: func(ctx context.Context, vms []compute.VM) ([]cs.VirtualMachine, error) {
				return f.machinesOut(ctx, vms, allParts())
			},
		}.Register,
		router.Translator{DB: f.DB, Owned: f.Owned, Routers: f.Routers}.Register,
		address.Translator{DB: f.DB, Owned: f.Owned, Addresses: f.Addresses}.Register,
		f.registerMachines,
		machine.Translator{Machines: f.Machines, Access: f.Access, Relocation: f.Relocation, Show: f.machine}.Register,
		f.consoles().Register,
		f.extracts().Register,
		f.uploads().Register,
		disk.Translator{
			DB: f.DB, Engine: f.Engine, Owned: f.Owned, Volumes: f.Volumes, Snapshots: f.Snapshots, Machines: f.Machines,
			Relocation: f.Relocation,
		}.Register,
		vmsnapshot.Translator{DB: f.DB, Owned: f.Owned, Snapshots: f.Kept, Machine: f.machine}.Register,
	}
}
