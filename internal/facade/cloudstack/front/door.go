package front

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// Door is a command by which somebody comes in, or goes, other than by login and logout. It lives outside the mux, as those do.
type Door struct {
	Command api.Command
	Cookie  string // the cookie by which a browser is known again on its way in
	// Page refuses all but POST from pages of the same site.
	Page bool
	// Inside is for who is signed in.
	Inside bool
	// Tries tells whether a request tries to come in: those from an address at which too many failed are refused, and they stand in
	// the audit log. nil: none does.
	Tries func(Visit) bool
	Visit func(context.Context, Visit) (Outcome, error)
}

// Visit is a request at a door.
type Visit struct {
	Params  api.Params
	Post    bool
	Cookie  secret.String // the door's
	Session secret.String // the cookie of the session that the browser has already
}

// Outcome is what comes of a visit: who comes in, or goes, and what is answered.
type Outcome struct {
	Enter    *account.Entry
	Leave    bool
	Redirect string         // where a browser is sent; "" for an answer
	Answer   any            // of the type that the command declares; nil for LoginOut
	Cookie   *secret.String // what the door's cookie becomes; an empty one ends
}

// notLetIn is the status of who is not who it says it is.
const notLetIn = 531

// errDoor is a visitor who is not let in, whatever the reason: that stands in the log.
func errDoor(reason error) error {
	return &refusal{
		code: code{http: notLetIn}, reason: reason.Error(),
		text: "failed to authenticate user: start again, and if that doesn't help ask an administrator whether you may sign in this way",
	}
}

// enter serves a request at a door.
func (c *call) enter(d Door) {
	ctx := c.r.Context()
	v := Visit{Params: c.params, Post: c.r.Method == http.MethodPost, Cookie: cookie(c.r, d.Cookie), Session: cookie(c.r, sessionCookie)}
	tries := d.Tries != nil && d.Tries(v)
	if tries {
		ctx = c.audit(ctx, nil)
	}
	answer, err := c.visit(ctx, d, v, tries)
	if refused, ok := errors.AsType[*refusal](err); err == nil && answer.Enter == nil || err != nil && (!ok || refused.http != notLetIn) {
		c.audited = nil // who goes stands there by its event; more would be anybody's to write, as often as it likes
	}
	c.acting = auth.With(ctx, c.caller)
	c.settle(err)
	switch {
	case err != nil:
		c.fail(err)
	case answer.Redirect != "":
		c.status, c.begun = http.StatusSeeOther, true
		http.Redirect(c.w, c.r, answer.Redirect, http.StatusSeeOther)
	default:
		c.answer(api.AnswerOf(d.Command, answer.Answer, RoleOf(c.caller)))
	}
}

func (c *call) visit(ctx context.Context, d Door, v Visit, tries bool) (out Outcome, err error) {
	f := c.front
	if d.Page {
		if err := sameSite(c.r); err != nil {
			return out, err
		}
	}
	if d.Inside {
		if ctx, err = c.inside(ctx); err != nil {
			return out, err
		}
	}
	settle := func() {}
	if tries {
		forgive, wait := f.logins.begin(c.remote(), f.db.Now())
		if wait > 0 {
			return out, tooMany(wait, "too many failed logins from your address")
		}
		settle = forgive
	}
	out, err = d.Visit(ctx, v)
	if err == nil && out.Enter != nil {
		err = c.letIn(ctx, v, &out)
	}
	if tries && fault.Is(err, fault.Unauthenticated) {
		return out, errDoor(err)
	}
	settle()
	if err == nil && out.Leave {
		err = c.letOut(ctx, v.Session)
	}
	if err == nil && out.Cookie != nil {
		c.setDoorCookie(d.Cookie, *out.Cookie)
	}
	return out, err
}

// inside establishes who is signed in. By its cookies alone nobody changes anything for it from another site.
func (c *call) inside(ctx context.Context) (context.Context, error) {
	found, err := c.bySession(ctx, nil)
	switch {
	case err == nil && !found:
		err = unauthorized(textNoSession, "no session")
	case err == nil && c.params["sessionkey"] == "":
		err = sameSite(c.r)
	}
	if err == nil {
		err = c.admit(ctx)
	}
	return auth.WithSession(auth.With(ctx, c.caller), c.session), err
}

// letIn opens the session. One that the browser had is ended first, as login does.
func (c *call) letIn(ctx context.Context, v Visit, out *Outcome) error {
	e, err := c.front.accounts.Enter(ctx, *out.Enter)
	if err != nil {
		return err
	}
	if !v.Session.IsEmpty() {
		if err := c.front.sessions.Close(ctx, v.Session); err != nil {
			return err
		}
	}
	login := c.welcome(e)
	if out.Answer == nil {
		out.Answer = login
	}
	return nil
}

func (c *call) letOut(ctx context.Context, session secret.String) error {
	if !session.IsEmpty() {
		if err := c.front.accounts.Logout(ctx, session); err != nil {
			return err
		}
	}
	c.setCookie(sessionCookie, secret.String{})
	c.setCookie(keyCookie, secret.String{})
	return nil
}

// doorTime is how long a browser has for its way in.
const doorTime = 600

// setDoorCookie is [call.setCookie] for a cookie that must come along when another site sends the browser back here.
func (c *call) setDoorCookie(name string, value secret.String) {
	age := doorTime
	if value.IsEmpty() {
		age = -1
	}
	http.SetCookie(c.w, &http.Cookie{ //nolint:gosec // Secure under TLS; virga dev speaks plain HTTP on loopback
		Name: name, Value: value.Reveal(), Path: cookiePath, MaxAge: age,
		HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: c.r.TLS != nil || c.front.options.SecureCookies,
	})
}

// doorTo finds the door of a command, whatever the case of its letters, as those of login and logout.
func (f *Front) doorTo(command string) (Door, bool) {
	d, ok := f.doors[strings.ToLower(command)]
	return d, ok
}
