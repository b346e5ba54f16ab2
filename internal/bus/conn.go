package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/virga-cloud/virga/internal/fault"
)

// Timing is how often who works says so, and how long silence is waited for. Zero fields mean the defaults.
type Timing struct {
	Beat    time.Duration // 3 s
	Silence time.Duration // 12 s
}

func (t Timing) orDefault() Timing {
	if t.Beat == 0 {
		t.Beat = 3 * time.Second
	}
	if t.Silence == 0 {
		t.Silence = 12 * time.Second
	}
	return t
}

// Conn is a connection to a bus. Its methods may be called concurrently.
type Conn struct {
	nats   *nats.Conn
	timing Timing
	alive  context.Context // until it is closed
	end    context.CancelFunc
	busy   sync.WaitGroup
}

func newConn(n *nats.Conn, t Timing) *Conn {
	alive, end := context.WithCancel(context.Background())
	return &Conn{nats: n, timing: t.orDefault(), alive: alive, end: end}
}

// Close ends the connection, and waits for those who work on answers to notice.
func (c *Conn) Close() {
	c.end()
	c.nats.Close()
	c.busy.Wait()
}

// state is the header that tells a sign of life from an answer.
const state, working = "Virga-State", "working"

// Ask sends a question to a name, and gives its answer. It is fault.Unavailable when nobody of that name is there, or when whoever
// is has fallen silent; the question may have been heard all the same.
func (c *Conn) Ask(ctx context.Context, name, verb string, body []byte) ([]byte, error) {
	return c.ask(ctx, "to."+name+"."+verb, body)
}

// Tell is Ask from an agent's side: the question goes to the server.
func (c *Conn) Tell(ctx context.Context, name, verb string, body []byte) ([]byte, error) {
	return c.ask(ctx, "from."+name+"."+verb, body)
}

func (c *Conn) ask(ctx context.Context, subject string, body []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	inbox := c.nats.NewInbox()
	answers, err := c.nats.SubscribeSync(inbox)
	if err != nil {
		return nil, gone(subject, err)
	}
	defer func() { _ = answers.Unsubscribe() }()
	if err := c.nats.PublishMsg(&nats.Msg{Subject: subject, Reply: inbox, Data: body}); err != nil {
		return nil, gone(subject, err)
	}
	for {
		m, err := c.next(ctx, answers)
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, nats.ErrNoResponders):
			return nil, fault.Unavailablef("nobody is there to answer %s", subject)
		case err != nil:
			return nil, gone(subject, err)
		case m.Header.Get(state) == working:
		default:
			return m.Data, nil
		}
	}
}

// next waits for an answer or a sign of life.
func (c *Conn) next(ctx context.Context, answers *nats.Subscription) (*nats.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timing.Silence)
	defer cancel()
	return answers.NextMsgWithContext(ctx)
}

func gone(subject string, err error) error {
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.Unavailablef("no answer from %s: it has fallen silent", subject)
	}
	return fault.Unavailablef("no answer from %s: %v", subject, err)
}

// Serve answers the questions to a name until the connection is closed, each in a goroutine of its own. The context of a question
// ends with the connection, and not with whoever asked: what has been begun is finished.
func (c *Conn) Serve(name string, answer func(ctx context.Context, verb string, body []byte) []byte) error {
	return c.serve("to."+name+".", func(ctx context.Context, _, verb string, body []byte) []byte { return answer(ctx, verb, body) })
}

// Hear answers the questions of all agents, as Serve does. The bus has seen to it that each has only its own name.
func (c *Conn) Hear(answer func(ctx context.Context, name, verb string, body []byte) []byte) error {
	return c.serve("from.", answer)
}

func (c *Conn) serve(prefix string, answer func(ctx context.Context, name, verb string, body []byte) []byte) error {
	_, err := c.nats.Subscribe(prefix+">", func(m *nats.Msg) {
		name, verb := cut(m.Subject)
		c.busy.Go(func() {
			stop := c.beat(m)
			out := answer(c.alive, name, verb, m.Data)
			stop()
			_ = m.Respond(out) // who asked is gone if it fails
		})
	})
	if err == nil {
		err = c.nats.Flush() // from here on it hears
	}
	if err != nil {
		return fmt.Errorf("listen to %s: %w", prefix, err)
	}
	return nil
}

// beat says every so often that an answer is being worked on, until it is stopped.
func (c *Conn) beat(m *nats.Msg) (stop func()) {
	ctx, cancel := context.WithCancel(c.alive)
	var done sync.WaitGroup
	done.Go(func() {
		t := time.NewTicker(c.timing.Beat)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
				_ = m.RespondMsg(&nats.Msg{Header: nats.Header{state: {working}}})
			}
		}
	})
	return func() { cancel(); done.Wait() }
}

// cut gives the name and the verb of a subject: "to.NAME.VERB".
func cut(subject string) (name, verb string) {
	_, rest, _ := strings.Cut(subject, ".")
	name, verb, _ = strings.Cut(rest, ".")
	return name, verb
}
