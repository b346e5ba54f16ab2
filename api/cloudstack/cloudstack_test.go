package cloudstack_test

import (
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

func TestEveryDeclarationIsWellFormed(t *testing.T) {
	t.Parallel()
	m := api.NewMux(cs.All...)
	if got, want := len(m.Missing()), len(cs.All)-2; got != want {
		t.Errorf("%d commands wait for a handler, want all but login and logout: %d", got, want)
	}
}
