package network

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// listedNetwork is a network as far as it matters who sees it.
type listedNetwork struct {
	id, account, domain string
	acl                 string
	subdomains, removed bool
}

// A scope's list has its accounts' networks, and those for domains that its accounts are in; nobody else's.
func TestWhoSeesWhichNetwork(t *testing.T) {
	t.Parallel()
	paths := map[string]string{"root": "ROOT", "a": "ROOT/a", "a2": "ROOT/a2", "aa": "ROOT/a/a", "aab": "ROOT/a/a/b", "A": "ROOT/A", "u": "ROOT/ü", "uu": "ROOT/ü/ü"}
	order := []string{"root", "a", "a2", "aa", "aab", "A", "u", "uu"}
	var networks []listedNetwork
	for _, d := range order {
		for _, n := range []listedNetwork{
			{id: "own-1", account: d + "-1", acl: ForAccount},
			{id: "own-2", account: d + "-2", acl: ForAccount},
			{id: "odd", account: d + "-2", acl: ForAccount, subdomains: true}, // means nothing there
			{id: "all", account: "root-1", acl: ForDomain, subdomains: true},
			{id: "only", account: "root-1", acl: ForDomain},
			{id: "gone", account: "root-1", acl: ForDomain, subdomains: true, removed: true},
			{id: "lost", account: d + "-1", acl: ForAccount, removed: true},
		} {
			n.id, n.domain = d+"-"+n.id, d
			networks = append(networks, n)
		}
	}
	within := func(path, of string) bool { return path == of || strings.HasPrefix(path, of+"/") }
	// shared tells whether a network is for a domain.
	shared := func(n listedNetwork, domain string) bool {
		return n.acl == ForDomain && (n.domain == domain || n.subdomains && within(paths[domain], paths[n.domain]))
	}
	type scoped struct {
		auth.Scope
		sees func(n listedNetwork) bool
	}
	scopes := map[string]scoped{
		"nothing":    {auth.Scope{}, func(listedNetwork) bool { return false }},
		"everything": {auth.Scope{All: true}, func(listedNetwork) bool { return true }},
		"nobody's":   {auth.Scope{Account: "nobody"}, func(listedNetwork) bool { return false }},
		"nowhere":    {auth.Scope{Under: "ROOT/nowhere"}, func(listedNetwork) bool { return false }},
	}
	for _, d := range order {
		scopes["account of "+d] = scoped{auth.Scope{Account: uid.Account(d + "-2")}, func(n listedNetwork) bool {
			return n.account == d+"-2" || shared(n, d)
		}}
		scopes["domain "+d] = scoped{auth.Scope{Domain: uid.Domain(d)}, func(n listedNetwork) bool { return n.domain == d || shared(n, d) }}
		scopes["under "+d] = scoped{auth.Scope{Under: paths[d]}, func(n listedNetwork) bool {
			return within(paths[n.domain], paths[d]) || shared(n, d)
		}}
	}
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		plantNetworks(t, d, order, paths, networks)
		s := &Service{db: d}
		for name, scope := range scopes {
			var want []string
			for _, n := range networks {
				if !n.removed && scope.sees(n) {
					want = append(want, n.id)
				}
			}
			for _, f := range []Filter{{Scope: scope.Scope}, {Scope: scope.Scope, Limit: 3}} {
				found, total, err := s.List(t.Context(), f)
				if err != nil {
					t.Fatal(err)
				}
				seen := map[string]bool{}
				for _, n := range found {
					seen[string(n.ID)] = true
				}
				missing := 0
				for _, id := range want {
					if !seen[id] {
						missing++
					}
					delete(seen, id)
				}
				cut := max(0, len(want)-f.Limit)
				if f.Limit == 0 {
					cut = 0
				}
				if total != len(want) || missing != cut || len(seen) != 0 {
					t.Errorf("%s sees %d networks (%d missing, and %v), want %d: %v", name, total, missing, seen, len(want), want)
				}
			}
		}
	})
}

func plantNetworks(t *testing.T, d *db.DB, domains []string, paths map[string]string, networks []listedNetwork) {
	t.Helper()
	err := d.Write(t.Context(), func(ctx context.Context, tx db.Tx) error {
		run := func(sql string, args ...any) error {
			_, err := tx.NewRaw(sql, args...).Exec(ctx)
			return err
		}
		for _, id := range domains {
			if err := run("insert into domains (id, name, path, level, state, created) values (?, ?, ?, ?, 'Active', ?)", id, id, paths[id],
				strings.Count(paths[id], "/"), tx.Now); err != nil {
				return err
			}
			for i := 1; i <= 2; i++ {
				account := fmt.Sprintf("%s-%d", id, i)
				if err := run("insert into accounts (id, domain_id, name, type, role_id, state, created) values (?, ?, ?, 0, '', 'enabled', ?)", account, id,
					account, tx.Now); err != nil {
					return err
				}
			}
		}
		if err := run("insert into zones (id, name, network_type, allocation_state, created) values ('z', 'z', 'Advanced', 'Enabled', ?)",
			tx.Now); err != nil {
			return err
		}
		if err := run(`insert into network_offerings (id, name, display_text, guest_type, traffic_type, availability, state, created)
			values ('o', 'o', 'o', 'Shared', 'Guest', 'Optional', 'Enabled', ?)`, tx.Now); err != nil {
			return err
		}
		for _, n := range networks {
			var removed any
			if n.removed {
				removed = tx.Now
			}
			if err := run(`insert into networks (id, account_id, domain_id, zone_id, offering_id, name, guest_type, traffic_type, state, acl_type,
				subdomain_access, created, removed) values (?, ?, ?, 'z', 'o', ?, 'Shared', 'Guest', 'Setup', ?, ?, ?, ?)`,
				n.id, n.account, n.domain, n.id, n.acl, n.subdomains, tx.Now, removed); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
