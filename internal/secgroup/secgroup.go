package secgroup

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/crew"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/document"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/internal/op"
	"github.com/virga-cloud/virga/internal/tag"
	"github.com/virga-cloud/virga/uid"
)

// Group is a security group.
type Group struct {
	ID          uid.SecurityGroup `bun:",pk"`
	Account     uid.Account       `bun:"account_id"`
	Domain      uid.Domain        `bun:"domain_id"`
	Name        string            // unique in the account
	Description string
	Created     time.Time
}

// Default is the name of the group that every account has, and that a machine is put into whose deployment names none.
const Default = "default"

const defaultDescription = "Default Security Group"

func (g Group) isDefault() bool { return g.Name == Default }

// Drivers are what hosts are driven by.
type Drivers interface {
	Driver(hypervisor string) (hypervisor.Driver, error)
}

// Machines is what groups know of machines.
type Machines interface {
	// HostsOf gives the hosts on which machines of some groups are.
	HostsOf(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) ([]uid.Host, error)
	// CardsOn gives the cards of a host's machines in networks with security groups.
	CardsOn(ctx context.Context, q db.Tx, host uid.Host) ([]Card, error)
	// AddressesOf gives the addresses by which machines of groups are known in such networks.
	AddressesOf(ctx context.Context, q db.Tx, ids []uid.SecurityGroup) (map[uid.SecurityGroup][]string, error)
}

// Card is a card of a machine.
type Card struct {
	NIC uid.NIC `bun:"nic"`
	VM  uid.VM  `bun:"vm"`
}

// Parts are what a service works with.
type Parts struct {
	DB        *db.DB
	Accounts  *account.Service
	Engine    *op.Engine
	Documents *document.Service
	Drivers   Drivers
	Machines  Machines
}

// Service keeps security groups.
type Service struct {
	db        *db.DB
	accounts  *account.Service
	documents *document.Service
	drivers   Drivers
	machines  Machines
	changing  *op.Runner[change]
	spreader  *crew.Crew[string]
}

// New makes a service, registers its plan with the engine, and sees to it that every account that is made from now on has its
// default group.
func New(p Parts) *Service {
	s := &Service{db: p.DB, accounts: p.Accounts, documents: p.Documents, drivers: p.Drivers, machines: p.Machines}
	p.Accounts.BeginWith(giveDefault)
	p.Documents.GivenBy(document.Guards, s.give)
	s.changing = op.Register(p.Engine, s.plan())
	s.spreader = crew.New(crew.Options[string]{
		Now: p.DB.Now, AtOnce: 1, Do: func(ctx context.Context, _ string) error { return s.Round(ctx) },
		Failed: func(context.Context, string, int, error) {}, // the keeper does the same, and says what is wrong
	})
	return s
}

// giveDefault makes the default group of a new account, in the transaction that makes the account. So there is never one without,
// and nobody makes it twice.
func giveDefault(ctx context.Context, tx db.Tx, owner account.Owner) error {
	return insert(ctx, tx, Group{
		ID: uid.New[uid.SecurityGroup](), Account: owner.Account, Domain: owner.Domain, Name: Default, Description: defaultDescription,
		Created: tx.Now,
	})
}

// CreateIn says what group to make, and for whom ("": the caller).
type CreateIn struct {
	Name, Description string
	Owner             account.For
}

// Create makes a group, in which no machine is.
func (s *Service) Create(ctx context.Context, in CreateIn) (uid.SecurityGroup, error) {
	if err := checkName(in.Name); err != nil {
		return "", err
	}
	g := Group{ID: uid.New[uid.SecurityGroup](), Name: in.Name, Description: in.Description}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		owner, err := s.accounts.Owner(ctx, tx, in.Owner)
		if err != nil {
			return err
		}
		if err := account.Stays(ctx, tx, owner.Account); err != nil {
			return err
		}
		g.Account, g.Domain, g.Created = owner.Account, owner.Domain, tx.Now
		if err := insert(ctx, tx, g); err != nil {
			return err
		}
		if err := announce(ctx, tx, event.SecurityGroupCreate, "created", g); err != nil {
			return err
		}
		return once.Record(ctx, tx, string(g.ID), "")
	})
	if db.IsUnique(err) {
		err = taken(g.Name)
	}
	return g.ID, err
}

func taken(name string) error {
	return fault.Conflictf("the account has a security group called %q already; choose another name", name)
}

func checkName(name string) error {
	if strings.TrimSpace(name) != name || name == "" {
		return fault.Invalidf("%q is no name for a security group: want one that is not empty and neither begins nor ends with a space", name)
	}
	return nil
}

// Change says what to change of a group. Zero fields leave things as they are.
type Change struct {
	Name string
	ID   uid.SecurityGroup // root admins only
}

// Update changes what a group is called, and gives the ID that it has afterwards.
func (s *Service) Update(ctx context.Context, id uid.SecurityGroup, c Change) (uid.SecurityGroup, error) {
	if c.Name != "" {
		if err := checkName(c.Name); err != nil {
			return "", err
		}
	}
	if c.ID != "" && !auth.From(ctx).IsRoot() {
		return "", fault.Deniedf("only root admins may choose the ID of a security group: leave out customid")
	}
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		g, err := retire(ctx, tx, id)
		if err != nil {
			return err
		}
		if g.isDefault() && c.Name != "" && c.Name != g.Name {
			return fault.Invalidf("the security group %q of an account can't be renamed", Default)
		}
		if c.ID != "" && c.ID != id {
			other, err := ByID(ctx, tx, []uid.SecurityGroup{c.ID})
			if err != nil {
				return err
			}
			if len(other) > 0 {
				return fault.Conflictf("another security group has the ID %s", c.ID)
			}
			g.ID = c.ID
		}
		if c.Name != "" {
			g.Name = c.Name
		}
		if err := update(ctx, tx, id, g); err != nil {
			return err
		}
		if g.ID != id {
			if err := changed(ctx, tx, g.ID); err != nil {
				return err
			}
		}
		id = g.ID
		return announce(ctx, tx, event.SecurityGroupUpdate, "changed", g)
	})
	if db.IsUnique(err) {
		err = taken(c.Name)
	}
	return id, err
}

// retire gives a group in the reach of the caller in ctx, which until the transaction's end nobody else changes or puts a machine
// into.
func retire(ctx context.Context, tx db.Tx, id uid.SecurityGroup) (Group, error) {
	g, err := find(ctx, tx, auth.From(ctx).Reach(), id)
	if err != nil {
		return Group{}, err
	}
	if err := tx.Retire(ctx, guard(g.Account)); err != nil { // whose a group is never changes
		return Group{}, err
	}
	return find(ctx, tx, auth.From(ctx).Reach(), id)
}

// Which names a group by its ID, or by its name and whose it is ("": the caller's).
type Which struct {
	ID    uid.SecurityGroup
	Name  string
	Owner account.For
}

func (in Which) check() error {
	if (in.ID == "") == (in.Name == "") {
		return fault.Invalidf("want either the id or the name of the security group")
	}
	return nil
}

// Delete removes a group that no machine is in, and that no other group has rules about.
func (s *Service) Delete(ctx context.Context, in Which) error {
	if err := in.check(); err != nil {
		return err
	}
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		g, err := s.named(ctx, tx, in)
		if err != nil {
			return err
		}
		if g.isDefault() {
			return fault.Invalidf("the security group %q of an account can't be deleted", Default)
		}
		n, err := countMembers(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		if n > 0 {
			return fault.Conflictf("security group %q is in use by %s: put those into other groups, or destroy and expunge them, first", g.Name,
				fault.Count(n, "virtual machine"))
		}
		by, err := naming(ctx, tx, g.ID)
		if err != nil {
			return err
		}
		if len(by) > 0 {
			return fault.Conflictf("security group %q is named by rules of %s; revoke them first", g.Name, strings.Join(by, ", "))
		}
		if err := remove(ctx, tx, g.ID); err != nil {
			return err
		}
		return announce(ctx, tx, event.SecurityGroupDelete, "deleted", g)
	})
}

// look finds a group that is named.
func (s *Service) look(ctx context.Context, q db.Tx, in Which) (g Group, err error) {
	owner := account.Owner{}
	if in.ID == "" || in.Owner != (account.For{}) {
		if owner, err = s.accounts.Owner(ctx, q, in.Owner); err != nil {
			return g, err
		}
	}
	if in.ID == "" {
		return findByName(ctx, q, owner.Account, in.Name)
	}
	if g, err = find(ctx, q, auth.From(ctx).Reach(), in.ID); err == nil && owner.Account != "" && g.Account != owner.Account {
		err = fault.Missing(in.ID) // of that account there is none
	}
	return g, err
}

// named finds the group that is to be deleted; nobody puts a machine into it any more.
func (s *Service) named(ctx context.Context, tx db.Tx, in Which) (Group, error) {
	g, err := s.look(ctx, tx, in)
	if err != nil {
		return g, err
	}
	return retire(ctx, tx, g.ID)
}

func announce(ctx context.Context, tx db.Tx, kind event.Kind, deed string, g Group) error {
	_, err := event.Write(ctx, tx, event.Event{
		Type: kind, Description: fmt.Sprintf("%s security group %s (%s)", deed, g.Name, g.ID), Account: g.Account, Domain: g.Domain,
		ResourceID: string(g.ID),
	})
	return err
}

// Filter says which groups a list shows. Zero fields don't restrict, but for Scope, whose zero value shows nothing.
type Filter struct {
	Scope   auth.Scope
	ID      uid.SecurityGroup
	Name    string
	VM      uid.VM // which is in them
	Tags    tag.Wanted
	Keyword string // in name or description
	Offset  int
	Limit   int // 0 or less: all
}
