package volume

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/uid"
)

// Service keeps volumes. What a volume and a machine do together is package compute's.
type Service struct {
	Parts

	create *op.Runner[creation]
	remove *op.Runner[removal]
	resize *op.Runner[resizing]

	holders Holders
	sources Sources
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Accounts *account.Service
	Hosts    *host.Service
	Settings *setting.Settings // nil for the defaults
}

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.create = op.Register(p.Engine, s.createPlan())
	s.remove = op.Register(p.Engine, s.removePlan())
	s.resize = op.Register(p.Engine, s.resizePlan())
	return s
}

// request is what all operations on a volume alone have in common.
func request(ctx context.Context, id uid.Volume, command string) op.Request {
	return op.Request{
		Thing: op.On("volume", id), Caller: auth.From(ctx), Command: command, SubjectKind: "Volume", SubjectID: string(id),
	}
}

// Announce writes the Scheduled event of an operation on a volume and tells the engine whose it is.
func Announce(ctx context.Context, tx db.Tx, q *op.Request, v Volume, kind event.Kind, doing string) (err error) {
	q.Account, q.Domain = v.Account, v.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s volume %s (%s)", doing, v.Name, v.ID),
		Account: v.Account, Domain: v.Domain, User: q.Caller.User, ResourceID: string(v.ID),
	})
	return err
}

// Use is what a volume counts for against its account's limits.
func (v Volume) Use() limit.Use {
	return limit.Use{limit.Volumes: 1, limit.PrimaryGB: Gigabytes(v.Size)}
}

// Gigabytes is a size in whole GB, a part counted as one.
func Gigabytes(bytes int64) int64 { return (bytes + GB - 1) / GB }
