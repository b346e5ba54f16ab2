package dump_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/dump"
	"github.com/virga-cloud/virga/internal/remote"
)

// What is secret is in no dump, wherever it lies; what only sounds like it stays.
func TestTakeLeavesSecretsOut(t *testing.T) {
	t.Parallel()
	answers := map[string]string{
		"listCapabilities": `{"capability":{"cloudstackversion":"4.22.0.0"}}`,
		"listApis":         `{"count":1,"api":[{"name":"listUsers","params":[]}]}`,
		"listUsers":        `{"count":1,"user":[{"username":"ann","apikey":"S1","secretkey":"S2","userdata":"S3","created":"x"}]}`,
		"listConfigurations": `{"count":2,"configuration":[{"name":"ldap.bind.password","value":"S4","defaultvalue":"S5"},
			{"name":"vm.password.length","value":"8"},{"name":"expunge.delay","value":"86400"}]}`,
		"listVirtualMachines": `{"count":1,"virtualmachine":[{"passwordenabled":true,"memory":9007199254740993,"password":"S6",
			"details":{"rootPassword":"S7","cpu":"2"},"nic":[{"ZoneToken":"S8","tags":[{"key":"api.token","value":"S9"}]}]}]}`,
		"listImageStores": `{"count":1,"imagestore":[{"url":"cifs://S10:S11@nas/x?user=u&password=S12&a=b"}]}`,
		"listSSHKeyPairs": `{"count":1,"sshkeypair":[{"privatekey":"S13","note":"-----BEGIN RSA PRIVATE KEY-----S14","fingerprint":"f"}]}`,
	}
	c := remote.Cloud{
		Now: func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) },
		Send: func(_ context.Context, command string, p api.Params) (json.RawMessage, error) {
			switch {
			case command == "listTemplates" && p["templatefilter"] == "all":
				return nil, &api.RemoteError{HTTPStatus: 531, Text: "not for you"}
			case command == "listTemplates":
				return json.RawMessage(`{"count":1,"template":[{"name":"mine"}]}`), nil
			case command == "listEvents" && p["startdate"] != "2026-01-02T01:04:05+0000":
				t.Errorf("events since %s", p["startdate"])
			}
			if text, ok := answers[command]; ok {
				return json.RawMessage(text), nil
			}
			if command == "listHosts" {
				return nil, &api.RemoteError{HTTPStatus: 432, Text: "only https://root:S15@x may"}
			}
			return json.RawMessage(`{}`), nil
		},
	}
	in := dump.In{Cloud: c, Endpoint: "http://u:S16@cloud/client/api", Events: 2 * time.Hour, Commands: []dump.Command{{Name: "listUsers", ListAll: true},
		{Name: "listConfigurations"}, {Name: "listVirtualMachines"}, {Name: "listImageStores"}, {Name: "listSSHKeyPairs"}, {Name: "listHosts"}}}
	d, err := dump.Take(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for _, secret := range []string{"S1\"", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13", "S14", "S15", "S16"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is in it:\n%s", secret, text)
		}
	}
	for _, want := range []string{`"passwordenabled":true`, `"memory":9007199254740993`, `"value":"86400"`, `"cpu":"2"`, `"name":"mine"`, `"commands":["listUsers"]`,
		`"cloudstackversion":"4.22.0.0"`, `{"command":"listHosts","why":"only https://…@x may"}`, `a=b`, `"fingerprint":"f"`} {
		if !strings.Contains(text, want) {
			t.Errorf("%s is not in it:\n%s", want, text)
		}
	}
}
