package host

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Told is what a host's agent says of itself.
type Told struct {
	Version      string
	Capabilities string // with commas between
}

// Answered notes that a host's agent is there: what it says of itself, and that the host is Up, if it is one that is asked for its
// health. Rounds of those would find out later. It tells whether there is such a host, or is soon to be.
func (s *Service) Answered(ctx context.Context, id uid.Host, t Told) (bool, error) {
	h, err := Find(ctx, s.db.Read(), id)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	if h.AgentVersion != t.Version || h.Capabilities != t.Capabilities {
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return setTold(ctx, tx, id, t) }); err != nil {
			return true, err
		}
	}
	h, ours, err := tended(ctx, s.db.Read(), id)
	if err != nil || !ours {
		return true, err
	}
	return true, s.note(ctx, h, nil)
}

// NameOf gives the name of the host that a URL names, as [Service.Join] has it.
func NameOf(url string) (string, error) {
	name, _, err := fromURL(url)
	return name, err
}
