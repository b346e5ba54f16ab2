package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// The doctor looks into the database of a server that runs, and of one that doesn't; Ctrl-C ends a measurement, whose machines go.
func TestToolsBesideAServer(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	p := startDev(t, "--data", data)
	if r := p.commandLine("doctor", "--data", data); r.code != 0 || !strings.Contains(r.out, "ok       database") || !strings.Contains(r.out, "ok       folder") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.errs)
	}
	must(t, os.Chmod(data, 0o755))
	if r := p.commandLine("doctor", "--data", data); r.code != 1 || !strings.Contains(r.out, "chmod 700 "+data) {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.errs)
	}

	path, err := binary()
	must(t, err)
	figures := filepath.Join(t.TempDir(), "figures.json")
	cmd := exec.Command(path, "bench", "deploy", "--duration", "1h", "--prefix", "endless", "--json", figures)
	cmd.Env = []string{"HOME=" + p.Home, "VIRGA_ENDPOINT=" + p.Creds.Endpoint, "VIRGA_APIKEY=" + p.Creds.APIKey, "VIRGA_SECRETKEY=" + p.Creds.SecretKey}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	out := &lockedBuffer{}
	cmd.Stdout, cmd.Stderr = out, out
	must(t, begin(cmd))
	machines := func() int {
		page, err := api.Fetch(t.Context(), p.client(), cs.ListVirtualMachines, cs.ListVirtualMachinesIn{Paging: api.Paging{Keyword: "endless"}})
		must(t, err)
		return page.Count
	}
	p.until("machines", func() bool { return machines() > 4 })
	must(t, cmd.Process.Signal(os.Interrupt))
	_ = cmd.Wait() // its exit code is looked at
	text, err := os.ReadFile(figures)
	must(t, err)
	if cmd.ProcessState.ExitCode() != 5 || machines() != 0 || !strings.Contains(string(text), `"interrupted": true`) {
		t.Errorf("exit code %d, %d machines\n%s\n%s", cmd.ProcessState.ExitCode(), machines(), out, text)
	}
	p.stop(os.Interrupt)
	r := p.commandLine("doctor", "--data", data)
	if r.code != 3 || !strings.Contains(r.out, "does not answer") || !strings.Contains(r.out, "ok       database") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.errs)
	}
	alone := exec.Command(path, "doctor", "--data", t.TempDir())
	alone.Env = []string{"HOME=" + p.Home}
	if out, err := alone.CombinedOutput(); alone.ProcessState.ExitCode() != 1 || !strings.Contains(string(out), "no such file") {
		t.Errorf("%v\n%s", err, out)
	}
}
