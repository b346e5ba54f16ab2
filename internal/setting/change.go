package setting

import (
	"context"
	"fmt"
	"strings"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
)

// Change gives a setting a value, in the cloud as a whole or in one place; "" gives it back the value that it would have without
// one. Only root admins may. The server that did it works by the new value when Change returns, the others within [Poll].
func (s *Settings) Change(ctx context.Context, name string, at Place, value string) (Shown, error) {
	err := s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error { return s.ChangeIn(ctx, tx, name, at, value) })
	if err != nil {
		return Shown{}, err
	}
	if err := s.Load(ctx); err != nil {
		return Shown{}, err
	}
	places, err := s.holding(ctx, s.db.Read(), at)
	if err != nil {
		return Shown{}, err
	}
	return s.show(all[name], places), nil
}

// ChangeIn is Change in a transaction, after which the caller loads the settings.
func (s *Settings) ChangeIn(ctx context.Context, tx db.Tx, name string, at Place, value string) error {
	if !auth.From(ctx).IsRoot() {
		return fault.Deniedf("only root admins may change settings")
	}
	of, err := find(name, at.Scope)
	if err != nil {
		return err
	}
	if err := s.there(ctx, tx, at); err != nil {
		return err
	}
	what := name + " was set back"
	if value == "" {
		err = drop(ctx, tx, name, at)
	} else {
		v, bad := of.read(value)
		if bad != nil {
			return bad
		}
		if !of.sealed {
			value = of.format(v)
		}
		what = name + " was set to " + of.format(v)
		if value, err = s.stored(of, at, value); err == nil {
			err = put(ctx, tx, name, at, value)
		}
	}
	if err != nil {
		return fmt.Errorf("change setting %s: %w", name, err)
	}
	if at.Scope != Global {
		what += fmt.Sprintf(" for %s %s", at.Scope, at.ID)
	}
	_, err = event.Write(ctx, tx, event.Event{Type: event.SettingChange, Description: "setting " + what, ResourceID: at.ID})
	return err
}

// Forget removes the values of a place, in the transaction that removes the thing.
func Forget(ctx context.Context, tx db.Tx, at Place) error { return dropPlace(ctx, tx, at) }

// find gives a setting that things of a scope can have a value for.
func find(name string, scope Scope) (*Setting, error) {
	of := all[name]
	switch {
	case of == nil && isForeign(name):
		return nil, fault.Invalidf("CloudStack's setting %q has no effect here, so it can't be set", name)
	case of == nil:
		return nil, fault.NotFoundf("there is no setting called %q; listConfigurations shows all", name)
	case !of.Takes(scope):
		return nil, fault.Invalidf("the setting %s can't be set for a single %s, %s", name, scope, of.where())
	}
	return of, nil
}

// where says where a setting can be set, to end a sentence.
func (s *Setting) where() string {
	words := []string{"only for the whole cloud"}
	for _, scope := range s.Scopes {
		words = append(words, "a "+string(scope))
	}
	return strings.Join(words, " or ")
}

// there refuses a place where there is nothing.
func (s *Settings) there(ctx context.Context, q db.Tx, at Place) error {
	if at.Scope == Global {
		return nil
	}
	exists := s.things[at.Scope]
	if exists == nil {
		return fmt.Errorf("nobody knows things of the scope %q", at.Scope)
	}
	ok, err := exists(ctx, q, at.ID)
	if err == nil && !ok {
		err = fault.NotFoundf("there is no %s with the ID %s", at.Scope, at.ID)
	}
	return err
}
