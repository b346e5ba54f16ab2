package image

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// Store is secondary storage: where images are kept from which disks are made.
type Store struct {
	ID       uid.ImageStore `bun:",pk"`
	Zone     uid.Zone       `bun:"zone_id,nullzero"` // "": every zone's
	Name     string
	URL      string `bun:"url"`
	Protocol string // file, or http or https to a bucket
	Provider string // Local, S3
	Bytes    int64  `bun:"bytes_total"` // all of it; 0 as long as no host could be asked, and of buckets, which have no end
	Created  time.Time
	Removed  time.Time `bun:",nullzero"`

	BytesUsed int64 `bun:"-"` // by what is in it; filled in by lists
}

// Uses gives how many bytes things of a kind take in some stores, in one query.
type Uses func(ctx context.Context, q db.Tx, ids []uid.ImageStore) (map[uid.ImageStore]int64, error)

// AlsoIn says what there is in stores besides images. It is set once, before the first list.
func (s *Service) AlsoIn(others ...Uses) { s.alsoIn = others }

// Scope is whose store it is, in the API's words.
func (s Store) Scope() string {
	if s.Zone == "" {
		return "REGION"
	}
	return "ZONE"
}

// The providers.
const (
	LocalProvider = "Local" // of folders
	S3Provider    = "S3"    // of buckets
)

// AddStore adds an image store: a folder that all hosts of its zone, or of all zones, have at the same path. Its name is its URL
// unless given.
func (s *Service) AddStore(ctx context.Context, st Store) (Store, error) {
	if err := st.complete(); err != nil {
		return Store{}, err
	}
	st.ID = uid.New[uid.ImageStore]()
	measured, err := s.measure(ctx, st)
	if err != nil {
		return Store{}, err
	}
	st.Bytes = measured
	return s.keep(ctx, st, nil)
}

// keep writes down a store, and the bucket that it is, if it is one.
func (s *Service) keep(ctx context.Context, st Store, b *bucketRow) (Store, error) {
	err := s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		st.Created = tx.Now
		if st.Zone != "" {
			if _, err := zone.Kept(ctx, tx, st.Zone); err != nil {
				return err
			}
		}
		other, err := storeOfURL(ctx, tx, st.Zone, st.URL)
		if err != nil {
			return err
		}
		if other != "" {
			return fault.Conflictf("image store %q is at %s already", other, st.URL)
		}
		if err := insert(ctx, tx, &storeRow{Store: st}); err != nil {
			return err
		}
		if b != nil {
			if err := insert(ctx, tx, b); err != nil {
				return err
			}
		}
		_, err = event.Write(ctx, tx, event.Event{
			Type: event.ImageStoreCreate, Description: fmt.Sprintf("added image store %s (%s)", st.Name, st.ID), ResourceID: string(st.ID),
		})
		if err != nil {
			return err
		}
		return once.Record(ctx, tx, string(st.ID), "")
	})
	return st, err
}

// complete reads the URL and the provider and fills in what can be known from them.
func (s *Store) complete() error {
	const works = `want a folder that every host has at the same path, like file:///srv/images (or SharedMountPoint:///srv/images)`
	u, err := url.Parse(s.URL)
	if err != nil {
		return fault.Invalidf("url %q is none: %s", s.URL, works)
	}
	switch scheme := strings.ToLower(u.Scheme); {
	case u.User != nil || u.RawQuery != "":
		return fault.Invalidf("url has a user name or parameters in it, and a folder needs none: %s", works)
	case scheme == "s3":
		return fault.Invalidf("a bucket needs keys: add it with addImageStoreS3, or with provider=%s and its details", S3Provider)
	case scheme != "file" && scheme != "sharedmountpoint":
		return fault.Invalidf("image stores of kind %q don't work here yet: %s", scheme, works)
	case !path.IsAbs(u.Path) || path.Clean(u.Path) == "/":
		return fault.Invalidf("url %q names no folder: %s", s.URL, works)
	case u.Host != "" && scheme == "file" && u.Host != "localhost":
		return fault.Invalidf("url %q names host %q, and a folder is on every host: %s", s.URL, u.Host, works)
	}
	if s.Provider != "" && !strings.EqualFold(s.Provider, LocalProvider) {
		return fault.Invalidf("provider %q doesn't work here yet: want %s, with a url like file:///srv/images, or %s, with details", s.Provider,
			LocalProvider, S3Provider)
	}
	s.URL, s.Protocol, s.Provider = "file://"+path.Clean(u.Path), "file", LocalProvider
	s.Name = cmp.Or(s.Name, s.URL)
	return nil
}

// MeasureStores asks hosts how large the image stores are. It is a keeper's work: stores that nobody answers for stay as they are
// known.
func (s *Service) MeasureStores(ctx context.Context) error {
	stores, _, err := s.Stores(ctx, StoreFilter{})
	if err != nil {
		return err
	}
	sizes := map[uid.ImageStore]int64{}
	for _, st := range stores {
		if hypervisor.IsBucket(st.URL) {
			continue
		}
		bytes, err := s.measure(ctx, st)
		if err != nil {
			return err
		}
		if bytes != 0 && bytes != st.Bytes {
			sizes[st.ID] = bytes
		}
	}
	if len(sizes) == 0 {
		return nil
	}
	return s.DB.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setStoreSizes(ctx, tx, sizes) })
}

// measure asks hosts that reach a store, one after the other until one answers, how large it is; 0 where none does.
func (s *Service) measure(ctx context.Context, st Store) (int64, error) {
	const atMost = 3
	hosts, _, err := s.Hosts.List(ctx, host.Filter{Zone: st.Zone, State: host.Up, Limit: atMost})
	if err != nil {
		return 0, err
	}
	for _, h := range hosts {
		driver, err := s.Hosts.Driver(h.Hypervisor)
		imager, can := driver.(hypervisor.Imager)
		if err != nil || !can {
			continue // another kind of host may be able to say it, and another server may reach this one
		}
		if r, err := imager.MeasureStore(ctx, h.ID, hypervisor.StoreRef{Store: st.ID, URL: st.URL}); err == nil {
			return r.Bytes, nil
		}
	}
	return 0, ctx.Err()
}

// StoreFilter says which image stores a list shows. Zero fields don't restrict.
type StoreFilter struct {
	ID       uid.ImageStore
	Zone     uid.Zone // that zone's own
	Name     string
	Protocol string
	Provider string
	Keyword  string // in name or URL
	Offset   int
	Limit    int // 0 or less: all
}
