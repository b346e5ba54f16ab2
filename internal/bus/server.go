package bus

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"
)

// Dialed is who asks to be let in.
type Dialed struct {
	Key     string // public key that it has proved to hold; "" where it came with a token
	Token   string
	Address net.Addr
}

// Options say what bus to open.
type Options struct {
	Listen string // "host:port"; port 0 takes a free one
	TLS    *tls.Config
	// Admit gives the name under which somebody who dials in is known here, of letters, digits and "-". An error keeps it out, and is
	// logged and not told: who it was does not concern it.
	Admit  func(d Dialed) (name string, err error)
	Timing Timing
	Log    *slog.Logger
}

// Server is a bus that agents dial in to.
type Server struct {
	nats *server.Server
	own  *Conn
	in   *admission
}

// maxMessage is the longest message: a router's document with some ten thousand guests and their user data.
const maxMessage = 32 << 20

// readyWithin is how long the NATS server may take to listen.
const readyWithin = 10 * time.Second

// Open opens a bus, which listens when it returns.
func Open(o Options) (*Server, error) {
	host, port, err := net.SplitHostPort(o.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for agents at %q: %w", o.Listen, err)
	}
	n, err := net.DefaultResolver.LookupPort(context.Background(), "tcp", port)
	if err != nil {
		return nil, fmt.Errorf("listen for agents at %q: %w", o.Listen, err)
	}
	if n == 0 {
		n = server.RANDOM_PORT
	}
	if host == "" {
		host = "0.0.0.0"
	}
	in := &admission{admit: o.Admit, log: o.Log, password: rand.Text(), here: map[string]uint64{}}
	ns, err := server.NewServer(&server.Options{
		Host: host, Port: n, TLSConfig: o.TLS, TLS: true, TLSHandshakeFirst: true, TLSTimeout: 5,
		NoLog: true, NoSigs: true, NoSystemAccount: true, MaxPayload: maxMessage, MaxPending: 4 * maxMessage,
		AlwaysEnableNonce: true, CustomClientAuthentication: in,
		PingInterval: 5 * time.Second, MaxPingsOut: 2, // so that a connection to a dead machine is noticed
	})
	if err != nil {
		return nil, fmt.Errorf("listen for agents at %s: %w", o.Listen, err)
	}
	in.drop = ns.DisconnectClientByID
	go ns.Start()
	s := &Server{nats: ns, in: in}
	if !ns.ReadyForConnections(readyWithin) {
		s.Close()
		return nil, fmt.Errorf("listen for agents at %s: the address is taken, or is none of this machine's", o.Listen)
	}
	own, err := nats.Connect("", nats.InProcessServer(ns), nats.UserInfo(ownName, in.password), nats.CustomInboxPrefix("_INBOX.server"))
	if err != nil {
		s.Close()
		return nil, fmt.Errorf("connect to the bus inside: %w", err)
	}
	s.own = newConn(own, o.Timing)
	return s, nil
}

// Conn is the server's own connection, which may ask everybody.
func (s *Server) Conn() *Conn { return s.own }

// Address is where agents dial in.
func (s *Server) Address() net.Addr { return s.nats.Addr() }

// Names are those that have dialed in; some may be gone again.
func (s *Server) Names() []string {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	return slices.Sorted(maps.Keys(s.in.here))
}

// Drop ends the connection of a name, if it has one. Who is still admitted comes back at once.
func (s *Server) Drop(name string) { s.in.replace(name, 0) }

// Close ends all connections.
func (s *Server) Close() {
	if s.own != nil {
		s.own.Close()
	}
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

const ownName = "server"

// admission decides who is let in, and what under.
type admission struct {
	admit    func(Dialed) (string, error)
	log      *slog.Logger
	password string
	drop     func(client uint64) error

	mu   sync.Mutex
	here map[string]uint64 // the connection of each name that has been here
}

var names = regexp.MustCompile(`^[A-Za-z0-9-]{1,64}$`)

// Check is NATS's question. What a connection may do is bound to its name here, and nowhere else.
func (a *admission) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if o.Username == ownName && o.Password == a.password && c.GetTLSConnectionState() == nil {
		c.RegisterUser(&server.User{Username: ownName})
		return true
	}
	name, err := a.name(c)
	if err == nil && (!names.MatchString(name) || name == ownName) {
		err = fmt.Errorf("%q can't be a name here", name)
	}
	if err != nil {
		a.log.Warn("somebody was not let in to the bus", "from", c.RemoteAddress(), "error", err)
		return false
	}
	a.replace(name, c.GetID())
	c.RegisterUser(&server.User{Username: name, Permissions: &server.Permissions{
		Subscribe: &server.SubjectPermission{Allow: []string{"to." + name + ".>", inboxOf(name) + ".>"}},
		Publish:   &server.SubjectPermission{Allow: []string{"from." + name + ".>"}},
		Response:  &server.ResponsePermission{MaxMsgs: -1, Expires: -1}, // signs of life, and the answer
	}})
	return true
}

// replace ends the connection that a name had: a name is in one place, and whoever comes last is the one that lives.
func (a *admission) replace(name string, client uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if old := a.here[name]; old != 0 {
		go func() { _ = a.drop(old) }() // not from within NATS's question; it may be gone already
	}
	if client == 0 {
		delete(a.here, name)
	} else {
		a.here[name] = client
	}
}

func (a *admission) name(c server.ClientAuthentication) (string, error) {
	o := c.GetOpts()
	d := Dialed{Key: o.Nkey, Token: o.Token, Address: c.RemoteAddress()}
	switch {
	case d.Key != "" && d.Token != "":
		return "", errors.New("it came with a key and a token")
	case d.Key != "":
		if err := proves(d.Key, o.Sig, c.GetNonce()); err != nil {
			return "", err
		}
	case d.Token == "":
		return "", errors.New("it came with neither key nor token")
	}
	return a.admit(d)
}

// proves checks that who dials in has the private half of its key.
func proves(key, signature string, nonce []byte) error {
	public, err := nkeys.FromPublicKey(key)
	if err != nil {
		return fmt.Errorf("its key can't be read: %w", err)
	}
	signed, err := base64.RawURLEncoding.DecodeString(signature)
	if err != nil {
		return fmt.Errorf("its signature can't be read: %w", err)
	}
	if len(nonce) == 0 {
		return errors.New("there is nothing that it could have signed")
	}
	if err := public.Verify(nonce, signed); err != nil {
		return fmt.Errorf("its signature is not that of its key: %w", err)
	}
	return nil
}

func inboxOf(name string) string { return "_INBOX." + name }
