package front

import (
	"context"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/fault"
)

// audit marks a call that may change something, so that what it does and whether it was refused is recorded. endpoint is nil for login,
// logout and doors. Who is nobody leaves no record but by login: anybody could fill the log. Those stand in the server's log.
func (c *call) audit(ctx context.Context, endpoint *api.Endpoint) context.Context {
	named := ""
	_, isDoor := c.front.doorTo(c.command)
	switch {
	case endpoint == nil && c.command != cs.Login.Name && c.command != cs.Logout.Name && !isDoor:
		return ctx
	case endpoint != nil && (c.caller.IsNobody() || !changes(endpoint.Description)):
		return ctx
	case endpoint != nil:
		named = c.named(endpoint.Description)
	}
	remote, _, err := net.SplitHostPort(c.remote())
	if err != nil {
		remote = c.remote()
	}
	c.audited = &audit.Call{Command: c.command, Remote: remote, Request: c.id, Named: named}
	c.acting = audit.With(ctx, c.audited)
	return c.acting
}

// maxNamed is how much of what a request names is recorded.
const maxNamed = 1000

// named are the things that the request names by their ids. No other value is recorded: it might be secret.
func (c *call) named(d *api.Description) string {
	var out []string
	for _, p := range d.Params() {
		for given, value := range c.params {
			if p.Of != "" && !p.Secret && strings.EqualFold(given, p.Name) && isIDs(value) {
				out = append(out, p.Name+"="+value)
			}
		}
	}
	slices.Sort(out)
	text := strings.Join(out, " ")
	return text[:min(len(text), maxNamed)]
}

// isIDs tells whether a text holds nothing but ids.
func isIDs(text string) bool {
	return text != "" && !strings.ContainsFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'f') && (r < 'A' || r > 'F') && r != '-' && r != ','
	})
}

// settle records what came of the call, if it is one to be recorded and its transaction has not done so.
func (c *call) settle(err error) {
	if c.audited == nil {
		return
	}
	call := c.audited
	c.audited = nil
	if r, ok := errors.AsType[*refusal](err); ok && r.http == http.StatusTooManyRequests {
		return // it could be repeated for ever
	}
	if writing := call.Settle(c.acting, c.front.db, reason(err)); writing != nil {
		c.front.log.Error("a call is not in the audit log", "request", c.id, "command", c.command, "error", writing)
	}
}

// reason gives what the front refuses by itself a kind.
func reason(err error) error {
	if r, ok := errors.AsType[*refusal](err); ok {
		switch r.http {
		case unsupported:
			return fault.New(fault.Denied, "%s", r.text)
		case http.StatusUnauthorized, notLetIn:
			return fault.New(fault.Unauthenticated, "%s", r.text)
		}
		return fault.New(fault.Invalid, "%s", r.text)
	}
	if _, ok := errors.AsType[*api.Error](err); ok {
		return fault.New(fault.Invalid, "")
	}
	return err
}
