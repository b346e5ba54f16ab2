package placement

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// offer is a candidate with one of the pools that it reaches.
type offer struct {
	bun.BaseModel `bun:"table:hosts,alias:h"`
	candidate
	Load int64
	Kind int // of the kinds of disks that are wanted
	Pool uid.Pool
	Room int64
}

// offers are the candidates of a placement, in their query's order, with the pools that they reach.
type offers struct {
	hosts []candidate
	pools reached
	at    time.Time
}

// remembered are the offers of a moment ago, by what was asked. Many placements at once want much the same of the same hosts: in a
// big cloud they go by what one of them has read. What an offer says may have changed by then; taking it tells.
type remembered struct {
	mu sync.Mutex
	of map[string]offers
}

const (
	offerServes = 50 * time.Millisecond
	mostOffers  = 100 // that are remembered
)

func (r *remembered) find(key string, now time.Time) (offers, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.of[key]
	if !ok {
		return offers{}, false
	}
	if age := now.Sub(o.at); age > offerServes || age < -tooFar {
		renewed := o // the others go on with the old ones meanwhile
		renewed.at = now
		r.of[key] = renewed
		return offers{}, false
	}
	return o, true
}

func (r *remembered) keep(key string, o offers) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of == nil || len(r.of) >= mostOffers {
		r.of = map[string]offers{}
	}
	r.of[key] = o
}

// offers gives what a search finds, or found a moment ago if that will do.
func (s *Service) offers(ctx context.Context, q db.Tx, l *look, only uid.Host, old bool) (o offers, err error) {
	if len(l.Disks) == 0 {
		o.hosts, err = l.candidates(ctx, q, only, tries)
		return o, err
	}
	query := l.offersQuery(only)
	if only != "" || !s.rooms.big() || len(l.Addresses) > 0 { // whose hosts with an address differ from machine to machine
		return l.readOffers(ctx, q, query)
	}
	key := query.sql + fmt.Sprint(query.args...)
	if known, ok := s.remembered.find(key, q.Now); ok && old {
		known.hosts = slices.Clone(known.hosts) // which will be put in order
		return known, nil
	}
	if o, err = l.readOffers(ctx, q, query); err == nil && len(o.hosts) > 0 {
		s.remembered.keep(key, offers{slices.Clone(o.hosts), o.pools, q.Now})
	}
	return o, err
}

// offersQuery asks for the candidates and all their pools at once.
func (l *look) offersQuery(only uid.Host) clause {
	kept := l.kept(candidateColumns+", h.zone_id, h.hypervisor, "+load+" as load", only, tries)
	c := is("with c as materialized (").join(kept, is(") select * from ("))
	for n, k := range kinds(l.Disks) {
		for i, way := range k.ways() {
			if n+i > 0 {
				c = c.join(is(" union all "))
			}
			c = c.join(is("select "+candidateColumns+", h.load, cast("+strconv.Itoa(n)+" as bigint) as kind, p.id as pool, "), l.poolRoom(),
				is(" as room from c h join storage_pools p on "+way+" where "), l.usable(k.kind))
		}
	}
	order := "load, id, room desc, pool"
	if l.algorithm == firstFit {
		order = "id, room desc, pool"
	}
	return c.join(is(") o order by " + order))
}

func (l *look) readOffers(ctx context.Context, q db.Tx, query clause) (offers, error) {
	var rows []offer
	if err := ask(ctx, q, &rows, query); err != nil {
		return offers{}, err
	}
	kinds := kinds(l.Disks)
	o := offers{pools: reached{}}
	for _, r := range rows {
		if o.pools[r.ID] == nil {
			r.place = len(o.hosts)
			o.hosts, o.pools[r.ID] = append(o.hosts, r.candidate), pools{}
		}
		k := kinds[r.Kind].kind
		o.pools[r.ID][k] = append(o.pools[r.ID][k], room{ID: r.Pool, Room: r.Room})
	}
	return o, nil
}
