package annotation

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/once"
	"github.com/virga-cloud/virga/uid"
)

// Kind is a type of things that can have annotations.
type Kind struct {
	Type  string                   // CloudStack's name
	Table string                   // has the columns id and unless Common account_id and domain_id; or a query for these and name in parentheses
	Live  string                   // what holds for rows that can have annotations, in SQL
	Name  string                   // the column with the thing's name
	Show  func(name string) string // makes what is shown out of what is in the column; nil: it is that
	// Common things are the cloud's own: only root admins write on them, and read what is written.
	Common bool
}

// The types of things that lists say of whether they have annotations.
const (
	PublicIP   = "PUBLIC_IP_ADDRESS"
	ImageStore = "SECONDARY_STORAGE"
)

// Annotation is a remark on a thing.
type Annotation struct {
	ID         uid.Annotation `bun:",pk"`
	Type       string         `bun:"entity_type"`
	Entity     string         `bun:"entity_id"`
	EntityName string         `bun:"-"`
	Account    uid.Account    `bun:"account_id,nullzero"` // the thing's owner; "" of what is the cloud's own
	Domain     uid.Domain     `bun:"domain_id,nullzero"`
	User       uid.User       `bun:"user_id"` // who wrote it
	Username   string         // what the user was called then
	Text       string
	AdminsOnly bool
	Created    time.Time
	Removed    time.Time `bun:"-"` // set in what Remove gives
}

// Names finds the names of users; an unknown one is left out.
type Names func(ctx context.Context, q db.Tx, ids []uid.User) (map[uid.User]string, error)

// Service keeps annotations.
type Service struct {
	db    *db.DB
	names Names
	kinds []Kind
}

// New makes a service for some kinds of things.
func New(d *db.DB, names Names, kinds ...Kind) *Service {
	return &Service{db: d, names: names, kinds: kinds}
}

func (s *Service) kind(t string) (Kind, error) {
	names := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		if strings.EqualFold(k.Type, t) {
			return k, nil
		}
		names[i] = k.Type
	}
	return Kind{}, fault.Invalidf("entitytype %q: nothing of that type can have annotations; what is of these can: %s", t, strings.Join(names, ", "))
}

// In says what to write, and on what.
type In struct {
	Type       string // in any case
	Entity     string
	Text       string
	AdminsOnly bool
}

// Add writes on a thing in the reach of the caller in ctx.
func (s *Service) Add(ctx context.Context, in In) (a Annotation, err error) {
	c := auth.From(ctx)
	if strings.TrimSpace(in.Text) == "" {
		return a, fault.Invalidf("annotation is empty: say what is to be remarked")
	}
	if in.AdminsOnly && !c.IsRoot() {
		return a, fault.Deniedf("only root admins write for root admins only: leave out adminsonly")
	}
	k, err := s.kind(in.Type)
	if err != nil {
		return a, err
	}
	in.Entity = strings.ToLower(strings.TrimSpace(in.Entity))
	if !uid.Valid(in.Entity) {
		return a, fault.Invalidf("entityid %q is not the ID of a thing", in.Entity)
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		on, err := findThing(ctx, tx, k, c, in.Entity)
		switch {
		case db.IsNone(err):
			return fault.NotFoundf("no %s with id %s, or you may not see it", k.Type, in.Entity)
		case err != nil:
			return fmt.Errorf("find %s %s: %w", k.Type, in.Entity, err)
		}
		names, err := s.names(ctx, tx, []uid.User{c.User})
		if err != nil {
			return err
		}
		a = Annotation{
			ID: uid.New[uid.Annotation](), Type: k.Type, Entity: in.Entity, Account: on.Account, Domain: on.Domain,
			User: c.User, Username: names[c.User], Text: in.Text, AdminsOnly: in.AdminsOnly, Created: tx.Now,
		}
		if err := insert(ctx, tx, a); err != nil {
			return fmt.Errorf("keep an annotation on %s %s: %w", k.Type, in.Entity, err)
		}
		if err := once.Record(ctx, tx, string(a.ID), ""); err != nil {
			return err
		}
		return announce(ctx, tx, event.AnnotationCreate, a, "wrote an annotation on")
	})
	return a, err
}

// Remove takes an annotation away: its writer may, and root admins.
func (s *Service) Remove(ctx context.Context, id uid.Annotation) (a Annotation, err error) {
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if a, err = s.find(ctx, tx, id); err != nil {
			return err
		}
		if c := auth.From(ctx); !c.IsRoot() && a.User != c.User {
			return fault.Deniedf("annotation %s is another user's: only its writer and root admins remove it", id)
		}
		if err := remove(ctx, tx, id); err != nil {
			return fmt.Errorf("remove annotation %s: %w", id, err)
		}
		a.Removed = tx.Now
		return announce(ctx, tx, event.AnnotationRemove, a, "removed an annotation from")
	})
	return a, err
}

// Show says whether an annotation is for root admins only. Only they may.
func (s *Service) Show(ctx context.Context, id uid.Annotation, adminsOnly bool) (a Annotation, err error) {
	if !auth.From(ctx).IsRoot() {
		return a, fault.Deniedf("only root admins say who sees annotations")
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) (err error) {
		if a, err = s.find(ctx, tx, id); err != nil {
			return err
		}
		a.AdminsOnly = a.AdminsOnly || adminsOnly // for the event, whose readers have seen it or not
		if err := announce(ctx, tx, event.AnnotationUpdate, a, "changed who sees an annotation on"); err != nil {
			return err
		}
		a.AdminsOnly = adminsOnly
		if err := setVisible(ctx, tx, id, adminsOnly); err != nil {
			return fmt.Errorf("change annotation %s: %w", id, err)
		}
		return nil
	})
	return a, err
}

// find gives an annotation that the caller may see, and keeps it from changing.
func (s *Service) find(ctx context.Context, tx db.Tx, id uid.Annotation) (Annotation, error) {
	found, err := findLocked(ctx, tx, auth.From(ctx), id)
	switch {
	case db.IsNone(err):
		return found, fault.Missing(id)
	case err != nil:
		return found, fmt.Errorf("find annotation %s: %w", id, err)
	}
	one := []Annotation{found}
	err = s.named(ctx, tx, one)
	return one[0], err
}

func announce(ctx context.Context, tx db.Tx, kind event.Kind, a Annotation, did string) error {
	e := event.Event{Type: kind, Description: fmt.Sprintf("%s %s %s", did, a.Type, a.Entity), ResourceID: string(a.ID)}
	if a.Account != "" && !a.AdminsOnly {
		e.Account, e.Domain = a.Account, a.Domain
	}
	_, err := event.Write(ctx, tx, e)
	return err
}

// Filter says which annotations a list shows. Zero fields do not restrict.
type Filter struct {
	IDs     []uid.Annotation
	Type    string // in any case
	Entity  string // goes together with Type
	User    uid.User
	Keyword string // in the text
	Offset  int
	Limit   int // 0 or less: all
}

// List gives a page of the annotations that the caller may see, the latest first, and how many there are in all.
func (s *Service) List(ctx context.Context, f Filter) ([]Annotation, int, error) {
	if f.Entity != "" && f.Type == "" {
		return nil, 0, fault.Invalidf("entityid %s: say its entitytype, too", f.Entity)
	}
	if f.Type != "" {
		k, err := s.kind(f.Type)
		if err != nil {
			if slices.ContainsFunc(coming, func(t string) bool { return strings.EqualFold(t, f.Type) }) {
				return nil, 0, nil
			}
			return nil, 0, err
		}
		f.Type = k.Type
	}
	f.Entity = strings.ToLower(f.Entity)
	q := s.db.Read()
	found, n, err := list(ctx, q, auth.From(ctx), f)
	if err != nil {
		return nil, 0, fmt.Errorf("list annotations: %w", err)
	}
	return found, n, s.named(ctx, q, found)
}

// coming are the types that CloudStack's clients know and of which Virga has no things yet.
var coming = []string{
	"SNAPSHOT", "VM_SNAPSHOT", "USER_DATA", "VPC", "VPN_CUSTOMER_GATEWAY", "KUBERNETES_CLUSTER", "VR", "SYSTEM_VM", "AUTOSCALE_VM_GROUP",
	"MANAGEMENT_SERVER", "OBJECT_STORAGE", "SHARED_FS",
}

// named fills in what things are called, with one query for each kind.
func (s *Service) named(ctx context.Context, q db.Tx, found []Annotation) error {
	ids := map[string][]string{}
	for _, a := range found {
		if !slices.Contains(ids[a.Type], a.Entity) {
			ids[a.Type] = append(ids[a.Type], a.Entity)
		}
	}
	names := map[string]map[string]string{}
	for t, of := range ids {
		k, err := s.kind(t)
		if err != nil {
			continue // of a type that this build does not know
		}
		if names[t], err = namesOf(ctx, q, k, of); err != nil {
			return fmt.Errorf("find what is called %s: %w", t, err)
		}
	}
	for i, a := range found {
		found[i].EntityName = names[a.Type][a.Entity]
		if k, err := s.kind(a.Type); err == nil && k.Show != nil && found[i].EntityName != "" {
			found[i].EntityName = k.Show(found[i].EntityName)
		}
	}
	return nil
}

// Sweep removes annotations on what is gone. It is a keeper's round.
func (s *Service) Sweep(ctx context.Context) error {
	return s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, k := range s.kinds {
			if err := sweep(ctx, tx, k); err != nil {
				return fmt.Errorf("remove annotations on what is gone: %w", err)
			}
		}
		return nil
	})
}
