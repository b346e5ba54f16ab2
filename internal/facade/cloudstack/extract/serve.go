package extract

import (
	"errors"
	"mime"
	"net/http"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
)

// stalled is how long a download may stand still before its connection is cut.
const stalled = time.Minute

// Handler serves what the addresses name. Who has one needs no session.
func (t Translator) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET "+prefix+"{link}/{name}", t.serve)
	return m
}

func (t Translator) serve(w http.ResponseWriter, r *http.Request) {
	f, err := t.Extractions.Open(r.Context(), r.PathValue("link"))
	if err != nil {
		refuse(w, err)
		return
	}
	moving := watch(w)
	defer moving.end()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.FileName() + "." + f.Ending}))
	http.ServeContent(moving, r, "", f.Created, f)
}

// watched is an answer that may take as long as it moves, whatever the server allows others.
type watched struct {
	http.ResponseWriter
	timer *time.Timer
}

func watch(w http.ResponseWriter) *watched {
	c := http.NewResponseController(w)
	_ = c.SetWriteDeadline(time.Time{}) // a connection that has none needs none
	return &watched{w, time.AfterFunc(stalled, func() { _ = c.SetWriteDeadline(time.Unix(1, 0)) })}
}

func (w *watched) Write(p []byte) (int, error) {
	w.timer.Reset(stalled)
	return w.ResponseWriter.Write(p)
}

func (w *watched) end() { w.timer.Stop() }

// refuse says in words for people why there is nothing to download.
func refuse(w http.ResponseWriter, err error) {
	text, status := "there is nothing to download; ask for it anew", http.StatusForbidden
	if known, ok := errors.AsType[*fault.Error](err); ok {
		switch known.Kind {
		case fault.Denied, fault.Conflict:
			text = known.Text
		case fault.Unavailable:
			text, status = known.Text, http.StatusServiceUnavailable
		default:
		}
	}
	http.Error(w, text, status)
}
