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
		for range 5 {
			r := p.commandLine(strings.Split(row.line, " ")...)
			if r.code != 0 || !strings.Contains(r.out, row.want) {
				t.Fatalf("%s: exit code %d, %s%s", row.line, r.code, r.out, r.errs)
			}
			best = min(best, r.cpu)
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
		r := p.command(exec.Command("bash", "-c", `source <(virga completion bash)
COMP_LINE=$1 COMP_POINT=${#1}; eval "COMP_WORDS=($2)"; COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_virga; [ ${#COMPREPLY[@]} = 0 ] || printf '%s|' "${COMPREPLY[@]}"`, "bash", row.line, row.words))
		if r.out != row.want || r.code != 0 {
			t.Errorf("%q is completed with %q, want %q (exit code %d) %s", row.line, r.out, row.want, r.code, r.errs)
		}
	}
}
