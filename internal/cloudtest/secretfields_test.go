package cloudtest_test

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/audit"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/cloudtest"
	"github.com/virga-cloud/virga/internal/db/dbtest"
)

// secretField is how a command is told a secret.
type secretField struct {
	params  api.Params
	as      string // what the parameter is called on the wire, where that is not its name
	refused string // why no value of ours is taken; it is told all the same
	shown   string // why the answer tells it
	listed  string // why root's lists tell it
}

// secretFields has an entry for each parameter of the contract that is secret. $ and a name are things of the test.
var secretFields = map[string]secretField{
	"createAccount.password":     {params: with(somebody, "username", "ada", "accounttype", "0")},
	"createUser.password":        {params: with(somebody, "username", "bob", "account", "red-user", "domainid", "$domain")},
	"updateUser.password":        {params: api.Params{"id": "$user"}},
	"updateUser.currentpassword": {params: api.Params{"id": "$me", "password": "another-one"}, refused: "it is not the password"},
	"updateUser.userapikey":      {params: api.Params{"id": "$user", "usersecretkey": "another-secret-key-01"}, shown: "by it the user is known"},
	"updateUser.usersecretkey": {params: api.Params{"id": "$user", "userapikey": "another-api-key-00001"},
		listed: "listUserKeys shows pairs to who may handle them"},
	"getUser.userapikey":                                 {refused: "nobody has that key"},
	"listUserKeys.apikeyfilter":                          {},
	"login.password":                                     {params: api.Params{"username": "red-user", "domain": "red"}, refused: "it is not the password"},
	"setupUserTwoFactorAuthentication.codefor2fa":        {params: api.Params{"enable": "false"}, refused: "it is no code"},
	"validateUserTwoFactorAuthenticationCode.codefor2fa": {refused: "it is no code"},
	"registerOauthProvider.secretkey":                    {params: with(google, "provider", "github")},
	"updateOauthProvider.secretkey":                      {params: api.Params{"id": "$provider"}},
	"verifyOAuthCodeAndGetUser.secretcode":               {params: api.Params{"provider": "google"}, refused: "no provider gave it"},
	"oauthlogin.secretcode":                              {params: api.Params{"provider": "google", "email": "e@example.org"}, refused: "no provider gave it"},
	"ldapConfig.bindpass":                                {params: directory, refused: "nobody answers there"},
	"ldapConfig.truststorepass":                          {params: directory, refused: "nobody answers there"},
	"uploadCustomCertificate.privatekey":                 {params: api.Params{"certificate": "x", "domainsuffix": "example.org"}, refused: "it is no key"},
	"addCluster.password":                                {params: cluster, refused: "for VMware only"},
	"addCluster.vsmpassword":                             {params: cluster, refused: "for VMware only"},
	"addHost.password": {params: api.Params{"zoneid": "$zone", "podid": "$pod", "clusterid": "$cluster", "hypervisor": "Simulator", "url": "http://secretive",
		"username": "u"}},
	// Keys that are right are kept, and TestSecretsAreNotInTheLog looks for them: it has a bucket.
	"addImageStore.details": {params: with(zoned, "provider", "S3", "details[0].key", "endpoint", "details[0].value", "127.0.0.1:1", "details[1].key", "bucket",
		"details[1].value", "b", "details[2].key", "accesskey", "details[2].value", "a", "details[3].key", "secretkey"), as: "details[3].value",
		refused: "nobody answers there"},
	"addImageStoreS3.accesskey":               {params: with(bucket, "secretkey", "s"), refused: "nobody answers there"},
	"addImageStoreS3.secretkey":               {params: with(bucket, "accesskey", "a"), refused: "nobody answers there"},
	"addS3.accesskey":                         {params: with(bucket, "secretkey", "s"), refused: "nobody answers there"},
	"addS3.secretkey":                         {params: with(bucket, "accesskey", "a"), refused: "nobody answers there"},
	"createConsoleEndpoint.token":             {params: api.Params{"virtualmachineid": "$vm"}, shown: "the socket's parameter extra"},
	"resetPasswordForVirtualMachine.password": {params: api.Params{"id": "$stopped"}, shown: "the job shows the password until the machine runs"},
}

var (
	somebody  = api.Params{"firstname": "f", "lastname": "l", "email": "e@example.org", "password": "p"}
	zoned     = api.Params{"zoneid": "$zone"}
	bucket    = api.Params{"endpoint": "127.0.0.1:1", "bucket": "b", "usehttps": "false", "maxerrorretry": "0"}
	google    = api.Params{"provider": "google", "description": "Google", "clientid": "c", "secretkey": "s", "redirecturi": "https://cloud.example.org/"}
	directory = api.Params{"hostname": "127.0.0.1", "port": "1", "searchbase": "dc=example,dc=org", "queryfilter": "(uid=%u)"}
	cluster   = api.Params{"clustername": "c", "zoneid": "$zone", "podid": "$pod", "hypervisor": "Simulator", "clustertype": "CloudManaged"}
)

// What the contract calls secret is told to each parameter that takes it, and then looked for in answers, in the log, in the audit log
// and in every column of the database.
func TestEverySecretFieldKeepsItsSecret(t *testing.T) {
	t.Parallel()
	var log allLogged
	c := cloudtest.New(t, dbtest.SQLite(t), cloudtest.Options{Log: &log})
	box := c.Sandbox(t)
	set(t, c, "enable.user.2fa", "true", cs.SettingPlace{})
	set(t, c, "oauth2.enabled", "true", cs.SettingPlace{})
	_, a := c.Tenant(t, "red", "red-user", auth.User)
	call := caller(t)
	call(c.Client, "registerOauthProvider", google)
	vm := run(t, c.Client, cs.DeployVirtualMachine, box.Deploy())
	first := func(command string, params api.Params) string {
		return ownID(t, c.Client, command, params, func(map[string]any) bool { return true })
	}
	known := map[string]string{
		"$domain": string(a.Domain), "$zone": string(box.Zone), "$vm": string(vm.ID), "$pod": first("listPods", nil), "$cluster": first("listClusters", nil),
		"$user": first("listUsers", api.Params{"listall": "true", "username": "red-user"}), "$me": first("listUsers", api.Params{"username": "admin"}),
		"$provider": first("listOauthProvider", nil), "$stopped": stoppedWithPassword(t, c, box),
	}
	canaries := map[string]string{}
	for _, one := range cs.All {
		d := one.Describe()
		for _, p := range d.Params() {
			if !p.Secret {
				continue
			}
			key := d.Name + "." + p.Name
			field, ok := secretFields[key]
			if !ok {
				t.Errorf("%s is secret: say in secretFields how it is told", key)
				continue
			}
			canary := fmt.Sprintf("c4n4ry-%02d-%s", len(canaries), "0f-th3-f13ld")
			canaries[key] = canary
			params := maps.Clone(field.params)
			if params == nil {
				params = api.Params{}
			}
			for name, value := range params {
				if id, is := known[value]; is {
					params[name] = id
				}
			}
			params[cmp.Or(field.as, p.Name)] = canary
			answer, err := tellSecret(t, c, d, params)
			if (err != nil) != (field.refused != "") {
				t.Errorf("%s: %q, want that it is refused because %q", key, err, field.refused)
			}
			if got := answer + fmt.Sprint(err); strings.Contains(got, canary) != (field.shown != "") {
				t.Errorf("%s is answered with %s; shown: %q", key, got, field.shown)
			}
		}
	}
	for key := range secretFields {
		if canaries[key] == "" {
			t.Errorf("%s is no secret of the contract", key)
		}
	}
	must(t, c.Keepers.Round(auth.With(t.Context(), auth.System()), "audit"))
	var exported bytes.Buffer
	_, err := audit.Export(t.Context(), c.DB.Read(), 0, &exported)
	must(t, err)
	// All that lists show to root, who may see everything.
	var shown bytes.Buffer
	for _, one := range cs.All {
		if d := one.Describe(); d.Kind == api.KindList && !d.Creates && !d.Session {
			raw, err := c.Client.Call(t.Context(), d.Name, with(bases[d.Name], "listall", "true"))
			fmt.Fprintln(&shown, string(raw), err)
		}
	}
	for key, canary := range canaries {
		log.lacks(t, key, canary)
		notInDatabase(t, c, canary)
		if strings.Contains(exported.String(), canary) {
			t.Errorf("%s is in the audit log", key)
		}
		if is, why := strings.Contains(shown.String(), canary), secretFields[key].listed; is != (why != "") {
			t.Errorf("%s is in lists: %v, where the reason is %q", key, is, why)
		}
	}
	if exported.Len() == 0 || shown.Len() < 10_000 {
		t.Errorf("%d bytes of the audit log, %d of lists", exported.Len(), shown.Len())
	}
}

// tellSecret calls a command as root: one that begins sessions as a browser does, any other one signed.
func tellSecret(t *testing.T, c *cloudtest.Cloud, d *api.Description, params api.Params) (string, error) {
	t.Helper()
	if !d.Session && !d.Open {
		raw, err := c.Client.Call(t.Context(), d.Name, params)
		return string(raw), err
	}
	form := url.Values{"command": {d.Name}, "response": {"json"}}
	for name, value := range params {
		form.Set(name, value)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.URL+"/client/api", strings.NewReader(form.Encode()))
	must(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := http.DefaultClient.Do(r)
	must(t, err)
	body, err := io.ReadAll(answer.Body)
	must(t, err)
	must(t, answer.Body.Close())
	if answer.StatusCode >= 300 {
		return string(body), fmt.Errorf("%d", answer.StatusCode)
	}
	return string(body), nil
}

// stoppedWithPassword makes a machine that takes passwords, and does not run.
func stoppedWithPassword(t *testing.T, c *cloudtest.Cloud, box cloudtest.Sandbox) string {
	t.Helper()
	systems, err := listed(t, c.Client, cs.ListOsTypes, cs.ListOsTypesIn{})
	must(t, err)
	made, err := listed(t, c.Client, cs.RegisterTemplate, cs.RegisterTemplateIn{
		Name: "mine", URL: "https://example.org/mine.vhd.bz2", Format: "VHD", Hypervisor: "Simulator", OSTypeID: systems[0].ID,
		ZoneID: string(box.Zone), PasswordEnabled: true,
	})
	must(t, err)
	settle(t, c, made[0].ID)
	in := box.Deploy()
	in.TemplateID, in.Name, in.StartVM = made[0].ID, "stopped", new(false)
	return string(run(t, c.Client, cs.DeployVirtualMachine, in).ID)
}
