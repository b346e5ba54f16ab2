package project

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Filter says which projects to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	// Scope has the projects that an account belongs to, or those of domains.
	Scope       auth.Scope
	ID          uid.Project
	Name        string
	DisplayText string
	State       State  // in any case
	Username    string // of a user that belongs to it
	Tags        tag.Wanted
	Keyword     string // in name or display text
	Offset      int
	Limit       int // 0: all
}

// List gives a page of projects, the oldest first, and how many there are in all. A user sees only those that it belongs to.
func (s *Service) List(ctx context.Context, f Filter) ([]Project, int, error) {
	for _, known := range []State{Active, Suspended, Disabled} {
		if strings.EqualFold(string(known), string(f.State)) {
			f.State = known
		}
	}
	found, total, err := s.list(ctx, f)
	if err != nil {
		return nil, 0, fmt.Errorf("list projects: %w", err)
	}
	return found, total, nil
}

// MemberFilter says which members of a project to list. Zero fields do not restrict.
type MemberFilter struct {
	Project uid.Project
	Account string // by its name
	User    uid.User
	Admin   *bool
	Role    uid.ProjectRole
	Keyword string // in the account's name
	Offset  int
	Limit   int // 0: all
}

// Members gives a page of the members of a project that the caller reaches, the oldest first, and how many there are in all.
func (s *Service) Members(ctx context.Context, f MemberFilter) (account.Account, []Member, int, error) {
	a, err := account.ProjectInScope(ctx, s.db.Read(), auth.From(ctx).Reach(), f.Project)
	if err != nil {
		return a, nil, 0, err
	}
	found, total, err := listMembers(ctx, s.db.Read(), f)
	if err != nil {
		return a, nil, 0, fmt.Errorf("list the members of project %s: %w", f.Project, err)
	}
	return a, found, total, nil
}

// CountsOf gives what projects use and may use, in one query.
func CountsOf(ctx context.Context, q db.Tx, ids []uid.Account) (map[uid.Account]limit.Counts, error) {
	return limit.OfAccounts(ctx, q, ids...)
}

// inside says what there is in a project, "" for nothing.
func inside(counts limit.Counts) string {
	var parts []string
	for _, k := range limit.Kinds() {
		switch n := counts[k].Used; {
		case n == 0, k == limit.CPUs, k == limit.MemoryMB, k == limit.PrimaryGB, k == limit.SecondaryGB: // they go with the things
		default:
			parts = append(parts, fmt.Sprintf("%d %s", n, k.Name()))
		}
	}
	return strings.Join(parts, ", ")
}
