package datacenter

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, name string) *File {
	t.Helper()
	r, err := os.Open("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	f, err := Read(r)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A file of Marvin's is the same data centre as its translation by hand.
func TestMarvinsFileIsTheSame(t *testing.T) {
	t.Parallel()
	marvin, ours := read(t, "marvin.cfg"), read(t, "lab.yaml")
	if len(marvin.Notes) != 2 || !strings.Contains(marvin.Notes[0], "nfs://10.147.28.6:/export/home/sandbox/primary0 is taken as file://") {
		t.Errorf("notes: %q", marvin.Notes)
	}
	marvin.Notes = nil
	if d := cmp.Diff(ours, marvin); d != "" {
		t.Error(d)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {"", "the file is empty"},
		"two documents":   {"settings: {}\n---\nsettings: {}\n", "more than one document"},
		"broken JSON":     {"# x\n{\"zones\": [", "begins like JSON and is none"},
		"unknown key":     {"zones:\n  - name: a\n    dns: 8.8.8.8\n", `unknown field "dns"`},
		"unknown in JSON": {`{"zones":[{"name":"a","networktype":"Basic","dns":"8.8.8.8"}]}`, `unknown field "dns"`},
		"no name":         {"zones:\n  - networktype: Basic\n", "zone 1 has no name"},
		"twice":           {"zones:\n  - {name: a, networktype: Basic}\n  - {name: a, networktype: Basic}\n", `two zones called "a"`},
		"no type":         {"zones:\n  - name: a\n", `zone "a": networktype ""; want Advanced or Basic`},
		"no hypervisor":   {"zones: [{name: a, networktype: Basic, pods: [{name: p, clusters: [{name: c}]}]}]", `zone "a", pod "p", cluster "c" has no hypervisor`},
		"no truth":        {`{"zones":[{"name":"a","networktype":"Basic","localstorageenabled":"yes"}]}`, "want true or false, got yes"},
		"a list for text": {"settings: {a: [1]}", "want a text or a number"},
	} {
		if _, err := Read(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

// All mistakes are told at once.
func TestReadTellsEverything(t *testing.T) {
	t.Parallel()
	_, err := Read(strings.NewReader("zones: [{name: a}, {name: b}]"))
	if err == nil || !strings.Contains(err.Error(), `"a"`) || !strings.Contains(err.Error(), `"b"`) {
		t.Error(err)
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	f, err := Read(strings.NewReader(`settings: {number: 3, factor: 1.50, truth: true, text: "a: b", plain: a b, single: 'it''s'}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Text{"number": "3", "factor": "1.50", "truth": "true", "text": "a: b", "plain": "a b", "single": "it's"}
	if d := cmp.Diff(want, f.Settings); d != "" {
		t.Error(d)
	}
}
