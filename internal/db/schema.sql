-- The whole schema, written by a test from the migrations (VIRGA_UPDATE=1 go test ./internal/db).

CREATE TABLE account_bytes (
    account_id  text primary key,
    sent        bigint      not null,
    received    bigint      not null
);

CREATE TABLE accounts (
    id          text primary key,
    domain_id   text        not null references domains (id),
    name        text        not null,
    type        bigint      not null,                  -- 0 user, 1 root admin, 2 domain admin, 3 resource domain admin, 5 a project
    role_id     text        not null,                  -- in roles, or one that stands in the code; of the same type
    state       text        not null,                  -- enabled, disabled, locked
    network_domain text     not null default '',
    default_zone_id text    not null default '',       -- zone's, for clients to offer first; "" for none
    details     text        not null default '{}',     -- JSON object of strings
    key_access  text        not null default '',       -- whether its users' keys sign: ENABLED, DISABLED; '': as the setting says
    closing     boolean     not null default false,    -- it is being deleted, and may still own something
    in_projects boolean     not null default false,    -- it is, or was, a member of projects as a whole
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX accounts_closing on accounts (id) where closing and removed is null;

CREATE UNIQUE INDEX accounts_name on accounts (domain_id, name) where type <> 5 and removed is null;

CREATE UNIQUE INDEX accounts_project on accounts (domain_id, name) where type = 5 and removed is null;

CREATE INDEX accounts_projects on accounts (id) where type = 5;

CREATE INDEX accounts_role on accounts (role_id) where removed is null;

CREATE TABLE agent_authority (
    id          bigint primary key,
    certificate text        not null,                  -- PEM
    private_key text        not null,                  -- encrypted column
    created     timestamptz not null,
    constraint agent_authority_one check (id = 1)
);

CREATE TABLE agent_tokens (
    id          text primary key,
    secret_hash text        not null,                  -- SHA-256, in hex
    zone_id     text        references zones (id),     -- where the host is to be; null: addHost says it later
    pod_id      text        references pods (id),
    cluster_id  text        references clusters (id),
    tags        text        not null default '',
    expires     timestamptz not null,
    used        timestamptz,
    created_by  text        not null,
    created     timestamptz not null
);

CREATE TABLE agents (
    host_id     text primary key,
    public_key  text        not null,
    token_id    text        not null,                  -- that it came with
    name        text        not null,
    zone_id     text        references zones (id),     -- where it is to be
    pod_id      text        references pods (id),
    cluster_id  text        references clusters (id),
    tags        text        not null default '',
    address     text        not null,
    enrolled    timestamptz not null
);

CREATE UNIQUE INDEX agents_key on agents (public_key);

CREATE INDEX agents_name on agents (name);

CREATE UNIQUE INDEX agents_token on agents (token_id);

CREATE TABLE alerts (
    id          text primary key,
    type        bigint      not null,                  -- CloudStack's number
    subject     text        not null,                  -- what it is about: the id of a host …
    description text        not null,
    raised      timestamptz not null,
    resolved    timestamptz                            -- when the cause went
);

CREATE UNIQUE INDEX alerts_lasting on alerts (type, subject) where resolved is null;

CREATE TABLE annotations (
    id          text primary key,
    entity_type text        not null,                  -- VM, VOLUME …
    entity_id   text        not null,
    account_id  text,                                  -- the thing's owner; null for what is the cloud's own
    domain_id   text,
    user_id     text        not null,                  -- who wrote it
    username    text        not null,
    text        text        not null,
    admins_only boolean     not null,
    created     timestamptz not null
);

CREATE INDEX annotations_domain on annotations (domain_id);

CREATE INDEX annotations_entity on annotations (entity_type, entity_id);

CREATE INDEX annotations_owner on annotations (account_id);

CREATE TABLE api_keys (
    id          text primary key,
    api_key     text        not null,
    user_id     text        not null references users (id),
    secret      text        not null,                  -- encrypted column: see internal/secret
    name        text        not null default '',       -- '' for the user's plain pair, of which there is one at most
    description text        not null default '',
    rules       text        not null default '',       -- JSON; '' for all that the user may
    starts      timestamptz,
    ends        timestamptz,
    created     timestamptz not null
);

CREATE UNIQUE INDEX api_keys_key on api_keys (api_key);

CREATE UNIQUE INDEX api_keys_name on api_keys (user_id, name);

CREATE TABLE api_windows (
    account_id  text primary key,                      -- '' for all accounts, in which only resets counts
    began       bigint      not null,                  -- of the window: milliseconds since 1970
    taken       bigint      not null,
    resets      bigint      not null                   -- how often an operator has reset the count
);

CREATE TABLE audit_inbox (
    id          text primary key,
    time        timestamptz not null,
    kind        text        not null,                  -- call, end
    command     text        not null,
    result      text        not null,                  -- done, or the kind of the fault
    user_id     text        not null,
    username    text        not null,
    account_id  text        not null,
    key_id      text        not null,
    remote      text        not null,                  -- the client's address
    request     text        not null,
    named       text        not null,
    subject     text        not null,
    event_id    text        not null,
    job_id      text        not null
);

CREATE TABLE audit_log (
    seq         bigint primary key,
    id          text        not null,
    time        timestamptz not null,
    kind        text        not null,
    command     text        not null,
    result      text        not null,
    user_id     text        not null,
    username    text        not null,
    account_id  text        not null,
    key_id      text        not null,
    remote      text        not null,
    request     text        not null,
    named       text        not null,
    subject     text        not null,
    event_id    text        not null,
    job_id      text        not null,
    prev        text        not null,                  -- the hash of the record before
    hash        text        not null
);

CREATE TABLE audit_marks (
    name        text primary key,                      -- begin, end
    seq         bigint      not null,
    hash        text        not null,
    seal        text        not null                   -- encrypted column: see internal/secret
);

CREATE TABLE balanced_machines (
    id          text primary key,
    rule_id     text        not null references port_rules (id) on update cascade,
    vm_id       text        not null,
    nic_id      text        not null,
    state       text        not null,
    created     timestamptz not null
);

CREATE UNIQUE INDEX balanced_machines_nic on balanced_machines (rule_id, nic_id);

CREATE INDEX balanced_machines_vm on balanced_machines (vm_id);

CREATE TABLE certificates (
    suffix      text        not null,                  -- example.org, in lower case
    name        text        not null,                  -- '' of the one with the key
    position    bigint      not null default 0,        -- in the chain
    pem         text        not null,
    private_key text        not null default '',       -- encrypted column
    created     timestamptz not null,
    primary key (suffix, name)
);

CREATE TABLE clusters (
    id          text primary key,
    zone_id     text        not null references zones (id),
    pod_id      text        not null references pods (id),
    name        text        not null,
    hypervisor  text        not null,                  -- Simulator, KVM
    cluster_type text       not null,                  -- CloudManaged
    allocation_state text   not null,
    managed_state text      not null,                  -- Managed, Unmanaged
    cpu_overcommit double precision not null default 1,
    memory_overcommit double precision not null default 1,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX clusters_name on clusters (pod_id, name) where removed is null;

CREATE INDEX clusters_zone on clusters (zone_id) where removed is null;

CREATE TABLE console_tickets (
    id          text primary key,                      -- SHA-256 of what its holder has, in hex
    vm_id       text        not null,
    user_id     text        not null,                  -- whose right it is
    extra       text        not null,                  -- likewise, of what must be said besides; '' for nothing
    expires     timestamptz not null,
    used        boolean     not null default false
);

CREATE INDEX console_tickets_expires on console_tickets (expires);

CREATE TABLE counters (
    name        text primary key,
    next        bigint      not null
);

CREATE TABLE disk_offerings (
    id          text primary key,
    name        text        not null,
    display_text text       not null,
    size_gb     bigint      not null,                  -- 0 where the user says the size
    customized  boolean     not null default false,
    storage_type text       not null default 'shared',
    tags        text        not null default '',
    hidden      boolean     not null default false,    -- from all but root admins
    io_limits   text        not null default '{}',     -- JSON: {"ReadBytes":{"Rate":1000000,"Burst":2000000,"Seconds":5}}
    details     text        not null default '{}',
    sort_key    bigint      not null default 0,
    in_domains  boolean     not null default false,
    in_zones    boolean     not null default false,
    state       text        not null,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE TABLE domain_counts (
    domain_id         text        primary key references domains (id),
    vm_used           bigint      not null default 0,
    vm_max            bigint,
    cpu_used          bigint      not null default 0,
    cpu_max           bigint,
    memory_mb_used    bigint      not null default 0,
    memory_mb_max     bigint,
    volume_used       bigint      not null default 0,
    volume_max        bigint,
    primary_gb_used   bigint      not null default 0,
    primary_gb_max    bigint,
    network_used      bigint      not null default 0,
    network_max       bigint,
    public_ip_used    bigint      not null default 0,
    public_ip_max     bigint,
    template_used     bigint      not null default 0,
    template_max      bigint,
    secondary_gb_used bigint      not null default 0,
    secondary_gb_max  bigint,
    snapshot_used     bigint      not null default 0,
    snapshot_max      bigint,
    project_used      bigint      not null default 0,
    project_max       bigint,
    vpc_used          bigint      not null default 0,
    vpc_max           bigint,
    constraint domain_counts_not_negative check (vm_used >= 0 and cpu_used >= 0 and memory_mb_used >= 0 and volume_used >= 0 and primary_gb_used >= 0 and network_used >= 0
        and public_ip_used >= 0 and template_used >= 0 and secondary_gb_used >= 0 and snapshot_used >= 0 and project_used >= 0 and vpc_used >= 0)
);

CREATE TABLE domains (
    id          text primary key,
    parent_id   text references domains (id),
    name        text        not null,
    path        text        not null,                  -- "ROOT/a/b": the ancestors' names, joined
    level       bigint      not null,                  -- ROOT is 0
    state       text        not null,                  -- Active, Inactive
    network_domain text     not null default '',
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX domains_parent on domains (parent_id) where removed is null;

CREATE UNIQUE INDEX domains_path on domains (path) where removed is null;

CREATE TABLE events (
    id          text primary key,
    type        text        not null,
    level       text        not null,                  -- INFO, WARN, ERROR
    state       text        not null,                  -- Created, Scheduled, Started, Completed
    description text        not null,
    account_id  text        not null,
    domain_id   text        not null,
    user_id     text        not null,
    resource_type text      not null default '',
    resource_id text        not null default '',
    parent_id   text        not null default '',       -- the Scheduled event of the same job
    created     timestamptz not null
);

CREATE INDEX events_domain on events (domain_id, id);

CREATE INDEX events_owner on events (account_id, id);

CREATE INDEX events_resource on events (resource_id, id);

CREATE TABLE extractions (
    id          text primary key,                      -- also of the copy of a volume, in its store
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    user_id     text        not null,                  -- whose right it is
    kind        text        not null,                  -- Template, Iso, Volume
    template_id text        references templates (id),
    volume_id   text        references volumes (id),
    zone_id     text        not null references zones (id),
    store_id    text        not null references image_stores (id),
    hypervisor  text        not null,                  -- whose hosts handle it; '' of ISOs
    name        text        not null,                  -- of what is downloaded
    state       text        not null,                  -- Creating, Ready
    created     timestamptz not null,
    expires     timestamptz not null
);

CREATE INDEX extractions_account on extractions (account_id);

CREATE INDEX extractions_expires on extractions (expires);

CREATE INDEX extractions_volume on extractions (volume_id) where volume_id is not null;

CREATE TABLE failovers (
    vm_id       text primary key references vms (id),
    since       timestamptz not null,
    tries       bigint      not null default 0,
    due         timestamptz not null,                  -- when it is tried next
    job_id      text        not null default ''        -- of the last try
);

CREATE TABLE firewall_rules (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    network_id  text        not null,
    address_id  text,
    protocol    text        not null,                  -- tcp, udp, icmp, all
    first       bigint      not null,                  -- 0 for all ports
    last        bigint      not null,
    icmp_type   bigint      not null,                  -- -1 for all, as the next
    icmp_code   bigint      not null,
    sources     text        not null default '',
    targets     text        not null default '',
    rule_id     text        references port_rules (id) on update cascade, -- that it was opened for
    system      boolean     not null default false,
    state       text        not null,
    display     boolean     not null default true,
    created     timestamptz not null
);

CREATE INDEX firewall_rules_address on firewall_rules (address_id) where address_id is not null;

CREATE INDEX firewall_rules_network on firewall_rules (network_id, id);

CREATE INDEX firewall_rules_owner on firewall_rules (account_id, id);

CREATE INDEX firewall_rules_rule on firewall_rules (rule_id) where rule_id is not null;

CREATE TABLE free_ips (
    network_id  text        not null references networks (id),
    ip          bigint      not null,
    primary key (network_id, ip)
);

CREATE TABLE gone_nics (                              -- those that a router may still know
    network_id  text        not null,                  -- no foreign key: see nics
    told        bigint      not null,                  -- the network's revision at which it went
    nic_id      text        not null,
    primary key (network_id, told, nic_id)
);

CREATE TABLE host_documents (
    host_id     text        not null,                  -- no foreign key: see nics
    kind        text        not null,                  -- guards, peers
    wanted      bigint      not null,                  -- the newest version
    applied     bigint      not null default 0,        -- the one that the host was given last; 0: none
    problem     text        not null default '',       -- why it can't be given the newest
    primary key (host_id, kind)
);

CREATE TABLE host_stats (
    host_id     text primary key,
    measured    timestamptz not null,
    cpu         bigint,                                -- busy, in hundredths of a percent; null where the host could not tell
    load        bigint      not null,                  -- the last minute's average, in hundredths
    memory_kb   bigint      not null,
    sent        bigint      not null,                  -- bytes since the host was started
    received    bigint      not null
);

CREATE TABLE hosts (
    id          text primary key,
    zone_id     text        not null references zones (id),
    pod_id      text        not null references pods (id),
    cluster_id  text        not null references clusters (id),
    name        text        not null,
    type        text        not null,                  -- Routing
    hypervisor  text        not null,
    url         text        not null default '',       -- how it was named when it was added
    ip_address  text        not null,
    pod_ip      bigint,                                -- that address as a number, where it is one of the pod's range
    os_category_id text     not null default '',       -- image's: what it is preferred for
    state       text        not null,                  -- Up, Down, Alert, Disconnected, Connecting
    resource_state text     not null,                  -- Enabled, Disabled, Maintenance …
    cpu_cores   bigint      not null,
    cpu_speed   bigint      not null,
    memory_mb   bigint      not null default 0,        -- what it has
    cpu_total   bigint      not null,                  -- MHz, with the cluster's overcommit applied
    cpu_used    bigint      not null default 0,
    memory_total bigint     not null,                  -- MB, with the cluster's overcommit applied
    memory_used bigint      not null default 0,
    tags        text        not null default '',
    version     text        not null default '',       -- of its hypervisor
    agent_version text      not null default '',
    capabilities text       not null default '',       -- what its agent proved that it can do
    last_seen   timestamptz,
    lost        timestamptz,                           -- since when it does not answer
    unsure      bigint      not null default 0,        -- counts up when what runs on it may have changed; 0 once that was looked at
    created     timestamptz not null,
    removed     timestamptz,
    constraint hosts_cpu    check (cpu_used    >= 0 and cpu_used    <= cpu_total),
    constraint hosts_memory check (memory_used >= 0 and memory_used <= memory_total)
);

CREATE INDEX hosts_cluster on hosts (cluster_id) where removed is null;

CREATE INDEX hosts_leaving on hosts (id) where resource_state = 'PrepareForMaintenance' and removed is null;

CREATE INDEX hosts_listed on hosts (id) where removed is null;

CREATE INDEX hosts_load on hosts (zone_id, (case when memory_used * cpu_total >= cpu_used * memory_total
    then memory_used * 1000000 / nullif(memory_total, 0) else cpu_used * 1000000 / nullif(cpu_total, 0) end), id)
    where removed is null and state = 'Up' and resource_state = 'Enabled';

CREATE UNIQUE INDEX hosts_name on hosts (zone_id, name) where removed is null;

CREATE UNIQUE INDEX hosts_pod_ip on hosts (pod_id, pod_ip) where pod_ip is not null and removed is null;

CREATE INDEX hosts_silent on hosts (id) where lost is not null and removed is null;

CREATE INDEX hosts_unsure on hosts (id) where unsure > 0 and removed is null;

CREATE TABLE image_store_buckets (
    store_id     text        primary key references image_stores (id),
    endpoint     text        not null,                  -- host, or host:port
    bucket       text        not null,
    region       text        not null default '',       -- '' is found out
    https        boolean     not null,
    keys         text        not null,                  -- the access key and the secret key, sealed
    connecting   bigint      not null default 0,        -- nanoseconds; 0 is our own choice, as for what follows
    answering    bigint      not null default 0,
    keeping      bigint      not null default 0,
    tries        integer     not null default 0,
    no_probes    boolean     not null default false     -- of connections nobody uses
);

CREATE TABLE image_stores (
    id          text primary key,
    zone_id     text        references zones (id),     -- null: every zone's
    name        text        not null,
    url         text        not null,
    protocol    text        not null,                  -- file, http, https
    provider    text        not null,                  -- Local, S3
    bytes_total bigint      not null default 0,        -- 0: not known yet, and of buckets
    created     timestamptz not null,
    removed     timestamptz
);

CREATE TABLE inquests (
    operation_id text       not null,
    host_id     text        not null references hosts (id),
    vm_id       text        not null references vms (id),
    asked       timestamptz not null,
    proven      timestamptz,                           -- that it has ended
    runs_on     text,                                  -- where it was found running instead
    primary key (operation_id, host_id)
);

CREATE INDEX inquests_host on inquests (host_id);

CREATE TABLE ip_ranges (
    id          text primary key,
    zone_id     text        not null references zones (id),
    physical_network_id text not null references physical_networks (id),
    network_id  text        references networks (id),  -- of a shared network; null: public
    pod_id      text        references pods (id),      -- for machines of this pod only; null: of all
    account_id  text        references accounts (id),  -- dedicated to this account or domain; null: for everybody
    domain_id   text        references domains (id),
    vlan        text        not null,                  -- untagged, or its number
    gateway     text        not null default '',       -- "" where the range is of IPv6 only
    netmask     text        not null default '',
    cidr        text        not null default '',
    start_ip    bigint      not null default 0,
    end_ip      bigint      not null default 0,
    ip6_gateway text        not null default '',
    ip6_cidr    text        not null default '',
    ip6_start   text        not null default '',
    ip6_end     text        not null default '',
    for_system  boolean     not null default false,    -- kept for the cloud's own machines
    router_ip   bigint      not null default 0,        -- the address in it that the network's virtual router has; 0: none
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX ip_ranges_network on ip_ranges (network_id) where network_id is not null and removed is null;

CREATE INDEX ip_ranges_zone on ip_ranges (zone_id, id) where removed is null;

CREATE TABLE keepers (
    name        text primary key,
    holder      text        not null default '',       -- the server that holds the lease
    lease_until timestamptz not null,
    last_run    timestamptz,
    last_took   bigint      not null default 0,        -- microseconds
    last_error  text        not null default '',
    runs        bigint      not null default 0
);

CREATE TABLE ldap_links (
    domain_id   text        not null references domains (id),
    account_id  text        not null default '',       -- '': each user has an account of its own
    kind        text        not null,                  -- GROUP, OU
    name        text        not null,                  -- of the directory's entry
    account_type bigint     not null,                  -- of accounts that are made
    role_id     text        not null default '',
    created     timestamptz not null,
    primary key (domain_id, account_id)
);

CREATE UNIQUE INDEX ldap_links_name on ldap_links (domain_id, name);

CREATE TABLE ldap_servers (
    id          text primary key,
    domain_id   text        not null default '',       -- whose users it knows; '': of domains that have none
    hostname    text        not null,
    port        bigint      not null,
    created     timestamptz not null
);

CREATE UNIQUE INDEX ldap_servers_place on ldap_servers (domain_id, hostname, port);

CREATE TABLE meshes (
    zone_id     text primary key references zones (id),
    digest      text        not null
);

CREATE TABLE network_offerings (
    id          text primary key,
    name        text        not null,
    display_text text       not null,
    guest_type  text        not null,                  -- Isolated, Shared, L2
    traffic_type text       not null,                  -- Guest, Public, Management, Control, Storage
    availability text       not null,                  -- Required, Optional
    state       text        not null,                  -- Enabled, Disabled
    services    text        not null default '[]',     -- JSON: [{"name":"Dhcp","provider":"VirtualRouter"}]
    capabilities text       not null default '[]',     -- JSON: [{"service":"SourceNat","name":"RedundantRouter","value":"true"}]
    details     text        not null default '{}',     -- JSON object of strings
    tags        text        not null default '',       -- of the physical network that it wants, joined with commas
    service_offering_id text references service_offerings (id), -- of the routers
    in_domains  boolean     not null default false,    -- has rows in offering_domains
    in_zones    boolean     not null default false,    -- has rows in offering_zones
    is_default  boolean     not null default false,
    specify_vlan boolean    not null default false,
    specify_ip_ranges boolean not null default false,
    conserve_mode boolean   not null default true,
    persistent  boolean     not null default false,
    for_vpc     boolean     not null default false,
    egress_open boolean     not null default true,     -- whether what a guest sends is let out unless a rule forbids it
    network_rate bigint     not null default 200,      -- Mbit/s
    sort_key    bigint      not null default 0,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX network_offerings_name on network_offerings (name) where removed is null;

CREATE TABLE network_providers (
    id          text primary key,
    physical_network_id text not null references physical_networks (id),
    destination_id text     references physical_networks (id),
    name        text        not null,                  -- VirtualRouter …
    state       text        not null,                  -- Disabled, Enabled, Shutdown
    services    text        not null default '[]',     -- JSON: ["Dhcp","Dns"]
    created     timestamptz not null
);

CREATE UNIQUE INDEX network_providers_name on network_providers (physical_network_id, name);

CREATE TABLE networks (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    zone_id     text        not null references zones (id),
    physical_network_id text references physical_networks (id),
    offering_id text        not null references network_offerings (id),
    name        text        not null,
    display_text text       not null default '',
    guest_type  text        not null,
    traffic_type text       not null,
    state       text        not null,                  -- Allocated, Implementing, Implemented, Setup, Shutdown, Destroy
    cidr        text        not null default '',       -- "" for L2 networks
    gateway     text        not null default '',
    netmask     text        not null default '',
    start_ip    bigint      not null default 0,        -- first and last address given to guests, as numbers
    end_ip      bigint      not null default 0,
    next_ip     bigint      not null default 0,        -- where the search for a free address goes on
    ip6_cidr    text        not null default '',       -- "" where there is no IPv6
    ip6_gateway text        not null default '',
    ip6_start   text        not null default '',       -- which addresses machines may ask for by name; "" for all
    ip6_end     text        not null default '',
    vlan        bigint,
    untagged    boolean     not null default false,    -- carried without a VLAN
    source_nat  boolean     not null default false,    -- has a public address once it is implemented
    network_domain text     not null default '',
    dns1        text        not null default '',       -- "" for the zone's, as the next three
    dns2        text        not null default '',
    ip6_dns1    text        not null default '',
    ip6_dns2    text        not null default '',
    acl_type    text        not null default 'Account', -- Account, Domain
    subdomain_access boolean not null default false,   -- of a Domain network: the domains below may use it, too
    display     boolean     not null default true,     -- whether its users see it
    per_pod     boolean     not null default false,    -- its ranges are of pods: an address is had once there is a host
    automatic   boolean     not null default false,    -- made by a deployment that named no network
    routed      boolean     not null default false,    -- has a virtual router once a machine has started there
    revision    bigint      not null default 0,        -- what the router must converge to
    retold      bigint      not null default 0,        -- the last revision at which something changed that any of its guests may be told
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX networks_automatic on networks (account_id, zone_id) where automatic and removed is null;

CREATE INDEX networks_domain on networks (domain_id) where removed is null;

CREATE INDEX networks_listed on networks (id, account_id, removed) where removed is null;

CREATE INDEX networks_of_domain on networks (acl_type, zone_id, id) where removed is null;

CREATE INDEX networks_offering on networks (offering_id) where removed is null;

CREATE INDEX networks_owner on networks (account_id, id) where removed is null;

CREATE UNIQUE INDEX networks_untagged on networks (physical_network_id) where untagged and removed is null;

CREATE UNIQUE INDEX networks_vlan on networks (physical_network_id, vlan) where vlan is not null and removed is null;

CREATE TABLE nics (
    id          text primary key,
    vm_id       text        not null,                  -- compute's virtual machine
    network_id  text        not null,                 -- no foreign key: one locks the row that all deployments change
    device      bigint      not null,
    ip          bigint,                                -- as a number; null in L2 networks, and in a pod's before there is a host
    ip6         text        not null default '',
    gateway     text        not null default '',       -- "" for the network's, as the next one
    netmask     text        not null default '',
    mac         text        not null,
    is_default  boolean     not null,
    told        bigint      not null default 0,        -- the network's revision at which last changed what its router is told of it
    created     timestamptz not null
);

CREATE UNIQUE INDEX nics_device on nics (vm_id, device);

CREATE UNIQUE INDEX nics_ip on nics (network_id, ip) where ip is not null;

CREATE UNIQUE INDEX nics_ip6 on nics (network_id, ip6) where ip6 <> '';

CREATE UNIQUE INDEX nics_mac on nics (mac);

CREATE INDEX nics_told on nics (network_id, told);

CREATE TABLE oauth_codes (
    id          text primary key,                      -- of the way in: SHA-256 of its state, in hex
    provider_id text        not null references oauth_providers (id),
    code        text        not null,                  -- SHA-256 of it, in hex
    subject     text        not null,
    email       text        not null,
    used        boolean     not null,
    expires     timestamptz not null
);

CREATE INDEX oauth_codes_expires on oauth_codes (expires);

CREATE TABLE oauth_identities (
    provider_id text        not null references oauth_providers (id),
    user_id     text        not null references users (id),
    subject     text        not null,                  -- what the provider calls it, for ever
    created     timestamptz not null,
    primary key (provider_id, user_id)
);

CREATE INDEX oauth_identities_subject on oauth_identities (provider_id, subject);

CREATE INDEX oauth_identities_user on oauth_identities (user_id);

CREATE TABLE oauth_providers (
    id          text primary key,
    name        text        not null,
    description text        not null,
    client_id   text        not null,
    secret      text        not null,                  -- encrypted column
    redirect_uri text       not null,
    issuer      text        not null,
    enabled     boolean     not null,
    created     timestamptz not null
);

CREATE UNIQUE INDEX oauth_providers_name on oauth_providers (name);

CREATE TABLE offering_domains (
    offering_id text        not null,                  -- of any kind of offering
    domain_id   text        not null references domains (id),
    primary key (offering_id, domain_id)
);

CREATE TABLE offering_zones (
    offering_id text        not null,
    zone_id     text        not null references zones (id),
    primary key (offering_id, zone_id)
);

CREATE TABLE once_keys (
    user_id     text        not null,
    key         text        not null,
    command     text        not null,
    digest      text        not null,                  -- SHA-256 of the request's parameters, in hex
    subject_id  text        not null,                  -- what was made
    operation_id text       not null default '',       -- the job that makes it
    withdrawn   boolean     not null default false,    -- what was made may not be the user's any more, and is not shown again
    created     timestamptz not null,
    primary key (user_id, key)
);

CREATE INDEX once_keys_created on once_keys (created);

CREATE TABLE operation_steps (
    operation_id text       not null,                  -- no foreign key: it would cost a look at the operation per step
    seq         bigint      not null,
    name        text        not null,
    action      text        not null,                  -- do, undo
    error       text        not null default '',
    at          timestamptz not null,
    primary key (operation_id, seq)
);

CREATE TABLE operations (
    id          text primary key,
    plan        text        not null,
    thing       text        not null,                  -- the op.Key: one operation at a time has its turn on a thing
    state       text        not null,                  -- running, undoing, stuck, done, failed
    step        bigint      not null default 0,        -- how many steps are done (or, undoing, still to undo)
    step_name   text        not null default '',
    data        text        not null,                  -- the plan's state, JSON
    attempt     bigint      not null default 0,        -- of the present step
    tried_since timestamptz,                           -- when the present step was first tried
    fault_kind  text        not null default '',
    fault_text  text        not null default '',
    fault_detail text       not null default '',
    canceled    boolean     not null default false,
    owner       text        not null default '',       -- the server that works on it
    fence       bigint      not null default 0,
    seq         bigint      not null default 0,        -- of the newest row in operation_steps
    turn        boolean     not null default false,    -- has had its turn begun
    run_at      timestamptz not null,
    command     text        not null default '',       -- the API command that asked
    user_id     text        not null default '',
    account_id  text        not null default '',
    domain_id   text        not null default '',
    subject_kind text       not null default '',       -- VirtualMachine, Network …
    subject_id  text        not null default '',
    event_id    text        not null default '',
    created     timestamptz not null,
    updated     timestamptz not null,
    finished    timestamptz
);

CREATE INDEX operations_account on operations (account_id, id);

CREATE INDEX operations_finished on operations (finished) where finished is not null;

CREATE INDEX operations_open on operations (thing, id) where finished is null;

CREATE INDEX operations_ready on operations (run_at, id) where finished is null and owner = '';

CREATE INDEX operations_subject on operations (subject_id) where finished is null;

CREATE UNIQUE INDEX operations_turn on operations (thing) where turn and finished is null;

CREATE TABLE os_categories (
    id          text primary key,
    name        text        not null unique
);

CREATE TABLE os_types (
    id          text primary key,
    category_id text        not null references os_categories (id),
    description text        not null unique
);

CREATE TABLE physical_networks (
    id          text primary key,
    zone_id     text        not null references zones (id),
    domain_id   text        references domains (id),   -- it carries only this domain's networks; null: everybody's
    name        text        not null,
    state       text        not null,                  -- Enabled, Disabled
    isolation   text        not null default 'VLAN',   -- VLAN, L3; joined with commas
    speed       text        not null default '',       -- 1G
    broadcast_range text    not null,                  -- ZONE, POD
    tags        text        not null default '',       -- joined with commas
    vlans       text        not null default '',       -- the guest VLANs as they are shown: 100-200,300-400
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX physical_networks_name on physical_networks (zone_id, name) where removed is null;

CREATE TABLE pods (
    id          text primary key,
    zone_id     text        not null references zones (id),
    name        text        not null,
    gateway     text        not null,
    netmask     text        not null,
    start_ip    text        not null,
    end_ip      text        not null,
    allocation_state text   not null,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX pods_name on pods (zone_id, name) where removed is null;

CREATE TABLE port_rules (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    address_id  text        not null,                  -- no foreign keys to what ranges and deployments change
    network_id  text        not null,
    kind        text        not null,                  -- PortForwarding, StaticNat, LoadBalancing
    protocol    text        not null,                  -- tcp, udp, tcp-proxy
    transport   text        not null,                  -- tcp, udp
    first       bigint      not null,
    last        bigint      not null,
    guest_first bigint      not null,
    guest_last  bigint      not null,
    vm_id       text,                                  -- compute's virtual machine; null for load balancers, as the next
    nic_id      text,
    name        text        not null default '',       -- of load balancers, as the next three
    description text        not null default '',
    algorithm   text        not null default '',
    cidrs       text        not null default '',
    state       text        not null,                  -- Add, Active, Revoke
    display     boolean     not null default true,
    created     timestamptz not null
);

CREATE INDEX port_rules_network on port_rules (network_id, id);

CREATE INDEX port_rules_owner on port_rules (account_id, id);

CREATE UNIQUE INDEX port_rules_port on port_rules (address_id, transport, first);

CREATE INDEX port_rules_vm on port_rules (vm_id) where vm_id is not null;

CREATE TABLE project_invitations (
    id          text primary key,
    project_id  text        not null references projects (id),
    account_id  text        not null references accounts (id),
    user_id     text        not null default '',       -- '' for the account
    admin       boolean     not null,                  -- what it is to become
    role_id     text        not null default '',
    state       text        not null,                  -- Pending, Completed, Declined
    created     timestamptz not null,
    expires     timestamptz not null
);

CREATE INDEX project_invitations_account on project_invitations (account_id);

CREATE INDEX project_invitations_project on project_invitations (project_id);

CREATE TABLE project_members (
    project_id  text        not null references projects (id),
    account_id  text        not null references accounts (id),
    user_id     text        not null default '',       -- '' for the account
    admin       boolean     not null,                  -- administers the project
    role_id     text        not null default '',       -- in project_roles; '' for all commands
    created     timestamptz not null,
    primary key (project_id, account_id, user_id)
);

CREATE INDEX project_members_account on project_members (account_id);

CREATE TABLE project_role_permissions (
    id          text primary key,
    role_id     text        not null references project_roles (id),
    position    bigint      not null,
    pattern     text        not null,
    allow       boolean     not null,
    description text        not null default ''
);

CREATE UNIQUE INDEX project_role_permissions_pattern on project_role_permissions (role_id, pattern);

CREATE TABLE project_roles (
    id          text primary key,
    project_id  text        not null references projects (id),
    name        text        not null,
    description text        not null default '',
    created     timestamptz not null
);

CREATE UNIQUE INDEX project_roles_name on project_roles (project_id, name);

CREATE TABLE projects (
    id          text primary key,
    account_id  text        not null references accounts (id), -- of the same ID: it owns what belongs to the project
    domain_id   text        not null references domains (id),
    display_text text       not null,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE TABLE public_ips (
    id          text primary key,
    range_id    text        not null references ip_ranges (id),
    ip          bigint      not null,
    state       text        not null,                  -- Free, Allocated
    free_for    text        not null,
    account_id  text,                                  -- whose it is while it is allocated
    domain_id   text,
    network_id  text        references networks (id),  -- the network that it serves
    vm_id       text,                                  -- compute's virtual machine that has it, in a shared network
    source_nat  boolean     not null default false,
    system      boolean     not null default false,    -- taken for the network's load balancers: it goes with the last of them
    display     boolean     not null default true,     -- whether its users see it
    allocated   timestamptz
);

CREATE INDEX public_ips_free on public_ips (free_for, id) where state = 'Free';

CREATE UNIQUE INDEX public_ips_ip on public_ips (range_id, ip);

CREATE INDEX public_ips_listed on public_ips (id, range_id) where state <> 'Free';

CREATE UNIQUE INDEX public_ips_nat on public_ips (network_id) where source_nat;

CREATE INDEX public_ips_network on public_ips (network_id) where network_id is not null;

CREATE INDEX public_ips_owner on public_ips (account_id, id) where state <> 'Free';

CREATE INDEX public_ips_vm on public_ips (vm_id) where vm_id is not null;

CREATE TABLE regions (
    id          bigint primary key,
    name        text        not null,
    endpoint    text        not null                   -- URL of the API
);

CREATE UNIQUE INDEX regions_name on regions (name);

CREATE TABLE resource_counts (
    account_id        text        primary key references accounts (id),
    of_project        boolean     not null,           -- the account is a project's
    vm_used           bigint      not null default 0,
    vm_max            bigint,
    cpu_used          bigint      not null default 0,
    cpu_max           bigint,
    memory_mb_used    bigint      not null default 0,
    memory_mb_max     bigint,
    volume_used       bigint      not null default 0,
    volume_max        bigint,
    primary_gb_used   bigint      not null default 0,
    primary_gb_max    bigint,
    network_used      bigint      not null default 0,
    network_max       bigint,
    public_ip_used    bigint      not null default 0,
    public_ip_max     bigint,
    template_used     bigint      not null default 0,
    template_max      bigint,
    secondary_gb_used bigint      not null default 0,
    secondary_gb_max  bigint,
    snapshot_used     bigint      not null default 0,
    snapshot_max      bigint,
    project_used      bigint      not null default 0,
    project_max       bigint,
    vpc_used          bigint      not null default 0,
    vpc_max           bigint,
    constraint resource_counts_not_negative check (vm_used >= 0 and cpu_used >= 0 and memory_mb_used >= 0 and volume_used >= 0 and primary_gb_used >= 0 and network_used >= 0
        and public_ip_used >= 0 and template_used >= 0 and secondary_gb_used >= 0 and snapshot_used >= 0 and project_used >= 0 and vpc_used >= 0)
);

CREATE TABLE resource_details (
    resource_type text      not null,                  -- UserVm, Volume …
    resource_id text        not null,
    key         text        not null,
    value       text        not null,
    display     boolean     not null,                  -- ordinary users see it
    primary key (resource_type, resource_id, key)
);

CREATE TABLE role_permissions (
    id          text primary key,
    role_id     text        not null references roles (id),
    position    bigint      not null,
    pattern     text        not null,                  -- the name of a command; * stands for anything
    allow       boolean     not null,
    description text        not null default ''
);

CREATE UNIQUE INDEX role_permissions_pattern on role_permissions (role_id, pattern);

CREATE TABLE roles (
    id          text primary key,
    name        text        not null,
    description text        not null default '',
    type        bigint      not null,                  -- of the accounts that it is for, as in accounts
    state       text        not null,                  -- enabled, disabled
    public      boolean     not null,                  -- admins of domains may see and give it
    version     bigint      not null,                  -- counts changes of the role and of its rules
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX roles_name on roles (name) where removed is null;

CREATE TABLE router_bytes (
    router_id   text        not null references routers (id),
    network_id  text        not null,                  -- of a guest's address; '' of a public one
    ip          text        not null,
    sent        bigint      not null,                  -- towards the outside
    received    bigint      not null,
    seen_sent   bigint      not null,
    seen_received bigint    not null,
    counted     timestamptz not null,
    primary key (router_id, network_id, ip)
);

CREATE TABLE router_elements (
    id          text primary key,
    provider_id text        not null unique references network_providers (id) on delete cascade,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    enabled     boolean     not null default false,
    created     timestamptz not null
);

CREATE TABLE router_leftovers (
    router_id   text        not null references routers (id),
    host_id     text        not null references hosts (id),
    primary key (router_id, host_id)
);

CREATE TABLE routers (
    id          text primary key,
    serial      bigint      not null,
    name        text        not null,                  -- r-7-VM
    network_id  text        not null references networks (id),
    pod_id      text        not null default '',       -- whose machines it serves, in a basic zone; '': all of the network's
    account_id  text        not null references accounts (id), -- the network's, or the cloud's own for a shared one; as the next
    domain_id   text        not null references domains (id),
    zone_id     text        not null references zones (id),
    host_id     text        not null references hosts (id),
    hypervisor  text        not null,                  -- of the host
    state       text        not null,                  -- Starting, Running, Stopping, Stopped
    applied     bigint      not null default 0,        -- the network's revision that it was told last; 0: none since its start
    problem     text        not null default '',       -- why it can't be told the newest
    parts       text        not null default '[]',     -- what its host said last of its services, as JSON
    ailing      boolean     not null default false,    -- one of them does not run
    counted     bigint      not null default 0,        -- how often what went by its addresses was counted
    idle        timestamptz,                           -- since when no machine has run in its network
    started     timestamptz,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX routers_host on routers (host_id) where removed is null;

CREATE UNIQUE INDEX routers_network on routers (network_id, pod_id) where removed is null;

CREATE INDEX routers_networks on routers (network_id);

CREATE INDEX routers_owner on routers (account_id, id) where removed is null;

CREATE UNIQUE INDEX routers_serial on routers (serial);

CREATE TABLE saml_keys (
    id          text primary key,
    key         text        not null,                  -- encrypted column: PKCS #8
    certificate text        not null,                  -- DER in base64
    created     timestamptz not null
);

CREATE TABLE saml_sessions (
    session_id  text primary key references sessions (id) on delete cascade,
    idp         text        not null,
    name_id     text        not null,
    name_format text        not null,
    session_index text      not null
);

CREATE INDEX saml_sessions_name on saml_sessions (idp, name_id);

CREATE TABLE saml_tickets (
    id          text primary key,                      -- SHA-256 of the ticket, in hex
    request     text        not null,                  -- the ID of the request that is answered
    idp         text        not null,
    username    text        not null,
    name_id     text        not null,
    name_format text        not null,
    session_index text      not null,
    expires     timestamptz not null
);

CREATE INDEX saml_tickets_expires on saml_tickets (expires);

CREATE TABLE saml_used (
    id          text primary key,                      -- SHA-256 of kind, provider and ID, in hex
    expires     timestamptz not null
);

CREATE INDEX saml_used_expires on saml_used (expires);

CREATE TABLE saml_users (
    user_id     text primary key references users (id),
    idp         text        not null,                  -- its entity ID
    created     timestamptz not null
);

CREATE TABLE security_group_notes (
    id          text primary key,
    group_id    text        not null,
    rules       boolean     not null
);

CREATE TABLE security_group_rules (
    id          text primary key,
    group_id    text        not null,                  -- no foreign keys to groups: they may get other IDs
    account_id  text        not null references accounts (id), -- the group's, as the next
    domain_id   text        not null references domains (id),
    egress      boolean     not null,
    protocol    text        not null,                  -- tcp, udp, icmp, all, or a number
    first       bigint      not null,                  -- ports; both 0 for all
    last        bigint      not null,
    icmp_type   bigint      not null,                  -- -1 for all, as the next
    icmp_code   bigint      not null,
    cidr        text        not null,                  -- whose traffic it is about; "" where it is a group's
    peer_id     text,                                  -- that group
    batch_id    text        not null,                  -- the first of those that were made in one go
    created     timestamptz not null
);

CREATE INDEX security_group_rules_batch on security_group_rules (batch_id);

CREATE INDEX security_group_rules_group on security_group_rules (group_id, id);

CREATE INDEX security_group_rules_owner on security_group_rules (account_id);

CREATE INDEX security_group_rules_peer on security_group_rules (peer_id) where peer_id is not null;

CREATE TABLE security_group_vms (
    vm_id       text        not null,                  -- compute's virtual machine
    group_id    text        not null,                  -- no foreign key: see nics
    primary key (vm_id, group_id)
);

CREATE INDEX security_group_vms_group on security_group_vms (group_id, vm_id);

CREATE TABLE security_groups (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    name        text        not null,                  -- "default" is there from the account's beginning
    description text        not null default '',
    created     timestamptz not null
);

CREATE INDEX security_groups_domain on security_groups (domain_id, id);

CREATE UNIQUE INDEX security_groups_name on security_groups (account_id, name);

CREATE INDEX security_groups_owner on security_groups (account_id, id);

CREATE TABLE servers (
    id          text primary key,                      -- one per process start
    name        text        not null,                  -- stays over restarts; a new start takes over the work of its name
    started     timestamptz not null,
    lease_until timestamptz not null
);

CREATE INDEX servers_name on servers (name);

CREATE TABLE service_offerings (
    id          text primary key,
    name        text        not null,
    display_text text       not null,
    cpu_number  bigint      not null,
    cpu_speed   bigint      not null,                  -- MHz per core
    memory_mb   bigint      not null,
    root_gb     bigint      not null default 0,        -- 0: the template's size
    customized  boolean     not null default false,    -- the user says what is 0
    min_cpu     bigint      not null default 0,        -- of customized ones: the bounds, 0 for none
    max_cpu     bigint      not null default 0,
    min_memory_mb bigint    not null default 0,
    max_memory_mb bigint    not null default 0,
    offer_ha    boolean     not null default false,
    limit_cpu   boolean     not null default false,
    volatile    boolean     not null default false,
    is_system   boolean     not null default false,
    system_type text        not null default '',
    is_default  boolean     not null default false,
    storage_type text       not null default 'shared', -- shared, local
    host_tags   text        not null default '',
    storage_tags text       not null default '',
    network_rate bigint     not null default 0,        -- Mbit/s; 0: the setting's
    deployment_planner text not null default '',       -- "": the setting's algorithm
    io_limits   text        not null default '{}',     -- JSON, of root disks; see disk_offerings
    details     text        not null default '{}',     -- JSON object of strings
    sort_key    bigint      not null default 0,
    in_domains  boolean     not null default false,    -- has rows in offering_domains
    in_zones    boolean     not null default false,    -- has rows in offering_zones
    state       text        not null,                  -- Active, Inactive
    created     timestamptz not null,
    removed     timestamptz
);

CREATE TABLE sessions (
    id          text primary key,                      -- SHA-256 of the cookie's value, in hex
    user_id     text        not null references users (id),
    session_key text        not null,                  -- SHA-256 of the session key, in hex
    created     timestamptz not null,
    last_used   timestamptz not null,
    waiting     boolean     not null default false     -- for the second factor
);

CREATE INDEX sessions_idle on sessions (last_used);

CREATE INDEX sessions_user on sessions (user_id);

CREATE TABLE settings (
    name        text        not null,
    scope       text        not null default '',       -- '' global; zone, cluster, storagepool, domain, account
    scope_id    text        not null default '',       -- of that zone …
    value       text        not null,
    updated     timestamptz not null,
    primary key (name, scope, scope_id)
);

CREATE TABLE snapshots (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    zone_id     text        not null references zones (id),
    volume_id   text        not null references volumes (id), -- which may be removed long since
    store_id    text        not null references image_stores (id),
    hypervisor  text        not null,                  -- whose hosts handle it
    name        text        not null,
    state       text        not null,                  -- Creating, BackedUp, Destroying, Destroyed
    size        bigint      not null,                  -- bytes of a disk made from it
    stored_bytes bigint     not null default 0,        -- that it takes in its store
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX snapshots_domain on snapshots (domain_id) where removed is null;

CREATE INDEX snapshots_owner on snapshots (account_id, id) where removed is null;

CREATE INDEX snapshots_volume on snapshots (volume_id) where removed is null;

CREATE TABLE ssh_keypairs (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    name        text        not null,
    fingerprint text        not null,                  -- MD5, as CloudStack's
    public_key  text        not null,                  -- a line of authorized_keys
    created     timestamptz not null
);

CREATE UNIQUE INDEX ssh_keypairs_key on ssh_keypairs (account_id, fingerprint);

CREATE UNIQUE INDEX ssh_keypairs_name on ssh_keypairs (account_id, name);

CREATE TABLE static_nats (
    id          text primary key,
    network_id  text        not null,
    vm_id       text        not null,
    nic_id      text        not null,
    state       text        not null,
    created     timestamptz not null
);

CREATE INDEX static_nats_network on static_nats (network_id);

CREATE UNIQUE INDEX static_nats_nic on static_nats (nic_id);

CREATE INDEX static_nats_vm on static_nats (vm_id);

CREATE TABLE stickiness_policies (
    id          text primary key,
    rule_id     text        not null references port_rules (id) on update cascade,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    name        text        not null,
    description text        not null default '',
    method      text        not null,                  -- LbCookie, AppCookie, SourceBased
    params      text        not null default '{}',
    state       text        not null,
    display     boolean     not null default true,
    created     timestamptz not null
);

CREATE INDEX stickiness_policies_owner on stickiness_policies (account_id, id);

CREATE UNIQUE INDEX stickiness_policies_rule on stickiness_policies (rule_id);

CREATE TABLE storage_pools (
    id          text primary key,
    zone_id     text        not null references zones (id),
    pod_id      text        references pods (id),      -- null: all of the zone's
    cluster_id  text        references clusters (id),  -- null: all of the zone's
    host_id     text        references hosts (id),     -- the one host that has it; null: it is shared
    name        text        not null,
    hypervisor  text        not null default '',       -- whose hosts reach it
    url         text        not null,
    address     text        not null default '',       -- the url's host
    path        text        not null default '',
    type        text        not null,                  -- Filesystem, SharedMountPoint
    scope       text        not null,                  -- CLUSTER, ZONE, HOST
    state       text        not null,                  -- Up, Maintenance, Disabled
    bytes_physical bigint   not null default 0,        -- what is there
    bytes_total bigint      not null,                  -- what may be given out, over-provisioning applied
    bytes_used  bigint      not null default 0,        -- allocated to volumes
    tags        text        not null default '',
    provider    text        not null default '',
    details     text        not null default '{}',     -- JSON object of strings
    created     timestamptz not null,
    removed     timestamptz,
    constraint storage_pools_bytes check (bytes_used >= 0 and bytes_used <= bytes_total),
    constraint storage_pools_scope check (
        scope = 'ZONE' and pod_id is null and cluster_id is null and host_id is null
        or scope = 'CLUSTER' and pod_id is not null and cluster_id is not null and host_id is null
        or scope = 'HOST' and pod_id is not null and cluster_id is not null and host_id is not null)
);

CREATE INDEX storage_pools_cluster on storage_pools (cluster_id) where removed is null;

CREATE INDEX storage_pools_host on storage_pools (host_id) where host_id is not null and removed is null;

CREATE UNIQUE INDEX storage_pools_name on storage_pools (zone_id, name) where removed is null;

CREATE UNIQUE INDEX storage_pools_url on storage_pools (zone_id, coalesce(cluster_id, ''), coalesce(host_id, ''), url) where removed is null;

CREATE INDEX storage_pools_zone on storage_pools (zone_id) where scope = 'ZONE' and removed is null;

CREATE TABLE tags (
    resource_type text      not null,                  -- UserVm, Volume …
    resource_id text        not null,
    key         text        not null,
    value       text        not null,
    customer    text        not null default '',
    account_id  text,                                  -- the thing's owner; null for what is the cloud's own
    domain_id   text,
    created     timestamptz not null,
    primary key (resource_type, resource_id, key)
);

CREATE INDEX tags_domain on tags (domain_id, resource_type, resource_id);

CREATE INDEX tags_owner on tags (account_id, resource_type, resource_id);

CREATE INDEX tags_value on tags (resource_type, key, value, resource_id);

CREATE TABLE template_zones (
    template_id text        not null references templates (id),
    zone_id     text        not null references zones (id),
    store_id    text        references image_stores (id), -- null for what the driver has anyway
    state       text        not null,                  -- Waiting, Ready, Failed, Deleting
    problem     text        not null default '',
    stored_bytes bigint     not null default 0,
    come_bytes  bigint      not null default 0,        -- that have come while it is Waiting, of
    come_of     bigint      not null default 0,        -- so many; 0 where that is not known
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX template_zones_present on template_zones (template_id, zone_id) where removed is null;

CREATE INDEX template_zones_store on template_zones (store_id) where removed is null;

CREATE INDEX template_zones_template on template_zones (template_id);

CREATE INDEX template_zones_zone on template_zones (zone_id) where removed is null;

CREATE TABLE templates (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    os_type_id  text        not null references os_types (id),
    name        text        not null,
    display_text text       not null,
    hypervisor  text        not null,                  -- "" of ISOs
    format      text        not null,                  -- RAW, QCOW2 …, ISO
    type        text        not null,                  -- USER, SYSTEM, BUILTIN
    url         text        not null default '',
    checksum    text        not null default '',
    source_id   text        references templates (id), -- of the volume that it was made of
    size        bigint      not null,                  -- bytes, virtual; 0 until it has been fetched somewhere
    bits        bigint      not null default 64,
    tag         text        not null default '',       -- that hosts must have
    details     text        not null default '{}',     -- JSON object of strings
    is_public   boolean     not null default false,
    is_featured boolean     not null default false,
    is_extractable boolean  not null default false,
    cross_zones boolean     not null default false,    -- it is to be in every zone
    bootable    boolean     not null default true,
    requires_hvm boolean    not null default false,
    scalable    boolean     not null default false,
    password_enabled boolean not null default false,
    ssh_key_enabled boolean not null default false,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX templates_owner on templates (account_id, id) where removed is null;

CREATE TABLE traffic_types (
    id          text primary key,
    physical_network_id text not null references physical_networks (id),
    type        text        not null,                  -- Guest, Public, Management, Storage, Control
    state       text        not null,                  -- Enabled, Disabled
    vlan        text        not null default '',
    kvm_label   text        not null default '',
    xen_label   text        not null default '',
    vmware_label text       not null default '',
    hyperv_label text       not null default '',
    ovm3_label  text        not null default '',
    created     timestamptz not null
);

CREATE UNIQUE INDEX traffic_types_type on traffic_types (physical_network_id, type);

CREATE TABLE uploads (
    id          text primary key,                      -- also of what came for a volume, in its store
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    user_id     text        not null,                  -- whose right it is
    kind        text        not null,                  -- Template, Iso, Volume
    template_id text        references templates (id),
    volume_id   text        references volumes (id),
    zone_id     text        not null references zones (id),
    store_id    text        not null references image_stores (id),
    hypervisor  text        not null,                  -- whose hosts handle it; '' of ISOs
    format      text        not null,
    checksum    text        not null,
    name        text        not null,                  -- of what is uploaded
    state       text        not null,                  -- Waiting, Receiving, Taking, Taken, Ended
    received    bigint      not null default 0,        -- bytes
    stored_bytes bigint     not null default 0,        -- that what came for a volume takes in the store
    created     timestamptz not null,
    expires     timestamptz not null                   -- until when it may begin, or go on
);

CREATE INDEX uploads_account on uploads (account_id);

CREATE INDEX uploads_expires on uploads (expires);

CREATE TABLE users (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    username    text        not null,
    password    text        not null,                  -- encoded hash; never recoverable
    firstname   text        not null default '',
    lastname    text        not null default '',
    email       text        not null default '',
    timezone    text        not null default '',
    state       text        not null,                  -- enabled, disabled, locked
    source      text        not null default 'native', -- who vouches for it: native, ldap, saml2, saml2disabled, oauth2
    withdrawn   boolean     not null default false,    -- its source has disabled it
    failures    bigint      not null default 0,        -- failed logins since the last good one
    locked_until timestamptz,                          -- set after too many failures
    factor      text        not null default '',       -- the second one: '' none, pending, on
    factor_provider text    not null default '',
    factor_secret text      not null default '',       -- encrypted column
    factor_step bigint      not null default 0,        -- the code that was used last, and those before it
    factor_mandated boolean not null default false,    -- it must have one
    key_access  text        not null default '',       -- whether its keys sign: ENABLED, DISABLED; '': as its account's
    in_projects boolean     not null default false,    -- it is, or was, a member of projects by itself
    created     timestamptz not null,
    removed     timestamptz
);

CREATE INDEX users_account on users (account_id);

CREATE UNIQUE INDEX users_name on users (domain_id, username) where removed is null;

CREATE TABLE versions (
    name        text primary key,
    version     bigint      not null
);

CREATE TABLE vlan_ranges (
    physical_network_id text not null references physical_networks (id),
    first       bigint      not null,
    last        bigint      not null,
    next        bigint      not null,
    primary key (physical_network_id, first)
);

CREATE TABLE vlans_free (
    physical_network_id text not null references physical_networks (id),
    vlan        bigint      not null,
    primary key (physical_network_id, vlan)
);

CREATE TABLE vm_groups (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    name        text        not null,
    created     timestamptz not null
);

CREATE UNIQUE INDEX vm_groups_name on vm_groups (account_id, name);

CREATE TABLE vm_snapshots (
    id          text primary key,
    account_id  text        not null references accounts (id),
    domain_id   text        not null references domains (id),
    zone_id     text        not null references zones (id),
    vm_id       text        not null,                  -- no foreign key: machines stand above
    parent_id   text,                                  -- that the machine had come from
    name        text        not null,                  -- that the cloud gives it
    display_name text       not null,                  -- that its user gives it
    description text        not null default '',
    state       text        not null,                  -- Creating, Ready, Reverting, Expunging, Removed
    memory      boolean     not null,                  -- the machine's memory is kept, too
    current     boolean     not null default false,    -- the machine has come from it
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX vm_snapshots_current on vm_snapshots (vm_id) where current and removed is null;

CREATE INDEX vm_snapshots_domain on vm_snapshots (domain_id) where removed is null;

CREATE UNIQUE INDEX vm_snapshots_name on vm_snapshots (vm_id, display_name) where removed is null;

CREATE INDEX vm_snapshots_owner on vm_snapshots (account_id, id) where removed is null;

CREATE TABLE vm_stats (
    vm_id       text primary key,
    host_id     text        not null,                  -- that said it last
    measured    timestamptz not null,
    cpu         bigint,                                -- of its processors, in hundredths of a percent; null before the second look
    memory_kb   bigint      not null,
    received    bigint      not null,                  -- bytes since there is the machine, as the next three
    sent        bigint      not null,
    read_bytes  bigint      not null,
    written_bytes bigint    not null,
    reads       bigint      not null,
    writes      bigint      not null,
    seen        text        not null                   -- what was said last, as JSON: what is more is added the next time
);

CREATE TABLE vms (
    id          text primary key,
    account_id  text        not null,                  -- no foreign keys to what all deployments share: each would lock its row;
                                                       -- those rows are never deleted, but marked as removed
    domain_id   text        not null,
    user_id     text        not null,                  -- who deployed it
    zone_id     text        not null,
    host_id     text,                                  -- holds the machine's capacity while set; no foreign key: see nics
    last_host_id text,
    to_host_id  text,                                  -- holds it, too: where the machine is moving to
    template_id text        not null,
    service_offering_id text not null,
    os_type_id  text        not null,
    group_id    text        references vm_groups (id),
    iso_id      text        references templates (id), -- in the CD drive
    serial      bigint      not null,                  -- the number in the instance name
    name        text        not null,
    display_name text       not null,
    instance_name text      not null,
    hypervisor  text        not null,
    state       text        not null,
    cpu_number  bigint      not null,
    cpu_speed   bigint      not null,
    memory_mb   bigint      not null,
    user_data   text        not null default '',
    key_pairs   text        not null default '',       -- names of SSH key pairs, a line each
    ssh_keys    text        not null default '',       -- their public halves, a line each
    password    text        not null default '',       -- sealed; until it has been shown
    password_user text      not null default '',       -- whom it was made for, besides the account's users
    encrypted_password text not null default '',       -- the same, for who has the private half of the first RSA key
    details     text        not null default '{}',     -- JSON object of strings
    ha_enabled  boolean     not null default false,
    dynamic     boolean     not null default false,    -- may be given more CPU and memory while it runs
    version     bigint      not null default 0,
    created     timestamptz not null,
    updated     timestamptz,                           -- when a user last changed it
    destroyed   timestamptz,                           -- when the state became Destroyed
    removed     timestamptz
);

CREATE INDEX vms_destroyed on vms (destroyed) where destroyed is not null and removed is null;

CREATE INDEX vms_domain on vms (domain_id, id) where removed is null;

CREATE INDEX vms_group on vms (group_id) where group_id is not null;

CREATE INDEX vms_host on vms (host_id) where host_id is not null;

CREATE UNIQUE INDEX vms_instance_name on vms (instance_name);

CREATE INDEX vms_iso on vms (iso_id) where iso_id is not null;

CREATE INDEX vms_listed on vms (id, account_id, name, display_name, instance_name, removed) where removed is null;

CREATE INDEX vms_owner on vms (account_id, id, state) where removed is null;

CREATE INDEX vms_to_host on vms (to_host_id) where to_host_id is not null;

CREATE TABLE volumes (
    id          text primary key,
    account_id  text        not null,                  -- no foreign keys to what all deployments share: see vms
    domain_id   text        not null,
    zone_id     text        not null,
    pool_id     text,                                  -- no foreign key: see nics
    vm_id       text,                                  -- compute's virtual machine; null when detached
    device      bigint,
    template_id text,
    snapshot_id text,                                  -- that its disk is made from
    upload_id   text,                                  -- that its disk is made from, until it is
    disk_offering_id text   references disk_offerings (id),
    service_offering_id text,
    name        text        not null,
    type        text        not null,                  -- ROOT, DATADISK
    state       text        not null,                  -- Allocated, Creating, Ready, Destroy, Expunging, Expunged
    size        bigint      not null,                  -- bytes
    created     timestamptz not null,
    attached    timestamptz,
    removed     timestamptz
);

CREATE UNIQUE INDEX volumes_device on volumes (vm_id, device) where vm_id is not null and removed is null;

CREATE INDEX volumes_domain on volumes (domain_id) where removed is null;

CREATE INDEX volumes_listed on volumes (id, account_id, removed) where removed is null;

CREATE INDEX volumes_owner on volumes (account_id, id) where removed is null;

CREATE INDEX volumes_snapshot on volumes (snapshot_id) where snapshot_id is not null and removed is null;

CREATE TABLE vpc_offerings (
    id          text primary key,
    name        text        not null,
    display_text text       not null,
    state       text        not null,                  -- Enabled, Disabled
    services    text        not null default '[]',     -- JSON, as network_offerings'
    is_default  boolean     not null default false,
    redundant   boolean     not null default false,
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX vpc_offerings_name on vpc_offerings (name) where removed is null;

CREATE TABLE zones (
    id          text primary key,
    name        text        not null,
    network_type text       not null,                  -- Advanced, Basic
    security_groups boolean not null default false,
    allocation_state text   not null,                  -- Enabled, Disabled
    dns1        text        not null default '',
    dns2        text        not null default '',
    internal_dns1 text      not null default '',
    internal_dns2 text      not null default '',
    ip6_dns1    text        not null default '',
    ip6_dns2    text        not null default '',
    guest_cidr  text        not null default '',
    network_domain text     not null default '',
    domain_id   text        references domains (id),   -- whose it is alone, with the domains below; null: everyone's
    local_storage boolean   not null default false,
    dhcp_provider text      not null default 'VirtualRouter',
    token       text        not null default '',       -- for people: the same for as long as the zone is there
    sort_key    bigint      not null default 0,
    details     text        not null default '{}',     -- JSON object of strings
    created     timestamptz not null,
    removed     timestamptz
);

CREATE UNIQUE INDEX zones_name on zones (name) where removed is null;
