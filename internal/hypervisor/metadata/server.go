package metadata

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/uid"
)

// What guests may take of the process, so that one leaves something for the others.
const (
	connections = 8 // of a guest at a time
	patience    = 10 * time.Second
	idle        = 5 * time.Second
	mostHeader  = 8 << 10
	mostWords   = 64 << 20 // of a document
)

// Server answers guests.
type Server struct {
	neighbour func(link string, ip net.IP) (net.HardwareAddr, error)

	mu        sync.Mutex
	listening map[string]*listener // by link, address and port
	guests    map[string]Guest     // by link and address
	open      map[uid.NIC]int      // connections
	secrets   map[uid.NIC]*secret
	problems  []string
}

// secret is a password that waits, or the trace of one that was saved: enough to know it again.
type secret struct {
	password string
	saved    [sha256.Size]byte
}

type listener struct {
	net.Listener
	server *http.Server
}

// New makes a server that answers nobody yet.
func New() *Server {
	return &Server{neighbour: neighbour, listening: map[string]*listener{}, open: map[uid.NIC]int{}, secrets: map[uid.NIC]*secret{}}
}

// Set makes what guests are told what a document says.
func (s *Server) Set(d Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.problems = nil
	guests, known, want := map[string]Guest{}, map[uid.NIC]bool{}, map[string]bool{}
	for _, segment := range d.Segments {
		for _, g := range segment.Guests {
			known[g.NIC] = true
			s.remember(g.NIC, g.Password)
			g.Password = ""
			for _, ip := range []string{g.IP, g.IP6} {
				if ip != "" {
					guests[place(segment.Link, net.ParseIP(ip))] = g
				}
			}
		}
		for _, address := range segment.Addresses {
			for port, handler := range map[string]http.HandlerFunc{"80": s.data, "8080": s.password} {
				key := segment.Link + " " + net.JoinHostPort(address, port)
				want[key] = true
				s.listen(key, segment.Link, net.JoinHostPort(address, port), handler)
			}
		}
	}
	s.guests = guests
	for nic := range s.secrets {
		if !known[nic] {
			delete(s.secrets, nic)
		}
	}
	for key, l := range s.listening {
		if !want[key] {
			_ = l.server.Close()
			delete(s.listening, key)
		}
	}
}

func (s *Server) remember(nic uid.NIC, password string) {
	if password == "" {
		return
	}
	if had := s.secrets[nic]; had != nil && had.password == "" && had.saved == sha256.Sum256([]byte(password)) {
		return // whoever sent it did not know yet
	}
	s.secrets[nic] = &secret{password: password}
}

func place(link string, ip net.IP) string { return link + " " + ip.String() }

// listen opens a port where it is not open, on one link only.
func (s *Server) listen(key, link, address string, handler http.HandlerFunc) {
	if s.listening[key] != nil {
		return
	}
	config := net.ListenConfig{Control: control(link)}
	opened, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		s.problems = append(s.problems, fmt.Sprintf("listen at %s on %s: %v", address, link, err))
		return
	}
	l := &listener{Listener: opened, server: &http.Server{
		Handler: handler, ReadTimeout: patience, WriteTimeout: patience, IdleTimeout: idle, MaxHeaderBytes: mostHeader,
		ConnContext: func(ctx context.Context, c net.Conn) context.Context {
			return context.WithValue(ctx, caller{}, c.(*conn).nic)
		},
	}}
	s.listening[key] = l
	go func() { _ = l.server.Serve(&door{Listener: opened, link: link, server: s}) }()
}

// control binds a socket to a link.
func control(link string) func(network, address string, c syscall.RawConn) error {
	return func(_, _ string, c syscall.RawConn) error {
		var binding error
		err := c.Control(func(fd uintptr) {
			if link != "" {
				binding = unix.SetsockoptString(int(fd), unix.SOL_SOCKET, unix.SO_BINDTODEVICE, link)
			}
		})
		return errors.Join(err, binding)
	}
}

// caller is the key under which a connection's guest is found.
type caller struct{}

// door lets in who is known.
type door struct {
	net.Listener
	link   string
	server *Server
}

// conn is a guest's connection.
type conn struct {
	net.Conn
	nic   uid.NIC
	close func()
}

func (c *conn) Close() error {
	c.close()
	return c.Conn.Close()
}

// Accept gives the next connection of a guest. Others are closed without a word.
func (d *door) Accept() (net.Conn, error) {
	for {
		c, err := d.Listener.Accept()
		if err != nil {
			return nil, err
		}
		nic, ok := d.server.enter(d.link, c.RemoteAddr().(*net.TCPAddr).IP)
		if !ok {
			_ = c.Close()
			continue
		}
		var once sync.Once
		return &conn{Conn: c, nic: nic, close: func() { once.Do(func() { d.server.leave(nic) }) }}, nil
	}
}

// enter finds out who calls; it is not ok for nobody that is to be answered.
func (s *Server) enter(link string, ip net.IP) (nic uid.NIC, ok bool) {
	s.mu.Lock()
	g, ok := s.guests[place(link, ip)]
	if !ok || s.open[g.NIC] >= connections {
		s.mu.Unlock()
		return "", false
	}
	s.open[g.NIC]++
	s.mu.Unlock()
	// The network of the host sees to it that guests keep to their addresses; this does, too, where a network could not.
	mac, err := s.neighbour(link, ip)
	if err != nil || !strings.EqualFold(mac.String(), g.MAC) {
		s.leave(g.NIC)
		return "", false
	}
	return g.NIC, true
}

func (s *Server) leave(nic uid.NIC) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[nic]--; s.open[nic] <= 0 {
		delete(s.open, nic)
	}
}

// current is who asks, as the newest document has it: a connection may be older than that.
func (s *Server) current(r *http.Request) (Guest, bool) {
	nic, _ := r.Context().Value(caller{}).(uid.NIC)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, is := range s.guests {
		if is.NIC == nic {
			return is, true
		}
	}
	return Guest{}, false
}

// data answers at port 80.
func (s *Server) data(w http.ResponseWriter, r *http.Request) {
	g, ok := s.current(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		http.Error(w, "GET it", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	path := strings.Trim(r.URL.Path, "/")
	if name, is := strings.CutPrefix(path, "nocloud/"); is {
		noCloud(w, r, name, g)
		return
	}
	switch name, latest := strings.CutPrefix(path, "latest/"); {
	case path == "":
		_, _ = io.WriteString(w, "latest\n")
	case path == "latest":
		_, _ = io.WriteString(w, "meta-data\nuser-data\n")
	case !latest:
		http.NotFound(w, r)
	case name == "user-data":
		if g.UserData == nil {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(g.UserData)
	case name == "meta-data":
		names := make([]string, 0, len(g.Meta))
		for n := range g.Meta {
			names = append(names, n)
		}
		slices.Sort(names)
		_, _ = io.WriteString(w, strings.Join(names, "\n"))
	default:
		value, ok := g.Meta[strings.TrimPrefix(name, "meta-data/")]
		if !ok {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, value)
	}
}

// noCloud answers who has been told to look at http://<router>/nocloud/ (cloud-init: ds=nocloud;s=…), who wants user data though there are none.
func noCloud(w http.ResponseWriter, r *http.Request, name string, g Guest) {
	switch name {
	case "user-data":
		_, _ = w.Write(g.UserData)
	case "meta-data":
		_, _ = w.Write(g.NoCloud)
	default: // vendor-data is looked for, too
		http.NotFound(w, r)
	}
}

// password answers at port 8080, in the words that scripts in templates know.
func (s *Server) password(w http.ResponseWriter, r *http.Request) {
	g, ok := s.current(r)
	if !ok {
		http.NotFound(w, r)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	waiting := s.secrets[g.NIC]
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	switch strings.TrimSpace(r.Header.Get("DomU_Request")) { //nolint:canonicalheader // as those scripts write it
	case "send_my_password":
		if waiting == nil || waiting.password == "" {
			_, _ = io.WriteString(w, "saved_password")
			return
		}
		_, _ = io.WriteString(w, waiting.password)
	case "saved_password":
		if waiting != nil && waiting.password != "" {
			waiting.saved, waiting.password = sha256.Sum256([]byte(waiting.password)), ""
		}
		_, _ = io.WriteString(w, "saved_password")
	default:
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.WriteString(w, "bad_request")
	}
}

// Status tells how it is.
func (s *Server) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	status := Status{Problems: s.problems}
	for nic, p := range s.secrets {
		if p.password == "" {
			status.Saved = append(status.Saved, nic)
		}
	}
	slices.Sort(status.Saved)
	return status
}

// Control is what the agent asks the process, over its unix socket.
func (s *Server) Control() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /document", func(w http.ResponseWriter, r *http.Request) {
		var d Document
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostWords)).Decode(&d); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.Set(d)
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("GET /status", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(s.Status()) })
	return mux
}
