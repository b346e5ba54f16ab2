package front

import (
	"bufio"
	"errors"
	"net/http"
	"strconv"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/setting"
)

// heldBack is how much of an answer is made before any of it is sent: a mistake that shows up while it is written, in the
// first object of a list as a rule, can still become an error.
const heldBack = 64 << 10

// answer writes what a command has to say.
func (c *call) answer(a api.Answer) {
	c.w.Header().Set("Content-Type", c.contentType())
	out := bufio.NewWriterSize(sender{c}, heldBack)
	err := c.format.Write(out, a, cs.Version)
	switch {
	case err == nil:
		c.status = http.StatusOK
		c.err = out.Flush()
	case !c.begun:
		c.fail(err)
	default:
		// Half of it is out, as a success. Cutting the connection is all that is left to tell the client.
		c.err = err
		panic(http.ErrAbortHandler)
	}
}

// contentType is what an answer says that it is.
func (c *call) contentType() string {
	if c.format == api.JSON {
		return setting.JSONContentType.Of(c.front.settings)
	}
	return c.format.ContentType()
}

// fail writes an error in the format that the caller asked for, in the command's envelope if there is such a command and the
// error doesn't deny just that. (Login and logout have none.)
func (c *call) fail(err error) {
	what, text := failure(err, c.caller.IsRoot(), "request "+c.id)
	e := api.Failure{Envelope: api.ErrorEnvelope, Code: what.http, CSCode: what.exception, Text: text}
	if _, found := c.front.mux.Find(c.command); found && what.http != unsupported {
		e.Envelope = api.Envelope(c.command)
	}
	c.status, c.err, c.begun = what.http, err, true
	if what.exception != 0 {
		c.w.Header().Set("X-Description", headerText(text))
	}
	if r, ok := errors.AsType[*refusal](err); ok && r.wait > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(seconds(r.wait)))
	}
	c.w.Header().Set("Content-Type", c.contentType())
	c.w.WriteHeader(what.http)
	_ = c.format.WriteError(c.w, e, cs.Version) // a client that has gone is nobody to tell
}

// sender notes when the first of an answer is sent.
type sender struct{ call *call }

func (s sender) Write(p []byte) (int, error) {
	s.call.begun = true
	return s.call.w.Write(p)
}
