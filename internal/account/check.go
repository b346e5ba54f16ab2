package account

import (
	"context"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
	"github.com/virga-cloud/virga/internal/fault"
)

// checkName refuses names that nobody could read, type or tell apart.
func checkName(what, name string) error {
	switch {
	case name == "":
		return fault.Invalidf("the %s has no name", what)
	case utf8.RuneCountInString(name) > 255:
		return fault.Invalidf("the %s's name is longer than 255 characters", what)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, unprintable) || strings.TrimSpace(name) != name:
		return fault.Invalidf("%q is no name for a %s: it holds characters that can't be seen, or begins or ends with a space", name, what)
	}
	return nil
}

func unprintable(r rune) bool { return r != ' ' && !unicode.IsPrint(r) }

// checkPerson refuses what nobody is called, and a time zone that there is not.
func checkPerson(firstname, lastname, email, timezone string) error {
	for what, text := range map[string]string{"firstname": firstname, "lastname": lastname, "email": email} {
		if !utf8.ValidString(text) || utf8.RuneCountInString(text) > 255 || strings.ContainsFunc(text, unprintable) {
			return fault.Invalidf("%s %q holds characters that can't be seen, or more than 255", what, text)
		}
	}
	return checkTimezone(timezone)
}

func checkTimezone(name string) error {
	if name == "" {
		return nil
	}
	if _, err := time.LoadLocation(name); err != nil || name == "Local" {
		return fault.Invalidf("there is no timezone %q: want the name of one, as Europe/Vienna or UTC", name)
	}
	return nil
}

var dnsDomain = regexp.MustCompile(`^([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)

// checkNetworkDomain wants a DNS domain, or none.
func checkNetworkDomain(name string) error {
	if name != "" && (!dnsDomain.MatchString(name) || len(name) > 190) {
		return fault.Invalidf("networkdomain %q is not a DNS domain like guests.example.com, of at most 190 characters", name)
	}
	return nil
}

// chosen refuses an id that the caller may not choose, or that something in the table has, or has had.
func chosen[ID ~string](ctx context.Context, q db.Tx, parameter, table string, id ID) error {
	if id == "" {
		return nil
	}
	if !auth.From(ctx).IsRoot() {
		return fault.Deniedf("only root admins may choose an ID: leave out %s", parameter)
	}
	taken, err := hasID(ctx, q, table, string(id))
	if err == nil && taken {
		err = fault.Conflictf("%s %s is in use already, or has been: choose another, or leave it out", parameter, id)
	}
	return err
}
