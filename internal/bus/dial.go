package bus

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Key is an agent's key pair.
type Key struct {
	pair nkeys.KeyPair
}

// NewKey makes a key pair.
func NewKey() (Key, error) {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return Key{}, fmt.Errorf("make a key pair: %w", err)
	}
	return Key{pair}, nil
}

// ParseKey reads what [Key.Seed] has given.
func ParseKey(seed string) (Key, error) {
	pair, err := nkeys.FromSeed([]byte(seed))
	if err != nil {
		return Key{}, errors.New("this is no key pair's seed") // without the text, which may be half of one
	}
	return Key{pair}, nil
}

// Seed is the whole key pair as a text, which is secret.
func (k Key) Seed() (string, error) {
	seed, err := k.pair.Seed()
	return string(seed), err
}

// Public is its public half.
func (k Key) Public() (string, error) { return k.pair.PublicKey() }

// DialOptions say how to dial in.
type DialOptions struct {
	Server string // "host:port"
	TLS    *tls.Config
	Name   string // that the server knows the caller by
	Key    Key    // or
	Token  string
	Timing Timing
	Log    *slog.Logger
	// Lost and Found are called when the connection breaks, and when it is there again; nil for nobody.
	Lost  func(error)
	Found func()
	// Failed is called when it can't be made again for now, with [ErrRefused] where the server does not let the caller in; nil for nobody.
	Failed func(error)
}

// ErrRefused is what a server says to who is not let in, and no more.
var ErrRefused = errors.New("not let in")

// refused tells a refusal from all else that can be wrong with a connection.
func refused(err error) error {
	if errors.Is(err, nats.ErrAuthorization) {
		return ErrRefused
	}
	return err
}

// dialWithin is how long a server may take to let somebody in.
const dialWithin = 10 * time.Second

// Dial connects to a bus. Once it has, the connection is made again whenever it breaks, until it is closed.
func Dial(o DialOptions) (*Conn, error) {
	opts := []nats.Option{
		nats.Secure(o.TLS), nats.TLSHandshakeFirst(), nats.CustomInboxPrefix(inboxOf(o.Name)), nats.Timeout(dialWithin),
		nats.MaxReconnects(-1), nats.ReconnectWait(time.Second), nats.ReconnectJitter(200*time.Millisecond, time.Second),
		nats.PingInterval(5 * time.Second), nats.MaxPingsOutstanding(2), nats.IgnoreAuthErrorAbort(),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			if errors.Is(err, nats.ErrAuthorization) && o.Failed != nil { // of a connection that is made again
				o.Failed(ErrRefused)
				return
			}
			o.Log.Warn("trouble on the bus", "error", err)
		}),
	}
	if o.Token != "" {
		opts = append(opts, nats.Token(o.Token))
	} else {
		public, err := o.Key.Public()
		if err != nil {
			return nil, err
		}
		opts = append(opts, nats.Nkey(public, o.Key.pair.Sign))
	}
	if o.Lost != nil {
		opts = append(opts, nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { o.Lost(err) }))
	}
	if o.Found != nil {
		opts = append(opts, nats.ReconnectHandler(func(*nats.Conn) { o.Found() }))
	}
	if o.Failed != nil {
		opts = append(opts, nats.ReconnectErrHandler(func(_ *nats.Conn, err error) { o.Failed(refused(err)) }))
	}
	n, err := nats.Connect("tls://"+o.Server, opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to %s: %w", o.Server, refused(err))
	}
	return newConn(n, o.Timing), nil
}
