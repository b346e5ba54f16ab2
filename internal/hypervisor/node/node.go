package node

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/virga-cloud/virga/api/agent"
	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/hypervisor"
	"github.com/virga-cloud/virga/internal/hypervisor/remote"
	"github.com/virga-cloud/virga/uid"
)

// Options say what agent to be.
type Options struct {
	Servers []string // where the cloud's servers take agents, "host:port"
	Token   string   // for introducing itself; needed once
	Dir     string   // what it keeps
	Name    string   // its host's, for who operates the cloud
	Address string   // that other hosts reach this one at; "" for the one that it reaches servers from
	Version string

	// Open makes the driver of the host. It is called once it is known which host this is, and closed at the end. address is the one
	// that other hosts reach it at.
	Open func(ctx context.Context, host uid.Host, address string) (Machine, error)

	Timing bus.Timing
	Again  time.Duration // how soon what failed is tried again; 0 for 3 s
	Say    func(text string)
	Log    *slog.Logger
}

// Machine is a host as its agent has it.
type Machine struct {
	Driver       hypervisor.Driver // and what it is beside
	Capabilities []string
	Close        func() error // machines go on
}

const again = 3 * time.Second

// Run is an agent until ctx ends. Machines go on running then.
func Run(ctx context.Context, o Options) error {
	if o.Again == 0 {
		o.Again = again
	}
	if len(o.Servers) == 0 {
		return errors.New("no server to dial in to: say where they take agents with --server")
	}
	f, err := open(o.Dir)
	if err != nil {
		return err
	}
	defer f.close()
	n := &node{Options: o, folder: f}
	if n.key, err = f.key(); err != nil {
		return err
	}
	if n.state, err = f.load(); err != nil {
		return err
	}
	if n.Host == "" {
		if err := n.introduce(ctx); err != nil {
			return err
		}
	}
	if n.tls, err = trust(n.CA); err != nil {
		return err
	}
	return n.serve(ctx)
}

// node is a running agent.
type node struct {
	Options
	state
	*folder
	key     bus.Key
	tls     *tls.Config
	machine Machine
}

func (n *node) serve(ctx context.Context) (err error) {
	if n.machine, err = n.Open(ctx, n.Host, n.address(n.Servers[0])); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.machine.Close()) }()
	if err := n.machine.Driver.Recover(ctx); err != nil {
		return fmt.Errorf("find this host's machines again: %w", err)
	}
	var all sync.WaitGroup
	for _, server := range n.Servers {
		all.Go(func() { n.hold(ctx, server) })
	}
	all.Wait()
	return nil
}

// hold keeps a connection to a server until ctx ends.
func (n *node) hold(ctx context.Context, server string) {
	l := &line{node: n, server: server, found: make(chan struct{}, 1)}
	for {
		c, err := bus.Dial(bus.DialOptions{
			Server: server, TLS: n.tls, Name: string(n.Host), Key: n.key, Timing: n.Timing, Log: n.Log,
			Lost: func(err error) {
				if ctx.Err() == nil { // it is not this end that ends it
					n.Log.Warn("the connection to a server is lost", "server", server, "error", err)
				}
			},
			Failed: l.failed,
			Found: func() {
				select {
				case l.found <- struct{}{}:
				default:
				}
			},
		})
		if err == nil {
			l.use(ctx, c)
			c.Close()
			return
		}
		l.failed(err)
		if !pause(ctx, n.Again) {
			return
		}
	}
}

// line is a connection to a server.
type line struct {
	*node
	server string
	found  chan struct{} // it was lost, and is there again

	mu   sync.Mutex
	told string // the trouble that was logged last
}

// failed logs why a server can't be reached, once.
func (l *line) failed(err error) {
	text := err.Error()
	if errors.Is(err, bus.ErrRefused) {
		text = fmt.Sprintf("it does not let the agent of host %s in. If the host was deleted, it can join again as a new one: stop its machines, "+
			"remove %s, and run the agent with a new token", l.Host, l.path)
	}
	l.trouble(text)
}

func (l *line) trouble(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.told != text && text != "" {
		l.Log.Warn("a server is out of reach", "server", l.server, "why", text)
	}
	l.told = text
}

// use serves a server over a connection, and says so whenever it is there anew.
func (l *line) use(ctx context.Context, c *bus.Conn) {
	if err := remote.Serve(c, l.Host, l.machine.Driver, l.Log); err != nil {
		l.Log.Error("can't listen to a server", "server", l.server, "error", err)
		return
	}
	for ctx.Err() == nil {
		if l.ready(ctx, c) {
			select {
			case <-ctx.Done():
			case <-l.found:
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-l.found:
		case <-time.After(l.Again):
		}
	}
}

// ready says that this host is there. It tells whether that was taken note of.
func (l *line) ready(ctx context.Context, c *bus.Conn) bool {
	in := agent.ReadyIn{Address: l.address(l.server), Version: l.Version, Capabilities: l.machine.Capabilities}
	var out agent.ReadyOut
	err := tell(ctx, c, string(l.Host), agent.VerbReady, in, &out)
	switch {
	case ctx.Err() != nil:
		return false
	case err != nil:
		l.trouble(err.Error())
		return false
	case out.Why != "":
		l.trouble(out.Why)
		return out.Final
	case out.Waits:
		l.trouble(fmt.Sprintf("the host waits for a place: name it with addHost url=http://%s hypervisor=KVM", l.state.Name))
		return false
	}
	l.trouble("")
	l.say(fmt.Sprintf("host %s (%s) is in the service of %s", l.state.Name, l.Host, l.server))
	return true
}

func (n *node) say(text string) {
	if n.Say != nil {
		n.Say(text)
	}
}

// introduce makes the agent known, with its token.
func (n *node) introduce(ctx context.Context) error {
	if n.Token == "" {
		return fmt.Errorf("the agent in %s was not introduced to a cloud yet: make a token there with createAgentToken, and "+
			"give it with --token", n.path)
	}
	token, err := agent.ParseToken(n.Token)
	if err != nil {
		return err
	}
	public, err := n.key.Public()
	if err != nil {
		return err
	}
	in := agent.EnrolIn{Key: public, Name: n.Options.Name}
	for {
		for _, server := range n.Servers {
			in.Address = n.address(server)
			out, err := n.enrol(ctx, server, token, in)
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, bus.ErrRefused):
				return fmt.Errorf("server %s does not take the token: it has expired, was deleted, or is from another cloud; "+
					"make a new one with createAgentToken", server)
			case errors.Is(err, errStranger):
				return fmt.Errorf("server %s: %w", server, err)
			case err != nil:
				n.Log.Warn("can't reach a server to introduce the agent to", "server", server, "error", err)
				continue
			case out.Why != "" && out.Final:
				return fmt.Errorf("server %s refuses: %s", server, out.Why)
			case out.Why != "":
				n.Log.Warn("a server can't take the agent up yet", "server", server, "why", out.Why)
				continue
			}
			n.state = state{Host: out.Host, Name: n.Options.Name, CA: out.CA}
			return n.save(n.state)
		}
		if !pause(ctx, n.Again) {
			return ctx.Err()
		}
	}
}

func (n *node) enrol(ctx context.Context, server string, token agent.Token, in agent.EnrolIn) (out agent.EnrolOut, err error) {
	c, err := bus.Dial(bus.DialOptions{
		Server: server, TLS: trustOnce(token.CA), Name: token.Name(), Token: n.Token, Timing: n.Timing, Log: n.Log,
	})
	if err != nil {
		return out, err
	}
	defer c.Close()
	return out, tell(ctx, c, token.Name(), agent.VerbEnrol, in, &out)
}

// address is the one that other hosts reach this one at.
func (n *node) address(server string) string {
	if n.Address != "" {
		return n.Address
	}
	c, err := net.Dial("udp", server) //nolint:noctx // nothing is sent: it says which way it would go
	if err != nil {
		return ""
	}
	defer func() { _ = c.Close() }()
	host, _, _ := net.SplitHostPort(c.LocalAddr().String())
	return host
}

// tell asks a server something.
func tell(ctx context.Context, c *bus.Conn, name, verb string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if body, err = c.Tell(ctx, name, verb, body); err != nil {
		return err
	}
	return json.Unmarshal(body, out)
}

// pause waits, and tells whether there is reason to go on.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
