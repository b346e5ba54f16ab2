package image

import (
	"context"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Expect adds a template or ISO that its user is to upload into one zone, where it is NotUploaded. Of the template its id, owner, type and
// times are filled in, and where it is to be.
func (s *Service) Expect(ctx context.Context, tx db.Tx, in RegisterIn) (Template, error) {
	if len(in.Zones) != 1 {
		return Template{}, fault.Invalidf("it is uploaded into one zone: name that in zoneid")
	}
	t, err := s.complete(ctx, in, func(Template) error { return nil })
	if err != nil {
		return Template{}, err
	}
	places, err := s.enter(ctx, tx, in, &t, NotUploaded)
	if err != nil {
		return Template{}, err
	}
	t.Zone, t.Place = places[0].Zone, places[0]
	return t, nil
}

// ForDisks gives the kind of hosts of a zone that make disks from images of a format.
func ForDisks(ctx context.Context, q db.Tx, z uid.Zone, format string) (string, error) {
	names, err := hypervisorsIn(ctx, q, z)
	if err != nil {
		return "", err
	}
	var known []string
	for _, name := range names {
		for kind, formats := range runs {
			if !strings.EqualFold(kind, name) {
				continue
			}
			if slices.Contains(formats, strings.ToUpper(format)) {
				return name, nil
			}
			known = append(known, formats...)
		}
	}
	if len(known) == 0 {
		return "", fault.Conflictf("zone %s has no hosts that make disks from images", z)
	}
	slices.Sort(known)
	return "", fault.Invalidf("format %q: the hosts of the zone make disks from %s", format, strings.Join(slices.Compact(known), ", "))
}

// StoreIn gives the store in which a zone keeps what is new: the wanted one, or one of its own before one of all zones.
func StoreIn(ctx context.Context, q db.Tx, z uid.Zone, wanted uid.ImageStore) (uid.ImageStore, error) {
	id, err := storeFor(ctx, q, z, wanted)
	if err == nil && id == "" {
		err = fault.Conflictf("zone %s has no such image store: add one with addSecondaryStorage or addImageStore first", z)
	}
	return id, err
}
