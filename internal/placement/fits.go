package placement

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Fit is whether a machine could go to a host.
type Fit struct {
	OK     bool
	Copies bool   // the host does not reach all of its disks: they would be copied
	Why    string // it could not; "" where it could
}

// Fits tells of each of some hosts whether a machine, for which w is wanted, could go there with its disks. It changes nothing.
func (s *Service) Fits(ctx context.Context, q db.Tx, w Want, disks []Moving, hosts []uid.Host) (map[uid.Host]Fit, error) {
	out := map[uid.Host]Fit{}
	for _, left := range ways(disks, true) {
		l, err := s.look(ctx, q, w.leaving(left, disks), true)
		if err != nil {
			return nil, err
		}
		rows, err := l.these(ctx, q, hosts)
		if err != nil {
			return nil, err
		}
		usable, err := l.poolsOf(ctx, q, hosts)
		if err != nil {
			return nil, err
		}
		for _, h := range rows {
			was, seen := out[h.ID]
			now := Fit{Copies: left != nil}
			switch {
			case was.OK:
				continue
			case w.Pod != "" && w.Pod != h.Pod:
				now.Why = "in another pod than the machine's address"
			case h.Dropped >= 0:
				now.Why = l.filters[h.Dropped].why(h)
				now.Copies = now.Copies || l.filters[h.Dropped].name == unreached
			case len(usable[h.ID].choose(l.Disks)) < len(l.Disks):
				now.Why = "not enough primary storage for all disks together"
			default:
				now.OK = true
			}
			if seen && !now.OK { // what it reaches, it need not have copied
				now.Copies = was.Copies
			}
			out[h.ID] = now
		}
	}
	return out, nil
}
