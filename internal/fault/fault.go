// Package fault is the house's error with a kind. A service says what went wrong in words for the user and of which kind
// it is; each facade turns the kind into its own code and format. An error without a kind is a defect of ours: users see
// "internal error" and a request id, the log sees the text.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind classifies an error by what the caller can do about it.
type Kind string

// The kinds.
const (
	Internal        Kind = "internal"        // a defect or an accident of ours
	Invalid         Kind = "invalid"         // the request is wrong; sending it again is useless
	NotFound        Kind = "not found"       // a named thing is not there, or is not the caller's to see
	Unauthenticated Kind = "unauthenticated" // who calls could not be established
	Denied          Kind = "denied"          // the caller may not do this
	Conflict        Kind = "conflict"        // the thing is in a state, or in a use, that forbids it
	Limit           Kind = "limit"           // an account's, domain's or project's limit
	Full            Kind = "full"            // no capacity: host, storage, addresses
	Unavailable     Kind = "unavailable"     // a host or an outside service is not there now
	Busy            Kind = "busy"            // too many requests; come again
)

// Error is an error for a user.
type Error struct {
	Kind Kind
	// Text is for any caller: what was wrong, which value, what would be right.
	Text string
	// Detail is for root admins only (the reason per host, for instance); it may be empty.
	Detail string
	// Cause is for the log only; it may be nil.
	Cause error
}

// Error is the text for any caller.
func (e *Error) Error() string { return e.Text }

// Unwrap is the cause.
func (e *Error) Unwrap() error { return e.Cause }

// New makes an error of a kind.
func New(kind Kind, format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Kind: kind, Text: err.Error(), Cause: errors.Unwrap(err)}
}

// WithDetail adds what only a root admin is shown.
func (e *Error) WithDetail(format string, args ...any) *Error {
	e.Detail = fmt.Sprintf(format, args...)
	return e
}

// Invalidf and its kin make an error of one kind.
func Invalidf(format string, args ...any) *Error     { return New(Invalid, format, args...) }
func NotFoundf(format string, args ...any) *Error    { return New(NotFound, format, args...) }
func Deniedf(format string, args ...any) *Error      { return New(Denied, format, args...) }
func Conflictf(format string, args ...any) *Error    { return New(Conflict, format, args...) }
func Limitf(format string, args ...any) *Error       { return New(Limit, format, args...) }
func Fullf(format string, args ...any) *Error        { return New(Full, format, args...) }
func Unavailablef(format string, args ...any) *Error { return New(Unavailable, format, args...) }
func Busyf(format string, args ...any) *Error        { return New(Busy, format, args...) }

// KindOf is the kind of the outermost fault in err's chain, Internal where there is none.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is tells whether err is a fault of that kind.
func Is(err error, kind Kind) bool { return err != nil && KindOf(err) == kind }

// Missing gives NotFound for a thing, without saying whether it is absent or another tenant's.
func Missing(thing interface {
	Kind() string
	String() string
}) *Error {
	return NotFoundf("no %s with id %s, or you may not see it", thing.Kind(), thing.String())
}

// Count says how many there are of a thing: "1 network", "2 ranges of addresses".
func Count[N int | int64](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	head, rest := thing, ""
	for _, joint := range []string{" of ", " with "} {
		if i := strings.Index(head, joint); i >= 0 {
			head, rest = head[:i], head[i:]+rest
		}
	}
	ending := "s"
	if strings.HasSuffix(head, "s") {
		ending = "es"
	}
	return fmt.Sprintf("%d %s%s%s", n, head, ending, rest)
}
