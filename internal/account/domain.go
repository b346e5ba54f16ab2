package account

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/limit"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// tree stands for all domains: who puts an account into one relies on it, and who changes which domains there are, or their paths,
// retires it. So what is found below a domain is all there is.
const tree guard = "the tree of domains"

type guard string

func (g guard) String() string { return string(g) }

// CreateDomainIn says what domain to make.
type CreateDomainIn struct {
	ID            uid.Domain // "": a new one; only root admins choose it
	Name          string
	Parent        uid.Domain // "": the caller's
	NetworkDomain string
}

// CreateDomain makes a domain in one that the caller, who must be an admin, reaches.
func (s *Service) CreateDomain(ctx context.Context, in CreateDomainIn) (Domain, error) {
	if err := checkDomainName(in.Name); err != nil {
		return Domain{}, err
	}
	if err := checkNetworkDomain(in.NetworkDomain); err != nil {
		return Domain{}, err
	}
	var d Domain
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.Retire(ctx, tree); err != nil {
			return err
		}
		parent, err := AdminReaches(ctx, tx, in.Parent)
		if err != nil {
			return err
		}
		if err := chosen(ctx, tx, "domainid", "domains", in.ID); err != nil {
			return err
		}
		d = Domain{
			ID: cmp.Or(in.ID, uid.New[uid.Domain]()), Parent: parent.ID, Name: in.Name, Path: parent.Path + "/" + in.Name, Level: parent.Level + 1,
			State: Active, NetworkDomain: in.NetworkDomain, Created: tx.Now, ParentName: parent.Name,
		}
		if err := insertDomain(ctx, tx, d); err != nil {
			return taken(err, "domain", d.Name, parent.Path)
		}
		if err := limit.OpenDomain(ctx, tx, d.ID); err != nil {
			return fmt.Errorf("count for the new domain: %w", err)
		}
		if err := domainEvent(ctx, tx, event.DomainCreate, d, "domain "+d.Path+" was made"); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(d.ID), "")
	})
	return d, err
}

func checkDomainName(name string) error {
	if err := checkName("domain", name); err != nil {
		return err
	}
	if strings.Contains(name, "/") || strings.EqualFold(name, Root) {
		return fault.Invalidf("a domain can't be named %q: names have no slash, and ROOT is the domain above all", name)
	}
	return nil
}

func domainEvent(ctx context.Context, tx db.Tx, kind event.Kind, d Domain, text string) error {
	_, err := event.Write(ctx, tx, event.Event{Type: kind, Description: text, ResourceID: string(d.ID)})
	return err
}

// DomainChange says what to change of a domain. Zero fields leave things as they are.
type DomainChange struct {
	Name          string
	NetworkDomain *string
}

// UpdateDomain changes a domain that the caller, who must be an admin, reaches, but for the own one. A new name changes the paths of
// all domains below.
func (s *Service) UpdateDomain(ctx context.Context, id uid.Domain, c DomainChange) error {
	if c.Name != "" {
		if err := checkDomainName(c.Name); err != nil {
			return err
		}
	}
	if c.NetworkDomain != nil {
		if err := checkNetworkDomain(*c.NetworkDomain); err != nil {
			return err
		}
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		if err := tx.Retire(ctx, tree); err != nil {
			return err
		}
		d, err := AdminReaches(ctx, tx, id)
		if err != nil {
			return err
		}
		if by := auth.From(ctx); d.ID == by.Domain && !by.IsRoot() {
			return fault.Deniedf("the own domain is changed by who is above it")
		}
		was := d.Path
		if c.Name != "" && c.Name != d.Name {
			if d.Parent == "" {
				return fault.Invalidf("the domain ROOT can't be renamed")
			}
			above := strings.TrimSuffix(d.Path, d.Name)
			d.Name, d.Path = c.Name, above+c.Name
			if err := moveDomains(ctx, tx, was, d); err != nil {
				return taken(err, "domain", d.Name, strings.TrimSuffix(above, "/"))
			}
		}
		if c.NetworkDomain != nil {
			if err := setDomainNetwork(ctx, tx, d.ID, *c.NetworkDomain); err != nil {
				return fmt.Errorf("change domain %s: %w", d.Path, err)
			}
		}
		text := "domain " + d.Path + " was changed"
		if was != d.Path {
			text = "domain " + was + " is " + d.Path + " now"
		}
		return domainEvent(ctx, tx, event.DomainUpdate, d, text)
	})
}

// Lone is a domain whose removal begins, with what is below it.
type Lone struct {
	Domain

	Domains  int // below it, at any depth
	Accounts int // in them and in it, but for projects'
	Projects int
}

// Retire finds a domain that is to be removed: nothing comes into it any more until the transaction's end. It is for root admins.
func Retire(ctx context.Context, tx db.Tx, id uid.Domain) (Lone, error) {
	if !auth.From(ctx).IsRoot() {
		return Lone{}, fault.Deniedf("only root admins may delete a domain")
	}
	if err := tx.Retire(ctx, tree); err != nil {
		return Lone{}, err
	}
	d, err := keptDomain(ctx, tx, id)
	switch {
	case db.IsNone(err):
		return Lone{}, fault.Missing(id)
	case err != nil:
		return Lone{}, fmt.Errorf("find domain %s: %w", id, err)
	case d.Parent == "":
		return Lone{}, fault.Invalidf("the domain ROOT can't be deleted")
	}
	l := Lone{Domain: d}
	err = countBelow(ctx, tx, &l)
	return l, err
}

// Deactivate closes a domain and those below it: from then on nobody of them signs in, and nothing is put into them.
func Deactivate(ctx context.Context, tx db.Tx, d Domain) error { return deactivate(ctx, tx, d.Path) }

// RemoveDomains removes a domain that has no accounts any more, and those below it.
func RemoveDomains(ctx context.Context, tx db.Tx, d Domain) error {
	return removeDomains(ctx, tx, d.Path)
}

// IDsBelow gives the ids of a domain and of those below it.
func IDsBelow(ctx context.Context, q db.Tx, d Domain) ([]uid.Domain, error) {
	return idsBelow(ctx, q, d.Path)
}

// AccountsBelow gives the accounts that are in a domain or below it, the oldest first.
func AccountsBelow(ctx context.Context, q db.Tx, id uid.Domain) ([]Account, error) {
	d, err := keptDomain(ctx, q, id)
	if db.IsNone(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find domain %s: %w", id, err)
	}
	found, _, err := listAccounts(ctx, q, AccountFilter{Scope: auth.Scope{Under: d.Path}, Projects: true})
	return found, err
}

// Closing gives the accounts and the topmost domains whose removal has begun and not ended.
func Closing(ctx context.Context, q db.Tx) (accounts []uid.Account, domains []uid.Domain, err error) {
	return closing(ctx, q)
}
