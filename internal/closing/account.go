package closing

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/compute"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/keypair"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/project"
	"github.com/virga-cloud/virga/internal/secgroup"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// ending is the state of an account's deletion.
type ending struct {
	Account uid.Account `json:"account"`
	Began   time.Time   `json:"began"`
	Left    []left      `json:"left,omitempty"`
	Project bool        `json:"project,omitempty"` // the account is a project's

	cleanup bool // for Accept only
}

// what is being deleted, in words.
func (e *ending) what() string {
	if e.Project {
		return "project"
	}
	return "account"
}

// left is a thing that could not be freed.
type left struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

// DeleteAccount begins to delete an account that the caller may change, but not the own one, with all that it owns. From its
// acceptance on the account is closed; there is no way back.
func (s *Service) DeleteAccount(ctx context.Context, id uid.Account) (op.ID, error) {
	job, _, err := s.account.Start(ctx, request(ctx, "deleteAccount"), ending{Account: id})
	return job, err
}

// accountPlan has no undo: a deletion that fails, or is cancelled, leaves the account closed with what is left of it.
func (s *Service) accountPlan() *op.Plan[ending] {
	return s.ending("account.close", s.beginEnding)
}

// ending is the plan of deleting an account or a project, however it begins.
func (s *Service) ending(name string, begin op.AcceptFunc[ending]) *op.Plan[ending] {
	return op.New[ending](name).Patience(patience).
		Accept(begin, nil).
		Do("machines", s.endMachines, nil).
		Do("volumes", s.endVolumes, nil).
		Do("snapshots", s.endSnapshots, nil).
		Do("networks", s.endNetworks, nil).
		Do("images", s.endImages, nil).
		Tx("end", s.ended, nil)
}

func (s *Service) beginEnding(ctx context.Context, tx db.Tx, q *op.Request, e *ending) error {
	a, already, err := s.Accounts.Close(ctx, tx, e.Account)
	if err != nil {
		return err
	}
	if already {
		open, err := op.OpenOn(ctx, tx, []string{string(a.ID)})
		if err != nil {
			return err
		}
		if job := open[string(a.ID)]; job != "" {
			return fault.Conflictf("account %q is being deleted already, by job %s", a.Name, job)
		}
	}
	if err := project.Leave(ctx, tx, a.ID, ""); err != nil {
		return err
	}
	e.Began = tx.Now
	return about(ctx, tx, q, a, event.AccountDelete, "deleting")
}

// endMachines expunges the account's machines, data disks left aside.
func (s *Service) endMachines(ctx context.Context, e *ending) error {
	return s.clear(ctx, e, clearing{
		kind: "virtual machine", table: "vm",
		owned: func(ctx context.Context, scope auth.Scope) (out []owned, err error) {
			found, _, err := s.Machines.List(ctx, compute.Filter{Scope: scope})
			for _, vm := range found {
				out = append(out, owned{string(vm.ID), vm.Name})
			}
			return out, err
		},
		drop: func(ctx context.Context, id string) (op.ID, error) { return s.Machines.WipeOut(ctx, uid.VM(id)) },
	})
}

// ended removes what needs no operation, and then the account; or says what is left.
func (s *Service) ended(ctx context.Context, tx db.Tx, e *ending) error {
	if err := tx.Retire(ctx, e.Account); err != nil {
		return err
	}
	a, there, err := account.Of(ctx, tx, e.Account)
	if err != nil || !there {
		return err // an earlier deletion was first
	}
	counts, err := limit.OfAccounts(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	if why := report(e.Left, counts[a.ID]); why != "" {
		return fault.Conflictf("%s %q is closed, but some of what it owns could not be freed: %s. It is tried again from time to time, or when "+
			"the %s is deleted again", e.what(), a.Name, why, e.what())
	}
	for _, free := range []func(context.Context, db.Tx, uid.Account) error{
		keypair.RemoveAllOf, secgroup.RemoveAllOf, compute.RemoveGroupsOf, network.ReleaseRangesOf, tag.RemoveAllOf,
		func(ctx context.Context, tx db.Tx, id uid.Account) error {
			return setting.Forget(ctx, tx, setting.InAccount(id))
		},
		e.removeProject,
		account.Remove,
	} {
		if err := free(ctx, tx, a.ID); err != nil {
			return fmt.Errorf("free what account %s owns: %w", a.ID, err)
		}
	}
	return nil
}

// named is how many things that are left a report names.
const named = 10

// report says what is left of an account, "" for nothing.
func report(left []left, counts limit.Counts) string {
	var parts []string
	for i, l := range left {
		if i == named {
			parts = append(parts, fmt.Sprintf("and %d more", len(left)-named))
			break
		}
		parts = append(parts, fmt.Sprintf("%s %q (%s)", l.Kind, l.Name, l.Why))
	}
	if len(parts) > 0 {
		return strings.Join(parts, "; ")
	}
	for _, kind := range limit.Kinds() {
		if n := counts[kind].Used; n > 0 {
			parts = append(parts, fmt.Sprintf("%d of %s are still counted", n, kind))
		}
	}
	return strings.Join(parts, "; ")
}
