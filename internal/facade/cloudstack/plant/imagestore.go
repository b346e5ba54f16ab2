package plant

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/annotation"
	"github.com/virga-cloud/virga/internal/facade/cloudstack/look"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

func (t Translator) registerImageStores(m *api.Mux) {
	showStore := look.Show(t.DB.Read, image.StoresByID, t.imageStoresOut)
	api.HandleCreate(m, cs.AddImageStore, t.addImageStore, showStore)
	api.HandleCreate(m, cs.AddSecondaryStorage, t.addSecondaryStorage, func(ctx context.Context, id uid.ImageStore) (cs.SecondaryStorage, error) {
		s, err := showStore(ctx, id)
		return cs.SecondaryStorage{ImageStore: s, Type: "SecondaryStorage", State: "Up", ResourceState: "Enabled"}, err
	})
	api.HandleList(m, cs.ListImageStores, t.listImageStores)
	t.registerBuckets(m)
}

func (t Translator) addSecondaryStorage(ctx context.Context, in cs.AddSecondaryStorageIn) (uid.ImageStore, error) {
	s, err := t.Images.AddStore(ctx, image.Store{URL: in.URL, Zone: in.ZoneID})
	return s.ID, err
}

func (t Translator) addImageStore(ctx context.Context, in cs.AddImageStoreIn) (uid.ImageStore, error) {
	if strings.EqualFold(in.Provider, image.S3Provider) {
		return t.addBucket(ctx, in)
	}
	if len(in.Details) > 0 { // access keys, usually: not kept, and not repeated
		return "", fault.Invalidf("details were given, and provider %s needs none: they are for provider %s", image.LocalProvider, image.S3Provider)
	}
	s, err := t.Images.AddStore(ctx, image.Store{Name: in.Name, Provider: in.Provider, URL: in.URL, Zone: in.ZoneID})
	return s.ID, err
}

func (t Translator) listImageStores(ctx context.Context, in cs.ListImageStoresIn) (none api.Page[cs.ImageStore], err error) {
	if in.ReadOnly != nil && *in.ReadOnly {
		return none, nil // no command makes a store so
	}
	filter := image.StoreFilter{
		ID: in.ID, Name: in.Name, Zone: in.ZoneID, Provider: in.Provider, Protocol: in.Protocol, Keyword: in.Keyword,
	}
	filter.Offset, filter.Limit = look.Window(in.Paging)
	stores, total, err := t.Images.Stores(ctx, filter)
	if err != nil {
		return none, err
	}
	items, err := t.imageStoresOut(ctx, stores)
	return api.Page[cs.ImageStore]{Count: total, Items: items}, err
}

func (t Translator) imageStoresOut(ctx context.Context, stores []image.Store) ([]cs.ImageStore, error) {
	l := look.In(t.DB.Read())
	zones := look.Related(ctx, l, len(stores), func(i int) uid.Zone { return stores[i].Zone }, zone.Names)
	noted := look.Related(ctx, l, len(stores), func(i int) uid.ImageStore { return stores[i].ID },
		annotation.On[uid.ImageStore](annotation.ImageStore))
	return look.Page(stores, 0, func(s image.Store) cs.ImageStore {
		return cs.ImageStore{
			ID: s.ID, Name: s.Name, URL: s.URL, Protocol: s.Protocol, Provider: s.Provider, Scope: s.Scope(), ZoneID: s.Zone,
			ZoneName: zones[s.Zone], DiskUsed: s.BytesUsed, Disk: s.Bytes, Created: api.At(s.Created), Notes: noted[s.ID],
		}
	}).Items, l.Err
}
