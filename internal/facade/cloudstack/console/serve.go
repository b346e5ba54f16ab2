package console

import (
	"context"
	"embed"
	"errors"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/virga-cloud/virga/internal/console"
	"github.com/virga-cloud/virga/internal/fault"
)

//go:embed files
var embedded embed.FS

//go:embed page.html
var pageHTML string

var page = template.Must(template.New("console").Parse(pageHTML))

// policy lets the page have its own scripts, and connections to where it comes from. The pointer's picture is noVNC's.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; connect-src 'self'; " +
	"frame-ancestors 'none'"

// lookEvery is how often it is asked whether a connection may go on.
const lookEvery = 5 * time.Second

// Handler serves the page, what it needs, and the websocket. Who has a ticket needs no session.
func (t Translator) Handler() http.Handler {
	files, err := fs.Sub(embedded, "files")
	if err != nil {
		panic(err) // it is compiled in
	}
	m := http.NewServeMux()
	m.HandleFunc("GET "+pagePath, t.page)
	m.HandleFunc("GET "+socketPath, t.socket)
	m.HandleFunc("GET "+serialPath, t.serial)
	m.Handle("GET "+filesPath, http.StripPrefix(filesPath, http.FileServerFS(files)))
	return m
}

func (t Translator) page(w http.ResponseWriter, r *http.Request) {
	vm, err := t.Console.Look(r.Context(), r.URL.Query().Get("token"))
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Security-Policy", policy)
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	_ = page.Execute(w, vm.DisplayName)
}

func (t Translator) serial(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	log, err := t.Console.SerialLog(r.Context(), q.Get("token"), q.Get("extra"))
	if err != nil {
		refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	_, _ = w.Write(log) //nolint:gosec // as plain text, whatever a machine has written
}

// socket carries RFB between a browser and a machine's screen, until either ends it, or the browser's user may not any more.
func (t Translator) socket(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	screen, err := t.Console.Connect(r.Context(), q.Get("token"), q.Get("extra"))
	if err != nil {
		refuse(w, err)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer func() { _ = screen.End(context.WithoutCancel(ctx)) }()
	defer func() { _ = screen.Close() }()
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"binary"}}) // from pages of this server only
	if err != nil {
		return // it has answered
	}
	defer func() { _ = ws.CloseNow() }()
	browser := websocket.NetConn(ctx, ws, websocket.MessageBinary)
	ended := make(chan struct{}, 2)
	carry := func(to io.Writer, from io.Reader) {
		_, _ = io.Copy(to, from)
		ended <- struct{}{}
	}
	go carry(browser, screen)
	go carry(screen, browser)
	watch(ctx, screen, ended)
	_ = ws.Close(websocket.StatusNormalClosure, "")
}

// watch returns when a connection has ended, or is to end.
func watch(ctx context.Context, screen *console.Screen, ended <-chan struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			return
		case <-tick.C:
			if screen.Check(ctx) != nil {
				return
			}
		}
	}
}

// refuse says in words for people why there is nothing to see.
func refuse(w http.ResponseWriter, err error) {
	text, status := "the console can't be shown; ask for it anew", http.StatusForbidden
	if known, ok := errors.AsType[*fault.Error](err); ok {
		if slices.Contains([]fault.Kind{fault.Denied, fault.Conflict, fault.Unavailable}, known.Kind) {
			text = known.Text
		}
		if known.Kind == fault.Unavailable {
			status = http.StatusServiceUnavailable
		}
	}
	http.Error(w, text, status)
}
