package api

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// crate is a part in a list's other form.
type crate struct {
	Part  part     `json:"thing" doc:"d"`
	Words []string `json:"words,omitempty" doc:"w"`
}

type listPartsIn struct {
	Paging
	Crates bool `api:"crates" doc:"d"`
}

var listParts = List[listPartsIn, part]{
	Name: "listParts", Noun: "Part", Doc: "d", Role: Everyone, Object: "part", Other: Form{Object: "crate", Item: (*crate)(nil)},
}

func listingParts(n int) *Mux {
	m := NewMux(listParts)
	HandleList(m, listParts, func(_ context.Context, in listPartsIn) (Page[part], error) {
		if in.Crates {
			all := make([]crate, n)
			for i := range all {
				all[i] = crate{Part: part{Name: "p", Wire: "w"}, Words: []string{"a"}}
			}
			return Page[part]{Count: n, Other: all}, nil
		}
		return Page[part]{Count: n, Items: make([]part, n)}, nil
	})
	return m
}

// A list that is asked for its other form answers with that under its name, and clients read it.
func TestListInAnotherForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		params Params
		role   Role
		n      int
		want   string
	}{
		{Params{}, User, 1, `{"listpartsresponse":{"count":1,"part":[{"name":""}]}}`},
		{Params{"crates": "true"}, User, 1, `{"listpartsresponse":{"count":1,"crate":[{"thing":{"name":"p"},"words":["a"]}]}}`},
		{Params{"crates": "true"}, RootAdmin, 1, `{"listpartsresponse":{"count":1,"crate":[{"thing":{"name":"p","wire":"w"},"words":["a"]}]}}`},
		{Params{"crates": "true"}, User, 0, `{"listpartsresponse":{}}`},
	} {
		a, err := invoke(listingParts(c.n), "listParts", c.params, c.role)
		if err != nil {
			t.Fatal(err)
		}
		got, _ := bothFormats(t, a)
		if got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
		if err := Validate(listParts, []byte(got)); err != nil {
			t.Error(err)
		}
	}
	for _, odd := range []string{
		`{"listpartsresponse":{"count":1,"crate":[{"name":"p"}]}}`, `{"listpartsresponse":{"count":1,"part":[{"thing":{"name":"p"}}]}}`,
		`{"listpartsresponse":{"count":1,"part":[{"name":"p"}],"crate":[{"thing":{"name":"p"}}]}}`,
	} {
		if Validate(listParts, []byte(odd)) == nil {
			t.Errorf("%s is taken for an answer", odd)
		}
	}

	client := serveMux(t, listingParts(2))
	page, err := Fetch(t.Context(), client, listParts, listPartsIn{Crates: true})
	if err != nil {
		t.Fatal(err)
	}
	one := crate{Part: part{Name: "p", Wire: "w"}, Words: []string{"a"}}
	if diff := cmp.Diff(Page[part]{Count: 2, Other: []crate{one, one}}, page); diff != "" {
		t.Error(diff)
	}

	reference := NewReference("v", listParts)
	for name, want := range map[string]string{"part.md": "| crate | type | |", "cloudstack.json": `"object": "crate"`, "openapi.json": `"crate": {`} {
		if text := string(reference.Files()[name]); !strings.Contains(text, want) {
			t.Errorf("%s has no %s:\n%s", name, want, text)
		}
	}
	var names []string
	for _, f := range listingParts(0).ListAPIs(User, "listParts")[0].Response {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"name", "thing", "words"}, names); diff != "" {
		t.Error(diff)
	}
}
