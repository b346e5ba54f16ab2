package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/remote"
)

// In says whom to examine.
type In struct {
	Cloud    remote.Cloud
	Endpoint string // "": there is no cloud to ask, and only More is examined
	APIKey   string // whom requests are signed as
	Username string // or who signs in by name
	Insecure bool   // whether any certificate is taken
	HTTP     *http.Client
	More     func(context.Context) []Check // what is to be examined besides; nil for nothing
}

// Result is how a check has ended.
type Result string

// The results.
const (
	OK      Result = "ok"
	Found   Result = "finding"
	Skipped Result = "skipped"
)

// Check is what was looked at.
type Check struct {
	Name     string    `json:"name"`
	Result   Result    `json:"result"`
	Text     string    `json:"text,omitempty"` // what was seen, or why nothing was
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is something that is not as it should be.
type Finding struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Do   string `json:"do"`
}

// Report is what the doctor has to say.
type Report struct {
	Endpoint    string  `json:"endpoint,omitempty"`
	Unreachable bool    `json:"unreachable"` // the cloud does not answer, or does not know who asks
	Count       int     `json:"findings"`
	Checks      []Check `json:"checks"`
}

// Examine looks at everything. When the context ends, the rest is skipped.
func Examine(ctx context.Context, in In) *Report {
	r := &Report{Endpoint: in.Endpoint}
	if in.Endpoint != "" {
		v := &visit{In: in, now: in.Cloud.Now()}
		r.Checks = v.all(ctx)
		r.Unreachable = v.unreachable
	}
	if in.More != nil {
		r.Checks = append(r.Checks, in.More(ctx)...)
	}
	for i := range r.Checks {
		c := &r.Checks[i]
		if len(c.Findings) > 0 {
			c.Result = Found
		} else if c.Result == "" {
			c.Result = OK
		}
		r.Count += len(c.Findings)
	}
	return r
}

// visit is one examination of a cloud.
type visit struct {
	In
	now         time.Time // the server's, once it is known
	unreachable bool
	settings    map[string]settingItem // nil where the caller may not see them
	settingsErr error
}

// all makes the checks in order. Where there is no way in, the others would say the same again.
func (v *visit) all(ctx context.Context) []Check {
	checks := []Check{v.endpoint(ctx)}
	if v.unreachable {
		return checks
	}
	checks = append(checks, v.health(ctx), v.signIn(ctx))
	if v.unreachable {
		return checks
	}
	v.readSettings(ctx)
	for _, look := range []struct {
		name string
		at   func(context.Context, *Check) error
	}{
		{"zones", v.zones}, {"hosts", v.hosts}, {"storage", v.pools}, {"capacity", v.capacity}, {"templates", v.templates},
		{"alerts", v.alerts}, {"jobs", v.jobs}, {"settings", v.dangers},
	} {
		c := Check{Name: look.name}
		c.judge(ctx, look.at(ctx, &c))
		checks = append(checks, c)
	}
	return checks
}

// judge takes what went wrong with a check itself: what the caller may not see is skipped, anything else is a finding.
func (c *Check) judge(ctx context.Context, err error) {
	if err == nil {
		return
	}
	refused, ok := errors.AsType[*api.RemoteError](err)
	switch {
	case ctx.Err() != nil:
		c.Result, c.Text = Skipped, "interrupted"
	case ok && slices.Contains([]int{http.StatusUnauthorized, 431, 432, 531, 533}, refused.HTTPStatus):
		c.Result, c.Text = Skipped, "this user may not see it: "+refused.Text
	default:
		c.find("it can't be looked at: "+remote.Text(err), "A cloud that is well answers that.", "Look into the server's log.")
	}
}

// see notes what a check has seen.
func (c *Check) see(format string, args ...any) { c.Text = fmt.Sprintf(format, args...) }

func (c *Check) find(what, why, do string) {
	c.Findings = append(c.Findings, Finding{what, why, do})
}

// named is how many names a finding has.
const named = 10

// some are names to show: the first, and how many there are besides.
func some(names []string) string {
	if more := len(names) - named; more > 0 {
		return strings.Join(names[:named], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(names, ", ")
}

// JSON writes the report for programs.
func (r *Report) JSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	var b strings.Builder
	for _, c := range r.Checks {
		fmt.Fprintf(&b, "%-8s %-10s %s\n", c.Result, c.Name, c.Text)
		for _, f := range c.Findings {
			fmt.Fprintf(&b, "  - %s\n      why: %s\n      do:  %s\n", f.What, f.Why, f.Do)
		}
	}
	switch r.Count {
	case 0:
		b.WriteString("\nNothing was found.\n")
	case 1:
		b.WriteString("\nThere is 1 finding.\n")
	default:
		fmt.Fprintf(&b, "\nThere are %d findings.\n", r.Count)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
