package volume

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/detail"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Taggable are the volumes that can have tags.
var Taggable = tag.Kind{Type: tag.Volume, Table: "volumes", Live: "removed is null"}

// Filter says which volumes a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope           auth.Scope
	IDs             []uid.Volume
	Name            string
	Type            Type
	State           State
	VM              uid.VM
	OnlyOf          []uid.VM // those of these machines; nil does not restrict, an empty one shows nothing
	Zone            uid.Zone
	Pod             uid.Pod
	Cluster         uid.Cluster
	Pool            uid.Pool
	OwnStorageOf    uid.Host // in pools of this host alone
	DiskOffering    uid.DiskOffering
	ServiceOffering uid.ServiceOffering
	Tags            tag.Wanted
	Keyword         string // in the name
	Offset          int
	Limit           int // 0 or less: all
}

// List gives a page of volumes, the oldest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Volume, int, error) {
	if f.OnlyOf != nil && len(f.OnlyOf) == 0 {
		return nil, 0, nil
	}
	var rows []volumeRow
	q := f.Scope.Where(s.DB.Read().NewSelect().Model(&rows), "v").Where("v.removed is null").Order("v.id")
	db.In(q, "v.id", f.IDs)
	f.Tags.Where(q, tag.Volume, "v.id")
	db.Equal(q, "v.name", f.Name)
	db.EqualFold(q, "v.type", f.Type)
	switch {
	case strings.EqualFold(string(f.State), string(Uploaded)):
		q.Where("v.state = ? and v.upload_id is not null", Allocated)
	case strings.EqualFold(string(f.State), string(Allocated)):
		q.Where("v.state = ? and v.upload_id is null", Allocated)
	default:
		db.EqualFold(q, "v.state", f.State)
	}
	db.Equal(q, "v.vm_id", f.VM)
	db.In(q, "v.vm_id", f.OnlyOf)
	db.Equal(q, "v.zone_id", f.Zone)
	db.Equal(q, "v.pool_id", f.Pool)
	db.Equal(q, "v.disk_offering_id", f.DiskOffering)
	db.Equal(q, "v.service_offering_id", f.ServiceOffering)
	for column, id := range map[string]string{"pod_id": string(f.Pod), "cluster_id": string(f.Cluster), "host_id": string(f.OwnStorageOf)} {
		if id != "" {
			q.Where("v.pool_id in (select id from storage_pools where ? = ?)", bun.Safe(column), id)
		}
	}
	db.Like(q, f.Keyword, "v.name")
	n, err := db.PageByID(ctx, q, f.Offset, f.Limit)
	out := make([]Volume, len(rows))
	for i, r := range rows {
		out[i] = r.Volume
	}
	return out, n, err
}

// Detailed are the volumes that can have details.
var Detailed = detail.Kind{Type: "Volume", Table: "volumes", Live: "removed is null"}
