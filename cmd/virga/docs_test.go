package main_test

import (
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The commands on these pages work as they stand, in the folder of a sandbox. A page's are run in order, in one bash that ends at
// the first that fails.
func TestCommandsOfThePages(t *testing.T) {
	t.Parallel()
	for _, page := range []struct{ file, from, to string }{
		{"docs/how-to/using-the-command-line.md", "# Using", ""},
		{"README.md", "## A first machine", "From Python"},
	} {
		t.Run(page.file, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			p := launch(t, "dev", "--listen", "127.0.0.1:0", "--data", filepath.Join(dir, "virga-data"))
			file := filepath.Join(dir, "virga-data", "credentials.json")
			p.until("the credentials", func() bool { return p.read(file) == nil })
			at, err := url.Parse(p.Creds.Endpoint)
			must(t, err)
			path, err := binary()
			must(t, err)
			must(t, os.Symlink(path, filepath.Join(dir, "virga")))

			script := strings.ReplaceAll(commandsOf(t, page.file, page.from, page.to), "127.0.0.1:8080", at.Host)
			cmd := exec.Command("bash", "-euo", "pipefail", "-c", script)
			cmd.Dir = dir
			cmd.Env = []string{"HOME=" + p.Home, "PATH=" + dir + ":" + os.Getenv("PATH")}
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
			p.stop(os.Interrupt)
		})
	}
}

var block = regexp.MustCompile("(?ms)^```sh\n(.*?)^```$")

// commandsOf are the commands in a part of a page.
func commandsOf(t *testing.T, file, from, to string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", file))
	must(t, err)
	_, part, found := strings.Cut(string(text), from)
	if to != "" {
		part, _, _ = strings.Cut(part, to)
	}
	var out strings.Builder
	for _, m := range block.FindAllStringSubmatch(part, -1) {
		out.WriteString(m[1])
	}
	if !found || out.Len() == 0 {
		t.Fatalf("%s has no commands after %q", file, from)
	}
	return out.String()
}
