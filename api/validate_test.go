package api

import (
	"strings"
	"testing"
)

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	object := func(fields string) string {
		return `{"getthingresponse":{"thing":{"id":"x","size":1,"on":true,"rate":1` + fields + `}}}`
	}
	if err := Validate(getThing, []byte(object(""))); err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]string{
		``:                                     "EOF",
		object("") + "x":                       "text after the answer",
		object("") + "{}":                      "text after the answer",
		`{"x":{}}`:                             "nothing else at the top",
		`{"getthingresponse":{},"x":1}`:        "nothing else at the top",
		`{"getthingresponse":{}}`:              "want one thing",
		`{"getthingresponse":{"thing":{}}}`:    "thing.id is missing",
		object(`,"x":1`):                       "thing.x is not declared",
		object(`,"name":1`):                    "thing.name: want a string",
		object(`,"maybe":"1"`):                 "thing.maybe: want a long",
		object(`,"maybe":1.5`):                 "thing.maybe: want a long",
		object(`,"maybe":null`):                "thing.maybe: want a long",
		object(`,"made":"2026-01-31"`):         "thing.made: want a date",
		object(`,"word":"x"`):                  "thing.word: want a list",
		object(`,"word":[1]`):                  "thing.word[0]: want a string",
		object(`,"map":{"a":1}`):               "thing.map.a: want a string",
		object(`,"map":[]`):                    "thing.map: want a map",
		object(`,"part":[{"name":"a","x":1}]`): "thing.part[0].x is not declared",
		object(`,"part":[7]`):                  "thing.part[0]: want an object",
		object(`,"jobresult":{"a":{},"b":{}}`): "want one object in its wrapper",
		object(`,"jobresult":7`):               "want an object",
	} {
		if err := Validate(getThing, []byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
	for body, want := range map[string]string{
		`{"listthingsresponse":{"count":0}}`:             "at least 1",
		`{"listthingsresponse":{"count":"1"}}`:           "at least 1",
		`{"listthingsresponse":{"thing":[]}}`:            "at least 1",
		`{"listthingsresponse":{"count":1,"thing":[]}}`:  "a list of 1 to 1",
		`{"listthingsresponse":{"count":1,"x":[]}}`:      "field x",
		`{"listthingsresponse":{"count":1,"thing":[1]}}`: "thing[0]: want an object",
		`{"listthingsresponse":[]}`:                      "want an object",
	} {
		if err := Validate(listThings, []byte(body)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", body, err, want)
		}
	}
	if err := Validate(makeThing, []byte(`{"makethingresponse":{"jobid":"x"}}`)); err == nil {
		t.Error("a job that creates without an id")
	}
	if err := Validate(moveThing, []byte(`{"movethingresponse":{"id":"x","jobid":"x"}}`)); err == nil {
		t.Error("a job that makes nothing with an id")
	}
}
