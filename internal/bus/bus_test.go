package bus

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/virga-cloud/virga/internal/bus/bustest"
	"github.com/virga-cloud/virga/internal/fault"
)

var quiet = slog.New(slog.DiscardHandler)

// quick has a busy machine's time for all that is to come. Where silence itself is waited for, it is soft.
var (
	quick = Timing{Beat: 10 * time.Millisecond, Silence: 30 * time.Second}
	soft  = Timing{Beat: 10 * time.Millisecond, Silence: 3 * time.Second}
)

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

type world struct {
	*Server
	client *tls.Config
	keys   map[string]Key // by name
}

// open opens a bus that knows the holders of these names' keys, and the token "introduce" under the name "new".
func open(t *testing.T, names ...string) *world {
	t.Helper()
	return openWith(t, quick, names...)
}

func openWith(t *testing.T, timing Timing, names ...string) *world {
	t.Helper()
	w := &world{keys: map[string]Key{}}
	known := map[string]string{}
	for _, n := range names {
		k, err := NewKey()
		ok(t, err)
		public, err := k.Public()
		ok(t, err)
		w.keys[n], known[public] = k, n
	}
	server, client := bustest.TLS(t)
	w.client = client
	var err error
	w.Server, err = Open(Options{
		Listen: "127.0.0.1:0", TLS: server, Timing: timing, Log: quiet,
		Admit: func(d Dialed) (string, error) {
			if d.Token == "introduce" {
				return "new", nil
			}
			if name := known[d.Key]; name != "" {
				return name, nil
			}
			return "", errors.New("nobody knows it")
		},
	})
	ok(t, err)
	t.Cleanup(w.Close)
	return w
}

func (w *world) dial(t *testing.T, name string) *Conn {
	t.Helper()
	c, err := Dial(DialOptions{Server: w.Address().String(), TLS: w.client, Name: name, Key: w.keys[name], Timing: quick, Log: quiet})
	ok(t, err)
	t.Cleanup(c.Close)
	return c
}

func echo(_ context.Context, verb string, body []byte) []byte {
	return []byte(verb + " " + string(body))
}

func TestAsk(t *testing.T) {
	t.Parallel()
	w := open(t, "a", "b")
	ok(t, w.dial(t, "a").Serve("a", echo))
	got, err := w.Conn().Ask(t.Context(), "a", "Start", []byte("it"))
	if err != nil || string(got) != "Start it" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := w.Conn().Ask(t.Context(), "b", "Start", nil); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "nobody") {
		t.Errorf("somebody who is not there gives %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := w.Conn().Ask(ctx, "a", "Start", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled question gives %v", err)
	}
}

// An answer that takes longer than silence may is waited for, as long as there are signs of life.
func TestLongWork(t *testing.T) {
	t.Parallel()
	w := openWith(t, soft, "a")
	a := w.dial(t, "a")
	ok(t, a.Serve("a", func(ctx context.Context, verb string, _ []byte) []byte {
		if verb == "hang" {
			a.nats.Close() // dead, as far as anybody can tell
			<-ctx.Done()
			return nil
		}
		select {
		case <-time.After(soft.Silence + soft.Silence/2):
		case <-ctx.Done():
		}
		return []byte("done")
	}))
	if got, err := w.Conn().Ask(t.Context(), "a", "long", nil); err != nil || string(got) != "done" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := w.Conn().Ask(t.Context(), "a", "hang", nil); !fault.Is(err, fault.Unavailable) || !strings.Contains(err.Error(), "silent") {
		t.Errorf("one that died over its work gives %v", err)
	}
}

func TestTell(t *testing.T) {
	t.Parallel()
	w := open(t, "a")
	ok(t, w.Conn().Hear(func(_ context.Context, name, verb string, body []byte) []byte {
		return []byte(name + verb + string(body))
	}))
	got, err := w.dial(t, "a").Tell(t.Context(), "a", "Ready", []byte("!"))
	if err != nil || string(got) != "aReady!" {
		t.Errorf("got %q, %v", got, err)
	}
}

// Who is let in can speak and listen only as itself.
func TestOnlyForItself(t *testing.T) {
	t.Parallel()
	w := open(t, "a", "b")
	var spoken atomic.Int32
	ok(t, w.Conn().Hear(func(_ context.Context, name, _ string, _ []byte) []byte {
		if name != "a" {
			spoken.Add(1)
		}
		return []byte("heard")
	}))
	var leaked atomic.Int32
	a := w.dial(t, "a")
	for _, subject := range []string{"to.b.>", "to.>", ">", "from.>", "_INBOX.>", "_INBOX.b.>", "_INBOX.server.>", "$SYS.>"} {
		_, err := a.nats.Subscribe(subject, func(*nats.Msg) { leaked.Add(1) })
		ok(t, err)
	}
	for _, subject := range []string{"to.b.Stop", "from.b.Ready", "_INBOX.server.x", "_INBOX.b.x", "from.", "$SYS.REQ.SERVER.PING"} {
		ok(t, a.nats.PublishRequest(subject, "_INBOX.a.x", nil))
	}
	ok(t, a.nats.Flush())
	b := w.dial(t, "b")
	ok(t, b.Serve("b", func(context.Context, string, []byte) []byte { spoken.Add(100); return []byte("yes") }))
	if got, err := w.Conn().Ask(t.Context(), "b", "Probe", nil); err != nil || string(got) != "yes" {
		t.Fatalf("b answers %q, %v", got, err)
	}
	if got, err := a.Tell(t.Context(), "a", "Ready", nil); err != nil || string(got) != "heard" {
		t.Fatalf("a is answered %q, %v", got, err)
	}
	if n := spoken.Load(); n != 100 {
		t.Errorf("a spoke as somebody else: %d", n)
	}
	if n := leaked.Load(); n != 0 {
		t.Errorf("a heard %d messages that were not for it", n)
	}
}

func TestWhoIsLetIn(t *testing.T) {
	t.Parallel()
	w := open(t, "a")
	stranger, err := NewKey()
	ok(t, err)
	public, err := w.keys["a"].Public()
	ok(t, err)
	other, _ := bustest.TLS(t)
	for name, o := range map[string]DialOptions{
		"an unknown key":       {Key: stranger},
		"a wrong token":        {Token: "guess"},
		"nobody":               {Token: " "},
		"who trusts no server": {Key: w.keys["a"], TLS: &tls.Config{MinVersion: tls.VersionTLS13, Certificates: other.Certificates}},
	} {
		o.Server, o.Name, o.Log = w.Address().String(), "a", quiet
		if o.TLS == nil {
			o.TLS = w.client
		}
		if c, err := Dial(o); err == nil {
			c.Close()
			t.Errorf("%s was let in", name)
		}
	}
	forged := nats.Nkey(public, stranger.pair.Sign)
	if c, err := nats.Connect("tls://"+w.Address().String(), forged, nats.Secure(w.client), nats.TLSHandshakeFirst()); err == nil {
		c.Close()
		t.Error("a's public key with another's signature was let in")
	}
	guess := nats.UserInfo(ownName, "guess")
	if c, err := nats.Connect("tls://"+w.Address().String(), guess, nats.Secure(w.client), nats.TLSHandshakeFirst()); err == nil {
		c.Close()
		t.Error("somebody who calls itself the server was let in")
	}
	c, err := Dial(DialOptions{Server: w.Address().String(), TLS: w.client, Name: "new", Token: "introduce", Timing: quick, Log: quiet})
	ok(t, err)
	c.Close()
}

// A name is in one place: who comes last is the one that is asked. One that is dropped comes back, if it still may.
func TestOnePlace(t *testing.T) {
	t.Parallel()
	w := open(t, "a")
	lost := make(chan struct{}, 8)
	first, err := Dial(DialOptions{
		Server: w.Address().String(), TLS: w.client, Name: "a", Key: w.keys["a"], Timing: quick, Log: quiet, Lost: func(error) { lost <- struct{}{} },
	})
	ok(t, err)
	defer first.Close()
	w.dial(t, "a")
	select {
	case <-lost:
	case <-time.After(30 * time.Second):
		t.Error("the first of two connections was not ended")
	}
}
