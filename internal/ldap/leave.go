package ldap

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

const (
	// batch is how many users are looked for over one connection.
	batch = 200
	// many is how many users may have left a domain at once, however few it has. More are believed only where most have stayed.
	many = 10
)

// CheckUsers looks whether directories still let in the users for whom they vouch: those who have left are disabled, so that their
// keys are good for nothing either, and who is back is enabled again, as when they sign in. It is a keeper's round. A directory that
// can't be asked, that shows nobody at all, or that most users seem to have left changes nothing: that is an error for operators.
func (s *Service) CheckUsers(ctx context.Context) error {
	ctx = auth.With(ctx, auth.System())
	domains, err := domainsOfUsers(ctx, s.db.Read())
	if err != nil {
		return fmt.Errorf("find the domains with users from directories: %w", err)
	}
	var failed []error
	for _, d := range domains {
		if err := s.checkUsersOf(ctx, d); err != nil {
			failed = append(failed, fmt.Errorf("domain %s: %w", d, err))
		}
	}
	return errors.Join(failed...)
}

func (s *Service) checkUsersOf(ctx context.Context, domain uid.Domain) error {
	links, err := linksOf(ctx, s.db.Read(), domain)
	if err != nil {
		return fmt.Errorf("find its links: %w", err)
	}
	d, _, err := s.reach(ctx, domain)
	if err != nil || len(d.Servers) == 0 {
		return err // nobody vouches for them at the moment, and so nobody signs in; the directory may be about to be replaced
	}
	users, err := vouchedFor(ctx, s.db.Read(), domain)
	if err != nil {
		return fmt.Errorf("find its users: %w", err)
	}
	var c check
	for some := range slices.Chunk(users, batch) {
		if err := c.look(ctx, d, some, links); err != nil {
			return err
		}
	}
	if err := c.believe(ctx, d); err != nil {
		return err
	}
	for _, id := range c.gone {
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.accounts.Withdraw(ctx, tx, id) }); err != nil {
			return err
		}
	}
	for _, id := range c.back {
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.accounts.Restore(ctx, tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// check is what was seen of a domain's users.
type check struct {
	gone, back []uid.User
	stayed     int
	seen       bool // the directory has at least one of them
}

func (c *check) look(ctx context.Context, d directory.Directory, users []vouched, links []Link) error {
	conn, err := directory.Open(ctx, d)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, u := range users {
		p, _, let, err := letIn(conn, u.Username, links)
		if err != nil {
			return err
		}
		c.seen = c.seen || p.DN != ""
		switch {
		case let && u.Withdrawn:
			c.back = append(c.back, u.ID)
		case let:
			c.stayed++
		case !u.Withdrawn:
			c.gone = append(c.gone, u.ID)
		}
	}
	return nil
}

// believe tells whether what was seen can be true.
func (c *check) believe(ctx context.Context, d directory.Directory) error {
	if n := len(c.gone); n > many && n > c.stayed {
		return fault.Conflictf("%d of its %d users seem to have left the directory at once: nobody was disabled. Look at the settings ldap.* "+
			"and its links; if it is so, importLdapUsers with gone=disable does it", n, n+c.stayed)
	}
	if len(c.gone) == 0 || c.seen {
		return nil
	}
	conn, err := directory.Open(ctx, d)
	if err != nil {
		return err
	}
	defer conn.Close()
	people, err := conn.People("", directory.Place{})
	if err == nil && len(people) == 0 {
		err = fault.Conflictf("the directory shows nobody: nobody was disabled. Look at the settings ldap.*")
	}
	return err
}
