package cli_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/cli"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// On a terminal one sees that a job is at work, and the traces of that are gone when it has ended; a job that fails has an exit
// code of its own.
func TestJobs(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	home, now := t.TempDir(), time.Now()
	run := func(line ...string) (code int, out, errs string) {
		var stdout, stderr bytes.Buffer
		code = cli.Run(context.Background(), cli.Env{
			Getenv: func(name string) string {
				return map[string]string{
					"HOME": home, "VIRGA_ENDPOINT": c.Client.Endpoint, "VIRGA_APIKEY": c.Client.APIKey, "VIRGA_SECRETKEY": c.Client.SecretKey,
				}[name]
			},
			Dir: home, UID: os.Getuid(), Now: func() time.Time { return now }, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr, StderrTerminal: true,
		}, line)
		return code, stdout.String(), stderr.String()
	}
	deploy := []string{
		"deploy", "virtualmachine", "name=job", "zoneid=Sandbox-simulator", "serviceofferingid=Small Instance",
		"templateid=CentOS 5.6 (64-bit) no GUI (Simulator)", "filter=state",
	}
	must := func(line ...string) {
		t.Helper()
		if code, _, errs := run(line...); code != 0 {
			t.Fatalf("%v: exit code %d, %s", line, code, errs)
		}
	}
	must("configure", "simulator", "name=StartCommand", "value=wait:2000", "count=1") // it is looked at before it ends
	code, out, errs := run(deploy...)
	if code != 0 || out != "state  Running\n" || !strings.Contains(errs, "\r\x1b[Kdeploy virtualmachine … 0 s") || !strings.HasSuffix(errs, "\r\x1b[K") {
		t.Errorf("exit code %d, %q, %q", code, out, errs)
	}
	must("create", "serviceoffering", "name=giant", "displaytext=giant", "cpunumber=1", "cpuspeed=500", "memory=8000000")
	deploy[4] = "serviceofferingid=giant"
	deploy[2] = "name=other"
	if code, _, errs := run(deploy...); code != 4 || !strings.Contains(errs, "virga: no host") {
		t.Errorf("a failed job: exit code %d, %q", code, errs)
	}
}
