package zone

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
)

// Own is the region that this cloud is.
const Own = 1

// Region is a cloud of its own, with its own database, that users of this one shall know of. The first is this cloud.
type Region struct {
	ID       int `bun:",pk"` // the operators' choice, the same in all of their clouds
	Name     string
	Endpoint string // the URL of its API
}

// maxEndpoint is how long a URL may be.
const maxEndpoint = 255

func (r Region) check() error {
	if strings.TrimSpace(r.Name) == "" {
		return fault.Invalidf("a region needs a name")
	}
	u, err := url.Parse(r.Endpoint)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.Opaque != "":
		return fault.Invalidf("endpoint %q is not a URL like https://cloud.example.org/client/", r.Endpoint)
	case u.User != nil:
		return fault.Invalidf("the endpoint has a user or a password in it, which everybody could read: leave it out")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return fault.Invalidf("endpoint %q goes on after the path: leave out all from the first ? or #", r.Endpoint)
	case len(r.Endpoint) > maxEndpoint:
		return fault.Invalidf("the endpoint is longer than %d characters", maxEndpoint)
	}
	return nil
}

// AddRegion makes another cloud known. Ids and names are unique.
func (s *Service) AddRegion(ctx context.Context, r Region) error {
	if r.ID < 1 {
		return fault.Invalidf("the id of a region is a number from 1 on, not %d", r.ID)
	}
	if err := r.check(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if _, err := findRegion(ctx, tx, r.ID); err == nil {
			return fault.Conflictf("there is a region with the id %d already", r.ID)
		}
		if err := insert(ctx, tx, &regionRow{Region: r}); err != nil {
			return taken(err, r)
		}
		return regionEvent(ctx, tx, event.RegionCreate, "added", r)
	})
}

// taken says what of a region another one has.
func taken(err error, r Region) error {
	if db.IsUnique(err) {
		return fault.Conflictf("there is a region with the id %d or the name %q already", r.ID, r.Name)
	}
	return err
}

// UpdateRegion changes what is given, and gives the region as it is then.
func (s *Service) UpdateRegion(ctx context.Context, id int, name, endpoint *string) (r Region, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if r, err = lockRegion(ctx, tx, id); err != nil {
			return err
		}
		set(&r.Name, name)
		set(&r.Endpoint, endpoint)
		if err := r.check(); err != nil {
			return err
		}
		if err := update(ctx, tx, &regionRow{Region: r}); err != nil {
			return taken(err, r)
		}
		return regionEvent(ctx, tx, event.RegionEdit, "changed", r)
	})
	return r, err
}

// RemoveRegion forgets another cloud. Nothing here depends on it.
func (s *Service) RemoveRegion(ctx context.Context, id int) error {
	if id == Own {
		return fault.Conflictf("region %d is this cloud itself, which can't be removed from its own list", id)
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		r, err := lockRegion(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := deleteRegion(ctx, tx, id); err != nil {
			return fmt.Errorf("remove region %d: %w", id, err)
		}
		return regionEvent(ctx, tx, event.RegionDelete, "removed", r)
	})
}

func regionEvent(ctx context.Context, tx db.Tx, kind event.Kind, did string, r Region) error {
	_, err := event.Write(ctx, tx, event.Event{Type: kind, Description: fmt.Sprintf("%s region %d, %s (%s)", did, r.ID, r.Name, r.Endpoint)})
	return err
}
