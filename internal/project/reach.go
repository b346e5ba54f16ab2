package project

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/uid"
)

// jobs is the command that project roles don't forbid: who has started a job must be able to see what came of it.
const jobs = "queryAsyncJobResult"

// Reach gives a caller the projects that it reaches with a command: those that it belongs to, by itself or with its whole account, and in
// which its project role lets it use the command. What it is as a user goes before what it is as one of its account. It is asked with each
// request, so that who leaves a project is out of it with that commit, on all servers.
func (s *Service) Reach(ctx context.Context, c auth.Caller, command string) (auth.Caller, error) {
	if c.Type != auth.User || !c.Joined {
		return c, nil
	}
	q := s.db.Read()
	rows, err := memberships(ctx, q, c)
	if err != nil {
		return c, fmt.Errorf("find the projects of user %s: %w", c.User, err)
	}
	of := map[uid.Project]Member{}
	var roles []uid.ProjectRole
	for _, m := range rows {
		if has, known := of[m.Project]; !known || has.User == "" {
			of[m.Project] = m
		}
		if m.Role != "" {
			roles = append(roles, m.Role)
		}
	}
	rules, err := rulesOf(ctx, q, roles)
	if err != nil {
		return c, fmt.Errorf("read the project roles of user %s: %w", c.User, err)
	}
	c.Projects = nil
	for _, m := range rows {
		if of[m.Project] == m && (m.Role == "" || command == jobs || passes(rules[m.Role], command)) {
			c.Projects = append(c.Projects, account.OfProject(m.Project))
		}
	}
	return c, nil
}
