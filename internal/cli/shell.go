package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrInterrupted is what Lines' reader gives where the user breaks a line off.
var ErrInterrupted = errors.New("interrupted")

const (
	prompt   = "virga> "
	greeting = "Verb, noun, name=value. Tab completes, a ? at the end explains, help shows everything, exit ends.\n"
)

// shell runs line after line: those that are typed, or those of a script on standard input, which ends at the first that fails.
func (r *runner) shell(ctx context.Context, words []string) error {
	if len(words) > 0 {
		return usagef("shell takes nothing, but %q was given", words[0])
	}
	s := &shell{runner: r, prompt: prompt, chosen: map[string]string{}}
	outside := r.Getenv
	r.Getenv = func(name string) string {
		if choice, ok := s.chosen[name]; ok {
			return choice
		}
		return outside(name)
	}
	if r.StdinTerminal && r.Lines != nil {
		s.keeps = true
		return s.typed(ctx)
	}
	for n := 1; ; n++ {
		text, err := r.line()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		end, err := s.line(ctx, text)
		if err != nil {
			code := r.report(fmt.Errorf("line %d: %w", n, err))
			return &failure{code: code}
		}
		if end {
			return nil
		}
	}
}

type shell struct {
	*runner
	prompt string
	chosen map[string]string // in the place of the environment's
	keeps  bool              // choices are for other times, too; a script's are its own
}

// typed runs what is typed until the end.
func (s *shell) typed(ctx context.Context) error {
	read, end, err := s.Lines(LinesIn{
		History:  s.cache("history"),
		Complete: func(line string) (int, []Candidate) { return s.candidates(ctx, line) },
	})
	if err != nil {
		return err
	}
	defer end()
	_, _ = io.WriteString(s.Stdout, greeting)
	for {
		text, err := read(s.prompt)
		switch {
		case errors.Is(err, ErrInterrupted):
			continue
		case errors.Is(err, io.EOF):
			_, err = io.WriteString(s.Stdout, "\n")
			return err
		case err != nil:
			return err
		}
		end, err := s.line(ctx, text)
		s.report(err)
		if end {
			return nil
		}
	}
}

// line runs one line and tells whether it is the last.
func (s *shell) line(ctx context.Context, text string) (end bool, err error) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] == '#' {
		return false, nil
	}
	if s.Interrupts != nil {
		var stop func()
		ctx, stop = s.Interrupts(ctx)
		defer stop()
	}
	if command, ok := strings.CutPrefix(text, "!"); ok && s.Shell != nil {
		return false, s.Shell(ctx, command, s.Stdin, s.Stdout, s.Stderr)
	}
	l := lex(text)
	if l.pipe >= 0 && s.Shell != nil {
		return false, s.pipe(ctx, text[:l.pipe], text[l.pipe+1:])
	}
	if l.quote != 0 {
		return false, usagef("a %c is not closed", l.quote)
	}
	words := l.finished()
	switch strings.ToLower(words[0]) {
	case "exit", "quit", "eof":
		return true, nil
	case "shell":
		return false, usagef("this is the shell already")
	case "set":
		return false, s.choose(words[1:])
	case "profile":
		if len(words) == 3 && words[1] == "use" {
			return false, s.choose([]string{"profile", words[2]})
		}
	}
	if n := len(words) - 1; words[n] == "?" { // help as one types
		words[n] = "-h"
	}
	return false, s.run(ctx, words)
}

// choose makes a choice for this shell, and keeps it where it was typed.
func (s *shell) choose(words []string) error {
	if len(words) > 1 && strings.EqualFold(words[0], "prompt") {
		s.prompt = strings.Join(words[1:], " ") + " "
		return nil
	}
	if err := s.open(""); err != nil {
		return err
	}
	name, value, err := s.choice(words)
	if err != nil {
		return err
	}
	s.chosen["VIRGA_"+strings.ToUpper(name)] = value
	if s.keeps {
		return s.settings.save()
	}
	return nil
}

// pipe runs a line and hands its answer to programs of this machine.
func (s *shell) pipe(ctx context.Context, left, right string) error {
	var out bytes.Buffer
	env := *s.Env
	env.Stdout, env.StdoutTerminal = &out, false
	inner := &shell{runner: &runner{Env: &env, cloud: s.cloud, onScreen: s.StdoutTerminal}, chosen: s.chosen, keeps: s.keeps}
	_, err := inner.line(ctx, left)
	if failed := s.Shell(ctx, right, &out, s.Stdout, s.Stderr); err == nil && failed != nil {
		if _, ended := errors.AsType[interface {
			error
			ExitCode() int
		}](failed); !ended { // that grep finds nothing is no error
			err = failed
		}
	}
	return err
}

// candidates completes a line: the words that may stand at its end as they would be typed, and where that end begins.
func (s *shell) candidates(ctx context.Context, line string) (from int, out []Candidate) {
	l := lex(line)
	if l.pipe >= 0 {
		return len(line), nil
	}
	r := &runner{Env: s.Env, inShell: true}
	for _, c := range r.complete(ctx, l.words) {
		whole := c.Value
		if name, value, ok := strings.Cut(whole, "="); ok && value != "" {
			if l.quote != 0 { // name="what is typed
				whole = name + "=" + string(l.quote) + value + string(l.quote)
			} else {
				whole = name + "=" + raw(value, 0)
			}
		}
		if c.Value = whole; !c.More {
			c.Value += " "
		}
		out = append(out, c)
	}
	return l.last, out
}
