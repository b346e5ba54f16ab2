package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ran is a command line that has run.
type ran struct {
	out, errs string
	code      int
	took, cpu time.Duration
}

// commandLine runs the program as a user of this cloud would.
func (p *process) commandLine(args ...string) ran {
	p.t.Helper()
	path, err := binary()
	if err != nil {
		p.t.Fatal(err)
	}
	return p.command(exec.Command(path, args...))
}

// command runs a program with the cloud in its environment, and virga on its path.
func (p *process) command(cmd *exec.Cmd) ran {
	p.t.Helper()
	path, err := binary()
	if err != nil {
		p.t.Fatal(err)
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(cmd.Environ(), "VIRGA_ENDPOINT="+p.Creds.Endpoint, "VIRGA_APIKEY="+p.Creds.APIKey, "VIRGA_SECRETKEY="+p.Creds.SecretKey,
		"XDG_CONFIG_HOME="+p.Home, "XDG_CACHE_HOME="+p.Home, "HOME="+p.Home, "PATH="+filepath.Dir(path)+":"+os.Getenv("PATH"))
	began := time.Now()
	err = cmd.Run()
	if cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return ran{out.String(), errs.String(), cmd.ProcessState.ExitCode(), time.Since(began), cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
}

// A command line is quick enough to be typed again and again. Other tests keep this machine busy: the quickest of several counts.
func TestCommandLineIsQuick(t *testing.T) {
	t.Parallel()
	p := startDev(t)
	for _, row := range []struct {
		line string
		want string
		cpu  time.Duration
	}{
		{"list zones", "Sandbox-simulator", 30 * time.Millisecond},
		{"complete -- deploy virtualmachine zoneid=", "Sandbox-simulator", 100 * time.Millisecond},
	} {
		best := time.Hour
		for tries := 0; tries < 5 || best > row.cpu && tries < 50; tries++ {
			r := p.commandLine(strings.Split(row.line, " ")...)
			if r.code != 0 {
				t.Fatalf("%s: exit code %d, %s%s", row.line, r.code, r.out, r.errs)
			}
			if strings.Contains(r.out, row.want) { // what is offered while one types is given up after a second
				best = min(best, r.cpu)
			}
		}
		if best > row.cpu {
			t.Errorf("%s takes %v, want %v at most", row.line, best, row.cpu)
		}
	}
}

// In the folder where "virga dev" runs, nothing has to be configured.
func TestDevIsFoundByTheCommandLine(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := launch(t, "dev", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "virga-data"))
	p.until("the credentials", func() bool {
		_, err := os.Stat(filepath.Join(dir, "virga-data", "credentials.json"))
		return err == nil
	})
	path, err := binary()
	must(t, err)
	cmd := exec.Command(path, "list", "zones", "filter=name")
	cmd.Dir, cmd.Env = dir, []string{"HOME=" + dir}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "name  Sandbox-simulator\n" {
		t.Errorf("%v\n%s", err, out)
	}
	p.stop(os.Interrupt)
}

// Bash offers what virga says, and puts it in so that the line can be sent.
func TestBashCompletes(t *testing.T) {
	t.Parallel()
	p := startDev(t)
	for _, row := range []struct{ line, words, want string }{
		{"virga deploy virt", "virga deploy virt", "virtualmachine |"},
		{"virga deploy virtualmachine zonei", "virga deploy virtualmachine zonei", "zoneid=|"},
		{"virga deploy virtualmachine zoneid=", "virga deploy virtualmachine zoneid =", "Sandbox-simulator |"},
		{"virga deploy virtualmachine serviceofferingid=Sm", "virga deploy virtualmachine serviceofferingid = Sm", `Small\ Instance |`},
		{"virga list nothing ", "virga list nothing ''", ""},
	} {
		script := `source <(virga completion bash)
COMP_LINE=$1 COMP_POINT=${#1}; eval "COMP_WORDS=($2)"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_virga; [ ${#COMPREPLY[@]} = 0 ] || printf '%s|' "${COMPREPLY[@]}"`
		var r ran
		for range 20 { // a server that has not answered within a second is not waited for
			if r = p.command(exec.Command("bash", "-c", script, "bash", row.line, row.words)); r.out != "" || row.want == "" {
				break
			}
		}
		if r.out != row.want || r.code != 0 {
			t.Errorf("%q is completed with %q, want %q (exit code %d) %s", row.line, r.out, row.want, r.code, r.errs)
		}
	}
}

// The shell in a real terminal: completion, explanations, history, pipes, interrupts and the end.
func TestShellInATerminal(t *testing.T) {
	t.Parallel()
	needs(t, "tmux", "tmux")
	p := startDev(t)
	socket := filepath.Join(t.TempDir(), "tmux")
	tmux := func(args ...string) ran {
		cmd := exec.Command("tmux", append([]string{"-S", socket, "-f", "/dev/null"}, args...)...)
		cmd.Env = append(os.Environ(), "SHELL=/bin/sh", "TERM=xterm", "LC_ALL=C.UTF-8")
		return p.command(cmd)
	}
	if r := tmux("new-session", "-d", "-x", "120", "-y", "50", "virga shell"); r.code != 0 {
		t.Fatal(r.errs)
	}
	t.Cleanup(func() { tmux("kill-server") })
	screen := func() string { return strings.TrimRight(tmux("capture-pane", "-p").out, "\n") }
	shows := func(want string) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Log(screen())
			}
		}()
		p.until(want, func() bool { return strings.Contains(screen(), want) })
	}
	// types sends a text to the prompt, and then a key that is to make the terminal show something.
	types := func(text, key, want string) {
		t.Helper()
		tmux("send-keys", "-l", text)
		shows(strings.TrimRight(text, " "))
		tmux("send-keys", key)
		shows(want)
	}
	ready := func() {
		t.Helper()
		p.until("the prompt", func() bool { return strings.HasSuffix(screen(), "\nvirga>") })
	}
	ready()
	types("lis", "Tab", "virga> list")
	types("zo", "Tab", "virga> list zones")
	tmux("send-keys", "Tab")
	types("", "Tab", "networktype=  ")
	types("filter=name", "Enter", "name  Sandbox-simulator")
	ready()
	// offers is types for what the server is asked for: who does not get it within a second presses the key again.
	offers := func(text, want string) {
		t.Helper()
		types(text, "Tab", "")
		pressed := time.Now()
		p.until(want, func() bool {
			if time.Since(pressed) > 3*time.Second {
				tmux("send-keys", "Tab")
				pressed = time.Now()
			}
			return strings.Contains(screen(), want)
		})
	}
	offers("deploy virtualmachine zoneid=", "zoneid=Sandbox-simulator")
	offers(`serviceofferingid="Sm`, `offeringid="Small Instance"`)
	tmux("send-keys", "C-c")
	ready()
	types("login url=127.0.0.1:1 apikey=a secretkey=nobody-else", "Enter", "does not answer")
	ready()
	types("lst zones", "Enter", `did you mean "list"?`)
	ready()
	types("list users filter=username, domain username=admin | grep -c username | sed 's/^/piped /'", "Enter", "piped 1")
	ready()
	types("list zones ?", "Enter", "virga list zones (listZones)")
	ready()
	tmux("send-keys", "Up")
	shows("\nvirga> list zones ?")
	tmux("send-keys", "C-c")
	ready()
	tmux("send-keys", "C-d")
	p.until("the end", func() bool { return tmux("has-session").code != 0 })
	history, err := os.ReadFile(filepath.Join(p.Home, "virga", "history"))
	if err != nil || !strings.Contains(string(history), "lst zones") || strings.Contains(string(history), "nobody-else") {
		t.Errorf("the history: %v\n%s", err, history)
	}
	if info, err := os.Stat(filepath.Join(p.Home, "virga", "history")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the history's mode: %v, %v", info, err)
	}
}
