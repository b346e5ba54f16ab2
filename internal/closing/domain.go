package closing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/internal/offering"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/physnet"
	"github.com/virga-cloud/virga/internal/setting"
	"github.com/virga-cloud/virga/internal/zone"
	"github.com/virga-cloud/virga/uid"
)

// emptying is the state of a domain's deletion.
type emptying struct {
	Domain uid.Domain `json:"domain"`
	Began  time.Time  `json:"began"`
	Left   []left     `json:"left,omitempty"`

	cleanup bool // for Accept only
}

// DeleteDomain begins to delete a domain that is empty or, with cleanup, also one that is not: the accounts in it and below it are
// deleted, each by an operation of its own, and then the domains. From the acceptance on nobody of them signs in. It is for root admins.
func (s *Service) DeleteDomain(ctx context.Context, id uid.Domain, cleanup bool) (op.ID, error) {
	job, _, err := s.domain.Start(ctx, op.Request{
		Thing: op.On("domain", id), Caller: auth.From(ctx), Command: "deleteDomain", SubjectKind: "Domain", SubjectID: string(id),
	}, emptying{Domain: id, cleanup: cleanup})
	return job, err
}

// domainPlan has no undo, as accountPlan.
func (s *Service) domainPlan() *op.Plan[emptying] {
	return op.New[emptying]("domain.close").Refuses().Patience(2*patience).
		Accept(s.beginEmptying, nil).
		Do("accounts", s.endAccounts, nil).
		Tx("domains", s.emptied, nil)
}

func (s *Service) beginEmptying(ctx context.Context, tx db.Tx, q *op.Request, e *emptying) error {
	d, err := account.Retire(ctx, tx, e.Domain)
	if err != nil {
		return err
	}
	if !e.cleanup && d.State == account.Active && d.Domains+d.Accounts+d.Projects > 0 {
		projects := ""
		if d.Projects > 0 {
			projects = ", " + fault.Count(d.Projects, "project")
		}
		return fault.Conflictf("domain %s has %s%s and %s below it: delete those first, or give cleanup=true", d.Path,
			fault.Count(d.Accounts, "account"), projects, fault.Count(d.Domains, "domain"))
	}
	if err := lone(ctx, tx, d.Domain); err != nil {
		return err
	}
	if err := account.Deactivate(ctx, tx, d.Domain); err != nil {
		return fmt.Errorf("close domain %s: %w", d.Path, err)
	}
	e.Began = tx.Now
	q.Event, err = event.Write(ctx, tx, event.Event{
		Type: event.DomainDelete, State: event.Scheduled, Description: fmt.Sprintf("deleting domain %s (%s)", d.Path, d.ID), User: q.Caller.User,
		ResourceID: string(d.ID),
	})
	return err
}

// lone refuses a domain that has, or below which is, what operators have given to it and only they can take away.
func lone(ctx context.Context, tx db.Tx, d account.Domain) error {
	var has []string
	for _, count := range []func(context.Context, db.Tx, string) ([]zone.Count, error){zone.CountBelow, physnet.CountBelow, network.CountBelow} {
		found, err := count(ctx, tx, d.Path)
		if err != nil {
			return fmt.Errorf("look what is kept for domain %s: %w", d.Path, err)
		}
		for _, c := range found {
			if c.N > 0 {
				has = append(has, fault.Count(c.N, c.Thing))
			}
		}
	}
	if len(has) > 0 {
		return fault.Conflictf("domain %s, or one below it, has %s of its own: delete those, or make them everybody's, first", d.Path,
			strings.Join(has, " and "))
	}
	return nil
}

// endAccounts begins to delete the projects of a domain and those below it, and then, since they are who administers these, the accounts; it
// is tried again until all of them are gone or can't go.
func (s *Service) endAccounts(ctx context.Context, e *emptying) error {
	ctx = auth.With(ctx, auth.System())
	accounts, err := account.AccountsBelow(ctx, s.DB.Read(), e.Domain)
	if err != nil {
		return err
	}
	if projects := ofProjects(accounts); len(projects) > 0 {
		accounts = projects
	}
	ids := make([]string, len(accounts))
	for i, a := range accounts {
		ids[i] = string(a.ID)
	}
	open, err := op.OpenOn(ctx, s.DB.Read(), ids)
	if err != nil {
		return err
	}
	waiting, begun := 0, 0
	e.Left = nil
	for _, a := range accounts {
		if open[string(a.ID)] == "" && begun < atOnce {
			why, err := s.failure(ctx, e, a.ID)
			if err != nil {
				return err
			}
			if why != "" {
				e.Left = append(e.Left, left{(&ending{Project: a.Type == auth.Project}).what(), a.Name, why})
				continue
			}
			begun++
			if err := s.delete(ctx, a.ID); err != nil && !fault.Is(err, fault.Conflict) && !fault.Is(err, fault.NotFound) {
				return err
			}
		}
		waiting++
	}
	if waiting > 0 {
		return op.Retry(fault.Unavailablef("the domain is closed, but %d of its accounts could not be deleted in time; it is tried again later",
			waiting))
	}
	return nil
}

// ofProjects are those of some accounts that are projects'.
func ofProjects(accounts []account.Account) []account.Account {
	return slices.DeleteFunc(slices.Clone(accounts), func(a account.Account) bool { return a.Type != auth.Project })
}

// failure tells why this deletion could not delete an account, "" where it has not tried or not ended.
func (s *Service) failure(ctx context.Context, e *emptying, id uid.Account) (string, error) {
	tried, _, err := op.List(ctx, s.DB.Read(), op.Filter{Scope: auth.Scope{Account: id}, Since: e.Began, Subject: string(id)})
	for _, r := range tried {
		if r.State == op.Failed && r.UserID == auth.System().User {
			return r.FaultText, nil
		}
	}
	return "", err
}

// emptied removes the domain and those below it; or says which accounts are left, and why.
func (s *Service) emptied(ctx context.Context, tx db.Tx, e *emptying) error {
	ctx = auth.With(ctx, auth.System())
	d, err := account.Retire(ctx, tx, e.Domain)
	if fault.Is(err, fault.NotFound) {
		return nil // an earlier deletion was first
	}
	if err != nil {
		return err
	}
	if n := d.Accounts + d.Projects; n > 0 {
		return fault.Conflictf("domain %s is closed, but %d of its accounts and projects could not be deleted: %s", d.Path, n, report(e.Left, nil))
	}
	if err := lone(ctx, tx, d.Domain); err != nil {
		return err
	}
	ids, err := account.IDsBelow(ctx, tx, d.Domain)
	if err != nil {
		return err
	}
	for _, id := range ids {
		for _, free := range []func(context.Context, db.Tx, uid.Domain) error{
			network.ReleaseRangesFor, offering.LeaveDomain,
			func(ctx context.Context, tx db.Tx, id uid.Domain) error {
				return setting.Forget(ctx, tx, setting.InDomain(id))
			},
		} {
			if err := free(ctx, tx, id); err != nil {
				return fmt.Errorf("free what domain %s has: %w", id, err)
			}
		}
	}
	return account.RemoveDomains(ctx, tx, d.Domain)
}
