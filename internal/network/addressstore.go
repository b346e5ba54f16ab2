package network

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/subnet"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

type addressRow struct {
	bun.BaseModel `bun:"table:public_ips,alias:a"`
	Address
}

const takenBy = `update public_ips set state = 'Allocated', account_id = ?, domain_id = (select domain_id from accounts where id = ?),
	network_id = ?, vm_id = ?, source_nat = ?, allocated = ? where id = `

var (
	takeFreeIP = db.PrepareEach(takenBy+"(select id from public_ips where free_for = ? and state = 'Free' order by id limit 1) returning *",
		takenBy+"(select id from public_ips where free_for = ? and state = 'Free' order by id limit 1 for update skip locked) returning *")
	takeNamedIP = db.Prepare(takenBy + `(select id from public_ips where free_for = ? and ip = ? and state = 'Free')
		and state = 'Free' returning *`)
	networkHasNAT = db.Prepare("select id from public_ips where network_id = ? and source_nat")
)

const freed = "state = 'Free', account_id = null, domain_id = null, network_id = null, vm_id = null, source_nat = ?, allocated = null"

// user is who uses an address: a network for source NAT, or a machine in a shared network.
type user struct {
	account uid.Account
	network uid.Network
	vm      uid.VM // "": for source NAT
}

// taken gives the one address that a statement took for a user, nil where there was none.
func taken(ctx context.Context, tx db.Tx, s *db.Statement, by user, args ...any) (*Address, error) {
	var vm any
	if by.vm != "" {
		vm = string(by.vm)
	}
	var rows []addressRow
	all := append([]any{string(by.account), string(by.account), string(by.network), vm, by.vm == "", tx.Now}, args...)
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

// takePublic takes a free public address for a network's source NAT: one that is dedicated to its account, to its domain, or else
// one of everybody's. nil: there is none.
func takePublic(ctx context.Context, tx db.Tx, n Network) (*Address, error) {
	for _, from := range []string{dedicated(n.Zone, n.Account), dedicated(n.Zone, n.Domain), string(n.Zone)} {
		a, err := takeFree(ctx, tx, from, user{account: n.Account, network: n.ID})
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
	err := tx.NewRaw("update public_ips set "+freed+" where network_id = ? and vm_id is null returning *", false, network).Scan(ctx, &rows)
	for i := 0; i < len(rows) && err == nil; i++ {
		err = tag.Forget(ctx, tx, tag.PublicIP, rows[i].ID)
	}
	return addresses(rows), err
}

// TaggableAddress are the addresses that can have tags: public ones that somebody has. Those of shared networks come and go with
// machines.
var TaggableAddress = tag.Kind{Type: tag.PublicIP, Table: "public_ips", Live: "state <> 'Free' and vm_id is null"}

// releaseShared gives a machine's address in a shared network back.
func releaseShared(ctx context.Context, tx db.Tx, vm uid.VM, network uid.Network) error {
	_, err := tx.NewRaw("update public_ips set "+freed+" where vm_id = ? and network_id = ?", false, vm, network).Exec(ctx)
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

func setNICAddress(ctx context.Context, tx db.Tx, nic NIC) error {
	_, err := tx.NewRaw("update nics set ip = ?, gateway = ?, netmask = ? where id = ?", nic.IP, nic.Gateway, nic.Netmask, nic.ID).Exec(ctx)
	return err
}

func ip6Used(ctx context.Context, tx db.Tx, network uid.Network, ip6 string) (used bool, err error) {
	err = tx.NewRaw("select exists (select 1 from nics where network_id = ? and ip6 = ?)", network, ip6).Scan(ctx, &used)
	return used, err
}

// Addresses gives a page of addresses, range by range, and how many there are in all.
func (s *Service) Addresses(ctx context.Context, f AddressFilter) ([]Address, int, error) {
	var rows []addressRow
	q := s.db.Read().NewSelect().Model(&rows).Order("a.id")
	if f.Free && f.Scope.All {
		q.Where("1 = 1")
	} else {
		q = f.Scope.Where(q, "a").Where("a.state <> ?", Free)
	}
	if f.IP != "" {
		ip, err := subnet.ParseIP("ipaddress", f.IP)
		if err != nil {
			return nil, 0, err
		}
		q.Where("a.ip = ?", ip)
	}
	db.Equal(q, "a.id", f.ID)
	f.Tags.Where(q, tag.PublicIP, "a.id")
	db.Equal(q, "a.range_id", f.Range)
	db.Equal(q, "a.network_id", f.Associated)
	db.EqualFold(q, "a.state", f.State)
	if f.SourceNAT != nil {
		q.Where("a.source_nat = ?", *f.SourceNAT)
	}
	if f.Zone != "" || f.Physical != "" || f.Network != "" || f.Public != nil || f.ForSystem != nil {
		q.Where("a.range_id in (?)", s.rangesOf(f))
	}
	if ip, err := subnet.ParseIP("keyword", f.Keyword); err == nil {
		q.Where("a.ip = ?", ip)
	} else if f.Keyword != "" {
		tagged := s.db.Read().NewSelect().Table("ip_ranges").Column("id")
		db.Like(tagged, f.Keyword, "vlan")
		q.WhereGroup(" and ", func(q *bun.SelectQuery) *bun.SelectQuery {
			db.Like(q, f.Keyword, "a.state")
			return q.WhereOr("a.range_id in (?)", tagged)
		})
	}
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	return addresses(rows), n, err
}

// rangesOf are the ranges in which a filter looks for addresses.
func (s *Service) rangesOf(f AddressFilter) *bun.SelectQuery {
	q := s.db.Read().NewSelect().Model((*rangeRow)(nil)).Column("id")
	db.Equal(q, "r.zone_id", f.Zone)
	db.Equal(q, "r.physical_network_id", f.Physical)
	db.Equal(q, "r.network_id", f.Network)
	if f.Public != nil {
		not := map[bool]string{true: "", false: "not"}[*f.Public]
		q.Where("r.network_id is ? null", bun.Safe(not))
	}
	if f.ForSystem != nil {
		q.Where("r.for_system = ?", *f.ForSystem)
	}
	return q
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
