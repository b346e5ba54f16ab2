package zone

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Place is a zone, a pod or a cluster: one field is set.
type Place struct {
	Zone    uid.Zone
	Pod     uid.Pod
	Cluster uid.Cluster
}

// Count is how many things of a sort there are.
type Count struct {
	Thing string // what one is called: "host"
	N     int
}

// Uses counts what a package keeps in a place, so that nobody deletes a place under it.
type Uses func(ctx context.Context, tx db.Tx, p Place) ([]Count, error)

// UsedBy says who keeps things in zones, pods and clusters. It is called before the service is used.
func (s *Service) UsedBy(users ...Uses) { s.users = append(s.users, users...) }

// Leave removes what goes with a zone that is being deleted: it is no reason to keep the zone.
type Leave func(ctx context.Context, tx db.Tx, id uid.Zone) error

// GoesWith says what goes with zones. It is called before the service is used.
func (s *Service) GoesWith(leave ...Leave) { s.leaves = append(s.leaves, leave...) }

// unused refuses a place where something is still.
func (s *Service) unused(ctx context.Context, tx db.Tx, kind, name string, p Place) error {
	var there []string
	for _, uses := range append([]Uses{countPlaces}, s.users...) {
		counts, err := uses(ctx, tx, p)
		if err != nil {
			return err
		}
		for _, c := range counts {
			if c.N > 0 {
				there = append(there, fault.Count(c.N, c.Thing))
			}
		}
	}
	if len(there) == 0 {
		return nil
	}
	list := there[len(there)-1]
	if len(there) > 1 {
		list = strings.Join(there[:len(there)-1], ", ") + " and " + list
	}
	return fault.Conflictf("%s %q has %s: delete those first", kind, name, list)
}
