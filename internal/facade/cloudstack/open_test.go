package cloudstack

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
)

// testdata/open.txt lists what answers to somebody who has not signed in and says nothing about who it is, by what really answers: the
// commands, and the paths of the server. Whatever comes to it has to be looked at by somebody.
func TestWhatIsOpen(t *testing.T) {
	t.Parallel()
	c := newCloud(t)
	var lines []string
	for _, command := range cs.All {
		name := command.Describe().Name
		for _, ask := range []struct{ method, target, form string }{
			{"GET", "/client/api?response=json&command=" + name, ""}, {"POST", "/client/api", "response=json&command=" + name},
			{"POST", "/client/api/" + name, "response=json"},
		} {
			r := c.do(c.request(ask.method, ask.target, ask.form))
			if line := "command " + name; r.status != http.StatusUnauthorized && !slices.Contains(lines, line) {
				if _, served := c.facade.mux.Find(name); !served && r.status == 432 {
					continue // it waits for its translator
				}
				lines = append(lines, line)
			}
		}
	}
	for _, path := range pathsServed(t) {
		r := c.do(c.request("GET", strings.ReplaceAll(path, "{command}", "listZones"), ""))
		if r.status != http.StatusUnauthorized {
			lines = append(lines, fmt.Sprintf("path %s %d", path, r.status))
		}
	}
	for _, path := range []string{"/client", "/client/", "/debug/pprof/", "/console", "/admin", "/client/apix", "/metrics/x", "/.env"} {
		if r := c.do(c.request("GET", path, "")); r.status != http.StatusNotFound {
			lines = append(lines, fmt.Sprintf("path %s %d", path, r.status))
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	const file = "testdata/open.txt"
	if *update {
		c.must(os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	if err != nil || string(want) != got {
		t.Errorf("%s is not what answers: look at what is new, then run the test with -update: %v\n%s", file, err, got)
	}
}

// pathsServed are the paths that the front gives handlers.
func pathsServed(t *testing.T) (paths []string) {
	t.Helper()
	text, err := os.ReadFile("front/routes.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range regexp.MustCompile(`m\.Handle(?:Func)?\("(?:GET |POST )?([^"]+)"`).FindAllStringSubmatch(string(text), -1) {
		paths = append(paths, strings.TrimSuffix(found[1], "{$}"))
	}
	if len(paths) < 8 {
		t.Errorf("only %v are served", paths)
	}
	return paths
}
