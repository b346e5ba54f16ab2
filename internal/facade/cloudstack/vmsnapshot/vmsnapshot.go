package vmsnapshot

import (
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/vmsnapshot"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Translator translates for the service that keeps snapshots of machines.
type Translator struct {
	DB        *db.DB
	Owned     owned.Lists
	Snapshots *vmsnapshot.Service
	// Machine gives the machine that a job was about.
	Machine func(ctx context.Context, subject string) (cs.VirtualMachine, error)
}

// Register gives the commands their handlers.
func (t Translator) Register(m *api.Mux) {
	api.HandleJob(m, cs.CreateVMSnapshot, t.create, look.Subject(look.Show(t.DB.Read, vmsnapshot.ByID, t.out)))
	api.HandleJob(m, cs.DeleteVMSnapshot, func(ctx context.Context, in cs.DeleteVMSnapshotIn) (api.Started, error) {
		job, err := t.Snapshots.Delete(ctx, in.ID)
		return api.Started{JobID: job}, err
	}, look.Succeeded)
	api.HandleJob(m, cs.RevertToVMSnapshot, func(ctx context.Context, in cs.RevertToVMSnapshotIn) (api.Started, error) {
		job, err := t.Snapshots.Revert(ctx, in.ID)
		return api.Started{JobID: job}, err
	}, t.Machine)
	api.HandleList(m, cs.ListVMSnapshot, t.list)
}

func (t Translator) create(ctx context.Context, in cs.CreateVMSnapshotIn) (api.Started, error) {
	id, job, err := t.Snapshots.Create(ctx, vmsnapshot.CreateIn{
		VM: in.VMID, Name: in.Name, Description: in.Description, Memory: in.Memory, Quiesce: in.Quiesce,
	})
	return api.Started{ID: string(id), JobID: job}, err
}

// states are those that a list can be asked for. In the last three of CloudStack's no snapshot is ever shown here.
var states = []string{"Creating", "Ready", "Reverting", "Expunging", "Allocated", "Error", "Removed"}

func (t Translator) list(ctx context.Context, in cs.ListVMSnapshotIn) (none api.Page[cs.VMSnapshot], err error) {
	if in.ID != "" && len(in.IDs) > 0 {
		return none, fault.Invalidf("vmsnapshotid and vmsnapshotids were both given; use one of them")
	}
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return none, err
	}
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, len(ids) > 0 || in.VMID != "", in.InProject)
	if err != nil {
		return none, err
	}
	f := vmsnapshot.Filter{Scope: scope, IDs: ids, Name: in.Name, VM: in.VMID, Tags: wire.Wanted(in.Tagged), Keyword: in.Keyword}
	if in.State != "" {
		i := slices.IndexFunc(states, func(s string) bool { return strings.EqualFold(s, in.State) })
		if i < 0 {
			return none, fault.Invalidf("state %q is none of a VM snapshot: want one of %s", in.State, strings.Join(states, ", "))
		}
		f.State = vmsnapshot.State(states[i])
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Snapshots.List(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.out(ctx, found)
	return api.Page[cs.VMSnapshot]{Count: total, Items: items}, err
}

// out shows snapshots, with one query for each kind of thing that they name.
func (t Translator) out(ctx context.Context, all []vmsnapshot.Snapshot) ([]cs.VMSnapshot, error) {
	n, l := len(all), look.In(t.DB.Read())
	machines := look.Related(ctx, l, n, func(i int) uid.VM { return all[i].VM }, compute.Labels)
	parents := look.Related(ctx, l, n, func(i int) uid.VMSnapshot { return all[i].Parent }, vmsnapshot.ByID)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return all[i].Zone }, zone.Names)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.VMSnapshot, n)
	for i, s := range all {
		vm := machines[s.VM]
		out[i] = cs.VMSnapshot{
			ID: s.ID, Name: s.Name, DisplayName: s.DisplayName, Description: s.Description, ZoneID: s.Zone, ZoneName: zones[s.Zone],
			VMID: s.VM, VMName: vm.Name, Hypervisor: vm.Hypervisor, State: string(s.State), Type: s.Type(), Current: s.Current,
			Parent: s.Parent, ParentName: parents[s.Parent].DisplayName, Created: api.At(s.Created),
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	if err := t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending }); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, t.Owned, tag.VMSnapshot, n, func(i int) (uid.VMSnapshot, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}
