package dump_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
	"github.com/virga-cloud/virga/internal/dump"
	"github.com/virga-cloud/virga/internal/remote"
)

// Nothing that is secret is in a dump of a whole cloud, though some lists show it to who asks for it.
func TestNoSecretIsDumped(t *testing.T) {
	t.Parallel()
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{NoSeed: true})
	do := func(command string, params api.Params) {
		t.Helper()
		if _, err := c.Client.Call(t.Context(), command, params); err != nil {
			t.Fatal(err)
		}
	}
	ask := func(by *api.Client, command string, into any) {
		t.Helper()
		raw, err := by.Call(t.Context(), command, nil)
		if err == nil {
			err = json.Unmarshal(raw, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	const bind = "c4n4ry-0f-th3-b1nd"
	do("updateConfiguration", api.Params{"name": "enable.user.2fa", "value": "true"})
	do("updateConfiguration", api.Params{"name": "ldap.bind.password", "value": bind})
	user, _ := c.Tenant(t, "red", "red-user", 0)
	var factor struct {
		Setup struct {
			Secret string `json:"secretcode"`
		} `json:"setup2fa"`
	}
	ask(user, "setupUserTwoFactorAuthentication", &factor)
	var all struct {
		Commands []struct {
			Name string `json:"name"`
		} `json:"api"`
	}
	ask(c.Client, "listApis", &all)
	in := dump.In{Cloud: remote.Cloud{Send: c.Client.Call, Now: c.DB.Now}, Events: time.Hour}
	for _, one := range all.Commands {
		if strings.HasPrefix(one.Name, "list") {
			in.Commands = append(in.Commands, dump.Command{Name: one.Name, ListAll: true})
		}
	}
	taken, err := dump.Take(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(taken)
	if err != nil {
		t.Fatal(err)
	}
	for what, hidden := range map[string]string{
		"the second factor's secret": factor.Setup.Secret, "the user's secret key": user.SecretKey, "root's secret key": c.Client.SecretKey,
		"the directory's password": bind,
	} {
		if len(hidden) < 16 || bytes.Contains(text, []byte(hidden)) {
			t.Errorf("the dump tells %s, or it is %q", what, hidden)
		}
	}
	if len(taken.Lists) < 40 {
		t.Errorf("the dump has %d lists: %v", len(taken.Lists), taken.Missing)
	}
}
