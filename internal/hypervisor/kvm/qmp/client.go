package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// maxLine is how long a message may be: QEMU writes each in one line.
const maxLine = 16 << 20

// ErrClosed is what commands fail with once QEMU is gone.
var ErrClosed = errors.New("QEMU's monitor is closed")

// Error is a command's refusal.
type Error struct {
	Command string `json:"-"`
	Class   string `json:"class"` // GenericError nearly always
	Desc    string `json:"desc"`
}

// Error says what QEMU said.
func (e *Error) Error() string { return e.Command + ": " + e.Desc }

// Event is something that QEMU tells unasked.
type Event struct {
	Name string
	Data json.RawMessage
}

// Client is a conversation with one QEMU, for any number of goroutines.
type Client struct {
	conn  *net.UnixConn
	write sync.Mutex

	mu      sync.Mutex
	next    uint64
	waiting map[uint64]chan message
	watches map[*Watch]bool
	done    chan struct{} // closed when nothing more will come
}

// message is any line that QEMU writes.
type message struct {
	QMP    json.RawMessage `json:"QMP"`
	ID     uint64          `json:"id"`
	Return json.RawMessage `json:"return"`
	Error  *Error          `json:"error"`
	Event  string          `json:"event"`
	Data   json.RawMessage `json:"data"`
}

// Dial begins a conversation. QEMU has one at a time: another one waits until the first has ended.
func Dial(ctx context.Context, path string) (*Client, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err != nil {
		return nil, err
	}
	c := &Client{
		conn: conn.(*net.UnixConn), waiting: map[uint64]chan message{}, watches: map[*Watch]bool{}, done: make(chan struct{}),
	}
	greeted := make(chan struct{})
	go c.read(greeted)
	select {
	case <-greeted:
		err = c.Do(ctx, "qmp_capabilities", nil, nil)
	case <-c.done:
		err = ErrClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Closed is a conversation that has ended: whatever is asked fails with [ErrClosed].
func Closed() *Client {
	c := &Client{waiting: map[uint64]chan message{}, watches: map[*Watch]bool{}, done: make(chan struct{})}
	close(c.done)
	return c
}

// Done is closed when the conversation has ended, as it does when QEMU exits.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the conversation. QEMU goes on.
func (c *Client) Close() {
	if c.conn != nil {
		_ = c.conn.Close()
	}
	<-c.done
}

func (c *Client) read(greeted chan struct{}) {
	defer func() {
		_ = c.conn.Close()
		close(c.done)
	}()
	lines := bufio.NewScanner(c.conn)
	lines.Buffer(make([]byte, 4<<10), maxLine)
	for lines.Scan() {
		var m message
		if json.Unmarshal(lines.Bytes(), &m) != nil {
			return // whatever it is, it is not QMP
		}
		switch {
		case m.QMP != nil:
			if greeted != nil {
				close(greeted)
				greeted = nil
			}
		case m.Event != "":
			c.tell(Event{m.Event, m.Data})
		default:
			c.mu.Lock()
			answer := c.waiting[m.ID]
			delete(c.waiting, m.ID)
			c.mu.Unlock()
			if answer != nil {
				answer <- m
			}
		}
	}
}

// Do has QEMU carry out a command, and reads its answer into result where that is not nil. A refusal is an [*Error]. Where the
// context ends first the command may have been carried out or not.
func (c *Client) Do(ctx context.Context, command string, args, result any) error {
	return c.do(ctx, command, args, result, nil)
}

// Give hands a file over, for commands to name. QEMU has one of its own then.
func (c *Client) Give(ctx context.Context, name string, f *os.File) error {
	return c.do(ctx, "getfd", map[string]string{"fdname": name}, nil, f)
}

func (c *Client) do(ctx context.Context, command string, args, result any, f *os.File) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if c.conn == nil {
		return fmt.Errorf("%s: %w", command, ErrClosed)
	}
	answer := make(chan message, 1)
	c.mu.Lock()
	c.next++
	id := c.next
	c.waiting[id] = answer
	c.mu.Unlock()
	forget := func() {
		c.mu.Lock()
		delete(c.waiting, id)
		c.mu.Unlock()
	}
	line, err := json.Marshal(struct {
		Execute   string `json:"execute"`
		Arguments any    `json:"arguments,omitempty"`
		ID        uint64 `json:"id"`
	}{command, args, id})
	if err == nil {
		err = c.send(ctx, append(line, '\n'), f)
	}
	if err != nil {
		forget()
		return fmt.Errorf("%s: %w", command, err)
	}
	var m message
	select {
	case m = <-answer:
	case <-ctx.Done():
		forget()
		return ctx.Err()
	case <-c.done:
		select {
		case m = <-answer: // it was the last thing that QEMU said
		default:
			forget()
			return fmt.Errorf("%s: %w", command, ErrClosed)
		}
	}
	switch {
	case m.Error != nil:
		m.Error.Command = command
		return m.Error
	case result == nil:
		return nil
	}
	return json.Unmarshal(m.Return, result)
}

func (c *Client) send(ctx context.Context, line []byte, f *os.File) error {
	c.write.Lock()
	defer c.write.Unlock()
	// A QEMU that takes nothing must not hold on to those who have something to say.
	stop := context.AfterFunc(ctx, func() { _ = c.conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer func() {
		if !stop() {
			_ = c.conn.SetWriteDeadline(time.Time{})
		}
	}()
	var rights []byte
	if f != nil {
		rights = syscall.UnixRights(int(f.Fd()))
	}
	n, _, err := c.conn.WriteMsgUnix(line, rights, nil)
	for err == nil && n < len(line) {
		var more int
		more, err = c.conn.Write(line[n:])
		n += more
	}
	if err == nil {
		return nil
	}
	if n > 0 { // half a command was said; nothing after it would be understood
		_ = c.conn.Close()
	}
	select {
	case <-c.done:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	default:
		return err
	}
}
