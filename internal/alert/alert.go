package alert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/uid"
)

// Type is what an alert is about. Its number is the wire's.
type Type int

// The types that are raised here, with CloudStack's numbers of today. (Before version 4 hosts had 6, and so on.)
const (
	Memory           Type = 0
	CPU              Type = 1
	Storage          Type = 2
	StorageAllocated Type = 3
	PublicIP         Type = 4
	PodIP            Type = 5
	Secondary        Type = 6
	Host             Type = 7
	Machine          Type = 8
	Router           Type = 9
	Management       Type = 14
	VLAN             Type = 18
	SharedIP         Type = 24
	LocalStorage     Type = 25
)

// names are CloudStack's.
var names = map[Type]string{
	Memory: "ALERT.MEMORY", CPU: "ALERT.CPU", StorageAllocated: "ALERT.STORAGE.ALLOCATED", PublicIP: "ALERT.NETWORK.PUBLICIP",
	Storage: "ALERT.STORAGE", PodIP: "ALERT.NETWORK.PRIVATEIP", Secondary: "ALERT.STORAGE.SECONDARY", VLAN: "ALERT.NETWORK.VLAN",
	SharedIP: "ALERT.NETWORK.DIRECTPUBLICIP", LocalStorage: "ALERT.STORAGE.LOCAL", Host: "ALERT.COMPUTE.HOST", Router: "ALERT.SERVICE.DOMAINROUTER",
	Management: "ALERT.MANAGEMENT", Machine: "ALERT.USERVM",
}

// Name is the type's name ("ALERT.CPU"); "" for a type that is never raised.
func (t Type) Name() string { return names[t] }

// Alert is something that is, or was, wrong.
type Alert struct {
	ID   uid.Alert `bun:",pk"`
	Type Type
	// Subject is what it is about, the id of a host for instance: no two alerts of a type about one subject last at a time.
	Subject     string
	Description string
	Raised      time.Time
	Resolved    time.Time `bun:",nullzero"` // when its cause went; zero while it lasts
}

// Raise records that something is wrong, in the transaction that finds it. While the cause lasts nothing is added.
func Raise(ctx context.Context, tx db.Tx, t Type, subject, format string, args ...any) error {
	if t.Name() == "" {
		return fmt.Errorf("raise alert: no alert type %d", t)
	}
	err := insert(ctx, tx, Alert{
		ID: uid.New[uid.Alert](), Type: t, Subject: subject, Description: fmt.Sprintf(format, args...), Raised: tx.Now,
	})
	if err != nil {
		return fmt.Errorf("raise alert %s: %w", t.Name(), err)
	}
	return nil
}

// Resolve records that the cause of an alert has gone. That there is no such alert is no error.
func Resolve(ctx context.Context, tx db.Tx, t Type, subject string) error {
	if err := resolve(ctx, tx, t, []string{subject}); err != nil {
		return fmt.Errorf("resolve alert %s: %w", t.Name(), err)
	}
	return nil
}

// Cause is one thing that is wrong.
type Cause struct{ Subject, Description string }

// Keep makes the lasting alerts of a type those that have a cause now: it raises what is missing and resolves the rest. It is for
// keepers, which look at the world as a whole.
func Keep(ctx context.Context, d *db.DB, t Type, causes []Cause) error {
	open, err := lasting(ctx, d.Read(), t)
	if err != nil {
		return fmt.Errorf("find lasting alerts %s: %w", t.Name(), err)
	}
	fresh := slices.DeleteFunc(slices.Clone(causes), func(c Cause) bool { return slices.Contains(open, c.Subject) })
	gone := slices.DeleteFunc(open, func(subject string) bool {
		return slices.ContainsFunc(causes, func(c Cause) bool { return c.Subject == subject })
	})
	if len(fresh) == 0 && len(gone) == 0 {
		return nil
	}
	return d.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		for _, c := range fresh {
			if err := Raise(ctx, tx, t, c.Subject, "%s", c.Description); err != nil {
				return err
			}
		}
		return resolve(ctx, tx, t, gone)
	})
}

// Filter says which alerts to list. Zero fields do not restrict.
type Filter struct {
	ID            uid.Alert
	Types         []Type
	Keyword       string // part of the description, in any case
	Offset, Limit int    // Limit 0: all
}

// TypesOf gives the types that are looked for, out of all that are raised here.
func TypesOf(is func(Type) bool) []Type {
	var found []Type
	for t := range names {
		if is(t) {
			found = append(found, t)
		}
	}
	slices.Sort(found)
	return found
}

// List gives the alerts of one page, the newest first, and how many there are on all pages.
func List(ctx context.Context, q db.Tx, f Filter) ([]Alert, int, error) {
	alerts, total, err := list(ctx, q, f)
	if err != nil {
		return nil, 0, fmt.Errorf("list alerts: %w", err)
	}
	return alerts, total, nil
}

// Expire removes alerts whose cause went before a time, at most limit of them, and tells how many.
func Expire(ctx context.Context, tx db.Tx, before time.Time, limit int) (int64, error) {
	return expire(ctx, tx, before, limit)
}
