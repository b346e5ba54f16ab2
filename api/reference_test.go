package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestListAPIs(t *testing.T) {
	t.Parallel()
	m := things(thing{}, Page[thing]{})
	names := func(infos []CommandInfo) string {
		var out []string
		for _, info := range infos {
			out = append(out, info.Name)
		}
		return strings.Join(out, " ")
	}
	if got, want := names(m.ListAPIs(RootAdmin, "")), "getThing dropThing listThings makeThing moveThing"; got != want {
		t.Errorf("root admin: %s", got)
	}
	if got, want := names(m.ListAPIs(User, "")), "getThing listThings makeThing moveThing"; got != want {
		t.Errorf("user: %s", got)
	}
	if got := m.ListAPIs(User, "dropThing"); got != nil {
		t.Errorf("forbidden: %v", got)
	}
	if got := NewMux(getThing).ListAPIs(RootAdmin, ""); got != nil {
		t.Errorf("without a handler: %v", got)
	}
}

func TestWhatListAPIsShows(t *testing.T) {
	t.Parallel()
	m := things(thing{}, Page[thing]{})
	admin, user := m.ListAPIs(RootAdmin, "makeThing")[0], m.ListAPIs(User, "makeThing")[0]
	if !admin.Async || admin.Related != "getThing,listThings" {
		t.Errorf("got %v, %q", admin.Async, admin.Related)
	}
	param := func(info CommandInfo, name string) (p ParamInfo) {
		for _, one := range info.Params {
			if one.Name == name {
				p = one
			}
		}
		return p
	}
	for name, want := range map[string]ParamInfo{
		"id":      {Type: "uuid", Length: 255, Related: "getThing,listThings,makeThing"},
		"name":    {Type: "string", Length: 5},
		"details": {Type: "map", Length: 255},
		"nets":    {Type: "map", Length: 255},
		"ids":     {Type: "list", Length: 255, Related: "getThing,listThings,makeThing"},
		"until":   {Type: "date", Length: 255},
		"long":    {Type: "long", Length: 255},
		"hostid":  {Type: "uuid", Length: 255},
	} {
		want.Name, want.Description = name, "d"
		if got := param(admin, name); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if param(user, "hostid").Name != "" {
		t.Error("a user is shown an admin's parameter")
	}
	fields := func(info CommandInfo) string {
		var out []string
		for _, f := range info.Response {
			out = append(out, f.Name+":"+f.Type)
			for _, inner := range f.Response {
				out = append(out, "."+inner.Name)
			}
		}
		return strings.Join(out, " ")
	}
	if got, want := fields(admin), "id:string name:string host:string size:integer on:boolean maybe:long rate:float made:date word:list map:map "+
		"part:set .name .wire jobresult:responseobject jobid:string jobstatus:integer"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := fields(user); strings.Contains(got, "host") || strings.Contains(got, "wire") {
		t.Errorf("a user is shown %s", got)
	}
}

// Strict clients assert the types of these without looking whether they are there.
func TestListAPIsLeavesNothingOut(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(things(thing{}, Page[thing]{}).ListAPIs(RootAdmin, "dropThing")[0])
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"name":"dropThing","description":"d","isasync":false,"related":"","params":[],"response":[` +
		`{"name":"success","description":"Whether the command succeeded.","type":"boolean"},` +
		`{"name":"displaytext","description":"A text that explains the outcome, where there is one.","type":"string"},` +
		`{"name":"jobid","description":"The ID of the job that did the work, where one did.","type":"string"},` +
		`{"name":"jobstatus","description":"The status of that job: 0 pending, 1 succeeded, 2 failed.","type":"integer"}]}`
	if string(text) != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
}

func TestOpenAPIRefersToWhatItHas(t *testing.T) {
	t.Parallel()
	m := things(thing{}, Page[thing]{})
	var doc struct {
		OpenAPI    string
		Paths      map[string]any
		Components struct{ Schemas map[string]any }
	}
	text := m.OpenAPI("4.22.0.0")
	if err := json.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" || len(doc.Paths) != 5 || doc.Paths["/client/api/listThings"] == nil {
		t.Errorf("got %s, %v", doc.OpenAPI, doc.Paths)
	}
	for piece := range strings.SplitSeq(string(text), `"#/components/schemas/`) {
		if name, _, ok := strings.Cut(piece, `"`); ok && !strings.HasPrefix(piece, "{") && doc.Components.Schemas[name] == nil {
			t.Errorf("no schema %s", name)
		}
	}
	if string(m.OpenAPI("4.22.0.0")) != string(text) {
		t.Error("not the same twice")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	h := http.StripPrefix("/docs", things(thing{}, Page[thing]{}).Reference("4.22.0.0").Handler())
	for _, c := range []struct {
		method, path string
		status       int
		kind, has    string
	}{
		{"GET", "/docs/", 200, "text/html", `<a href="thing#listThings">listThings</a>`},
		{"GET", "/docs/thing", 200, "text/html", `<section id="listThings">`},
		{"HEAD", "/docs/thing", 200, "text/html", ""},
		{"GET", "/docs/search.js", 200, "text/javascript", "addEventListener"},
		{"GET", "/docs/style.css", 200, "text/css", "main"},
		{"GET", "/docs/openapi.json", 200, "application/json", "listThings"},
		{"GET", "/docs/page/index.html", 404, "", ""},
		{"POST", "/docs/", 405, "", ""},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, nil))
		if w.Code != c.status || !strings.HasPrefix(w.Header().Get("Content-Type"), c.kind) || !strings.Contains(w.Body.String(), c.has) {
			t.Errorf("%s %s: %d %s\n%s", c.method, c.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		if c.status == 200 && w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s has no policy", c.path)
		}
		if strings.Contains(w.Body.String(), "<style") || strings.Contains(w.Body.String(), "<script>") || strings.Contains(w.Body.String(), "http://") {
			t.Errorf("%s needs more than default-src 'self'", c.path)
		}
	}
}
