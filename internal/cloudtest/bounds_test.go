package cloudtest_test

import (
	"maps"
	"regexp"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/uid"
)

// Every parameter that takes a text, alone, in a list or in a map, is refused when it is longer than the contract says: nothing of
// any length reaches the services, or the database.
func TestEveryTextHasABound(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	tried := 0
	for _, one := range cs.All {
		d := one.Describe()
		if d.Session {
			continue
		}
		for _, p := range d.Params() {
			for name, length := range textsIn(p) {
				tried++
				params := spoken("", d.Params())
				if entry, _, inMap := strings.Cut(name, "."); inMap {
					maps.Copy(params, spoken(entry+".", p.Fields))
				}
				params[name] = strings.Repeat("x", length+1)
				_, err := c.Client.Call(t.Context(), d.Name, params)
				if err == nil || !bounded.MatchString(err.Error()) {
					t.Errorf("%s: %s takes a text of %d characters: %v", d.Name, name, length+1, err)
				}
			}
		}
	}
	if tried < 300 {
		t.Errorf("%d texts tried", tried)
	}
}

var bounded = regexp.MustCompile("max allowed length|it can be one of|at most 255 characters")

// textsIn are the names under which a parameter takes texts, with how long each may be.
func textsIn(p api.Param) map[string]int {
	switch {
	case p.Of != "":
		return nil
	case p.Type == "string" || p.Type == "list":
		return map[string]int{p.Name: p.Length}
	case p.Type == "map" && p.Fields == nil:
		return map[string]int{p.Name + "[0].a": p.Length}
	}
	out := map[string]int{}
	for _, f := range p.Fields {
		if f.Type == "string" && f.Of == "" {
			out[p.Name+"[0]."+f.Name] = f.Length
		}
	}
	return out
}

// spoken gives what must be said, in the right form and without a meaning.
func spoken(before string, all []api.Param) api.Params {
	params := api.Params{}
	for _, p := range all {
		switch {
		case !p.Required:
		case p.Of != "":
			params[before+p.Name] = string(uid.New[uid.VM]())
		case p.OneOf != nil:
			params[before+p.Name] = p.OneOf[0]
		case p.Type == "map" && p.Fields == nil:
			params[before+p.Name+"[0].b"] = "x"
		case p.Fields != nil:
			maps.Copy(params, spoken(p.Name+"[0].", p.Fields))
		default:
			params[before+p.Name] = "1"
		}
	}
	return params
}
