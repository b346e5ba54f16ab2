package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve is a server for one client: it answers with handle's answer, or as an error.
func serve(t *testing.T, handle func(command string, given Params) (int, string)) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := req.ParseForm(); err != nil || req.Method != http.MethodPost {
			t.Errorf("%s: %v", req.Method, err)
		}
		given := Params{}
		for name := range req.PostForm {
			given[name] = req.PostForm.Get(name)
		}
		if given["signature"] != Sign(given, "secret") {
			t.Error("wrong signature")
		}
		status, body := handle(given["command"], given)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return &Client{Endpoint: server.URL, APIKey: "key", SecretKey: "secret", PollInterval: time.Millisecond}
}

// serveMux answers as the mux does, and jobs as done once they were asked for three times.
func serveMux(t *testing.T, m *Mux) *Client {
	looks := 0
	return serve(t, func(command string, given Params) (int, string) {
		if command == "queryAsyncJobResult" {
			if looks++; looks < 3 {
				return 200, `{"queryasyncjobresultresponse":{"jobstatus":0,"jobresultcode":0}}`
			}
			return 200, `{"queryasyncjobresultresponse":{"jobstatus":1,"jobresultcode":0,"jobresult":{"thing":{"id":"` + aVM + `","size":3}}}}`
		}
		a, err := invoke(m, command, given, RootAdmin)
		if err != nil {
			return 431, `{"` + Envelope(command) + `":{"uuidList":[],"errorcode":431,"cserrorcode":9999,"errortext":"` + err.Error() + `"}}`
		}
		j, _ := bothFormats(t, a)
		return 200, j
	})
}

func TestClient(t *testing.T) {
	t.Parallel()
	made := At(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC))
	c := serveMux(t, things(thing{ID: aVM, Name: "n", Made: made}, Page[thing]{Count: 2, Items: []thing{{ID: aVM}, {ID: aVM}}}))
	ctx := context.Background()

	if got, err := Do(ctx, c, getThing, thingIn{Name: "a ~*+"}); err != nil || got.Name != "n" || !got.Made.Equal(made.Time) {
		t.Errorf("Do: %+v, %v", got, err)
	}
	if got, err := Do(ctx, c, dropThing, None{}); err != nil || !got.Success {
		t.Errorf("Do: %+v, %v", got, err)
	}
	if got, err := Fetch(ctx, c, listThings, thingIn{}); err != nil || got.Count != 2 || len(got.Items) != 2 {
		t.Errorf("Fetch: %+v, %v", got, err)
	}
	if got, err := Start(ctx, c, makeThing, makeThingIn{}); err != nil || got != (Started{ID: aVM, JobID: aJob}) {
		t.Errorf("Start: %+v, %v", got, err)
	}
	if got, err := Run(ctx, c, makeThing, makeThingIn{}); err != nil || got.ID != aVM || got.Count != 3 {
		t.Errorf("Run: %+v, %v", got, err)
	}
	_, err := Do(ctx, c, getThing, thingIn{Name: "too long"})
	want := RemoteError{HTTPStatus: 431, Code: 431, CSCode: 9999, Text: "Value greater than max allowed length 5 for param: name"}
	if e, ok := errors.AsType[*RemoteError](err); !ok || *e != want {
		t.Errorf("got %#v", err)
	}
}

func TestAllPagesThroughEverything(t *testing.T) {
	t.Parallel()
	const total = 7
	m := NewMux(listThings)
	HandleList(m, listThings, func(_ context.Context, in thingIn) (Page[thing], error) {
		page := Page[thing]{Count: total}
		offset, limit := in.Window()
		for i := offset; i < min(offset+limit, total); i++ {
			page.Items = append(page.Items, thing{ID: aVM, Count: i})
		}
		return page, nil
	})
	c := serveMux(t, m)
	seen := 0
	for item, err := range All(context.Background(), c, listThings, thingIn{Paging: Paging{PageSize: 3}}) {
		if err != nil || item.Count != seen {
			t.Fatalf("item %d: %+v, %v", seen, item, err)
		}
		seen++
	}
	if seen != total {
		t.Errorf("%d items", seen)
	}
	for _, err := range All(context.Background(), c, listThings, thingIn{Paging: Paging{PageSize: 501}}) {
		if err == nil {
			t.Error("no error")
		}
	}
}

func TestRunOfAJobThatFails(t *testing.T) {
	t.Parallel()
	c := serve(t, func(command string, _ Params) (int, string) {
		if command == "moveThing" {
			return 200, `{"movethingresponse":{"jobid":"` + aJob + `"}}`
		}
		return 200, `{"queryasyncjobresultresponse":{"jobstatus":2,"jobresultcode":533,"jobresult":{"errorcode":533,"errortext":"full"}}}`
	})
	_, err := Run(context.Background(), c, moveThing, thingIn{})
	if e, ok := errors.AsType[*RemoteError](err); !ok || *e != (RemoteError{HTTPStatus: 200, Code: 533, Text: "full"}) {
		t.Errorf("got %#v", err)
	}
}

func TestRunEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	c := serve(t, func(command string, _ Params) (int, string) {
		if command == "moveThing" {
			return 200, `{"movethingresponse":{"jobid":"` + aJob + `"}}`
		}
		cancel()
		return 200, `{"queryasyncjobresultresponse":{"jobstatus":0}}`
	})
	c.PollInterval = time.Hour
	if _, err := Run(ctx, c, moveThing, thingIn{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, answer := range []struct {
		status int
		body   string
	}{
		{200, ``}, {200, `[]`}, {200, `{}`}, {200, `{"other":{}}`}, {200, `{"getthingresponse":{}}`}, {200, `{"getthingresponse":{},"x":1}`},
		{502, `<html>`}, {502, `{"errorresponse":7}`}, {200, `{"getthingresponse":{"thing":{"id":7}}}`},
	} {
		c := serve(t, func(string, Params) (int, string) { return answer.status, answer.body })
		if got, err := Do(context.Background(), c, getThing, thingIn{}); err == nil {
			t.Errorf("%s: got %+v", answer.body, got)
		}
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	// Computed by an independent implementation of the rule (Python: hmac, urllib).
	got := Sign(Params{"command": "listZones", "apiKey": "K", "response": "json", "name": "a b*~[é]", "Signature": "x"}, "S")
	if want := "ZWX5Lr+RfbChz5pGAPowxxxFLLk="; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestClientCall(t *testing.T) {
	t.Parallel()
	c := serveMux(t, things(thing{ID: aVM, Name: "n"}, Page[thing]{Count: 1, Items: []thing{{ID: aVM}}}))
	for command, want := range map[string]string{
		"getThing":   `{"thing":{"id":"` + aVM + `","name":"n"`,
		"listThings": `{"count":1,"thing":[{"id":"` + aVM + `"`,
		"makeThing":  `{"thing":{"id":"` + aVM + `","size":3}}`, // the job's result
	} {
		given := Params{"n": "1"}
		if got, err := c.Call(t.Context(), command, given); err != nil || !strings.HasPrefix(string(got), want) {
			t.Errorf("%s: %s, %v; want %s", command, got, err, want)
		}
		if len(given) != 1 {
			t.Errorf("the caller's parameters became %v", given)
		}
	}
	_, err := c.Call(t.Context(), "getThing", Params{"name": "too long"})
	if e, ok := errors.AsType[*RemoteError](err); !ok || e.Code != 431 {
		t.Errorf("got %#v", err)
	}
}
