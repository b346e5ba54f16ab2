package qmp

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// peer speaks QEMU's part: it is given each line, and answers what say returns.
func peer(t *testing.T, say func(line string) string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "q")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, `{"QMP":{"version":{}}}`+"\r\n")
		lines := bufio.NewScanner(conn)
		for lines.Scan() {
			text := say(lines.Text())
			if text == "bye" {
				return
			}
			_, _ = io.WriteString(conn, text)
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return path
}

// id is what a command was numbered.
func id(line string) string {
	_, after, _ := strings.Cut(line, `"id":`)
	return strings.TrimRight(after, "}")
}

func TestConversation(t *testing.T) {
	t.Parallel()
	path := peer(t, func(line string) string {
		switch {
		case strings.Contains(line, "query-status"):
			return `{"event":"RESET","data":{"guest":true}}` + "\n" + `{"event":"OTHER"}` + "\n" +
				`{"id":77,"return":{}}` + "\n" + `{"return":{"status":"running"},"id":` + id(line) + "}\n"
		case strings.Contains(line, "refuse"):
			return `{"error":{"class":"GenericError","desc":"no"},"id":` + id(line) + "}\n"
		case strings.Contains(line, "silence"):
			return ""
		case strings.Contains(line, "quit"):
			return "bye"
		}
		return `{"return":{},"id":` + id(line) + "}\n"
	})
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w := c.Watch("RESET")
	defer w.Close()
	var status struct{ Status string }
	if err := c.Do(t.Context(), "query-status", nil, &status); err != nil || status.Status != "running" {
		t.Errorf("the status is %+v, %v", status, err)
	}
	if e, err := w.Next(t.Context()); err != nil || e.Name != "RESET" || string(e.Data) != `{"guest":true}` {
		t.Errorf("the event is %+v, %v", e, err)
	}
	err = c.Do(t.Context(), "refuse", map[string]int{"x": 1}, nil)
	if refusal, ok := errors.AsType[*Error](err); !ok || refusal.Error() != "refuse: no" {
		t.Errorf("a refusal is %v", err)
	}
	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := c.Do(short, "silence", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silence is %v", err)
	}
	if _, err := w.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("waiting for an event in vain is %v", err)
	}
	if err := c.Do(short, "query-status", nil, nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a command after the end is %v", err)
	}
	if err := c.Do(t.Context(), "query-status", nil, nil); err != nil {
		t.Errorf("after a command that was given up: %v", err)
	}
	if err := c.Do(t.Context(), "quit", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("QEMU's end is %v", err)
	}
	if _, err := w.Next(t.Context()); err == nil { // the second RESET
		_, err = w.Next(t.Context())
		if !errors.Is(err, ErrClosed) {
			t.Errorf("waiting for an event of a QEMU that is gone is %v", err)
		}
	}
	if err := c.Do(t.Context(), "query-status", nil, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a command for a QEMU that is gone is %v", err)
	}
}

func TestGive(t *testing.T) {
	t.Parallel()
	path := peer(t, func(line string) string { return `{"return":{},"id":` + id(line) + "}\n" })
	c, err := Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Give(t.Context(), "tap", os.Stdin); err != nil {
		t.Error(err)
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	if _, err := Dial(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a monitor that is not there answered")
	}
	path := peer(t, func(string) string { return "this is not QMP\n" })
	if _, err := Dial(t.Context(), path); !errors.Is(err, ErrClosed) {
		t.Errorf("what speaks something else is %v", err)
	}
}
