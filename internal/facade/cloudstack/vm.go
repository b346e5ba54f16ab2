package cloudstack

import (
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/firmware"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/uid"
)

func (f *Facade) registerMachines(m *api.Mux) {
	api.HandleJob(m, cs.DeployVirtualMachine, f.deployMachine, f.startedMachine)
	api.HandleJob(m, cs.StartVirtualMachine, f.startMachine, f.startedMachine)
	api.HandleJob(m, cs.StopVirtualMachine, f.stopMachine, f.machine)
	api.HandleJob(m, cs.RebootVirtualMachine, f.rebootMachine, f.machine)
	api.HandleJob(m, cs.DestroyVirtualMachine, f.destroyMachine, f.machine)
	api.HandleJob(m, cs.ExpungeVirtualMachine, f.expungeMachine, look.Succeeded)
	api.HandleJob(m, cs.AttachIso, func(ctx context.Context, in cs.AttachIsoIn) (api.Started, error) {
		job, err := f.Machines.AttachISO(ctx, in.ID, in.VMID)
		return api.Started{JobID: job}, err
	}, f.machine)
	api.HandleJob(m, cs.DetachIso, func(ctx context.Context, in cs.DetachIsoIn) (api.Started, error) {
		job, err := f.Machines.DetachISO(ctx, in.VMID)
		return api.Started{JobID: job}, err
	}, f.machine)
	api.HandleCall(m, cs.RecoverVirtualMachine, f.recoverMachine)
	api.HandleCall(m, cs.UpdateVirtualMachine, f.updateMachine)
	api.HandleCall(m, cs.ChangeServiceForVirtualMachine, f.changeService)
	api.HandleList(m, cs.ListVirtualMachines, f.listMachines)
}

// machine shows what a job was about, also when it is gone by now: who may see the job may see its machine.
func (f *Facade) machine(ctx context.Context, subject string) (cs.VirtualMachine, error) {
	id := uid.VM(subject)
	found, err := compute.ByID(ctx, f.DB.Read(), []uid.VM{id})
	if err != nil {
		return cs.VirtualMachine{}, err
	}
	vm, ok := found[id]
	if !ok {
		return cs.VirtualMachine{}, fault.Missing(id)
	}
	out, err := f.machinesOut(ctx, []compute.VM{vm}, allParts())
	if err != nil {
		return cs.VirtualMachine{}, err
	}
	return out[0], nil
}

// startedMachine shows what a job was about that started it, with the password that was made for its guest, unless that has been
// shown.
func (f *Facade) startedMachine(ctx context.Context, subject string) (cs.VirtualMachine, error) {
	out, err := f.machine(ctx, subject)
	if err != nil || !out.PasswordEnabled {
		return out, err
	}
	password, err := f.Access.Take(ctx, out.ID)
	out.Password = password.Reveal()
	return out, err
}

func (f *Facade) deployMachine(ctx context.Context, in cs.DeployVirtualMachineIn) (api.Started, error) {
	if groups := slices.Concat(in.AffinityGroupIDs, in.AffinityGroups); len(groups) > 0 {
		return api.Started{}, fault.NotFoundf("there is no affinity group %q", groups[0])
	}
	networks, err := networksIn(in)
	if err != nil {
		return api.Started{}, err
	}
	keys := in.KeyPairs
	if in.KeyPair != "" {
		if len(keys) > 0 {
			return api.Started{}, fault.Invalidf("keypair and keypairs were both given; use one of them")
		}
		keys = []string{in.KeyPair}
	}
	deploy := compute.DeployIn{
		Name: in.Name, DisplayName: in.DisplayName, Zone: in.ZoneID, Offering: in.ServiceOfferingID, Template: in.TemplateID,
		Owner: account.For{Account: in.Account, Domain: in.DomainID, Project: in.ProjectID}, Networks: networks,
		DiskOffering: in.DiskOfferingID, DiskGB: in.Size, RootGB: in.RootDiskSize, Host: in.HostID, Pod: in.PodID, Cluster: in.ClusterID,
		Stopped:  in.StartVM != nil && !*in.StartVM,
		UserData: in.UserData, Hypervisor: in.Hypervisor, Details: in.Details, Group: in.Group, Keyboard: in.Keyboard, Dynamic: in.Dynamic,
		Firmware: firmware.Asked{Type: in.BootType, Mode: in.BootMode},
		KeyPairs: keys, Groups: secgroup.Wanted{IDs: in.SecurityGroupIDs, Names: in.SecurityGroups},
	}
	if in.DryRun {
		return f.tryMachine(ctx, deploy)
	}
	id, job, err := f.Machines.Deploy(ctx, deploy)
	return api.Started{ID: string(id), JobID: job}, err
}

// networksIn makes one list of the two ways to say a machine's networks and addresses. The single address and MAC address
// are those in the default network, also when that is left to the service.
func networksIn(in cs.DeployVirtualMachineIn) ([]compute.NetworkIn, error) {
	if len(in.Networks) > 0 {
		if len(in.NetworkIDs) > 0 || in.IPAddress != "" || in.IP6Address != "" || in.MACAddress != "" {
			return nil, fault.Invalidf("iptonetworklist says networks and addresses by itself: " +
				"leave out networkids, ipaddress, ip6address and macaddress")
		}
		out := make([]compute.NetworkIn, len(in.Networks))
		for i, n := range in.Networks {
			out[i] = compute.NetworkIn{Network: n.NetworkID, IP: n.IP, IP6: n.IP6, MAC: n.MAC}
		}
		return out, nil
	}
	var out []compute.NetworkIn
	for _, id := range in.NetworkIDs {
		out = append(out, compute.NetworkIn{Network: id})
	}
	if in.IPAddress == "" && in.IP6Address == "" && in.MACAddress == "" {
		return out, nil
	}
	if len(out) == 0 {
		out = []compute.NetworkIn{{}}
	}
	out[0].IP, out[0].IP6, out[0].MAC = in.IPAddress, in.IP6Address, in.MACAddress
	return out, nil
}

func (f *Facade) startMachine(ctx context.Context, in cs.StartVirtualMachineIn) (api.Started, error) {
	job, err := f.Machines.Start(ctx, compute.StartIn{ID: in.ID, Host: in.HostID, Pod: in.PodID, Cluster: in.ClusterID})
	return api.Started{JobID: job}, err
}

func (f *Facade) stopMachine(ctx context.Context, in cs.StopVirtualMachineIn) (api.Started, error) {
	job, err := f.Machines.Stop(ctx, in.ID, in.Forced)
	return api.Started{JobID: job}, err
}

func (f *Facade) rebootMachine(ctx context.Context, in cs.RebootVirtualMachineIn) (api.Started, error) {
	job, err := f.Machines.Reboot(ctx, in.ID, in.Forced)
	return api.Started{JobID: job}, err
}

func (f *Facade) destroyMachine(ctx context.Context, in cs.DestroyVirtualMachineIn) (api.Started, error) {
	job, err := f.Machines.Destroy(ctx, in.ID, in.Expunge, in.VolumeIDs...)
	return api.Started{JobID: job}, err
}

func (f *Facade) expungeMachine(ctx context.Context, in cs.ExpungeVirtualMachineIn) (api.Started, error) {
	job, err := f.Machines.Expunge(ctx, in.ID)
	return api.Started{JobID: job}, err
}

func (f *Facade) recoverMachine(ctx context.Context, in cs.RecoverVirtualMachineIn) (cs.VirtualMachine, error) {
	if err := f.Machines.Recover(ctx, in.ID); err != nil {
		return cs.VirtualMachine{}, err
	}
	return f.machine(ctx, string(in.ID))
}

func (f *Facade) updateMachine(ctx context.Context, in cs.UpdateVirtualMachineIn) (cs.VirtualMachine, error) {
	err := f.Machines.Update(ctx, in.ID, compute.Change{
		Name: in.Name, DisplayName: in.DisplayName, InstanceName: in.InstanceName, Group: in.Group, HAEnabled: in.HAEnable, Dynamic: in.Dynamic,
		OSType: in.OSTypeID, UserData: in.UserData, Details: in.Details, CleanupDetails: in.CleanupDetails,
		Groups: secgroup.Wanted{IDs: in.SecurityGroupIDs, Names: in.SecurityGroups},
	})
	if err != nil {
		return cs.VirtualMachine{}, err
	}
	return f.machine(ctx, string(in.ID))
}

func (f *Facade) changeService(ctx context.Context, in cs.ChangeServiceForVirtualMachineIn) (cs.VirtualMachine, error) {
	if err := f.Machines.ChangeService(ctx, in.ID, in.ServiceOfferingID, in.Details); err != nil {
		return cs.VirtualMachine{}, err
	}
	return f.machine(ctx, string(in.ID))
}

// present is the word for every state but those of machines that are destroyed.
const present = "Present"

func (f *Facade) listMachines(ctx context.Context, in cs.ListVirtualMachinesIn) (api.Page[cs.VirtualMachine], error) {
	parts, err := partsOf(in.Details)
	if err != nil {
		return api.Page[cs.VirtualMachine]{}, err
	}
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return api.Page[cs.VirtualMachine]{}, err
	}
	if in.VPCID != "" { // there are none, so nothing is in one
		return api.Page[cs.VirtualMachine]{}, nil
	}
	scope, err := f.Owned.ScopeIn(ctx, in.Scope, len(ids) > 0, in.InProject)
	if err != nil {
		return api.Page[cs.VirtualMachine]{}, err
	}
	filter := compute.Filter{
		Scope: scope, IDs: ids, Name: in.Name, Zone: in.ZoneID, Pod: in.PodID, Host: in.HostID, Template: in.TemplateID,
		Offering: in.ServiceOfferingID, Network: in.NetworkID, Hypervisor: in.Hypervisor, Keyword: in.Keyword,
		Cluster: in.ClusterID, Pool: in.StorageID, Group: in.GroupID, User: in.UserID, Routed: in.ForVirtualNetwork, HAEnabled: in.HAEnable,
		ISO: in.ISOID, KeyPair: in.KeyPair, Security: in.SecurityGroupID, Tags: wire.Wanted(in.Tagged),
	}
	if filter.Present = strings.EqualFold(in.State, present); !filter.Present {
		filter.State = compute.State(in.State)
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	machines, total, err := f.Machines.List(ctx, filter)
	if err != nil {
		return api.Page[cs.VirtualMachine]{}, err
	}
	items, err := f.machinesOut(ctx, machines, parts)
	return api.Page[cs.VirtualMachine]{Count: total, Items: items}, err
}
