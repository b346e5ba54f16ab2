package rule

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the rules that can have tags.
var (
	TaggableForwarding = tag.Kind{Type: tag.PortForwarding, Table: portTable, Live: "kind = 'PortForwarding'"}
	TaggableBalancing  = tag.Kind{Type: tag.LoadBalancer, Table: portTable, Live: "kind = 'LoadBalancing'"}
	TaggableWall       = tag.Kind{Type: tag.Firewall, Table: wallTable}
)

// Filter says which rules a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope    auth.Scope
	Kind     Kind
	IDs      []string
	Address  uid.PublicIP
	Network  uid.Network
	Zone     uid.Zone
	VM       uid.VM // that it leads to
	Name     string
	Egress   bool         // of firewall rules
	Serving  uid.PublicIP // they are of the network that it serves
	Display  *bool
	Tags     tag.Wanted
	Keyword  string
	Offset   int
	Limit    int // 0 or less: all
	Balancer uid.Rule
}

// common are the filters that rules of all tables know.
func (f Filter) common(q *bun.SelectQuery, alias string, t tag.Type) *bun.SelectQuery {
	f.Scope.Where(q, alias)
	db.In(q, alias+".id", f.IDs)
	db.Equal(q, alias+".address_id", f.Address)
	db.Equal(q, alias+".network_id", f.Network)
	if f.Zone != "" {
		q.Where("? in (select id from networks where zone_id = ?)", bun.Ident(alias+".network_id"), f.Zone)
	}
	if f.Serving != "" {
		q.Where("? = (select network_id from public_ips where id = ? and vm_id is null)", bun.Ident(alias+".network_id"), f.Serving)
	}
	if f.Display != nil {
		q.Where("? = ?", bun.Ident(alias+".display"), *f.Display)
	}
	f.Tags.Where(q, t, alias+".id")
	return q.Order(alias + ".id")
}

// Ports gives a page of rules on ports, the oldest first, and how many there are in all.
func (s *Service) Ports(ctx context.Context, f Filter) ([]Port, int, error) {
	var rows []portRow
	t := tag.PortForwarding
	if f.Kind == Balancing {
		t = tag.LoadBalancer
	}
	q := f.common(s.db.Read().NewSelect().Model(&rows), "p", t).Where("p.kind = ?", f.Kind)
	db.Equal(q, "p.name", f.Name)
	if f.VM != "" && f.Kind == Balancing {
		q.Where("p.id in (select rule_id from balanced_machines where vm_id = ?)", f.VM)
	} else {
		db.Equal(q, "p.vm_id", f.VM)
	}
	if f.Kind == Balancing {
		db.Like(q, f.Keyword, "p.name", "p.description")
	} else {
		db.Like(q, f.Keyword, "p.protocol", "p.state")
	}
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	return portsOf(rows), n, err
}

// Walls gives a page of firewall rules, the oldest first, and how many there are in all.
func (s *Service) Walls(ctx context.Context, f Filter) ([]Wall, int, error) {
	var rows []wallRow
	q := f.common(s.db.Read().NewSelect().Model(&rows), "w", tag.Firewall).Where("(w.address_id is null) = ?", f.Egress)
	db.Like(q, f.Keyword, "w.protocol", "w.sources")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	return walls(rows), n, err
}

// Policies gives a page of stickiness policies, the oldest first, and how many there are in all.
func (s *Service) Policies(ctx context.Context, f Filter) ([]Policy, int, error) {
	var rows []policyRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "y").Order("y.id")
	db.In(q, "y.id", f.IDs)
	db.Equal(q, "y.rule_id", f.Balancer)
	if f.Display != nil {
		q.Where("y.display = ?", *f.Display)
	}
	db.Like(q, f.Keyword, "y.name", "y.description")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	out := make([]Policy, len(rows))
	for i, r := range rows {
		out[i] = r.Policy
	}
	return out, n, err
}

// Members gives the machines that a load balancer in a scope sends to.
func (s *Service) Members(ctx context.Context, scope auth.Scope, id uid.Rule) ([]Member, Port, error) {
	p, err := findPort(ctx, s.db.Read(), scope, Balancing, id)
	if err != nil {
		return nil, p, err
	}
	all, err := membersOf(ctx, s.db.Read(), id)
	return all, p, err
}

var (
	portsByID = db.PrepareMany("select * from port_rules where id in (?)")
	wallsByID = db.PrepareMany("select * from firewall_rules where id in (?)")
)

// PortsByID gives rules on ports by their ids, in one query.
func PortsByID(ctx context.Context, q db.Tx, ids []uid.Rule) (map[uid.Rule]Port, error) {
	return db.ByID(ctx, q, portsByID, ids, func(r portRow) (uid.Rule, Port) { return r.ID, r.Port })
}

// WallsByID gives firewall rules by their ids, in one query.
func WallsByID(ctx context.Context, q db.Tx, ids []uid.FirewallRule) (map[uid.FirewallRule]Wall, error) {
	return db.ByID(ctx, q, wallsByID, ids, func(r wallRow) (uid.FirewallRule, Wall) { return r.ID, r.Wall })
}

// PoliciesByID gives stickiness policies by their ids, in one query.
func PoliciesByID(ctx context.Context, q db.Tx, ids []uid.StickinessPolicy) (map[uid.StickinessPolicy]Policy, error) {
	var rows []policyRow
	err := q.NewSelect().Model(&rows).Where("y.id in (?)", bun.List(ids)).Scan(ctx)
	out := map[uid.StickinessPolicy]Policy{}
	for _, r := range rows {
		out[r.ID] = r.Policy
	}
	return out, err
}

// PoliciesOf gives the stickiness policies of load balancers, in one query.
func PoliciesOf(ctx context.Context, q db.Tx, ids []uid.Rule) (map[uid.Rule]Policy, error) {
	return policiesOf(ctx, q, ids)
}

// On is what the list of addresses shows of the rules on one.
type On struct {
	NAT     NAT
	Purpose Kind // of its rules; "" where it has none
}

// OnAddresses gives what is to be shown of addresses, in two queries.
func OnAddresses(ctx context.Context, q db.Tx, ids []uid.PublicIP) (map[uid.PublicIP]On, error) {
	var nats []natRow
	err := q.NewSelect().Model(&nats).ColumnExpr("s.*, c.ip as guest_ip").Join("join nics as c on c.id = s.nic_id").
		Where("s.id in (?)", bun.List(ids)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	var kinds []struct {
		AddressID uid.PublicIP
		Kind      Kind
	}
	if err := q.NewRaw("select address_id, min(kind) as kind from port_rules where address_id in (?) group by address_id", bun.List(ids)).
		Scan(ctx, &kinds); err != nil {
		return nil, err
	}
	out := map[uid.PublicIP]On{}
	for _, n := range nats {
		out[n.ID] = On{NAT: n.NAT}
	}
	for _, k := range kinds {
		one := out[k.AddressID]
		one.Purpose = k.Kind
		out[k.AddressID] = one
	}
	return out, nil
}

// CardIPs gives the addresses of cards, in one query.
func CardIPs(ctx context.Context, q db.Tx, ids []uid.NIC) (map[uid.NIC]network.IP, error) {
	var rows []struct {
		ID uid.NIC
		IP network.IP `bun:"ip,nullzero"`
	}
	err := q.NewRaw("select id, ip from nics where id in (?)", bun.List(ids)).Scan(ctx, &rows)
	out := map[uid.NIC]network.IP{}
	for _, r := range rows {
		out[r.ID] = r.IP
	}
	return out, err
}

// OpenedFor gives for whom the firewall was opened with rules on ports, in one query.
func OpenedFor(ctx context.Context, q db.Tx, ids []uid.Rule) (map[uid.Rule]string, error) {
	var rows []struct {
		RuleID  uid.Rule
		Sources string
	}
	err := q.NewRaw("select rule_id, case when sources = '' then '0.0.0.0/0' else sources end as sources from firewall_rules where rule_id in (?)",
		bun.List(ids)).Scan(ctx, &rows)
	out := map[uid.Rule]string{}
	for _, r := range rows {
		out[r.RuleID] = r.Sources
	}
	return out, err
}
