package disk

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/owned"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/wire"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerSnapshots(m *api.Mux) {
	shown := look.Subject(look.Show(t.DB.Read, snapshot.ByID, t.snapshotsOut))
	api.HandleJob(m, cs.CreateSnapshot, t.createSnapshot, shown)
	api.HandleJob(m, cs.DeleteSnapshot, func(ctx context.Context, in cs.DeleteSnapshotIn) (api.Started, error) {
		return started(t.Snapshots.Delete(ctx, in.ID, in.ZoneID))
	}, look.Succeeded)
	api.HandleJob(m, cs.RevertSnapshot, func(ctx context.Context, in cs.RevertSnapshotIn) (api.Started, error) {
		return started(t.Snapshots.Revert(ctx, in.ID))
	}, shown)
	api.HandleList(m, cs.ListSnapshots, t.listSnapshots)
}

func (t Translator) createSnapshot(ctx context.Context, in cs.CreateSnapshotIn) (api.Started, error) {
	if in.PolicyID != "" {
		return api.Started{}, fault.NotFoundf("no snapshot policy with id %s, or you may not see it", in.PolicyID)
	}
	id, job, err := t.Snapshots.Create(ctx, snapshot.CreateIn{
		Volume: in.VolumeID, Name: in.Name, Owner: account.For{Account: in.Account, Domain: in.DomainID},
	})
	return api.Started{ID: string(id), JobID: job}, err
}

func (t Translator) listSnapshots(ctx context.Context, in cs.ListSnapshotsIn) (none api.Page[cs.Snapshot], err error) {
	ids, err := look.IDs(in.ID, in.IDs)
	if err != nil {
		return none, err
	}
	scope, err := t.Owned.ScopeIn(ctx, in.Scope, len(ids) > 0 || in.VolumeID != "", in.InProject)
	if err != nil {
		return none, err
	}
	for _, kind := range []string{in.SnapshotType, in.IntervalType} {
		if kind != "" && !strings.EqualFold(kind, snapshot.Manual) {
			return none, nil
		}
	}
	f := snapshot.Filter{
		Scope: scope, IDs: ids, Name: in.Name, Volume: in.VolumeID, Zone: in.ZoneID, Store: in.ImageStoreID, Tags: wire.Wanted(in.Tagged),
		Keyword: in.Keyword,
	}
	f.Offset, f.Limit = look.Window(in.Paging)
	found, total, err := t.Snapshots.List(ctx, f)
	if err != nil {
		return none, err
	}
	items, err := t.snapshotsOut(ctx, found)
	return api.Page[cs.Snapshot]{Count: total, Items: items}, err
}

// snapshotsOut shows snapshots, with one query for each kind of thing that they name.
func (t Translator) snapshotsOut(ctx context.Context, all []snapshot.Snapshot) ([]cs.Snapshot, error) {
	n, l := len(all), look.In(t.DB.Read())
	volumes := look.Related(ctx, l, n, func(i int) uid.Volume { return all[i].Volume }, volume.ByID)
	templates := look.Related(ctx, l, n, func(i int) uid.Template { return volumes[all[i].Volume].Template }, image.ByID)
	systems := look.Related(ctx, l, n, func(i int) uid.OSType { return templates[volumes[all[i].Volume].Template].OSType }, image.OSTypeNames)
	zones := look.Related(ctx, l, n, func(i int) uid.Zone { return all[i].Zone }, zone.Names)
	stores := look.Related(ctx, l, n, func(i int) uid.ImageStore { return all[i].Store }, image.StoresByID)
	if l.Err != nil {
		return nil, l.Err
	}
	out := make([]cs.Snapshot, n)
	for i, s := range all {
		v := volumes[s.Volume]
		os := templates[v.Template].OSType
		out[i] = cs.Snapshot{
			ID: s.ID, Name: s.Name, ZoneID: s.Zone, ZoneName: zones[s.Zone], State: string(s.State), SnapshotType: snapshot.Manual,
			IntervalType: snapshot.Manual, LocationType: "SECONDARY", VolumeID: s.Volume, VolumeName: v.Name, VolumeType: string(v.Type),
			VolumeState: string(v.State), OSTypeID: os, OSTypeName: systems[os], PhysicalSize: s.Stored, VirtualSize: s.Size,
			Revertable: s.State == snapshot.BackedUp && v.Removed.IsZero(), DatastoreID: s.Store, DatastoreName: stores[s.Store].Name,
			DatastoreState: stored[s.State], DatastoreType: "Image", Created: api.At(s.Created),
		}
	}
	if err := t.Owned.Owners(ctx, n, func(i int) (uid.Account, *cs.Owner) { return all[i].Account, &out[i].Owner }); err != nil {
		return nil, err
	}
	if err := t.Owned.Pending(ctx, n, func(i int) (string, *cs.Pending) { return string(all[i].ID), &out[i].Pending }); err != nil {
		return nil, err
	}
	return out, owned.Tagged(ctx, t.Owned, tag.Snapshot, n, func(i int) (uid.Snapshot, cs.Owner, *[]cs.Tag) {
		return out[i].ID, out[i].Owner, &out[i].Tags
	})
}

// stored are CloudStack's words for how far a snapshot is in its store.
var stored = map[snapshot.State]string{
	snapshot.Creating: "Creating", snapshot.BackedUp: "Ready", snapshot.Destroying: "Destroying", snapshot.Destroyed: "Destroyed",
}
