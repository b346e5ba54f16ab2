package cli_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/internal/cli"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/remote"
)

// What was told to a cloud in confidence, wherever it takes such a thing, is in no dump; nor is what it makes up itself.
func TestDumpHoldsNoSecret(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	home := t.TempDir()
	run := func(line ...string) string {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code := cli.Run(context.Background(), cli.Env{
			Getenv: func(name string) string {
				return map[string]string{
					"HOME": home, "VIRGA_ENDPOINT": c.Client.Endpoint, "VIRGA_APIKEY": c.Client.APIKey, "VIRGA_SECRETKEY": c.Client.SecretKey,
				}[name]
			},
			Dir: home, UID: os.Getuid(), Now: time.Now, Stdin: strings.NewReader(""), Stdout: &stdout, Stderr: &stderr,
		}, line)
		if code != 0 {
			t.Fatalf("%v: exit code %d, %s", line, code, &stderr)
		}
		return stdout.String()
	}
	n := 0
	canary := func() string { n++; return fmt.Sprintf("c4n4ry%dz", n) }
	secrets := map[string]string{c.Client.APIKey: "an API key", c.Client.SecretKey: "a secret key"}
	tell := func(what, text string) string { secrets[text] = what; return text }

	run("add", "imagestore", "provider=Local", "url=file:///pictures", "zoneid=Sandbox-simulator")
	run("register", "template", "name=guarded", "format=QCOW2", "hypervisor=Simulator", "zoneid=Sandbox-simulator", "passwordenabled=true",
		"url=http://images.example/x.qcow2?X-Amz-Signature="+tell("a signature in a URL", canary())+"&token="+tell("a token in a URL", canary()),
		"details.rootPassword="+tell("a template's detail", canary()))
	data := canary()
	secrets[base64.StdEncoding.EncodeToString([]byte(data))], secrets[data] = "user data", "user data"
	pair := run("create", "sshkeypair", "name=mine", "-o", "json")
	var made struct{ KeyPair struct{ PrivateKey string } }
	if err := json.Unmarshal([]byte(pair), &made); err != nil || made.KeyPair.PrivateKey == "" {
		t.Fatalf("a key pair: %v, %s", err, pair)
	}
	for i, line := range strings.Split(strings.TrimSpace(made.KeyPair.PrivateKey), "\n") {
		if i > 0 && len(line) == 64 { // the lines that are the key itself
			secrets[line] = "a private key"
		}
	}
	run("create", "serviceoffering", "name=noted", "cpunumber=1", "cpuspeed=100", "memory=128",
		"serviceofferingdetails.adminPassword="+tell("an offering's detail", canary()))
	for _, wait := range []bool{true, false} { // the second job may still be under way when the dump is taken
		if !wait {
			run("configure", "simulator", "name=StartCommand", "value=wait:600", "count=1")
		}
		line := []string{"deploy", "virtualmachine", "zoneid=Sandbox-simulator", "serviceofferingid=noted", "templateid=guarded", "-o", "json",
			"keypair=mine", "userdata=" + base64.StdEncoding.EncodeToString([]byte(data)), "details.guestPassword=" + tell("a machine's detail", canary())}
		if !wait {
			line = append(line, "--no-wait")
		}
		var vm struct {
			JobID          string
			VirtualMachine struct{ Password string }
		}
		if err := json.Unmarshal([]byte(run(line...)), &vm); wait && (err != nil || vm.VirtualMachine.Password == "") {
			t.Fatalf("a machine without a password: %v", err)
		}
		if wait {
			tell("a machine's password", vm.VirtualMachine.Password)
		} else {
			defer func() {
				if _, err := (remote.Cloud{Send: c.Client.Send, Now: time.Now}).Wait(context.Background(), vm.JobID); err != nil {
					t.Error(err)
				}
			}()
		}
	}

	text := run("dump")
	for secret, what := range secrets {
		if strings.Contains(text, secret) {
			at := strings.Index(text, secret)
			t.Errorf("%s is in the dump: %s", what, text[max(0, at-100):min(len(text), at+100)])
		}
	}
	var d struct {
		Lists   map[string]struct{ Count int }
		Missing []any
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil || len(d.Missing) != 0 || d.Lists["listVirtualMachines"].Count != 2 ||
		d.Lists["listTemplates"].Count < 2 || d.Lists["listSSHKeyPairs"].Count != 1 || d.Lists["listEvents"].Count < 5 {
		t.Errorf("the dump has %v and lacks %v, %v", d.Lists, d.Missing, err)
	}
}
