package front

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/virga-cloud/virga/api"
	cs "github.com/virga-cloud/virga/api/cloudstack"
	"github.com/virga-cloud/virga/internal/account"
	"github.com/virga-cloud/virga/internal/auth"
	"github.com/virga-cloud/virga/internal/fault"
	"github.com/virga-cloud/virga/internal/secret"
)

// errLogin is a login that failed, whatever was wrong about it.
var errLogin = &refusal{code: code{http: notLetIn}, text: "failed to authenticate user, check if username/password are correct"}

// login begins a session. A session that the client had is ended first, so that nobody goes on in a session that somebody
// else has prepared for them.
func (c *call) login() {
	if c.r.Method != http.MethodPost {
		c.w.Header().Set("Allow", http.MethodPost)
		c.fail(refuse(http.StatusMethodNotAllowed, "login is by POST only"))
		return
	}
	in, err := c.credentials()
	if err != nil { // no try, which nothing bounds: it leaves no record
		c.fail(err)
		return
	}
	ctx := c.audit(c.r.Context(), nil)
	out, err := c.signIn(ctx, in)
	c.acting = auth.With(ctx, c.caller)
	c.settle(err)
	if err != nil {
		c.fail(err)
		return
	}
	c.answer(api.AnswerOf(cs.Login, out, RoleOf(c.caller)))
}

func (c *call) credentials() (cs.LoginIn, error) {
	if err := sameSite(c.r); err != nil {
		return cs.LoginIn{}, err
	}
	return api.Decode(cs.Login, c.params, api.NoOne)
}

func (c *call) signIn(ctx context.Context, in cs.LoginIn) (cs.LoginOut, error) {
	f := c.front
	if old := cookie(c.r, sessionCookie); !old.IsEmpty() {
		if err := f.sessions.Close(ctx, old); err != nil {
			return cs.LoginOut{}, err
		}
	}
	settle, wait := f.logins.begin(c.remote(), f.db.Now())
	if wait > 0 {
		return cs.LoginOut{}, tooMany(wait, "too many failed logins from your address")
	}
	caller, user, err := f.accounts.Login(ctx, in.Username, secret.New(in.Password), cmp.Or(string(in.DomainID), in.Domain))
	if fault.Is(err, fault.Unauthenticated) {
		return cs.LoginOut{}, errLogin
	}
	settle() // neither a right password nor an accident of ours counts as a guess
	if err != nil {
		return cs.LoginOut{}, err
	}
	open, asks := f.sessions.Open, f.accounts.AsksFactor(user)
	if asks {
		open = f.sessions.OpenWaiting
	}
	id, key, err := open(ctx, user.ID)
	if err != nil {
		return cs.LoginOut{}, err
	}
	return c.welcome(account.Entered{Caller: caller, User: user, Cookie: id, Key: key, Waiting: asks}), nil
}

// welcome hands out a session that was opened.
func (c *call) welcome(e account.Entered) cs.LoginOut {
	f := c.front
	c.caller = e.Caller
	c.setCookie(sessionCookie, e.Cookie)
	c.setCookie(keyCookie, e.Key)
	out := loginOut(e.Caller, e.User, e.Key, f.sessions.Idle(), f.db.Now())
	out.TwoFactor, out.TwoFactorVerified = strconv.FormatBool(e.Waiting), strconv.FormatBool(!e.Waiting)
	if e.Waiting {
		out.TwoFactorIssuer = f.accounts.FactorIssuer(e.User)
		if e.User.Factor == account.HasFactor {
			out.TwoFactorProvider = e.User.FactorProvider
		}
	}
	return out
}

func loginOut(caller auth.Caller, u account.User, key secret.String, idle time.Duration, now time.Time) cs.LoginOut {
	return cs.LoginOut{
		Timeout: int(idle / time.Second), UserID: u.ID, Username: u.Username, FirstName: u.Firstname, LastName: u.Lastname,
		Account: u.AccountName, DomainID: u.Domain, Type: strconv.Itoa(int(caller.Type)), Registered: "false",
		SessionKey: key.Reveal(), Timezone: u.Timezone, TimezoneOffset: zoneOffset(u.Timezone, now),
	}
}

// zoneOffset gives the hours between a time zone and UTC as Java writes a float, "-8.0"; "" for no zone, or one we don't know.
func zoneOffset(zone string, now time.Time) string {
	location, err := time.LoadLocation(zone)
	if zone == "" || err != nil {
		return ""
	}
	_, seconds := now.In(location).Zone()
	text := strconv.FormatFloat(float64(seconds)/3600, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// logout ends the session that the request's cookie names. It asks for nothing else: who can't prove anything any more shall
// still be able to leave.
func (c *call) logout() {
	id := cookie(c.r, sessionCookie)
	if !id.IsEmpty() {
		err := c.front.accounts.Logout(c.audit(c.r.Context(), nil), id)
		if err != nil {
			c.settle(err)
			c.fail(err)
			return
		}
	}
	c.setCookie(sessionCookie, secret.String{})
	c.setCookie(keyCookie, secret.String{})
	c.answer(api.AnswerOf(cs.Logout, cs.LogoutOut{Description: "success"}, api.NoOne))
}
