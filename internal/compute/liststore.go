package compute

import (
	"context"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the machines that can have tags.
var Taggable = tag.Kind{Type: tag.VM, Table: "vms", Live: "removed is null"}

// TagsOf gives machines' tags, in one query.
func TagsOf(ctx context.Context, q db.Tx, vms []uid.VM) (map[uid.VM][]tag.Tag, error) {
	return tag.Of(ctx, q, tag.VM, vms)
}

// Filter says which machines a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope      auth.Scope
	IDs        []uid.VM
	Except     []uid.VM // not these
	Name       string   // a part of it
	State      State
	Present    bool // neither destroyed nor on the way out
	Zone       uid.Zone
	Pod        uid.Pod
	Cluster    uid.Cluster
	Host       uid.Host
	Pool       uid.Pool // a disk of it lies there
	Group      uid.InstanceGroup
	User       uid.User // who deployed it
	Template   uid.Template
	Offering   uid.ServiceOffering
	Network    uid.Network
	Security   uid.SecurityGroup // that it is in
	Hypervisor string
	ISO        uid.Template // in its CD drive
	KeyPair    string       // by the name of an SSH key pair it was deployed with
	HAEnabled  *bool
	Routed     *bool // whether its default network is an isolated one
	Tags       tag.Wanted
	Keyword    string // in name, display name or instance name
	Offset     int
	Limit      int // 0 or less: all
}

// List gives a page of machines, the oldest first and without their user data, and how many there are in all. Users don't see
// their destroyed machines, unless a setting lets them.
func (s *Service) List(ctx context.Context, f Filter) ([]VM, int, error) {
	var rows []vmRow
	q := f.Scope.Where(s.db.Read().NewSelect().Model(&rows), "v").Where("v.removed is null").Order("v.id")
	if c := auth.From(ctx); c.Type == auth.User && !s.says(c, setting.UsersViewDestroyed) {
		q.Where("v.state not in (?, ?)", Destroyed, Expunging)
	}
	db.In(q, "v.id", f.IDs)
	if len(f.Except) > 0 {
		q.Where("v.id not in (?)", bun.List(f.Except))
	}
	f.Tags.Where(q, tag.VM, "v.id")
	db.Like(q, f.Name, "v.name")
	if f.Present {
		q.Where("v.state not in (?, ?)", Destroyed, Expunging)
	}
	db.EqualFold(q, "v.state", f.State)
	db.Equal(q, "v.zone_id", f.Zone)
	db.Equal(q, "v.host_id", f.Host)
	db.Equal(q, "v.group_id", f.Group)
	db.Equal(q, "v.user_id", f.User)
	db.Equal(q, "v.template_id", f.Template)
	db.Equal(q, "v.service_offering_id", f.Offering)
	db.EqualFold(q, "v.hypervisor", f.Hypervisor)
	if f.Pod != "" {
		q.Where("v.host_id in (select id from hosts where pod_id = ?)", f.Pod)
	}
	if f.Cluster != "" {
		q.Where("v.host_id in (select id from hosts where cluster_id = ?)", f.Cluster)
	}
	if f.Pool != "" {
		q.Where("v.id in (select vm_id from volumes where pool_id = ? and removed is null)", f.Pool)
	}
	db.Equal(q, "v.iso_id", f.ISO)
	if f.KeyPair != "" { // one of its lines
		q.Where("v.key_pairs <> '' and replace(? || v.key_pairs || ?, ?, '') <> ? || v.key_pairs || ?", "\n", "\n", "\n"+f.KeyPair+"\n", "\n", "\n")
	}
	if f.HAEnabled != nil {
		q.Where("v.ha_enabled = ?", *f.HAEnabled)
	}
	if f.Routed != nil {
		isolated := `exists (select 1 from nics c join networks n on n.id = c.network_id
			where c.vm_id = v.id and c.is_default and n.guest_type = 'Isolated')`
		q.Where("? = ?", bun.Safe(isolated), *f.Routed)
	}
	if f.Network != "" {
		q.Where("v.id in (select vm_id from nics where network_id = ?)", f.Network)
	}
	if f.Security != "" {
		q.Where("v.id in (select vm_id from security_group_vms where group_id = ?)", f.Security)
	}
	db.Like(q, f.Keyword, "v.name", "v.display_name", "v.instance_name")
	page := db.PageByID
	if f.Keyword != "" {
		page = db.PageFound
	}
	n, err := page(ctx, q, f.Offset, f.Limit, withoutUserData)
	out := make([]VM, len(rows))
	for i, r := range rows {
		out[i] = r.VM
	}
	return out, n, err
}

// OnHost gives the machines that run on a host; an empty list and never nil where there are none.
func OnHost(ctx context.Context, q db.Tx, on uid.Host) ([]uid.VM, error) {
	ids := []uid.VM{}
	err := q.NewSelect().Model((*vmRow)(nil)).Column("id").Where("v.host_id = ? and v.removed is null", on).Scan(ctx, &ids)
	return ids, err
}

// withoutUserData leaves out what may be 32 KiB in each row, and what is in no list.
func withoutUserData(q *bun.SelectQuery) {
	q.ExcludeColumn("user_data", "ssh_keys", "password", "encrypted_password")
}

var byIDs = db.PrepareMany("select * from vms where id in (?)")

// ByID gives machines by their ids, removed ones too, in one query. The caller has checked who may see them.
func ByID(ctx context.Context, q db.Tx, ids []uid.VM) (map[uid.VM]VM, error) {
	return db.ByID(ctx, q, byIDs, ids, func(r vmRow) (uid.VM, VM) { return r.ID, r.VM })
}

// Label is what is shown of a machine with each thing that it has.
type Label struct {
	ID                            uid.VM
	Name, DisplayName, Hypervisor string
	State                         State
}

var labels = db.PrepareMany("select id, name, display_name, hypervisor, state from vms where id in (?)")

// Labels gives what is shown of machines elsewhere, removed ones too, in one query.
func Labels(ctx context.Context, q db.Tx, ids []uid.VM) (map[uid.VM]Label, error) {
	return db.ByID(ctx, q, labels, ids, func(l Label) (uid.VM, Label) { return l.ID, l })
}

// ZonesOf gives the zones in which an account has machines.
func ZonesOf(ctx context.Context, q db.Tx, account uid.Account) (ids []uid.Zone, err error) {
	err = q.NewSelect().Model((*vmRow)(nil)).ColumnExpr("distinct v.zone_id").Where("v.account_id = ? and v.removed is null", account).Scan(ctx, &ids)
	return ids, err
}

// States is how many machines an account has that run, and that are stopped.
type States struct {
	Account uid.Account `bun:"account_id"`
	Running int
	Stopped int
}

var statesOf = db.PrepareMany(`select account_id, count(*) filter (where state = 'Running') as running,
	count(*) filter (where state = 'Stopped') as stopped from vms where account_id in (?) and removed is null group by account_id`)

// StatesOf gives the states of accounts' machines, in one query.
func StatesOf(ctx context.Context, q db.Tx, accounts []uid.Account) (map[uid.Account]States, error) {
	return db.ByID(ctx, q, statesOf, accounts, func(s States) (uid.Account, States) { return s.Account, s })
}
