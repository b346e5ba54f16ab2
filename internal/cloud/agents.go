package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	wire "github.com/virga-cloud/virga/api/agent"
	"github.com/virga-cloud/virga/internal/agent"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/bus"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/host"
	"github.com/virga-cloud/virga/internal/hypervisor/remote"
	"github.com/virga-cloud/virga/uid"
)

// Agents say how agents of hosts reach this server. With the zero value they don't, and nothing that they need is running.
type Agents struct {
	Listen string // "host:port"
	Dial   string // where agents are told to dial in, with commas between the servers; "" for Listen
	Timing bus.Timing
	Look   time.Duration // how often it is looked whether agents have lost their hosts; 0 for [lookEvery]
}

// lookEvery is how soon, at most, the agent of a deleted host is cut off by servers other than the one that deleted it.
const lookEvery = 5 * time.Second

// agents are a server's end of the bus.
type agents struct {
	bus   *bus.Server
	known *agent.Service
	ca    string
	log   *slog.Logger
	every time.Duration
}

// listen opens the bus. Agents can dial in from now on, and are asked and heard when the cloud's work has begun.
func (cl *Cloud) listen(ctx context.Context, c Config) error {
	authority, err := cl.Agents.Authority(ctx)
	if err != nil {
		return err
	}
	tls, err := authority.Server(wire.ServerName)
	if err != nil {
		return err
	}
	a := &agents{known: cl.Agents, ca: authority.PEM(), log: c.Log, every: cmp.Or(c.Agents.Look, lookEvery)}
	life := context.WithoutCancel(ctx)
	a.bus, err = bus.Open(bus.Options{
		Listen: c.Agents.Listen, TLS: tls, Timing: c.Agents.Timing, Log: c.Log,
		Admit: func(d bus.Dialed) (string, error) { return a.admit(life, d) },
	})
	cl.agents = a
	return err
}

// AgentsAt is where agents dial in; nil where they don't.
func (cl *Cloud) AgentsAt() net.Addr {
	if cl.agents == nil || cl.agents.bus == nil {
		return nil
	}
	return cl.agents.bus.Address()
}

// dial is where agents are told to dial in.
func (cl *Cloud) dial(c Agents) string {
	if at := cl.AgentsAt(); at != nil {
		return cmp.Or(c.Dial, at.String())
	}
	return c.Dial
}

// driver drives the hosts that have agents, through the bus.
func (a *agents) driver() *remote.Driver { return remote.New(a.bus.Conn()) }

// admit lets in whoever has the key of a host that is not deleted, or a token.
func (a *agents) admit(ctx context.Context, d bus.Dialed) (string, error) {
	if d.Key != "" {
		id, err := a.known.Known(ctx, d.Key)
		return string(id), err
	}
	t, err := wire.ParseToken(d.Token)
	if err != nil {
		return "", err
	}
	if err := a.known.Invited(ctx, t.ID, t.Secret); err != nil {
		return "", err
	}
	return t.Name(), nil
}

// start listens to what agents tell, and cuts off those whose hosts are gone.
func (a *agents) start() (stop func(), err error) {
	if err := a.bus.Conn().Hear(a.hear); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(a.every)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := a.cutOff(ctx); err != nil && ctx.Err() == nil {
					a.log.Error("can't look which agents have lost their hosts", "error", err)
				}
			}
		}
	}()
	return func() { cancel(); <-done }, nil
}

// cutOff ends the connections of agents whose hosts were deleted. They are not let in again.
func (a *agents) cutOff(ctx context.Context) error {
	var here []uid.Host
	for _, name := range a.bus.Names() {
		if _, newcomer := wire.TokenOf(name); !newcomer {
			here = append(here, uid.Host(name))
		}
	}
	gone, err := a.known.Revoked(ctx, here)
	for _, id := range gone {
		a.log.Info("the agent of a deleted host is cut off", "host", id)
		a.bus.Drop(string(id))
	}
	return err
}

// hear answers what agents tell. The bus has seen to it that name is who speaks.
func (a *agents) hear(ctx context.Context, name, verb string, body []byte) []byte {
	var out any
	token, newcomer := wire.TokenOf(name)
	switch {
	case newcomer && verb == wire.VerbEnrol:
		out = a.enrol(ctx, token, body)
	case !newcomer && verb == wire.VerbReady:
		out = a.ready(ctx, uid.Host(name), body)
	default:
		out = wire.Refused{Why: fmt.Sprintf("this server does not know what to do with %q", verb)}
	}
	text, err := json.Marshal(out)
	if err != nil { // of answers that all can be written
		a.log.Error("an answer to an agent can't be written", "verb", verb, "error", err)
	}
	return text
}

func (a *agents) enrol(ctx context.Context, token uid.AgentToken, body []byte) (out wire.EnrolOut) {
	var in wire.EnrolIn
	err := json.Unmarshal(body, &in)
	if err == nil {
		out.Host, err = a.known.Enrol(ctx, token, agent.EnrolIn{Key: in.Key, Name: in.Name, Address: in.Address})
	}
	if err != nil {
		return wire.EnrolOut{Refused: a.refused("an agent could not introduce itself", in.Name, err)}
	}
	out.CA = a.ca
	return out
}

func (a *agents) ready(ctx context.Context, id uid.Host, body []byte) (out wire.ReadyOut) {
	var in wire.ReadyIn
	err := json.Unmarshal(body, &in)
	var outcome agent.Outcome
	if err == nil {
		outcome, err = a.known.Ready(auth.With(ctx, auth.System()), id, in.Address,
			host.Told{Version: in.Version, Capabilities: strings.Join(in.Capabilities, ",")})
	}
	if err != nil {
		return wire.ReadyOut{Refused: a.refused("an agent's host could not be taken up", string(id), err)}
	}
	return wire.ReadyOut{Waits: outcome == agent.Waits}
}

// refused tells an agent why. What nobody foresaw stays in the log here.
func (a *agents) refused(what, who string, err error) wire.Refused {
	a.log.Warn(what, "who", who, "error", err)
	known, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return wire.Refused{Why: "something failed in the server; its log says what"}
	}
	return wire.Refused{Why: known.Error(), Final: known.Kind == fault.Denied || known.Kind == fault.NotFound}
}
