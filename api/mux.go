package api

import (
	"context"
	"fmt"
	"reflect"
	"slices"
)

// Mux finds the handler of a command. It is filled before it serves and only read afterwards.
type Mux struct {
	// PageSize gives how many items a list shows at most, and when nothing is asked; less than 1 for no limit.
	PageSize  func() int
	declared  []*Description
	endpoints map[string]*Endpoint
}

// NewMux makes a mux for these commands. It panics on a wrong declaration and on a name declared twice.
func NewMux(commands ...Command) *Mux {
	m := &Mux{PageSize: func() int { return DefaultPageSize }, endpoints: map[string]*Endpoint{}}
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
	result func(ctx context.Context, subject string) (reflect.Value, error) // for jobs and creates
}

// HandleCall gives a call its handler. It panics if the mux doesn't know the call, or has a handler already.
func HandleCall[In, Out any](m *Mux, c Call[In, Out], h func(ctx context.Context, in In) (Out, error)) {
	e := m.handle(c)
	if c.Creates {
		panic("api: " + c.Name + " creates: it is for HandleCreate")
	}
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		out, err := h(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.answer(reflect.ValueOf(out), role), nil
	}
}

// HandleCreate gives a call that creates the function that makes the thing and gives its id, and the one that shows the thing of
// an id: the answer is what the second shows, now and when the request is repeated. It panics as HandleCall does.
func HandleCreate[In, Out any, ID ~string](m *Mux, c Call[In, Out],
	create func(ctx context.Context, in In) (ID, error), show func(ctx context.Context, id ID) (Out, error),
) {
	handleCreate(m.handle(c), create, show)
}

// HandleCreateList is HandleCreate for a command that answers with a list of the one thing that it made.
func HandleCreateList[In, Item any, ID ~string](m *Mux, l List[In, Item],
	create func(ctx context.Context, in In) (ID, error), show func(ctx context.Context, id ID) (Item, error),
) {
	handleCreate(m.handle(l), create, show)
}

// HandleCreateItems is HandleCreateList for a thing that lists show several times, once for each place that it is in.
func HandleCreateItems[In, Item any, ID ~string](m *Mux, l List[In, Item],
	create func(ctx context.Context, in In) (ID, error), show func(ctx context.Context, id ID) ([]Item, error),
) {
	handleCreate(m.handle(l), create, show)
}

func handleCreate[In, Out any, ID ~string](e *Endpoint,
	create func(ctx context.Context, in In) (ID, error), show func(ctx context.Context, id ID) (Out, error),
) {
	if !e.Creates {
		panic("api: " + e.Name + " does not create")
	}
	e.result = func(ctx context.Context, subject string) (reflect.Value, error) {
		out, err := show(ctx, ID(subject))
		return reflect.ValueOf(out), err
	}
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		id, err := create(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.Repeat(ctx, Started{ID: string(id)}, role)
	}
}

// HandleCreateSecret is HandleCreate for a thing with a part that is shown once, when it is made (a private key), and never again:
// the first answer is what create gives.
func HandleCreateSecret[In, Out any, ID ~string](m *Mux, c Call[In, Out],
	create func(ctx context.Context, in In) (Out, error), show func(ctx context.Context, id ID) (Out, error),
) {
	e := m.handle(c)
	handleCreate(e, func(context.Context, In) (ID, error) { return "", nil }, show)
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		out, err := create(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.answer(reflect.ValueOf(out), role), nil
	}
}

// HandleList gives a list its handler. The page's Count is the true total. It panics as HandleCall does.
func HandleList[In, Item any](m *Mux, l List[In, Item], h func(ctx context.Context, in In) (Page[Item], error)) {
	e := m.handle(l)
	if l.Creates {
		panic("api: " + l.Name + " creates: it is for HandleCreateList")
	}
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		page, err := h(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		if page.Other != nil {
			return e.otherPage(page.Count, page.Other, role), nil
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
	e.invoke = func(ctx context.Context, in reflect.Value, role Role) (Answer, error) {
		s, err := start(ctx, in.Interface().(In))
		if err != nil {
			return Answer{}, err
		}
		return e.started(s, role), nil
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
	if err := r.page(e.in, max(e.mux.PageSize(), 0), in); err != nil {
		return Answer{}, err
	}
	return e.invoke(ctx, in, role)
}

// Repeat answers a request that has been answered before: with the job that it started, or by showing what it made.
func (e *Endpoint) Repeat(ctx context.Context, made Started, role Role) (Answer, error) {
	if e.Kind == KindJob {
		return e.started(made, role), nil
	}
	out, err := e.result(ctx, made.ID)
	if err != nil {
		return Answer{}, err
	}
	if e.Kind == KindList && out.Kind() == reflect.Slice {
		return e.page(out.Len(), out, role), nil
	}
	if e.Kind == KindList {
		one := reflect.Append(reflect.MakeSlice(reflect.SliceOf(out.Type()), 0, 1), out)
		return e.page(1, one, role), nil
	}
	return e.answer(out, role), nil
}

// JobResult shows what a finished job of that command was about, as a caller of that role may see it.
func (m *Mux) JobResult(ctx context.Context, command, subject string, role Role) (Result, error) {
	e := m.endpoints[command]
	if e == nil || e.Kind != KindJob {
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
