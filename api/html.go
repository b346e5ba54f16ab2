package api

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"strings"
	"sync"
)

//go:embed page
var pageFiles embed.FS

// pageTemplates are read when the first page is asked for: most processes show none.
var pageTemplates = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("").
		Funcs(template.FuncMap{"facts": facts, "paramDoc": paramDoc, "fieldDoc": fieldDoc}).
		ParseFS(pageFiles, "page/*.html"))
})

// page is a file of the HTML reference, made when it is first asked for.
type page struct {
	contentType string
	body        func() []byte
}

// Handler serves the reference as HTML. It stands under a path that ends in a slash, with that path stripped up to the
// slash: http.Handle("/docs/", http.StripPrefix("/docs", r.Handler())). The pages need nothing from elsewhere and no inline
// script, so that default-src 'self' is enough for them.
func (r *Reference) Handler() http.Handler {
	const html = "text/html; charset=UTF-8"
	pages := map[string]page{
		"":             {html, render("index.html", map[string]any{"Version": r.Version, "Nouns": r.nouns})},
		"style.css":    {"text/css; charset=UTF-8", asset("page/style.css")},
		"search.js":    {"text/javascript; charset=UTF-8", asset("page/search.js")},
		"openapi.json": {"application/json; charset=UTF-8", sync.OnceValue(r.OpenAPI)},
	}
	for _, n := range r.nouns {
		pages[n.Slug] = page{html, render("noun.html", n)}
	}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		p, ok := pages[strings.TrimPrefix(req.URL.Path, "/")]
		switch {
		case !ok:
			http.NotFound(w, req)
		case req.Method != http.MethodGet && req.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		default:
			w.Header().Set("Content-Type", p.contentType)
			w.Header().Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
			w.Header().Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(p.body()) // the reader may have gone; nobody else could be told
		}
	})
}

func render(name string, data any) func() []byte {
	return sync.OnceValue(func() []byte {
		var out bytes.Buffer
		if err := pageTemplates().ExecuteTemplate(&out, name, data); err != nil {
			panic(err) // templates and data are both ours
		}
		return out.Bytes()
	})
}

func asset(name string) func() []byte {
	return func() []byte {
		body, err := pageFiles.ReadFile(name)
		if err != nil {
			panic(err)
		}
		return body
	}
}
