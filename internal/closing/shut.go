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
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// shutting is the state of disabling or locking an account.
type shutting struct {
	Account uid.Account `json:"account"`
	Began   time.Time   `json:"began"`
	Lock    bool        `json:"lock,omitempty"`
	Project bool        `json:"project,omitempty"` // the account is a project's

	of account.Named // for Accept only
}

// Disable begins to disable an account: it is shut at once, and then its machines are stopped. With lock it is locked and they go on.
func (s *Service) Disable(ctx context.Context, of account.Named, lock bool) (op.ID, error) {
	job, _, err := s.disable.Start(ctx, request(ctx, "disableAccount"), shutting{Lock: lock, of: of})
	return job, err
}

// disablePlan has no undo: an account whose machines can't be stopped is disabled all the same.
func (s *Service) disablePlan() *op.Plan[shutting] {
	return op.New[shutting]("account.disable").Patience(patience).
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *shutting) error {
			a, err := s.Accounts.Changeable(ctx, tx, j.of)
			if err != nil {
				return err
			}
			to, doing := account.Disabled, "disabling"
			if j.Lock {
				to, doing = account.Locked, "locking"
			}
			if _, err := s.Accounts.Shut(ctx, tx, a, to); err != nil {
				return err
			}
			j.Account, j.Began = a.ID, tx.Now
			return about(ctx, tx, q, a, event.AccountDisable, doing)
		}, nil).
		Do("machines", s.stopMachines, nil)
}

// stopMachines stops what a disabled account runs. It leaves off when the account was enabled meanwhile, or is being deleted.
func (s *Service) stopMachines(ctx context.Context, j *shutting) error {
	if j.Lock {
		return nil
	}
	a, there, err := account.Of(ctx, s.DB.Read(), j.Account)
	if err != nil || !there || a.Closing || a.State != account.Disabled {
		return err
	}
	e := ending{Account: j.Account, Began: j.Began, Project: j.Project}
	err = s.clear(ctx, &e, clearing{
		kind: "virtual machine", table: "vm",
		owned: func(ctx context.Context, scope auth.Scope) (out []owned, err error) {
			found, _, err := s.Machines.List(ctx, compute.Filter{Scope: scope, Present: true})
			for _, vm := range found {
				if vm.State != compute.Stopped && vm.State != compute.Failed {
					out = append(out, owned{string(vm.ID), vm.Name})
				}
			}
			return out, err
		},
		drop: func(ctx context.Context, id string) (op.ID, error) { return s.Machines.Stop(ctx, uid.VM(id), false) },
	})
	if err == nil && len(e.Left) > 0 {
		err = fault.Conflictf("%s %q is shut, but not all that it runs could be stopped: %s", e.what(), a.Name, report(e.Left, nil))
	}
	return err
}

// shuttingUser is the state of disabling a user.
type shuttingUser struct {
	User uid.User `json:"user"`
}

// DisableUser begins to disable a user: it is shut at once, and the sessions that it was just beginning are ended.
func (s *Service) DisableUser(ctx context.Context, id uid.User) (op.ID, error) {
	job, _, err := s.user.Start(ctx, op.Request{
		Thing: op.On("user", id), Caller: auth.From(ctx), Command: "disableUser", SubjectKind: "User", SubjectID: string(id),
	}, shuttingUser{User: id})
	return job, err
}

func (s *Service) userPlan() *op.Plan[shuttingUser] {
	return op.New[shuttingUser]("user.disable").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *shuttingUser) error {
			u, err := s.Accounts.ShutUser(ctx, tx, j.User)
			if err != nil {
				return err
			}
			q.Account, q.Domain = u.Account, u.Domain
			q.Event, err = event.Write(ctx, tx, event.Event{
				Type: event.UserDisable, State: event.Scheduled, Description: fmt.Sprintf("disabling user %s (%s)", u.Username, u.ID),
				Account: u.Account, Domain: u.Domain, User: q.Caller.User, ResourceID: string(u.ID),
			})
			return err
		}, nil).
		Tx("sessions", func(ctx context.Context, tx db.Tx, j *shuttingUser) error {
			return s.Accounts.EndSessions(ctx, tx, j.User)
		}, nil)
}

// marking is the state of marking an account's default zone.
type marking struct {
	Account uid.Account `json:"account"`
	Zone    uid.Zone    `json:"zone"`
	Was     uid.Zone    `json:"was,omitempty"`

	of account.Named // for Accept only
}

// MarkZone begins to mark a zone, which the account must be able to use, as its default one.
func (s *Service) MarkZone(ctx context.Context, of account.Named, z uid.Zone) (op.ID, error) {
	job, _, err := s.zone.Start(ctx, request(ctx, "markDefaultZoneForAccount"), marking{Zone: z, of: of})
	return job, err
}

func (s *Service) zonePlan() *op.Plan[marking] {
	return op.New[marking]("account.zone").
		Accept(func(ctx context.Context, tx db.Tx, q *op.Request, j *marking) error {
			a, err := s.Accounts.Changeable(ctx, tx, j.of)
			if err != nil {
				return err
			}
			if _, err := zone.Usable(ctx, tx, j.Zone, a.Domain); err != nil {
				return err
			}
			j.Account, j.Was = a.ID, a.DefaultZone
			return about(ctx, tx, q, a, event.AccountMarkZone, "marking the default zone of")
		}, nil).
		Tx("mark",
			func(ctx context.Context, tx db.Tx, j *marking) error {
				return account.MarkZone(ctx, tx, j.Account, j.Zone)
			},
			func(ctx context.Context, tx db.Tx, j *marking) error {
				return account.MarkZone(ctx, tx, j.Account, j.Was)
			})
}
