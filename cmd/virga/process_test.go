package main_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
)

// binary builds the program once per test run, as a user would.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "virga-bin-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "virga")
	build := exec.Command("go", "build", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		_ = os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

// process is a running virga.
type process struct {
	t     testing.TB
	cmd   *exec.Cmd
	out   *lockedBuffer
	Took  time.Duration // from the start to the first answer
	Creds credentials
	Keys  string // the file that they are from
	done  chan struct{}
	Home  string // for who speaks to it by the command line
}

type credentials struct {
	Endpoint, UI, Username, Password, APIKey, SecretKey string
}

type lockedBuffer struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// begin starts a command that is killed when this process ends. The kernel does that when the thread ends that has started it, so there
// is one for that.
func begin(cmd *exec.Cmd) error {
	begun := make(chan error)
	beginners() <- func() { begun <- cmd.Start() }
	return <-begun
}

var beginners = sync.OnceValue(func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
})

// launch starts the program; it is killed at the test's end at the latest.
func launch(t testing.TB, args ...string) *process {
	t.Helper()
	return launchBy(t, nil, args...)
}

// launchBy is launch by a program that becomes the one that it is told.
func launchBy(t testing.TB, by []string, args ...string) *process {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, out: &lockedBuffer{}, done: make(chan struct{}), Home: t.TempDir()}
	line := slices.Concat(by, []string{path}, args)
	p.cmd = exec.Command(line[0], line[1:]...)
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	must(t, begin(p.cmd))
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(p.kill)
	return p
}

// startDev starts "virga dev" on some free port, in a folder of its own unless one is given, and waits until it answers.
func startDev(t testing.TB, args ...string) *process {
	t.Helper()
	file := filepath.Join(t.TempDir(), "credentials.json")
	if !slices.Contains(args, "--data") { // not in memory: a process that is killed leaves it behind
		args = append(args, "--data", filepath.Join(t.TempDir(), "data"))
	}
	began := time.Now()
	p := launch(t, append([]string{"dev", "--listen", "127.0.0.1:0", "--credentials-file", file}, args...)...)
	p.until("the credentials file", func() bool { return p.read(file) == nil })
	p.Took = time.Since(began)
	return p
}

// read reads how to sign in.
func (p *process) read(credentials string) error {
	text, err := os.ReadFile(credentials)
	if err != nil {
		return err
	}
	p.Keys = credentials
	return json.Unmarshal(text, &p.Creds)
}

// until polls for something that another process does.
func (p *process) until(what string, happened func() bool) {
	p.t.Helper()
	p.within(time.Minute, what, happened)
}

// within is until for what may take longer.
func (p *process) within(most time.Duration, what string, happened func() bool) {
	p.t.Helper()
	limit := time.NewTimer(most)
	defer limit.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !happened() {
		select {
		case <-tick.C:
		case <-p.done:
			p.t.Fatalf("virga ended while waiting for %s:\n%s", what, p.out)
		case <-limit.C:
			p.t.Fatalf("no %s after %v:\n%s", what, most, p.out)
		}
	}
}

func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// stop asks the program to end and tells how long that took.
func (p *process) stop(signal os.Signal) time.Duration {
	p.t.Helper()
	began := time.Now()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		p.t.Fatalf("virga goes on a minute after %v:\n%s", signal, p.out)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		p.t.Errorf("exit status %d after %v:\n%s", code, signal, p.out)
	}
	return time.Since(began)
}

func (p *process) client() *api.Client {
	return &api.Client{Endpoint: p.Creds.Endpoint, APIKey: p.Creds.APIKey, SecretKey: p.Creds.SecretKey, PollInterval: 10 * time.Millisecond}
}

// rss is how much memory the program has, in MB.
func (p *process) rss() float64 {
	p.t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kb float64
		if n, _ := fmt.Sscanf(s.Text(), "VmRSS: %f kB", &kb); n == 1 {
			return kb / 1024
		}
	}
	p.t.Fatal("no VmRSS")
	return 0
}

func get(t testing.TB, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(text)
}
