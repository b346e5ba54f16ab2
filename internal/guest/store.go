package guest

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/uid"
)

// guest is a card with what its network's router is to know of its machine.
type guest struct {
	bun.BaseModel `bun:"table:nics,alias:c"`
	network.NIC
	Name     string
	Offering string // the name of its service offering
	UserData string
	SSHKeys  string `bun:"ssh_keys"`
	Password string // sealed
	There    bool   // whether its router is to know it
}

// NetworksInUse is a [router.InUse].
func NetworksInUse(ctx context.Context, q db.Tx, networks []uid.Network) (used []uid.Network, err error) {
	err = q.NewRaw(`select distinct c.network_id from nics c join vms v on v.id = c.vm_id
		where c.network_id in (?) and v.removed is null and v.host_id is not null`, bun.List(networks)).Scan(ctx, &used)
	return used, err
}

// WaitingOn gives the passwords that wait for guests of a host's routers and need not be kept once these have them: the one who had a
// password made can see it as long as the job that made it can be asked for, and no longer.
func WaitingOn(ctx context.Context, q db.Tx, on uid.Host) (map[uid.NIC]router.Waiting, error) {
	var rows []struct {
		ID uid.NIC
		router.Waiting
	}
	err := q.NewRaw(`select c.id, c.vm_id, v.password as sealed from routers r join nics c on c.network_id = r.network_id join vms v on v.id = c.vm_id
		where r.host_id = ? and r.removed is null and c.is_default and v.removed is null and v.password <> ''
		and not exists (select 1 from operations o where o.account_id = v.account_id and o.subject_id = v.id)`, on).Scan(ctx, &rows)
	out := map[uid.NIC]router.Waiting{}
	for _, r := range rows {
		out[r.ID] = r.Waiting
	}
	return out, err
}

// inPod tells whether a card has an address of a pod's, where one is said.
const inPod = `(cast(? as text) = '' or exists (select 1 from public_ips a join ip_ranges g on g.id = a.range_id
	where a.vm_id = c.vm_id and a.network_id = c.network_id and g.pod_id = ?))`

var (
	guestsOf = db.PrepareMany(`select c.*, v.name, v.user_data, v.ssh_keys, v.password, coalesce(o.name, '') as offering, true as there
		from nics c join vms v on v.id = c.vm_id left join service_offerings o on o.id = v.service_offering_id
		where c.network_id = ? and v.removed is null and v.state not in ('Destroyed', 'Expunging', 'Error') and ` + inPod + " order by c.ip")
	guestsSince = db.PrepareMany(`select c.*, v.name, v.user_data, v.ssh_keys, v.password, coalesce(o.name, '') as offering,
		v.removed is null and v.state not in ('Destroyed', 'Expunging', 'Error') and ` + inPod + ` as there
		from nics c join vms v on v.id = c.vm_id left join service_offerings o on o.id = v.service_offering_id
		where c.network_id = ? and c.told > ? order by c.ip`)
)

// guestsIn gives the guests of a network, whether they run or not: those that are stopped keep their names and addresses. With a
// revision it gives what has changed of them since; with a pod, only those are there that have an address of it.
func guestsIn(ctx context.Context, q db.Tx, id uid.Network, pod uid.Pod, since int64) (guests []guest, err error) {
	if since > 0 {
		err = q.Select(ctx, guestsSince, &guests, pod, pod, id, since)
		return guests, err
	}
	err = q.Select(ctx, guestsOf, &guests, id, pod, pod)
	return guests, err
}

// wire is a card with what a machine must know in order to use it.
type wire struct {
	bun.BaseModel `bun:"table:nics,alias:c"`
	network.NIC
	Serves     bool // the network's router gives the address
	DNS1, DNS2 string
}

var (
	machineRow = db.Prepare(`select v.name, v.user_data, v.ssh_keys, coalesce(o.name, '') as offering, z.name as zone from vms v
		join zones z on z.id = v.zone_id left join service_offerings o on o.id = v.service_offering_id where v.id = ?`)
	wiresOf = db.Prepare(`select c.id, c.vm_id, c.network_id, c.device, c.ip, c.ip6, c.mac, c.is_default, c.told, c.created,
		coalesce(nullif(c.gateway, ''), n.gateway) as gateway, coalesce(nullif(c.netmask, ''), n.netmask) as netmask,
		o.services like '%"name":"Dhcp","provider":"VirtualRouter"%' as serves,
		coalesce(nullif(n.dns1, ''), z.dns1) as dns1, coalesce(nullif(n.dns2, ''), z.dns2) as dns2
		from nics c join networks n on n.id = c.network_id join network_offerings o on o.id = n.offering_id join zones z on z.id = n.zone_id
		where c.vm_id = ? order by c.device`)
)

// machineOf finds what a machine is told of itself.
func machineOf(ctx context.Context, q db.Tx, id uid.VM) (machine, error) {
	var rows []struct {
		Name, Offering, Zone, UserData string
		SSHKeys                        string `bun:"ssh_keys"`
	}
	var cards []wire
	err := q.Ask(ctx, db.Asking(machineRow, &rows, id), db.Asking(wiresOf, &cards, id))
	if err == nil && len(rows) == 0 {
		err = fault.Missing(id)
	}
	if err != nil {
		return machine{}, err
	}
	r := rows[0]
	return machine{Name: r.Name, Offering: r.Offering, Zone: r.Zone, UserData: r.UserData, SSHKeys: r.SSHKeys, cards: cards}, nil
}
