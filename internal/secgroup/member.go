package secgroup

import (
	"context"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/network"
	"github.com/virga-cloud/virga/uid"
)

// Wanted are the groups that a machine is to be in: by their IDs, by their names, or (the zero value) its owner's default one.
type Wanted struct {
	IDs   []uid.SecurityGroup
	Names []string
}

// IsZero tells whether no group is named.
func (w Wanted) IsZero() bool { return len(w.IDs)+len(w.Names) == 0 }

// String is how the groups were named.
func (w Wanted) String() string {
	if len(w.Names) > 0 {
		return "securitygroupnames " + strings.Join(w.Names, ", ")
	}
	ids := make([]string, len(w.IDs))
	for i, id := range w.IDs {
		ids[i] = string(id)
	}
	return "securitygroupids " + strings.Join(ids, ", ")
}

// Check refuses groups that are named in two ways.
func (w Wanted) Check() error {
	if len(w.IDs) > 0 && len(w.Names) > 0 {
		return fault.Invalidf("securitygroupids and securitygroupnames were both given; use one of them")
	}
	return nil
}

// guard stands for all groups of an account: who puts a machine into one relies on it, and who removes one, or gives it another name
// or ID, retires it.
type guard uid.Account

func (g guard) String() string { return "security groups of " + string(g) }

// Find gives the groups, which must be in the reach of who asks, and the machine's owner's. None of them goes before the
// transaction's end.
func (w Wanted) Find(ctx context.Context, tx db.Tx, reach auth.Scope, owner uid.Account) ([]uid.SecurityGroup, error) {
	if err := tx.Rely(ctx, guard(owner)); err != nil {
		return nil, err
	}
	if len(w.IDs) > 0 {
		return w.byID(ctx, tx, reach, owner)
	}
	names := w.Names
	if len(names) == 0 {
		names = []string{Default}
	}
	found := make([]uid.SecurityGroup, 0, len(names))
	for _, name := range names {
		g, err := findByName(ctx, tx, owner, name)
		if err != nil {
			return nil, err
		}
		found = append(found, g.ID)
	}
	return found, nil
}

func (w Wanted) byID(ctx context.Context, tx db.Tx, reach auth.Scope, owner uid.Account) ([]uid.SecurityGroup, error) {
	known, err := findAll(ctx, tx, reach, w.IDs)
	if err != nil {
		return nil, err
	}
	for _, id := range w.IDs {
		g, ok := known[id]
		switch {
		case !ok:
			return nil, fault.Missing(id)
		case g.Account != owner:
			return nil, fault.Deniedf("security group %q belongs to another account than the machine", g.Name)
		}
	}
	return w.IDs, nil
}

// Join puts a machine into the groups, if one of its networks has any, and tells whether one has. They must be in the reach of the
// caller in ctx, and the machine's owner's. They are looked for before the networks: nobody learns by them what networks others have.
func (w Wanted) Join(ctx context.Context, tx db.Tx, vm uid.VM, owner uid.Account, networks []uid.Network) (bool, error) {
	groups, err := w.Find(ctx, tx, auth.From(ctx).Reach(), owner)
	if err != nil {
		return false, err
	}
	has, err := network.HaveGroups(ctx, tx, networks)
	if err != nil || !has {
		return has, err
	}
	return true, Join(ctx, tx, vm, groups)
}

// Join puts a machine into groups that [Wanted.Find] has given. One that is named twice counts once.
func Join(ctx context.Context, tx db.Tx, vm uid.VM, groups []uid.SecurityGroup) error {
	for _, id := range groups {
		if err := join(ctx, tx, vm, id); err != nil {
			return err
		}
	}
	return Moved(ctx, tx, vm)
}

// Leave takes a machine out of all its groups.
func Leave(ctx context.Context, tx db.Tx, vm uid.VM) error {
	if err := Moved(ctx, tx, vm); err != nil {
		return err
	}
	return leave(ctx, tx, vm)
}
