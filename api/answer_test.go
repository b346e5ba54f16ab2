package api

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"
)

const xmlHead = `<?xml version="1.0" encoding="UTF-8"?>`

// things is a mux whose handlers give what they are told.
func things(one thing, page Page[thing]) *Mux {
	m := NewMux(getThing, dropThing, listThings, makeThing, moveThing)
	HandleCall(m, getThing, func(context.Context, thingIn) (thing, error) { return one, nil })
	HandleCall(m, dropThing, succeed)
	HandleList(m, listThings, func(context.Context, thingIn) (Page[thing], error) { return page, nil })
	start := func(context.Context, thingIn) (Started, error) { return Started{ID: aVM, JobID: aJob}, nil }
	HandleJob(m, makeThing, func(context.Context, makeThingIn) (Started, error) { return Started{ID: aVM, JobID: aJob}, nil }, func(_ context.Context, subject string) (thing, error) { return one, nil })
	HandleJob(m, moveThing, start, func(context.Context, string) (Success, error) { return Success{Success: true}, nil })
	return m
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	full := thing{ID: aVM, Name: `a<b>&"c"`, Host: "h1", Count: 2, On: true, Maybe: new(int64(0)), Rate: 1.5,
		Made: At(time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)), Words: []string{"x", "y"}, Map: map[string]string{"b c": "2", "a": "1"},
		Parts: []part{{Name: "p", Wire: "w"}, {Name: "q"}}}
	bare := thing{ID: aVM}
	const bareJSON = `{"id":"` + aVM + `","size":0,"on":false,"rate":0}`
	const bareXML = `<id>` + aVM + `</id><name></name><size>0</size><on>false</on><maybe></maybe><rate>0</rate><made></made><jobresult></jobresult>`
	for name, c := range map[string]struct {
		command   string
		one       thing
		page      Page[thing]
		role      Role
		json, xml string
	}{
		"admin": {
			command: "getThing", one: full, role: RootAdmin,
			json: `{"getthingresponse":{"thing":{"id":"` + aVM + `","name":"a<b>&\"c\"","host":"h1","size":2,"on":true,"maybe":0,"rate":1.5,` +
				`"made":"2026-01-31T12:00:00+0000","word":["x","y"],"map":{"a":"1","b c":"2"},"part":[{"name":"p","wire":"w"},{"name":"q"}]}}}`,
			xml: `<getthingresponse cloud-stack-version="4.22.0.0"><thing><id>` + aVM + `</id><name>a&lt;b&gt;&amp;&#34;c&#34;</name><host>h1</host>` +
				`<size>2</size><on>true</on><maybe>0</maybe><rate>1.5</rate><made>2026-01-31T12:00:00+0000</made><word>x</word><word>y</word>` +
				`<map><a>1</a><b_x0020_c>2</b_x0020_c></map><part><name>p</name><wire>w</wire></part><part><name>q</name><wire></wire></part>` +
				`<jobresult></jobresult></thing></getthingresponse>`,
		},
		"user": {
			command: "getThing", one: thing{ID: aVM, Host: "h1", Parts: []part{{Name: "p", Wire: "w"}}}, role: User,
			json: `{"getthingresponse":{"thing":{"id":"` + aVM + `","size":0,"on":false,"rate":0,"part":[{"name":"p"}]}}}`,
			xml: `<getthingresponse cloud-stack-version="4.22.0.0"><thing><id>` + aVM + `</id><name></name><size>0</size><on>false</on><maybe></maybe>` +
				`<rate>0</rate><made></made><part><name>p</name></part><jobresult></jobresult></thing></getthingresponse>`,
		},
		"success": {
			command: "dropThing", role: RootAdmin,
			json: `{"dropthingresponse":{"success":true}}`,
			xml:  `<dropthingresponse cloud-stack-version="4.22.0.0"><success>true</success><displaytext></displaytext><jobid></jobid><jobstatus></jobstatus></dropthingresponse>`,
		},
		"list": {
			command: "listThings", page: Page[thing]{Count: 7, Items: []thing{bare, bare}}, role: User,
			json: `{"listthingsresponse":{"count":7,"thing":[` + bareJSON + `,` + bareJSON + `]}}`,
			xml: `<listthingsresponse cloud-stack-version="4.22.0.0"><count>7</count><thing>` + bareXML + `</thing><thing>` + bareXML +
				`</thing></listthingsresponse>`,
		},
		"empty list": {
			command: "listThings",
			json:    `{"listthingsresponse":{}}`,
			xml:     `<listthingsresponse cloud-stack-version="4.22.0.0"></listthingsresponse>`,
		},
		"beyond the end": {
			command: "listThings", page: Page[thing]{Count: 7},
			json: `{"listthingsresponse":{"count":7}}`,
			xml:  `<listthingsresponse cloud-stack-version="4.22.0.0"><count>7</count></listthingsresponse>`,
		},
		"job that creates": {
			command: "makeThing",
			json:    `{"makethingresponse":{"id":"` + aVM + `","jobid":"` + aJob + `"}}`,
			xml:     `<makethingresponse cloud-stack-version="4.22.0.0"><id>` + aVM + `</id><jobid>` + aJob + `</jobid></makethingresponse>`,
		},
		"job": {
			command: "moveThing",
			json:    `{"movethingresponse":{"jobid":"` + aJob + `"}}`,
			xml:     `<movethingresponse cloud-stack-version="4.22.0.0"><jobid>` + aJob + `</jobid></movethingresponse>`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := things(c.one, c.page)
			a, err := invoke(m, c.command, Params{}, c.role)
			if err != nil {
				t.Fatal(err)
			}
			j, x := bothFormats(t, a)
			if j != c.json {
				t.Errorf("got  %s\nwant %s", j, c.json)
			}
			if x != xmlHead+c.xml {
				t.Errorf("got  %s\nwant %s", x, xmlHead+c.xml)
			}
			for _, d := range []Command{getThing, dropThing, listThings, makeThing, moveThing} {
				if valid := Validate(d, []byte(j)) == nil; valid != (d.Describe().Name == c.command) {
					t.Errorf("as an answer of %s: %v", d.Describe().Name, Validate(d, []byte(j)))
				}
			}
		})
	}
}

func TestHidingLeavesTheHandlersValueAlone(t *testing.T) {
	t.Parallel()
	parts := []part{{Name: "p", Wire: "w"}}
	a, err := invoke(things(thing{ID: aVM, Parts: parts}, Page[thing]{}), "getThing", Params{}, User)
	if err != nil {
		t.Fatal(err)
	}
	bothFormats(t, a)
	if parts[0].Wire != "w" {
		t.Error("the handler's slice was changed")
	}
}

func TestJobResults(t *testing.T) {
	t.Parallel()
	m := things(thing{ID: aVM, Host: "h"}, Page[thing]{})
	result := func(command string, role Role) Result {
		r, err := m.JobResult(context.Background(), command, aVM, role)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	for name, c := range map[string]struct {
		result    Result
		json, xml string
	}{
		"object": {
			result("makeThing", User), `"jobresult":{"thing":{"id":"` + aVM + `","size":0,"on":false,"rate":0}}`,
			`<jobresult><thing><id>` + aVM + `</id>`,
		},
		"object for admins": {result("makeThing", RootAdmin), `"host":"h"`, `<host>h</host>`},
		"success":           {result("moveThing", User), `"jobresult":{"success":true}`, `<jobresult><success>true</success>`},
		"failure": {
			Failed(530, "a<b"), `"jobresult":{"errorcode":530,"errortext":"a<b"}`,
			`<jobresult><errorcode>530</errorcode><errortext>a&lt;b</errortext></jobresult>`,
		},
	} {
		a := AnswerOf(getThing, thing{ID: aVM, Result: c.result}, User)
		j, x := bothFormats(t, a)
		if !strings.Contains(j, c.json) || !strings.Contains(x, c.xml) {
			t.Errorf("%s: got\n%s\n%s", name, j, x)
		}
		if err := Validate(getThing, []byte(j)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	raw, err := json.Marshal(result("makeThing", User))
	if err != nil || ValidateResult(makeThing, raw) != nil {
		t.Errorf("%s: %v, %v", raw, err, ValidateResult(makeThing, raw))
	}
	if _, err := m.JobResult(context.Background(), "getThing", aVM, User); err == nil {
		t.Error("a call has no job result")
	}
}

func TestWriteError(t *testing.T) {
	t.Parallel()
	var j, x, k bytes.Buffer
	f := Failure{Envelope: Envelope("listZones"), Code: 431, CSCode: 9999, Text: `a < "b"`}
	if JSON.WriteError(&j, f, "v") != nil || XML.WriteError(&x, f, "v") != nil {
		t.Fatal("not written")
	}
	if got, want := j.String(), `{"listzonesresponse":{"uuidList":[],"errorcode":431,"cserrorcode":9999,"errortext":"a < \"b\""}}`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got, want := x.String(), xmlHead+`<listzonesresponse cloud-stack-version="v"><errorcode>431</errorcode><cserrorcode>9999</cserrorcode>`+
		`<errortext>a &lt; &#34;b&#34;</errortext></listzonesresponse>`; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.CSCode = 0
	if JSON.WriteError(&k, f, "v") != nil || strings.Contains(k.String(), "cserrorcode") {
		t.Errorf("got %s", k.String())
	}
}

func TestFormatOf(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]Format{"": XML, "xml": XML, "json": JSON, "JSON": JSON, "yaml": XML} {
		if got := FormatOf(given); got != want {
			t.Errorf("%q: got %v", given, got)
		}
	}
}
