package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/reeflective/readline"
	"golang.org/x/term"

	"github.com/virga-cloud/virga/internal/cli"
)

// terminal is what the command line gets from this process.
func terminal() cli.Env {
	dir, err := os.Getwd()
	if err != nil {
		dir = "." // a folder that is gone: nothing is found in it
	}
	stdin := int(os.Stdin.Fd())
	e := cli.Env{
		Getenv: os.Getenv, Dir: dir, Now: time.Now, Houses: houses,
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		StdinTerminal: term.IsTerminal(stdin), StdoutTerminal: isTerminal(os.Stdout), StderrTerminal: isTerminal(os.Stderr),
		Shell: shell, Interrupts: interrupts,
	}
	if e.StdinTerminal {
		e.Lines = lines
		e.ReadSecret = func() (string, error) {
			text, err := term.ReadPassword(stdin)
			return string(text), err
		}
	}
	return e
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// interrupts ends a context when the user presses Ctrl-C.
func interrupts(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(ctx, os.Interrupt)
}

// lines reads lines from the terminal.
func lines(in cli.LinesIn) (func(string) (string, error), error) {
	if err := os.MkdirAll(filepath.Dir(in.History), 0o700); err != nil {
		return nil, err
	}
	rl := readline.NewShell()
	for name, value := range map[string]any{"menu-complete-display-prefix": true, "completion-ignore-case": true} {
		if err := rl.Config.Set(name, value); err != nil {
			return nil, err
		}
	}
	rl.History.AddFromFile("history", in.History)
	rl.Completer = func(line []rune, cursor int) readline.Completions {
		typed := string(line[:cursor])
		from, found := in.Complete(typed)
		values := make([]readline.Completion, len(found))
		for i, c := range found {
			values[i] = readline.Completion{Value: c.Value, Display: c.Label, Description: c.Doc}
		}
		out := readline.CompleteRaw(values).NoSort()
		out.PREFIX = typed[from:]
		return out
	}
	return func(prompt string) (string, error) {
		rl.Prompt.Primary(func() string { return prompt })
		text, err := rl.Readline()
		if errors.Is(err, readline.ErrInterrupt) {
			err = cli.ErrInterrupted
		}
		return text, err
	}, nil
}

// shell runs a line in the user's shell.
func shell(ctx context.Context, line string, in io.Reader, out, errs io.Writer) error {
	program := os.Getenv("SHELL")
	if program == "" {
		program = "/bin/sh"
	}
	cmd := exec.CommandContext(ctx, program, "-c", line) //nolint:gosec // it is what the user has typed
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, out, errs
	return cmd.Run()
}
