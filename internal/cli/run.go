package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// runner runs command lines against one cloud.
type runner struct {
	*Env
	settings *settings
	profile  *profile
	missing  error // why there is no profile
	catalog  *catalogue
	cloud    *cloud
	inShell  bool
	onScreen bool // what comes out of a pipe in the shell is for the terminal
}

// Run runs one command line and gives its exit code. Errors are said on standard error.
func Run(ctx context.Context, e Env, args []string) int {
	r := &runner{Env: &e}
	if e.Interrupts != nil && (len(args) == 0 || args[0] != "shell") { // a shell is not ended by it, what runs in it is
		var stop func()
		ctx, stop = e.Interrupts(ctx)
		defer stop()
		context.AfterFunc(ctx, stop) // the second one ends the program, whatever it is doing
	}
	return r.report(r.run(ctx, args))
}

// report says an error and gives its exit code.
func (r *runner) report(err error) int {
	if err != nil && err.Error() != "" {
		endpoint := ""
		if r.profile != nil {
			endpoint = r.profile.Endpoint
		}
		var text strings.Builder
		for part := range strings.SplitSeq(explain(err, endpoint), "\n") {
			text.WriteString(clean(part) + "\n")
		}
		_, _ = io.WriteString(r.Stderr, "virga: "+text.String())
	}
	return exitCode(err)
}

// own are the commands that are not the cloud's.
var own = []struct{ name, doc string }{
	{"login", "Sign in to a cloud and keep how in a profile."},
	{"profile", "List, show and choose profiles: profile list, profile show, profile use NAME."},
	{"set", "Keep a choice: set output table, set profile NAME."},
	{"shell", "Take line after line, with completion, history and pipes; or a script on standard input."},
	{"sync", "Ask the cloud which commands it has, and know these from then on."},
	{"bench", "Measure how quick a cloud is: its lists, deployments, or the life of machines."},
	{"doctor", "Examine a cloud, and a server's database: what is wrong, why that matters, what to do."},
	{"dump", "Write down what the cloud says of itself, without secrets, for a bug report."},
	{"completion", "Print what makes a shell complete virga's commands: completion bash, zsh or fish."},
	{"help", "Explain: help, help list, help list zones."},
}

// runOwn runs one of them.
func (r *runner) runOwn(ctx context.Context, name string, f flags, words []string) error {
	switch name {
	case "login":
		return r.login(ctx, f, words)
	case "profile":
		return r.profiles(f, words)
	case "set":
		return r.set(words)
	case "shell":
		return r.shell(ctx, words)
	case "sync":
		return r.sync(ctx, words)
	case "bench", "doctor", "dump":
		if f.profile != "" {
			words = append(words, "--profile="+f.profile)
		}
		return r.runTool(ctx, name, words)
	default:
		return r.completion(words)
	}
}

func (r *runner) run(ctx context.Context, args []string) error {
	if len(args) > 0 && args[0] == "complete" {
		return r.completeWords(ctx, args[1:])
	}
	if len(args) > 0 && toolNamed(args[0]) != nil { // its flags are its own
		return r.runTool(ctx, args[0], args[1:])
	}
	f, words, err := takeFlags(args)
	if err != nil {
		return err
	}
	if len(words) > 0 && words[0] == "help" {
		f.help, words = true, words[1:]
	}
	if err := r.open(f.profile); err != nil {
		return err
	}
	if len(words) == 0 {
		return r.helpAll()
	}
	for _, o := range own {
		if strings.EqualFold(words[0], o.name) {
			if f.help && toolNamed(o.name) != nil {
				return r.runTool(ctx, o.name, []string{"--help"})
			}
			if f.help {
				return r.helpOwn(o.name)
			}
			return r.runOwn(ctx, o.name, f, words[1:])
		}
	}
	found, rest, err := r.catalog.find(words)
	switch {
	case err != nil:
		return err
	case found == nil:
		return r.helpVerb(words[0])
	case f.help:
		return r.helpCommand(ctx, found)
	}
	return r.execute(ctx, found, f, rest)
}

// open reads the configuration and finds the cloud to speak to. That there is none is an error only for who wants to speak.
func (r *runner) open(name string) (err error) {
	if r.settings, err = r.Env.settings(); err != nil {
		return err
	}
	r.profile, r.missing = r.Env.profile(r.settings, name)
	r.catalog = nil
	if r.profile != nil {
		r.catalog = r.synced(r.profile)
		if r.cloud != nil && *r.cloud.profile != *r.profile {
			r.cloud = nil
		}
	}
	if r.catalog == nil {
		r.catalog = contract()
	}
	return nil
}

// connect gives the cloud.
func (r *runner) connect() (*cloud, error) {
	if r.missing != nil {
		return nil, r.missing
	}
	if r.cloud == nil {
		r.cloud = r.Env.cloud(r.profile)
	}
	return r.cloud, nil
}

// execute sends a command and shows the answer.
func (r *runner) execute(ctx context.Context, c *command, f flags, words []string) error {
	g, err := c.read(words)
	if err != nil {
		return err
	}
	server, err := r.connect()
	if err != nil {
		return err
	}
	if err := r.resolve(ctx, c, g.params); err != nil {
		return err
	}
	raw, err := server.send(ctx, c.Name, g.params)
	if err != nil {
		return err
	}
	if job := jobOf(c, raw); job != "" && !f.noWait {
		if raw, err = r.wait(ctx, c, job); err != nil {
			return err
		}
	}
	return r.show(raw, g.filter, r.output(f))
}

// output is the output in use.
func (r *runner) output(f flags) string {
	for _, o := range []string{f.output, r.Getenv("VIRGA_OUTPUT"), r.settings.Output} {
		if o != "" {
			return o
		}
	}
	return outputs[0]
}

func (r *runner) show(raw json.RawMessage, filter []string, output string) error {
	output, err := outputOf(output)
	if err != nil {
		return err
	}
	a, err := read(raw)
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if filter != nil {
		a.only(filter)
	}
	if err := a.show(r.out(output), output, filter != nil, r.coloured()); err != nil {
		return err
	}
	if len(a.items) < a.count {
		_, _ = fmt.Fprintf(r.Stderr, "these are %d of %d; page=2 pagesize=%d shows the next\n", len(a.items), a.count, len(a.items))
	} else if len(a.items) == 0 && a.list && r.StdoutTerminal && r.StderrTerminal {
		_, _ = fmt.Fprintln(r.Stderr, "none")
	}
	return nil
}

// out is where an answer goes. Programs get every letter of it; a terminal obeys none.
func (r *runner) out(output string) io.Writer {
	if (r.StdoutTerminal || r.onScreen) && (output == "json" || output == "csv") {
		return cleaner{r.Stdout}
	}
	return r.Stdout
}

// wait waits for a job and on a terminal shows for how long.
func (r *runner) wait(ctx context.Context, c *command, job string) (json.RawMessage, error) {
	began, look := r.Now(), func() {}
	if r.lively() {
		look = func() { progress(r.Stderr, c.Verb+" "+c.Noun, r.Now().Sub(began)) }
		defer func() { _, _ = io.WriteString(r.Stderr, "\r\x1b[K") }()
	}
	result, err := r.cloud.wait(ctx, job, look)
	if err != nil && ctx.Err() != nil {
		return nil, &failure{exitInterrupted, "interrupted; the job goes on: virga query asyncjobresult jobid=" + job}
	}
	return result, err
}

func progress(w io.Writer, what string, elapsed time.Duration) {
	_, _ = fmt.Fprintf(w, "\r\x1b[K%s … %d s", what, int(elapsed.Seconds()))
}
