package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

const (
	askWithin     = 10 * time.Second
	skewAllowed   = time.Minute // whole seconds come, over a network
	certificateOK = 14 * 24 * time.Hour
)

// page is what a server has answered.
type page struct {
	status     int
	date, text string
	tls        *tls.ConnectionState
}

// get asks for a page beside the API.
func (v *visit) get(ctx context.Context, address string) (page, error) {
	ctx, stop := context.WithTimeout(ctx, askWithin)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return page{}, err
	}
	client := v.HTTP
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = resp.Body.Close() }() // what was read counts
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	return page{resp.StatusCode, resp.Header.Get("Date"), string(body), resp.TLS}, err
}

// endpoint looks whether anything answers, how, and what time it has.
func (v *visit) endpoint(ctx context.Context) Check {
	c := Check{Name: "endpoint"}
	began := v.Cloud.Now()
	seen, err := v.get(ctx, v.Endpoint)
	if err != nil {
		v.unreachable = true
		if failed, ok := errors.AsType[*url.Error](err); ok {
			err = failed.Err
		}
		do := "Look whether the server runs, whether the address is right (virga profile show), and whether a firewall is between here and there."
		if strings.Contains(err.Error(), "certificate") {
			do = "Give the server a certificate that this machine trusts, or sign in with insecure=true if you know whose it is."
		}
		c.find(fmt.Sprintf("%s does not answer: %v", v.Endpoint, err), "Without an answer nothing else can be looked at.", do)
		return c
	}
	local := v.Cloud.Now()
	c.see("%s answers in %d ms", v.Endpoint, local.Sub(began).Milliseconds())
	v.clock(&c, seen, local)
	v.transport(&c, seen)
	return c
}

// clock compares the server's time with ours.
func (v *visit) clock(c *Check, seen page, local time.Time) {
	at, err := http.ParseTime(seen.date)
	if err != nil {
		return
	}
	v.now = at
	if off := local.Sub(at); off.Abs() > skewAllowed {
		c.find(fmt.Sprintf("the clocks differ: here it is %s, there %s", local.UTC().Format(time.RFC3339), at.UTC().Format(time.RFC3339)),
			"Signatures that expire are refused too early or taken too long, and the times of events mislead.",
			"Let both machines take their time from the network (chrony, systemd-timesyncd).")
	}
}

// transport looks at what the way to the server is protected by.
func (v *visit) transport(c *Check, seen page) {
	u, err := url.Parse(v.Endpoint)
	if err != nil {
		return
	}
	ip := net.ParseIP(u.Hostname())
	near := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	switch {
	case seen.tls == nil && !near:
		c.find("requests and answers are not encrypted", "Whoever sits on the way reads the passwords and keys in them.",
			"Serve HTTPS (virga server --tls auto, or --tls-cert and --tls-key) and sign in again with https://.")
	case seen.tls != nil && v.Insecure && !near:
		c.find("any certificate is taken for the server's", "Whoever sits on the way can pretend to be the server.",
			"Give the server a certificate that this machine trusts, and sign in again without insecure=true.")
	}
	if seen.tls != nil && len(seen.tls.PeerCertificates) > 0 {
		if end := seen.tls.PeerCertificates[0].NotAfter; end.Sub(v.now) < certificateOK {
			c.find("the server's certificate ends at "+end.UTC().Format(time.RFC3339), "After that no client will speak to it.",
				"Renew the certificate.")
		}
	}
}

// health asks the server's own opinion. Only Virga has one.
func (v *visit) health(ctx context.Context) Check {
	c := Check{Name: "health"}
	base, ours := strings.CutSuffix(v.Endpoint, "/client/api")
	if !ours {
		c.Result, c.Text = Skipped, "the endpoint has another path than Virga's"
		return c
	}
	for _, one := range []struct{ path, why, do string }{
		{"/healthz", "The process is there but doesn't serve.", "Look into the server's log, and start it again."},
		{"/readyz", "Requests will fail: its database does not answer, or its engine does not run.",
			"Look into the server's log for \"not ready\"; look whether the database runs: virga doctor --database URL."},
	} {
		seen, err := v.get(ctx, base+one.path)
		switch {
		case err != nil:
			c.find(fmt.Sprintf("%s does not answer: %v", one.path, err), one.why, one.do)
		case seen.status == http.StatusNotFound:
			c.Result, c.Text = Skipped, "the server has no "+one.path+": it is another than Virga, or a proxy keeps it back"
			return c
		case seen.status != http.StatusOK:
			c.find(fmt.Sprintf("%s says %d %s", one.path, seen.status, strings.TrimSpace(seen.text)), one.why, one.do)
		}
	}
	c.see("/healthz and /readyz say ok")
	if len(c.Findings) > 0 {
		c.Text = ""
	}
	return c
}

// user is who is signed in.
type user struct {
	Username, Account, Domain, APIKey string
	AccountType                       *int
}

// signIn looks whom the cloud takes the caller for.
func (v *visit) signIn(ctx context.Context) Check {
	c := Check{Name: "signed in"}
	raw, err := v.Cloud.Send(ctx, "listCapabilities", nil)
	if err != nil {
		v.unreachable = true
		c.find("the cloud refuses to know us: "+remote.Text(err), "Every other request would be refused, too.",
			"Sign in again: virga login url="+v.Endpoint+". If the clocks differ, set them first.")
		return c
	}
	var answer struct {
		Capability struct{ CloudStackVersion string }
	}
	level := ""
	if json.Unmarshal(raw, &answer) == nil && answer.Capability.CloudStackVersion != "" {
		level = ", API level " + answer.Capability.CloudStackVersion
	}
	if v.APIKey == "" && v.Username == "" {
		c.see("as nobody: requests are not signed%s", level)
		return c
	}
	who, ok := v.whoAmI(ctx)
	if !ok {
		c.see("the cloud takes our requests, and does not say whose they are%s", level)
		return c
	}
	c.see("as %s of account %s, domain %s: %s%s", who.Username, who.Account, who.Domain, role(who.AccountType), level)
	return c
}

// whoAmI finds the user whose key it is. Admins can ask for that; everybody else sees few users.
func (v *visit) whoAmI(ctx context.Context) (user, bool) {
	if v.APIKey != "" {
		raw, err := v.Cloud.Send(ctx, "getUser", api.Params{"userapikey": v.APIKey})
		var answer struct{ User user }
		if err == nil && json.Unmarshal(raw, &answer) == nil && answer.User.Username != "" {
			return answer.User, true
		}
	}
	seen, err := remote.List[user](ctx, v.Cloud, "listUsers", nil)
	if err != nil { // for admins only, on some clouds: an account's own users are in it
		seen = v.usersOfAccounts(ctx)
	}
	for _, one := range seen {
		if v.APIKey != "" && one.APIKey == v.APIKey || v.APIKey == "" && strings.EqualFold(one.Username, v.Username) || len(seen) == 1 {
			return one, true
		}
	}
	return user{}, false
}

func (v *visit) usersOfAccounts(ctx context.Context) (seen []user) {
	accounts, err := remote.List[struct{ User []user }](ctx, v.Cloud, "listAccounts", nil)
	if err != nil {
		return nil
	}
	for _, a := range accounts {
		seen = append(seen, a.User...)
	}
	return seen
}

func role(accountType *int) string {
	words := map[int]string{0: "user", 1: "root admin", 2: "domain admin"}
	if accountType == nil || words[*accountType] == "" {
		return "role unknown"
	}
	return words[*accountType]
}
