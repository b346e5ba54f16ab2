package account

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/event"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/role"
	"github.com/virga-cloud/virga/internal/secret"
	"github.com/virga-cloud/virga/uid"
)

// maxPairs is how many pairs of keys a user has at most.
const maxPairs = 50

// KeysIn says what pair of keys to make. With nothing but the user it is the plain pair, in the place of the one that there is; otherwise
// it is one more.
type KeysIn struct {
	User         uid.User
	Name         string // "": the new pair's id, where it is not the plain one
	Description  string
	Starts, Ends time.Time // zero: at once, never
	Rules        []role.Rule
}

func (in KeysIn) isPlain() bool {
	return in.Name == "" && in.Description == "" && in.Starts.IsZero() && in.Ends.IsZero() && len(in.Rules) == 0
}

func (in KeysIn) check(now time.Time) error {
	if in.Name != "" {
		if err := checkName("pair of keys", in.Name); err != nil {
			return err
		}
	}
	switch {
	case !utf8.ValidString(in.Description) || strings.ContainsFunc(in.Description, unprintable):
		return fault.Invalidf("the description holds characters that can't be seen")
	case !in.Ends.IsZero() && !in.Ends.After(now):
		return fault.Invalidf("enddate %s has passed: want a time to come", in.Ends.UTC().Format(time.RFC3339))
	case !in.Starts.IsZero() && !in.Ends.IsZero() && !in.Ends.After(in.Starts):
		return fault.Invalidf("enddate is not after startdate")
	}
	return nil
}

// AddKeys gives a user a pair of keys: the plain one anew, or one more. Who may is said at [Service.RegisterKeys]; who signs with a pair
// that has rules gives none that lets pass more.
func (s *Service) AddKeys(ctx context.Context, in KeysIn) (p KeyPair, err error) {
	packed, err := role.Pack(in.Rules)
	if err != nil {
		return p, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx db.Tx) error {
		u, err := s.targetUser(ctx, tx, in.User)
		if err != nil {
			return err
		}
		if err := Stays(ctx, tx, u.Account); err != nil {
			return err
		}
		if err := s.roles.MayHold(ctx, tx, u.AccountRole, packed); err != nil {
			return err
		}
		if err := in.check(tx.Now); err != nil {
			return err
		}
		keys := Keys{APIKey: newKey(), Secret: secret.New(newKey())}
		text := "user " + u.Username + " got new API keys"
		if in.isPlain() {
			p, err = s.putKeys(ctx, tx, u.ID, keys)
		} else {
			p = s.sealed(KeyPair{
				ID: uid.New[uid.KeyPair](), User: u.ID, Keys: keys, Name: in.Name, Description: in.Description, Rules: packed,
				Starts: in.Starts.UTC(), Ends: in.Ends.UTC(), Created: tx.Now,
			})
			p.Name = cmp.Or(p.Name, string(p.ID))
			text = fmt.Sprintf("user %s got the API keys %q", u.Username, p.Name)
			err = s.addPair(ctx, tx, p)
		}
		if err != nil {
			return err
		}
		p.of(u)
		return userEvent(ctx, tx, event.UserRegisterKey, u, text)
	})
	return p, err
}

func (s *Service) addPair(ctx context.Context, tx db.Tx, p KeyPair) error {
	if err := lockUser(ctx, tx, p.User); err != nil {
		return fmt.Errorf("lock user %s: %w", p.User, err)
	}
	n, err := countPairs(ctx, tx, p.User)
	switch {
	case err != nil:
		return fmt.Errorf("count the API keys of user %s: %w", p.User, err)
	case n >= maxPairs:
		return fault.Limitf("the user has %d pairs of keys, and may have no more: delete one that is not used any more", n)
	}
	err = insertPair(ctx, tx, p)
	if db.IsUnique(err) {
		return fault.Conflictf("the user has a pair of keys named %q already", p.Name)
	}
	return err
}

// of notes whose the pair is.
func (p *KeyPair) of(u User) {
	p.Username, p.Account, p.AccountName, p.AccountType, p.AccountRole = u.Username, u.Account, u.AccountName, u.AccountType, u.AccountRole
	p.Domain, p.DomainName, p.DomainPath = u.Domain, u.DomainName, u.DomainPath
}

// LatestKeys gives a user's plain pair of keys, or where there is none the latest.
func (s *Service) LatestKeys(ctx context.Context, id uid.User) (KeyPair, error) {
	q := s.db.Read()
	u, err := s.targetUser(ctx, q, id)
	if err != nil {
		return KeyPair{}, err
	}
	p, err := latestPair(ctx, q, id)
	switch {
	case db.IsNone(err):
		return KeyPair{}, fault.NotFoundf("user %s has no API keys", u.Username)
	case err != nil:
		return KeyPair{}, fmt.Errorf("find API keys of user %s: %w", id, err)
	}
	if err := s.roles.MayHandle(ctx, p.Rules); err != nil {
		return KeyPair{}, err
	}
	if err := s.open(&p); err != nil {
		return KeyPair{}, err
	}
	return p, nil
}

// KeyPair gives a pair of keys to who may handle it.
func (s *Service) KeyPair(ctx context.Context, id uid.KeyPair) (KeyPair, error) {
	return s.keyPair(ctx, s.db.Read(), id)
}

func (s *Service) keyPair(ctx context.Context, q db.Tx, id uid.KeyPair) (KeyPair, error) {
	found, _, err := listPairs(ctx, q, PairFilter{Scope: auth.From(ctx).Reach(), ID: id}, nil)
	switch {
	case err != nil:
		return KeyPair{}, fmt.Errorf("find API keys %s: %w", id, err)
	case len(found) == 0:
		return KeyPair{}, fault.Missing(id)
	}
	if _, err := s.targetUser(ctx, q, found[0].User); err != nil {
		return KeyPair{}, err
	}
	if err := s.roles.MayHandle(ctx, found[0].Rules); err != nil {
		return KeyPair{}, err
	}
	err = s.open(&found[0])
	return found[0], err
}

// DeleteKeys takes a pair of keys from its user, and gives it; it stops working with the commit. It writes no event.
func (s *Service) DeleteKeys(ctx context.Context, tx db.Tx, id uid.KeyPair) (KeyPair, error) {
	p, err := s.keyPair(ctx, tx, id)
	if err != nil {
		return p, err
	}
	gone, err := deletePair(ctx, tx, id)
	switch {
	case err != nil:
		return p, fmt.Errorf("delete API keys %s: %w", id, err)
	case !gone:
		return p, fault.Missing(id)
	}
	return p, nil
}

// PairFilter says which pairs of keys to list. Zero fields do not restrict, but for Scope, whose zero value shows nothing.
type PairFilter struct {
	Scope   auth.Scope
	ID      uid.KeyPair
	User    uid.User
	APIKey  string
	Keyword string // part of name or description, in any case
	Offset  int
	Limit   int // 0: all
}

// KeyPairs gives the pairs of one page, the oldest first, and how many there are on all pages: those that the caller may handle.
func (s *Service) KeyPairs(ctx context.Context, f PairFilter) ([]KeyPair, int, error) {
	q := s.db.Read()
	covered, err := s.coveredRoles(ctx, q)
	if err != nil {
		return nil, 0, err
	}
	if auth.From(ctx).Type == auth.User {
		f.User = cmp.Or(f.User, auth.From(ctx).User)
		covered = []uid.Role{}
	}
	page := f
	limited := auth.From(ctx).Only != "" // which pairs its rules cover no query tells
	if limited {
		page.Offset, page.Limit = 0, 0
	}
	all, total, err := listPairs(ctx, q, page, covered)
	if err != nil {
		return nil, 0, fmt.Errorf("list API keys: %w", err)
	}
	if limited {
		all = slices.DeleteFunc(all, func(p KeyPair) bool { return s.roles.MayHandle(ctx, p.Rules) != nil })
		total = len(all)
		all = all[min(f.Offset, total):]
		if f.Limit > 0 {
			all = all[:min(f.Limit, len(all))]
		}
	}
	for i := range all {
		if err := s.open(&all[i]); err != nil {
			return nil, 0, err
		}
	}
	return all, total, nil
}

// coveredRoles are the roles of accounts that the caller may act for.
func (s *Service) coveredRoles(ctx context.Context, q db.Tx) ([]uid.Role, error) {
	used, err := rolesInUse(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("find the roles in use: %w", err)
	}
	covered := []uid.Role{}
	for _, a := range used {
		ok, err := s.covers(ctx, q, a.Type, a.Role)
		if err != nil {
			return nil, err
		}
		if ok {
			covered = append(covered, a.Role)
		}
	}
	return covered, nil
}
