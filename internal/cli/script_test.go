package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/virga-cloud/virga/internal/cli"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// TestScripts runs the stories in testdata/script, all against one cloud. In a story "virga …" is a command line that works,
// "! virga …" one that doesn't, "exits N …" one that ends with that code, and "feed FILE …" one with a file as its input.
func TestScripts(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	user, _ := c.Tenant(t, "ROOT", "ann", 0)
	measured, _ := c.Tenant(t, "ROOT", "bench", 1) // a root admin: the others' may not expunge
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOME", e.WorkDir)
			e.Setenv("URL", c.Client.Endpoint)
			e.Setenv("KEY", c.Client.APIKey)
			e.Setenv("SECRET", c.Client.SecretKey)
			e.Setenv("USER_KEY", user.APIKey)
			e.Setenv("USER_SECRET", user.SecretKey)
			e.Setenv("BENCH_KEY", measured.APIKey)
			e.Setenv("BENCH_SECRET", measured.SecretKey)
			e.Setenv("VIRGA_ENDPOINT", c.Client.Endpoint)
			e.Setenv("VIRGA_APIKEY", c.Client.APIKey)
			e.Setenv("VIRGA_SECRETKEY", c.Client.SecretKey)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"virga": func(s *testscript.TestScript, neg bool, args []string) {
				if code := virga(s, "", args); (code != 0) != neg {
					s.Fatalf("exit code %d", code)
				}
			},
			"exits": func(s *testscript.TestScript, _ bool, args []string) {
				if code := virga(s, "", args[1:]); strconv.Itoa(code) != args[0] {
					s.Fatalf("exit code %d", code)
				}
			},
			"feed": func(s *testscript.TestScript, neg bool, args []string) {
				if code := virga(s, s.ReadFile(args[0]), args[1:]); (code != 0) != neg {
					s.Fatalf("exit code %d", code)
				}
			},
			// id VAR virga-words… keeps the only value that a command line shows.
			"id": func(s *testscript.TestScript, _ bool, args []string) {
				var out bytes.Buffer
				e := env(s, "")
				e.Stdout = &out
				if code := cli.Run(context.Background(), e, append(args[1:], "-o", "csv", "filter=id")); code != 0 {
					s.Fatalf("exit code %d", code)
				}
				lines := strings.Fields(out.String())
				if len(lines) != 2 {
					s.Fatalf("want one id: %s", &out)
				}
				s.Setenv(args[0], lines[1])
			},
			// plain FILE USER PASSWORD writes a profile of the cloud with a name and a password, and no keys.
			"plain": func(s *testscript.TestScript, _ bool, args []string) {
				text := fmt.Sprintf(`{"profile": "p", "profiles": {"p": {"url": %q, "username": %q, "password": %q}}}`, c.Client.Endpoint, args[1], args[2])
				s.Check(cli.WriteFile(s.MkAbs(args[0]), []byte(text)))
			},
			// sessions N counts those that are kept, and says what the last one's file is called.
			"sessions": func(s *testscript.TestScript, _ bool, args []string) {
				kept, err := os.ReadDir(s.MkAbs(".config/virga/sessions"))
				s.Check(err)
				if strconv.Itoa(len(kept)) != args[0] {
					s.Fatalf("%d sessions are kept", len(kept))
				}
				s.Setenv("SESSION", kept[len(kept)-1].Name())
			},
			// end has the cloud end the session that is kept.
			"end": func(s *testscript.TestScript, _ bool, _ []string) {
				var kept struct {
					SessionKey string
					Cookies    map[string]string
				}
				s.Check(json.Unmarshal([]byte(s.ReadFile(".config/virga/sessions/"+s.Getenv("SESSION"))), &kept))
				form := url.Values{"command": {"logout"}, "sessionkey": {kept.SessionKey}, "response": {"json"}}
				req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, c.Client.Endpoint, strings.NewReader(form.Encode()))
				s.Check(err)
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				for name, value := range kept.Cookies {
					req.AddCookie(&http.Cookie{Name: name, Value: value})
				}
				answer, err := http.DefaultClient.Do(req)
				s.Check(err)
				s.Check(answer.Body.Close())
				if answer.StatusCode != http.StatusOK {
					s.Fatalf("logout: %s", answer.Status)
				}
			},
			"mode": func(s *testscript.TestScript, _ bool, args []string) {
				info, err := os.Stat(s.MkAbs(args[1]))
				s.Check(err)
				if got := strconv.FormatUint(uint64(info.Mode().Perm()), 8); got != args[0] {
					s.Fatalf("%s has the mode %s", args[1], got)
				}
			},
		},
	})
}

func env(s *testscript.TestScript, input string) cli.Env {
	uid := os.Getuid()
	if other, err := strconv.Atoi(s.Getenv("UID")); err == nil {
		uid = other
	}
	return cli.Env{
		Getenv: s.Getenv, Dir: s.MkAbs("."), UID: uid, Now: time.Now, Patience: time.Minute, Houses: []cli.House{{Name: "dev", Doc: "A cloud."}},
		Stdin: strings.NewReader(input), Stdout: s.Stdout(), Stderr: s.Stderr(),
		Shell: func(ctx context.Context, line string, in io.Reader, out, errs io.Writer) error {
			cmd := exec.CommandContext(ctx, "sh", "-c", line)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
			return cmd.Run()
		},
	}
}

func virga(s *testscript.TestScript, input string, args []string) int {
	return cli.Run(context.Background(), env(s, input), args)
}
