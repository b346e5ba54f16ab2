package network

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

type addressRow struct {
	bun.BaseModel `bun:"table:public_ips,alias:a"`
	Address
}

const takenBy = `update public_ips set state = 'Allocated', account_id = ?, domain_id = (select domain_id from accounts where id = ?),
	network_id = ?, vm_id = nullif(?, ''), source_nat = ?, system = ?, allocated = ? where id = `

var (
	takeFreeIP = db.PrepareEach(takenBy+"(select id from public_ips where free_for = ? and state = 'Free' order by id limit 1) returning *",
		takenBy+"(select id from public_ips where free_for = ? and state = 'Free' order by id limit 1 for update skip locked) returning *")
	takeNamedIP = db.Prepare(takenBy + `(select id from public_ips where free_for = ? and ip = ? and state = 'Free')
		and state = 'Free' returning *`)
	networkHasNAT = db.Prepare("select id from public_ips where network_id = ? and source_nat")
)

const freed = "state = 'Free', account_id = null, domain_id = null, network_id = null, vm_id = null, " +
	"source_nat = ?, system = ?, display = true, allocated = null"

// user is who uses an address: a network for source NAT, or a machine in a shared network.
type user struct {
	account uid.Account
	network uid.Network
	vm      uid.VM // "" for a network's public address
	nat     bool   // for source NAT
	system  bool   // for a load balancer that named none
}

// taken gives the one address that a statement took for a user, nil where there was none.
func taken(ctx context.Context, tx db.Tx, s *db.Statement, by user, args ...any) (*Address, error) {
	var rows []addressRow
	all := append([]any{string(by.account), string(by.account), string(by.network), string(by.vm), by.nat, by.system, tx.Now}, args...)
	if err := tx.Select(ctx, s, &rows, all...); err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0].Address, nil
}

// takeFree takes the first address that is free for somebody.
func takeFree(ctx context.Context, tx db.Tx, freeFor string, by user) (*Address, error) {
	return taken(ctx, tx, takeFreeIP, by, freeFor)
}

// takeNamed takes one certain address, if it is free for somebody.
func takeNamed(ctx context.Context, tx db.Tx, freeFor string, ip IP, by user) (*Address, error) {
	return taken(ctx, tx, takeNamedIP, by, freeFor, int64(ip))
}

// takePublic takes a free public address for a network, any or (want not 0) a certain one: one that is dedicated to its account, to its
// domain, or else one of everybody's. nil: there is none.
func takePublic(ctx context.Context, tx db.Tx, n Network, want IP, by user) (a *Address, err error) {
	by.account, by.network = n.Account, n.ID
	for _, from := range []string{dedicated(n.Zone, n.Account), dedicated(n.Zone, n.Domain), string(n.Zone)} {
		if want == 0 {
			a, err = takeFree(ctx, tx, from, by)
		} else {
			a, err = takeNamed(ctx, tx, from, want, by)
		}
		if err != nil || a != nil {
			return a, err
		}
	}
	return nil, nil //nolint:nilnil // there is none
}

func hasNAT(ctx context.Context, tx db.Tx, network uid.Network) (bool, error) {
	var ids []string
	err := tx.Select(ctx, networkHasNAT, &ids, string(network))
	return len(ids) > 0, err
}

// releasePublic gives the public addresses of a network back, and tells which they were.
func releasePublic(ctx context.Context, tx db.Tx, network uid.Network) ([]Address, error) {
	var rows []addressRow
	err := tx.NewSelect().Model(&rows).Where("a.network_id = ? and a.vm_id is null", network).Order("a.id").Scan(ctx)
	for i := 0; i < len(rows) && err == nil; i++ {
		err = release(ctx, tx, rows[i].ID)
	}
	return addresses(rows), err
}

func release(ctx context.Context, tx db.Tx, id uid.PublicIP) error {
	if _, err := tx.NewRaw("update public_ips set "+freed+" where id = ?", false, false, id).Exec(ctx); err != nil {
		return err
	}
	return tag.Forget(ctx, tx, tag.PublicIP, id)
}

// TaggableAddress are the addresses that can have tags: public ones that somebody has. Those of shared networks come and go with
// machines.
var TaggableAddress = tag.Kind{Type: tag.PublicIP, Table: "public_ips", Live: "state <> 'Free' and vm_id is null"}

// releaseShared gives a machine's address in a shared network back.
func releaseShared(ctx context.Context, tx db.Tx, vm uid.VM, network uid.Network) error {
	_, err := tx.NewRaw("update public_ips set "+freed+" where vm_id = ? and network_id = ?", false, false, vm, network).Exec(ctx)
	return err
}

// inRange tells whether an address is in a range of a shared network.
func inRange(ctx context.Context, tx db.Tx, network uid.Network, ip IP) (yes bool, err error) {
	err = tx.NewRaw(`select exists (select 1 from public_ips a join ip_ranges r on r.id = a.range_id where r.network_id = ?
		and r.removed is null and a.ip = ?)`, network, ip).Scan(ctx, &yes)
	return yes, err
}

// unsettledNICs gives a machine's NICs in networks of a basic zone that have no address of a pod.
func unsettledNICs(ctx context.Context, tx db.Tx, vm uid.VM, pod uid.Pod) ([]NIC, error) {
	var rows []nicRow
	err := tx.NewSelect().Model(&rows).Join("join networks as n on n.id = c.network_id").Where("c.vm_id = ? and n.per_pod", vm).
		Where(`not exists (select 1 from public_ips a join ip_ranges r on r.id = a.range_id where a.vm_id = c.vm_id
			and a.network_id = c.network_id and r.pod_id = ?)`, pod).Order("c.device").Scan(ctx)
	out := make([]NIC, len(rows))
	for i, r := range rows {
		out[i] = r.NIC
	}
	return out, err
}

func ip6Used(ctx context.Context, tx db.Tx, network uid.Network, ip6 string) (used bool, err error) {
	err = tx.NewRaw("select exists (select 1 from nics where network_id = ? and ip6 = ?)", network, ip6).Scan(ctx, &used)
	return used, err
}

// LockAddress gives a public address that somebody in a scope has, and keeps others from changing it until the transaction's end.
func LockAddress(ctx context.Context, tx db.Tx, scope auth.Scope, id uid.PublicIP) (Address, error) {
	var row addressRow
	q := scope.Where(tx.NewSelect().Model(&row), "a").Where("a.id = ? and a.state <> ? and a.vm_id is null", id, Free)
	err := tx.Lock(q).Scan(ctx)
	if db.IsNone(err) {
		return Address{}, fault.Missing(id)
	}
	return row.Address, err
}

// SetAddressState records where an address stands that somebody has.
func SetAddressState(ctx context.Context, tx db.Tx, id uid.PublicIP, s AddressState) error {
	_, err := tx.NewRaw("update public_ips set state = ? where id = ?", s, id).Exec(ctx)
	return err
}

// ChangeAddress records under which ID an address that somebody has is known from now on, and whether its users see it.
func ChangeAddress(ctx context.Context, tx db.Tx, id uid.PublicIP, to Address) error {
	_, err := tx.NewRaw("update public_ips set id = ?, display = ? where id = ?", to.ID, to.Display, id).Exec(ctx)
	return err
}

var publicOf = db.Prepare("select * from public_ips where network_id = ? and vm_id is null and state = 'Allocated' order by source_nat desc, id")

// PublicOf gives the public addresses of a network, the one for source NAT first.
func PublicOf(ctx context.Context, q db.Tx, id uid.Network) ([]Address, error) {
	var rows []addressRow
	err := q.Select(ctx, publicOf, &rows, id)
	return addresses(rows), err
}

var systemOf = db.Prepare("select * from public_ips where network_id = ? and system order by id")

// SystemOf gives the public addresses of a network that were taken for its load balancers.
func SystemOf(ctx context.Context, q db.Tx, id uid.Network) ([]Address, error) {
	var rows []addressRow
	err := q.Select(ctx, systemOf, &rows, id)
	return addresses(rows), err
}

var addressesByIDs = db.PrepareMany("select * from public_ips where id in (?)")

// AddressesByID gives addresses by their ids, in one query.
func AddressesByID(ctx context.Context, q db.Tx, ids []uid.PublicIP) (map[uid.PublicIP]Address, error) {
	return db.ByID(ctx, q, addressesByIDs, ids, func(r addressRow) (uid.PublicIP, Address) { return r.ID, r.Address })
}

func addresses(rows []addressRow) []Address {
	out := make([]Address, len(rows))
	for i, r := range rows {
		out[i] = r.Address
	}
	return out
}

// DetailedAddress are the public addresses that can have details.
var DetailedAddress = detail.Kind{Type: "PublicIpAddress", Table: "public_ips", Live: "state <> 'Free' and vm_id is null"}
