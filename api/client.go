package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Client sends commands to a server. The functions Do, Fetch, All, Start and Run use it, and Call needs no contract; it may be used
// by many at once.
type Client struct {
	Endpoint     string        // the whole URL: http://host:8080/client/api
	APIKey       string        // "": requests are not signed
	SecretKey    string        // what requests are signed with
	HTTP         *http.Client  // nil: http.DefaultClient
	PollInterval time.Duration // how long Run waits between two looks at a job; 0: half a second
}

const defaultPollInterval = 500 * time.Millisecond

// Do calls a command and gives its outcome. An error that the server answers with is a *RemoteError.
func Do[In, Out any](ctx context.Context, c *Client, call Call[In, Out], in In) (out Out, err error) {
	d := call.Describe()
	inner, err := c.send(ctx, d, in)
	if err == nil {
		err = d.read(inner, &out)
	}
	return out, err
}

// Fetch gets the page of a list that the input asks for. Errors are as Do's.
func Fetch[In, Item any](ctx context.Context, c *Client, list List[In, Item], in In) (Page[Item], error) {
	d := list.Describe()
	var page Page[Item]
	inner, err := c.send(ctx, d, in)
	if err != nil {
		return page, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(inner, &fields); err != nil {
		return page, fmt.Errorf("%s: %w", d.Name, err)
	}
	into := map[string]any{"count": &page.Count, d.Object: &page.Items}
	var others reflect.Value
	if d.other != nil && fields[d.other.object] != nil {
		others = reflect.New(reflect.SliceOf(d.other.shape.typ))
		into[d.other.object] = others.Interface()
	}
	for name, v := range into {
		if raw, ok := fields[name]; ok {
			if err := json.Unmarshal(raw, v); err != nil {
				return page, fmt.Errorf("%s: %s: %w", d.Name, name, err)
			}
		}
	}
	if others.IsValid() {
		page.Other = others.Elem().Interface()
	}
	return page, nil
}

// All gets every item of a list, page by page as they are used. The input's page is not looked at, its page size is.
// After an error there are no more items.
func All[In, Item any](ctx context.Context, c *Client, list List[In, Item], in In) iter.Seq2[Item, error] {
	return func(yield func(Item, error) bool) {
		in := in // a sequence may be used twice
		paging := list.Describe().in.pagingOf(&in)
		for seen := 0; ; {
			paging.Page++
			page, err := Fetch(ctx, c, list, in)
			if err != nil {
				var none Item
				yield(none, err)
				return
			}
			for _, item := range page.Items {
				if !yield(item, nil) {
					return
				}
			}
			seen += len(page.Items)
			if len(page.Items) == 0 || seen >= page.Count {
				return
			}
		}
	}
}

// pagingOf gives the paging inside in, set to before the first page. Where the input has none, the list comes as one page.
func (in *inputs) pagingOf(v any) *Paging {
	if in.paging == nil {
		return &Paging{}
	}
	p := reflect.ValueOf(v).Elem().FieldByIndex(in.paging).Addr().Interface().(*Paging)
	p.Page = 0
	if p.PageSize <= 0 {
		p.PageSize = DefaultPageSize
	}
	return p
}

// Start starts a job and doesn't wait for it. Errors are as Do's.
func Start[In, Out any](ctx context.Context, c *Client, job Job[In, Out], in In) (Started, error) {
	d := job.Describe()
	inner, err := c.send(ctx, d, in)
	if err != nil {
		return Started{}, err
	}
	var s started
	if err := json.Unmarshal(inner, &s); err != nil {
		return Started{}, fmt.Errorf("%s: %w", d.Name, err)
	}
	return Started{ID: s.ID, JobID: s.JobID}, nil
}

// Run starts a job and waits until it is done or the context ends. A job that fails gives a *RemoteError with the HTTP
// status 200; the end of the context leaves the job at work.
func Run[In, Out any](ctx context.Context, c *Client, job Job[In, Out], in In) (out Out, err error) {
	d := job.Describe()
	s, err := Start(ctx, c, job, in)
	if err != nil {
		return out, err
	}
	result, err := c.wait(ctx, s)
	if err != nil {
		return out, err
	}
	return out, d.read(result, &out)
}

// Call sends a command by its name, for programs that don't know the contract, and gives what is inside the envelope; of a command
// that starts a job it waits for the end and gives the job's result. Errors are as Run's.
func (c *Client) Call(ctx context.Context, command string, params Params) (json.RawMessage, error) {
	inner, err := c.post(ctx, command, maps.Clone(params))
	if err != nil {
		return nil, err
	}
	var s started
	if json.Unmarshal(inner, &s) != nil || s.JobID == "" || strings.HasPrefix(command, "query") {
		return inner, nil //nolint:nilerr // it is none that starts a job
	}
	return c.wait(ctx, Started{ID: s.ID, JobID: s.JobID})
}

// Send sends a command by its name, as Call does, and waits for no job: of a command that starts one it gives the job's id, as
// the server said it. Clouds that name an envelope in a way of their own are understood, too.
func (c *Client) Send(ctx context.Context, command string, params Params) (json.RawMessage, error) {
	return c.exchange(ctx, command, maps.Clone(params), openAny)
}

// Try sends a job whose input asks for a dry run, and gives the Plan that is answered in the place of a job's id.
func Try[Plan, In, Out any](ctx context.Context, c *Client, job Job[In, Out], in In) (plan Plan, err error) {
	d := job.Describe()
	inner, err := c.send(ctx, d, in)
	if err != nil {
		return plan, err
	}
	var answer struct {
		DryRun *Plan `json:"dryrun"`
	}
	if err := json.Unmarshal(inner, &answer); err != nil {
		return plan, fmt.Errorf("%s: %w", d.Name, err)
	}
	if answer.DryRun == nil {
		return plan, fmt.Errorf("%s: the answer is no dry run's: %s", d.Name, inner)
	}
	return *answer.DryRun, nil
}

func (c *Client) wait(ctx context.Context, s Started) (json.RawMessage, error) {
	every := c.PollInterval
	if every <= 0 {
		every = defaultPollInterval
	}
	return Await(ctx, c.post, s.JobID.String(), func() time.Duration { return every })
}

// read takes the outcome out of its wrapper.
func (d *Description) read(inner json.RawMessage, out any) error {
	if d.Object != "" {
		var wrapper map[string]json.RawMessage
		if err := json.Unmarshal(inner, &wrapper); err != nil {
			return fmt.Errorf("%s: %w", d.Name, err)
		}
		if inner = wrapper[d.Object]; inner == nil {
			return fmt.Errorf("%s: the answer has no %s", d.Name, d.Object)
		}
	}
	if err := json.Unmarshal(inner, out); err != nil {
		return fmt.Errorf("%s: %w", d.Name, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, d *Description, in any) (json.RawMessage, error) {
	return c.post(ctx, d.Name, d.in.encode(reflect.ValueOf(in)))
}

// post sends a command and gives what is inside the envelope.
func (c *Client) post(ctx context.Context, command string, params Params) (json.RawMessage, error) {
	return c.exchange(ctx, command, params, open)
}

type opener func(command string, status int, body []byte) (json.RawMessage, error)

func (c *Client) exchange(ctx context.Context, command string, params Params, open opener) (json.RawMessage, error) {
	if params == nil {
		params = Params{}
	}
	params["command"], params["response"] = command, "json"
	if c.APIKey != "" {
		params["apiKey"] = c.APIKey
		params["signature"] = Sign(params, c.SecretKey)
	}
	form := url.Values{}
	for name, value := range params {
		form.Set(name, value)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := c.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }() // what was read counts
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	return open(command, resp.StatusCode, body)
}

// open takes the envelope off an answer, and turns an error's into a *RemoteError.
func open(command string, status int, body []byte) (json.RawMessage, error) {
	var envelope map[string]json.RawMessage
	err := json.Unmarshal(body, &envelope)
	if status >= 300 {
		for _, name := range slices.Sorted(maps.Keys(envelope)) {
			return nil, remoteError(status, envelope[name])
		}
		return nil, &RemoteError{HTTPStatus: status, Text: http.StatusText(status)}
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	inner, ok := envelope[Envelope(command)]
	if !ok || len(envelope) != 1 {
		return nil, fmt.Errorf("%s: the answer is not one %s", command, Envelope(command))
	}
	return inner, nil
}

// openAny is open for envelopes of any name: CloudStack's are not always what the rule says.
func openAny(command string, status int, body []byte) (json.RawMessage, error) {
	var envelope map[string]json.RawMessage
	if status < 300 && json.Unmarshal(body, &envelope) == nil && len(envelope) == 1 {
		for _, inner := range envelope {
			return inner, nil
		}
	}
	return open(command, status, body)
}

func remoteError(status int, raw json.RawMessage) *RemoteError {
	var e struct {
		Code   int    `json:"errorcode"`
		CSCode int    `json:"cserrorcode"`
		Text   string `json:"errortext"`
	}
	if json.Unmarshal(raw, &e) != nil || e.Text == "" {
		e.Text = http.StatusText(status)
	}
	return &RemoteError{HTTPStatus: status, Code: e.Code, CSCode: e.CSCode, Text: e.Text}
}
