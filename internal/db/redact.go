package db

import (
	"net/url"
	"regexp"
	"strings"
)

// keyword is how PostgreSQL's other way of naming a database begins: host=db user=virga password=….
var keyword = regexp.MustCompile(`^\s*\w+\s*=`)

// Redact is a database's url without anything secret, for logs and messages. Of what can't be read nothing is left but the
// kind: nobody knows where in it a password is.
func Redact(database string) string {
	scheme, _, isURL := strings.Cut(database, "://")
	switch {
	case keyword.MatchString(database), !isURL && strings.Contains(database, "@"):
		return "…"
	case !isURL:
		return database // a file
	}
	u, err := url.Parse(database)
	if err != nil || strings.Contains(u.Path+u.RawQuery, "@") { // the end of a password with a slash or question mark in it
		return scheme + "://…"
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	q := u.Query()
	for name := range q {
		switch strings.ToLower(name) {
		case "password", "sslpassword", "passfile":
			q.Del(name)
		}
	}
	u.RawQuery, u.Fragment, u.RawFragment = q.Encode(), "", ""
	return u.String()
}
