package main_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/internal/porttest"
)

// A server listens where it was told to and nowhere else: not for profiling, not for clusters, not for "internal" calls.
func TestOnlyDeclaredPorts(t *testing.T) {
	t.Parallel()
	plain := startDev(t)
	if got := plain.listening(); len(got) != 1 || !strings.HasSuffix(strings.TrimSuffix(plain.Creds.UI, "/"), fmt.Sprint(":", got[0])) {
		t.Errorf("listening on %v, want the API's port alone (%s)", got, plain.Creds.UI)
	}
	var port int
	if _, err := fmt.Sscanf(porttest.Free(t), "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	open := startDev(t, "--integration-port", fmt.Sprint(port))
	open.until("the integration port", func() bool { return len(open.listening()) == 2 })
	if status, body := get(t, fmt.Sprintf("http://127.0.0.1:%d/client/api?command=listZones&response=json", port)); status != 200 {
		t.Errorf("the integration port answers %d: %s", status, body)
	}
}

// listening gives the TCP ports that the process listens on.
func (p *process) listening() (ports []int) {
	p.t.Helper()
	mine := map[string]bool{}
	fds, err := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	for _, fd := range fds {
		target, err := os.Readlink(fd)
		if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
			mine[strings.TrimSuffix(inode, "]")] = true
		}
	}
	for _, table := range []string{"tcp", "tcp6"} {
		f, err := os.Open(fmt.Sprintf("/proc/%d/net/%s", p.cmd.Process.Pid, table))
		if err != nil {
			continue // a machine without IPv6
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			fields := strings.Fields(s.Text())
			const listen = "0A"
			if len(fields) < 10 || fields[3] != listen || !mine[fields[9]] {
				continue
			}
			var port int
			_, hex, _ := strings.Cut(fields[1], ":")
			if _, err := fmt.Sscanf(hex, "%X", &port); err != nil {
				p.t.Fatal(err)
			}
			ports = append(ports, port)
		}
		_ = f.Close()
	}
	return ports
}
