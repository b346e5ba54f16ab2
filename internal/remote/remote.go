package remote

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/virga-cloud/virga/api"
)

// Cloud is a cloud that commands are sent to. It may be used by many at once if its Send may.
type Cloud struct {
	Send api.Sender
	Now  func() time.Time
	Look func() // called after each look at a job that is still at work; may be nil
}

// pageSize is what CloudStack gives at most unless it was told otherwise.
const pageSize = 500

// Page sends a list command, and gives the things in the answer and how many there are in all.
func (c Cloud) Page(ctx context.Context, command string, params api.Params) (items []json.RawMessage, count int, err error) {
	raw, err := c.Send(ctx, command, params)
	if err != nil {
		return nil, 0, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, 0, fmt.Errorf("%s: the answer is no list: %w", command, err)
	}
	for name, value := range fields {
		switch trimmed := bytes.TrimSpace(value); {
		case name == "count":
			count, _ = strconv.Atoi(string(trimmed)) // where it can't be read, it is what came
		case len(trimmed) > 0 && trimmed[0] == '[':
			if err := json.Unmarshal(trimmed, &items); err != nil {
				return nil, 0, fmt.Errorf("%s: %w", command, err)
			}
		case len(trimmed) > 0 && trimmed[0] == '{': // listCapabilities has one thing, and no list round it
			items = append(items, value)
		}
	}
	return items, max(count, len(items)), nil
}

// All gives everything that a list command has, page by page.
func (c Cloud) All(ctx context.Context, command string, params api.Params) (items []json.RawMessage, err error) {
	in := maps.Clone(params)
	if in == nil {
		in = api.Params{}
	}
	in["pagesize"] = strconv.Itoa(pageSize)
	for page := 1; ; page++ {
		in["page"] = strconv.Itoa(page)
		got, count, err := c.Page(ctx, command, in)
		if refused, ok := errors.AsType[*api.RemoteError](err); ok && page == 1 && refused.HTTPStatus != http.StatusUnauthorized {
			// Maybe the page is too large for it: then it is as large as this cloud likes.
			if got, count, err = c.Page(ctx, command, params); err == nil && len(got) > 0 && len(got) < count {
				in["pagesize"] = strconv.Itoa(len(got))
			}
		}
		if err != nil {
			return nil, err
		}
		items = append(items, got...)
		if len(got) == 0 || len(items) >= count {
			return items, nil
		}
	}
}

// List gives everything that a list command has, as values of a type. Fields of other types than the wire's are refused.
func List[T any](ctx context.Context, c Cloud, command string, params api.Params) ([]T, error) {
	raw, err := c.All(ctx, command, params)
	if err != nil {
		return nil, err
	}
	items := make([]T, len(raw))
	for i := range raw {
		if err := json.Unmarshal(raw[i], &items[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
	}
	return items, nil
}

// The pauses between two looks at a job: a tenth of the time it has taken so far, so that its end is seen in good time however
// long it takes.
const (
	firstPause = 2 * time.Millisecond
	lastPause  = time.Second
	pausePart  = 10
)

// Started is a command that was taken, and its job, "" where there was nothing to wait for.
type Started struct {
	ID, Job string
	Answer  json.RawMessage
}

// Start sends a command and waits for nothing.
func (c Cloud) Start(ctx context.Context, command string, params api.Params) (Started, error) {
	raw, err := c.Send(ctx, command, params)
	if err != nil {
		return Started{}, err
	}
	var s struct{ ID, JobID json.RawMessage }
	if json.Unmarshal(raw, &s) != nil {
		return Started{Answer: raw}, nil //nolint:nilerr // it is an answer of another kind
	}
	return Started{ID: word(s.ID), Job: word(s.JobID), Answer: raw}, nil
}

// word is an id: very old clouds have numbers.
func word(raw json.RawMessage) string { return string(bytes.Trim(raw, `"`)) }

// Wait waits until a job is done and gives its result. A job that fails gives an [*api.RemoteError] with the HTTP status 200.
func (c Cloud) Wait(ctx context.Context, job string) (json.RawMessage, error) {
	began := c.Now()
	return api.Await(ctx, c.Send, job, func() time.Duration {
		if c.Look != nil {
			c.Look()
		}
		return min(max(c.Now().Sub(began)/pausePart, firstPause), lastPause)
	})
}

// Run sends a command and, where it starts a job, waits for its end.
func (c Cloud) Run(ctx context.Context, command string, params api.Params) (json.RawMessage, error) {
	s, err := c.Start(ctx, command, params)
	if err != nil || s.Job == "" {
		return s.Answer, err
	}
	return c.Wait(ctx, s.Job)
}

// Text is an error as the server said it, without codes.
func Text(err error) string {
	if remote, ok := errors.AsType[*api.RemoteError](err); ok {
		return remote.Text
	}
	return err.Error()
}
