package compute

import (
	"cmp"
	"context"
	"slices"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/pool"
	"github.com/virga-cloud/virga/internal/router"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// known is a machine with all that its steps tell a host of it.
type known struct {
	VM
	disks []disk
	cards []card
	cd    *hypervisor.ImageRef // nil for none
}

// disk is a volume with what is to be known of its pool and template.
type disk struct {
	bun.BaseModel `bun:"table:volumes,alias:d"`
	volume.Volume
	PoolURL       string               `bun:"pool_url,nullzero"` // "" while it has no pool
	PoolScope     pool.Scope           `bun:"pool_scope,nullzero"`
	TemplateBytes int64                `bun:"template_bytes,nullzero"`
	Store         uid.ImageStore       `bun:"store_id,nullzero"` // that has the template or snapshot; "" where the driver has it anyway
	StoreURL      string               `bun:"store_url,nullzero"`
	StorageType   offering.StorageType // shared, local
	StorageTags   string               // with commas between them
	HostTags      string               // those that the machine's offering asks for
	Planner       string               `bun:"deployment_planner"` // how that offering chooses hosts
	LimitCPU      bool                 `bun:"limit_cpu"`          // whether it limits the CPU, too
	NetworkRate   int                  // of that offering; 0: the setting's
	Limits        offering.IOLimits    `bun:"io_limits,type:text"`
}

// card is a NIC with what is to be known of its network.
type card struct {
	bun.BaseModel `bun:"table:nics,alias:c"`
	network.NIC
	NetworkState network.State
	VLAN         int    `bun:"vlan,nullzero"`
	Wire         string // what its hosts call the link that carries it; "" where they carry it to each other
	Rate         int    // of the network's offering, in Mbit/s; 0: no limit
	PerPod       bool   // the network's addresses belong to pods
	Routed       bool   // the network has a virtual router
	Revision     int64
	RouterState  router.State `bun:"router_state,nullzero"` // "" where there is none yet
	Grouped      bool         // the network has security groups
	Teller       string       // what tells machines of themselves there: router, drive; "" for nothing
}

// ref is the disk as drivers know it.
func (d disk) ref() hypervisor.DiskRef {
	return hypervisor.DiskRef{Volume: d.ID, Pool: d.Pool, PoolURL: d.PoolURL}
}

// made is the disk as it is to be made: a copy of a template, of a snapshot or of what was uploaded, or empty.
func (d disk) made() hypervisor.Disk {
	return hypervisor.Disk{
		DiskRef: d.ref(), Bytes: d.Size, Template: d.Template, TemplateBytes: d.TemplateBytes,
		Snapshot: cmp.Or(d.Snapshot, uid.Snapshot(d.Upload)), // what was uploaded is kept as a snapshot is
		Store:    d.Store, StoreURL: d.StoreURL,
	}
}

// attachment is the disk's place in the machine, and how fast it may be used there.
func (d disk) attachment() hypervisor.Attachment {
	return hypervisor.Attachment{DiskRef: d.ref(), Device: *d.Device, Limits: d.Limits}
}

// connected tells whether all of the machine's networks can carry traffic.
func (vm known) connected() bool {
	return !slices.ContainsFunc(vm.cards, func(c card) bool { return c.NetworkState == network.Allocated })
}

var (
	disksOf = db.Prepare(`select d.*, p.url as pool_url, p.scope as pool_scope, t.size as template_bytes, i.id as store_id, i.url as store_url,
		coalesce(o.storage_type, s.storage_type, 'shared') as storage_type,
		coalesce(o.tags, s.storage_tags, '') as storage_tags, coalesce(m.host_tags, '') as host_tags,
		coalesce(m.deployment_planner, '') as deployment_planner, coalesce(m.limit_cpu, false) as limit_cpu,
		coalesce(m.network_rate, 0) as network_rate, coalesce(o.io_limits, s.io_limits, '{}') as io_limits from volumes d
		left join storage_pools p on p.id = d.pool_id left join templates t on t.id = d.template_id
		left join template_zones z on z.template_id = d.template_id and z.zone_id = d.zone_id and z.removed is null
		left join snapshots f on f.id = d.snapshot_id left join uploads u on u.id = d.upload_id
		left join image_stores i on i.id = coalesce(u.store_id, f.store_id, z.store_id)
		left join disk_offerings o on o.id = d.disk_offering_id left join service_offerings s on s.id = d.service_offering_id
		left join vms v on v.id = d.vm_id left join service_offerings m on m.id = v.service_offering_id
		where d.vm_id = ? and d.removed is null order by d.device`)
	cardsOf = db.Prepare(`select c.*, n.state as network_state, n.vlan, n.per_pod, n.routed, n.revision, r.state as router_state,
		coalesce(t.kvm_label, '') as wire, o.network_rate as rate, o.services like '%"name":"SecurityGroup"%' as grouped,
		case when o.services like '%"name":"UserData","provider":"VirtualRouter"%' then 'router'
			when o.services like '%"name":"UserData"%' then 'drive' else '' end as teller
		from nics c join networks n on n.id = c.network_id join network_offerings o on o.id = n.offering_id
		left join traffic_types t on n.guest_type = 'Shared' and t.physical_network_id = n.physical_network_id and t.type = 'Guest'
		left join routers r on n.routed and not n.per_pod and r.network_id = n.id and r.removed is null
		where c.vm_id = ? order by c.device`)
)

// know finds out all about a machine, also about a removed one.
func know(ctx context.Context, q db.Tx, id uid.VM) (known, error) {
	return knowBy(ctx, q, selectOne, id)
}

// knowLocked is know for a machine that is not removed; it keeps others from changing it until the transaction's end.
func knowLocked(ctx context.Context, tx db.Tx, id uid.VM) (known, error) {
	return knowBy(ctx, tx, selectLocked, id)
}

func knowBy(ctx context.Context, q db.Tx, selectVM *db.Statement, id uid.VM) (k known, err error) {
	var rows []vmRow
	err = q.Ask(ctx, db.Asking(selectVM, &rows, id), db.Asking(disksOf, &k.disks, id), db.Asking(cardsOf, &k.cards, id))
	if err == nil && len(rows) == 0 {
		err = fault.Missing(id)
	}
	if err != nil {
		return k, err
	}
	if k.VM = rows[0].VM; k.ISO != "" {
		k.cd, err = image.In(ctx, q, k.ISO, k.Zone)
	}
	return k, err
}

// countOn counts the machines that an account has on each of some hosts.
func countOn(ctx context.Context, q db.Tx, of uid.Account, hosts []uid.Host) (map[uid.Host]int, error) {
	var rows []struct {
		HostID uid.Host
		N      int
	}
	err := q.NewSelect().Model((*vmRow)(nil)).Column("host_id").ColumnExpr("count(*) as n").
		Where("v.host_id in (?) and v.account_id = ? and v.removed is null", bun.List(hosts), of).Group("host_id").Scan(ctx, &rows)
	counts := make(map[uid.Host]int, len(rows))
	for _, r := range rows {
		counts[r.HostID] = r.N
	}
	return counts, err
}
