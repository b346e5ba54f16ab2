package api

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/uid"
)

// ranking is what a dry run of tryThing answers with.
type ranking struct {
	Best string `json:"best" doc:"d"`
	Host string `json:"host,omitempty" api:"admin" doc:"d"`
}

type tryThingIn struct {
	DryRun bool `api:"dryrun" doc:"d"`
}

var (
	addThing  = Call[makeThingIn, thing]{Name: "addThing", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing", Creates: true}
	addThings = List[makeThingIn, thing]{Name: "addThings", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing", Creates: true}
	addSecret = Call[makeThingIn, thing]{Name: "addSecret", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing", Creates: true}
	tryThing  = Job[tryThingIn, thing]{Name: "tryThing", Noun: "Thing", Doc: "d", Role: Everyone, Object: "thing", DryRun: ranking{}}
	creates   = []Command{addThing, addThings, addSecret, tryThing}
)

func creating() *Mux {
	m := NewMux(creates...)
	add := func(context.Context, makeThingIn) (uid.VM, error) { return aVM, nil }
	show := func(_ context.Context, id uid.VM) (thing, error) { return thing{ID: id, Count: 1}, nil }
	HandleCreate(m, addThing, add, show)
	HandleCreateList(m, addThings, add, show)
	HandleCreateSecret(m, addSecret, func(context.Context, makeThingIn) (thing, error) { return thing{ID: aVM, Count: 2}, nil }, show)
	HandleJob(m, tryThing, func(_ context.Context, in tryThingIn) (Started, error) {
		if in.DryRun {
			return Started{DryRun: ranking{Best: "a", Host: "h"}}, nil
		}
		return Started{JobID: aJob}, nil
	}, func(context.Context, string) (thing, error) { return thing{ID: aVM}, nil })
	return m
}

func TestCreates(t *testing.T) {
	t.Parallel()
	m := creating()
	for _, c := range []struct {
		command Command
		params  Params
		repeat  bool
		role    Role
		want    string // in the answer
	}{
		{addThing, Params{}, false, User, `{"addthingresponse":{"thing":{"id":"` + aVM + `"`},
		{addThing, Params{}, true, User, `{"addthingresponse":{"thing":{"id":"` + aVM + `"`},
		{addThings, Params{}, false, User, `{"addthingsresponse":{"count":1,"thing":[{"id":"` + aVM + `"`},
		{addThings, Params{}, true, User, `{"addthingsresponse":{"count":1,"thing":[{"id":"` + aVM + `"`},
		{addSecret, Params{}, false, User, `"size":2`},
		{addSecret, Params{}, true, User, `"size":1`},
		{tryThing, Params{}, false, User, `{"trythingresponse":{"jobid":"` + aJob + `"}}`},
		{tryThing, Params{"dryrun": "true"}, false, User, `{"trythingresponse":{"dryrun":{"best":"a"}}}`},
		{tryThing, Params{"dryrun": "true"}, false, RootAdmin, `{"trythingresponse":{"dryrun":{"best":"a","host":"h"}}}`},
	} {
		name := c.command.Describe().Name
		e, ok := m.Find(name)
		if !ok {
			t.Fatal(name)
		}
		var answer Answer
		var err error
		if c.repeat {
			answer, err = e.Repeat(t.Context(), Started{ID: aVM}, c.role)
		} else {
			answer, err = e.Invoke(t.Context(), c.params, c.role)
		}
		if err != nil {
			t.Fatal(name, err)
		}
		var out bytes.Buffer
		if err := answer.WriteJSON(&out); err != nil {
			t.Fatal(name, err)
		}
		if !strings.Contains(out.String(), c.want) {
			t.Errorf("%s answers %s, want %s", name, &out, c.want)
		}
		if err := Validate(c.command, out.Bytes()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
