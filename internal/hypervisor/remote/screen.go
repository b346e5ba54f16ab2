package remote

import (
	"context"
	"io"
	"sync"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/uid"
)

// What a screen shows and what is typed travel in calls, as all else: the server asks for what there is to show, and is answered when there
// is something. So nobody sends faster than it is taken, and agents need no other rights on the bus.

const (
	atATime = 256 << 10 // bytes that one call carries: the bus takes messages of 1 MB, and they are in base64
	waiting = 5 * time.Second
	idle    = time.Minute // after which a screen is closed that no server asks for
)

type openIn struct {
	VM uid.VM
	ID string // of the connection, which the server chooses
}

type shown struct {
	Data []byte `json:",omitempty"`
	End  bool   `json:",omitempty"`
}

type typedIn struct {
	ID   string
	Data []byte
}

type serialIn struct {
	VM   uid.VM
	Most int
}

var (
	openScreen  = call[openIn, none]{verb: "OpenScreen"}
	readScreen  = call[string, shown]{verb: "ReadScreen"}
	writeScreen = call[typedIn, none]{verb: "WriteScreen"}
	closeScreen = call[string, none]{verb: "CloseScreen"}
	serialLog   = of("SerialLog", func(ctx context.Context, d hypervisor.Screener, h uid.Host, in serialIn) ([]byte, error) {
		return d.SerialLog(ctx, h, in.VM, in.Most)
	})
)

// SerialLog is the end of what a machine has written.
func (d *Driver) SerialLog(ctx context.Context, host uid.Host, vm uid.VM, most int) ([]byte, error) {
	return ask(ctx, d, host, serialLog, serialIn{vm, most})
}

// Screen is a connection to a machine's screen.
func (d *Driver) Screen(ctx context.Context, host uid.Host, vm uid.VM) (io.ReadWriteCloser, error) {
	id := uid.New[string]()
	if err := do(ctx, d, host, openScreen, openIn{vm, id}); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	return &farScreen{ctx: ctx, cancel: cancel, driver: d, host: host, id: id}, nil
}

// farScreen is a screen as a server sees it.
type farScreen struct {
	ctx    context.Context //nolint:containedctx // it is as long as the connection
	cancel context.CancelFunc
	driver *Driver
	host   uid.Host
	id     string
	rest   []byte // that was shown and not yet read
}

// Read implements io.Reader. One at a time reads.
func (s *farScreen) Read(p []byte) (int, error) {
	for len(s.rest) == 0 {
		got, err := ask(s.ctx, s.driver, s.host, readScreen, s.id)
		if err != nil {
			return 0, err
		}
		if got.End {
			return 0, io.EOF
		}
		s.rest = got.Data
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// Write implements io.Writer. One at a time writes.
func (s *farScreen) Write(p []byte) (n int, err error) {
	for n < len(p) {
		part := p[n:min(len(p), n+atATime)]
		if err := do(s.ctx, s.driver, s.host, writeScreen, typedIn{s.id, part}); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

// Close implements io.Closer.
func (s *farScreen) Close() error {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), waiting)
	defer cancel()
	return do(ctx, s.driver, s.host, closeScreen, s.id)
}

// screens are the screens that a server has open at a host.
type screens struct {
	mu   sync.Mutex
	open map[string]*screen
}

// screen is one of them.
type screen struct {
	conn   io.ReadWriteCloser
	data   chan []byte // what is shown; closed when there is no more
	closed chan struct{}
	once   sync.Once
	unused *time.Timer
}

// calls are what a server asks of its screens, by verb.
func (s *screens) calls() calls {
	return calls{
		openScreen.verb: at(call[openIn, none]{openScreen.verb, s.begin}), readScreen.verb: at(call[string, shown]{readScreen.verb, s.read}),
		writeScreen.verb: at(call[typedIn, none]{writeScreen.verb, s.write}), closeScreen.verb: at(call[string, none]{closeScreen.verb, s.end}),
	}
}

func (s *screens) begin(ctx context.Context, d hypervisor.Driver, host uid.Host, in openIn) (none, error) {
	screener, ok := d.(hypervisor.Screener)
	if !ok {
		return none{}, fault.Conflictf("host %s shows no screens", host)
	}
	if _, there := s.find(in.ID); there {
		return none{}, nil
	}
	conn, err := screener.Screen(ctx, host, in.VM)
	if err != nil {
		return none{}, err
	}
	one := &screen{conn: conn, data: make(chan []byte), closed: make(chan struct{})}
	one.unused = time.AfterFunc(idle, func() { s.forget(in.ID) })
	s.mu.Lock()
	s.open[in.ID] = one
	s.mu.Unlock()
	go one.pump()
	return none{}, nil
}

// pump takes what is shown to who asks for it.
func (one *screen) pump() {
	defer close(one.data)
	for {
		buf := make([]byte, atATime)
		n, err := one.conn.Read(buf)
		if n > 0 {
			select {
			case one.data <- buf[:n]:
			case <-one.closed:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// find gives a screen, whose time begins anew.
func (s *screens) find(id string) (*screen, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	one, ok := s.open[id]
	if ok {
		one.unused.Reset(idle)
	}
	return one, ok
}

func (s *screens) read(ctx context.Context, _ hypervisor.Driver, _ uid.Host, id string) (out shown, err error) {
	one, ok := s.find(id)
	if !ok {
		return shown{End: true}, nil
	}
	timer := time.NewTimer(waiting)
	defer timer.Stop()
	select {
	case data, more := <-one.data:
		return shown{Data: data, End: !more}, nil
	case <-timer.C:
		return shown{}, nil
	case <-ctx.Done():
		return shown{}, ctx.Err()
	}
}

func (s *screens) write(_ context.Context, _ hypervisor.Driver, host uid.Host, in typedIn) (none, error) {
	one, ok := s.find(in.ID)
	if !ok {
		return none{}, fault.Conflictf("host %s has closed that screen", host)
	}
	_, err := one.conn.Write(in.Data)
	return none{}, err
}

func (s *screens) end(_ context.Context, _ hypervisor.Driver, _ uid.Host, id string) (none, error) {
	s.forget(id)
	return none{}, nil
}

func (s *screens) forget(id string) {
	s.mu.Lock()
	one, ok := s.open[id]
	delete(s.open, id)
	s.mu.Unlock()
	if ok {
		one.once.Do(func() {
			one.unused.Stop()
			close(one.closed)
			_ = one.conn.Close()
		})
	}
}
