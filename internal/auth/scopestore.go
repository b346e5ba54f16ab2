package auth

import (
	"strings"

	"github.com/uptrace/bun"
)

// Where keeps those rows of a query whose account_id and domain_id columns, in the table known as alias, lie in the scope.
func (s Scope) Where(q *bun.SelectQuery, alias string) *bun.SelectQuery {
	t := bun.Ident(alias)
	switch {
	case s.All:
		return q
	case s.Account != "":
		return q.Where("?.account_id = ?", t, s.Account)
	case s.Domain != "":
		return q.Where("?.domain_id = ?", t, s.Domain)
	case s.Under != "":
		return q.Where("?.domain_id in (select id from domains where path = ? or path like ? escape '!')",
			t, s.Under, LikeEscape(s.Under)+"/%")
	default:
		return q.Where("1 = 0")
	}
}

// LikeEscape makes s match only itself in a LIKE pattern that says "escape '!'".
func LikeEscape(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
