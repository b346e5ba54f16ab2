package auth

import (
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"
)

// Where keeps those rows of a query whose account_id and domain_id columns, in the table known as alias, lie in the scope.
func (s Scope) Where(q *bun.SelectQuery, alias string) *bun.SelectQuery {
	return s.WhereOwner(q, alias+".account_id", alias+".domain_id")
}

// WhereOwner is Where for tables whose owner columns have other names ("accounts.id", "accounts.domain_id").
func (s Scope) WhereOwner(q *bun.SelectQuery, account, domain string) *bun.SelectQuery {
	switch s.Of {
	case NotProjects:
		// In a set that is read once, and not for each row; what is nobody's is no project's.
		q.Where("(? is null or ? not in (select id from accounts where type = ?))", bun.Ident(account), bun.Ident(account), Project)
	case OnlyProjects:
		q.Where("? in (select id from accounts where type = ?)", bun.Ident(account), Project)
	case Anybody:
	}
	switch {
	case s.All:
		return q
	case len(s.More) > 0 && s.Account != "":
		return q.Where("(? = ? or ? in (?))", bun.Ident(account), s.Account, bun.Ident(account), bun.List(s.More))
	case len(s.More) > 0:
		return q.Where("? in (?)", bun.Ident(account), bun.List(s.More))
	case s.Account != "":
		return q.Where("? = ?", bun.Ident(account), s.Account)
	case s.Domain != "":
		return q.Where("? = ?", bun.Ident(domain), s.Domain)
	case s.Under != "":
		// Not LIKE, which on SQLite takes ROOT/A for ROOT/a. A domain that was removed has no part in a new one of its name.
		below := s.Under + "/"
		return q.Where("? in (select id from domains where removed is null and (path = ? or substr(path, 1, ?) = ?))",
			bun.Ident(domain), s.Under, utf8.RuneCountInString(below), below)
	default:
		return q.Where("1 = 0")
	}
}

// LikeEscape makes s match only itself in a LIKE pattern that says "escape '!'".
func LikeEscape(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}
