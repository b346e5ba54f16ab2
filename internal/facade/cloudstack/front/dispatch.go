package front

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/db"
)

// call is one request at work.
type call struct {
	front   *Front
	w       http.ResponseWriter
	r       *http.Request
	id      string // of the request, in X-Request-ID and in the log
	params  api.Params
	format  api.Format
	command string // the name of a command that exists, or "unknown": what comes from outside goes into no label and no log
	caller  auth.Caller
	trusted bool // the integration port
	session auth.SignedIn
	audited *audit.Call     // nil for what changes nothing
	acting  context.Context // who calls, for the audit

	status int
	begun  bool // something of the answer is sent
	err    error
}

// RoleOf is the bit of a caller's type in the roles of commands: which parameters and fields are there for it. Which commands it may
// use says the role of its account.
func RoleOf(c auth.Caller) api.Role {
	if c.IsNobody() {
		return api.NoOne
	}
	switch c.Type {
	case auth.RootAdmin:
		return api.RootAdmin
	case auth.ResourceAdmin:
		return api.ResourceAdmin
	case auth.DomainAdmin:
		return api.DomainAdmin
	case auth.User:
		return api.User
	case auth.Project: // nobody signs in to one
	}
	return api.NoOne
}

// serve answers one request. The order of the checks is CloudStack's: logout and login need no caller; a session goes before
// a signature; and whether the role may use the command is asked before the signature is compared.
func (c *call) serve() {
	params, err := readParams(c.w, c.r, !c.trusted)
	c.params, c.format = params, api.FormatOf(params["response"])
	name := params["command"]
	endpoint, found := c.front.mux.Find(name)
	door, isDoor := c.front.doorTo(name)
	if found {
		c.command = name
	}
	switch {
	case err != nil:
		c.fail(err)
	case c.r.Method != http.MethodGet && c.r.Method != http.MethodPost:
		c.w.Header().Set("Allow", "GET, POST")
		c.fail(refuse(http.StatusMethodNotAllowed, "only GET and POST"))
	case strings.EqualFold(name, cs.Logout.Name) && !c.trusted:
		c.command = cs.Logout.Name
		c.logout()
	case strings.EqualFold(name, cs.Login.Name) && !c.trusted:
		c.command = cs.Login.Name
		c.login()
	case isDoor && !c.trusted:
		c.command = api.NameOf(door.Command)
		c.enter(door)
	default:
		c.run(name, endpoint)
	}
}

// mayUse asks the caller's role whether it may use a command. The house itself may use any.
func (c *call) mayUse(ctx context.Context, endpoint *api.Endpoint) (bool, error) {
	if c.trusted || endpoint.Open || c.session.Waiting && c.provesFactor() {
		return true, nil
	}
	return c.front.roles.Allows(ctx, c.caller, endpoint.Name)
}

// run finds the caller and invokes the command, whose endpoint is nil where there is no such command.
func (c *call) run(name string, endpoint *api.Endpoint) {
	ctx, err := c.identify(c.withBase(c.r.Context()), endpoint)
	if err == nil {
		if err := c.admit(ctx); err != nil { // and leaves no record: it could be repeated for ever
			c.fail(err)
			return
		}
	}
	ctx = c.audit(ctx, endpoint)
	var answer api.Answer
	if err == nil {
		answer, err = c.obey(ctx, name, endpoint)
	}
	c.settle(err)
	if err != nil {
		c.fail(err)
		return
	}
	c.answer(answer)
}

// admit counts the request of a caller that is known for sure, and refuses it where its account has had too many.
func (c *call) admit(ctx context.Context) error {
	if c.trusted {
		return nil
	}
	wait, err := c.front.limits.Admit(ctx, c.caller)
	if err == nil && wait > 0 {
		err = tooMany(wait, "your account has sent as many requests as it may (api.throttling.max)")
	}
	return err
}

// obey does what the caller asks, if the role allows it.
func (c *call) obey(ctx context.Context, name string, endpoint *api.Endpoint) (none api.Answer, _ error) {
	switch {
	case name == "":
		return none, refuse(http.StatusBadRequest, textNoCommand)
	case endpoint == nil:
		return none, UnknownCommand(name)
	}
	ok, err := c.mayUse(ctx, endpoint)
	switch {
	case err != nil:
		return none, err
	case !ok:
		return none, UnknownCommand(name)
	case endpoint.Kind == api.KindList && !endpoint.Creates:
		ctx = db.Remembering(ctx)
	}
	return c.invoke(ctx, endpoint)
}

// identify establishes the caller: the house itself, a session's user, or a key's.
func (c *call) identify(ctx context.Context, endpoint *api.Endpoint) (context.Context, error) {
	if c.trusted {
		c.caller = auth.System()
		return auth.With(ctx, c.caller), nil
	}
	found, err := c.bySession(ctx, endpoint)
	if err == nil && !found {
		err = c.bySignature(ctx, endpoint)
	}
	if r, refused := errors.AsType[*refusal](err); refused && r.http == http.StatusUnauthorized && endpoint != nil && endpoint.Open && !c.isSigned() {
		c.caller, c.session, err = auth.Caller{}, auth.SignedIn{}, nil // nobody, who may use it, too
	}
	if err == nil && endpoint != nil {
		c.caller, err = c.front.projects.Reach(ctx, c.caller, endpoint.Name)
	}
	return auth.WithSession(auth.With(ctx, c.caller), c.session), err
}
