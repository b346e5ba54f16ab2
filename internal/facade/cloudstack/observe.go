package cloudstack

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// api answers one request of the API, whatever becomes of it, and tells log and metrics.
func (f *Facade) api(w http.ResponseWriter, r *http.Request, trusted bool) {
	begun := f.DB.Now()
	c := &call{facade: f, w: w, r: r, id: uid.New[string](), command: unknown, trusted: trusted}
	w.Header().Set("X-Request-Id", c.id)
	closeToBrowsers(w.Header())
	f.metrics.inFlight.Inc()
	defer func() {
		aborted := c.recovered(recover())
		took := max(f.DB.Now().Sub(begun), 0)
		f.metrics.inFlight.Dec()
		f.metrics.observe(c.command, c.err != nil, took)
		c.record(took)
		if aborted {
			panic(http.ErrAbortHandler)
		}
	}()
	c.serve()
}

// closeToBrowsers keeps browsers from making anything of an answer but what it is.
func closeToBrowsers(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
}

// recovered makes a panic an internal error, and tells whether the connection has to be cut because an answer had begun.
func (c *call) recovered(panicked any) (aborted bool) {
	switch {
	case panicked == nil:
		return false
	case panicked == http.ErrAbortHandler:
		return true
	}
	c.facade.log.Error("a request panicked", "request", c.id, "command", c.command, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
	if c.begun {
		return true
	}
	c.fail(fmt.Errorf("panic: %v", panicked))
	return false
}

// record writes the request's line in the log: names and numbers of ours, nothing of what was sent.
func (c *call) record(took time.Duration) {
	level := slog.LevelInfo
	attrs := []slog.Attr{
		slog.String("request", c.id), slog.String("command", c.command), slog.String("user", c.caller.Username),
		slog.String("account", string(c.caller.Account)), slog.Int("status", c.status), slog.Duration("took", took),
		slog.String("remote", c.r.RemoteAddr),
	}
	switch gone := c.r.Context().Err() != nil; {
	case c.err != nil && c.status == codes[fault.Internal].http && !gone:
		level = slog.LevelError
		attrs = append(attrs, slog.Any("causes", causes(c.err)))
	case c.err != nil:
		attrs = append(attrs, slog.String("error", c.err.Error()), slog.Bool("gone", gone))
	}
	// The request's own context may have ended, which is nothing to the log.
	c.facade.log.LogAttrs(context.WithoutCancel(c.r.Context()), level, "API request", attrs...)
}
