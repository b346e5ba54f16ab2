package cloudtest_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// A machine's screen is seen by who is given an address for it, once, and for as long as its user may use the machine.
func TestConsole(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{})
	ctx, box := t.Context(), c.Sandbox(t)
	red, _ := c.Tenant(t, "", "red", auth.User)
	blue, _ := c.Tenant(t, "", "blue", auth.User)
	in := box.Deploy()
	in.DisplayName = "<b>red's</b>"
	vm := run(t, red, cs.DeployVirtualMachine, in)
	want := cs.CreateConsoleEndpointIn{VMID: vm.ID, Token: "and besides"}
	_, err := api.Do(ctx, blue, cs.CreateConsoleEndpoint, want)
	refusedWith(t, err, 431, string(vm.ID))
	at, err := api.Do(ctx, red, cs.CreateConsoleEndpoint, want)
	must(t, err)
	if !at.Success || !strings.HasPrefix(at.URL, c.URL+"/client/console?") || at.WebSocket.Path != "client/console/socket" ||
		c.URL != "http://"+at.WebSocket.Host+":"+at.WebSocket.Port {
		t.Errorf("the console is at %+v", at)
	}
	get := func(by *http.Client, at string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, at, nil)
		must(t, err)
		answer, err := by.Do(r)
		must(t, err)
		defer func() { _ = answer.Body.Close() }()
		body, err := io.ReadAll(answer.Body)
		must(t, err)
		return answer.StatusCode, string(body)
	}
	if status, body := get(http.DefaultClient, at.URL); status != 200 || !strings.Contains(body, "<title>&lt;b&gt;red&#39;s&lt;/b&gt;</title>") {
		t.Errorf("the page: %d %s", status, body)
	}
	for _, name := range []string{"console.js", "console.css", "novnc/core/rfb.js", "novnc/vendor/pako/lib/zlib/inflate.js", "novnc/LICENSE.txt"} {
		if status, body := get(http.DefaultClient, c.URL+"/client/console/files/"+name); status != 200 || body == "" {
			t.Errorf("%s: %d", name, status)
		}
	}
	for _, no := range []string{"/client/console", "/client/console?token=x", "/client/console/serial?token=" + at.WebSocket.Token,
		"/client/console/socket?extra=and+besides&token=x", "/client/console/socket?token=" + at.WebSocket.Token} {
		if status, body := get(http.DefaultClient, c.URL+no); status != 403 || strings.Contains(body, string(vm.ID)) {
			t.Errorf("%s: %d %s", no, status, body)
		}
	}
	query := "?" + url.Values{"token": {at.WebSocket.Token}, "extra": {"and besides"}}.Encode()
	if status, body := get(http.DefaultClient, c.URL+"/client/console/serial"+query); status != 200 || !strings.Contains(body, "simulated machine") {
		t.Errorf("the serial log: %d %s", status, body)
	}

	socket := strings.Replace(c.URL, "http:", "ws:", 1) + "/client/console/socket" + query
	_, _, err = websocket.Dial(ctx, socket, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://elsewhere.example.org"}}}) //nolint:bodyclose // the library's
	if err == nil {
		t.Error("a page of another site was connected")
	}
	at, err = api.Do(ctx, red, cs.CreateConsoleEndpoint, cs.CreateConsoleEndpointIn{VMID: vm.ID})
	must(t, err)
	socket = strings.Replace(c.URL, "http:", "ws:", 1) + "/client/console/socket?token=" + at.WebSocket.Token
	ws, _, err := websocket.Dial(ctx, socket, nil) //nolint:bodyclose // the library's
	must(t, err)
	conn := websocket.NetConn(ctx, ws, websocket.MessageBinary)
	hello := make([]byte, 12)
	_, err = io.ReadFull(conn, hello)
	if must(t, err); string(hello) != "RFB 003.008\n" {
		t.Errorf("the screen says %q", hello)
	}
	_, err = conn.Write(hello)
	must(t, err)
	ways := make([]byte, 2)
	if _, err = io.ReadFull(conn, ways); err != nil || ways[1] != 1 {
		t.Errorf("ways to sign in: %v, %v", ways, err)
	}
	if _, _, err = websocket.Dial(ctx, socket, nil); err == nil { //nolint:bodyclose // the library's
		t.Error("an address was good for a second connection")
	}
	if status, _ := get(http.DefaultClient, at.URL); status != 403 {
		t.Errorf("the page is shown again: %d", status)
	}
	if status, _ := get(http.DefaultClient, c.URL+"/client/console/serial?token="+at.WebSocket.Token); status != 200 {
		t.Errorf("the serial log beside the screen: %d", status)
	}
	must(t, conn.Close())

	// The older way, for a browser that is signed in.
	jar, err := cookiejar.New(nil)
	must(t, err)
	browser := &http.Client{Jar: jar}
	old := c.URL + "/client/console?cmd=access&vm=" + string(vm.ID)
	if status, body := get(browser, old); status != 403 {
		t.Errorf("without a session: %d %s", status, body)
	}
	login, err := browser.PostForm(c.URL+"/client/api", url.Values{"command": {"login"}, "username": {"red"}, "password": {cloudtest.Password}, "response": {"json"}})
	must(t, err)
	_ = login.Body.Close()
	if status, body := get(browser, old); status != 200 || !strings.Contains(body, "console.js") {
		t.Errorf("with a session: %d %s", status, body)
	}

	// A connection may go on until its user may not, or the machine is elsewhere.
	as := auth.With(context.Background(), auth.System())
	at, err = api.Do(ctx, red, cs.CreateConsoleEndpoint, cs.CreateConsoleEndpointIn{VMID: vm.ID})
	must(t, err)
	screen, err := c.Console.Connect(as, at.WebSocket.Token, "")
	must(t, err)
	must(t, screen.Check(as))
	run(t, c.Client, cs.MigrateVirtualMachine, cs.MigrateVirtualMachineIn{VMID: vm.ID, AutoSelect: true})
	if err := screen.Check(as); err == nil || !strings.Contains(err.Error(), "another host") {
		t.Errorf("after it has moved: %v", err)
	}
	must(t, screen.Close())
	must(t, screen.End(as))
	run(t, red, cs.StopVirtualMachine, cs.StopVirtualMachineIn{ID: vm.ID})
	_, err = api.Do(ctx, red, cs.CreateConsoleEndpoint, cs.CreateConsoleEndpointIn{VMID: vm.ID})
	refusedWith(t, err, 431, "one that is Running has a console")
}
