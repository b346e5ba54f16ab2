package ldap

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Import says whom to make users of.
type Import struct {
	Enrolment        // its Domain "": for root admins a domain of the group's name, or of each person's unit, below ROOT
	Group     string // those in this group, by its common name or DN; "": all
	Word      string // those with it in their usernames
	Disable   bool   // users of the domain whom the directory doesn't have any more are disabled
}

// Import makes users of a directory's people, and brings those up to date who are users already; again and again without harm. Who can't
// be one, since the name belongs to somebody else for instance, is left out, and logged. It gives those who are users now.
func (s *Service) Import(ctx context.Context, in Import) ([]Person, error) {
	if in.Disable && (in.Group != "" || in.Word != "") {
		return nil, fault.Invalidf("who is gone can only be told when all are imported: leave out group and keyword, or gone")
	}
	d, at, links, err := s.browsed(ctx, in.Domain)
	if err != nil {
		return nil, err
	}
	if err := said(in.Typed, in.Role); err != nil {
		return nil, err
	}
	places := in.Domain == "" && auth.From(ctx).IsRoot()
	if in.Disable && places {
		return nil, fault.Invalidf("who is gone is told of one domain: name it as domainid")
	}
	people, err := gather(ctx, d, in, links)
	if err != nil {
		return nil, err
	}
	in.Domain = at
	made := map[string]uid.Domain{}
	out := make([]Person, 0, len(people))
	for _, p := range people {
		e := in.Enrolment
		if places {
			if e.Domain, err = s.domainFor(ctx, in.Group, p, made); err != nil {
				return out, err
			}
		}
		err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
			id, err := s.enrol(ctx, tx, p, e)
			if err != nil {
				return err
			}
			return s.accounts.Restore(ctx, tx, id)
		})
		switch {
		case err == nil:
			out = append(out, Person{Person: p, Source: auth.LDAP})
		case fault.KindOf(err) == fault.Internal || fault.Is(err, fault.Denied):
			return out, err
		default:
			s.log.WarnContext(ctx, "somebody was not imported", "dn", p.DN, "error", err)
		}
	}
	if in.Disable {
		return out, s.disableGone(ctx, at, in.Account, people)
	}
	return out, nil
}

func gather(ctx context.Context, d directory.Directory, in Import, links []Link) ([]directory.Person, error) {
	if in.Group == "" {
		return search(ctx, d, in.Word, links)
	}
	conn, err := directory.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	dn, found, err := conn.Group(in.Group)
	switch {
	case err != nil:
		return nil, err
	case !found:
		return nil, fault.NotFoundf("the directory has no group %q, or several", in.Group)
	}
	people, err := within(conn, in.Word, []directory.Place{{DN: dn}})
	if err != nil || len(links) == 0 {
		return people, err
	}
	let, err := search(ctx, d, in.Word, links)
	if err != nil {
		return nil, err
	}
	allowed := map[string]bool{}
	for _, p := range let {
		allowed[p.DN] = true
	}
	kept := people[:0]
	for _, p := range people {
		if allowed[p.DN] {
			kept = append(kept, p)
		}
	}
	return kept, nil
}

// disableGone disables the users whom a directory doesn't have any more. A directory that shows nobody at all is not believed.
func (s *Service) disableGone(ctx context.Context, domain uid.Domain, of string, people []directory.Person) error {
	if len(people) == 0 {
		return fault.Conflictf("the directory shows nobody: nobody was disabled")
	}
	here, err := fromDirectories(ctx, s.db.Read(), domain, of)
	if err != nil {
		return fmt.Errorf("find the users of domain %s: %w", domain, err)
	}
	for _, p := range people {
		delete(here, p.Username)
	}
	for _, id := range here {
		if err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.accounts.Withdraw(ctx, tx, id) }); err != nil {
			return err
		}
	}
	return nil
}

// domainFor finds or makes the domain below ROOT that has a group's or a unit's name; without either it is ROOT.
func (s *Service) domainFor(ctx context.Context, group string, p directory.Person, made map[string]uid.Domain) (uid.Domain, error) {
	name := domainName(group)
	if name == "" {
		name = domainName(p.Unit)
	}
	root := auth.System().Domain
	switch {
	case name == "":
		return root, nil
	case made[name] != "":
		return made[name], nil
	}
	found, _, err := s.accounts.Domains(ctx, account.DomainFilter{Scope: auth.From(ctx).Reach(), Parent: root, Name: name})
	if err != nil {
		return "", err
	}
	if len(found) == 1 {
		made[name] = found[0].ID
		return made[name], nil
	}
	d, err := s.accounts.CreateDomain(ctx, account.CreateDomainIn{Name: name, Parent: root})
	made[name] = d.ID
	return d.ID, err
}

// domainName makes a name for a domain of one in a directory.
func domainName(text string) string {
	if group, _, is := strings.Cut(text, ","); is && strings.Contains(group, "=") {
		_, text, _ = strings.Cut(group, "=")
	}
	name := strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return -1
	}, text)
	return name[:min(len(name), 190)]
}
