package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// What a server sends is shown on a terminal, in no output obeyed; a program at the other end of a pipe gets every letter.
func TestTerminalsObeyNobody(t *testing.T) {
	t.Parallel()
	const bad = "\u001b]0;owned\u0007 \u009b31m \u202etxt.exe"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.FormValue("name"), "refuse") {
			w.WriteHeader(http.StatusRequestHeaderFieldsTooLarge) // CloudStack's code for bad input
			_, _ = io.WriteString(w, `{"listzonesresponse":{"errorcode":431,"errortext":"\u001b[2J no such zone\u009b1m"}}`)
			return
		}
		_, _ = io.WriteString(w, `{"listzonesresponse":{"count":1,"zone\u001b[1m":[{"id":"1","na\u001b[2Jme":"x","name":"\u001b]0;owned\u0007 `+
			"\u009b31m \u202e"+`txt.exe"}]}}`)
	}))
	t.Cleanup(server.Close)
	home := t.TempDir()
	run := func(terminal bool, line ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		Run(context.Background(), Env{
			Getenv: func(name string) string {
				return map[string]string{"HOME": home, "VIRGA_ENDPOINT": server.URL, "VIRGA_APIKEY": "a", "VIRGA_SECRETKEY": "b", "NO_COLOR": "1"}[name]
			},
			Dir: home, UID: os.Getuid(), Now: time.Now, Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, StdoutTerminal: terminal,
			StderrTerminal: terminal,
		}, line)
		return out.String() + errs.String()
	}
	for _, line := range [][]string{
		{"list", "zones"}, {"list", "zones", "-o", "table"}, {"list", "zones", "-o", "csv"}, {"list", "zones", "-o", "json"},
		{"list", "zones", "-o", "json", "filter=name"}, {"list", "zones", "name=refuse"}, {"create", "network", "zoneid=refuse", "name=x", "networkofferingid=-1"},
		{"complete", "--", "create", "network", "zoneid="},
	} {
		text := run(true, line...)
		if text == "" && line[0] != "complete" || strings.ContainsFunc(strings.ReplaceAll(strings.ReplaceAll(text, "\n", ""), "\t", ""), obeyed) {
			t.Errorf("%v: %q", line, text)
		}
	}
	if text := run(false, "list", "zones", "-o", "csv", "filter=name"); !strings.Contains(text, bad) {
		t.Errorf("a program gets %q", text)
	}
}

func TestConfidential(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"login url=x apikey=y": true, "login secretkey = z": true, "create user password=x": true, "x details[0].rootPassword=y": true,
		"update x tags.apiToken=1": true, "create vpnconnection ipsecpsk=x": true, "list templates filter=id,passwordenabled": false,
		"list sshkeypairs name=mine": false, "list users filter=apikey": false, "": false,
	} {
		if got := Confidential(line); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestListing(t *testing.T) {
	t.Parallel()
	found := []Candidate{{Value: "name=", Doc: "The name. It is long."}, {Value: "zoneid=", Doc: "Where it is, in very many words"}, {Value: "x "}}
	if got, want := Listing(found, 30, 10), "name=    The name.\nzoneid=  Where it is, in ver…\nx\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Listing(found, 30, 3), "name=    zoneid=  x\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := Listing([]Candidate{{Value: "a"}, {Value: "b"}, {Value: "c\x1b"}}, 1, 10), "a        c\\u001b\nb\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got := Common(found[:2], "N"); got != "N" {
		t.Errorf("in common: %q", got)
	}
	if got := Common([]Candidate{{Value: "zones "}, {Value: "zonetypes "}}, "Z"); got != "zone" {
		t.Errorf("in common: %q", got)
	}
}
