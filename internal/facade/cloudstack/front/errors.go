package front

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/fault"
)

// code is how the API names an error: the error code, which is the HTTP status, too, and CloudStack's number of the
// exception it would have thrown, 0 for none.
type code struct{ http, exception int }

// serverAPIException is the exception of what the API itself refuses.
const serverAPIException = 9999

// unsupported is the code of a command that there isn't, at least not for this caller.
const unsupported = 432

// codes is what the kinds of faults are on the wire, all in one place. CloudStack says 431 to a thing in the wrong state and
// to a name that is taken, and clients and their tests expect it; the exception (resource in use) tells such a conflict from a
// request that is wrong in itself. A limit is 532, which CloudStack's account limits have had from the beginning.
var codes = map[fault.Kind]code{
	fault.Invalid:         {431, 4350},                        // InvalidParameterValueException
	fault.NotFound:        {431, 4350},                        // the same: an id that names nothing
	fault.Conflict:        {431, 4375},                        // ResourceInUseException
	fault.Denied:          {531, 4365},                        // PermissionDeniedException
	fault.Limit:           {532, 4280},                        // AccountLimitException
	fault.Full:            {533, 4325},                        // InsufficientCapacityException
	fault.Unavailable:     {534, 4380},                        // ResourceUnavailableException
	fault.Busy:            {http.StatusTooManyRequests, 4545}, // RequestLimitException
	fault.Unauthenticated: {http.StatusUnauthorized, 0},
	fault.Internal:        {530, 4250}, // CloudRuntimeException
}

// The texts that clients know.
const (
	textNoSession   = "unable to verify user credentials"
	textNoSignature = "unable to verify user credentials and/or request signature"
	textNoCommand   = "no command specified"
	textInternal    = "Internal error executing command, please contact your system administrator"
)

// refusal is an error that the front finds itself, before there is a command to ask.
type refusal struct {
	code
	text string
	// reason is for the log only.
	reason string
	// wait is for how long the caller should stay away; 0: the error doesn't pass by itself.
	wait time.Duration
}

func (r *refusal) Error() string { return cmp.Or(r.reason, r.text) }

func refuse(status int, text string) *refusal { return &refusal{code: code{http: status}, text: text} }

func unauthorized(text, reason string) *refusal {
	return &refusal{code: code{http: http.StatusUnauthorized}, text: text, reason: reason}
}

// unproved is the code of a second factor that is wrong, or missing.
const unproved = 511

// errUnproved is a session that waits for the second factor and wants something else.
var errUnproved = &refusal{
	code: code{unproved, serverAPIException},
	text: "give the second factor first, with validateUserTwoFactorAuthenticationCode; where there is none yet, begin one with " +
		"setupUserTwoFactorAuthentication",
}

// Unproved gives the refusal of a second factor the code that clients know for it.
func Unproved(err error) error {
	if !fault.Is(err, fault.Denied) {
		return err
	}
	return &refusal{code: code{unproved, serverAPIException}, text: err.Error()}
}

// tooMany refuses who asks too often, for a while.
func tooMany(wait time.Duration, text string) *refusal {
	return &refusal{code: codes[fault.Busy], wait: wait, text: fmt.Sprintf("%s: try again in %d s", text, seconds(wait))}
}

// seconds rounds up: who comes back then is not too early.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// UnknownCommand is what a command that doesn't exist and one that is not for the caller's role have in common: nobody learns
// which of the two it is.
func UnknownCommand(name string) error {
	return &refusal{
		code:   code{unsupported, serverAPIException},
		text:   "The given command:" + shortened(printable(name), 100) + " does not exist or it is not available for user",
		reason: "no such command, or not for this role",
	}
}

// Failure is the code and the text of an error as a caller may see it, for answers that carry an error of the past. what names
// what the log tells more about: "job" and its id.
func Failure(err error, root bool, what string) (code int, text string) {
	c, text := failure(err, root, what)
	return c.http, text
}

// failure is an error as a caller may see it. what names the request, or the job, that the log tells more about.
func failure(err error, root bool, what string) (code, string) {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r.code, r.text
	}
	if e, ok := errors.AsType[*api.Error](err); ok {
		return code{e.Code, serverAPIException}, e.Text
	}
	f, known := errors.AsType[*fault.Error](err)
	kind := fault.KindOf(err)
	c, ok := codes[kind]
	if !ok {
		kind, c = fault.Internal, codes[fault.Internal]
	}
	switch {
	case !root && kind == fault.Internal:
		return c, textInternal + " (" + what + ")"
	case !known:
		return c, fmt.Sprintf("internal error: %v (%s)", err, what)
	case root && f.Detail != "":
		return c, f.Text + ": " + f.Detail
	}
	return c, f.Text
}

// causes are the texts of an error and of what caused it, each once, for the log.
func causes(err error) []string {
	var out []string
	for ; err != nil; err = errors.Unwrap(err) {
		if text := fmt.Sprintf("%T: %v", err, err); len(out) < 10 {
			out = append(out, text)
		}
	}
	return out
}
