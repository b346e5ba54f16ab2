package cloudstack

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
)

func TestASessionWaitsForTheSecondFactor(t *testing.T) {
	t.Parallel()
	eachCloud(t, func(t *testing.T, c *cloud) {
		c.set("enable.user.2fa", "true")
		c.set("mandate.user.2fa", "true")
		signIn := func() (*session, cs.LoginOut) {
			t.Helper()
			r := c.do(c.request("POST", "/client/api", c.loginForm("red-user")))
			var body struct {
				Out cs.LoginOut `json:"loginresponse"`
			}
			if err := json.Unmarshal([]byte(r.body), &body); err != nil || r.status != 200 || api.Validate(cs.Login, []byte(r.body)) != nil {
				t.Fatalf("%d %v %s", r.status, err, r.body)
			}
			return c.sessionOf(r), body.Out
		}
		ask := func(s *session, query string) reply {
			return s.send("POST", query+"&sessionkey="+s.key, "JSESSIONID")
		}
		s, out := signIn()
		if out.TwoFactor != "true" || out.TwoFactorVerified != "false" || out.TwoFactorProvider != "" || out.TwoFactorIssuer != "Virga" {
			t.Errorf("%+v", out)
		}
		for _, command := range cs.All {
			d := command.Describe()
			if d.Session { // they begin and end sessions
				continue
			}
			switch d.Name {
			case cs.ValidateTwoFactor.Name, cs.SetUpTwoFactor.Name, cs.ListTwoFactorProviders.Name:
			default:
				if r := ask(s, "command="+d.Name); r.status != 511 {
					t.Errorf("%s in a session that waits: %d %s", d.Name, r.status, r.body)
				}
			}
		}
		if r := ask(s, "command=listUserTwoFactorAuthenticatorProviders"); api.Validate(cs.ListTwoFactorProviders, []byte(r.body)) != nil || r.status != 200 {
			t.Errorf("%d %s", r.status, r.body)
		}
		failed(t, ask(s, "command=setupUserTwoFactorAuthentication&codefor2fa=1"), "setupusertwofactorauthenticationresponse", 431)
		r := ask(s, "command=setupUserTwoFactorAuthentication")
		var setup struct {
			Out struct {
				Setup cs.TwoFactorSetup `json:"setup2fa"`
			} `json:"setupusertwofactorauthenticationresponse"`
		}
		c.must(json.Unmarshal([]byte(r.body), &setup))
		key := setup.Out.Setup.SecretCode
		if len(key) != 32 || api.Validate(cs.SetUpTwoFactor, []byte(r.body)) != nil {
			t.Fatalf("%s", r.body)
		}
		present := func() string {
			t.Helper()
			code, err := totp.GenerateCode(key, c.clock.now())
			c.must(err)
			return code
		}
		give := func(s *session, code string) reply {
			t.Helper()
			return ask(s, "command=validateUserTwoFactorAuthenticationCode&codefor2fa="+code)
		}
		failed(t, ask(s, "command=validateUserTwoFactorAuthenticationCode&codefor2fa=12345"), "validateusertwofactorauthenticationcoderesponse", 511)
		code := present()
		if r := give(s, code); r.status != 200 || api.Validate(cs.ValidateTwoFactor, []byte(r.body)) != nil {
			t.Fatalf("%d %s", r.status, r.body)
		}
		if r := ask(s, "command=listRegions"); r.status != 200 {
			t.Errorf("after the code: %d %s", r.status, r.body)
		}
		again, out := signIn()
		if out.TwoFactorProvider != "totp" || out.TwoFactorVerified != "false" {
			t.Errorf("%+v", out)
		}
		failed(t, ask(again, "command=listRegions"), "listregionsresponse", 511)
		failed(t, ask(again, "command=setupUserTwoFactorAuthentication&enable=false"), "setupusertwofactorauthenticationresponse", http.StatusOK+331)
		failed(t, give(again, code), "validateusertwofactorauthenticationcoderesponse", 511) // used already
		c.clock.forward(time.Minute)
		if r := give(again, present()); r.status != 200 {
			t.Errorf("%d %s", r.status, r.body)
		}
		for _, one := range []*session{s, again} {
			if r := ask(one, "command=listRegions"); r.status != 200 {
				t.Errorf("%d %s", r.status, r.body)
			}
		}
		c.answer("red-user", cs.ListRegions) // keys need no code
		if r := c.answer("red-admin", cs.ListUsers, "listall=true", "username=red-user"); !strings.Contains(r.body, `"is2faenabled":true`) &&
			!strings.Contains(r.body, `"is2faenabled": true`) {
			t.Errorf("it is not shown: %s", r.body)
		}
		// The secret is nowhere but in that one answer.
		var rows []string
		c.must(c.db.Read().NewRaw("select factor_secret from users union all select description from events").Scan(t.Context(), &rows))
		for _, text := range append(rows, c.log.String()) {
			if strings.Contains(text, key) {
				t.Errorf("the secret stands in %.200q", text)
			}
		}
		c.answer("root", cs.SetUpTwoFactor, "enable=false", "userid="+string(c.tenants["red-user"].User))
	})
}
