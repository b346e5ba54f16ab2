package metadata

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/virga-cloud/virga/internal/fault"
)

// socket is the file descriptor that a child finds its agent's listening socket at.
const socket = 3

// Child is the process: it answers guests until the context ends, or the router does. It was started with [Files].
func Child(ctx context.Context) error {
	// Other services are the same nobody: they are not to look into this one's memory, and none is to become somebody.
	if err := errors.Join(unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0), unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)); err != nil {
		return fmt.Errorf("keep others out: %w", err)
	}
	file := os.NewFile(socket, "control")
	if file == nil {
		return errors.New("this is started by virga agent, with a socket")
	}
	control, err := net.FileListener(file)
	_ = file.Close()
	if err != nil {
		return fmt.Errorf("the socket from virga agent: %w", err)
	}
	server := &http.Server{Handler: New().Control(), ReadHeaderTimeout: patience}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(control); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// neighbour is the MAC that answers for an address on a link.
func neighbour(link string, ip net.IP) (net.HardwareAddr, error) {
	l, err := netlink.LinkByName(link)
	if err != nil {
		return nil, err
	}
	neighbours, err := netlink.NeighList(l.Attrs().Index, netlink.FAMILY_ALL)
	for range 10 {
		if !errors.Is(err, netlink.ErrDumpInterrupted) { // others came and went meanwhile
			break
		}
		neighbours, err = netlink.NeighList(l.Attrs().Index, netlink.FAMILY_ALL)
	}
	if err != nil {
		return nil, err
	}
	for _, n := range neighbours {
		if n.IP.Equal(ip) && n.HardwareAddr != nil {
			return n.HardwareAddr, nil
		}
	}
	return nil, fmt.Errorf("nobody answers for %s on %s", ip, link)
}

// Control speaks with a child by its socket's file.
type Control struct{ Path string }

// Listen makes the socket that a child is started with. What is there under its name goes.
func (c Control) Listen() (*os.File, error) {
	if err := os.Remove(c.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	var file *os.File
	err := c.near(func(path string) error {
		l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path})
		if err != nil {
			return err
		}
		l.SetUnlinkOnClose(false)
		defer l.Close()
		file, err = l.File()
		return err
	})
	if err == nil {
		err = os.Chmod(c.Path, 0o600)
	}
	return file, err
}

// near calls f with a short name for the socket: the kernel has room for 107 characters.
func (c Control) near(f func(path string) error) error {
	dir, err := os.Open(filepath.Dir(c.Path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(c.Path)))
}

// Set hands the child a document.
func (c Control) Set(ctx context.Context, d Document) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPut, "/document", body, nil)
}

// Status asks the child how it is. It is fault.Unavailable when there is none.
func (c Control) Status(ctx context.Context) (s Status, err error) {
	return s, c.ask(ctx, http.MethodGet, "/status", nil, &s)
}

func (c Control) ask(ctx context.Context, method, path string, body []byte, into any) error {
	client := http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (conn net.Conn, err error) {
			err = c.near(func(path string) error {
				conn, err = (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "unix", path)
				return err
			})
			return conn, err
		},
	}}
	request, err := http.NewRequestWithContext(ctx, method, "http://metadata"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return fault.Unavailablef("the metadata server does not answer: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, mostHeader))
		return fmt.Errorf("the metadata server: %s: %s", answer.Status, strings.TrimSpace(string(text)))
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(into)
}
