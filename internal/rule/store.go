package rule

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// The tables, as changes remember them.
const (
	portTable   = "port_rules"
	wallTable   = "firewall_rules"
	natTable    = "static_nats"
	memberTable = "balanced_machines"
	policyTable = "stickiness_policies"
)

// tagsOn are the types of tags that rows of a table may have.
var tagsOn = map[string][]tag.Type{portTable: {tag.PortForwarding, tag.LoadBalancer}, wallTable: {tag.Firewall}}

type portRow struct {
	bun.BaseModel `bun:"table:port_rules,alias:p"`
	Port
}

type wallRow struct {
	bun.BaseModel `bun:"table:firewall_rules,alias:w"`
	Wall
}

type natRow struct {
	bun.BaseModel `bun:"table:static_nats,alias:s"`
	NAT
}

type memberRow struct {
	bun.BaseModel `bun:"table:balanced_machines,alias:m"`
	Member
}

type policyRow struct {
	bun.BaseModel `bun:"table:stickiness_policies,alias:y"`
	Policy
}

func insert(ctx context.Context, tx db.Tx, model any) error {
	_, err := tx.NewInsert().Model(model).Exec(ctx)
	return err
}

// setStates gives rows a state. Those that are gone, with their machine for instance, stay so.
func setStates(ctx context.Context, tx db.Tx, rows []row, s State) error {
	for _, r := range rows {
		if _, err := tx.NewRaw("update ? set state = ? where id = ?", bun.Ident(r.Table), s, r.ID).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// remove removes rows, with their tags.
func remove(ctx context.Context, tx db.Tx, rows []row) error {
	for _, r := range rows {
		if _, err := tx.NewRaw("delete from ? where id = ?", bun.Ident(r.Table), r.ID).Exec(ctx); err != nil {
			return err
		}
		for _, t := range tagsOn[r.Table] {
			if err := tag.Forget(ctx, tx, t, uid.Rule(r.ID)); err != nil {
				return err
			}
		}
	}
	return nil
}

// save records what can be changed of a rule on ports, if it is still there.
func save(ctx context.Context, tx db.Tx, p Port) error {
	_, err := tx.NewUpdate().Model(&portRow{Port: p}).WherePK().Column("guest_first", "guest_last", "vm_id", "nic_id", "protocol", "name",
		"description", "algorithm", "cidrs", "display").Exec(ctx)
	return err
}

// saveWall records for whom a firewall rule is, if it is still there.
func saveWall(ctx context.Context, tx db.Tx, w Wall) error {
	_, err := tx.NewRaw("update firewall_rules set sources = ? where id = ?", w.Sources, w.ID).Exec(ctx)
	return err
}

// setDisplay says whether a rule's users see it.
func setDisplay(ctx context.Context, tx db.Tx, r row, yes bool) error {
	_, err := tx.NewRaw("update ? set display = ? where id = ?", bun.Ident(r.Table), yes, r.ID).Exec(ctx)
	return err
}

// rename gives a row another ID. What refers to it follows: rows by the schema, tags here.
func rename(ctx context.Context, tx db.Tx, r row, to string) error {
	if _, err := tx.NewRaw("update ? set id = ? where id = ?", bun.Ident(r.Table), to, r.ID).Exec(ctx); err != nil {
		return err
	}
	for _, t := range tagsOn[r.Table] {
		if err := tag.Follow(ctx, tx, t, uid.Rule(r.ID), uid.Rule(to)); err != nil {
			return err
		}
	}
	return nil
}

// RenameAddress lets the rules on an address stay on it when it gets another ID.
func RenameAddress(ctx context.Context, tx db.Tx, from, to uid.PublicIP) error {
	for table, column := range map[string]string{portTable: "address_id", wallTable: "address_id", natTable: "id"} {
		_, err := tx.NewRaw("update ? set ? = ? where ? = ?", bun.Ident(table), bun.Ident(column), to, bun.Ident(column), from).Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// openedFor gives the firewall rule that was opened for a rule on ports, a zero one where none was.
func openedFor(ctx context.Context, q db.Tx, id uid.Rule) (Wall, error) {
	var rows []wallRow
	err := q.NewSelect().Model(&rows).Where("w.rule_id = ?", id).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return Wall{}, err
	}
	return rows[0].Wall, nil
}

func findPort(ctx context.Context, q db.Tx, scope auth.Scope, kind Kind, id uid.Rule) (Port, error) {
	var row portRow
	err := scope.Where(q.NewSelect().Model(&row), "p").Where("p.id = ? and p.kind = ?", id, kind).Scan(ctx)
	if db.IsNone(err) {
		err = kind.missing(id)
	}
	return row.Port, err
}

func findWall(ctx context.Context, q db.Tx, scope auth.Scope, id uid.FirewallRule, egress bool) (Wall, error) {
	var row wallRow
	err := scope.Where(q.NewSelect().Model(&row), "w").Where("w.id = ? and (w.address_id is null) = ?", id, egress).Scan(ctx)
	switch {
	case db.IsNone(err) && egress:
		err = fault.Missing(uid.EgressRule(id))
	case db.IsNone(err):
		err = fault.Missing(id)
	}
	return row.Wall, err
}

func findPolicy(ctx context.Context, q db.Tx, scope auth.Scope, id uid.StickinessPolicy) (Policy, error) {
	var row policyRow
	err := scope.Where(q.NewSelect().Model(&row), "y").Where("y.id = ?", id).Scan(ctx)
	if db.IsNone(err) {
		err = fault.Missing(id)
	}
	return row.Policy, err
}

func natWhere(ctx context.Context, q db.Tx, where string, arg any) (NAT, error) {
	var rows []natRow
	err := q.NewSelect().Model(&rows).Where(where, arg).Scan(ctx)
	if err != nil || len(rows) == 0 {
		return NAT{}, err
	}
	return rows[0].NAT, nil
}

// natOn gives the static NAT of an address, a zero one where there is none.
func natOn(ctx context.Context, q db.Tx, id uid.PublicIP) (NAT, error) {
	return natWhere(ctx, q, "s.id = ?", id)
}

// natOf gives the static NAT that leads to a card, a zero one where there is none.
func natOf(ctx context.Context, q db.Tx, id uid.NIC) (NAT, error) {
	return natWhere(ctx, q, "s.nic_id = ?", id)
}

// portsOn gives all rules on the ports of an address.
func portsOn(ctx context.Context, q db.Tx, id uid.PublicIP) ([]Port, error) {
	var rows []portRow
	err := q.NewSelect().Model(&rows).Where("p.address_id = ?", id).Order("p.id").Scan(ctx)
	return portsOf(rows), err
}

func portsOf(rows []portRow) []Port {
	out := make([]Port, len(rows))
	for i, r := range rows {
		out[i] = r.Port
	}
	return out
}

// wallsLike gives firewall rules of one protocol, or of all, where another one is to be.
func wallsLike(ctx context.Context, q db.Tx, w Wall) ([]Wall, error) {
	var rows []wallRow
	s := q.NewSelect().Model(&rows).Where("w.network_id = ? and w.protocol = ?", w.Network, w.Protocol).Order("w.id")
	if w.Egress() {
		s.Where("w.address_id is null")
	} else {
		s.Where("w.address_id = ?", w.Address)
	}
	err := s.Scan(ctx)
	return walls(rows), err
}

func walls(rows []wallRow) []Wall {
	out := make([]Wall, len(rows))
	for i, r := range rows {
		out[i] = r.Wall
	}
	return out
}

// membersOf gives the machines of a load balancer.
func membersOf(ctx context.Context, q db.Tx, id uid.Rule) ([]Member, error) {
	all, err := membersIn(ctx, q, []uid.Rule{id})
	return all[id], err
}

// membersIn gives the machines of load balancers.
func membersIn(ctx context.Context, q db.Tx, ids []uid.Rule) (map[uid.Rule][]Member, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // none have none
	}
	var rows []memberRow
	err := q.NewSelect().Model(&rows).ColumnExpr("m.*, c.ip as guest_ip").Join("join nics as c on c.id = m.nic_id").
		Where("m.rule_id in (?)", bun.List(ids)).Order("m.rule_id", "m.id").Scan(ctx)
	out := map[uid.Rule][]Member{}
	for _, r := range rows {
		out[r.Rule] = append(out[r.Rule], r.Member)
	}
	return out, err
}

// policiesOf gives the stickiness policies of load balancers.
func policiesOf(ctx context.Context, q db.Tx, ids []uid.Rule) (map[uid.Rule]Policy, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // none have none
	}
	var rows []policyRow
	err := q.NewSelect().Model(&rows).Where("y.rule_id in (?)", bun.List(ids)).Scan(ctx)
	out := map[uid.Rule]Policy{}
	for _, r := range rows {
		out[r.Rule] = r.Policy
	}
	return out, err
}

// The next three give what a network's router is told of.

var activeWalls = db.Prepare("select * from firewall_rules where network_id = ? and state <> 'Revoke' order by id")

func wallsIn(ctx context.Context, q db.Tx, id uid.Network) ([]Wall, error) {
	var rows []wallRow
	err := q.Select(ctx, activeWalls, &rows, id)
	return walls(rows), err
}

type guestNAT struct {
	bun.BaseModel `bun:"table:static_nats,alias:s"`
	ID            uid.PublicIP
	GuestIP       network.IP `bun:"guest_ip"`
}

var activeNATs = db.Prepare(`select s.id, c.ip as guest_ip from static_nats s join nics c on c.id = s.nic_id
	where s.network_id = ? and s.state <> 'Revoke' order by s.id`)

func natsIn(ctx context.Context, q db.Tx, id uid.Network) (rows []guestNAT, err error) {
	err = q.Select(ctx, activeNATs, &rows, id)
	return rows, err
}

type guestPort struct {
	bun.BaseModel `bun:"table:port_rules,alias:p"`
	Port
	GuestIP network.IP `bun:"guest_ip,nullzero"` // of rules that lead to one machine
}

var activePorts = db.Prepare(`select p.*, c.ip as guest_ip from port_rules p left join nics c on c.id = p.nic_id
	where p.network_id = ? and p.state <> 'Revoke' order by p.id`)

func portsIn(ctx context.Context, q db.Tx, id uid.Network) (rows []guestPort, err error) {
	err = q.Select(ctx, activePorts, &rows, id)
	return rows, err
}
