package cloud

import (
	"cmp"
	"context"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// settings makes the settings, and tells them how to find the things that may have values of their own.
func (cl *Cloud) settings(c Config, box *secret.Box) *setting.Settings {
	cl.poll = cmp.Or(c.SettingPoll, setting.Poll)
	s := setting.New(cl.DB, c.Log, c.Initially...)
	s.SealWith(box)
	for scope, table := range map[setting.Scope]string{
		setting.OfZone: "zones", setting.OfCluster: "clusters", setting.OfPool: "storage_pools", setting.OfDomain: "domains",
		setting.OfAccount:    "accounts",
		setting.OfImageStore: "image_stores",
	} {
		s.Know(scope, func(ctx context.Context, q db.Tx, id string) (bool, error) { return db.Exists(ctx, q, table, id) })
	}
	s.Surround(around)
	return s
}

// around gives the places whose values hold in a place that has none of its own, the nearest first.
func around(ctx context.Context, q db.Tx, at setting.Place) ([]setting.Place, error) {
	switch at.Scope { //nolint:exhaustive // around the others there is nothing but the cloud
	case setting.OfDomain:
		return upwards(ctx, q, uid.Domain(at.ID), false)
	case setting.OfAccount:
		id := uid.Account(at.ID)
		names, err := account.Names(ctx, q, []uid.Account{id})
		if err != nil {
			return nil, err
		}
		return upwards(ctx, q, names[id].Domain, true)
	case setting.OfCluster:
		id := uid.Cluster(at.ID)
		found, err := zone.ClustersByID(ctx, q, []uid.Cluster{id})
		return []setting.Place{setting.InZone(found[id].Zone)}, err
	case setting.OfPool:
		id := uid.Pool(at.ID)
		found, err := pool.ByID(ctx, q, []uid.Pool{id})
		return []setting.Place{setting.InZone(found[id].Zone)}, err
	}
	return nil, nil
}

// upwards gives the places of the domains above one, perhaps with its own.
func upwards(ctx context.Context, q db.Tx, id uid.Domain, itself bool) ([]setting.Place, error) {
	ids, err := account.Above(ctx, q, id)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	if !itself {
		ids = ids[1:]
	}
	out := make([]setting.Place, len(ids))
	for i, id := range ids {
		out[i] = setting.InDomain(id)
	}
	return out, nil
}
