package ldap

import (
	"context"
	"fmt"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/uid"
)

// Ask implements [account.Authenticator]: who is in what is linked to a domain can sign in to it, and is made a user with the first
// time; in a domain without links, whoever was made a user. Whom the directory doesn't have there any more, or has disabled, is disabled
// here. A directory that can't be asked lets nobody in, and disables nobody.
func (s *Service) Ask(ctx context.Context, a account.Attempt) (account.Word, error) {
	links, err := linksOf(ctx, s.db.Read(), a.Domain.ID)
	if err != nil {
		return account.Word{}, fmt.Errorf("find the links of domain %s: %w", a.Domain.ID, err)
	}
	d, _, err := s.reach(ctx, a.Domain.ID)
	if err != nil || len(d.Servers) == 0 && a.Known.ID == "" {
		return account.Word{}, err
	}
	w, err := s.askDirectory(ctx, d, a, links)
	if err != nil {
		s.log.WarnContext(ctx, "a directory can't be asked whether somebody may sign in", "domain", a.Domain.Path, "error", err)
		return account.Word{Silent: true}, nil
	}
	return w, nil
}

func (s *Service) askDirectory(ctx context.Context, d directory.Directory, a account.Attempt, links []Link) (account.Word, error) {
	conn, err := directory.Open(ctx, d)
	if err != nil {
		return account.Word{}, err
	}
	defer conn.Close()
	p, e, let, err := letIn(conn, a.Username, links)
	if err != nil {
		return account.Word{}, err
	}
	stranger := a.Known.ID == ""
	if !let || stranger && len(links) == 0 {
		conn.Miss(a.Password) // of a stranger where nobody comes in, too: the time would tell who is a user
		return s.withdrawn(a), nil
	}
	guessed := func() {}
	if stranger {
		if guessed, let = s.guesses.begin(a.Domain.ID, p.DN); !let {
			conn.Miss(a.Password)
			return account.Word{}, nil
		}
	}
	right, err := conn.Right(p, a.Password)
	if err != nil || !right {
		return account.Word{}, err
	}
	guessed()
	e.Domain = a.Domain.ID
	return account.Word{Right: true, Settle: s.settle(a, p, e)}, nil
}

// letIn finds somebody, whose DN is "" where the directory has nobody of that name, and tells whether and where a domain with these
// links lets that person in; one without links lets in whom the directory has.
func letIn(conn *directory.Conn, username string, links []Link) (p directory.Person, e Enrolment, let bool, err error) {
	p, let, err = conn.Find(username, directory.Place{})
	if err == nil && let && len(links) > 0 {
		e, let, err = belongs(conn, p, links)
	}
	return p, e, let && !p.Disabled, err
}

// withdrawn is the word on somebody whom a directory doesn't let in.
func (s *Service) withdrawn(a account.Attempt) account.Word {
	if a.Known.ID == "" {
		return account.Word{}
	}
	return account.Word{Settle: func(ctx context.Context, tx db.Tx) (uid.User, error) {
		return a.Known.ID, s.accounts.Withdraw(ctx, tx, a.Known.ID)
	}}
}

// settle makes a user of somebody who has given the right password, or brings the one that is here up to date.
func (s *Service) settle(a account.Attempt, p directory.Person, e Enrolment) func(context.Context, db.Tx) (uid.User, error) {
	if a.Known.ID != "" {
		p.Username = a.Known.Username // the directory may spell it in another way
	}
	return func(ctx context.Context, tx db.Tx) (uid.User, error) {
		id, err := s.enrol(ctx, tx, p, e)
		if err == nil {
			err = s.accounts.Restore(ctx, tx, id)
		}
		if err != nil {
			s.log.WarnContext(ctx, "somebody of a directory can't be a user", "dn", p.DN, "domain", a.Domain.Path, "error", err)
		}
		return id, err
	}
}

// belongs says where in a domain somebody belongs: to the one account whose group or unit has the person, or else to the domain. Who is
// in those of several accounts belongs to none, since nobody could say to which.
func belongs(conn *directory.Conn, p directory.Person, links []Link) (e Enrolment, ok bool, err error) {
	var groups []string
	for _, l := range links {
		if l.Kind == Group {
			groups = append(groups, l.Name)
		}
	}
	in, err := conn.Belongs(p, groups)
	if err != nil {
		return e, false, err
	}
	has := map[string]bool{}
	for _, dn := range in {
		has[dn] = true
	}
	accounts, domain := 0, false
	for _, l := range links {
		if l.Kind == Group && !has[l.Name] || l.Kind == Unit && !directory.Below(p.DN, l.Name) {
			continue
		}
		if l.Account == "" {
			domain = true
			if accounts == 0 {
				e = Enrolment{Type: l.Type, Role: l.Role}
			}
			continue
		}
		accounts++
		e = Enrolment{Account: l.AccountName, Type: l.Type, Role: l.Role, Moves: true}
	}
	return e, accounts == 1 || accounts == 0 && domain, nil
}

var _ account.Authenticator = (*Service)(nil)
