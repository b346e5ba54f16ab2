package closing

import (
	"context"
	"fmt"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/extraction"
	"github.com/virga-cloud/virga/internal/image"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/snapshot"
	"github.com/virga-cloud/virga/internal/upload"
	"github.com/virga-cloud/virga/internal/volume"
	"github.com/virga-cloud/virga/uid"
)

// Service shuts and deletes tenants.
type Service struct {
	Parts

	account *op.Runner[ending]
	domain  *op.Runner[emptying]
	disable *op.Runner[shutting]
	user    *op.Runner[shuttingUser]
	keys    *op.Runner[dropping]
	zone    *op.Runner[marking]
	project *op.Runner[ending]
	suspend *op.Runner[shutting]
}

// Parts are what a service works with.
type Parts struct {
	DB       *db.DB
	Engine   *op.Engine
	Accounts *account.Service
	Projects *project.Service
	Machines *compute.Service
	Volumes  *volume.Service
	Networks *network.Service
	Images   *image.Service

	Snapshots *snapshot.Service

	Extractions *extraction.Service
	Uploads     *upload.Service
}

// patience is how long a step waits for other operations to end. Theirs is shorter, where they can be undone.
const patience = 30 * time.Minute

// New makes a service and registers its plans with the engine.
func New(p Parts) *Service {
	s := &Service{Parts: p}
	s.account = op.Register(p.Engine, s.accountPlan())
	s.domain = op.Register(p.Engine, s.domainPlan())
	s.disable = op.Register(p.Engine, s.disablePlan())
	s.user = op.Register(p.Engine, s.userPlan())
	s.keys = op.Register(p.Engine, s.keysPlan())
	s.zone = op.Register(p.Engine, s.zonePlan())
	s.project = op.Register(p.Engine, s.projectPlan())
	s.suspend = op.Register(p.Engine, s.suspendPlan())
	return s
}

// request is what all operations on an account have in common. Which account it is, its acceptance knows.
func request(ctx context.Context, command string) op.Request {
	return op.Request{Caller: auth.From(ctx), Command: command, SubjectKind: "Account"}
}

// about says which account an operation is about, and writes its Scheduled event.
func about(ctx context.Context, tx db.Tx, q *op.Request, a account.Account, kind event.Kind, doing string) (err error) {
	q.Thing, q.SubjectID, q.Account, q.Domain = thing(a.ID), string(a.ID), a.ID, a.Domain
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: kind, State: event.Scheduled, Description: fmt.Sprintf("%s account %s (%s)", doing, a.Name, a.ID), Account: a.ID, Domain: a.Domain,
		User: q.Caller.User, ResourceID: string(a.ID),
	})
	return err
}

// thing is an account as the key of its operations: they take turns.
func thing(id uid.Account) op.Key { return op.On("account", id) }
