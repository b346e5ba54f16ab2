package cloudstack_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

func TestEveryDeclarationIsWellFormed(t *testing.T) {
	t.Parallel()
	m := api.NewMux(cs.All...)
	want := 0
	for _, c := range cs.All {
		if !c.Describe().Session {
			want++
		}
	}
	if got := len(m.Missing()); got != want || want < len(cs.All)-10 {
		t.Errorf("%d commands wait for a handler, want all but those that make and end sessions: %d", got, want)
	}
}

// A difference here is a difference for every client: look at it, then run go generate ./api/cloudstack.
func TestReferenceIsUpToDate(t *testing.T) {
	t.Parallel()
	folder := filepath.Join("..", "..", "docs", "reference")
	files := api.NewReference(cs.Version, cs.All...).Files()
	for name, want := range files {
		if got, err := os.ReadFile(filepath.Join(folder, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what the declarations say (%v)", name, err)
		}
	}
	there, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range there {
		if files[entry.Name()] == nil {
			t.Errorf("%s is not generated any more", entry.Name())
		}
	}
}
