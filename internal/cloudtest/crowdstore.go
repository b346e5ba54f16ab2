package cloudtest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// place is what of a seeded cloud the crowd uses.
type place struct {
	Sandbox
	osType uid.OSType
	hosts  []uid.Host
	pools  []uid.Pool // of each host's cluster
	users  map[uid.Account]uid.User
}

// look finds out what is not in a sandbox's ids.
func (p *place) look(ctx context.Context, q db.Tx) error {
	var hosts []struct {
		ID   uid.Host
		Pool uid.Pool
	}
	var users []struct {
		ID      uid.User
		Account uid.Account
	}
	err := errors.Join(
		q.NewRaw("select os_type_id from templates where id = ?", p.Template).Scan(ctx, &p.osType),
		q.NewRaw("select id, account_id as account from users").Scan(ctx, &users),
		q.NewRaw(`select h.id, min(p.id) as pool from hosts h join storage_pools p on p.cluster_id = h.cluster_id
			where h.removed is null and p.removed is null group by h.id order by h.id`).Scan(ctx, &hosts),
	)
	for _, h := range hosts {
		p.hosts, p.pools = append(p.hosts, h.ID), append(p.pools, h.Pool)
	}
	p.users = map[uid.Account]uid.User{}
	for _, u := range users {
		p.users[u.Account] = u.ID
	}
	return err
}

// rows are rows of one table. Columns that are not named get their defaults.
type rows struct {
	table, columns string
	n              int
	row            func(i int) []any
}

// fill writes the crowd and then all that is counted of it, table by table.
func (w *crowd) fill(ctx context.Context, d *db.DB) error {
	for _, r := range append(w.tenants(), w.things()...) {
		if err := d.Write(ctx, r.insert); err != nil {
			return fmt.Errorf("fill %s: %w", r.table, err)
		}
	}
	counts := []string{
		`update hosts set cpu_used = v.cpu, memory_used = v.mb from (select host_id, sum(cpu_number * cpu_speed) as cpu, sum(memory_mb) as mb
			from vms where removed is null group by host_id) v where v.host_id = hosts.id`,
		`update storage_pools set bytes_used = v.bytes from (select pool_id, sum(size) as bytes
			from volumes where removed is null group by pool_id) v where v.pool_id = storage_pools.id`,
	}
	for kind, count := range derived {
		counts = append(counts, fmt.Sprintf("update resource_counts as c set %s_used = (%s), %s_max = -1", kind, count, kind))
	}
	for _, kind := range limit.Kinds() { // the crowd's domains lie in ROOT and hold accounts only
		counts = append(counts, fmt.Sprintf(`update domain_counts as d set %[1]s_max = -1, %[1]s_used = coalesce((select sum(c.%[1]s_used)
			from resource_counts c join accounts a on a.id = c.account_id where a.domain_id = d.domain_id), 0)`, kind))
	}
	for _, update := range counts {
		err := d.Write(ctx, func(ctx context.Context, tx db.Tx) error { _, err := tx.NewRaw(update).Exec(ctx); return err })
		if err != nil {
			return fmt.Errorf("%s: %w", update, err)
		}
	}
	return nil
}

// known has the database know what its tables are like.
func known(ctx context.Context, d *db.DB) error {
	if !d.Postgres {
		return nil
	}
	_, err := d.Read().NewRaw("vacuum analyze").Exec(ctx) // as PostgreSQL does by itself, but later
	return err
}

// insert writes the rows, some hundreds to a statement.
func (r rows) insert(ctx context.Context, tx db.Tx) error {
	const batch = 250
	one := "(?" + strings.Repeat(", ?", strings.Count(r.columns, ",")) + ")"
	for from := 0; from < r.n; from += batch {
		n := min(batch, r.n-from)
		var values []any
		for i := range n {
			values = append(values, r.row(from+i)...)
		}
		query := "insert into " + r.table + " (" + r.columns + ") values " + one + strings.Repeat(", "+one, n-1)
		if _, err := tx.NewRaw(query, values...).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// tenants are the accounts with what each has of its own.
func (w *crowd) tenants() []rows {
	of := w.accounts[2:]
	return []rows{
		{"domains", "id, parent_id, name, path, level, state, created", len(w.domains), func(i int) []any {
			name := numbered("domain", i)
			return []any{w.domains[i], auth.System().Domain, name, account.Root + "/" + name, 1, account.Active, w.at(i)}
		}},
		{"accounts", "id, domain_id, name, type, role_id, state, created", len(of), func(i int) []any {
			return []any{of[i].account, of[i].domain, numbered("account", i), auth.User, auth.DefaultRole(auth.User), account.Enabled, w.at(i)}
		}},
		{"users", "id, account_id, domain_id, username, password, firstname, lastname, email, state, created", len(of), func(i int) []any {
			name := numbered("user", i)
			return []any{of[i].user, of[i].account, of[i].domain, name, "", "First " + name, "Last " + name, name + "@example.com", account.Enabled, w.at(i)}
		}},
		{"api_keys", "id, api_key, user_id, secret, created", len(of), func(i int) []any {
			return []any{uid.New[uid.KeyPair](), base64.RawURLEncoding.EncodeToString([]byte(string(of[i].user) + "-key")), of[i].user, "", w.at(i)}
		}},
		{"ssh_keypairs", "id, account_id, domain_id, name, fingerprint, public_key, created", len(of), func(i int) []any {
			fingerprint := strings.Repeat(":00", 16)[1:]
			return []any{uid.New[string](), of[i].account, of[i].domain, numbered("key", i), fingerprint, "ssh-ed25519 AAAA", w.at(i)}
		}},
		{"security_groups", "id, account_id, domain_id, name, description, created", len(of), func(i int) []any {
			return []any{uid.New[uid.SecurityGroup](), of[i].account, of[i].domain, "default", "Default Security Group", w.at(i)}
		}},
		{"domain_counts", "domain_id", len(w.domains), func(i int) []any { return []any{w.domains[i]} }},
		{"resource_counts", "account_id, of_project", len(of), func(i int) []any { return []any{of[i].account, false} }},
	}
}

// things are the machines with what each has of its own.
func (w *crowd) things() []rows {
	const firstIP, lastIP = network.IP(10<<24 | 1<<16 | 1<<8 | 2), network.IP(10<<24 | 1<<16 | 1<<8 | 254)
	const firstPublic = network.IP(100<<24 | 64<<16) // shared address space: as good as public
	carrier, public := uid.New[uid.PhysicalNetwork](), uid.New[string]()
	home := w.home
	data := strings.Repeat("#cloud-config\n", crowdUserData)[:crowdUserData]
	return []rows{
		{"physical_networks", "id, zone_id, name, state, isolation, broadcast_range, created", 1, func(int) []any {
			return []any{carrier, w.Zone, "crowd", "Enabled", "VLAN", "ZONE", w.start}
		}},
		{"networks", `id, account_id, domain_id, zone_id, physical_network_id, offering_id, name, display_text, guest_type, traffic_type, state,
			cidr, gateway, netmask, start_ip, end_ip, next_ip, vlan, source_nat, network_domain, created`, w.Machines, func(i int) []any {
			o, name, offering := w.owner(i), numbered("network", i), w.NetworkOffering["DefaultIsolatedNetworkOfferingWithSourceNatService"]
			return []any{w.networks[i], o.account, o.domain, w.Zone, carrier, offering, name, "Network of " + name, "Isolated", "Guest", network.Implemented,
				"10.1.1.0/24", "10.1.1.1", "255.255.255.0", firstIP, lastIP, firstIP + 1, 10000 + i, true, "crowd.example.com", w.at(i)}
		}},
		{"ip_ranges", "id, zone_id, physical_network_id, vlan, gateway, netmask, cidr, start_ip, end_ip, created", 1, func(int) []any {
			return []any{public, w.Zone, carrier, "untagged", "100.127.255.254", "255.192.0.0", "100.64.0.0/10", firstPublic,
				firstPublic + network.IP(w.Machines) - 1, w.start}
		}},
		{"public_ips", "id, range_id, ip, state, free_for, account_id, domain_id, network_id, source_nat, allocated", w.Machines, func(i int) []any {
			o := w.owner(i)
			return []any{uid.New[string](), public, firstPublic + network.IP(i), "Allocated", w.Zone, o.account, o.domain, w.networks[i], true, w.at(i)}
		}},
		{"vms", `id, account_id, domain_id, user_id, zone_id, host_id, last_host_id, template_id, service_offering_id, os_type_id, serial, name,
			display_name, instance_name, hypervisor, state, cpu_number, cpu_speed, memory_mb, user_data, created`, w.Machines, func(i int) []any {
			o, name, h := w.owner(i), numbered("machine", i), w.hosts[home(i)]
			return []any{w.machines[i], o.account, o.domain, o.user, w.Zone, h, h, w.Template, w.Small, w.osType, i, name,
				"Display " + name, fmt.Sprintf("crowd-%d-VM", i), "Simulator", "Running", crowdCPU, crowdMHz, crowdMB, data, w.at(i)}
		}},
		{"nics", "id, vm_id, network_id, device, ip, mac, is_default, created", w.Machines, func(i int) []any {
			mac := fmt.Sprintf("06:00:%02x:%02x:%02x:%02x", byte(i>>24), byte(i>>16), byte(i>>8), byte(i))
			return []any{uid.New[uid.NIC](), w.machines[i], w.networks[i], 0, firstIP, mac, true, w.at(i)}
		}},
		{"volumes", `id, account_id, domain_id, zone_id, pool_id, vm_id, device, template_id, disk_offering_id, service_offering_id, name, type,
			state, size, created, attached`, 2 * w.Machines, func(i int) []any {
			m, device := i/2, i%2
			o := w.owner(m)
			row := []any{uid.New[uid.Volume](), o.account, o.domain, w.Zone, w.pools[home(m)], w.machines[m], device}
			if device == 0 {
				row = append(row, w.Template, nil, w.Small, numbered("root", m), "ROOT", "Ready", crowdRoot)
			} else {
				row = append(row, nil, w.DiskOffering["Small"], nil, numbered("data", m), "DATADISK", "Ready", crowdData)
			}
			return append(row, w.at(m), w.at(m))
		}},
		{"events", "id, type, level, state, description, account_id, domain_id, user_id, resource_type, resource_id, created", w.Machines, func(i int) []any {
			o := w.owner(i)
			return []any{uid.New[uid.Event](), "VM.CREATE", "INFO", "Completed", "deploying virtual machine " + numbered("machine", i), o.account, o.domain,
				o.user, "VirtualMachine", w.machines[i], w.at(i)}
		}},
	}
}
