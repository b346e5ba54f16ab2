package ldap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/directory"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// Person is somebody in a directory.
type Person struct {
	directory.Person
	Source auth.Source // of the user who has that name here, "" where nobody has
}

// Which says which people to list.
type Which string

// The choices: everybody; who is not in the domain yet; who is nowhere in the caller's reach; who would be let in by the domain's links,
// users or not.
const (
	Everybody   Which = "NoFilter"
	NotInDomain Which = "LocalDomain"
	Nowhere     Which = "AnyDomain"
	LetIn       Which = "PotentialImport"
)

// PeopleFilter says which people to list.
type PeopleFilter struct {
	Domain uid.Domain // whose directory is asked; "": the caller's, for root admins the whole cloud's
	Word   string     // part of the username
	Which  Which      // "": Everybody
	Offset int
	Limit  int // 0: all
}

// People gives one page of a directory's people by name, and how many there are on all pages. Whoever is disabled there is left out.
func (s *Service) People(ctx context.Context, f PeopleFilter) ([]Person, int, error) {
	d, in, links, err := s.browsed(ctx, f.Domain)
	if err != nil {
		return nil, 0, err
	}
	if f.Which == LetIn {
		if links, err = linksOf(ctx, s.db.Read(), in); err != nil {
			return nil, 0, fmt.Errorf("find the links of domain %s: %w", in, err)
		}
		if len(links) == 0 {
			return nil, 0, nil
		}
	}
	found, err := search(ctx, d, f.Word, links)
	if err != nil {
		return nil, 0, err
	}
	scope := auth.Scope{Domain: in}
	if f.Which == Nowhere {
		scope = auth.From(ctx).Reach()
	}
	names := make([]string, len(found))
	for i, p := range found {
		names[i] = p.Username
	}
	here, err := known(ctx, s.db.Read(), scope, names)
	if err != nil {
		return nil, 0, fmt.Errorf("find who is here already: %w", err)
	}
	people := make([]Person, 0, len(found))
	for _, p := range found {
		source, is := here[p.Username]
		if !is || f.Which != NotInDomain && f.Which != Nowhere {
			people = append(people, Person{Person: p, Source: source})
		}
	}
	total := len(people)
	people = people[min(f.Offset, total):]
	if f.Limit > 0 {
		people = people[:min(f.Limit, len(people))]
	}
	return people, total, nil
}

// search gives the people who are in any of a domain's links, or without links all, who are not disabled, by name and each once.
func search(ctx context.Context, d directory.Directory, word string, links []Link) ([]directory.Person, error) {
	conn, err := directory.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	places := []directory.Place{{}}
	if len(links) > 0 {
		places = nil
		for _, l := range links {
			places = append(places, l.place())
		}
	}
	return within(conn, word, places)
}

func within(conn *directory.Conn, word string, places []directory.Place) ([]directory.Person, error) {
	var all []directory.Person
	seen := map[string]bool{}
	for _, place := range places {
		people, err := conn.People(word, place)
		if err != nil {
			return nil, err
		}
		for _, p := range people {
			if !p.Disabled && !seen[p.DN] {
				seen[p.DN] = true
				all = append(all, p)
			}
		}
	}
	slices.SortFunc(all, func(a, b directory.Person) int { return strings.Compare(a.Username, b.Username) })
	return all, nil
}

// find finds one person whom the caller may bring into a domain.
func (s *Service) find(ctx context.Context, domain uid.Domain, username string) (directory.Person, error) {
	d, _, links, err := s.browsed(ctx, domain)
	if err != nil {
		return directory.Person{}, err
	}
	conn, err := directory.Open(ctx, d)
	if err != nil {
		return directory.Person{}, err
	}
	defer conn.Close()
	places := []directory.Place{{}}
	if len(links) > 0 {
		places = places[:0]
		for _, l := range links {
			places = append(places, l.place())
		}
	}
	for _, place := range places {
		p, found, err := conn.Find(username, place)
		switch {
		case err != nil:
			return p, err
		case found && p.Disabled:
			return p, fault.Conflictf("user %q is disabled in the directory", username)
		case found:
			return p, nil
		}
	}
	return directory.Person{}, fault.NotFoundf("the directory has no user %q", username)
}
