package network

import (
	"context"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// CardFilter says which NICs of a machine a list shows. Zero fields but VM don't restrict.
type CardFilter struct {
	VM      uid.VM
	ID      uid.NIC
	Network uid.Network
	Keyword string // in the network's name or the MAC address
	Offset  int
	Limit   int // 0 or less: all
}

// Cards gives a page of a machine's NICs as they are shown, by device, and how many there are in all.
func (s *Service) Cards(ctx context.Context, f CardFilter) ([]Card, int, error) {
	var rows []nicRow
	q := s.db.Read().NewSelect().Model(&rows).Where("c.vm_id = ?", f.VM).Order("c.device")
	db.Equal(q, "c.id", f.ID)
	db.Equal(q, "c.network_id", f.Network)
	if f.Keyword != "" {
		q.Join("join networks as n on n.id = c.network_id")
		db.Like(q, f.Keyword, "n.name", "c.mac")
	}
	n, err := db.Page(ctx, q, f.Offset, f.Limit)
	if err != nil || len(rows) == 0 {
		return nil, n, err
	}
	of, err := CardsOf(ctx, s.db.Read(), []uid.VM{f.VM})
	if err != nil {
		return nil, 0, err
	}
	byID := map[uid.NIC]Card{}
	for _, c := range of[f.VM] {
		byID[c.ID] = c
	}
	out := make([]Card, 0, len(rows))
	for _, r := range rows {
		if c, ok := byID[r.ID]; ok {
			out = append(out, c)
		}
	}
	return out, n, nil
}
