package meter

import (
	"context"
	"math"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Host is how busy a host is.
type Host struct {
	Host     uid.Host `bun:"host_id,pk"`
	Measured time.Time
	CPU      *int64 // that is busy, in hundredths of a percent; nil where the host could not tell yet
	Load     int64  // how many processes ran or wanted to, in the last minute, in hundredths
	MemoryKB int64  `bun:"memory_kb"` // in use
	Sent     int64  // bytes, since the host was started
	Received int64
}

// Hosts measures how busy hosts are. It is a keeper's.
func (s *Service) Hosts(ctx context.Context) error {
	if setting.HostStatsInterval.Of(s.settings) == 0 {
		return nil
	}
	err := round(ctx, s, host.Answering, func(ctx context.Context, d hypervisor.Driver, id uid.Host) (hypervisor.Load, error) {
		g, err := able[hypervisor.Gauge](d)
		if err != nil {
			return hypervisor.Load{}, err
		}
		return g.Load(ctx, id)
	}, s.keepHosts)
	if err != nil {
		return err
	}
	gone, err := goneHosts(ctx, s.db.Read())
	if err != nil {
		return err
	}
	return inBatches(ctx, s.db, gone, forgetHosts)
}

func (s *Service) keepHosts(ctx context.Context, said []told[hypervisor.Load]) error {
	rows := make([]hostRow, 0, len(said)) // in the order of their ids, as all rounds have them
	for _, t := range said {
		l := t.what
		if l.Average < 0 || math.IsNaN(l.Average) || min(l.MemoryKB, l.Sent, l.Received) < 0 { // no host is like that
			continue
		}
		h := Host{Host: t.host, Measured: t.at, Load: int64(math.Round(min(l.Average, math.MaxInt32) * 100)), MemoryKB: l.MemoryKB,
			Sent: l.Sent, Received: l.Received}
		if l.CPU != nil && *l.CPU >= 0 && *l.CPU <= 1 {
			h.CPU = new(int64(math.Round(*l.CPU * 100 * 100)))
		}
		rows = append(rows, hostRow{Host: h})
	}
	return inBatches(ctx, s.db, rows, putHosts)
}

// OfHosts gives how busy hosts are, of those that were looked at lately, in one query.
func (s *Service) OfHosts(ctx context.Context, q db.Tx, ids []uid.Host) (map[uid.Host]Host, error) {
	found, err := hostsByID(ctx, q, ids)
	since := s.since(setting.HostStatsInterval)
	for id, h := range found {
		if h.Measured.Before(since) {
			delete(found, id)
		}
	}
	return found, err
}
