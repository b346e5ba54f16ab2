package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"github.com/virga-cloud/virga/api"
	"github.com/virga-cloud/virga/internal/bench"
	"github.com/virga-cloud/virga/internal/doctor"
	"github.com/virga-cloud/virga/internal/dump"
	"github.com/virga-cloud/virga/internal/remote"
)

// tool is an own command with flags of its own. Its fields are the flags, for kong.
type tool interface {
	run(ctx context.Context, r *runner) error
	profileName() string
}

// ofProfile are the flags that every tool has.
type ofProfile struct {
	Profile string `short:"p" help:"The cloud to speak to, by the name of its profile." placeholder:"NAME"`
}

func (p ofProfile) profileName() string { return p.Profile }

// toolNamed gives a new one of the tools, nil for any other word.
func toolNamed(name string) tool {
	switch name {
	case "bench":
		return &benchTool{}
	case "doctor":
		return &doctorTool{}
	case "dump":
		return &dumpTool{}
	}
	return nil
}

// runTool reads a tool's flags and runs it.
func (r *runner) runTool(ctx context.Context, name string, args []string) error {
	t, explained := toolNamed(name), false
	k, err := kong.New(t, kong.Name("virga "+name), kong.Description(ownDoc(name)), kong.Writers(r.Stdout, r.Stderr),
		kong.Exit(func(int) { explained = true }))
	if err != nil {
		return err
	}
	if _, err = k.Parse(args); explained {
		return nil
	}
	if err != nil {
		return usagef("%v; 'virga %s -h' explains", err, name)
	}
	if err := r.open(t.profileName()); err != nil {
		return err
	}
	if r.StdoutTerminal { // reports have other people's names in them
		was, env := r.Env, *r.Env
		env.Stdout = cleaner{r.Stdout}
		r.Env = &env
		defer func() { r.Env = was }()
	}
	return t.run(ctx, r)
}

func ownDoc(name string) string {
	for _, o := range own {
		if o.name == name {
			return o.doc
		}
	}
	return ""
}

// remote is the cloud for programs that know no contract.
func (r *runner) remote() (remote.Cloud, error) {
	server, err := r.connect()
	if err != nil {
		return remote.Cloud{}, err
	}
	return remote.Cloud{Send: server.send, Now: r.Now}, nil
}

// listNeeds is what the lists that nobody leaves out must be given.
var listNeeds = map[string]api.Params{"listTemplates": {"templatefilter": "executable"}, "listIsos": {"isofilter": "executable"}}

// elsewhere are the lists of what is not in this cloud: a directory's people, which may be very many or not there, and the accounts
// that whoever signed in by SAML may change to.
var elsewhere = []string{"listLdapUsers", "listAndSwitchSamlAccount"}

// lists are the list commands of what is in the cloud that need no parameters, but for those.
func (r *runner) lists() (out []*command, err error) {
	for _, e := range r.catalog.entries {
		if e.Verb != "list" || slices.Contains(elsewhere, e.Name) {
			continue
		}
		c, err := r.catalog.command(e.Name)
		if err != nil {
			return nil, err
		}
		if c.complete(listNeeds[c.Name]) == nil {
			out = append(out, c)
		}
	}
	return out, nil
}

func (c *command) takes(name string) bool {
	p, _ := c.param(name)
	return p != nil
}

type benchTool struct {
	ofProfile
	Workload string        `arg:"" enum:"lists,deploy,lifecycle" help:"lists; deploy: machines until they run; lifecycle: until they are gone."`
	Lists    []string      `arg:"" optional:"" help:"The list commands to measure, listZones or zones. Default: all that need no parameters."`
	Clients  int           `short:"c" default:"4" help:"How many call at once (${default})." placeholder:"N"`
	Count    int           `short:"n" help:"How many calls of each list (100), or how many machines (20)." xor:"length" placeholder:"N"`
	Duration time.Duration `short:"d" help:"How long to measure, in the place of --count; lists share it." xor:"length" placeholder:"TIME"`
	WarmUp   int           `default:"1" help:"How many calls or machines before those that count (${default})." placeholder:"N"`
	ListAll  bool          `name:"listall" help:"Lists of everything that the caller may see, and not of the caller's own."`
	PageSize int           `name:"pagesize" help:"The page size of lists." placeholder:"N"`
	Zone     string        `help:"Where machines are made, by name or ID. Default: the first zone." placeholder:"ZONE"`
	Template string        `help:"What they are made from. Default: the first featured template that is ready." placeholder:"TEMPLATE"`
	Offering string        `help:"How large they are. Default: the first service offering." placeholder:"OFFERING"`
	Networks string        `help:"The IDs of the networks they are in. Default: the cloud's choice." placeholder:"IDS"`
	Prefix   string        `default:"bench" help:"What their names begin with (${default})." placeholder:"TEXT"`
	Keep     bool          `help:"Leave the machines."`
	CSV      string        `name:"csv" help:"Write the figures as CSV; - for standard output." placeholder:"FILE"`
	JSON     string        `name:"json" help:"Write everything as JSON; - for standard output." placeholder:"FILE"`
}

// What is measured where nothing is said about it.
const (
	benchCalls    = 100
	benchMachines = 20
)

func (t *benchTool) run(ctx context.Context, r *runner) error {
	in, err := t.in(r)
	if err != nil {
		return err
	}
	if r.missing != nil {
		return r.missing
	}
	r.keepConnections(t.Clients)
	if in.Cloud, err = r.remote(); err != nil {
		return err
	}
	report, failed := bench.Measure(ctx, in)
	if report == nil {
		return failed
	}
	if len(report.Rows) > 0 || failed == nil {
		err = t.write(r, report)
	}
	switch {
	case failed != nil:
		return errors.Join(failed, err)
	case err != nil:
		return err
	case report.Interrupted:
		return &failure{exitInterrupted, "interrupted"}
	case report.Errors() > 0 || len(report.Rows) == 0:
		return &failure{exitRefused, fmt.Sprintf("%d calls failed, %d lists could not be measured", report.Errors(), len(report.Skipped))}
	}
	return nil
}

// in is what to measure.
func (t *benchTool) in(r *runner) (bench.In, error) {
	in := bench.In{Workload: t.Workload, Clients: t.Clients, Count: t.Count, Duration: t.Duration, WarmUp: t.WarmUp,
		// Of this run alone: machines are found and removed by their names.
		Machines: bench.MachinesIn{Zone: t.Zone, Template: t.Template, Offering: t.Offering, Networks: t.Networks, Keep: t.Keep,
			Prefix: t.Prefix + "-" + strconv.FormatInt(r.Now().UnixMilli(), 36) + "-"},
		Note: func(text string) { _, _ = fmt.Fprintln(r.Stderr, clean(text)) },
	}
	if in.Count == 0 && in.Duration == 0 {
		in.Count = benchMachines
		if t.Workload == bench.Lists {
			in.Count = benchCalls
		}
	}
	if t.Workload != bench.Lists {
		if len(t.Lists) > 0 {
			return in, usagef("%q: only lists are measured one by one", t.Lists[0])
		}
		return in, asUsage(in.Check())
	}
	lists, err := t.lists(r)
	if err != nil {
		return in, err
	}
	for _, c := range lists {
		in.Lists = append(in.Lists, bench.List{Name: c.Name, Params: t.params(c)})
	}
	return in, asUsage(in.Check())
}

// lists are the lists that are named, or all.
func (t *benchTool) lists(r *runner) (out []*command, err error) {
	if t.Lists == nil {
		return r.lists()
	}
	for _, name := range t.Lists {
		c, _, err := r.catalog.find([]string{name})
		if err != nil || c == nil {
			c, _, err = r.catalog.find([]string{"list", name})
		}
		switch {
		case err != nil:
			return nil, err
		case c.Verb != "list" || c.complete(listNeeds[c.Name]) != nil:
			return nil, usagef("%s can't be measured: it is no list, or needs parameters", c.Name)
		}
		out = append(out, c)
	}
	return out, nil
}

// params are what a list is asked for with.
func (t *benchTool) params(c *command) api.Params {
	out := api.Params{}
	maps.Copy(out, listNeeds[c.Name])
	if t.ListAll && c.takes("listall") {
		out["listall"] = "true"
	}
	if t.PageSize > 0 && c.takes("pagesize") {
		out["page"], out["pagesize"] = "1", strconv.Itoa(t.PageSize)
	}
	return out
}

func asUsage(err error) error {
	if err == nil {
		return nil
	}
	return usagef("%v", err)
}

// keepConnections lets each of several clients keep its connection: making one would be measured with every call.
func (r *runner) keepConnections(clients int) {
	server, err := r.connect()
	if err != nil {
		return
	}
	own := *server.client.HTTP
	transport, ok := own.Transport.(*http.Transport)
	if own.Transport == nil {
		transport, ok = http.DefaultTransport.(*http.Transport)
	}
	if !ok {
		return
	}
	transport = transport.Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = 0, clients
	own.Transport = transport
	server.client.HTTP = &own
}

func (t *benchTool) write(r *runner, report *bench.Report) error {
	var err error
	if t.CSV != "" {
		err = r.toFile(t.CSV, report.CSV)
	}
	if t.JSON != "" {
		err = errors.Join(err, r.toFile(t.JSON, func(w io.Writer) error { return indented(w, report) }))
	}
	if t.CSV != "-" && t.JSON != "-" {
		err = errors.Join(err, report.Text(r.Stdout))
	}
	return err
}

func indented(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// toFile writes a file, or to standard output if it is called -.
func (r *runner) toFile(name string, write func(io.Writer) error) error {
	if name == "-" {
		return write(r.Stdout)
	}
	var text strings.Builder
	if err := write(&text); err != nil {
		return err
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(r.Dir, name)
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() { // /dev/null is to be written to, and not to be replaced
		return os.WriteFile(name, []byte(text.String()), 0o600)
	}
	return WriteFile(name, []byte(text.String()))
}

type doctorTool struct {
	ofProfile
	Output   string `short:"o" enum:"text,json" default:"text" help:"How to say it: text or json."`
	Database string `help:"The server's --database: look at that, too." placeholder:"URL"`
	Data     string `help:"The server's --data: look at that, too." placeholder:"DIR"`
}

func (t *doctorTool) run(ctx context.Context, r *runner) error {
	var in doctor.In
	if t.Database != "" || t.Data != "" {
		if r.Examine == nil {
			return usagef("this program can't look into databases")
		}
		in.More = func(ctx context.Context) []doctor.Check { return r.Examine(ctx, t.Database, t.Data) }
	}
	if r.missing == nil {
		server, err := r.connect()
		if err != nil {
			return err
		}
		in.Endpoint, in.APIKey, in.Username = r.profile.Endpoint, r.profile.APIKey, r.profile.Username
		in.Insecure, in.HTTP = r.profile.Insecure, server.client.HTTP
		in.Cloud = remote.Cloud{Send: server.send, Now: r.Now}
	} else if in.More == nil {
		return r.missing
	}
	report := doctor.Examine(ctx, in)
	show := report.Text
	if t.Output == "json" {
		show = report.JSON
	}
	err := show(r.Stdout)
	switch {
	case err != nil:
		return err
	case ctx.Err() != nil:
		return ctx.Err()
	case report.Unreachable:
		return &failure{code: exitUnreachable}
	case report.Count > 0:
		return &failure{code: exitRefused}
	}
	return nil
}

type dumpTool struct {
	ofProfile
	Output string `short:"o" default:"-" help:"The file to write; - for standard output." placeholder:"FILE"`
	Hours  int    `default:"24" help:"How far back events go (${default})." placeholder:"N"`
}

func (t *dumpTool) run(ctx context.Context, r *runner) error {
	if t.Hours < 0 {
		return usagef("--hours %d: want 0 or more", t.Hours)
	}
	all, err := r.lists()
	if err != nil {
		return err
	}
	in := dump.In{Events: time.Duration(t.Hours) * time.Hour, Client: r.Version}
	for _, c := range all {
		in.Commands = append(in.Commands, dump.Command{Name: c.Name, ListAll: c.takes("listall")})
	}
	if in.Cloud, err = r.remote(); err != nil {
		return err
	}
	in.Endpoint = r.profile.Endpoint
	if r.lively() {
		in.Asking = func(command string) { _, _ = io.WriteString(r.Stderr, "\r\x1b[K"+clean(command)) }
		defer func() { _, _ = io.WriteString(r.Stderr, "\r\x1b[K") }()
	}
	d, err := dump.Take(ctx, in)
	if err != nil {
		return err
	}
	if err := r.toFile(t.Output, func(w io.Writer) error { return indented(w, d) }); err != nil {
		return err
	}
	things := 0
	for _, l := range d.Lists {
		things += l.Count
	}
	if t.Output != "-" {
		_, err = fmt.Fprintf(r.Stdout, "%s: %d things in %d lists; %d lists could not be had. Read it before you give it away.\n",
			t.Output, things, len(d.Lists), len(d.Missing))
	}
	return err
}
