package setting

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/db"
)

// Around gives the places whose values hold in a place that has none of its own, the nearest first: the domains above a domain, an
// account's domain and those above, the zone of a cluster or a pool.
type Around func(ctx context.Context, q db.Tx, at Place) ([]Place, error)

// Surround says what is around places. It is called before the settings are used.
func (s *Settings) Surround(around Around) { s.around = around }

// lookUp is how long it may take to find out what lies above a domain.
const lookUp = 5 * time.Second

// aboveDomain gives the domains above one, the nearest first. They are asked for once: a domain stays where it is.
func (s *Settings) aboveDomain(at Place) []Place {
	if found, ok := s.above.Load(at.ID); ok {
		return found.([]Place)
	}
	if s.around == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), lookUp)
	defer cancel()
	found, err := s.around(ctx, s.db.Read(), at)
	if err != nil {
		s.log.Error("can't find the domains above a domain, whose settings it has", "domain", at.ID, "error", err)
		return nil
	}
	if len(found) > 0 { // else it is ROOT, or was not there yet
		s.above.Store(at.ID, found)
	}
	return found
}

// holding gives the places whose values hold in a place, itself first.
func (s *Settings) holding(ctx context.Context, q db.Tx, at Place) ([]Place, error) {
	if at.Scope == Global || s.around == nil {
		return []Place{at}, nil
	}
	around, err := s.around(ctx, q, at)
	if err != nil {
		return nil, fmt.Errorf("find what is around %s %s: %w", at.Scope, at.ID, err)
	}
	return append([]Place{at}, around...), nil
}
