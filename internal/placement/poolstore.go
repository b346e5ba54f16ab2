package placement

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

const gb = int64(1) << 30

// kind is what disks have in common that may stand in the same pools.
type kind struct {
	local bool
	tags  string // sorted, with commas between them
}

func (d Disk) kind() kind {
	tags := slices.Sorted(slices.Values(d.Tags))
	return kind{d.Local, strings.Join(slices.Compact(tags), ",")}
}

func (k kind) split() []string {
	if k.tags == "" {
		return nil
	}
	return strings.Split(k.tags, ",")
}

func (k kind) String() string {
	text := "shared"
	if k.local {
		text = "local"
	}
	if k.tags != "" {
		text += ", tags " + strings.ReplaceAll(k.tags, ",", " ")
	}
	return text
}

// wanted is a kind of disk that is wanted, and the biggest one of it.
type wanted struct {
	kind
	most int64
}

func (w wanted) String() string { return fmt.Sprintf("%d GB, %s", (w.most+gb-1)/gb, w.kind) }

// kinds are the kinds of some disks, in their order.
func kinds(disks []Disk) (out []wanted) {
	for _, d := range disks {
		i := slices.IndexFunc(out, func(w wanted) bool { return w.kind == d.kind() })
		if i < 0 {
			i, out = len(out), append(out, wanted{kind: d.kind()})
		}
		out[i].most = max(out[i].most, d.Bytes)
	}
	return out
}

// ways are the ways in which hosts, as h, reach pools, as p: each can be looked up by an index.
func (k kind) ways() []string {
	if k.local {
		return []string{"p.host_id = h.id"}
	}
	return []string{"p.cluster_id = h.cluster_id and p.scope = 'CLUSTER'",
		"p.zone_id = h.zone_id and p.scope = 'ZONE' and (p.hypervisor = '' or lower(p.hypervisor) in (lower(h.hypervisor), 'any'))"}
}

// usable holds for pools of which disks of the kind may be made.
func (l *look) usable(k kind) clause {
	c := is("p.state = 'Up' and p.removed is null")
	for _, tag := range k.split() {
		c = c.join(is(" and "), l.tagged("p.tags", tag))
	}
	return c
}

// mostRoom is the room in the emptiest usable pool that a host reaches, -1 where there is none.
func (l *look) mostRoom(k kind) clause {
	c := is("coalesce((select max(x.room) from (")
	for i, way := range k.ways() {
		if i > 0 {
			c = c.join(is(" union all "))
		}
		c = c.join(is("select "), l.poolRoom(), is(" as room from storage_pools p where "+way+" and "), l.usable(k))
	}
	return c.join(is(") x), -1)"))
}

// poolRoom is how many bytes of a pool may still be given away, at least 0.
func (l *look) poolRoom() clause {
	room := is("cast(p.bytes_total * ").join(l.poolPart, is(" as bigint) - p.bytes_used"))
	return is("(case when ").join(room, is(" < 0 then 0 else "), room, is(" end)"))
}

// poolThreshold is the part of a pool that may be given away: the zone's, but for pools that have one of their own.
func (l *look) poolThreshold() clause {
	c := is("cast(? as double precision)", setting.StorageDisableThreshold.Of(l.settings, setting.InZone(l.Zone)))
	own := map[string]float64{}
	for place, part := range setting.StorageDisableThreshold.Own(l.settings) {
		if place.Scope == setting.OfPool {
			own[place.ID] = part
		}
	}
	if len(own) == 0 {
		return c
	}
	get := `cast(json_extract(?, '$."' || p.id || '"') as double precision)`
	if l.postgres {
		get = "cast(cast(? as jsonb) ->> p.id as double precision)"
	}
	return is("coalesce("+get+", ", asJSON(own)).join(c, is(")"))
}

// unreached is the filter about the disks that a machine has already.
const unreached = "disks"

// reachMade are the filters that keep the hosts which reach the disks that the machine has already.
func (l *look) reachMade(ctx context.Context, q db.Tx) (all []filter, err error) {
	if len(l.Made) == 0 {
		return nil, nil
	}
	pools, err := pool.ByID(ctx, q, l.Made)
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(l.Made))) {
		p, ok := pools[id]
		if !ok {
			return nil, fault.Missing(id)
		}
		f := filter{
			name: unreached, sum: "out of reach of its disks", counted: true,
			why: func(lost) string {
				return fmt.Sprintf("out of reach of storage pool %s, where the machine has a disk", p.Name)
			},
		}
		switch p.Scope {
		case pool.HostOnly:
			f.keep = is("h.id = ?", p.Host)
		case pool.ZoneWide:
			f.keep = is("h.zone_id = ?", p.Zone)
		default:
			f.keep = is("h.cluster_id = ?", p.Cluster)
		}
		all = append(all, f)
	}
	return all, nil
}

// room is a pool that a host reaches, with how many bytes of it may still be given away.
type room struct {
	bun.BaseModel `bun:"table:storage_pools,alias:p"`
	ForHost       uid.Host
	ID            uid.Pool
	Room          int64
}

// pools are those that a host reaches for each kind of disk, the emptiest first.
type pools map[kind][]room

type reached map[uid.Host]pools

// choose gives a pool for each disk, the emptiest that it fits into, or none where one of them fits nowhere.
func (p pools) choose(disks []Disk) (chosen []uid.Pool) {
	given := map[uid.Pool]int64{}
	for _, d := range disks {
		best, left := uid.Pool(""), int64(-1)
		for _, r := range p[d.kind()] {
			if after := r.Room - given[r.ID] - d.Bytes; after > left {
				best, left = r.ID, after
			}
		}
		if best == "" {
			return nil
		}
		given[best] += d.Bytes
		chosen = append(chosen, best)
	}
	return chosen
}

// poolsOf gives the pools that hosts reach, by one query for each kind of disk that is wanted.
func (l *look) poolsOf(ctx context.Context, q db.Tx, hosts []uid.Host) (reached, error) {
	out := reached{}
	for _, id := range hosts {
		out[id] = pools{}
	}
	for _, k := range kinds(l.Disks) {
		c := is("")
		for i, way := range k.ways() {
			if i > 0 {
				c = c.join(is(" union all "))
			}
			c = c.join(is("select h.id as for_host, p.id as id, "), l.poolRoom(), is(" as room from hosts h join storage_pools p on "+way+" where "))
			if len(hosts) == 1 {
				c = c.join(is("h.id = ? and ", hosts[0]))
			} else {
				c = c.join(is("h.id in "+l.elements()+" and ", asJSON(hosts)))
			}
			c = c.join(l.usable(k.kind))
		}
		var rows []room
		if err := ask(ctx, q, &rows, c.join(is(" order by room desc, id"))); err != nil {
			return nil, err
		}
		for _, r := range rows {
			out[r.ForHost][k.kind] = append(out[r.ForHost][k.kind], r)
		}
	}
	return out, nil
}
