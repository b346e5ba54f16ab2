package rule

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// ids gives rows of a table.
func ids(ctx context.Context, q db.Tx, table, where string, args ...any) (rows []row, err error) {
	var found []string
	err = q.NewSelect().TableExpr("?", bun.Ident(table)).Column("id").Where(where, args...).Order("id").Scan(ctx, &found)
	for _, id := range found {
		rows = append(rows, row{table, id})
	}
	return rows, err
}

// partsOf gives what goes with rules on ports: what opens the firewall for them, machines and policies.
func partsOf(ctx context.Context, q db.Tx, of []uid.Rule) (rows []row, err error) {
	if len(of) == 0 {
		return nil, nil
	}
	for _, table := range []string{wallTable, memberTable, policyTable} {
		some, err := ids(ctx, q, table, "rule_id in (?)", bun.List(of))
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// withParts gives rules on ports, and what goes with them before them.
func withParts(ctx context.Context, q db.Tx, where string, args ...any) ([]row, error) {
	rules, err := ids(ctx, q, portTable, where, args...)
	if err != nil {
		return nil, err
	}
	of := make([]uid.Rule, len(rules))
	for i, r := range rules {
		of[i] = uid.Rule(r.ID)
	}
	rows, err := partsOf(ctx, q, of)
	return append(rows, rules...), err
}

// rowsOn gives all rows of rules on an address.
func rowsOn(ctx context.Context, q db.Tx, id uid.PublicIP) ([]row, error) {
	rows, err := withParts(ctx, q, "address_id = ?", id)
	if err != nil {
		return nil, err
	}
	for _, one := range []struct{ table, where string }{{wallTable, "address_id = ? and rule_id is null"}, {natTable, "id = ?"}} {
		some, err := ids(ctx, q, one.table, one.where, id)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// rowsIn gives all rows of rules of a network.
func rowsIn(ctx context.Context, q db.Tx, id uid.Network) ([]row, error) {
	rows, err := withParts(ctx, q, "network_id = ?", id)
	if err != nil {
		return nil, err
	}
	for _, one := range []struct{ table, where string }{{wallTable, "network_id = ? and rule_id is null"}, {natTable, "network_id = ?"}} {
		some, err := ids(ctx, q, one.table, one.where, id)
		if err != nil {
			return nil, err
		}
		rows = append(rows, some...)
	}
	return rows, nil
}

// rowsTo gives all rows of rules that lead to a machine, and the networks that they are of. With a static NAT go the firewall rules that
// were opened for its ports; those that stand by themselves stay with the address.
func rowsTo(ctx context.Context, q db.Tx, vm uid.VM) (rows []row, networks []uid.Network, err error) {
	err = q.NewRaw(`select network_id from port_rules where vm_id = ? union select network_id from static_nats where vm_id = ?
		union select p.network_id from balanced_machines m join port_rules p on p.id = m.rule_id where m.vm_id = ? order by 1`, vm, vm, vm).
		Scan(ctx, &networks)
	if err != nil || len(networks) == 0 {
		return nil, nil, err
	}
	if rows, err = withParts(ctx, q, "vm_id = ?", vm); err != nil {
		return nil, nil, err
	}
	for _, table := range []string{natTable, memberTable} {
		some, err := ids(ctx, q, table, "vm_id = ?", vm)
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, some...)
	}
	return rows, networks, nil
}
