package api

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// Mux finds the handler of a command. It is filled before it serves and only read afterwards.
type Mux struct {
	// PageSize is how many items a list shows at most, and when nothing is asked; 0 for no limit.
	PageSize  int
	declared  []*Description
	endpoints map[string]*Endpoint
}

// NewMux makes a mux for these commands. It panics on a wrong declaration and on a name declared twice.
func NewMux(commands ...Command) *Mux {
	m := &Mux{PageSize: DefaultPageSize, endpoints: map[string]*Endpoint{}}
	for _, c := range commands {
		d := c.Describe()
		if m.find(d.Name) != nil {
			panic("api: " + d.Name + " is declared twice")
		}
		m.declared = append(m.declared, d)
	}
	return m
}

func (m *Mux) find(name string) *Description {
	for _, d := range m.declared {
		if d.Name == name {
			return d
		}
	}
	return nil
}

// Endpoint is a command with its handler.
type Endpoint struct {
	*Description
	mux    *Mux
	invoke func(ctx context.Context, in reflect.Value, role Role) (Answer, error)
	result func(ctx context.Context, subject string) (reflect.Value, error) // for jobs
}

// HandleCall gives a call its handler. It panics if the mux doesn't know the call, or has a handler already.
func HandleCall[In, Out any](m *Mux, c Call[In, Out], h func(ctx context.Context, in In) (Out, error)) {
	e := m.handle(c)
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		out, err := h(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.answer(reflect.ValueOf(out), role), nil
	}
}

// HandleList gives a list its handler. The page's Count is the true total. It panics as HandleCall does.
func HandleList[In, Item any](m *Mux, l List[In, Item], h func(ctx context.Context, in In) (Page[Item], error)) {
	e := m.handle(l)
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		page, err := h(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.page(page.Count, reflect.ValueOf(page.Items), role), nil
	}
}

// HandleJob gives a job the function that starts it, and the one that shows, once it is done, what it was about: subject is
// the id the job was started for. It panics as HandleCall does.
func HandleJob[In, Out any](m *Mux, j Job[In, Out],
	start func(ctx context.Context, in In) (Started, error),
	result func(ctx context.Context, subject string) (Out, error),
) {
	e := m.handle(j)
	e.invoke = func(ctx context.Context, in reflect.Value, _ Role) (Answer, error) {
		s, err := start(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.started(s), nil
	}
	e.result = func(ctx context.Context, subject string) (reflect.Value, error) {
		out, err := result(ctx, subject)
		return reflect.ValueOf(out), err
	}
}

func (m *Mux) handle(c Command) *Endpoint {
	d := c.Describe()
	switch {
	case m.find(d.Name) != d:
		panic("api: a handler for " + d.Name + ", which the mux doesn't know in this form")
	case d.Session:
		panic("api: a handler for " + d.Name + ", which lives outside the mux")
	case m.endpoints[d.Name] != nil:
		panic("api: a second handler for " + d.Name)
	}
	e := &Endpoint{Description: d, mux: m}
	m.endpoints[d.Name] = e
	return e
}

// Find gives the command of that name, written exactly so, if it has a handler.
func (m *Mux) Find(name string) (*Endpoint, bool) {
	e, ok := m.endpoints[name]
	return e, ok
}

// Missing names the commands that are declared but have no handler.
func (m *Mux) Missing() []string {
	var names []string
	for _, d := range m.declared {
		if m.endpoints[d.Name] == nil && !d.Session {
			names = append(names, d.Name)
		}
	}
	return names
}

// served gives the commands a caller can really use.
func (m *Mux) served() []*Description {
	return slices.DeleteFunc(slices.Clone(m.declared), func(d *Description) bool {
		return m.endpoints[d.Name] == nil && !d.Session
	})
}

// Invoke decodes the parameters and calls the handler. It doesn't ask whether the role may use the command: that is the
// facade's question, to be asked before. A request that can't be decoded gives an *Error.
func (e *Endpoint) Invoke(ctx context.Context, params Params, role Role) (Answer, error) {
	in := reflect.New(e.in.typ).Elem()
	r, err := e.in.decode(e.Name, params, role, in)
	if err != nil {
		return Answer{}, err
	}
	if err := r.page(e.in, e.mux.PageSize, in); err != nil {
		return Answer{}, err
	}
	return e.invoke(ctx, in, role)
}

// JobResult shows what a finished job of that command was about, as a caller of that role may see it.
func (m *Mux) JobResult(ctx context.Context, command, subject string, role Role) (Result, error) {
	e := m.endpoints[command]
	if e == nil || e.result == nil {
		return Result{}, fmt.Errorf("api: %q is not a job with a handler", command)
	}
	out, err := e.result(ctx, subject)
	if err != nil {
		return Result{}, err
	}
	return Result{body: &body{object: e.Object, shape: e.out, value: out, role: role}}, nil
}

// Decode reads the parameters of a command that a facade handles by itself (login). In is the command's input.
func Decode[In, Out any](c Call[In, Out], params Params, role Role) (In, error) {
	var in In
	d := c.Describe()
	_, err := d.in.decode(d.Name, params, role, reflect.ValueOf(&in).Elem())
	return in, err
}
