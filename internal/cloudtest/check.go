package cloudtest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/sim"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// invariant is a query that gives a line for each thing that is not as it must be.
type invariant struct{ name, query string }

// always are the rules of a whole cloud in which no job is at work. (A job at work, or stuck, holds things in between.)
var always = []invariant{
	{"a host's reserved CPU and memory are those of its machines", `
		select h.name || ' has ' || h.cpu_used || ' MHz, ' || h.memory_used || ' MB in use, its machines need '
			|| coalesce(sum(v.cpu_number * v.cpu_speed), 0) || ', ' || coalesce(sum(v.memory_mb), 0)
		from hosts h left join vms v on v.host_id = h.id and v.removed is null
		group by h.id, h.name, h.cpu_used, h.memory_used
		having h.cpu_used <> coalesce(sum(v.cpu_number * v.cpu_speed), 0) or h.memory_used <> coalesce(sum(v.memory_mb), 0)`},
	{"a pool's allocated bytes are those of its volumes", `
		select p.name || ' has ' || p.bytes_used || ' bytes in use, its volumes ' || coalesce(sum(v.size), 0)
		from storage_pools p left join volumes v on v.pool_id = p.id and v.removed is null
		group by p.id, p.name, p.bytes_used having p.bytes_used <> coalesce(sum(v.size), 0)`},
	{"a host without overcommit gives out what it has", `
		select h.name || ' may give out ' || h.cpu_total || ' MHz and ' || h.memory_total || ' MB' from hosts h join clusters c on c.id = h.cluster_id
		where h.removed is null and c.cpu_overcommit = 1 and c.memory_overcommit = 1
		and (h.cpu_total <> h.cpu_cores * h.cpu_speed or h.memory_total <> h.memory_mb)`},
	{"a running machine has a host and no other has one", `
		select id || ' is ' || state || ' with host ' || coalesce(host_id, '-') from vms
		where removed is null and ((state = 'Running') <> (host_id is not null) or to_host_id is not null)`},
	{"nothing stays between two states without a job", `
		select 'machine ' || id || ' is ' || state from vms where removed is null and state not in ('Running', 'Stopped', 'Destroyed', 'Error')
		union all select 'host ' || name || ' is ' || state || ', ' || resource_state from hosts
			where removed is null and (state in ('Connecting', 'Removed') or resource_state = 'Creating')
		union all select 'volume ' || id || ' is ' || state from volumes where removed is null
			and state not in ('Allocated', 'Ready', 'NotUploaded', 'UploadError', 'UploadAbandoned')
		union all select 'upload ' || id || ' is ' || state from uploads where state in ('Receiving', 'Taking')
		union all select 'extraction ' || id || ' is ' || state from extractions where state <> 'Ready'
		union all select 'snapshot ' || id || ' is ' || state from snapshots where removed is null and state <> 'BackedUp'
		union all select 'VM snapshot ' || id || ' is ' || state from vm_snapshots where removed is null and state <> 'Ready'
		union all select 'rule ' || id || ' is ' || state from (select id, state from port_rules union all select id, state from firewall_rules
			union all select id, state from static_nats union all select id, state from balanced_machines
			union all select id, state from stickiness_policies) r where state <> 'Active'
		union all select 'router ' || name || ' is ' || state from routers where removed is null and state = 'Stopping'
		union all select 'address ' || id || ' is ' || state from public_ips where state not in ('Free', 'Allocated')
		union all select 'network ' || id || ' is ' || state from networks where removed is null and state not in ('Allocated', 'Implemented', 'Setup')`},
	{"an account has a role that is there and of its type", `
		select 'account ' || a.id || ' of type ' || a.type || ' has role ' || a.role_id from accounts a left join roles r on r.id = a.role_id
		where a.removed is null and (a.type = 5 and a.role_id <> '' or a.type <> 5
			and (r.removed is not null or r.type <> a.type or r.id is null and a.role_id not like '00000000-0000-7000-8000-%'))`},
	{"a project has an account of its own, without users, and an administrator", `
		select 'account ' || a.id || ' of project ' || coalesce(p.id, '-') from accounts a left join projects p on p.id = a.id and p.removed is null
		where a.removed is null and a.type = 5 and (p.id is null or exists (select 1 from users u where u.account_id = a.id)
			or not exists (select 1 from project_members m where m.project_id = a.id and m.admin))
		union all select 'project ' || p.id || ' without its account' from projects p join accounts a on a.id = p.account_id
			where p.removed is null and (a.removed is not null or a.type <> 5 or p.id <> p.account_id)`},
	{"a machine has come from one of its snapshots at most, and each of these from another one of its", `
		select 'machine ' || n.vm_id || ' has come from ' || count(case when n.current then 1 end) || ' of ' || count(*) || ' snapshots'
		from vm_snapshots n where n.removed is null group by n.vm_id
		having count(case when n.current then 1 end) > 1
		union all select 'VM snapshot ' || n.id || ' has a parent of another machine' from vm_snapshots n join vm_snapshots p on p.id = n.parent_id
		where n.removed is null and n.vm_id <> p.vm_id`},
	{"a volume has a disk's place if and only if it has a disk", `
		select 'volume ' || id || ' is ' || state || ' in pool ' || coalesce(pool_id, '-') from volumes
		where removed is null and (state = 'Ready') <> (pool_id is not null)`},
	{"a volume has a machine of its own account and zone, and a device there, or neither", `
		select 'volume ' || d.id || ' of machine ' || coalesce(d.vm_id, '-') || ' at device ' || coalesce(cast(d.device as text), '-')
		from volumes d left join vms v on v.id = d.vm_id where d.removed is null
		and ((d.vm_id is null) <> (d.device is null) or v.account_id <> d.account_id or v.zone_id <> d.zone_id)`},
	{"a machine has one root disk, at device 0", `
		select 'machine ' || v.id || ' has ' || count(d.id) from vms v left join volumes d
			on d.vm_id = v.id and d.removed is null and d.type = 'ROOT' and d.device = 0
		where v.removed is null group by v.id having count(d.id) <> 1`},
	{"what is removed holds nothing", `
		select 'NIC ' || c.id || ' of removed machine ' || c.vm_id from nics c left join vms v on v.id = c.vm_id and v.removed is null where v.id is null
		union all select 'volume ' || d.id || ' of removed machine ' || d.vm_id from volumes d
			left join vms v on v.id = d.vm_id and v.removed is null where d.vm_id is not null and d.removed is null and v.id is null
		union all select 'security group ' || m.group_id || ' of removed machine ' || m.vm_id from security_group_vms m
			left join vms v on v.id = m.vm_id and v.removed is null where v.id is null
		union all select 'the password of removed machine ' || v.id from vms v where v.removed is not null and v.password <> ''
		union all select 'NIC ' || c.id || ' in removed network' from nics c join networks n on n.id = c.network_id where n.removed is not null`},
	{"a machine is in security groups if and only if one of its networks has them", `
		select 'machine ' || v.id || ' is in ' || (select count(*) from security_group_vms m where m.vm_id = v.id) from vms v
		where v.removed is null and exists (select 1 from security_group_vms m where m.vm_id = v.id) <> exists (
			select 1 from nics c join networks n on n.id = c.network_id join network_offerings o on o.id = n.offering_id
			where c.vm_id = v.id and o.services like '%"name":"SecurityGroup"%')`},
	{"a security group has machines of its own account only", `
		select 'group ' || g.id || ' of account ' || g.account_id || ' has machine ' || v.id || ' of ' || v.account_id from security_group_vms m
		join security_groups g on g.id = m.group_id join vms v on v.id = m.vm_id where v.account_id <> g.account_id or v.domain_id <> g.domain_id`},
	{"an account has a default security group", `
		select 'account ' || a.id || ' (' || a.name || ') has none' from accounts a
		where a.removed is null and not exists (select 1 from security_groups g where g.account_id = a.id and g.name = 'default')`},
	{"an address is free or in use", `
		select 'address ' || f.ip || ' of network ' || f.network_id || ' is both' from free_ips f
		join nics c on c.network_id = f.network_id and c.ip = f.ip`},
	{"no address below the counter is lost", `
		select n.name || ': counter at ' || (n.next_ip - n.start_ip) || ', but ' || x.known || ' addresses known' from networks n join (
			select m.id, (select count(*) from nics c where c.network_id = m.id and c.ip < m.next_ip)
				+ (select count(*) from free_ips f where f.network_id = m.id)
				+ case when m.gateway <> '' then 1 else 0 end as known from networks m) x on x.id = n.id
		where n.removed is null and n.guest_type = 'Isolated' and n.next_ip - n.start_ip > x.known`},
	{"a network with source NAT has one public address once it is implemented, and no other has one", `
		select 'network ' || n.id || ' (' || n.name || ') is ' || n.state || ' with ' || count(a.id) || ' addresses' from networks n
		left join public_ips a on a.network_id = n.id and a.source_nat
		group by n.id, n.name, n.state, n.source_nat, n.removed
		having count(a.id) <> case when n.source_nat and n.state = 'Implemented' and n.removed is null then 1 else 0 end`},
	{"an address has one owner or none", `
		select 'address ' || a.id || ' is ' || a.state || ' of account ' || coalesce(a.account_id, '-') || ', network ' || coalesce(a.network_id, '-')
			|| ', machine ' || coalesce(a.vm_id, '-')
		from public_ips a where (a.state = 'Allocated') <> (a.account_id is not null and a.network_id is not null and not (a.vm_id is not null and a.source_nat))
			or a.state = 'Free' and (a.account_id is not null or a.network_id is not null or a.vm_id is not null or a.source_nat)
		union all select 'address ' || a.id || ' is of machine ' || a.vm_id || ', whose NIC has another' from public_ips a
			where a.vm_id is not null and not exists (select 1 from nics c where c.vm_id = a.vm_id and c.network_id = a.network_id and c.ip = a.ip)
		union all select 'NIC ' || c.id || ' has an address that is not its machine''s' from nics c join networks n on n.id = c.network_id
			where n.guest_type = 'Shared' and c.ip is not null and not exists (select 1 from public_ips a where a.vm_id = c.vm_id
				and a.network_id = c.network_id and a.ip = c.ip)`},
	{"an address that was taken for load balancers has one, and no other rules on ports", `
		select 'address ' || a.id || ' is ' || a.state from public_ips a where a.system and (a.state = 'Free' or a.source_nat
			or exists (select 1 from static_nats s where s.id = a.id)
			or exists (select 1 from port_rules p where p.address_id = a.id and p.kind <> 'LoadBalancing')
			or not exists (select 1 from port_rules p where p.address_id = a.id))`},
	{"a network that carries traffic has a router if its offering has one, and no other has one", `
		select 'network ' || n.id || ' (' || n.name || ') is ' || n.state || ' with router ' || r.id || ', ' || r.state from routers r
		join networks n on n.id = r.network_id where r.removed is null and (not n.routed or n.state not in ('Implemented', 'Setup') or n.removed is not null)
		union all select 'network ' || n.id || ' (' || n.name || ') has machines that run, and has never had a router' from networks n
			join nics c on c.network_id = n.id join vms v on v.id = c.vm_id and v.state = 'Running' join hosts h on h.id = v.host_id
			where n.routed and n.removed is null and not exists (select 1 from routers r where r.network_id = n.id
			and r.pod_id = case when n.per_pod then h.pod_id else '' end)`},
	{"a router of a shared network is the cloud's own and has one address in each subnet, which is nobody else's", `
		select 'router ' || r.id || ' of account ' || r.account_id from routers r join networks n on n.id = r.network_id and n.guest_type = 'Shared'
			join accounts a on a.id = r.account_id where r.removed is null and (a.name <> 'system' or not exists (select 1 from ip_ranges i
			where i.network_id = n.id and i.removed is null and i.router_ip <> 0 and coalesce(i.pod_id, '') = r.pod_id))
		union all select 'subnet ' || i.cidr || ' of network ' || i.network_id || ' has ' || count(case when i.router_ip <> 0 then 1 end)
			from ip_ranges i join networks n on n.id = i.network_id where n.routed and i.removed is null and i.start_ip <> 0
			group by i.network_id, coalesce(i.pod_id, ''), i.cidr, i.gateway having count(case when i.router_ip <> 0 then 1 end) <> 1
		union all select 'range ' || i.id || ' of network ' || i.network_id from ip_ranges i join networks n on n.id = i.network_id
			where i.removed is null and i.router_ip <> 0 and (not n.routed or i.router_ip < i.start_ip or i.router_ip > i.end_ip
			or exists (select 1 from nics c where c.network_id = n.id and c.ip = i.router_ip)
			or exists (select 1 from public_ips p where p.range_id = i.id and p.ip = i.router_ip))`},
	{"rules are on addresses that serve their network, and lead to machines that are in it", `
		select 'rule ' || p.id || ' on address ' || p.address_id from port_rules p where not exists (select 1 from public_ips a
			where a.id = p.address_id and a.network_id = p.network_id and a.account_id = p.account_id and a.vm_id is null)
		union all select 'rule ' || p.id || ' leads to card ' || p.nic_id from port_rules p where p.nic_id is not null and not exists (
			select 1 from nics c join vms v on v.id = c.vm_id where c.id = p.nic_id and c.vm_id = p.vm_id and c.network_id = p.network_id
			and v.destroyed is null)
		union all select 'firewall rule ' || w.id || ' on address ' || w.address_id from firewall_rules w where w.address_id is not null
			and not exists (select 1 from public_ips a where a.id = w.address_id and a.network_id = w.network_id)
		union all select 'static NAT of ' || s.id from static_nats s where not exists (select 1 from public_ips a where a.id = s.id
			and a.network_id = s.network_id and not a.source_nat) or not exists (select 1 from nics c where c.id = s.nic_id and c.network_id = s.network_id)
		union all select 'machine ' || m.vm_id || ' of load balancer ' || m.rule_id from balanced_machines m join port_rules p on p.id = m.rule_id
			where not exists (select 1 from nics c where c.id = m.nic_id and c.vm_id = m.vm_id and c.network_id = p.network_id)
		union all select 'rule ' || id || ' of network ' || network_id from (select id, network_id from port_rules union all
			select id, network_id from firewall_rules) r where not exists (select 1 from networks n where n.id = r.network_id and n.removed is null)`},
	{"tags are on things that there are, and their owners'", `
		select 'tag on ' || resource_id || ', of account ' || coalesce(account_id, '-') from (
			select resource_id, account_id, domain_id from tags where resource_type = 'UserVm' and not exists (select 1 from vms x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.removed is null)
			union all select resource_id, account_id, domain_id from tags where resource_type = 'Volume' and not exists (select 1 from volumes x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.removed is null)
			union all select resource_id, account_id, domain_id from tags where resource_type = 'Snapshot' and not exists (select 1 from snapshots x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.removed is null)
			union all select resource_id, account_id, domain_id from tags where resource_type = 'Network' and not exists (select 1 from networks x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.removed is null)
			union all select resource_id, account_id, domain_id from tags where resource_type = 'Template' and not exists (select 1 from templates x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.removed is null and x.format <> 'ISO')
			union all select resource_id, account_id, domain_id from tags where resource_type = 'ISO' and not exists (select 1 from templates x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.removed is null and x.format = 'ISO')
			union all select resource_id, account_id, domain_id from tags where resource_type = 'SecurityGroup' and not exists (select 1 from security_groups x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and 1 = 1)
			union all select resource_id, account_id, domain_id from tags where resource_type = 'PublicIpAddress' and not exists (select 1 from public_ips x where x.id = resource_id
			and x.account_id = tags.account_id and x.domain_id = tags.domain_id and x.state <> 'Free')
			union all select resource_id, account_id, domain_id from tags where resource_type = 'Zone' and (account_id is not null
			or not exists (select 1 from zones x where x.id = resource_id and x.removed is null))) lost`},
	{"a VLAN is free or in use", `
		select 'VLAN ' || f.vlan || ' is free and of network ' || n.id from vlans_free f join networks n
			on n.physical_network_id = f.physical_network_id and n.vlan = f.vlan and n.removed is null`},
	{"no VLAN below the counter is lost", `
		select 'physical network ' || r.physical_network_id || ': counter at ' || r.next || ' of ' || r.first || '-' || r.last from vlan_ranges r
		where r.next - r.first <> (select count(*) from vlans_free f where f.physical_network_id = r.physical_network_id and f.vlan between r.first and r.last)
			+ (select count(*) from networks n where n.physical_network_id = r.physical_network_id and n.removed is null
				and n.vlan between r.first and r.last)`},
	{"jobs end", `select id || ' (' || plan || ') is ' || state || ' at ' || step_name || ': ' || fault_text || ' ' || fault_detail
		from operations where finished is null`},
	{"every ended job has its event", `
		select o.id || ' (' || o.plan || ')' from operations o
		left join (select distinct parent_id from events where state = 'Completed') e on e.parent_id = o.event_id
		where o.finished is not null and o.event_id <> '' and e.parent_id is null`},
}

// reference is a column that holds the id of a row of a table.
type reference struct{ of, column, table string }

// presences are the references of rows, as long as they are not removed themselves, to rows that may not be removed before them.
var presences = []reference{
	{"pods", "zone_id", "zones"}, {"clusters", "zone_id", "zones"}, {"clusters", "pod_id", "pods"},
	{"hosts", "zone_id", "zones"}, {"hosts", "pod_id", "pods"}, {"hosts", "cluster_id", "clusters"},
	{"storage_pools", "zone_id", "zones"}, {"storage_pools", "pod_id", "pods"}, {"storage_pools", "cluster_id", "clusters"},
	{"storage_pools", "host_id", "hosts"},
	{"physical_networks", "zone_id", "zones"}, {"networks", "zone_id", "zones"}, {"networks", "physical_network_id", "physical_networks"},
	{"networks", "offering_id", "network_offerings"}, {"networks", "account_id", "accounts"}, {"networks", "domain_id", "domains"},
	{"ip_ranges", "zone_id", "zones"}, {"ip_ranges", "physical_network_id", "physical_networks"}, {"ip_ranges", "network_id", "networks"},
	{"template_zones", "zone_id", "zones"}, {"template_zones", "template_id", "templates"}, {"template_zones", "store_id", "image_stores"},
	{"templates", "source_id", "templates"}, {"templates", "account_id", "accounts"}, {"templates", "domain_id", "domains"}, {"image_stores", "zone_id", "zones"},
	{"volumes", "account_id", "accounts"}, {"volumes", "domain_id", "domains"}, {"volumes", "zone_id", "zones"},
	{"volumes", "pool_id", "storage_pools"}, {"volumes", "vm_id", "vms"},
	{"snapshots", "account_id", "accounts"}, {"snapshots", "domain_id", "domains"}, {"snapshots", "zone_id", "zones"},
	{"snapshots", "store_id", "image_stores"},
	{"vm_snapshots", "account_id", "accounts"}, {"vm_snapshots", "domain_id", "domains"}, {"vm_snapshots", "zone_id", "zones"},
	{"vm_snapshots", "vm_id", "vms"}, {"vm_snapshots", "parent_id", "vm_snapshots"},
	{"routers", "account_id", "accounts"}, {"routers", "domain_id", "domains"}, {"routers", "zone_id", "zones"}, {"routers", "network_id", "networks"},
	{"vms", "account_id", "accounts"}, {"vms", "domain_id", "domains"}, {"vms", "zone_id", "zones"}, {"vms", "host_id", "hosts"},
	{"accounts", "domain_id", "domains"}, {"users", "account_id", "accounts"},
}

// references are those of all rows, removed ones too, to rows that may be removed but never go away: what was made of an offering
// or a template goes on without it, and shows its name. Those of presences are among them.
var references = append([]reference{
	{"vms", "user_id", "users"}, {"vms", "last_host_id", "hosts"}, {"vms", "to_host_id", "hosts"}, {"vms", "template_id", "templates"}, {"vms", "iso_id", "templates"},
	{"vms", "service_offering_id", "service_offerings"}, {"vms", "os_type_id", "os_types"}, {"vms", "group_id", "vm_groups"},
	{"volumes", "template_id", "templates"}, {"volumes", "disk_offering_id", "disk_offerings"},
	{"volumes", "service_offering_id", "service_offerings"}, {"volumes", "snapshot_id", "snapshots"}, {"snapshots", "volume_id", "volumes"},
	{"volumes", "upload_id", "uploads"}, {"uploads", "volume_id", "volumes"}, {"uploads", "template_id", "templates"},
	{"templates", "os_type_id", "os_types"}, {"os_types", "category_id", "os_categories"},
	{"routers", "host_id", "hosts"}, {"router_leftovers", "router_id", "routers"}, {"router_leftovers", "host_id", "hosts"},
	{"nics", "vm_id", "vms"}, {"nics", "network_id", "networks"}, {"free_ips", "network_id", "networks"},
	{"public_ips", "range_id", "ip_ranges"}, {"public_ips", "account_id", "accounts"}, {"public_ips", "network_id", "networks"},
	{"public_ips", "vm_id", "vms"}, {"resource_counts", "account_id", "accounts"}, {"ssh_keypairs", "account_id", "accounts"},
	{"security_groups", "account_id", "accounts"}, {"security_group_vms", "group_id", "security_groups"}, {"security_group_vms", "vm_id", "vms"},
}, presences...)

// dangling asks for rows whose references lead nowhere. With more, which is about the row t that they lead to, only rows that are
// not removed are asked for.
func dangling(all []reference, more string) string {
	parts := make([]string, len(all))
	for i, r := range all {
		present := ""
		if more != "" {
			present = " and r.removed is null"
		}
		parts[i] = fmt.Sprintf(`select 'a row of %[1]s has %[2]s ' || r.%[2]s from %[1]s r where r.%[2]s is not null%[4]s
			and not exists (select 1 from %[3]s t where t.id = r.%[2]s%[5]s)`, r.of, r.column, r.table, present, more)
	}
	return strings.Join(parts, " union all ")
}

// derived tells what the limits' counters must be.
var derived = map[string]string{
	"vm":         "select count(*) from vms v where v.account_id = c.account_id and v.removed is null and v.destroyed is null",
	"cpu":        "select coalesce(sum(cpu_number), 0) from vms v where v.account_id = c.account_id and v.removed is null and v.destroyed is null",
	"memory_mb":  "select coalesce(sum(memory_mb), 0) from vms v where v.account_id = c.account_id and v.removed is null and v.destroyed is null",
	"volume":     "select count(*) from volumes v where v.account_id = c.account_id and v.removed is null",
	"primary_gb": "select coalesce(sum((size + 1073741823) / 1073741824), 0) from volumes v where v.account_id = c.account_id and v.removed is null",
	"public_ip":  "select count(*) from public_ips v where v.account_id = c.account_id and v.vm_id is null",
	"template":   "select count(*) from templates v where v.account_id = c.account_id and v.removed is null",
	"snapshot":   "select count(*) from snapshots v where v.account_id = c.account_id and v.removed is null",
	"secondary_gb": "(select coalesce(sum((z.stored_bytes + 1073741823) / 1073741824), 0) from template_zones z join templates v on v.id = z.template_id " +
		"where v.account_id = c.account_id and z.removed is null) + (select coalesce(sum((v.stored_bytes + 1073741823) / 1073741824), 0) " +
		"from snapshots v where v.account_id = c.account_id and v.removed is null) + (select coalesce(sum((v.stored_bytes + 1073741823) / 1073741824), 0) " +
		"from uploads v where v.account_id = c.account_id)",
	"project": "select count(*) from project_members v where v.account_id = c.account_id and v.admin",
	"network": "select count(*) from networks v where v.account_id = c.account_id and v.removed is null",
}

// rules are all invariants, in statements that a connection plans once: planning them takes longer than asking them.
var rules = sync.OnceValue(func() (all []rule) {
	add := func(name, query string) { all = append(all, rule{name, db.Prepare(query)}) }
	for _, i := range always {
		add(i.name, i.query)
	}
	add("nothing refers to what is not there", dangling(references, ""))
	add("nothing that there is refers to what is removed", dangling(presences, " and t.removed is null"))
	var wrong, summed []string
	for _, kind := range slices.Sorted(maps.Keys(derived)) {
		wrong = append(wrong, fmt.Sprintf(`select 'account ' || c.account_id || ' has %[1]s ' || c.%[1]s_used || ', counted ' || (%[2]s)
			from resource_counts c where c.%[1]s_used <> (%[2]s)`, kind, derived[kind]))
	}
	add("limits are counted right", strings.Join(wrong, " union all "))
	for _, kind := range limit.Kinds() {
		summed = append(summed, fmt.Sprintf(`select 'domain ' || d.domain_id || ' has %[1]s ' || d.%[1]s_used || ', counted ' || coalesce(x.sum, 0)
			from domain_counts d left join (select up.id, sum(c.%[1]s_used) as sum from up
				join resource_counts c on c.account_id = up.account group by up.id) x on x.id = d.domain_id
			where d.%[1]s_used <> coalesce(x.sum, 0)`, kind))
	}
	add("the counts of domains are the sums of their accounts'", `with recursive up (account, id, parent_id) as (
			select a.id, d.id, d.parent_id from accounts a join domains d on d.id = a.domain_id
			union all select up.account, d.id, d.parent_id from up join domains d on d.id = up.parent_id) `+strings.Join(summed, " union all "))
	add("every domain but ROOT is counted for", `select d.path from domains d left join domain_counts c on c.domain_id = d.id
		where (d.parent_id is null) <> (c.domain_id is null)`)
	return all
})

type rule struct {
	name string
	of   *db.Statement
}

// Check gives all in which a cloud at rest is not whole: capacity is the sum of what uses it, counters are what they count,
// nothing is left of what is gone, and the simulated world is what the database believes. world may be nil.
func Check(ctx context.Context, d *db.DB, world *sim.World) (broken []error) {
	if err := d.Misremembered(ctx); err != nil {
		broken = append(broken, err)
	}
	for _, r := range rules() {
		var lines []string
		if err := d.Read().Select(ctx, r.of, &lines); err != nil {
			broken = append(broken, fmt.Errorf("%s: %w", r.name, err))
		}
		for _, l := range lines {
			broken = append(broken, fmt.Errorf("%s: %s", r.name, l))
		}
	}
	if world != nil {
		broken = append(broken, lasting(func() []error { return compare(ctx, d, world) })...)
	}
	return broken
}

// lasting gives what two looks in a row complain of alike. The world is asked before the database, and a keeper of a cloud that runs may
// end in between what it had in hand: only one look sees that.
func lasting(look func() []error) (broken []error) {
	first := look()
	if len(first) == 0 {
		return nil
	}
	texts := map[string]bool{}
	for _, err := range first {
		texts[err.Error()] = true
	}
	for _, err := range look() {
		if texts[err.Error()] {
			broken = append(broken, err)
		}
	}
	return broken
}

// compare holds the simulated world against the database.
func compare(ctx context.Context, d *db.DB, world *sim.World) (broken []error) {
	there, err := world.Inspect(ctx)
	if err != nil {
		return []error{err}
	}
	var vms []struct {
		ID     uid.VM
		HostID uid.Host
	}
	if err := d.Read().NewRaw("select id, host_id from vms where state = 'Running' and removed is null").Scan(ctx, &vms); err != nil {
		return []error{err}
	}
	for _, vm := range vms {
		guest, ok := there.Guests[vm.ID]
		if !ok || !guest.Running || guest.Host != vm.HostID {
			broken = append(broken, fmt.Errorf("machine %s is believed to run on %s, its host has %+v", vm.ID, vm.HostID, guest))
		}
		delete(there.Guests, vm.ID)
	}
	for id, guest := range there.Guests {
		broken = append(broken, fmt.Errorf("host %s runs machine %s, which nobody knows to run", guest.Host, id))
	}
	broken = append(broken, compareHosts(ctx, d, there.Hosts)...)
	broken = append(broken, compareRouters(ctx, d, there.Routers)...)
	broken = append(broken, compareSnapshots(ctx, d, there.Snapshots)...)
	broken = append(broken, compareKept(ctx, d, there.Checkpoints)...)
	var want []hypervisor.DiskRef
	if err := d.Read().NewRaw("select id as volume, pool_id as pool from volumes where state = 'Ready' and removed is null").Scan(ctx, &want); err != nil {
		return []error{err}
	}
	if len(vms) <= asked {
		for _, vm := range vms {
			broken = append(broken, compareDisks(ctx, d, world, vm.ID)...)
		}
	}
	disks := map[hypervisor.DiskRef]bool{}
	for _, disk := range there.Disks {
		disks[hypervisor.DiskRef{Volume: disk.Volume, Pool: disk.Pool}] = true
	}
	for _, ref := range want {
		if !disks[ref] {
			broken = append(broken, fmt.Errorf("volume %s has no disk in pool %s", ref.Volume, ref.Pool))
		}
		delete(disks, ref)
	}
	for ref := range disks {
		broken = append(broken, fmt.Errorf("a disk is left of volume %s in pool %s", ref.Volume, ref.Pool))
	}
	return broken
}

// asked is how many guests are looked at one by one.
const asked = 200

// compareDisks holds the disks that a running guest has against the volumes of its machine.
func compareDisks(ctx context.Context, d *db.DB, world *sim.World, id uid.VM) (broken []error) {
	guest, err := world.Machine(ctx, id)
	if err != nil {
		return []error{err}
	}
	var has, owns []string
	for _, disk := range guest.Disks {
		has = append(has, fmt.Sprintf("%s at %d", disk.Volume, disk.Device))
	}
	err = d.Read().NewRaw(`select id || ' at ' || device from volumes where vm_id = ? and pool_id is not null and removed is null order by device`, id).
		Scan(ctx, &owns)
	if err != nil {
		return []error{err}
	}
	if !slices.Equal(has, owns) {
		broken = append(broken, fmt.Errorf("machine %s runs with the disks %v, its volumes are %v", id, has, owns))
	}
	return broken
}

// compareHosts holds the hosts that the simulator knows against those in the database.
func compareHosts(ctx context.Context, d *db.DB, enrolled []uid.Host) (broken []error) {
	var ids []uid.Host
	if err := d.Read().NewRaw("select id from hosts where removed is null").Scan(ctx, &ids); err != nil {
		return []error{err}
	}
	known := map[uid.Host]bool{}
	for _, id := range ids {
		known[id] = true
	}
	for _, id := range enrolled {
		if !known[id] {
			broken = append(broken, fmt.Errorf("host %s is enrolled, which nobody knows", id))
		}
		delete(known, id)
	}
	for id := range known {
		broken = append(broken, fmt.Errorf("host %s is not enrolled", id))
	}
	return broken
}

// compareSnapshots holds the snapshots that are in stores against those in the database.
func compareSnapshots(ctx context.Context, d *db.DB, there []hypervisor.SnapshotRef) (broken []error) {
	var ids []uid.Snapshot
	if err := d.Read().NewRaw(`select id from snapshots where removed is null
		union all select id from extractions where volume_id is not null
		union all select id from uploads where state = 'Taken'`).Scan(ctx, &ids); err != nil {
		return []error{err}
	}
	stored := map[uid.Snapshot]bool{}
	for _, s := range there {
		stored[s.Snapshot] = true
	}
	for _, id := range ids {
		if !stored[id] {
			broken = append(broken, fmt.Errorf("snapshot %s is in no store", id))
		}
		delete(stored, id)
	}
	for id := range stored {
		broken = append(broken, fmt.Errorf("a store still has snapshot %s", id))
	}
	return broken
}

// compareKept holds the snapshots that are in machines' disks against those in the database.
func compareKept(ctx context.Context, d *db.DB, there map[uid.VMSnapshot]uid.VM) (broken []error) {
	var rows []struct {
		ID   uid.VMSnapshot
		VMID uid.VM `bun:"vm_id"`
	}
	if err := d.Read().NewRaw("select id, vm_id from vm_snapshots where removed is null").Scan(ctx, &rows); err != nil {
		return []error{err}
	}
	for _, n := range rows {
		if there[n.ID] != n.VMID {
			broken = append(broken, fmt.Errorf("VM snapshot %s of machine %s is not in its disks", n.ID, n.VMID))
		}
		delete(there, n.ID)
	}
	for id, vm := range there {
		broken = append(broken, fmt.Errorf("machine %s still has VM snapshot %s", vm, id))
	}
	return broken
}

// compareRouters holds the routers that hosts run against those that they are to run. What they were told may be behind what there is to
// tell, but never before it, and one that is not behind knows all guests that there are, and no others.
func compareRouters(ctx context.Context, d *db.DB, there map[uid.Router]map[uid.Host]sim.Routed) (broken []error) {
	var rows []struct {
		ID       uid.Router
		HostID   uid.Host
		Applied  int64
		Revision int64
	}
	err := d.Read().NewRaw(`select r.id, r.host_id, r.applied, n.revision from routers r join networks n on n.id = r.network_id
		where r.removed is null and r.state in ('Running', 'Starting')
		union all select l.router_id, l.host_id, 0, n.revision from router_leftovers l join routers r on r.id = l.router_id join networks n on n.id = r.network_id`).
		Scan(ctx, &rows)
	if err != nil {
		return []error{err}
	}
	guests, err := guestsToRoute(ctx, d)
	if err != nil {
		return []error{err}
	}
	for _, r := range rows {
		has, ok := there[r.ID][r.HostID]
		if !ok && r.Applied > 0 || has.Version < r.Applied || has.Version > r.Revision {
			broken = append(broken, fmt.Errorf("router %s on host %s is believed to have version %d of %d, and has %d", r.ID, r.HostID, r.Applied,
				r.Revision, has.Version))
		}
		if want := guests[r.ID]; ok && r.Applied == r.Revision && (len(want) > 0 || len(has.Guests) > 0) && !maps.Equal(want, has.Guests) {
			broken = append(broken, fmt.Errorf("router %s on host %s has version %d, which is the newest, but knows the guests %v instead of %v", r.ID,
				r.HostID, has.Version, has.Guests, want))
		}
		delete(there[r.ID], r.HostID)
	}
	for id, hosts := range there {
		for host := range hosts {
			broken = append(broken, fmt.Errorf("router %s is left on host %s", id, host))
		}
	}
	return broken
}

// guestsToRoute gives the addresses and names of the guests that routers are to know.
func guestsToRoute(ctx context.Context, d *db.DB) (map[uid.Router]map[uid.NIC]string, error) {
	var rows []struct {
		Router uid.Router
		ID     uid.NIC
		IP     network.IP `bun:"ip"`
		Name   string
	}
	err := d.Read().NewRaw(`select r.id as router, c.id, c.ip, v.name from routers r join nics c on c.network_id = r.network_id join vms v on v.id = c.vm_id
		where r.removed is null and v.removed is null and v.state not in ('Destroyed', 'Expunging', 'Error')
		and (r.pod_id = '' or exists (select 1 from public_ips a join ip_ranges g on g.id = a.range_id
			where a.vm_id = v.id and a.network_id = c.network_id and g.pod_id = r.pod_id))`).Scan(ctx, &rows)
	out := map[uid.Router]map[uid.NIC]string{}
	for _, g := range rows {
		if out[g.Router] == nil {
			out[g.Router] = map[uid.NIC]string{}
		}
		out[g.Router][g.ID] = g.IP.String() + " " + g.Name
	}
	return out, err
}
