package front

import (
	"context"
	"net/http"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// The cookies of a session. Both are needed: the first says which session it is, the second carries the session key for
// clients that never read the answer of login (cloudmonkey) or only keep cookies.
const (
	sessionCookie = "JSESSIONID"
	keyCookie     = "sessionkey"
	cookiePath    = "/client"
)

// bySession establishes the caller by the session that the request's cookie names, and tells whether there is one. Without a
// cookie, or when the session has ended and the request is signed, there is none and no error.
//
// A request of a session proves that it comes from a page of ours by the session key, which pages of other sites can't know:
// as the parameter sessionkey it is enough for everything. As a cookie the browser would send it along whoever asks, so it is
// enough for commands that change nothing, and for others only by POST and when the browser doesn't say that the request
// comes from another site. (The cookies are SameSite=Strict too; this is for browsers and proxies that are not careful.)
func (c *call) bySession(ctx context.Context, endpoint *api.Endpoint) (bool, error) {
	id := cookie(c.r, sessionCookie)
	if id.IsEmpty() {
		return false, nil
	}
	fromParam := secret.New(c.params["sessionkey"])
	fromCookie := cookie(c.r, keyCookie)
	key := fromParam
	if key.IsEmpty() {
		key = fromCookie
	} else if !fromCookie.IsEmpty() && !fromCookie.Equal(fromParam) {
		return false, c.endSession(ctx, id, "the session keys of cookie and parameter differ")
	}
	user, waiting, err := c.front.sessions.Look(ctx, id, key)
	switch {
	case fault.Is(err, fault.Unauthenticated) && c.isSigned():
		return false, nil
	case fault.Is(err, fault.Unauthenticated):
		return false, unauthorized(textNoSession, "no such session, or not its session key")
	case err != nil:
		return false, err
	case key.IsEmpty():
		// The session goes on: a link on another site shall not be able to end it.
		return false, unauthorized(textNoSession, "a session without its session key")
	}
	caller, _, err := c.front.accounts.ByUser(ctx, user)
	switch {
	case fault.Is(err, fault.Unauthenticated):
		return false, c.endSession(ctx, id, "the session's user may not act any more")
	case err != nil:
		return false, err
	}
	c.caller, c.session = caller, auth.SignedIn{Cookie: id, Waiting: waiting}
	if waiting && !c.provesFactor() {
		return true, errUnproved
	}
	if fromParam.IsEmpty() && endpoint != nil && changes(endpoint.Description) {
		return true, sameSite(c.r)
	}
	return true, nil
}

// provesFactor tells whether the command is one of those with which a session that waits for the second factor gives it, or sets it
// up. They are open to every role: without them nobody could sign in.
func (c *call) provesFactor() bool {
	switch c.command {
	case cs.ValidateTwoFactor.Name, cs.SetUpTwoFactor.Name, cs.ListTwoFactorProviders.Name:
		return true
	}
	return false
}

func (c *call) isSigned() bool {
	_, ok := fold(c.params, "signature")
	return ok
}

func (c *call) endSession(ctx context.Context, id secret.String, reason string) error {
	if err := c.front.sessions.Close(ctx, id); err != nil {
		return err
	}
	return unauthorized(textNoSession, reason)
}

// changes tells whether a command may change anything. Commands that show things begin with one of CloudStack's words for it.
func changes(d *api.Description) bool {
	if d.Kind == api.KindJob || d.Creates {
		return true
	}
	for _, word := range []string{"list", "get", "query", "search", "find"} {
		if strings.HasPrefix(d.Name, word) {
			return false
		}
	}
	return true
}

// sameSite refuses requests that a page of another site could have made a browser send.
func sameSite(r *http.Request) error {
	var protection http.CrossOriginProtection
	if r.Method != http.MethodPost {
		return unauthorized("a command that changes something needs the parameter sessionkey, or POST", "a change by GET with cookies only")
	}
	if err := protection.Check(r); err != nil {
		return unauthorized(textNoSession, "a request from another site")
	}
	return nil
}

// setCookie sets one of the session's cookies, or expires it when there is no value. Strict costs users nothing: the console
// asks with requests of its own, whatever link led to it.
func (c *call) setCookie(name string, value secret.String) {
	age := 0
	if value.IsEmpty() {
		age = -1
	}
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure under TLS; virga dev speaks plain HTTP on loopback
		Name: name, Value: value.Reveal(), Path: cookiePath, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: c.r.TLS != nil || c.front.options.SecureCookies,
	})
}
