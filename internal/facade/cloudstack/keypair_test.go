package cloudstack

import (
	"encoding/json"
	"strings"
	"testing"

	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// A private key is shown when it is made, and not again when the request is repeated.
func TestPrivateKeyIsShownOnce(t *testing.T) {
	t.Parallel()
	p := newPlant(t, dbtest.SQLite(t))
	var keys []cs.SSHKeyPair
	for range 2 {
		r := p.answer("red-user", cs.CreateSSHKeyPair, "name=new", "idempotencykey=k")
		var envelope map[string]map[string]cs.SSHKeyPair
		p.must(json.Unmarshal([]byte(r.body), &envelope))
		keys = append(keys, envelope["createsshkeypairresponse"]["keypair"])
	}
	first, second := keys[0], keys[1]
	if !strings.HasPrefix(first.PrivateKey, "-----BEGIN RSA PRIVATE KEY-----") || second.PrivateKey != "" || first.ID != second.ID ||
		first.Fingerprint == "" || first.Fingerprint != second.Fingerprint || first.Account != "red-user" {
		t.Errorf("first %+v, then %+v", first, second)
	}
	if strings.Contains(p.log.String(), "BEGIN") {
		t.Error("the private key is in the log")
	}
}
