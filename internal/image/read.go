package image

import (
	"context"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// Own gives a template or ISO that is the caller's to change, in a zone where it is ready, or in the first. It stays until the transaction's
// end.
func Own(ctx context.Context, tx db.Tx, caller auth.Caller, id uid.Template, zone uid.Zone) (Template, error) {
	if err := tx.Rely(ctx, id); err != nil {
		return Template{}, err
	}
	t, err := ownLocked(ctx, tx, caller, id)
	if err != nil {
		return t, err
	}
	places, err := placesOf(ctx, tx, id)
	if err != nil {
		return t, err
	}
	there := false
	for _, p := range places {
		if zone != "" && p.Zone != zone {
			continue
		}
		there = true
		if p.State == Ready && !t.Ready {
			t.Zone, t.Place, t.Ready = p.Zone, p, true
		}
	}
	switch {
	case !there:
		err = fault.NotFoundf("%s %q is not in zone %s", t.noun(), t.Name, zone)
	case !t.Ready:
		err = t.notReady()
	case t.Place.Store == "":
		err = fault.Conflictf("%s %q came with its hosts and is in no image store", t.noun(), t.Name)
	}
	return t, err
}

// Reader gives what reads an image in a zone's store, one of its hosts, and what they call it.
func (s *Service) Reader(ctx context.Context, id uid.Template, z uid.Zone) (hypervisor.Giver, uid.Host, hypervisor.Stored, error) {
	return through[hypervisor.Giver](ctx, s, id, z, "read")
}

// Writer gives what takes an image into a zone's store, one of its hosts, and what they call it.
func (s *Service) Writer(ctx context.Context, id uid.Template, z uid.Zone) (hypervisor.Taker, uid.Host, hypervisor.Stored, error) {
	return through[hypervisor.Taker](ctx, s, id, z, "write to")
}

func through[D any](ctx context.Context, s *Service, id uid.Template, z uid.Zone, do string) (d D, on uid.Host, at hypervisor.Stored, err error) {
	t, err := entry(ctx, s.DB.Read(), id, z)
	if err != nil {
		return d, "", at, err
	}
	imager, on, ref, err := s.imagerOf(ctx, t)
	if err != nil {
		return d, "", at, err
	}
	d, can := imager.(D)
	if !can || on == "" {
		return d, "", at, fault.Conflictf("the zone has no hosts that could %s its stores", do)
	}
	return d, on, hypervisor.Stored{Store: ref.Store, StoreURL: ref.StoreURL, Template: id}, nil
}
