package front

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/uid"
)

// requestID is the header by which an answer and its line in the log find each other.
const requestID = "X-Request-ID"

// dressed gives every answer its id and the headers that keep browsers from making anything of it but what it is.
func dressed(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set(requestID, uid.New[string]())
		header.Set("Cache-Control", "no-store")
		header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
		header.Set("Referrer-Policy", "no-referrer")
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("X-Frame-Options", "DENY")
		h.ServeHTTP(w, r)
	})
}

// api answers one request of the API, whatever becomes of it, and tells log and metrics.
func (f *Front) api(w http.ResponseWriter, r *http.Request, trusted bool) {
	begun := f.db.Now()
	c := &call{front: f, w: w, r: r, id: w.Header().Get(requestID), command: unknown, trusted: trusted}
	f.metrics.inFlight.Inc()
	defer func() {
		aborted := c.recovered(recover())
		took := max(f.db.Now().Sub(begun), 0)
		f.metrics.inFlight.Dec()
		f.metrics.observe(c.command, c.err != nil, took)
		c.record(took)
		if aborted {
			panic(http.ErrAbortHandler)
		}
	}()
	c.serve()
}

// recovered makes a panic an internal error, and tells whether the connection has to be cut because an answer had begun.
func (c *call) recovered(panicked any) (aborted bool) {
	if panicked == nil {
		return false
	}
	if err, ok := panicked.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		return true
	}
	c.front.log.Error("a request panicked", "request", c.id, "command", c.command, "panic", fmt.Sprint(panicked), "stack", string(debug.Stack()))
	c.settle(fault.New(fault.Internal, "panic"))
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
		slog.String("remote", c.remote()),
	}
	switch gone := c.r.Context().Err() != nil; {
	case c.err != nil && c.status == codes[fault.Internal].http && !gone:
		level = slog.LevelError
		attrs = append(attrs, slog.Any("causes", causes(c.err)))
	case c.err != nil:
		attrs = append(attrs, slog.String("error", c.err.Error()), slog.Bool("gone", gone))
	}
	// The request's own context may have ended, which is nothing to the log.
	c.front.log.LogAttrs(context.WithoutCancel(c.r.Context()), level, "API request", attrs...)
}
