package remote

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"maps"

	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// entry is a call as an agent makes it: from a message to a message.
type entry func(ctx context.Context, d hypervisor.Driver, host uid.Host, body []byte) (any, error)

func at[In, Out any](c call[In, Out]) entry {
	return func(ctx context.Context, d hypervisor.Driver, host uid.Host, body []byte) (any, error) {
		var in In
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, fault.Invalidf("a %s that can't be read: %v", c.verb, err)
		}
		return c.do(ctx, d, host, in)
	}
}

// Serve answers what servers ask of a host, with its driver, for as long as the connection lives.
func Serve(c *bus.Conn, host uid.Host, d hypervisor.Driver, log *slog.Logger) error {
	calls := (&screens{open: map[string]*screen{}}).calls()
	maps.Copy(calls, table)
	return c.Serve(string(host), func(ctx context.Context, verb string, body []byte) []byte {
		out, err := json.Marshal(calls.answered(ctx, request{verb, body}, host, d, log))
		if err != nil { // of results that all can be written
			log.Error("an answer can't be written", "verb", verb, "error", err)
		}
		return out
	})
}

// calls are what is answered, by verb.
type calls map[string]entry

type request struct {
	verb string
	body []byte
}

func (c calls) answered(ctx context.Context, r request, host uid.Host, d hypervisor.Driver, log *slog.Logger) answer {
	do, known := c[r.verb]
	if !known {
		return failed(fault.Conflictf("the agent of host %s is too old to know %q: update it", host, r.verb))
	}
	out, err := do(ctx, d, host, r.body)
	if err != nil {
		if fault.Is(err, fault.Internal) {
			log.Error("a call failed", "verb", r.verb, "error", err)
		}
		return failed(err)
	}
	result, err := json.Marshal(out)
	if err != nil {
		return failed(err)
	}
	return answer{Result: result}
}

func failed(err error) answer {
	f := failure{Kind: fault.KindOf(err), Text: err.Error()}
	if known, ok := errors.AsType[*fault.Error](err); ok {
		f.Detail = known.Detail
	}
	if errors.Is(err, context.Canceled) { // the agent is going down: another may come
		f.Kind = fault.Unavailable
	}
	return answer{Fault: &f}
}
