package network

import (
	"context"
	"net"
	"strings"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/uid"
)

type networkRow struct {
	bun.BaseModel `bun:"table:networks,alias:n"`
	Network
}

type nicRow struct {
	bun.BaseModel `bun:"table:nics,alias:c"`
	NIC
}

func insert(ctx context.Context, tx db.Tx, row any) error {
	return tx.Insert(ctx, row)
}

var selectLocked = db.PrepareEach("select * from networks where id = ? and removed is null",
	"select * from networks where id = ? and removed is null for update")

func first(rows []networkRow) (n Network) {
	if len(rows) > 0 {
		n = rows[0].Network
	}
	return n
}

// Lock gives a network within a scope and keeps others from changing it until the transaction's end.
func Lock(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.Network) (Network, error) {
	if scope.All {
		var rows []networkRow
		if err := tx.Select(ctx, selectLocked, &rows, id); err != nil || len(rows) > 0 {
			return first(rows), err
		}
		return Network{}, fault.Missing(id)
	}
	var row networkRow
	q := tx.NewSelect().Model(&row).Where("n.id = ? and n.removed is null", id)
	err := tx.Lock(scope.Where(q, "n")).Scan(ctx)
	if db.IsNone(err) {
		return Network{}, fault.Missing(id)
	}
	return row.Network, err
}

// lock gives several networks within a scope and keeps others from changing them until the transaction's end. Whoever locks
// more than one uses this, and no other way: they are locked in the order of their ids, so that two who want the same ones
// never wait for each other, whatever order their users named them in.
func lock(ctx context.Context, tx db.Tx, scope auth.Scope, ids []uid.Network) (map[uid.Network]Network, error) {
	networks := make(map[uid.Network]Network, len(ids))
	switch len(ids) {
	case 0:
		return networks, nil
	case 1: // nearly always; its query is prepared
		n, err := Lock(ctx, tx, scope, ids[0])
		networks[ids[0]] = n
		return networks, err
	}
	var rows []networkRow
	q := scope.Where(tx.NewSelect().Model(&rows), "n").Where("n.id in (?) and n.removed is null", bun.List(ids)).Order("n.id")
	if err := tx.Lock(q).Scan(ctx); err != nil {
		return nil, err
	}
	for _, r := range rows {
		networks[r.ID] = r.Network
	}
	for _, id := range ids {
		if _, ok := networks[id]; !ok {
			return nil, fault.Missing(id)
		}
	}
	return networks, nil
}

// isolatedOf gives an account's networks in a zone from which a deployment may choose: two at most, which is too many.
func isolatedOf(ctx context.Context, tx db.Tx, account uid.Account, zone uid.Zone) ([]Network, error) {
	var rows []networkRow
	err := tx.NewSelect().Model(&rows).Where("n.account_id = ? and n.zone_id = ? and n.guest_type = ?", account, zone, offering.Isolated).
		Where("n.state <> ? and n.removed is null", Destroyed).
		Where(`n.offering_id in (select id from network_offerings where services like '%"name":"SourceNat"%')`).
		Limit(2).Scan(ctx)
	out := make([]Network, len(rows))
	for i, r := range rows {
		out[i] = r.Network
	}
	return out, err
}

func markAutomatic(ctx context.Context, tx db.Tx, id uid.Network) error {
	_, err := tx.NewRaw("update networks set automatic = true where id = ?", id).Exec(ctx)
	return err
}

// opened is a network in which addresses can be taken, with what there is to know before.
type opened struct {
	Network
	hopeful bool // it is not locked: the counter's next address is to be had, if nothing is in the way
	back    []IP // an address that was given back, if there is one
	taken   []IP // the counter's next address, if somebody has it already
}

// open locks networks as [lock] does, but for one alone, from which any address will do: nearly always it is that, and nearly
// always the counter's next one is free. So on PostgreSQL, where everybody who deploys into a network waits for as long as it
// is locked, the first attempt hopes for that, and locks nothing before the transaction's last journey. Beside those in scope it
// gives those that the owner may use because they are for a whole domain.
func open(ctx context.Context, tx db.Tx, scope auth.Scope, owner uid.Account, wanted []Wanted) (map[uid.Network]*opened, error) {
	networks := make(map[uid.Network]*opened, len(wanted))
	if len(wanted) == 1 && wanted[0].IP == "" && wanted[0].IP6 == "" && tx.Postgres && tx.Attempt == 0 && (scope.All || scope.Account != "") {
		id := wanted[0].Network
		var rows []networkRow
		if err := tx.Select(ctx, selectOwned, &rows, id, scope.Account, scope.Account); err != nil {
			return nil, err
		}
		// Elsewhere the lock is all that keeps the network from being deleted meanwhile.
		if len(rows) > 0 && rows[0].GuestType == offering.Isolated {
			networks[id] = &opened{Network: rows[0].Network, hopeful: true}
			return networks, nil
		}
	}
	ids := make([]uid.Network, len(wanted))
	for i, w := range wanted {
		ids[i] = w.Network
	}
	locked, err := lock(ctx, tx, scope, ids)
	if fault.Is(err, fault.NotFound) {
		locked, err = lockShared(ctx, tx, scope, owner, ids)
	}
	if err != nil {
		return nil, err
	}
	var questions []db.Question
	for _, id := range ids {
		n := &opened{Network: locked[id]}
		networks[id] = n
		questions = append(questions, db.Asking(givenBack, &n.back, id), db.Asking(nextTaken, &n.taken, id))
	}
	return networks, tx.Ask(ctx, questions...)
}

var (
	selectOwned = db.Prepare("select * from networks where id = ? and (cast(? as text) = '' or account_id = ?) and removed is null")
	givenBack   = db.Prepare("select ip from free_ips where network_id = ? order by ip limit 1")
	nextTaken   = db.Prepare("select c.ip from networks n join nics c on c.network_id = n.id and c.ip = n.next_ip where n.id = ?")
	unfreeIP    = db.Prepare("delete from free_ips where network_id = ? and ip = ?")
	updateNext  = db.Prepare("update networks set next_ip = ?, revision = revision + 1 where id = ?")
	usedIP      = db.Prepare("select ip from nics where network_id = ? and ip = ?")

	// hopedIP gives a NIC the counter's next address, unless anything is to be considered first. (Not exists, PostgreSQL would
	// turn into a look at all NICs of the network.)
	hopedIP = db.PrepareEach("", `with counter as (update networks n set next_ip = next_ip + 1, revision = revision + 1
			where id = ? and removed is null and state <> ? and next_ip <= end_ip and next_ip <> ?
			and (select min(f.ip) from free_ips f where f.network_id = n.id) is null
			and (select min(c.ip) from nics c where c.network_id = n.id and c.ip = n.next_ip) is null
			returning next_ip - 1 as ip, revision),
		given as (update nics set ip = counter.ip, told = counter.revision from counter where nics.id = ? returning 1)
		select 1 / count(*) from given`).Hot()
)

// insertNext adds a NIC with the counter's next address.
func (n *opened) insertNext(ctx context.Context, tx db.Tx, nic NIC) error {
	gateway, err := subnet.ParseIP("gateway", n.Gateway)
	if err == nil {
		err = insert(ctx, tx, &nicRow{NIC: nic})
	}
	if err != nil {
		return err
	}
	careful := func(context.Context, db.Tx) error { return db.ErrAgain }
	return tx.Must(ctx, hopedIP, careful, n.ID, Destroyed, gateway, nic.ID)
}

func unfree(ctx context.Context, tx db.Tx, id uid.Network, ip IP) error {
	return tx.Later(ctx, unfreeIP, id, ip)
}

func setNextIP(ctx context.Context, tx db.Tx, id uid.Network, ip IP) error {
	return tx.Later(ctx, updateNext, ip, id)
}

var (
	touch      = db.Prepare("update networks set revision = revision + 1, retold = revision + 1 where id = ?")
	touchRules = db.Prepare("update networks set revision = revision + 1 where id = ?")
	// Networks are locked in the order of their ids, as everywhere, or transactions wait for each other.
	touchOf = db.PrepareEach("update networks set revision = revision + 1 where routed and id in (select network_id from nics where vm_id = ?)",
		`with n as materialized (select id from networks where routed and id in (select network_id from nics where vm_id = ?) order by id for update)
			update networks set revision = revision + 1 where id in (select id from n)`)
	tell       = db.Prepare(`update nics set told = n.revision from networks n where n.id = nics.network_id and n.routed and nics.vm_id = ?`)
	gone       = db.Prepare("insert into gone_nics (network_id, told, nic_id) values (?, ?, ?)")
	forgetGone = db.Prepare("delete from gone_nics where network_id = ? and told <= ?")
)

// Touch says that a network's router must be something else than before, or know something else, and all of its guests perhaps, too.
func Touch(ctx context.Context, tx db.Tx, id uid.Network) error { return tx.Later(ctx, touch, id) }

// TouchRules is [Touch] for what guests are not told: their router gets to know of those only that have changed.
func TouchRules(ctx context.Context, tx db.Tx, id uid.Network) error {
	return tx.Later(ctx, touchRules, id)
}

// TouchOf says that the routers of all networks of a machine must know something else of it.
func TouchOf(ctx context.Context, tx db.Tx, vm uid.VM) error {
	if err := tx.Later(ctx, touchOf, vm); err != nil {
		return err
	}
	return tx.Later(ctx, tell, vm)
}

// touchGone says that a network's router must not know a NIC any more. The network is locked.
func touchGone(ctx context.Context, tx db.Tx, n Network, id uid.NIC) error {
	if err := tx.Later(ctx, gone, n.ID, n.Revision+1, id); err != nil {
		return err
	}
	return TouchRules(ctx, tx, n.ID)
}

var goneSince = db.Prepare("select nic_id from gone_nics where network_id = ? and told > ?")

// GoneSince gives the NICs that a network has lost since a revision: those that a router which was told of that one may still know.
func GoneSince(ctx context.Context, q db.Tx, id uid.Network, revision int64) (nics []uid.NIC, err error) {
	err = q.Select(ctx, goneSince, &nics, id, revision)
	return nics, err
}

// ForgetGone forgets which NICs a network had lost at a revision: its router knows that, or there is none that could know them.
func ForgetGone(ctx context.Context, tx db.Tx, id uid.Network, revision int64) error {
	return tx.Later(ctx, forgetGone, id, revision)
}

func isUsed(ctx context.Context, tx db.Tx, id uid.Network, ip IP) (bool, error) {
	var found []IP
	err := tx.Select(ctx, usedIP, &found, id, ip)
	return len(found) > 0, err
}

// dropNIC removes a NIC. Its address is remembered as free if the counter has passed it; else the counter will come by.
func dropNIC(ctx context.Context, tx db.Tx, nic NIC) error {
	if nic.IP != 0 {
		_, err := tx.NewRaw(`insert into free_ips (network_id, ip) select id, ? from networks where id = ? and next_ip > ?
			on conflict do nothing`, nic.IP, nic.Network, nic.IP).Exec(ctx)
		if err != nil {
			return err
		}
	}
	_, err := tx.NewRaw("delete from nics where id = ?", nic.ID).Exec(ctx)
	return err
}

// checkMAC gives a MAC address in the form in which it is stored, if it may be used.
func checkMAC(ctx context.Context, tx db.Tx, text string) (string, error) {
	m, err := net.ParseMAC(text)
	if err != nil || len(m) != 6 || m[0]&1 != 0 {
		return "", fault.Invalidf("macaddress %q is not a unicast MAC address like 02:00:00:ab:cd:ef", text)
	}
	var used bool
	err = tx.NewRaw("select exists (select 1 from nics where mac = ?)", strings.ToLower(m.String())).Scan(ctx, &used)
	if err == nil && used {
		return "", fault.Conflictf("MAC address %s is in use by another machine", m)
	}
	return strings.ToLower(m.String()), err
}

var (
	nicsOfOne  = db.Prepare("select * from nics where vm_id = ? order by device")
	nicsOfMany = db.PrepareMany("select * from nics where vm_id in (?) order by vm_id, device")
)

// NICsOf gives the NICs of machines, each machine's by device, in one query.
func NICsOf(ctx context.Context, q db.Tx, vms []uid.VM) (map[uid.VM][]NIC, error) {
	nics := map[uid.VM][]NIC{}
	var rows []nicRow
	switch len(vms) {
	case 0:
		return nics, nil
	case 1:
		err := q.Select(ctx, nicsOfOne, &rows, vms[0])
		for _, r := range rows {
			nics[r.VM] = append(nics[r.VM], r.NIC)
		}
		return nics, err
	}
	rows, err := db.Rows[nicRow](ctx, q, nicsOfMany, vms)
	for _, r := range rows {
		nics[r.VM] = append(nics[r.VM], r.NIC)
	}
	return nics, err
}

var byIDs = db.PrepareMany("select * from networks where id in (?)")

// ByID gives networks by their ids, removed ones too, in one query.
func ByID(ctx context.Context, q db.Tx, ids []uid.Network) (map[uid.Network]Network, error) {
	return db.ByID(ctx, q, byIDs, ids, func(r networkRow) (uid.Network, Network) { return r.ID, r.Network })
}

// Card is a NIC as it is shown, with what its network says of it. Its gateway and netmask are those that hold.
type Card struct {
	NIC
	NetworkName string
	GuestType   offering.GuestType
	TrafficType string
	VLAN        int    `bun:"vlan"`     // 0 until implemented
	IP6CIDR     string `bun:"ip6_cidr"` // "" where there is no IPv6
	IP6Gateway  string `bun:"ip6_gateway"`
}

var cards = db.PrepareMany(`select c.id, c.vm_id, c.network_id, c.device, c.ip, c.ip6, c.mac, c.is_default,
	case when c.gateway = '' then n.gateway else c.gateway end as gateway, case when c.netmask = '' then n.netmask else c.netmask end as netmask,
	n.name as network_name, n.guest_type, n.traffic_type, coalesce(n.vlan, 0) as vlan, n.ip6_cidr, n.ip6_gateway
	from nics c join networks n on n.id = c.network_id where c.vm_id in (?) order by c.vm_id, c.device`)

// CardsOf gives machines' NICs as they are shown, each machine's by device, in one query.
func CardsOf(ctx context.Context, q db.Tx, vms []uid.VM) (map[uid.VM][]Card, error) {
	of := make(map[uid.VM][]Card, len(vms))
	rows, err := db.Rows[Card](ctx, q, cards, vms)
	for _, c := range rows {
		of[c.VM] = append(of[c.VM], c)
	}
	return of, err
}

// Names gives the names of networks, removed ones too, in one query.
func Names(ctx context.Context, q db.Tx, ids []uid.Network) (map[uid.Network]string, error) {
	return db.Names(ctx, q, "networks", "name", ids)
}
