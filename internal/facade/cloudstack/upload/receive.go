package upload

import (
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/upload"
	"github.com/virga-cloud/virga/uid"
)

// stalled is how long nothing may come before the connection is cut.
const stalled = time.Minute

// Handler takes what is sent to the addresses. Who has one, and what was told with it, needs no session.
func (t Translator) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("POST "+prefix+"{id}", t.receive)
	return m
}

func (t Translator) receive(w http.ResponseWriter, r *http.Request) {
	claim := upload.Claim{
		ID: uid.Upload(r.PathValue("id")), Metadata: r.Header.Get("X-Metadata"), Signature: r.Header.Get("X-Signature"),
		Expires: r.Header.Get("X-Expires"),
	}
	_, err := t.Uploads.Receive(r.Context(), claim, func() (io.Reader, error) {
		coming := watch(w, r.Body)
		context.AfterFunc(r.Context(), coming.end)
		r.Body = coming
		return fileOf(r)
	})
	if err != nil {
		refuse(w, err)
		return
	}
	answer(w, http.StatusOK, "all of it has come; whether it can be used is seen in a moment where it is listed")
}

// fileOf is the file in a form, whatever the field is called; what else is in the form is passed over.
func fileOf(r *http.Request) (io.Reader, error) {
	form, err := r.MultipartReader()
	for err == nil {
		var part *multipart.Part
		if part, err = form.NextPart(); err == nil && part.FileName() != "" {
			return part, nil
		}
	}
	if errors.Is(err, io.EOF) {
		return nil, fault.Invalidf("there is no file in the form: want one part with a file name")
	}
	return nil, fault.Invalidf("want a file in a form, as multipart/form-data: %v", err)
}

// watched is what comes, which may take as long as it moves, whatever the server allows others.
type watched struct {
	io.ReadCloser
	timer *time.Timer
}

func watch(w http.ResponseWriter, body io.ReadCloser) *watched {
	c := http.NewResponseController(w)
	_ = c.SetReadDeadline(time.Time{}) // a connection that has none needs none
	_ = c.SetWriteDeadline(time.Time{})
	return &watched{body, time.AfterFunc(stalled, func() { _ = c.SetReadDeadline(time.Unix(1, 0)) })}
}

func (w *watched) Read(p []byte) (int, error) {
	w.timer.Reset(stalled)
	return w.ReadCloser.Read(p)
}

func (w *watched) end() { w.timer.Stop() }

// refuse says in words for people why nothing was taken.
func refuse(w http.ResponseWriter, err error) {
	text, status := "something went wrong here; ask for an upload anew", http.StatusInternalServerError
	if known, ok := errors.AsType[*fault.Error](err); ok {
		switch known.Kind {
		case fault.Denied:
			text, status = known.Text, http.StatusForbidden
		case fault.Invalid, fault.Conflict:
			text, status = known.Text, http.StatusBadRequest
		case fault.Unavailable:
			text, status = known.Text, http.StatusServiceUnavailable
		default:
		}
	}
	w.Header().Set("Connection", "close") // what still comes of it is not read
	answer(w, status, text)
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text+"\n")
}
