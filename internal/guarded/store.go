// Package guarded tells which machines have which security groups, and where they are.
package guarded

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/uid"
)

// Machines is a [secgroup.Machines].
type Machines struct{}

// guarding tells of an offering, o, that its networks have security groups.
const guarding = `o.services like '%"name":"SecurityGroup"%'`

// HostsOf gives the hosts on which machines of some groups are, or are soon to be.
func (Machines) HostsOf(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (hosts []uid.Host, err error) {
	err = q.NewRaw(`select v.host_id from security_group_vms m join vms v on v.id = m.vm_id where m.group_id in (?) and v.host_id is not null
		union select v.to_host_id from security_group_vms m join vms v on v.id = m.vm_id
			where m.group_id in (?) and v.to_host_id is not null order by 1`, bun.List(ids), bun.List(ids)).Scan(ctx, &hosts)
	return hosts, err
}

// CardsOn gives the cards of a host's machines in networks with security groups, and of those that are moving there.
func (Machines) CardsOn(ctx context.Context, q db.Tx, host uid.Host) (cards []secgroup.Card, err error) {
	err = q.NewRaw(`select c.id as nic, c.vm_id as vm from vms v join nics c on c.vm_id = v.id join networks n on n.id = c.network_id
		join network_offerings o on o.id = n.offering_id 
		where (v.host_id = ? or v.to_host_id = ?) and v.removed is null and `+guarding+` order by c.id`, host, host).
		Scan(ctx, &cards)
	return cards, err
}

// AddressesOf gives the addresses by which machines of groups are known, whether they run or not.
func (Machines) AddressesOf(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (map[uid.SecurityGroup][]string, error) {
	out := map[uid.SecurityGroup][]string{}
	var rows []struct {
		GroupID uid.SecurityGroup
		IP      network.IP `bun:"ip,nullzero"`
		IP6     string     `bun:"ip6"`
	}
	err := q.NewRaw(`select m.group_id, c.ip, c.ip6 from security_group_vms m join vms v on v.id = m.vm_id join nics c on c.vm_id = v.id
		join networks n on n.id = c.network_id join network_offerings o on o.id = n.offering_id
		where m.group_id in (?) and v.removed is null and v.state not in ('Destroyed', 'Expunging', 'Error') and `+guarding+`
		order by m.group_id, c.ip, c.ip6`, bun.List(ids)).Scan(ctx, &rows)
	for _, r := range rows {
		if r.IP != 0 {
			out[r.GroupID] = append(out[r.GroupID], r.IP.String())
		}
		if r.IP6 != "" {
			out[r.GroupID] = append(out[r.GroupID], r.IP6)
		}
	}
	return out, err
}
